"""Small changes to a database, as disk errors and attackers make them: seeded, and described.

A change is made past the ledger, on a copy, with the triggers out of the way and then back.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.ledgers import raw_database
from tests.raw import without_triggers

Change = Callable[[sqlite3.Connection, str, random.Random], str | None]


@dataclass(frozen=True)
class TableShape:
    """Column names of a table, and those of its primary key."""

    name: str
    columns: list[str]
    key: list[str]

    @property
    def others(self) -> list[str]:
        return [column for column in self.columns if column not in self.key]


def shape_of(connection: sqlite3.Connection, table: str) -> TableShape:
    info = connection.execute(f"PRAGMA table_info({table})").fetchall()
    return TableShape(table, [row[1] for row in info], [row[1] for row in info if row[5]])


def rowids(connection: sqlite3.Connection, table: str) -> list[int]:
    return [row[0] for row in connection.execute(f"SELECT rowid FROM {table} ORDER BY rowid")]


def another(value: Any, pick: random.Random) -> tuple[str, Any]:
    """An SQL expression and its parameter for a value one small step away, of the same type, or of
    something where there was nothing."""
    if value is None:
        return "?", 0
    if isinstance(value, int):
        step = pick.choice([1, -1, 1 << pick.randrange(31)])
        return "?", value + step
    raw = bytearray(value.encode() if isinstance(value, str) else value)
    if not raw:
        raw = bytearray(b"\x00")
    at = pick.randrange(len(raw))
    raw[at] ^= pick.choice([1, 2, 4, 8, 16, 32, 64, 128, pick.randrange(1, 256)])
    return ("CAST(? AS TEXT)" if isinstance(value, str) else "?"), bytes(raw)


def change_value(connection: sqlite3.Connection, table: str, pick: random.Random) -> str | None:
    """One byte of one value, or one step of one integer."""
    shape = shape_of(connection, table)
    row, column = pick.choice(rowids(connection, table)), pick.choice(shape.columns)
    ((value,),) = connection.execute(f"SELECT {column} FROM {table} WHERE rowid = ?", (row,))
    expression, changed = another(value, pick)
    connection.execute(
        f"UPDATE {table} SET {column} = {expression} WHERE rowid = ?", (changed, row)
    )
    return f"{table}.{column} of row {row}: {value!r:.60} became {changed!r:.60}"


def cut_value(connection: sqlite3.Connection, table: str, pick: random.Random) -> str | None:
    """A text or blob that is cut off or grown by a few bytes."""
    shape = shape_of(connection, table)
    row, column = pick.choice(rowids(connection, table)), pick.choice(shape.columns)
    ((value,),) = connection.execute(f"SELECT {column} FROM {table} WHERE rowid = ?", (row,))
    if value is None or isinstance(value, int):
        return None
    extra = "0" if isinstance(value, str) else b"\x00"
    changed = pick.choice([value[:-1], value[:-2], value + extra, value + extra * 8, value[:0]])
    if changed == value:
        return None
    connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (changed, row))
    return f"{table}.{column} of row {row} has {len(changed)} instead of {len(value)}"


def change_type(connection: sqlite3.Connection, table: str, pick: random.Random) -> str | None:
    """The same value as SQLite lets it stand in another storage class."""
    shape = shape_of(connection, table)
    row, column = pick.choice(rowids(connection, table)), pick.choice(shape.columns)
    ((kind,),) = connection.execute(f"SELECT typeof({column}) FROM {table} WHERE rowid = ?", (row,))
    other = {"integer": "BLOB", "text": "BLOB", "blob": "TEXT", "null": "BLOB"}[kind]
    value = "x'00'" if kind == "null" else f"CAST({column} AS {other})"
    connection.execute(f"UPDATE {table} SET {column} = {value} WHERE rowid = ?", (row,))
    return f"{table}.{column} of row {row} is {other} instead of {kind}"


def delete_row(connection: sqlite3.Connection, table: str, pick: random.Random) -> str | None:
    row = pick.choice(rowids(connection, table))
    connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (row,))
    return f"{table}: row {row} deleted"


def double_row(connection: sqlite3.Connection, table: str, pick: random.Random) -> str | None:
    """A row again, with as little of its key changed as the database allows."""
    shape = shape_of(connection, table)
    row = pick.choice(rowids(connection, table))
    values = list(connection.execute(f"SELECT * FROM {table} WHERE rowid = ?", (row,)).fetchone())
    for place, column in enumerate(shape.columns):
        if column in shape.key or pick.random() < 0.5:
            values[place] = _plain(values[place], pick)
    marks = ", ".join("?" for _ in values)
    connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)
    return f"{table}: row {row} again as {values!r:.120}"


def _plain(value: Any, pick: random.Random) -> Any:
    """A neighbour that is valid for its type, text included."""
    if value is None:
        return 1
    if isinstance(value, int):
        return value + pick.choice([1, -1, 7, 1_000])
    if isinstance(value, str):
        return value[:-1] + pick.choice("0123456789abcdef")
    changed = bytearray(value)
    if changed:
        changed[pick.randrange(len(changed))] ^= 1
    return bytes(changed)


def swap_rows(connection: sqlite3.Connection, table: str, pick: random.Random) -> str | None:
    """Two rows change places: each keeps its key and takes the other's content."""
    shape = shape_of(connection, table)
    found = rowids(connection, table)
    if len(found) < 2 or not shape.others:
        return None
    left, right = pick.sample(found, 2)
    columns = ", ".join(shape.others)
    contents = {
        row: connection.execute(f"SELECT {columns} FROM {table} WHERE rowid = ?", (row,)).fetchone()
        for row in (left, right)
    }
    if contents[left] == contents[right]:
        return None
    keys = {
        row: connection.execute(f"SELECT * FROM {table} WHERE rowid = ?", (row,)).fetchone()
        for row in (left, right)
    }
    connection.execute(f"DELETE FROM {table} WHERE rowid IN (?, ?)", (left, right))
    marks = ", ".join("?" for _ in shape.columns)
    for row, other in ((left, right), (right, left)):
        values = [
            keys[row][place] if column in shape.key else keys[other][place]
            for place, column in enumerate(shape.columns)
        ]
        connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)
    return f"{table}: rows {left} and {right} swapped"


def apply(folder: Path, table: str, change: Change, pick: random.Random) -> str | None:
    """Make the change, and return what it was; None where this table has no such change.

    A change that the database itself refuses (a key that stands twice) is tried otherwise.
    """
    connection = raw_database(folder)
    try:
        triggers = without_triggers(connection)
        for _ in range(20):
            connection.execute("BEGIN")
            try:
                done = change(connection, table, pick)
                connection.execute("COMMIT")
            except sqlite3.IntegrityError:
                connection.execute("ROLLBACK")
                continue
            if done is not None:
                for trigger in triggers:
                    connection.execute(trigger)
                return done
        return None
    finally:
        connection.close()
