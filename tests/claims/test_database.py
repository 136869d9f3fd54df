"""The database refuses it even if the code were wrong: plain SQL, with the triggers in place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ledger.claims import service
from ledger.errors import Corrupt
from ledger.house import House
from tests.divided import FOUR, all_held, correct
from tests.ledgers import no_progress, raw, tamper
from tests.raw import REFUSED, Raw

pytestmark = pytest.mark.both_databases

NEW = b"n" * 16


@pytest.fixture
def claimed(park: House) -> House:
    """Two claims, one of them replaced, and a correction."""
    first = service.make(park.desk, ["saw", "press"], FOUR)
    service.make(park.desk, ["oven"], FOUR)
    correct(park, "roof", 0, 100)
    service.flag(park.desk)
    service.replace(park.desk, first.claim, "x")
    return park


@pytest.fixture
def sql(claimed: House) -> Iterator[Raw]:
    connection = raw(claimed)
    yield connection
    connection.close()


def refused(sql: Raw, why: str, command: str, *values: Any) -> None:
    with pytest.raises(REFUSED, match=f"(?i){why}"):
        sql.execute(command, *values)


def one(sql: Raw, query: str, *values: Any) -> Any:
    return sql.execute(query, *values).fetchone()[0]


APPEND_ONLY = (
    "origins",
    "lots",
    "lot_spends",
    "claims",
    "claim_ends",
    "claim_lots",
    "claim_flags",
)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_nothing_is_changed_or_deleted(sql: Raw, table: str) -> None:
    assert one(sql, f"SELECT COUNT(*) FROM {table}") > 0
    refused(sql, "append-only", f"UPDATE {table} SET log_id = log_id")
    refused(sql, "append-only", f"DELETE FROM {table}")


def test_a_lot_is_spent_once(sql: Raw) -> None:
    lot = one(sql, "SELECT lot FROM lot_spends")
    refused(sql, "UNIQUE", "INSERT INTO lot_spends VALUES (1, ?, 999)", lot)
    refused(sql, "FOREIGN", "INSERT INTO lot_spends VALUES (1, ?, 999)", NEW)


def test_a_lot_is_created_once_and_is_worth_something(sql: Raw) -> None:
    row = list(sql.execute("SELECT * FROM lots").fetchone())
    refused(sql, "UNIQUE", f"INSERT INTO lots VALUES ({','.join('?' * len(row))})", *row)
    row[1], row[-1] = NEW, 0
    refused(sql, "CHECK", f"INSERT INTO lots VALUES ({','.join('?' * len(row))})", *row)
    row[4], row[-1] = NEW, 5
    refused(sql, "FOREIGN", f"INSERT INTO lots VALUES ({','.join('?' * len(row))})", *row)


@pytest.mark.parametrize(
    ("revision", "run", "why"),
    [
        (0, 999, "revision after revision|UNIQUE"),
        (2, 999, "revision after revision"),
        (1, 0, "UNIQUE"),
    ],
)
def test_an_origin_is_divided_once(sql: Raw, revision: int, run: int, why: str) -> None:
    row = sql.row("origins")
    row |= {"revision": revision, "run_index": run or row["run_index"], "entry_index": 999}
    marks = ",".join("?" * len(row))
    refused(sql, why, f"INSERT INTO origins VALUES ({marks})", *row.values())


def test_a_form_is_given_once(sql: Raw) -> None:
    lot = one(sql, "SELECT lot FROM lots")
    sql.execute("INSERT INTO lot_wraps VALUES (1, ?, 'gec', 999)", lot)
    refused(sql, "UNIQUE", "INSERT INTO lot_wraps VALUES (1, ?, 'gec', 1000)", lot)
    refused(sql, "FOREIGN", "INSERT INTO lot_wraps VALUES (1, ?, 'gec', 999)", NEW)


def _new_claim(sql: Raw, **changes: Any) -> None:
    row = sql.row("claims") | {"claim": NEW, "entry_index": 999, "replaces": None, **changes}
    sql.insert("claims", row)


def test_a_lot_is_in_one_claim(sql: Raw) -> None:
    _new_claim(sql)
    for lot in sql.execute("SELECT DISTINCT lot FROM claim_lots").fetchall():
        refused(sql, "used by one claim", "INSERT INTO claim_lots VALUES (1, ?, ?, 0)", NEW, lot[0])


def test_a_withdrawn_claim_does_not_let_go(sql: Raw) -> None:
    claim = one(sql, "SELECT claim FROM claims ORDER BY entry_index DESC")
    lot = one(sql, "SELECT lot FROM claim_lots WHERE claim = ?", claim)
    sql.execute("INSERT INTO claim_ends VALUES (1, ?, 999, 'withdrawn', 'x')", claim)
    _new_claim(sql)
    refused(sql, "used by one claim", "INSERT INTO claim_lots VALUES (1, ?, ?, 0)", NEW, lot)


def test_no_more_of_a_lot_than_there_is(claimed: House, sql: Raw) -> None:
    """Nor one that is not spent, nor for a claim that is none."""
    _new_claim(sql)
    free = next(lot for lot in all_held(claimed) if not lot.spent)
    sql.execute("INSERT INTO lot_spends VALUES (1, ?, 999)", free.id)
    wh = sum(free.wh.values())
    command = "INSERT INTO claim_lots VALUES (1, ?, ?, ?)"
    refused(sql, "no more of a lot than there is", command, NEW, free.id, wh + 1)
    refused(sql, "CHECK", command, NEW, free.id, -1)
    refused(sql, "FOREIGN", command, b"m" * 16, free.id, wh)
    other = next(lot for lot in all_held(claimed) if not lot.spent)
    refused(sql, "FOREIGN", command, NEW, other.id, 1)
    sql.execute(command, NEW, free.id, wh)


def test_a_claim_is_new_and_ends_once(sql: Raw) -> None:
    known = [row[0] for row in sql.execute("SELECT claim FROM claims ORDER BY entry_index")]
    replaced = one(sql, "SELECT claim FROM claim_ends")
    with pytest.raises(REFUSED, match=r"(?i)UNIQUE"):
        _new_claim(sql, claim=known[0])
    with pytest.raises(REFUSED, match=r"(?i)UNIQUE"):
        _new_claim(sql, replaces=replaced)
    with pytest.raises(REFUSED, match=r"(?i)FOREIGN"):
        _new_claim(sql, replaces=b"m" * 16)
    with pytest.raises(REFUSED, match=r"(?i)CHECK"):
        _new_claim(sql, wh=-1)
    end = "INSERT INTO claim_ends VALUES (1, ?, 999, ?, 'x')"
    refused(sql, "UNIQUE", end, replaced, "withdrawn")
    refused(sql, "CHECK", end, known[1], "sold")
    refused(sql, "FOREIGN", end, NEW, "withdrawn")


def test_used_is_never_more_than_metered_and_short(sql: Raw) -> None:
    assert sql.execute("SELECT metered_wh, used_wh, short_wh FROM shorts").fetchone() == (
        100,
        100,
        0,
    )
    for change in ("used_wh = 101", "metered_wh = 99", "short_wh = -1"):
        refused(sql, "CHECK", f"UPDATE shorts SET {change}")
    refused(sql, "CHECK", "INSERT INTO shorts VALUES (1, ?, 900, 999, 5, 6, 0)", NEW)
    refused(
        sql,
        "CHECK",
        "INSERT INTO claim_flags VALUES (1, 999, ?, 'odd')",
        one(sql, "SELECT claim FROM claims"),
    )


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE shorts SET metered_wh = 120",
        "UPDATE shorts SET used_wh = 90",
        "DELETE FROM shorts",
        "DELETE FROM claim_ends",
        "DELETE FROM claim_flags",
        "UPDATE claim_ends SET kind = 'withdrawn'",
        "UPDATE claims SET wh = wh + 1",
        "UPDATE claims SET author = 'shop'",
        "UPDATE claim_lots SET wh = wh - 1 WHERE wh > 0",
        "UPDATE lots SET holder = point WHERE supply_class = 2",
        "UPDATE lots SET wh = wh + 1",
        "UPDATE origins SET remainder = NULL",
        "DELETE FROM lot_spends WHERE lot NOT IN (SELECT lot FROM claim_lots) OR 1 = 1",
    ],
)
def test_whoever_writes_past_them_is_found(claimed: House, change: str) -> None:
    tamper(claimed, change)
    with pytest.raises(Corrupt):
        claimed.audit(no_progress)
