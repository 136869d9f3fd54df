"""Tables of the log and the SQL on them. Rows of all but `log_heads` never change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    LargeBinary,
    Select,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError

from ledger.db import Erasable, append_only, append_only_but, located, lock, metadata
from ledger.errors import Corrupt, InvalidInput, NotFound
from ledger.log import notes, tiles
from ledger.log.entry import Entry, parse_entry
from ledger.units import parse_zone, zone_offset_s

logs: Final = append_only(
    Table(
        "logs",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("origin", String(128), nullable=False, unique=True),
        Column("name", String(200), nullable=False),
        Column("zone", String(6), nullable=False),
        Column("operator", String(40), nullable=False),
        Column("log_vkey", String(300), nullable=False),
    )
)
heads: Final = Table(
    "log_heads",
    metadata,
    Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
    Column("size", BigInteger, CheckConstraint("size >= 0", name="size"), nullable=False),
    Column("tick_s", BigInteger, nullable=False),
    Column("edge", LargeBinary, nullable=False),
)
entries: Final = append_only(
    Table(
        "entries",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
        Column("leaf_hash", LargeBinary(32), nullable=False),
        Column("type", String(40), nullable=False),
        Column("author", String(40), nullable=False),
        Column("id", String(32), nullable=False),
        Column("data", LargeBinary, nullable=False),
        UniqueConstraint("log_id", "author", "id"),
        UniqueConstraint("log_id", "leaf_hash"),
    )
)
# A body goes when all entries that hold it are erased (see log.erasing).
_ALL_ERASED: Final = """EXISTS (SELECT 1 FROM body_uses AS u WHERE u.log_id = OLD.log_id
    AND u.hash = OLD.hash) AND NOT EXISTS (SELECT 1 FROM body_uses AS u
    WHERE u.log_id = OLD.log_id AND u.hash = OLD.hash AND NOT EXISTS (SELECT 1 FROM erasures AS x
    WHERE x.log_id = u.log_id AND x.entry_index = u.entry_index))"""
bodies: Final = append_only_but(
    Erasable(verb="DELETE", allowed=_ALL_ERASED),
    Table(
        "bodies",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("hash", LargeBinary(32), primary_key=True),
        Column("data", LargeBinary, nullable=False),
    ),
)
full_tiles: Final = append_only(
    Table(
        "tiles",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("level", SmallInteger, primary_key=True, autoincrement=False),
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("hashes", LargeBinary, nullable=False),
    )
)
checkpoint_roots: Final = append_only(
    Table(
        "checkpoint_roots",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("size", BigInteger, primary_key=True, autoincrement=False),
        Column("root", LargeBinary(32), nullable=False),
        Column("range", LargeBinary, nullable=False),
    )
)
checkpoint_notes: Final = append_only(
    Table(
        "checkpoint_notes",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("size", BigInteger, primary_key=True, autoincrement=False),
        Column("note", LargeBinary, nullable=False),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFacts:
    """What the genesis says of a log."""

    log_id: int
    origin: str
    name: str
    zone: str
    operator: str
    log_key: notes.VerifyKey

    @property
    def zone_s(self) -> int:
        """Seconds that park time is ahead of UTC."""
        return zone_offset_s(parse_zone(self.zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where the log ends: its right edge and the last tick."""

    edge: tiles.Edge
    tick_s: int

    @property
    def size(self) -> int:
        return self.edge.size


def load_log(conn: Connection, log_id: int) -> LogFacts:
    """Raises NotFound before the genesis, Corrupt where the row can't be the genesis's."""
    with _broken_is_corrupt("logs"):
        row = conn.execute(select(logs).where(logs.c.log_id == log_id)).one_or_none()
        if row is None:
            raise NotFound(f"the database holds no log {log_id}")
        return LogFacts(
            log_id=log_id,
            origin=row.origin,
            name=row.name,
            zone=row.zone,
            operator=row.operator,
            log_key=notes.parse_vkey(row.log_vkey),
        )


@contextmanager
def _broken_is_corrupt(table: str) -> Iterator[None]:
    """Rows that are read before anything was audited: a broken one is named, it is no crash."""
    try:
        yield
    except DBAPIError as error:
        raise located(error, f"table {table}") from error
    except (InvalidInput, TypeError, ValueError, AttributeError) as error:
        raise Corrupt(f"table {table}: {error}") from error


def load_head(conn: Connection, log_id: int) -> Head:
    """The head row. Raises Corrupt."""
    return _head(conn, _head_query(log_id))


def lock_head(conn: Connection, log_id: int) -> Head:
    """The head row, for who is to move it: first of all that a writer of the log does, since
    nobody else writes then until the transaction ends. Raises Corrupt."""
    query = _head_query(log_id).with_for_update()  # SQLite needs none: `writing` locks it all
    found = _head(conn, query)
    if found.size:
        return found
    # No row to lock as yet: the genesis is written by one alone.
    lock(conn, f"log {log_id} begins")
    return _head(conn, query)


def _head_query(log_id: int) -> Select[tuple[int, int, bytes]]:
    return select(heads.c.size, heads.c.tick_s, heads.c.edge).where(heads.c.log_id == log_id)


def _head(conn: Connection, query: Select[tuple[int, int, bytes]]) -> Head:
    with _broken_is_corrupt("log_heads"):
        row = conn.execute(query).one_or_none()
        if row is None:
            return Head(edge=tiles.EMPTY_EDGE, tick_s=0)
        return Head(edge=tiles.Edge.decode(row.size, bytes(row.edge)), tick_s=row.tick_s)


def save_head(conn: Connection, log_id: int, head: Head, full: Sequence[tiles.Tile]) -> None:
    values = {"size": head.size, "tick_s": head.tick_s, "edge": head.edge.encode()}
    changed = conn.execute(update(heads).where(heads.c.log_id == log_id).values(values))
    if changed.rowcount == 0:
        conn.execute(insert(heads).values(log_id=log_id, **values))
    if full:
        conn.execute(
            insert(full_tiles),
            [
                {"log_id": log_id, "level": t.level, "number": t.number, "hashes": t.hashes}
                for t in full
            ],
        )


def nodes(conn: Connection, log_id: int, edge: tiles.Edge) -> tiles.TileNodes:
    """The tree's nodes, fetched from the stored tiles when asked."""

    def fetch(level: int, number: int) -> bytes:
        found = conn.execute(
            select(full_tiles.c.hashes).where(
                full_tiles.c.log_id == log_id,
                full_tiles.c.level == level,
                full_tiles.c.number == number,
            )
        ).scalar_one_or_none()
        path = tiles.tile_path(level, number)
        if found is None:
            raise Corrupt(f"table tiles: {path} is missing")
        if len(found) != tiles.TILE_BYTES:
            raise Corrupt(f"table tiles: {path} has {len(found)} bytes, not {tiles.TILE_BYTES}")
        return bytes(found)

    return tiles.TileNodes(edge, fetch)


def present_nodes(conn: Connection, log_id: int) -> tiles.TileNodes:
    """The nodes of the tree as it stands now."""
    return nodes(conn, log_id, load_head(conn, log_id).edge)


def entry_data(conn: Connection, log_id: int, index: int) -> bytes:
    found = conn.execute(
        select(entries.c.data).where(entries.c.log_id == log_id, entries.c.entry_index == index)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound(f"the log has no entry {index}")
    return bytes(found)


def entry_at(conn: Connection, log_id: int, index: int) -> Entry:
    """Raises NotFound."""
    return parse_entry(entry_data(conn, log_id, index))


def entry_range(conn: Connection, log_id: int, begin: int, end: int) -> Iterator[tuple[int, bytes]]:
    """(index, exact bytes) of entries begin ≤ index < end, in order, as they are stored."""
    rows = conn.execute(
        select(entries.c.entry_index, entries.c.data)
        .where(
            entries.c.log_id == log_id, entries.c.entry_index >= begin, entries.c.entry_index < end
        )
        .order_by(entries.c.entry_index)
        .execution_options(yield_per=1000)
    )
    for row in rows:
        yield row.entry_index, bytes(row.data)


def save_entry(conn: Connection, log_id: int, index: int, entry: Entry) -> None:
    conn.execute(
        insert(entries).values(
            log_id=log_id,
            entry_index=index,
            leaf_hash=entry.leaf_hash,
            type=entry.type,
            author=entry.author,
            id=entry.id,
            data=entry.data,
        )
    )


def entries_of_types(
    conn: Connection, log_id: int, types: Collection[str]
) -> list[tuple[int, bytes]]:
    """(index, data) of the entries of some types, in order."""
    rows = conn.execute(
        select(entries.c.entry_index, entries.c.data)
        .where(entries.c.log_id == log_id, entries.c.type.in_(sorted(types)))
        .order_by(entries.c.entry_index)
    )
    return [(row.entry_index, bytes(row.data)) for row in rows]


def leaf_at(conn: Connection, log_id: int, index: int) -> bytes:
    """Leaf hash of entry `index`."""
    return bytes(
        conn.execute(
            select(entries.c.leaf_hash).where(
                entries.c.log_id == log_id, entries.c.entry_index == index
            )
        ).scalar_one()
    )


def index_of_id(conn: Connection, log_id: int, author: str, id_: str) -> int | None:
    return conn.execute(
        select(entries.c.entry_index).where(
            entries.c.log_id == log_id, entries.c.author == author, entries.c.id == id_
        )
    ).scalar_one_or_none()


def index_of_leaf(conn: Connection, log_id: int, leaf: bytes) -> int | None:
    """The entry with this leaf hash."""
    return conn.execute(
        select(entries.c.entry_index).where(entries.c.log_id == log_id, entries.c.leaf_hash == leaf)
    ).scalar_one_or_none()


def recorded_roots(conn: Connection, log_id: int) -> dict[int, bytes]:
    """Recorded checkpoint roots by size."""
    rows = conn.execute(
        select(checkpoint_roots.c.size, checkpoint_roots.c.root)
        .where(checkpoint_roots.c.log_id == log_id)
        .order_by(checkpoint_roots.c.size)
    )
    return {row.size: bytes(row.root) for row in rows}


def load_body(conn: Connection, log_id: int, key: str) -> bytes | None:
    """A stored body by its hash or root in hex."""
    found = conn.execute(
        select(bodies.c.data).where(bodies.c.log_id == log_id, bodies.c.hash == bytes.fromhex(key))
    ).scalar_one_or_none()
    return None if found is None else bytes(found)


def save_bodies(conn: Connection, log_id: int, found: Iterable[tuple[str, bytes]]) -> None:
    """Content-addressed: a body that is stored already is left as it is."""
    for key, data in found:
        if load_body(conn, log_id, key) is None:
            conn.execute(insert(bodies).values(log_id=log_id, hash=bytes.fromhex(key), data=data))
