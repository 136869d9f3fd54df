"""Accounts and their roles in organisations.

- A name is of an account for good; no account is ever deleted, since the trail names it.
- Whoever may do less from now on (disabled, role revoked) may do less at the next request.
- The operator's organisation keeps an administrator that can sign in.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from ledger.access import events
from ledger.access.events import Actor
from ledger.access.passwords import NONE, Hashed
from ledger.access.roles import MEMBER_ROLES, Role
from ledger.access.schema import (
    accounts,
    identities,
    memberships,
    recovery_codes,
    sessions,
    totps,
)
from ledger.errors import InvalidInput, NotFound, Refused

NAME: Final = r"[a-z0-9][a-z0-9._@+-]{0,63}"
ISSUER_MAX: Final = 200
SUBJECT_MAX: Final = 255
Roles = Mapping[str, frozenset[Role]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person or program that may sign in; `account` is its random id.

    `roles` by organisation; `identities` are (issuer, subject) at OpenID providers.
    """

    account: str
    name: str
    created_at_s: int
    disabled_at_s: int | None
    has_password: bool
    has_totp: bool
    roles: Roles
    identities: Sequence[tuple[str, str]]


def create_account(
    conn: Connection, now_s: int, actor: Actor, name: str, password: Hashed = NONE
) -> str:
    """A new account's id. Without a password it signs in by a linked identity or API key alone.

    Raises InvalidInput for an unfit name, Refused for one that is taken.
    """
    if not re.fullmatch(NAME, name):
        raise InvalidInput(
            f"account name {name!r} is not 1 to 64 of a-z 0-9 . _ @ + -, a letter or digit first"
        )
    if conn.execute(select(accounts.c.account).where(accounts.c.name == name)).first():
        raise Refused(f"an account is named {name!r} already; take another name")
    account = secrets.token_hex(16)
    conn.execute(
        insert(accounts).values(account=account, name=name, password=password, created_at_s=now_s)
    )
    events.record(conn, now_s, actor, "account.create", account=account)
    return account


def set_password(
    conn: Connection, now_s: int, actor: Actor, account: str, password: Hashed
) -> None:
    """A new password, without asking for the old one; every session ends."""
    _require(conn, account)
    store_password(conn, account, password)
    end_sessions(conn, account)
    events.record(conn, now_s, actor, "password.set", account=account)


def disable_account(
    conn: Connection, now_s: int, actor: Actor, account: str, operator: str
) -> None:
    """It signs in no more, and its keys open nothing. Raises Refused for the last administrator."""
    _require(conn, account)
    _keep_administrator(conn, account, operator)
    conn.execute(
        update(accounts)
        .where(accounts.c.account == account, accounts.c.disabled_at_s.is_(None))
        .values(disabled_at_s=now_s)
    )
    end_sessions(conn, account)
    events.record(conn, now_s, actor, "account.disable", account=account)


def enable_account(conn: Connection, now_s: int, actor: Actor, account: str) -> None:
    _require(conn, account)
    conn.execute(update(accounts).where(accounts.c.account == account).values(disabled_at_s=None))
    events.record(conn, now_s, actor, "account.enable", account=account)


def grant(
    conn: Connection,
    now_s: int,
    actor: Actor,
    account: str,
    party: str,
    role: Role,
    operator: str,
) -> None:
    """Give a role in an organisation; who has it, keeps it. The organisation is the caller's to
    check. Raises InvalidInput for a role that no member has there."""
    _require(conn, account)
    if role not in MEMBER_ROLES:
        raise InvalidInput(f"{role} is for API keys only: members have {_listed(MEMBER_ROLES)}")
    if role is Role.AUDITOR and party != operator:
        raise InvalidInput(f"an auditor is a member of the operator's organisation, {operator}")
    if role in roles_of(conn, account).get(party, frozenset()):
        return
    conn.execute(
        insert(memberships).values(account=account, party=party, role=role, granted_at_s=now_s)
    )
    events.record(conn, now_s, actor, "membership.grant", account=account, party=party, role=role)


def revoke(
    conn: Connection,
    now_s: int,
    actor: Actor,
    account: str,
    party: str,
    role: Role,
    operator: str,
) -> None:
    """Raises NotFound where the account has no such role, Refused for the last administrator."""
    _require(conn, account)
    if party == operator and role is Role.ADMIN:
        _keep_administrator(conn, account, operator)
    gone = conn.execute(
        delete(memberships).where(
            memberships.c.account == account,
            memberships.c.party == party,
            memberships.c.role == role,
        )
    ).rowcount
    if not gone:
        raise NotFound(f"the account is no {role} of {party!r}")
    events.record(conn, now_s, actor, "membership.revoke", account=account, party=party, role=role)


def link_identity(
    conn: Connection, now_s: int, actor: Actor, account: str, issuer: str, subject: str
) -> None:
    """Let whom an OpenID provider calls so sign in as this account. Raises Refused where that is
    another account's."""
    _require(conn, account)
    for what, text, most in (
        ("an issuer", issuer, ISSUER_MAX),
        ("a subject", subject, SUBJECT_MAX),
    ):
        if not 0 < len(text) <= most or not text.isascii() or not text.isprintable():
            raise InvalidInput(f"{what} has 1 to {most} printable ASCII characters")
    linked = linked_account(conn, issuer, subject)
    if linked == account:
        return
    if linked:
        raise Refused(f"subject {subject!r} of {issuer} is linked to another account")
    conn.execute(
        insert(identities).values(
            issuer=issuer, subject=subject, account=account, linked_at_s=now_s
        )
    )
    events.record(conn, now_s, actor, "identity.link", account=account)


def unlink_identity(
    conn: Connection, now_s: int, actor: Actor, account: str, issuer: str, subject: str
) -> None:
    """Raises NotFound where it is not linked to this account. Its sessions end."""
    if linked_account(conn, issuer, subject) != account:
        raise NotFound(f"subject {subject!r} of {issuer} is not linked to the account")
    conn.execute(
        delete(identities).where(identities.c.issuer == issuer, identities.c.subject == subject)
    )
    end_sessions(conn, account)
    events.record(conn, now_s, actor, "identity.unlink", account=account)


def linked_account(conn: Connection, issuer: str, subject: str) -> str:
    """The account of an identity, or empty."""
    query = select(identities.c.account).where(
        identities.c.issuer == issuer, identities.c.subject == subject
    )
    return str(conn.execute(query).scalar_one_or_none() or "")


def stored_password(conn: Connection, name: str, *, lock: bool = False) -> tuple[str, Hashed]:
    """(account, hash) of an enabled account; both empty where nobody of that name may sign in."""
    if not re.fullmatch(NAME, name):
        return "", NONE
    query = select(accounts.c.account, accounts.c.password).where(
        accounts.c.name == name, accounts.c.disabled_at_s.is_(None)
    )
    row = conn.execute(query.with_for_update() if lock else query).one_or_none()
    return (row.account, Hashed(row.password)) if row else ("", NONE)


def store_password(conn: Connection, account: str, stored: Hashed) -> None:
    conn.execute(update(accounts).where(accounts.c.account == account).values(password=stored))


def is_enabled(conn: Connection, account: str) -> bool:
    query = select(accounts.c.account).where(
        accounts.c.account == account, accounts.c.disabled_at_s.is_(None)
    )
    return conn.execute(query.with_for_update()).one_or_none() is not None


def end_sessions(conn: Connection, account: str) -> None:
    conn.execute(delete(sessions).where(sessions.c.account == account))


def reset_totp(conn: Connection, now_s: int, actor: Actor, account: str) -> None:
    """Take a lost second factor away: the password alone lets in again. Every session ends."""
    _require(conn, account)
    conn.execute(delete(totps).where(totps.c.account == account))
    conn.execute(delete(recovery_codes).where(recovery_codes.c.account == account))
    end_sessions(conn, account)
    events.record(conn, now_s, actor, "totp.reset", account=account)


def roles_of(conn: Connection, account: str) -> Roles:
    query = select(memberships.c.party, memberships.c.role).where(memberships.c.account == account)
    found: dict[str, frozenset[Role]] = {}
    for party, role in conn.execute(query):
        found[party] = found.get(party, frozenset()) | {Role(role)}
    return found


def account_named(conn: Connection, name: str) -> Account:
    """Raises NotFound."""
    found = _accounts(conn, None, accounts.c.name == name)
    if not found:
        raise NotFound(f"no account is named {name!r}")
    return found[0]


def account_of(conn: Connection, account: str, parties: frozenset[str] | None = None) -> Account:
    """By id, as `list_accounts` has it. Raises NotFound, also for no member of `parties`."""
    found = _accounts(conn, parties, accounts.c.account == account)
    if not found:
        raise NotFound(f"there is no account {account!r}")
    return found[0]


def list_accounts(conn: Connection, parties: frozenset[str] | None = None) -> Sequence[Account]:
    """By name: members of these organisations, with their roles there alone; None is all."""
    return _accounts(conn, parties)


def _require(conn: Connection, account: str) -> None:
    query = select(accounts.c.account).where(accounts.c.account == account)
    if conn.execute(query).first() is None:
        raise NotFound(f"there is no account {account!r}")


def _accounts(
    conn: Connection, parties: frozenset[str] | None, *which: ColumnElement[bool]
) -> list[Account]:
    roles_query = select(memberships.c.account, memberships.c.party, memberships.c.role)
    if parties is not None:
        here = memberships.c.party.in_(parties)
        which = *which, accounts.c.account.in_(select(memberships.c.account).where(here))
        roles_query = roles_query.where(here)
    ids = select(accounts.c.account).where(*which)
    roles: dict[str, dict[str, frozenset[Role]]] = {}
    for account, party, role in conn.execute(roles_query.where(memberships.c.account.in_(ids))):
        held = roles.setdefault(account, {})
        held[party] = held.get(party, frozenset()) | {Role(role)}
    linked: dict[str, list[tuple[str, str]]] = {}
    for row in conn.execute(select(identities).where(identities.c.account.in_(ids))):
        linked.setdefault(row.account, []).append((row.issuer, row.subject))
    confirmed = select(totps.c.account).where(totps.c.confirmed == 1, totps.c.account.in_(ids))
    with_totp = set(conn.execute(confirmed).scalars())
    return [
        Account(
            account=row.account,
            name=row.name,
            created_at_s=row.created_at_s,
            disabled_at_s=row.disabled_at_s,
            has_password=bool(row.password),
            has_totp=row.account in with_totp,
            roles=roles.get(row.account, {}),
            identities=sorted(linked.get(row.account, [])),
        )
        for row in conn.execute(select(accounts).where(*which).order_by(accounts.c.name))
    ]


def _keep_administrator(conn: Connection, but: str, operator: str) -> None:
    """Raises Refused where nobody else administers the park. The rows are locked first, in one
    order: two administrators that remove each other do so one after the other."""
    query = (
        select(accounts.c.account)
        .join(memberships, memberships.c.account == accounts.c.account)
        .where(
            memberships.c.party == operator,
            memberships.c.role == Role.ADMIN,
            accounts.c.disabled_at_s.is_(None),
        )
        .order_by(accounts.c.account)
        .with_for_update()
    )
    able = set(conn.execute(query).scalars())
    if able == {but}:
        raise Refused(
            f"this is the last account that administers {operator}: make another administrator"
            " first"
        )


def _listed(roles: frozenset[Role]) -> str:
    return ", ".join(sorted(roles))
