"""Plain SQL on a ledger's database, with its triggers in place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ledger.house import House
from tests.ledgers import raw
from tests.raw import REFUSED, Raw

NEW = b"n" * 16


@contextmanager
def opened(house: House) -> Iterator[Raw]:
    connection = raw(house)
    try:
        yield connection
    finally:
        connection.close()


def refused(sql: Raw, why: str, command: str, *values: Any) -> None:
    """`why` is in the message; SQLite writes UNIQUE, PostgreSQL unique."""
    with pytest.raises(REFUSED, match=f"(?i){why}"):
        sql.execute(command, *values)


def row_of(sql: Raw, table: str, where: str = "1 = 1") -> dict[str, Any]:
    """A row of a table, by column."""
    return sql.row(table, where)


def insert(sql: Raw, table: str, row: dict[str, Any]) -> None:
    sql.insert(table, row)


def insert_refused(sql: Raw, why: str, table: str, row: dict[str, Any], **changes: Any) -> None:
    with pytest.raises(REFUSED, match=f"(?i){why}"):
        insert(sql, table, row | changes)
