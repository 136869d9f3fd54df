"""Plain SQL on a ledger's database, past all code of the ledger, on either database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import psycopg
from sqlalchemy import Connection

# What a driver raises where a constraint or a trigger refuses.
REFUSED = (sqlite3.IntegrityError, psycopg.IntegrityError)


class Rows(Protocol):
    """What both drivers' cursors are, as far as tests go."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


def pyformat(sql: str) -> str:
    """SQLite's `?` as psycopg has it; texts in the SQL have neither mark."""
    return sql.replace("%", "%%").replace("?", "%s")


def marked(conn: Connection, sql: str) -> str:
    """`sql` as the driver of a connection has it."""
    return pyformat(sql) if conn.dialect.name == "postgresql" else sql


class Raw:
    """A connection on which each statement is stored at once."""

    def __init__(self, connection: sqlite3.Connection | psycopg.Connection[Any]) -> None:
        self.connection = connection

    @property
    def is_postgresql(self) -> bool:
        return isinstance(self.connection, psycopg.Connection)

    def execute(self, sql: str, *values: Any) -> Rows:
        """`?` stands for each value."""
        if isinstance(self.connection, sqlite3.Connection):
            return self.connection.execute(sql, values)
        return self.connection.execute(pyformat(sql).encode(), values)

    def close(self) -> None:
        self.connection.close()

    def columns(self, table: str) -> list[str]:
        """Names of a table's columns, in order."""
        if isinstance(self.connection, sqlite3.Connection):
            return [str(row[1]) for row in self.execute(f"PRAGMA table_info({table})")]
        query = (
            "SELECT attname FROM pg_attribute WHERE attrelid = ?::regclass AND attnum > 0"
            " AND NOT attisdropped ORDER BY attnum"
        )
        return [str(row[0]) for row in self.execute(query, table)]

    def row(self, table: str, where: str = "1 = 1") -> dict[str, Any]:
        """A row of a table, by column."""
        found = self.execute(f"SELECT * FROM {table} WHERE {where}").fetchone()
        assert found is not None, f"no row of {table} has {where}"
        return dict(zip(self.columns(table), found, strict=True))

    def insert(self, table: str, row: dict[str, Any]) -> None:
        names, marks = ",".join(row), ",".join("?" * len(row))
        self.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", *row.values())

    @contextmanager
    def unguarded(self) -> Iterator[None]:
        """Neither triggers nor foreign keys are in the way; afterwards they are back."""
        if isinstance(self.connection, sqlite3.Connection):
            self.execute("PRAGMA foreign_keys=OFF")
            triggers = without_triggers(self.connection)
            yield
            for trigger in triggers:
                self.execute(trigger)
        else:
            self.execute("SET session_replication_role = replica")
            yield
            self.execute("SET session_replication_role = origin")


def without_triggers(connection: sqlite3.Connection) -> list[str]:
    """Drop every trigger, and return the statements that bring them back."""
    found = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    triggers = found.fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    return [sql for _, sql in triggers]
