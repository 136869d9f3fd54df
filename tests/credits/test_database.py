"""The database refuses it even if the code were wrong: plain SQL, with the triggers in place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ledger.credits.service import issue_record, reverse, verify_reduction
from ledger.errors import Corrupt
from ledger.house import House
from tests.credits.flows import grams
from tests.credits.parks import HOUR, KEY, NEXT, confirmed, record
from tests.ledgers import NOW_S, no_progress, raw, tamper
from tests.raw import REFUSED, Raw

pytestmark = pytest.mark.both_databases

NEW = b"n" * 16
OTHER = b"o" * 16
FREE = {"start_s": NOW_S, "end_s": NOW_S + 900}
# What the second hour of the kiln is worth: 203 and 608 units of 810 t, 90 t in the buffer.
WORTH = {
    "verdict": "confirmed",
    "credited": 1,
    "debit_g": 0,
    "buffer_g": grams("90"),
    "avoided_carried_g": grams("0.5"),
    "avoided_g": grams("607.5"),
    "avoided_units": 608,
    "avoided_left_g": 0,
    "removal_carried_g": grams("0.5"),
    "removal_g": grams("202.5"),
    "removal_units": 203,
    "removal_left_g": 0,
}


@pytest.fixture
def recorded(kiln: House) -> House:
    """One hour confirmed and issued, the next one only recorded."""
    issue_record(kiln.desk, confirmed(kiln))
    record(kiln, NEXT)
    return kiln


@pytest.fixture
def sql(recorded: House) -> Iterator[Raw]:
    connection = raw(recorded)
    yield connection
    connection.close()


def first_row(sql: Raw, table: str) -> dict[str, Any]:
    names = sql.columns(table)
    found = sql.execute(f"SELECT * FROM {table} ORDER BY entry_index").fetchone()
    return dict(zip(names, found, strict=True))


def add(sql: Raw, table: str, **changes: Any) -> None:
    """The table's first row again, changed."""
    row = first_row(sql, table) | {"entry_index": 999} | changes
    marks = ",".join("?" * len(row))
    sql.execute(f"INSERT INTO {table} VALUES ({marks})", *row.values())


def refused(sql: Raw, why: str, table: str, **changes: Any) -> None:
    with pytest.raises(REFUSED, match=f"(?i){why}"):
        add(sql, table, **changes)


def second(sql: Raw) -> bytes:
    """The record that nobody verified yet."""
    found = sql.execute("SELECT record FROM reductions ORDER BY entry_index DESC").fetchone()[0]
    assert isinstance(found, bytes)
    return found


def test_rows_never_change(recorded: House, sql: Raw) -> None:
    reverse(recorded.desk, KEY, 1, NOW_S, "x")
    for table in ("reductions", "verifications", "reversals"):
        for command in (f"UPDATE {table} SET log_id = log_id", f"DELETE FROM {table}"):
            with pytest.raises(REFUSED, match="append-only"):
                sql.execute(command)


def test_invariant_02_nothing_is_recorded_twice(sql: Raw) -> None:
    """Not in one project, nor at one plant in two schemes; nor under one id."""
    inside = {"start_s": HOUR.start_s + 900, "end_s": HOUR.start_s + 1800}
    for elsewhere in ({}, {"plant": "other"}, {"scheme": "other", "project": "other"}):
        refused(sql, "overlap", "reductions", record=NEW, **inside, **elsewhere)
    refused(sql, "UNIQUE", "reductions", **FREE)
    add(sql, "reductions", record=NEW, **FREE)
    far = {"scheme": "other", "project": "other", "plant": "other"}
    add(sql, "reductions", record=OTHER, **inside, **far)


def test_a_rejected_record_holds_no_time(recorded: House, sql: Raw) -> None:
    verify_reduction(recorded.desk, second(sql), "audit", "No", confirmed=False)
    add(sql, "reductions", record=NEW, start_s=NEXT.start_s, end_s=NEXT.end_s)


@pytest.mark.sqlite_only  # the constraints are the same text on both
@pytest.mark.parametrize(
    "changes",
    [
        {"net_g": grams("979") + 1},
        {"net_g": grams("901")},
        {"net_g": grams("899")},
        {"stored_g": grams("980"), "net_g": grams("901")},
        {"injected_g": grams("991")},
        {"emissions_g": 0, "net_g": grams("979")},
        {"energy_emissions_g": 0},
        {"captured_g": grams("1046.000001"), "tolerance_g": grams("50")},
        {"used_g": grams("60")},
        {"transported_g": grams("900")},
        {"transport_leakage_g": grams("60")},
        {"recycled_g": grams("11")},
        {"tolerance_g": grams("50") + 1},
        {"tolerance_g": -1},
        {"biogenic_ppm": 1_000_001},
        {"treatment": "both"},
        {"end_s": NOW_S},
        {"captured_g": -1},
    ],
)
def test_invariant_16_the_balance_is_kept(sql: Raw, changes: dict[str, Any]) -> None:
    refused(sql, "CHECK", "reductions", **{"record": NEW, **FREE, **changes})


def test_what_was_verified_is_what_was_recorded(sql: Raw) -> None:
    record_ = second(sql)
    refused(sql, "UNIQUE|what was recorded", "verifications")
    refused(sql, "what was recorded", "verifications", record=NEW)
    for wrong in (
        {"buffer_g": grams("89")},
        {"avoided_g": grams("608.5"), "avoided_units": 609},
        {"avoided_carried_g": 0, "avoided_units": 607, "avoided_left_g": grams("0.5")},
        {"removal_carried_g": grams("1.5"), "removal_units": 204},
        {"debit_g": grams("90"), "buffer_g": 0},
        {"verdict": "rejected"},
        {"project": "other"},
        {"scheme": "other"},
    ):
        refused(sql, "what was recorded", "verifications", **WORTH | {"record": record_} | wrong)
    for wrong in (
        {"avoided_units": 609},
        {"avoided_units": 607, "avoided_left_g": grams("1")},
        {"removal_units": 202},
    ):
        refused(sql, "CHECK", "verifications", **WORTH | {"record": record_} | wrong)
    refused(sql, "what was recorded", "verifications", **WORTH | {"record": record_, "credited": 0})
    refused(
        sql,
        "CHECK",
        "verifications",
        **WORTH | {"record": record_, "credited": 0, "verdict": "rejected"},
    )
    add(sql, "verifications", **WORTH, record=record_)


def test_what_is_at_source_is_not_credited(sql: Raw) -> None:
    add(sql, "reductions", record=NEW, treatment="at-source", **FREE)
    refused(sql, "what was recorded", "verifications", **WORTH | {"record": NEW})


def test_what_is_owed_is_made_up_for_first(recorded: House, sql: Raw) -> None:
    """100 escape: the buffer's 90, and 10 are owed."""
    reverse(recorded.desk, KEY, grams("100"), NOW_S, "x")
    record_ = second(sql)
    refused(sql, "old reversals first", "verifications", **WORTH, record=record_)
    for debit, buffer in (("9", "81"), ("11", "79")):
        masses = {"debit_g": grams(debit), "buffer_g": grams(buffer)}
        refused(sql, "old reversals first", "verifications", **WORTH | masses, record=record_)
    masses = {"debit_g": grams("10"), "buffer_g": grams("80")}
    add(sql, "verifications", **WORTH | masses, record=record_)


def test_a_reversal_is_met_as_the_rule_says(recorded: House, sql: Raw) -> None:
    """1 t was met by the buffer, which has 89 t left; 978 t are stored."""
    reverse(recorded.desk, KEY, grams("1"), NOW_S, "x")
    for mass, buffer, debit in (
        ("100", "90", "10"),
        ("100", "88", "12"),
        ("100", "0", "100"),
        ("978.000001", "89", "889.000001"),
    ):
        refused(
            sql,
            "the buffer first",
            "reversals",
            g=grams(mass),
            buffer_g=grams(buffer),
            debit_g=grams(debit),
        )
    refused(sql, "CHECK", "reversals", g=grams("100"), buffer_g=grams("89"), debit_g=0)
    refused(sql, "CHECK", "reversals", g=0, buffer_g=0, debit_g=0)
    add(sql, "reversals", g=grams("978"), buffer_g=grams("89"), debit_g=grams("889"))


def test_units_are_those_of_a_confirmed_record(recorded: House, sql: Raw) -> None:
    record_ = second(sql)
    batch = {
        "record": record_,
        "code": record_.hex(),
        "start_s": NEXT.start_s,
        "end_s": NEXT.end_s,
        "end_unit": 811,
    }
    refused(sql, "confirmed, credited record", "unit_batches", **batch)
    verify_reduction(recorded.desk, record_, "audit", "Seen")
    for wrong in (
        {"end_unit": 812},
        {"first_unit": 1, "end_unit": 812},
        {"project": "other"},
        {"scheme": "other"},
        {"start_s": HOUR.start_s},
        {"record": NEW},
    ):
        refused(sql, "confirmed, credited record", "unit_batches", **batch | wrong)
    add(sql, "unit_batches", **batch)
    refused(sql, "UNIQUE|confirmed", "unit_batches", **batch | {"code": "again"})
    holding = {"holding": NEW, "code": record_.hex(), "class": "removal", "first_unit": 0}
    refused(sql, "so many units of a class", "holdings", **holding | {"end_unit": 204})
    refused(
        sql,
        "so many units of a class",
        "holdings",
        **holding | {"end_unit": 1, "class": "ccer"},
    )
    add(sql, "holdings", **holding | {"end_unit": 203})
    more = holding | {"holding": OTHER, "first_unit": 203, "end_unit": 204}
    refused(sql, "so many units of a class", "holdings", **more)
    add(sql, "holdings", **more | {"class": "avoided"})


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE reductions SET biogenic_ppm = biogenic_ppm + 1",
        "UPDATE reductions SET treatment = 'at-source'",
        "UPDATE reductions SET plant = 'other'",
        "UPDATE verifications SET buffer_g = buffer_g + 1",
        "UPDATE verifications SET verdict = 'rejected'",
        "UPDATE reversals SET reason = 'none'",
        "DELETE FROM reversals",
    ],
)
def test_whoever_writes_past_them_is_found(recorded: House, change: str) -> None:
    reverse(recorded.desk, KEY, 1, NOW_S, "x")
    recorded.audit(no_progress)
    tamper(recorded, change)
    with pytest.raises(Corrupt):
        recorded.audit(no_progress)
