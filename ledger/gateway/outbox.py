"""The gateway's own disk: what came in and is not yet proven to be in the log.

One SQLite file, each change one transaction that is on disk when it returns. Rules of the room:

- A message is acknowledged to the broker after its readings are here. A redelivery finds them.
- A reading is *waiting*, or in one *batch*, or *proven*, or *set aside* (in quarantine). Proven and
  set-aside ones stay for as long as repeats are recognised, and then go.
- A source has one sealed batch at most that is not accepted yet: sequence numbers are taken one
  after the other, and a batch that is refused never took its number.
- A batch is kept, byte by byte as it was sent, until its inclusion under a checkpoint is verified.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledger.client import BatchHead
from ledger.errors import Unavailable
from ledger.files import make_private_folder
from ledger.gateway.collector import Reading, Shown

Row = tuple[Any, ...]
_FORMAT: Final = 1
# The states of a reading, in its column `batch`; any other value is the batch that it is in.
WAITING: Final = 0
PROVEN: Final = -1
SET_ASIDE: Final = -2
_SCHEMA: Final = """
CREATE TABLE readings (
    point BLOB NOT NULL, start_s INTEGER NOT NULL, length_s INTEGER NOT NULL,
    value INTEGER NOT NULL, quality INTEGER NOT NULL, source TEXT NOT NULL,
    due_s INTEGER NOT NULL, part INTEGER NOT NULL DEFAULT 0, batch INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (point, start_s)
) WITHOUT ROWID;
CREATE INDEX readings_by_batch ON readings (batch, source, part, due_s);
CREATE TABLE registers (
    point BLOB NOT NULL, at_s INTEGER NOT NULL, number TEXT NOT NULL, unit TEXT NOT NULL,
    digits INTEGER NOT NULL, quality INTEGER NOT NULL,
    PRIMARY KEY (point, at_s)
) WITHOUT ROWID;
CREATE TABLE batches (
    batch INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, sequence INTEGER NOT NULL,
    previous TEXT NOT NULL, leaf TEXT NOT NULL, entry BLOB NOT NULL, submission BLOB NOT NULL,
    entry_index INTEGER
);
CREATE UNIQUE INDEX batches_one_unsent ON batches (source) WHERE entry_index IS NULL;
CREATE TABLE heads (source TEXT PRIMARY KEY, sequence INTEGER NOT NULL, leaf TEXT NOT NULL);
CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE counts (name TEXT PRIMARY KEY, count INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A batch as it is kept. `submission`: the JSON that is sent. `index`: None until accepted."""

    batch: int
    source: str
    sequence: int
    previous: str
    leaf: str
    entry: bytes
    submission: bytes
    index: int | None


class Outbox:
    """Opened by one gateway at a time; its methods may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        make_private_folder(folder)
        self.folder = folder
        path = folder / "outbox.sqlite3"
        path.touch(mode=0o600)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        (found,) = self._db.execute("PRAGMA user_version").fetchone()
        if found == 0:
            self._db.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version={_FORMAT};COMMIT;")
        elif found != _FORMAT:
            self._db.close()
            raise Unavailable(f"{path} is of another version ({found}) of the gateway")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """One transaction: on disk at the end, or not at all."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk has ended it already
                    self._db.execute("ROLLBACK")
                raise

    # What comes in

    def held(self, point: bytes, start_s: int) -> Reading | None:
        row = self._one(
            "SELECT point, start_s, length_s, value, quality FROM readings"
            " WHERE point = ? AND start_s = ?",
            (point, start_s),
        )
        return _reading(row) if row else None

    def keep(self, found: Reading, source: str, due_s: int) -> None:
        self._run(
            "INSERT INTO readings (point, start_s, length_s, value, quality, source, due_s)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*_row(found), source, due_s),
        )

    def shown(self, point: bytes, at_s: int) -> Shown | None:
        row = self._one(
            "SELECT point, at_s, number, unit, digits, quality FROM registers"
            " WHERE point = ? AND at_s = ?",
            (point, at_s),
        )
        if row is None:
            return None
        names = ("point", "at_s", "number", "unit", "digits", "quality")
        return Shown(**dict(zip(names, row, strict=True)))

    def keep_shown(self, found: Shown) -> None:
        self._run(
            "INSERT INTO registers VALUES (?, ?, ?, ?, ?, ?)",
            (found.point, found.at_s, found.number, found.unit, found.digits, found.quality),
        )

    def count(self, counted: Mapping[str, int]) -> None:
        self._db.executemany(
            "INSERT INTO counts VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET count = count + excluded.count",
            list(counted.items()),
        )

    # What goes out

    def due(self, source: str, now_s: int, most: int) -> list[Reading]:
        """Waiting readings of a source whose window has closed. What was split goes part by part,
        first."""
        row = self._one(
            "SELECT max(part) FROM readings WHERE batch = ? AND source = ? AND part > 0",
            (WAITING, source),
        )
        part = row[0] if row and row[0] else 0
        rows = self._all(
            "SELECT point, start_s, length_s, value, quality FROM readings"
            " WHERE batch = ? AND source = ? AND part = ? AND due_s <= ?"
            " ORDER BY due_s, start_s, point LIMIT ?",
            (WAITING, source, part, now_s, most),
        )
        return [_reading(row) for row in rows]

    def sources(self) -> list[str]:
        """Sources with something that is not proven yet."""
        rows = self._all(
            "SELECT source FROM readings WHERE batch >= 0 UNION SELECT source FROM batches"
            " ORDER BY 1",
            (),
        )
        return [source for (source,) in rows]

    def seal(self, found: Sealed, readings: Iterable[Reading]) -> Sealed:
        """Keep a batch and mark its readings, in one step. `found.batch` is given here."""
        with self.change():
            cursor = self._db.execute(
                "INSERT INTO batches (source, sequence, previous, leaf, entry, submission)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    found.source,
                    found.sequence,
                    found.previous,
                    found.leaf,
                    found.entry,
                    found.submission,
                ),
            )
            batch = cursor.lastrowid
            assert batch is not None
            self._mark(readings, batch)
        sealed = self.batch(batch)
        assert sealed is not None
        return sealed

    def batch(self, batch: int) -> Sealed | None:
        found = self._batches("batch = ?", (batch,))
        return found[0] if found else None

    def unsent(self, source: str) -> Sealed | None:
        """The sealed batch of a source that the log has not accepted yet."""
        found = self._batches("source = ? AND entry_index IS NULL", (source,))
        return found[0] if found else None

    def accepted(self) -> Iterator[Sealed]:
        """Batches that have a receipt, and no verified inclusion yet; each is read as it is come
        to: after an outage they are many, and large."""
        query = "SELECT batch FROM batches WHERE entry_index IS NOT NULL ORDER BY batch"
        for (batch,) in self._all(query, ()):
            found = self.batch(batch)
            if found is not None:
                yield found

    def accept(self, sealed: Sealed, index: int) -> None:
        with self.change():
            self._run("UPDATE batches SET entry_index = ? WHERE batch = ?", (index, sealed.batch))
            self._set_head(sealed.source, BatchHead(sequence=sealed.sequence, leaf=sealed.leaf))

    def head(self, source: str) -> BatchHead | None:
        row = self._one("SELECT sequence, leaf FROM heads WHERE source = ?", (source,))
        return BatchHead(sequence=row[0], leaf=row[1]) if row else None

    def adopt(self, source: str, head: BatchHead | None) -> None:
        """Go on after what the log says of the source."""
        with self.change():
            if head is None:
                self._run("DELETE FROM heads WHERE source = ?", (source,))
            else:
                self._set_head(source, head)

    def prove(self, sealed: Sealed, note: bytes) -> None:
        """The batch stands in the log: it goes, and its readings are known as proven."""
        with self.change():
            self._run("UPDATE readings SET batch = ? WHERE batch = ?", (PROVEN, sealed.batch))
            self._run("DELETE FROM batches WHERE batch = ?", (sealed.batch,))
            self._set_fact("checkpoint", note)

    def unseal(self, sealed: Sealed, parts: Sequence[Sequence[Reading]] = ()) -> None:
        """Take a refused batch apart: its readings wait again, in parts where some are given."""
        with self.change():
            self._run("UPDATE readings SET batch = ? WHERE batch = ?", (WAITING, sealed.batch))
            self._run("DELETE FROM batches WHERE batch = ?", (sealed.batch,))
            row = self._one("SELECT max(part) FROM readings", ())
            for number, part in enumerate(parts, start=1 + (row[0] or 0 if row else 0)):
                self._db.executemany(
                    "UPDATE readings SET part = ? WHERE point = ? AND start_s = ?",
                    [(number, one.point, one.start_s) for one in part],
                )

    def set_aside(self, sealed: Sealed) -> None:
        """The log takes none of the batch: its readings are in quarantine, and wait no more."""
        with self.change():
            moved = self._db.execute(
                "UPDATE readings SET batch = ? WHERE batch = ?", (SET_ASIDE, sealed.batch)
            )
            self._run("DELETE FROM batches WHERE batch = ?", (sealed.batch,))
            self.count({"quarantined": moved.rowcount})

    def take_back(self, now_s: int) -> int:
        """Readings that were set aside wait again, once more all together; returns how many."""
        with self.change():
            return self._db.execute(
                "UPDATE readings SET batch = ?, part = 0, due_s = ? WHERE batch = ?",
                (WAITING, now_s, SET_ASIDE),
            ).rowcount

    def readings_of(self, sealed: Sealed) -> list[Reading]:
        rows = self._all(
            "SELECT point, start_s, length_s, value, quality FROM readings WHERE batch = ?"
            " ORDER BY point, start_s",
            (sealed.batch,),
        )
        return [_reading(row) for row in rows]

    def forget(self, before_s: int) -> None:
        """Drop what is settled and older than any message that would still be taken."""
        with self.change():
            self._run("DELETE FROM readings WHERE batch < 0 AND start_s < ?", (before_s,))
            self._run("DELETE FROM registers WHERE at_s < ?", (before_s,))

    # What is known

    def fact(self, name: str) -> bytes | None:
        row = self._one("SELECT value FROM facts WHERE name = ?", (name,))
        return bytes(row[0]) if row else None

    def remember(self, name: str, value: bytes) -> None:
        with self.change():
            self._set_fact(name, value)

    def counts(self) -> dict[str, int]:
        """Messages and readings counted since the outbox began, and what it holds now."""
        found: Counter[str] = Counter(dict(self._all("SELECT name, count FROM counts", ())))
        states = self._all(
            "SELECT CASE WHEN batch > 0 THEN 1 ELSE batch END, count(*) FROM readings GROUP BY 1",
            (),
        )
        names = {WAITING: "waiting", 1: "in_batches", PROVEN: "proven", SET_ASIDE: "set_aside"}
        for state, count in states:
            found[names[state]] = count
        row = self._one("SELECT count(*) FROM batches", ())
        found["batches"] = row[0] if row else 0
        return dict(found)

    def _mark(self, readings: Iterable[Reading], batch: int) -> None:
        self._db.executemany(
            "UPDATE readings SET batch = ?, part = 0 WHERE point = ? AND start_s = ?",
            [(batch, one.point, one.start_s) for one in readings],
        )

    def _set_head(self, source: str, head: BatchHead) -> None:
        self._run(
            "INSERT INTO heads VALUES (?, ?, ?) ON CONFLICT (source)"
            " DO UPDATE SET sequence = excluded.sequence, leaf = excluded.leaf",
            (source, head.sequence, head.leaf),
        )

    def _set_fact(self, name: str, value: bytes) -> None:
        self._run(
            "INSERT INTO facts VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    def _batches(self, where: str, values: tuple[object, ...]) -> list[Sealed]:
        names = ("batch", "source", "sequence", "previous", "leaf", "entry", "submission", "index")
        columns = "batch, source, sequence, previous, leaf, entry, submission, entry_index"
        # Our own words, no value among them.
        sql = f"SELECT {columns} FROM batches WHERE {where} ORDER BY batch"  # noqa: S608  (columns and where are our own)
        return [Sealed(**dict(zip(names, row, strict=True))) for row in self._all(sql, values)]

    def _run(self, sql: str, values: tuple[object, ...]) -> None:
        self._db.execute(sql, values)

    def _all(self, sql: str, values: tuple[object, ...]) -> list[Row]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def _one(self, sql: str, values: tuple[object, ...]) -> Row | None:
        rows = self._all(sql, values)
        return rows[0] if rows else None


def _row(found: Reading) -> Row:
    return (found.point, found.start_s, found.length_s, found.value, found.quality)


def _reading(row: Row) -> Reading:
    names = ("point", "start_s", "length_s", "value", "quality")
    return Reading(**dict(zip(names, row, strict=True)))
