"""Tables of parties and keys. Every row is written once: the row in force is the latest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Index,
    LargeBinary,
    Row,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    insert,
    select,
)

from ledger.db import append_only, metadata
from ledger.errors import Refused
from ledger.log.notes import VerifyKey

parties: Final = append_only(
    Table(
        "parties",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
        Column("party", String(40), nullable=False),
        Column("id", String(32), nullable=False),
        Column("name", String(200), nullable=False),
        Column("roles", String(200), nullable=False),
        Column("replaces", String(32), nullable=False),
        # One successor for each registration, and one first registration.
        UniqueConstraint("log_id", "party", "replaces"),
    )
)
keys: Final = append_only(
    Table(
        "keys",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("name", String(170), primary_key=True),
        Column("key_id", LargeBinary(4), primary_key=True),
        Column("entry_index", BigInteger, nullable=False),
        Column("party", String(40), nullable=False),
        Column("public_key", LargeBinary(32), nullable=False),
        Column(
            "custody",
            String(8),
            CheckConstraint("custody IN ('owner', 'operator')", name="custody"),
            nullable=False,
        ),
        Column(
            "device",
            String(8),
            CheckConstraint("device IN ('none', 'meter', 'gateway')", name="device"),
            nullable=False,
        ),
        UniqueConstraint("log_id", "public_key"),
        Index(None, "log_id", "party"),
    )
)
key_ends: Final = append_only(
    Table(
        "key_ends",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("name", String(170), primary_key=True),
        Column("key_id", LargeBinary(4), primary_key=True),
        Column("entry_index", BigInteger, nullable=False),
        Column("reason", String(500), nullable=False),
    )
)
endorsements: Final = append_only(
    Table(
        "endorsements",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
        Column("name", String(170), nullable=False),
        Column("key_id", LargeBinary(4), nullable=False),
        Column("endorser", String(40), nullable=False),
        Column("claim", String(500), nullable=False),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An organisation as last registered; `id` names that registration."""

    party: str
    id: str
    entry_index: int
    name: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A registered key; `ended_index` is the entry that replaced or revoked it."""

    key: VerifyKey
    party: str
    custody: str
    device: str
    entry_index: int
    ended_index: int | None
    end_reason: str


def current_party(
    conn: Connection, log_id: int, party: str, as_of: int | None = None
) -> Party | None:
    """The registration in force as of a log size (now by default)."""
    query = select(parties).where(parties.c.log_id == log_id, parties.c.party == party)
    if as_of is not None:
        query = query.where(parties.c.entry_index < as_of)
    row = conn.execute(query.order_by(parties.c.entry_index.desc()).limit(1)).one_or_none()
    return None if row is None else _party(row)


def _party(row: Row[Any]) -> Party:
    return Party(
        party=row.party,
        id=row.id,
        entry_index=row.entry_index,
        name=row.name,
        roles=frozenset(row.roles.split(",")),
    )


def all_parties(conn: Connection, log_id: int) -> list[Party]:
    """Registrations in force, by party."""
    query = select(parties).where(parties.c.log_id == log_id).order_by(parties.c.entry_index)
    latest = {row.party: _party(row) for row in conn.execute(query)}
    return [party for _, party in sorted(latest.items())]


_KEYS = select(keys, key_ends.c.entry_index.label("ended_index"), key_ends.c.reason).select_from(
    keys.outerjoin(
        key_ends,
        (key_ends.c.log_id == keys.c.log_id)
        & (key_ends.c.name == keys.c.name)
        & (key_ends.c.key_id == keys.c.key_id),
    )
)


def find_keys(
    conn: Connection,
    log_id: int,
    *,
    name: str | None = None,
    key_id: bytes | None = None,
    party: str | None = None,
) -> Sequence[Key]:
    """Keys by name and id, or all of a party, in the order of registration."""
    query = _KEYS.where(keys.c.log_id == log_id)
    if name is not None:
        query = query.where(keys.c.name == name)
    if key_id is not None:
        query = query.where(keys.c.key_id == key_id)
    if party is not None:
        query = query.where(keys.c.party == party)
    return [
        Key(
            key=VerifyKey(name=row.name, public_key=bytes(row.public_key)),
            party=row.party,
            custody=row.custody,
            device=row.device,
            entry_index=row.entry_index,
            ended_index=row.ended_index,
            end_reason=row.reason or "",
        )
        for row in conn.execute(query.order_by(keys.c.entry_index))
    ]


def require_new_public_key(conn: Connection, log_id: int, key: VerifyKey) -> None:
    """Raises Refused where some party signs with it."""
    found = conn.execute(
        select(keys.c.party).where(keys.c.log_id == log_id, keys.c.public_key == key.public_key)
    ).first()
    if found is not None:
        raise Refused(f"this public key is registered already, as one of {found.party!r}")


def save_party(conn: Connection, log_id: int, party: Party, replaces: str) -> None:
    conn.execute(
        insert(parties).values(
            log_id=log_id,
            entry_index=party.entry_index,
            party=party.party,
            id=party.id,
            name=party.name,
            roles=",".join(sorted(party.roles)),
            replaces=replaces,
        )
    )


def save_key(conn: Connection, log_id: int, key: Key) -> None:
    conn.execute(
        insert(keys).values(
            log_id=log_id,
            name=key.key.name,
            key_id=key.key.key_id,
            entry_index=key.entry_index,
            party=key.party,
            public_key=key.key.public_key,
            custody=key.custody,
            device=key.device,
        )
    )


def end_key(conn: Connection, log_id: int, key: Key, entry_index: int, reason: str) -> None:
    conn.execute(
        insert(key_ends).values(
            log_id=log_id,
            name=key.key.name,
            key_id=key.key.key_id,
            entry_index=entry_index,
            reason=reason,
        )
    )


def save_endorsement(
    conn: Connection, log_id: int, entry_index: int, key: Key, endorser: str, claim: str
) -> None:
    conn.execute(
        insert(endorsements).values(
            log_id=log_id,
            entry_index=entry_index,
            name=key.key.name,
            key_id=key.key.key_id,
            endorser=endorser,
            claim=claim,
        )
    )


def endorsements_of(conn: Connection, log_id: int, key: Key) -> list[int]:
    """Entries that endorse a key."""
    return list(
        conn.execute(
            select(endorsements.c.entry_index)
            .where(
                endorsements.c.log_id == log_id,
                endorsements.c.name == key.key.name,
                endorsements.c.key_id == key.key.key_id,
            )
            .order_by(endorsements.c.entry_index)
        ).scalars()
    )


def endorsers_of(conn: Connection, log_id: int, key: Key, as_of: int) -> list[str]:
    """Parties that endorsed a key below a log size."""
    return list(
        conn.execute(
            select(endorsements.c.endorser)
            .where(
                endorsements.c.log_id == log_id,
                endorsements.c.name == key.key.name,
                endorsements.c.key_id == key.key.key_id,
                endorsements.c.entry_index < as_of,
            )
            .order_by(endorsements.c.entry_index)
        ).scalars()
    )
