"""The second factor: codes of RFC 6238 (SHA-1, 6 digits, 30 s), and recovery codes.

A code lets in once; a code of an earlier step lets in no more after that. One step to either side
of the clock is taken. Recovery codes are 80 random bits each: a plain hash of them is enough.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from typing import Final

import pyotp
from sqlalchemy import Connection, Engine, delete, insert, select, update

from ledger.access import delays, events
from ledger.access.accounts import account_of
from ledger.access.events import Actor
from ledger.access.schema import recovery_codes, totps
from ledger.access.sealing import seal, unseal
from ledger.access.tokens import digest
from ledger.db import writing
from ledger.errors import Refused

STEP_S: Final = 30
RECOVERY_CODES: Final = 10
_RECOVERY: Final = re.compile(r"[0-9a-f]{20}", re.ASCII)
_CODE: Final = re.compile(r"[0-9]{6}", re.ASCII)


def enrol_totp(
    conn: Connection, seal_key: bytes, now_s: int, actor: Actor, account: str, issuer: str
) -> tuple[str, str]:
    """A fresh secret (base32) and its `otpauth:` URI; it counts once a code of it was given.

    Raises Refused where there is one that counts.
    """
    name = account_of(conn, account).name
    row = conn.execute(select(totps).where(totps.c.account == account)).one_or_none()
    if row is not None and row.confirmed:
        raise Refused("a second factor is set up already; remove it first")
    conn.execute(delete(totps).where(totps.c.account == account))
    secret = pyotp.random_base32()
    conn.execute(
        insert(totps).values(
            account=account,
            sealed=seal(seal_key, _about(account), secret),
            confirmed=0,
            last_step=0,
        )
    )
    events.record(conn, now_s, actor, "totp.enrol", account=account)
    return secret, pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def confirm_totp(
    conn: Connection, seal_key: bytes, now_s: int, actor: Actor, account: str, code: str
) -> Sequence[str]:
    """From now on a code is asked for. Returns recovery codes, to be shown once.

    Raises Refused for a wrong code, or where nothing waits for one.
    """
    row = conn.execute(select(totps).where(totps.c.account == account)).one_or_none()
    if row is None or row.confirmed:
        raise Refused("no second factor waits for its first code; set one up first")
    if not _use_code(conn, seal_key, now_s, account, code):
        raise Refused("the code is not the one that the second factor shows now")
    conn.execute(update(totps).where(totps.c.account == account).values(confirmed=1))
    codes = [secrets.token_hex(10) for _ in range(RECOVERY_CODES)]
    conn.execute(delete(recovery_codes).where(recovery_codes.c.account == account))
    conn.execute(
        insert(recovery_codes), [{"account": account, "hash": digest(code)} for code in codes]
    )
    events.record(conn, now_s, actor, "totp.confirm", account=account)
    return codes


def remove_totp(
    engine: Engine, seal_key: bytes, now_s: int, actor: Actor, account: str, code: str
) -> None:
    """One's own, with a code or a recovery code. Raises Refused for a wrong one, or where there is
    no second factor, Throttled after too many."""
    attempt = delays.of_code(account)
    with writing(engine) as conn:
        delays.begin_attempt(conn, now_s, [attempt])
    with writing(engine) as conn:
        if not use_code(conn, seal_key, now_s, actor, account, code):
            raise Refused("the code is none that the second factor shows now: it stays")
        delays.clear(conn, attempt)
        conn.execute(delete(totps).where(totps.c.account == account))
        conn.execute(delete(recovery_codes).where(recovery_codes.c.account == account))
        events.record(conn, now_s, actor, "totp.remove", account=account)


def is_second_factor(conn: Connection, account: str) -> bool:
    query = select(totps.c.account).where(totps.c.account == account, totps.c.confirmed == 1)
    return conn.execute(query).one_or_none() is not None


def use_code(
    conn: Connection, seal_key: bytes, now_s: int, actor: Actor, account: str, code: str
) -> bool:
    """Whether a code, or a recovery code, lets in; then it is used up."""
    if _use_code(conn, seal_key, now_s, account, code):
        return True
    plain = code.strip().lower().replace("-", "")
    if not _RECOVERY.fullmatch(plain):
        return False
    used = conn.execute(
        delete(recovery_codes).where(
            recovery_codes.c.account == account, recovery_codes.c.hash == digest(plain)
        )
    ).rowcount
    if used:
        events.record(conn, now_s, actor, "totp.recovery", account=account)
    return bool(used)


def _use_code(conn: Connection, seal_key: bytes, now_s: int, account: str, code: str) -> bool:
    given = code.replace(" ", "")
    row = conn.execute(select(totps).where(totps.c.account == account)).one_or_none()
    if row is None or not _CODE.fullmatch(given):
        return False
    codes = pyotp.TOTP(unseal(seal_key, _about(account), bytes(row.sealed)))
    step = now_s // STEP_S
    # All are compared, so that the time does not say which was near.
    matching = [
        near
        for near in (step - 1, step, step + 1)
        if hmac.compare_digest(codes.generate_otp(near), given)
    ]
    if not matching:
        return False
    # Compare-and-set: of two requests with one code, one gets in.
    used = conn.execute(
        update(totps)
        .where(totps.c.account == account, totps.c.last_step < matching[-1])
        .values(last_step=matching[-1])
    ).rowcount
    return used == 1


def _about(account: str) -> str:
    return f"second factor of account {account}"
