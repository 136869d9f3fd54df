"""Plain SQL on a ledger's database, with its triggers in place."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ledger.house import House
from tests.ledgers import raw_database

NEW = b"n" * 16


@contextmanager
def opened(house: House) -> Iterator[sqlite3.Connection]:
    connection = raw_database(house)
    connection.execute("PRAGMA foreign_keys = ON")
    try:
        yield connection
    finally:
        connection.close()


def refused(sql: sqlite3.Connection, why: str, command: str, *values: Any) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=why):
        sql.execute(command, values)


def row_of(sql: sqlite3.Connection, table: str, where: str = "1") -> dict[str, Any]:
    """A row of a table, by column."""
    names = [str(row[1]) for row in sql.execute(f"PRAGMA table_info({table})")]
    found = sql.execute(f"SELECT * FROM {table} WHERE {where}").fetchone()
    assert found is not None, f"no row of {table} has {where}"
    return dict(zip(names, found, strict=True))


def insert(sql: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    names, marks = ",".join(row), ",".join("?" * len(row))
    sql.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))


def insert_refused(
    sql: sqlite3.Connection, why: str, table: str, row: dict[str, Any], **changes: Any
) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=why):
        insert(sql, table, row | changes)
