"""What the log has erased: bodies that are gone for good, while their entries stay.

`body_uses` says which entries hold a stored body: content has one row, whoever brought it. A body
goes when all entries that hold it are erased, and no sooner; `erasures` says which are, and by
which entry. Both follow from the log, so an audit rebuilds them like every other table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    delete,
    exists,
    insert,
    select,
)

from ledger.db import Trigger, append_only, metadata
from ledger.errors import Refused
from ledger.log.store import bodies

ERASE: Final = "readings.erase"
_AT_ONCE: Final = 500
# A row of an entry that is about to change is of one that the log has erased.
IS_ERASED: Final = (
    "EXISTS (SELECT 1 FROM erasures AS x WHERE x.log_id = OLD.log_id"
    " AND x.entry_index = OLD.entry_index)"
)
body_uses: Final = append_only(
    Table(
        "body_uses",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
        Column("hash", LargeBinary(32), primary_key=True),
        Index("ix_body_uses_hash", "log_id", "hash"),
    )
)
erasures: Final = append_only(
    Table(
        "erasures",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
        Column(
            "erased_by",
            BigInteger,
            CheckConstraint("erased_by > entry_index", name="later"),
            nullable=False,
        ),
        ForeignKeyConstraint(
            ["log_id", "entry_index"], ["entries.log_id", "entries.entry_index"], use_alter=False
        ),
        info={
            "triggers": [
                Trigger(
                    name="erasures_said",
                    table="erasures",
                    forbids="""NOT EXISTS (SELECT 1 FROM entries AS e WHERE e.log_id = NEW.log_id
    AND e.entry_index = NEW.erased_by AND e.type = 'readings.erase')""",
                    says="an erasure is an entry of the log",
                )
            ]
        },
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What an erasure keeps of an entry's bodies. `names`: the attachments that they named;
    `body`: what a body's kind needs to stand for what is gone."""

    names: tuple[str, ...]
    body: Any


def save_uses(conn: Connection, log_id: int, entry_index: int, keys: Iterable[str]) -> None:
    """Note which stored bodies an entry holds, those that are gone by now too."""
    rows = [
        {"log_id": log_id, "entry_index": entry_index, "hash": bytes.fromhex(key)}
        for key in sorted(set(keys))
    ]
    if rows:
        conn.execute(insert(body_uses), rows)


def uses_of(conn: Connection, log_id: int, entry_index: int) -> set[str]:
    """Keys of the stored bodies that an entry holds, or held."""
    query = select(body_uses.c.hash).where(
        body_uses.c.log_id == log_id, body_uses.c.entry_index == entry_index
    )
    return {bytes(key).hex() for key in conn.execute(query).scalars()}


def erased_by(conn: Connection, log_id: int, entries: Collection[int]) -> dict[int, int]:
    """{entry: the one that erased its bodies}, of those entries that are erased."""
    found: dict[int, int] = {}
    given = sorted(entries)
    for begin in range(0, len(given), _AT_ONCE):
        query = select(erasures.c.entry_index, erasures.c.erased_by).where(
            erasures.c.log_id == log_id,
            erasures.c.entry_index.in_(given[begin : begin + _AT_ONCE]),
        )
        found.update((row.entry_index, row.erased_by) for row in conn.execute(query))
    return found


def erased_from(conn: Connection, log_id: int, size: int) -> list[int]:
    """Entries that entry `size` or a later one has erased."""
    query = select(erasures.c.entry_index).where(
        erasures.c.log_id == log_id, erasures.c.erased_by >= size
    )
    return list(conn.execute(query.order_by(erasures.c.entry_index)).scalars())


def erased_since(conn: Connection, log_id: int, size: int) -> bool:
    """Whether entry `size` or a later one has erased anything."""
    query = select(erasures.c.entry_index).where(
        erasures.c.log_id == log_id, erasures.c.erased_by >= size
    )
    return conn.execute(query.limit(1)).first() is not None


def erase(conn: Connection, log_id: int, entries: Sequence[int], by: int) -> None:
    """Say that entry `by` erases these, and delete the bodies that no other entry holds."""
    conn.execute(
        insert(erasures),
        [{"log_id": log_id, "entry_index": index, "erased_by": by} for index in entries],
    )
    other = body_uses.alias()
    held = exists().where(
        other.c.log_id == bodies.c.log_id,
        other.c.hash == bodies.c.hash,
        ~exists().where(
            erasures.c.log_id == other.c.log_id, erasures.c.entry_index == other.c.entry_index
        ),
    )
    for index in entries:
        mine = select(body_uses.c.hash).where(
            body_uses.c.log_id == log_id, body_uses.c.entry_index == index
        )
        conn.execute(
            delete(bodies).where(bodies.c.log_id == log_id, bodies.c.hash.in_(mine), ~held)
        )


def require_may_erase(conn: Connection) -> None:
    """Raises Refused for a role of PostgreSQL that may not: so nobody who steals its password can
    destroy readings with it."""
    if conn.dialect.name != "postgresql":
        return
    allowed = conn.exec_driver_sql("SELECT has_table_privilege('bodies', 'DELETE')").scalar_one()
    if not allowed:
        raise Refused(
            "this role of the database may not erase: run it as the tables' owner, or let the role"
            " do so with: greenledger grant ROLE --may-erase"
        )


def others_using(conn: Connection, log_id: int, keys: Collection[str]) -> set[int]:
    """Entries, not erased, that hold some stored bodies."""
    found: set[int] = set()
    for key in keys:
        query = select(body_uses.c.entry_index).where(
            body_uses.c.log_id == log_id, body_uses.c.hash == bytes.fromhex(key)
        )
        using = set(conn.execute(query).scalars())
        found |= using - set(erased_by(conn, log_id, using))
    return found
