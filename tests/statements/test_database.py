"""The database keeps the rules of statements too: raw SQL goes around the code, and is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ledgers import raw
from tests.raw import REFUSED, Raw
from tests.statements.held import Park, listed

pytestmark = pytest.mark.both_databases

NEXT_ROW = {
    "log_id": 1,
    "number": 99,
    "line": 9,
    "code": "A-",
    "month": "",
    "project": "",
    "class": "",
    "first_unit": 50,
    "end_unit": 60,
    "status": "held",
    "party": "",
    "wh": 0,
    "note": "",
}


def insert(connection: Raw, table: str, row: dict[str, Any]) -> None:
    columns = ", ".join(f'"{name}"' for name in row)
    places = ", ".join("?" for _ in row)
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", *row.values())


@pytest.fixture
def database(park: Park) -> Any:
    imported = park.load(listed("A-10-19,held,", "A-30-39,held,", "B-0-9,held,"))
    connection = raw(park.house)
    yield connection, imported.statement.entry_index
    connection.close()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({}, ""),
        ({"first_unit": 20, "end_unit": 30}, ""),
        ({"first_unit": 19, "end_unit": 21}, "units overlap"),
        ({"first_unit": 0, "end_unit": 11}, "units overlap"),
        ({"first_unit": 12, "end_unit": 13}, "units overlap"),
        ({"first_unit": 0, "end_unit": 100}, "units overlap"),
        ({"first_unit": 25, "end_unit": 35}, "units overlap"),
        ({"code": "B-", "first_unit": 10, "end_unit": 12}, ""),
        ({"code": "B-", "first_unit": 9, "end_unit": 12}, "units overlap"),
        ({"first_unit": 60, "end_unit": 60}, "ck_statement_rows_units"),
        ({"first_unit": -1, "end_unit": 1}, "ck_statement_rows_units"),
        ({"code": "", "first_unit": 1, "end_unit": 2}, "ck_statement_rows_counted"),
        ({"code": "", "first_unit": 0, "end_unit": 0}, "ck_statement_rows_units"),
        ({"code": "", "first_unit": 0, "end_unit": 0, "wh": 5}, ""),
        ({"code": "", "first_unit": 0, "end_unit": 3}, ""),
        ({"wh": -1}, "ck_statement_rows_wh"),
        ({"status": "sold"}, "ck_statement_rows_status"),
        ({"entry_index": 9999}, "FOREIGN KEY"),
        ({"number": 0}, "UNIQUE"),
    ],
)
def test_rows(database: tuple[Raw, int], changes: dict[str, Any], error: str) -> None:
    connection, entry_index = database
    row = NEXT_ROW | {"entry_index": entry_index} | changes
    if not error:
        insert(connection, "statement_rows", row)
        return
    with pytest.raises(REFUSED, match=f"(?i){error}"):
        insert(connection, "statement_rows", row)


def test_a_reading_stands_once(database: tuple[Raw, int]) -> None:
    connection, entry_index = database
    row = connection.row("statements") | {"entry_index": entry_index + 1}
    with pytest.raises(REFUSED, match="a statement is imported once"):
        insert(connection, "statements", row)
    with pytest.raises(REFUSED, match="ck_statements_kind"):
        insert(connection, "statements", row | {"reading": b"other", "kind": "bill"})
    insert(connection, "statements", row | {"reading": b"other"})
    # What was read in between has another reading, so the first one may come back.
    insert(connection, "statements", row | {"entry_index": entry_index + 2})


@pytest.mark.parametrize("table", ["statements", "statement_rows"])
def test_nothing_is_changed_or_taken_away(database: tuple[Raw, int], table: str) -> None:
    connection, _ = database
    for statement in (f"UPDATE {table} SET entry_index = 0", f"DELETE FROM {table}"):
        with pytest.raises(REFUSED, match=f"{table} is append-only"):
            connection.execute(statement)
