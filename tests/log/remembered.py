"""Audits of many copies of one ledger, of which only a row differs: replayed once, compared each.

A replay's result follows from what it reads, the entries with their bodies, the size and the
recorded roots: where a change leaves these the same, the result is the same, and is put in place
instead of being worked out again. All else of the audit runs as ever; a change of what a replay
reads is replayed.
"""

from __future__ import annotations

import hashlib
import itertools
import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from ledger import db
from ledger.errors import Corrupt, LedgerError
from ledger.log import merkle
from ledger.log.audit import Replayed, replay
from ledger.log.service import Placement, Submission
from ledger.log.static import Progress
from ledger.log.types import EntryTypes
from tests.ledgers import no_progress, open_house


def _content(conn: Connection) -> dict[str, list[Any]]:
    """The rows of the tables that have any."""
    names = [table.name for table in db.ledger_tables()]
    every = {name: conn.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names}
    return {name: [tuple(row) for row in rows] for name, rows in every.items() if rows}


def _put(conn: Connection, content: dict[str, list[Any]]) -> None:
    """Rows in any order, which triggers would refuse; they stand again afterwards."""
    triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    found = conn.exec_driver_sql(triggers).all()
    for name, _ in found:
        conn.exec_driver_sql(f"DROP TRIGGER {name}")
    for name, rows in content.items():
        marks = ", ".join("?" * len(rows[0]))
        conn.exec_driver_sql(f"INSERT INTO {name} VALUES ({marks})", rows)
    for _, sql in found:
        conn.exec_driver_sql(sql)


@dataclass
class Remembered:
    """`replay` stands in for ledger.log.audit.replay; it remembers while `learning`."""

    learning: bool = False
    reused: int = 0
    known: dict[bytes, tuple[Replayed, dict[str, list[Any]]]] = field(default_factory=dict)

    def replay(
        self,
        conn: Connection,
        log_id: int,
        types: EntryTypes,
        found: Iterator[Submission],
        size: int,
        progress: Progress,
        roots: dict[int, bytes],
    ) -> Replayed:
        read = list(found)
        parts = [pickle.dumps(each) for each in (*read, (log_id, size, sorted(roots.items())))]
        key = hashlib.sha256(pickle.dumps(parts)).digest()
        if key in self.known:
            replayed, content = self.known[key]
            _put(conn, content)
            self.reused += 1
            return replayed
        replayed = replay(conn, log_id, types, iter(read), size, progress, roots)
        if self.learning:
            self.known[key] = replayed, _content(conn)
        return replayed


@dataclass
class RememberedBeginning:
    """`replay` for ledgers that share their first `size` entries: these are replayed once, what
    comes after them each time. Of ledgers from which nothing was erased."""

    size: int
    _known: dict[bytes, dict[str, list[Any]]] = field(default_factory=dict)

    def replay(
        self,
        conn: Connection,
        log_id: int,
        types: EntryTypes,
        found: Iterator[Submission],
        size: int,
        progress: Progress,
        roots: dict[int, bytes],
    ) -> Replayed:
        first = list(itertools.islice(found, self.size))
        known = hashlib.sha256(b"".join(pickle.dumps(each) for each in first)).digest()
        if known in self._known:
            _put(conn, self._known[known])
        else:
            early = {at: root for at, root in roots.items() if at <= self.size}
            replay(conn, log_id, types, iter(first), size, progress, early)
            self._known[known] = _content(conn)
        placement = Placement(conn, log_id, types, set())
        range_, ranges = merkle.CompactRange(), {}
        for one in itertools.chain(first, found):
            if range_.size < self.size:
                range_.append(merkle.leaf_hash(one.data))
            else:
                try:
                    range_.append(placement.place(one).leaf_hash)
                except LedgerError as error:
                    raise Corrupt(f"entry {range_.size}: {error}") from error
            if roots.get(range_.size, range_.root()) != range_.root():
                raise Corrupt(f"size {range_.size} has another root")
            if range_.size in roots:
                ranges[range_.size] = b"".join(range_.hashes)
        placement.finish()
        assert ranges.keys() == roots.keys()
        return Replayed(
            size=range_.size, bodies=0, erased=0, attested=(), root=range_.root(), ranges=ranges
        )


def audit(folder: Path) -> str:
    """What the audit of a changed ledger says; nothing, where it finds nothing."""
    try:
        house = open_house(folder)
    except LedgerError as error:
        return str(error)
    try:
        house.audit(no_progress)
    except LedgerError as error:
        return str(error)
    finally:
        house.engine.dispose()
    return ""


@pytest.fixture(scope="session")
def memory(filled_template: Path, tiled_template: Path) -> Remembered:
    """Knows what the unchanged ledgers give when they are replayed."""
    memory = Remembered(learning=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ledger.log.audit.replay", memory.replay)
        for template in (filled_template, tiled_template):
            assert audit(template) == ""
            assert audit(template) == ""
    assert (len(memory.known), memory.reused) == (2, 2)
    memory.learning = False
    return memory
