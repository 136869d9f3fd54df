"""Points, batches and packed blocks in the database. The latest row is in force."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, update

from ledger.metering.batches import END_S, Block, Readings, decode_arrays
from ledger.metering.points import Point
from ledger.metering.schema import batches, blocks, meter_logs, point_names, points
from ledger.units import Period

_AT_ONCE: Final = 500
Span = tuple[bytes, int, int, int]  # point, start_s, end_s, length_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A point's registration in force."""

    point: bytes
    id: str
    entry_index: int
    master: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """One stored batch without its values; of an erased one the secret is empty."""

    entry_index: int
    author: str
    source: str
    sequence: int
    leaf_hash: bytes
    id: str
    correction: bool
    secret: bytes = field(repr=False)
    key_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredBlock:
    """A block and where its leaves stand."""

    entry_index: int
    leaf_offset: int
    correction: bool
    block: Block


def current_points(
    conn: Connection,
    log_id: int,
    as_of: int | None = None,
    *,
    only: Collection[bytes] | None = None,
) -> dict[bytes, Registered]:
    """Registrations in force as of a log size (now by default), by point id; of `only` at least."""
    query = select(points).where(points.c.log_id == log_id)
    if as_of is not None:
        query = query.where(points.c.entry_index < as_of)
    # A database takes only so many values at once; for that many points all may be read.
    if only is not None and len(only) <= _AT_ONCE:
        query = query.where(points.c.point.in_(only))
    # Sorted here: to have the order from an index, SQLite would go through all points for a few.
    rows = sorted(conn.execute(query), key=lambda row: row.entry_index)
    latest = {bytes(row.point): row for row in rows}
    return {point: _registered(row) for point, row in latest.items()}


def _registered(row: Any) -> Registered:
    return Registered(
        point=bytes(row.point),
        id=row.id,
        entry_index=row.entry_index,
        master=Point.from_json(json.loads(row.master)),
    )


def owners_ever(conn: Connection, log_id: int, only: Collection[bytes]) -> dict[bytes, set[str]]:
    """Who owned each of these points, by any of its registrations."""
    query = select(points.c.point, points.c.master).where(points.c.log_id == log_id)
    if len(only) <= _AT_ONCE:
        query = query.where(points.c.point.in_(only))
    found: dict[bytes, set[str]] = {}
    for point, master in conn.execute(query):
        found.setdefault(bytes(point), set()).add(json.loads(master)["owner"])
    return found


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


def points_named(conn: Connection, log_id: int, names: Collection[str]) -> dict[str, Registered]:
    """Registrations in force of the points with these names, by name."""
    found: dict[str, Registered] = {}
    given = sorted(names)
    for begin in range(0, len(given), _AT_ONCE):
        query = (
            select(points, point_names.c.name)
            .join(
                point_names,
                and_(
                    point_names.c.log_id == points.c.log_id,
                    point_names.c.point == points.c.point,
                ),
            )
            .where(
                point_names.c.log_id == log_id,
                point_names.c.name.in_(given[begin : begin + _AT_ONCE]),
            )
        )
        for row in sorted(conn.execute(query), key=lambda row: row.entry_index):
            found[row.name] = _registered(row)
    # A point that was renamed keeps its old name from others, and is not called so any more.
    return {name: one for name, one in found.items() if one.master.name == name}


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


def load_batches(conn: Connection, log_id: int, indices: Sequence[int]) -> dict[int, BatchRow]:
    """The batches at these entries, by entry."""
    found: dict[int, BatchRow] = {}
    for begin in range(0, len(indices), _AT_ONCE):
        query = select(batches).where(
            batches.c.log_id == log_id,
            batches.c.entry_index.in_(indices[begin : begin + _AT_ONCE]),
        )
        rows = conn.execute(query.order_by(batches.c.entry_index))
        found.update((row.entry_index, _batch(row)) for row in rows)
    return found


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


def plain_block_in(
    conn: Connection, log_id: int, point: bytes, *, start_s: int, end_s: int
) -> tuple[int, int] | None:
    """The last plain block of a point that touches [start_s, end_s): its entry and its start."""
    query = (
        select(blocks.c.entry_index, blocks.c.start_s, blocks.c.end_s)
        .where(*_of_kind(log_id, point, correction=False), blocks.c.start_s < end_s)
        .order_by(blocks.c.start_s.desc())
        .limit(1)
    )
    row = conn.execute(query).one_or_none()
    return (row.entry_index, row.start_s) if row is not None and row.end_s > start_s else None


def ends_of(conn: Connection, log_id: int, which: Collection[bytes]) -> dict[bytes, int]:
    """Where the plain readings of points end, of those that have any: nothing is stored behind."""
    last = (
        select(blocks.c.end_s)
        .where(
            blocks.c.log_id == log_id,
            blocks.c.point == point_names.c.point,
            blocks.c.correction == 0,
        )
        .order_by(blocks.c.start_s.desc())
        .limit(1)
        .scalar_subquery()
    )
    found: dict[bytes, int] = {}
    given = sorted(which)
    for begin in range(0, len(given), _AT_ONCE):
        query = select(point_names.c.point, last.label("end_s")).where(
            point_names.c.log_id == log_id, point_names.c.point.in_(given[begin : begin + _AT_ONCE])
        )
        rows = conn.execute(query)
        found.update((bytes(row.point), row.end_s) for row in rows if row.end_s is not None)
    return found


def blocks_in(
    conn: Connection,
    log_id: int,
    point: bytes,
    *,
    start_s: int,
    end_s: int,
    as_of: int | None = None,
) -> list[StoredBlock]:
    """Blocks of a point that touch [start_s, end_s): plain ones by time, corrections after them."""
    # Plain blocks are apart: the first to touch the span is the last that begins before it, if any.
    first = (
        select(blocks.c.start_s)
        .where(*_of_kind(log_id, point, correction=False), blocks.c.start_s <= start_s)
        .order_by(blocks.c.start_s.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = _blocks_in(
        conn,
        as_of,
        *_of_kind(log_id, point, correction=False),
        blocks.c.start_s >= func.coalesce(first, start_s),
        blocks.c.start_s < end_s,
        blocks.c.end_s > start_s,
    )
    if not found:
        return []
    return found + _blocks_in(
        conn,
        as_of,
        *_of_kind(log_id, point, correction=True),
        blocks.c.start_s < end_s,
        blocks.c.end_s > start_s,
    )


def _of_kind(log_id: int, point: bytes, *, correction: bool) -> tuple[ColumnElement[bool], ...]:
    return (
        blocks.c.log_id == log_id,
        blocks.c.point == point,
        blocks.c.correction == int(correction),
    )


def _blocks_in(
    conn: Connection, as_of: int | None, *which: ColumnElement[bool]
) -> list[StoredBlock]:
    query = (
        select(blocks)
        .where(*which)
        .order_by(blocks.c.start_s, blocks.c.entry_index, blocks.c.number)
    )
    if as_of is not None:
        query = query.where(blocks.c.entry_index < as_of)
    return [_stored(row) for row in conn.execute(query)]


def span_of(
    conn: Connection, log_id: int, point: bytes, as_of: int | None = None
) -> tuple[int, int] | None:
    """First start and last end that a point has readings for."""
    query = select(blocks.c.start_s, blocks.c.end_s).where(
        *_of_kind(log_id, point, correction=False),
        # Always so; said to SQLite, which would else go through the blocks of all points.
        blocks.c.start_s < END_S,
    )
    if as_of is not None:
        query = query.where(blocks.c.entry_index < as_of)
    first = conn.execute(query.order_by(blocks.c.start_s).limit(1)).one_or_none()
    last = conn.execute(query.order_by(blocks.c.start_s.desc()).limit(1)).one_or_none()
    return (first.start_s, last.end_s) if first and last else None


def _stored(row: object) -> StoredBlock:
    values = row._mapping  # type: ignore[attr-defined]  # SQLAlchemy's row
    return StoredBlock(
        entry_index=values["entry_index"],
        leaf_offset=values["leaf_offset"],
        correction=bool(values["correction"]),
        block=_block(values),
    )


def _block(values: Mapping[str, Any]) -> Block:
    point, start_s, length_s = bytes(values["point"]), values["start_s"], values["length_s"]
    if not values["value"]:
        count = (values["end_s"] - start_s) // length_s
        return Block.without_values(point, start_s=start_s, length_s=length_s, count=count)
    value, quality = decode_arrays(bytes(values["value"]), bytes(values["quality"]))
    return Block(point=point, start_s=start_s, length_s=length_s, value=value, quality=quality)


def times_of_batch(conn: Connection, log_id: int, entry_index: int) -> list[Block]:
    """A batch's blocks without their values, as an erasure keeps them."""
    return [
        Block.without_values(
            point, start_s=start_s, length_s=length_s, count=(end_s - start_s) // length_s
        )
        for point, start_s, end_s, length_s in spans_of_batch(conn, log_id, entry_index)
    ]


def spans_of_batch(conn: Connection, log_id: int, entry_index: int) -> list[Span]:
    columns = (blocks.c.point, blocks.c.start_s, blocks.c.end_s, blocks.c.length_s)
    query = (
        select(*columns)
        .where(blocks.c.log_id == log_id, blocks.c.entry_index == entry_index)
        .order_by(blocks.c.number)
    )
    return [
        (bytes(point), start_s, end_s, length_s)
        for point, start_s, end_s, length_s in conn.execute(query)
    ]


def corrections_in(
    conn: Connection, log_id: int, point: bytes, span: Period
) -> list[tuple[int, Period]]:
    """(Entry, time) of each block of corrections of a point that touches a span."""
    query = (
        select(blocks.c.entry_index, blocks.c.start_s, blocks.c.end_s)
        .where(
            *_of_kind(log_id, point, correction=True),
            blocks.c.start_s < span.end_s,
            blocks.c.end_s > span.start_s,
        )
        .order_by(blocks.c.entry_index, blocks.c.start_s)
    )
    return [
        (row.entry_index, Period(start_s=row.start_s, end_s=row.end_s))
        for row in conn.execute(query)
    ]


def has_erased(conn: Connection, log_id: int, point: bytes, span: Period) -> bool:
    """Whether a point had readings in a span that are erased."""
    query = select(blocks.c.entry_index).where(
        blocks.c.log_id == log_id,
        blocks.c.point == point,
        blocks.c.start_s < span.end_s,
        blocks.c.end_s > span.start_s,
        func.length(blocks.c.value) == 0,
    )
    return conn.execute(query.limit(1)).first() is not None


def batch_ends(conn: Connection, log_id: int, entries: Sequence[int]) -> dict[int, int]:
    """{entry: where the last reading of its batch ends}."""
    found: dict[int, int] = {}
    for begin in range(0, len(entries), _AT_ONCE):
        query = (
            select(blocks.c.entry_index, func.max(blocks.c.end_s))
            .where(
                blocks.c.log_id == log_id,
                blocks.c.entry_index.in_(entries[begin : begin + _AT_ONCE]),
            )
            .group_by(blocks.c.entry_index)
        )
        found.update((index, end_s) for index, end_s in conn.execute(query))
    return found


def erase_values(conn: Connection, log_id: int, entries: Collection[int]) -> None:
    """Empty values, flags and secrets of batches that the log has just erased."""
    for index in entries:
        of_it = blocks.c.log_id == log_id, blocks.c.entry_index == index
        conn.execute(
            update(blocks)
            .where(*of_it, func.length(blocks.c.value) > 0)
            .values(value=b"", quality=b"")
        )
        conn.execute(
            update(batches)
            .where(
                batches.c.log_id == log_id,
                batches.c.entry_index == index,
                func.length(batches.c.secret) > 0,
            )
            .values(secret=b"")
        )


def interval_counts(conn: Connection, log_id: int) -> Sequence[tuple[bytes, int]]:
    """Stored intervals of each point, corrections included."""
    query = (
        select(blocks.c.point, func.sum((blocks.c.end_s - blocks.c.start_s) // blocks.c.length_s))
        .where(blocks.c.log_id == log_id)
        .group_by(blocks.c.point)
        .order_by(blocks.c.point)
    )
    return [(bytes(point), int(count)) for point, count in conn.execute(query)]


def registered_since(conn: Connection, log_id: int, size: int) -> bool:
    """Whether a point was registered, or again, by entry `size` or a later one."""
    query = select(points.c.point).where(points.c.log_id == log_id, points.c.entry_index >= size)
    return conn.execute(query.limit(1)).first() is not None


def read_since(conn: Connection, log_id: int, size: int, period: Period) -> set[bytes]:
    """Points of which entry `size` or a later one has readings of a period."""
    query = (
        select(blocks.c.point)
        .where(
            blocks.c.log_id == log_id,
            blocks.c.entry_index >= size,
            blocks.c.start_s < period.end_s,
            blocks.c.end_s > period.start_s,
        )
        .distinct()
    )
    return {bytes(point) for point in conn.execute(query).scalars()}
