"""Growing delays between attempts to sign in, by account and by address, shared by all processes.

An attempt counts as a failure before its password is looked at, and is taken back when it succeeds:
so many attempts at once get no further than the same ones in a row. While a delay lasts, nothing
is looked at and nothing counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger.access.schema import login_delays
from ledger.access.tokens import digest
from ledger.errors import Throttled

DELAY_S_MAX: Final = 900
FORGOTTEN_AFTER_S: Final = 86_400
# Behind one address there may be a whole enterprise.
FREE_BY_NAME: Final = 5
FREE_BY_ADDRESS: Final = 50
# For so long an address from which somebody signed in is one of theirs.
KNOWN_S: Final = 90 * 86_400


def delay_s(failures: int, free: int) -> int:
    """None below `free` failures, then 2, 4, 8 … s, up to a quarter of an hour."""
    over = failures - free + 1
    return 0 if over < 1 else min(2 ** min(over, 32), DELAY_S_MAX)


def of_name(name: str) -> tuple[bytes, int]:
    """What is counted for a name, whether an account has it or not; and how many are free."""
    return digest(f"name {name}"), FREE_BY_NAME


def of_name_at(name: str, address: str) -> tuple[bytes, int]:
    """The same for a name at an address from which its account has signed in before: counted apart,
    so that nobody elsewhere can keep somebody out by failing again and again."""
    return digest(f"name {name} at {_network(address)}"), FREE_BY_NAME


def of_code(account: str) -> tuple[bytes, int]:
    """The same for codes of the second factor, where they are asked for after login."""
    return digest(f"code {account}"), FREE_BY_NAME


def of_address(address: str) -> tuple[bytes, int]:
    """The same for an address; of IPv6 the network, in which one machine has all addresses."""
    return digest(f"address {_network(address)}"), FREE_BY_ADDRESS


def _network(address: str) -> str:
    with suppress(ValueError):
        found = ip_address(address)
        if found.version == 6:
            return str(found.ipv4_mapped or ip_network((found, 64), strict=False))
    return address


def begin_attempt(conn: Connection, now_s: int, whats: Sequence[tuple[bytes, int]]) -> None:
    """Count a failure for each. Raises Throttled, and counts nothing, where a delay lasts."""
    # In one order, so that two attempts never wait for each other.
    ordered = sorted(whats)
    rows = {what: _locked_row(conn, now_s, what) for what, _ in ordered}
    wait_s = max(row.free_at_s - now_s for row in rows.values())
    if wait_s > 0:
        raise Throttled(f"too many failures: try again in {wait_s} s", wait_s)
    for what, free in ordered:
        row = rows[what]
        forgotten = row.failed_at_s + FORGOTTEN_AFTER_S <= now_s
        failures = (0 if forgotten else row.failures) + 1
        conn.execute(
            update(login_delays)
            .where(login_delays.c.what == what)
            .values(failures=failures, failed_at_s=now_s, free_at_s=now_s + delay_s(failures, free))
        )


def _locked_row(conn: Connection, now_s: int, what: bytes) -> Row[Any]:
    """The row of an attempt, which nobody else changes or drops meanwhile."""
    query = select(login_delays).where(login_delays.c.what == what).with_for_update()
    while (row := conn.execute(query).one_or_none()) is None:
        with suppress(IntegrityError), conn.begin_nested():  # made by another process just now
            conn.execute(
                insert(login_delays).values(what=what, failures=0, failed_at_s=now_s, free_at_s=0)
            )
    return row


def clear(conn: Connection, what: tuple[bytes, int]) -> None:
    """The attempt succeeded: failures are forgotten."""
    conn.execute(delete(login_delays).where(login_delays.c.what == what[0]))


def take_back(conn: Connection, counted: tuple[bytes, int]) -> None:
    """The attempt was no failure: one less. Who has an account can't wash its address clean."""
    what, free = counted
    row = conn.execute(
        select(login_delays).where(login_delays.c.what == what).with_for_update()
    ).one_or_none()
    if row is None:
        return
    failures = max(0, row.failures - 1)
    conn.execute(
        update(login_delays)
        .where(login_delays.c.what == what)
        .values(failures=failures, free_at_s=row.failed_at_s + delay_s(failures, free))
    )


def forget(conn: Connection, now_s: int) -> None:
    """Drop what no longer counts."""
    conn.execute(delete(login_delays).where(_forgotten(now_s)))


def _forgotten(now_s: int) -> ColumnElement[bool]:
    return login_delays.c.failed_at_s + FORGOTTEN_AFTER_S <= now_s
