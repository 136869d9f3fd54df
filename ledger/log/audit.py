"""Audit: replay everything into an empty database and compare.

From entries and bodies every signature, hash, rule and number is checked again, and every table is
rebuilt by the same code that appended; then each stored row is compared with the rebuilt one. What
is named is the first thing that does not hold.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, Table, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from ledger import db
from ledger.db.soundness import check_database
from ledger.errors import Corrupt, InvalidInput, LedgerError
from ledger.files import scratch_folder
from ledger.log import logkeys, merkle, store
from ledger.log.checkpoint import Checkpoint
from ledger.log.export import submissions
from ledger.log.publish import check_high_water, recorded_range
from ledger.log.service import Placement, Submission
from ledger.log.static import Progress
from ledger.log.types import EntryTypes

# Written beside the log, not by replaying it: checked by rules of their own.
NOT_REPLAYED: Final = frozenset(
    {"checkpoint_roots", "checkpoint_notes", "anchors", "anchor_receipts", "alembic_version"}
)
_ROWS_AT_ONCE: Final = 256
# Rows of these may have many megabytes each: whole files, a year of readings.
_LARGE_AT_ONCE: Final = 8
_LARGE: Final = frozenset({"bodies", "blocks"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What an audit has checked. `bodies`: those that were there and are what was signed; `erased`:
    those that an entry of the log erased. `attested`: the entries that stand on their word now,
    because something that they were computed from is erased. `tokens`, `cosignatures`: by a room
    above, see `anchors.audit`."""

    entries: int
    bodies: int
    erased: int
    attested: tuple[int, ...]
    checkpoints: int
    tables: int
    rows: int
    root: bytes
    tokens: int = 0
    cosignatures: int = 0


def audit(
    engine: Engine,
    log: store.LogFacts,
    types: EntryTypes,
    high_water: Checkpoint | None,
    progress: Progress,
) -> Audited:
    """Raises Corrupt with the first thing that does not hold."""
    with scratch_folder(_room_for_a_copy(engine)) as folder:
        scratch = db.open_scratch(folder / "rebuilt.sqlite3")
        db.create_tables(scratch)
        with db.reading(engine, long=True) as stored, db.writing(scratch) as rebuilt:
            check_database(stored)
            roots = store.recorded_roots(stored, log.log_id)
            size = store.load_head(stored, log.log_id).size
            found = submissions(stored, log, types)
            replayed = replay(rebuilt, log.log_id, types, found, size, progress, roots)
            tables, rows = _compare(stored, rebuilt)
            notes = check_notes(stored, log, roots)
            check_high_water(stored, log, high_water)
        scratch.dispose()
    return Audited(
        entries=size,
        bodies=replayed.bodies,
        erased=replayed.erased,
        attested=replayed.attested,
        checkpoints=notes,
        tables=tables,
        rows=rows,
        root=replayed.root,
    )


def _room_for_a_copy(engine: Engine) -> Path:
    """Beside the database: a folder for temporary files is often memory, and too small."""
    file = Path(engine.url.database or "")
    if engine.dialect.name == "sqlite" and file.is_file() and os.access(file.parent, os.W_OK):
        return file.parent
    return Path(gettempdir())


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The end of a replay; see `Audited`. `ranges`: the right edge at each size with a recorded
    root."""

    size: int
    bodies: int
    erased: int
    attested: tuple[int, ...]
    root: bytes
    ranges: Mapping[int, bytes] = field(default_factory=dict)


def replay(
    conn: Connection,
    log_id: int,
    types: EntryTypes,
    found: Iterator[Submission],
    size: int,
    progress: Progress,
    roots: dict[int, bytes],
) -> Replayed:
    """Place all entries, and compare each recorded root as its size is reached."""
    attested: set[int] = set()
    placement = Placement(conn, log_id, types, attested)
    range_ = merkle.CompactRange()
    bodies = erased = 0
    ranges: dict[int, bytes] = {}
    for submission in found:
        index = placement.size
        try:
            entry = placement.place(submission)
        except Corrupt:
            raise
        except LedgerError as error:
            raise Corrupt(f"entry {index}: {error}") from error
        except IntegrityError as error:
            raise Corrupt(f"entry {index}: {db.as_ledger_error(error)}") from error
        range_.append(entry.leaf_hash)
        if submission.kept is None:
            bodies += len(submission.bodies) + len(submission.attachments)
        else:
            erased += len(submission.bodies) + len(submission.kept.names)
        recorded = roots.get(range_.size)
        if recorded is not None and recorded != range_.root():
            raise Corrupt(
                f"entries 0 to {index} give root {range_.root().hex()}; recorded for size"
                f" {range_.size} is {recorded.hex()}"
            )
        if recorded is not None:
            ranges[range_.size] = b"".join(range_.hashes)
        progress(index + 1, size)
    placement.finish()
    beyond = [recorded for recorded in roots if not 0 < recorded <= range_.size]
    if beyond:
        raise Corrupt(f"a root is recorded for size {min(beyond)}, the log has {range_.size}")
    return Replayed(
        size=range_.size,
        bodies=bodies,
        erased=erased,
        attested=tuple(sorted(attested)),
        root=range_.root(),
        ranges=ranges,
    )


def _compare(stored: Connection, rebuilt: Connection) -> tuple[int, int]:
    tables = [table for table in db.ledger_tables() if table.name not in NOT_REPLAYED]
    rows = 0
    for table in tables:
        try:
            rows += _compare_table(table, stored, rebuilt)
        except DBAPIError as error:
            raise db.located(error, f"table {table.name}") from error
    return len(tables), rows


def _compare_table(table: Table, stored: Connection, rebuilt: Connection) -> int:
    count = 0
    for mine, theirs in _side_by_side(table, stored, rebuilt):
        count += 1
        if mine == theirs:
            continue
        if theirs is None:
            raise Corrupt(
                f"table {table.name}: row {_key(table, mine)} does not follow from the log"
            )
        if mine is None or _key(table, mine) != _key(table, theirs):
            raise Corrupt(
                f"table {table.name}: row {_key(table, theirs)} is missing or out of place"
            )
        column = next(
            column.name
            for column, left, right in zip(table.columns, mine, theirs, strict=True)
            if left != right
        )
        raise Corrupt(
            f"table {table.name}, row {_key(table, mine)}: {column} differs from what the log says"
        )
    return count


def _side_by_side(
    table: Table, stored: Connection, rebuilt: Connection
) -> Iterator[tuple[Any, Any]]:
    at_once = _LARGE_AT_ONCE if table.name in _LARGE else _ROWS_AT_ONCE
    query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=at_once)
    left, right = iter(stored.execute(query)), iter(rebuilt.execute(query))
    while True:
        mine, theirs = next(left, None), next(right, None)
        if mine is None and theirs is None:
            return
        yield mine, theirs


def _key(table: Table, row: Row[Any] | None) -> str:
    if row is None:
        return "–"
    values = [row._mapping[column] for column in table.primary_key.columns]
    return ", ".join(value.hex() if isinstance(value, bytes) else str(value) for value in values)


def check_notes(conn: Connection, log: store.LogFacts, roots: dict[int, bytes]) -> int:
    """Each root has its range and its note; only the newest may have crashed before its note."""
    for row in conn.execute(select(store.checkpoint_roots)):
        _check_log(row, store.checkpoint_roots, log)
        recorded_range(row.size, bytes(row.root), bytes(row.range))
    notes = conn.execute(select(store.checkpoint_notes)).all()
    keys = logkeys.load(conn, log)
    for row in notes:
        _check_log(row, store.checkpoint_notes, log)
        _check_note(row.size, bytes(row.note), log, keys, roots)
    unsigned = sorted(set(roots) - {row.size for row in notes})
    if unsigned and unsigned[0] != max(roots):
        raise Corrupt(f"table checkpoint_notes: the checkpoint of size {unsigned[0]} is missing")
    return len(notes)


def _check_log(row: Row[Any], table: Table, log: store.LogFacts) -> None:
    if row.log_id != log.log_id:
        raise Corrupt(f"table {table.name}: row {_key(table, row)} is of no log that is here")


def _check_note(
    size: int,
    note: bytes,
    log: store.LogFacts,
    keys: Sequence[logkeys.LogKey],
    roots: dict[int, bytes],
) -> None:
    """By exactly the log's keys in force at its size: cosignatures are stored apart."""
    where = f"table checkpoint_notes, size {size}"
    try:
        checkpoint = logkeys.open_own(note, log, keys)
    except InvalidInput as error:
        raise Corrupt(f"{where}: {error}") from error
    recorded = roots.get(size)
    if (checkpoint.origin, checkpoint.size, checkpoint.root) != (log.origin, size, recorded):
        raise Corrupt(
            f"{where}: it signs {checkpoint.origin}, size {checkpoint.size}, root"
            f" {checkpoint.root.hex()}; recorded is {recorded.hex() if recorded else 'no root'}"
        )


def no_progress(_done: int, _all: int) -> None:
    """For callers without a bar."""
