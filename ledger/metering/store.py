"""Tables of points, batches and packed blocks. Rows never change: the latest is in force."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    insert,
    select,
)

from ledger.db import append_only, metadata
from ledger.metering.batches import Block, Readings, decode_arrays
from ledger.metering.points import Point

NO_OVERLAP_TRIGGER: Final = """
CREATE TRIGGER blocks_no_overlap BEFORE INSERT ON blocks
WHEN NEW.correction = 0 AND EXISTS (
    SELECT 1 FROM blocks AS b WHERE b.log_id = NEW.log_id AND b.point = NEW.point
    AND b.start_s < NEW.end_s AND b.end_s > NEW.start_s)
BEGIN SELECT RAISE(ABORT, 'blocks overlap: a point and interval has one value'); END
"""

points: Final = append_only(
    Table(
        "points",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
        Column("point", LargeBinary(16), nullable=False),
        Column("id", String(32), nullable=False),
        Column("replaces", String(32), nullable=False),
        Column("master", Text, nullable=False),
        UniqueConstraint("log_id", "point", "replaces"),
    )
)
# A name and a meter number belong to one point and one log for good.
point_names: Final = append_only(
    Table(
        "point_names",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("name", String(64), primary_key=True),
        Column("point", LargeBinary(16), nullable=False),
    )
)
meter_logs: Final = append_only(
    Table(
        "meter_logs",
        metadata,
        Column("number", String(64), primary_key=True),
        Column("log_id", SmallInteger, nullable=False),
    )
)
batches: Final = append_only(
    Table(
        "batches",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
        Column("author", String(40), nullable=False),
        Column("source", String(64), nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("leaf_hash", LargeBinary(32), nullable=False),
        Column("id", String(32), nullable=False),
        Column("correction", SmallInteger, nullable=False),
        Column("count", BigInteger, CheckConstraint("count > 0", name="count"), nullable=False),
        Column("secret", LargeBinary(32), nullable=False),
        Column("key_id", LargeBinary(4), nullable=False),
        UniqueConstraint("log_id", "author", "source", "sequence"),
    )
)
blocks: Final = append_only(
    Table(
        "blocks",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("leaf_offset", BigInteger, nullable=False),
        Column("point", LargeBinary(16), nullable=False),
        Column("start_s", BigInteger, nullable=False),
        Column(
            "end_s", BigInteger, CheckConstraint("end_s > start_s", name="span"), nullable=False
        ),
        Column("length_s", BigInteger, nullable=False),
        Column("correction", SmallInteger, nullable=False),
        Column("value", LargeBinary, nullable=False),
        Column("quality", LargeBinary, nullable=False),
        ForeignKeyConstraint(
            ["log_id", "entry_index"], ["batches.log_id", "batches.entry_index"], use_alter=False
        ),
        Index("ix_blocks_point_span", "log_id", "point", "start_s", "end_s"),
        # Invariant 19 of the database: a point and interval has one value unless it is corrected.
        info={"triggers": [NO_OVERLAP_TRIGGER]},
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A point's registration in force."""

    point: bytes
    id: str
    entry_index: int
    master: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """One stored batch without its values."""

    entry_index: int
    author: str
    source: str
    sequence: int
    leaf_hash: bytes
    id: str
    correction: bool
    secret: bytes
    key_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredBlock:
    """A block and where its leaves stand."""

    entry_index: int
    leaf_offset: int
    correction: bool
    block: Block


def current_points(
    conn: Connection, log_id: int, as_of: int | None = None
) -> dict[bytes, Registered]:
    """Registrations in force as of a log size (now by default), by point id."""
    query = select(points).where(points.c.log_id == log_id).order_by(points.c.entry_index)
    if as_of is not None:
        query = query.where(points.c.entry_index < as_of)
    return {
        bytes(row.point): Registered(
            point=bytes(row.point),
            id=row.id,
            entry_index=row.entry_index,
            master=Point.from_json(json.loads(row.master)),
        )
        for row in conn.execute(query)
    }


def save_point(conn: Connection, log_id: int, found: Registered, replaces: str) -> None:
    conn.execute(
        insert(points).values(
            log_id=log_id,
            entry_index=found.entry_index,
            point=found.point,
            id=found.id,
            replaces=replaces,
            master=json.dumps(found.master.to_json(), ensure_ascii=False, sort_keys=True),
        )
    )


def point_of_name(conn: Connection, log_id: int, name: str) -> bytes | None:
    found = conn.execute(
        select(point_names.c.point).where(
            point_names.c.log_id == log_id, point_names.c.name == name
        )
    ).scalar_one_or_none()
    return None if found is None else bytes(found)


def save_point_name(conn: Connection, log_id: int, name: str, point: bytes) -> None:
    conn.execute(insert(point_names).values(log_id=log_id, name=name, point=point))


def log_of_meter(conn: Connection, number: str) -> int | None:
    return conn.execute(
        select(meter_logs.c.log_id).where(meter_logs.c.number == number)
    ).scalar_one_or_none()


def save_meter(conn: Connection, number: str, log_id: int) -> None:
    conn.execute(insert(meter_logs).values(number=number, log_id=log_id))


def last_batch(conn: Connection, log_id: int, author: str, source: str) -> BatchRow | None:
    row = conn.execute(
        select(batches)
        .where(batches.c.log_id == log_id, batches.c.author == author, batches.c.source == source)
        .order_by(batches.c.sequence.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _batch(row)


def load_batch(conn: Connection, log_id: int, entry_index: int) -> BatchRow | None:
    row = conn.execute(
        select(batches).where(batches.c.log_id == log_id, batches.c.entry_index == entry_index)
    ).one_or_none()
    return None if row is None else _batch(row)


def batch_rows(conn: Connection, log_id: int, as_of: int) -> list[BatchRow]:
    query = (
        select(batches)
        .where(batches.c.log_id == log_id, batches.c.entry_index < as_of)
        .order_by(batches.c.entry_index)
    )
    return [_batch(row) for row in conn.execute(query)]


def _batch(row: object) -> BatchRow:
    values = row._mapping  # type: ignore[attr-defined]  # SQLAlchemy's row
    return BatchRow(
        entry_index=values["entry_index"],
        author=values["author"],
        source=values["source"],
        sequence=values["sequence"],
        leaf_hash=bytes(values["leaf_hash"]),
        id=values["id"],
        correction=bool(values["correction"]),
        secret=bytes(values["secret"]),
        key_id=bytes(values["key_id"]),
    )


def save_batch(conn: Connection, log_id: int, row: BatchRow, readings: Readings) -> None:
    conn.execute(
        insert(batches).values(
            log_id=log_id,
            entry_index=row.entry_index,
            author=row.author,
            source=row.source,
            sequence=row.sequence,
            leaf_hash=row.leaf_hash,
            id=row.id,
            correction=int(row.correction),
            count=readings.size,
            secret=row.secret,
            key_id=row.key_id,
        )
    )
    offsets = np.cumsum([0, *(block.count for block in readings.blocks)]).tolist()
    conn.execute(
        insert(blocks),
        [
            {
                "log_id": log_id,
                "entry_index": row.entry_index,
                "number": number,
                "leaf_offset": offset,
                "point": block.point,
                "start_s": block.start_s,
                "end_s": block.end_s,
                "length_s": block.length_s,
                "correction": int(row.correction),
                "value": block.wire_values(),
                "quality": block.wire_quality(),
            }
            for number, (block, offset) in enumerate(zip(readings.blocks, offsets, strict=False))
        ],
    )


def blocks_of_batch(conn: Connection, log_id: int, entry_index: int) -> list[Block]:
    query = (
        select(blocks)
        .where(blocks.c.log_id == log_id, blocks.c.entry_index == entry_index)
        .order_by(blocks.c.number)
    )
    return [_stored(row).block for row in conn.execute(query)]


def blocks_in(
    conn: Connection,
    log_id: int,
    point: bytes,
    *,
    start_s: int,
    end_s: int,
    as_of: int | None = None,
) -> list[StoredBlock]:
    """Blocks of a point that touch [start_s, end_s), in the order of their entries."""
    query = (
        select(blocks)
        .where(
            blocks.c.log_id == log_id,
            blocks.c.point == point,
            blocks.c.start_s < end_s,
            blocks.c.end_s > start_s,
        )
        .order_by(blocks.c.entry_index, blocks.c.number)
    )
    if as_of is not None:
        query = query.where(blocks.c.entry_index < as_of)
    return [_stored(row) for row in conn.execute(query)]


def span_of(
    conn: Connection, log_id: int, point: bytes, as_of: int | None = None
) -> tuple[int, int] | None:
    """First start and last end that a point has readings for."""
    query = select(func.min(blocks.c.start_s), func.max(blocks.c.end_s)).where(
        blocks.c.log_id == log_id, blocks.c.point == point
    )
    if as_of is not None:
        query = query.where(blocks.c.entry_index < as_of)
    first, last = conn.execute(query).one()
    return None if first is None else (first, last)


def _stored(row: object) -> StoredBlock:
    values = row._mapping  # type: ignore[attr-defined]  # SQLAlchemy's row
    value, quality = decode_arrays(bytes(values["value"]), bytes(values["quality"]))
    return StoredBlock(
        entry_index=values["entry_index"],
        leaf_offset=values["leaf_offset"],
        correction=bool(values["correction"]),
        block=Block(
            point=bytes(values["point"]),
            start_s=values["start_s"],
            length_s=values["length_s"],
            value=value,
            quality=quality,
        ),
    )


def starts_of(block: Block) -> NDArray[np.int64]:
    """int64[n]: the start of each interval."""
    return block.start_s + np.arange(block.count, dtype=np.int64) * block.length_s


def interval_counts(conn: Connection, log_id: int) -> Sequence[tuple[bytes, int]]:
    """Stored intervals of each point, corrections included."""
    query = (
        select(blocks.c.point, func.sum((blocks.c.end_s - blocks.c.start_s) / blocks.c.length_s))
        .where(blocks.c.log_id == log_id)
        .group_by(blocks.c.point)
    )
    return [(bytes(point), int(count)) for point, count in conn.execute(query)]
