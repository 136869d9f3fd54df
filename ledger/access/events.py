"""The trail: who signed in, failed, granted, made or revoked what, and from where. Rows stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, and_, insert, or_, select

from ledger.access.schema import events, memberships

PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something: an account (by one of its keys), from an address. Empty where a command
    on the machine itself does it."""

    account: str = ""
    key: str = ""
    address: str = ""


MACHINE: Final = Actor()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`kind` was done at `at_s` by `actor` to `account`, in `party` with `role`, or to `key`."""

    number: int
    at_s: int
    kind: str
    actor: Actor
    account: str = ""
    party: str = ""
    role: str = ""
    key: str = ""


def record(
    conn: Connection,
    now_s: int,
    actor: Actor,
    kind: str,
    *,
    account: str = "",
    party: str = "",
    role: str = "",
    key: str = "",
) -> None:
    conn.execute(
        insert(events).values(
            at_s=now_s,
            kind=kind,
            actor=actor.account,
            actor_key=actor.key,
            address=actor.address[:64] if actor.address.isprintable() else "?",
            account=account,
            party=party,
            role=role,
            key=key,
        )
    )


def signed_in_from(conn: Connection, account: str, address: str, since_s: int) -> bool:
    """Whether the account has signed in from just this address since then."""
    query = select(events.c.number).where(
        events.c.account == account,
        events.c.kind.in_(("login", "login.oidc")),
        events.c.address == address,
        events.c.at_s >= since_s,
    )
    return conn.execute(query.limit(1)).one_or_none() is not None


def list_events(
    conn: Connection,
    parties: frozenset[str] | None,
    *,
    before: int | None = None,
    limit: int = PAGE,
) -> Sequence[Event]:
    """The newest first, below number `before`. `parties`: what happened in these, and to accounts
    that are their members now; None is all."""
    query = select(events)
    if before is not None:
        query = query.where(events.c.number < before)
    if parties is not None:
        members = select(memberships.c.account).where(memberships.c.party.in_(parties))
        query = query.where(
            or_(
                events.c.party.in_(parties),
                and_(events.c.party == "", events.c.account.in_(members)),
            )
        )
    return [
        Event(
            number=row.number,
            at_s=row.at_s,
            kind=row.kind,
            actor=Actor(account=row.actor, key=row.actor_key, address=row.address),
            account=row.account,
            party=row.party,
            role=row.role,
            key=row.key,
        )
        for row in conn.execute(query.order_by(events.c.number.desc()).limit(limit))
    ]
