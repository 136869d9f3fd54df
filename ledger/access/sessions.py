"""Signing in and out; who stands behind a token.

A session ends after a time without requests, and after a day's work whatever happens. Name,
password and code are judged together and refused with one text, so that an answer does not say
which of them was right, nor whether an account has that name.
"""

from __future__ import annotations

import hmac
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, delete, insert, select, update

from ledger.access import accounts as people
from ledger.access import delays, events, keys, tokens, totp
from ledger.access.caller import ALL, Caller
from ledger.access.events import Actor
from ledger.access.passwords import Passwords
from ledger.access.schema import accounts, api_keys, oidc_logins, sessions
from ledger.db import reading, writing
from ledger.errors import NotSignedIn

IDLE_S: Final = 1800
ABSOLUTE_S: Final = 12 * 3600
# A request notes that its session is in use at most so often.
TOUCH_S: Final = 60
_WRONG: Final = "name, password or code is wrong"


def login(
    engine: Engine,
    passwords: Passwords,
    seal_key: bytes,
    now_s: int,
    address: str,
    name: str,
    password: str,
    code: str = "",
) -> str:
    """A session's token, shown once. Raises NotSignedIn, or Throttled before anything is looked at.

    `code` is the second factor's, or a recovery code; where none is set up it is not looked at.
    """
    by_address = delays.of_address(address)
    with writing(engine) as conn:
        by_name = _counted_for(conn, now_s, name, address)
        delays.begin_attempt(conn, now_s, [by_name, by_address])
    with reading(engine) as conn:
        account, stored = people.stored_password(conn, name)
    right = passwords.verify(stored, password)
    fresh = passwords.hash(password) if right and passwords.is_old(stored) else stored
    actor = Actor(account=account, address=address)
    with writing(engine) as conn:
        # Once more, now that nobody changes it meanwhile.
        if (
            right
            and people.stored_password(conn, name, lock=True) == (account, stored)
            and (
                not totp.is_second_factor(conn, account)
                or totp.use_code(conn, seal_key, now_s, actor, account, code)
            )
        ):
            delays.clear(conn, by_name)
            delays.take_back(conn, by_address)
            if fresh != stored:
                people.store_password(conn, account, fresh)
            return _begin(conn, now_s, actor, "login")
        # Not the name that was typed: it may be somebody's password.
        events.record(conn, now_s, Actor(address=address), "login.fail", account=account)
    raise NotSignedIn(_WRONG)


def _counted_for(conn: Connection, now_s: int, name: str, address: str) -> tuple[bytes, int]:
    """What an attempt counts for beside its address: the name, or the name at an address of its
    owner's. The same is asked of the database where nobody has that name."""
    account, _ = people.stored_password(conn, name)
    known = events.signed_in_from(conn, account, address, now_s - delays.KNOWN_S)
    return delays.of_name_at(name, address) if known and account else delays.of_name(name)


def change_password(
    engine: Engine,
    passwords: Passwords,
    now_s: int,
    actor: Actor,
    old: str,
    new: str,
) -> None:
    """One's own, knowing the old one; every session ends. Raises NotSignedIn for a wrong old one,
    Throttled, InvalidInput for an unfit new one."""
    hashed = passwords.hash(new)
    with writing(engine) as conn:
        name = people.account_of(conn, actor.account).name
        by_name = _counted_for(conn, now_s, name, actor.address)
        by_address = delays.of_address(actor.address)
        delays.begin_attempt(conn, now_s, [by_name, by_address])
        account, stored = people.stored_password(conn, name)
    right = passwords.verify(stored, old)
    with writing(engine) as conn:
        if right and people.stored_password(conn, name, lock=True) == (account, stored):
            delays.clear(conn, by_name)
            delays.take_back(conn, by_address)
            people.set_password(conn, now_s, actor, account, hashed)
            return
        events.record(conn, now_s, actor, "password.fail", account=account)
    raise NotSignedIn("the old password is wrong")


def login_linked(engine: Engine, now_s: int, address: str, issuer: str, subject: str) -> str:
    """A session's token for whom an OpenID provider has named. Raises NotSignedIn where no account
    is linked to that identity."""
    with writing(engine) as conn:
        account = people.linked_account(conn, issuer, subject)
        if account and people.is_enabled(conn, account):
            return _begin(conn, now_s, Actor(account=account, address=address), "login.oidc")
        events.record(conn, now_s, Actor(address=address), "login.fail", account=account)
    raise NotSignedIn(
        f"no account that may sign in is linked to subject {subject!r} of {issuer}: ask an"
        " administrator to link it"
    )


def _begin(conn: Connection, now_s: int, actor: Actor, kind: str) -> str:
    token = tokens.fresh(tokens.SESSION)
    conn.execute(
        insert(sessions).values(
            hash=tokens.digest(token),
            account=actor.account,
            created_at_s=now_s,
            seen_at_s=now_s,
            expires_at_s=now_s + ABSOLUTE_S,
        )
    )
    events.record(conn, now_s, actor, kind, account=actor.account)
    return token


def logout(conn: Connection, now_s: int, address: str, token: str) -> None:
    """End a session; one that has ended is no error."""
    hashed = tokens.digest(token)
    account = conn.execute(
        select(sessions.c.account).where(sessions.c.hash == hashed)
    ).scalar_one_or_none()
    conn.execute(delete(sessions).where(sessions.c.hash == hashed))
    if account:
        actor = Actor(account=account, address=address)
        events.record(conn, now_s, actor, "logout", account=account)


def caller_of_token(conn: Connection, token: str, now_s: int, operator: str) -> Caller:
    """Who stands behind a session's token or an API key, with the roles of this moment.

    Raises NotSignedIn for a token that is unknown, has ended, or is of a disabled account.
    """
    kind = tokens.kind_of(token)
    if kind == tokens.API_KEY:
        return keys.caller_of_key(conn, token, now_s, operator)
    if kind != tokens.SESSION:
        raise NotSignedIn("this is neither a session's token nor an API key")
    hashed = tokens.digest(token)
    row = conn.execute(
        select(sessions, accounts.c.name, accounts.c.disabled_at_s)
        .join(accounts, accounts.c.account == sessions.c.account)
        .where(sessions.c.hash == hashed)
    ).one_or_none()
    if (
        row is None
        or not hmac.compare_digest(bytes(row.hash), hashed)
        or row.disabled_at_s is not None
        or not now_s < min(row.expires_at_s, row.seen_at_s + IDLE_S)
    ):
        raise NotSignedIn("the session has ended: sign in again")
    return Caller(
        account=row.account,
        name=row.name,
        roles=people.roles_of(conn, row.account),
        operator=operator,
        via="session",
        scopes=frozenset({ALL}),
        seen_at_s=row.seen_at_s,
    )


def needs_touch(caller: Caller, now_s: int) -> bool:
    """Whether a use of the session or key is to be noted: seldom, so that reads write little."""
    return caller.via != "none" and now_s >= caller.seen_at_s + TOUCH_S


def touch(conn: Connection, token: str, now_s: int) -> None:
    """Note that a session or key is in use; what has ended stays so."""
    table = api_keys if tokens.kind_of(token) == tokens.API_KEY else sessions
    conn.execute(
        update(table)
        .where(table.c.hash == tokens.digest(token), table.c.seen_at_s < now_s)
        .values(seen_at_s=now_s)
    )


def _ended(now_s: int) -> ColumnElement[bool]:
    return (sessions.c.expires_at_s <= now_s) | (sessions.c.seen_at_s + IDLE_S <= now_s)


def sweep(conn: Connection, now_s: int) -> None:
    """Drop what has ended and is not asked for again: sessions, delays, logins under way."""
    conn.execute(delete(sessions).where(_ended(now_s)))
    conn.execute(delete(oidc_logins).where(oidc_logins.c.expires_at_s <= now_s))
    delays.forget(conn, now_s)
