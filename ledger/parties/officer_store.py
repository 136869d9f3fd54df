"""Tables of officers and of the rule of approval. Every row is written once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    insert,
    select,
)

from ledger.db import append_only, metadata
from ledger.log.entry import Entry
from ledger.log.notes import VerifyKey

_OFFICER_NAME: Final = re.compile(r"[a-z][a-z0-9-]*\.([0-9a-f]{32})")
FOUR_EYES: Final = "four-eyes"
NONE: Final = "none"

officers: Final = append_only(
    Table(
        "officers",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("officer", LargeBinary(16), primary_key=True),
        Column("entry_index", BigInteger, nullable=False),
        Column("party", String(40), nullable=False),
        Column("public_key", LargeBinary(32), nullable=False),
        Column(
            "custody",
            String(8),
            CheckConstraint("custody IN ('owner', 'operator')", name="custody"),
            nullable=False,
        ),
        UniqueConstraint("log_id", "public_key"),
        Index(None, "log_id", "party"),
    )
)
officer_ends: Final = append_only(
    Table(
        "officer_ends",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("officer", LargeBinary(16), primary_key=True),
        Column("entry_index", BigInteger, nullable=False),
        Column("reason", String(500), nullable=False),
    )
)
approval_rules: Final = append_only(
    Table(
        "approval_rules",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("party", String(40), primary_key=True),
        # How often the party had changed its rule before: so they take turns.
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, nullable=False),
        Column("rule", String(9), nullable=False),
        CheckConstraint(
            "rule = CASE WHEN number % 2 = 0 THEN 'four-eyes' ELSE 'none' END", name="turns"
        ),
    )
)


def officer_key_name(origin: str, party: str, officer: bytes) -> str:
    """No party's and, in practice, no log's key is called so: a party id has no full stop."""
    return f"{origin}/{party}.{officer.hex()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """Somebody who prepares or approves for a party, known by a random id alone.

    `ended_index` is the entry that ended it.
    """

    officer: bytes
    party: str
    key: VerifyKey
    custody: str
    entry_index: int
    ended_index: int | None
    end_reason: str

    @property
    def in_force(self) -> bool:
        return self.ended_index is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A party's rule of approval: `number` changes it had before, -1 where it has made none."""

    rule: str
    number: int
    entry_index: int

    @property
    def four_eyes(self) -> bool:
        return self.rule == FOUR_EYES


NO_APPROVAL: Final = Approval(rule=NONE, number=-1, entry_index=-1)

_OFFICERS = select(
    officers, officer_ends.c.entry_index.label("ended_index"), officer_ends.c.reason
).select_from(
    officers.outerjoin(
        officer_ends,
        (officer_ends.c.log_id == officers.c.log_id)
        & (officer_ends.c.officer == officers.c.officer),
    )
)


def find_officers(
    conn: Connection,
    log_id: int,
    origin: str,
    *,
    party: str | None = None,
    officer: bytes | None = None,
) -> Sequence[Officer]:
    """Officers, of a party or by id, in the order of registration."""
    query = _OFFICERS.where(officers.c.log_id == log_id)
    if party is not None:
        query = query.where(officers.c.party == party)
    if officer is not None:
        query = query.where(officers.c.officer == officer)
    return [
        Officer(
            officer=bytes(row.officer),
            party=row.party,
            key=VerifyKey(
                name=officer_key_name(origin, row.party, bytes(row.officer)),
                public_key=bytes(row.public_key),
            ),
            custody=row.custody,
            entry_index=row.entry_index,
            ended_index=row.ended_index,
            end_reason=row.reason or "",
        )
        for row in conn.execute(query.order_by(officers.c.entry_index))
    ]


def officers_of(entry: Entry, origin: str) -> list[str]:
    """Ids of the officers that signed an entry of the log: none, or who prepared and approved."""
    names = (one.name.removeprefix(f"{origin}/") for one in entry.signatures)
    return [found[1] for name in names if (found := _OFFICER_NAME.fullmatch(name))]


def registrations_of_name(conn: Connection, log_id: int, origin: str, name: str) -> list[int]:
    """The entry that registered the officer whose key is called so; none where none is."""
    found = _OFFICER_NAME.fullmatch(name.removeprefix(f"{origin}/"))
    if found is None:
        return []
    of_id = find_officers(conn, log_id, origin, officer=bytes.fromhex(found[1]))
    return [one.entry_index for one in of_id if one.key.name == name]


def holds_public_key(conn: Connection, log_id: int, public_key: bytes) -> bool:
    found = conn.execute(
        select(officers.c.officer).where(
            officers.c.log_id == log_id, officers.c.public_key == public_key
        )
    )
    return found.first() is not None


def approval_of(conn: Connection, log_id: int, party: str, as_of: int | None = None) -> Approval:
    """The rule in force as of a log size (now by default)."""
    query = select(approval_rules).where(
        approval_rules.c.log_id == log_id, approval_rules.c.party == party
    )
    if as_of is not None:
        query = query.where(approval_rules.c.entry_index < as_of)
    row = conn.execute(query.order_by(approval_rules.c.number.desc()).limit(1)).one_or_none()
    if row is None:
        return NO_APPROVAL
    return Approval(rule=row.rule, number=row.number, entry_index=row.entry_index)


def save_officer(
    conn: Connection, log_id: int, officer: bytes, party: str, key: VerifyKey, custody: str, at: int
) -> None:
    conn.execute(
        insert(officers).values(
            log_id=log_id,
            officer=officer,
            entry_index=at,
            party=party,
            public_key=key.public_key,
            custody=custody,
        )
    )


def end_officer(conn: Connection, log_id: int, officer: bytes, at: int, reason: str) -> None:
    conn.execute(
        insert(officer_ends).values(log_id=log_id, officer=officer, entry_index=at, reason=reason)
    )


def save_approval(conn: Connection, log_id: int, party: str, approval: Approval) -> None:
    conn.execute(
        insert(approval_rules).values(
            log_id=log_id,
            party=party,
            number=approval.number,
            entry_index=approval.entry_index,
            rule=approval.rule,
        )
    )
