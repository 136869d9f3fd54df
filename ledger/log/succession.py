"""A log that follows another one which can't go on (docs/formats.md §4.1, docs/adr/0040).

It begins its accounts with a month that is wholly after its beginning: what had been used in
entries of the old log that nobody has any more can't be used again, since nothing of times before
counts here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    insert,
    select,
)

from ledger.db import Trigger, append_only, metadata
from ledger.log.entry import Member
from ledger.log.types import FUTURE_S_MAX

SUCCEED: Final = "log.succeed"
INDEX: Final = 1
_MONTH: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII)


def _is_month(value: Any) -> bool:
    found = _MONTH.fullmatch(value) if isinstance(value, str) else None
    return found is not None and "1971" <= found[1] < "9999"


MONTH: Final = Member(expected="a month 2026-03, from 1971 on", check=_is_month)

successions: Final = append_only(
    Table(
        "successions",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column(
            "entry_index",
            BigInteger,
            CheckConstraint(f"entry_index = {INDEX}", name="second"),
            nullable=False,
        ),
        Column("origin", String(128), nullable=False),
        Column("log_vkey", String(300), nullable=False),
        Column("size", BigInteger, CheckConstraint("size > 0", name="size"), nullable=False),
        Column("root", LargeBinary(32), nullable=False),
        Column("since_s", BigInteger, nullable=False),
    )
)


def not_before(table: str, column: str) -> Trigger:
    """Refuses rows of a table that are of a time before the accounts of a log with a predecessor.
    To the database each such log is one; most have none."""
    return Trigger(
        name=f"{table}_not_before",
        table=table,
        forbids=f"""EXISTS (
    SELECT 1 FROM successions AS s WHERE s.log_id = NEW.log_id AND NEW.{column} < s.since_s)""",  # noqa: S608  (names of our schema)
        says="a log that follows another one takes nothing of times before its accounts begin",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """The log before: its name and first key, and its last checkpoint that is known."""

    origin: str
    log_vkey: str
    size: int
    root: bytes


def month_start_s(month: str, zone_s: int) -> int:
    """Unix time of the first second of a month of park time."""
    year, _, number = month.partition("-")
    return int(datetime(int(year), int(number), 1, tzinfo=UTC).timestamp()) - zone_s


def first_month(at_s: int, zone_s: int) -> str:
    """The first month that accounts may begin with, in a log that begins at `at_s`. A reading of
    the old log may end FUTURE_S_MAX after the last tick there."""
    local = datetime.fromtimestamp(at_s + FUTURE_S_MAX + zone_s, UTC)
    if (local.day, local.hour, local.minute, local.second) != (1, 0, 0, 0):
        year, month = divmod(local.year * 12 + local.month, 12)
        return f"{year:04}-{month + 1:02}"
    return f"{local.year:04}-{local.month:02}"


def since_s(conn: Connection, log_id: int) -> int | None:
    """When the accounts of the log begin; None for one that follows no other."""
    return conn.execute(
        select(successions.c.since_s).where(successions.c.log_id == log_id)
    ).scalar_one_or_none()


def load(conn: Connection, log_id: int) -> Succession | None:
    row = conn.execute(select(successions).where(successions.c.log_id == log_id)).one_or_none()
    if row is None:
        return None
    return Succession(origin=row.origin, log_vkey=row.log_vkey, size=row.size, root=bytes(row.root))


def save(conn: Connection, log_id: int, entry_index: int, found: Succession, since: int) -> None:
    conn.execute(
        insert(successions).values(
            log_id=log_id,
            entry_index=entry_index,
            origin=found.origin,
            log_vkey=found.log_vkey,
            size=found.size,
            root=found.root,
            since_s=since,
        )
    )
