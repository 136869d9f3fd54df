"""Retirements of claims in the database: plain SQL around the rules, with the triggers in place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ledger.claims import service
from ledger.errors import Corrupt
from ledger.house import House
from tests.claims.certified import MARCH, claim, neutral, retired
from tests.ledgers import no_progress, tamper
from tests.raw import Raw
from tests.registry.sql import NEW, insert, insert_refused, opened, refused, row_of

pytestmark = pytest.mark.both_databases

ONCE = "a retirement is in one claim"
FOR = "a retirement is for the claimant"


@pytest.fixture
def claimed(certified: House) -> House:
    """A claim with certificates and credits that another one replaced; and what is in none yet."""
    first = claim(certified, retired(certified, 5), neutral(certified, 3))
    service.replace(certified.desk, first.claim, "anew", retirements=[retired(certified, 1)])
    retired(certified, 1)
    retired(certified, 1, MARCH)
    retired(certified, 1, beneficiary="shop")
    return certified


@pytest.fixture
def sql(claimed: House) -> Iterator[Raw]:
    with opened(claimed) as connection:
        yield connection


def found(sql: Raw, query: str, *values: Any) -> Any:
    return sql.execute(query, *values).fetchone()[0]


def in_force(sql: Raw) -> Any:
    return found(sql, "SELECT claim FROM claims WHERE replaces IS NOT NULL")


def in_no_claim(sql: Raw, where: str) -> Any:
    return found(
        sql,
        "SELECT retirement FROM retirements WHERE retirement NOT IN"
        f" (SELECT retirement FROM claim_retirements) AND {where}",
    )


FREE = "beneficiary = 'mill' AND start_s < 1772294400"
LINE = "INSERT INTO claim_retirements VALUES (1, ?, ?, ?)"


def test_nothing_is_changed_or_deleted(sql: Raw) -> None:
    assert found(sql, "SELECT COUNT(*) FROM claim_retirements") == 2 + 3
    refused(sql, "append-only", "UPDATE claim_retirements SET wh = wh")
    refused(sql, "append-only", "DELETE FROM claim_retirements")


def test_invariant_04_one_claim(sql: Raw) -> None:
    claims = row_of(sql, "claims", "replaces IS NOT NULL")
    insert(sql, "claims", {**claims, "claim": NEW, "entry_index": 999, "replaces": None})
    every = sql.execute("SELECT DISTINCT retirement FROM claim_retirements").fetchall()
    assert len(every) == 3
    for (retirement,) in every:
        refused(sql, ONCE, LINE, NEW, retirement, 0)
    refused(sql, "UNIQUE", LINE, claims["claim"], every[0][0], 0)


def test_a_withdrawn_claim_does_not_let_go(sql: Raw) -> None:
    claims = row_of(sql, "claims", "replaces IS NOT NULL")
    sql.execute("INSERT INTO claim_ends VALUES (1, ?, 999, 'withdrawn', 'x')", claims["claim"])
    insert(sql, "claims", {**claims, "claim": NEW, "entry_index": 999, "replaces": None})
    retirement = found(
        sql, "SELECT retirement FROM claim_retirements WHERE claim = ?", claims["claim"]
    )
    refused(sql, ONCE, LINE, NEW, retirement, 0)


def test_invariant_04_one_consumer_and_time(sql: Raw) -> None:
    claim_ = in_force(sql)
    refused(sql, FOR, LINE, claim_, in_no_claim(sql, "beneficiary = 'shop'"), 0)
    refused(sql, FOR, LINE, claim_, in_no_claim(sql, "start_s = 1772294400"), 0)
    refused(sql, FOR, LINE, claim_, NEW, 0)
    refused(sql, FOR, LINE, NEW, in_no_claim(sql, FREE), 0)


def test_worth_its_units(sql: Raw) -> None:
    claim_, free = in_force(sql), in_no_claim(sql, FREE)
    refused(sql, "worth its units", LINE, claim_, free, 1_000_001)
    refused(sql, "CHECK", LINE, claim_, free, -1)
    sql.execute(LINE, claim_, free, 1_000_000)


def test_a_retirement_is_made_once_and_is_for_something(sql: Raw) -> None:
    row = row_of(sql, "retirements")
    insert_refused(sql, "UNIQUE", "retirements", row, entry_index=999)
    insert_refused(sql, "UNIQUE", "retirements", row, retirement=NEW)
    insert_refused(sql, "CHECK", "retirements", row, retirement=NEW, entry_index=999, units=0)
    insert_refused(
        sql, "CHECK", "retirements", row, retirement=NEW, entry_index=999, end_s=row["start_s"]
    )


def test_invariant_10_lots_of_a_reduction_are_in_no_claim(
    certified: House,
) -> None:
    """Whatever brings a later claim, with lots that it spends, past the rules."""
    held = claim(certified)
    with opened(certified) as sql:
        lot = found(sql, "SELECT lot FROM claim_lots WHERE wh > 0")
        point, month = sql.execute(
            "SELECT point, month_start_s FROM lots WHERE lot = ?", lot
        ).fetchone()
        sql.execute("INSERT INTO energy_bars VALUES (1, ?, ?, 500, 'ccer')", point, month)
        row = row_of(sql, "claims")
        sql.execute("INSERT INTO claim_ends VALUES (1, ?, 600, 'replaced', 'x')", held.claim)
        insert(sql, "claims", {**row, "claim": NEW, "entry_index": 600, "replaces": held.claim})
        why = "its energy went into a reduction"
        refused(sql, why, "INSERT INTO claim_lots VALUES (1, ?, ?, 0)", NEW, lot)


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE claim_retirements SET wh = wh - 1 WHERE wh > 0",
        "UPDATE claim_retirements SET wh = 1 WHERE wh = 0",
        "DELETE FROM claim_retirements WHERE wh = 0",
        "UPDATE retirements SET beneficiary = 'shop'",
        "UPDATE retirements SET units = units + 1",
        "UPDATE retirements SET end_s = end_s - 900",
        "UPDATE gone_units SET end_unit = end_unit + 1",
        "UPDATE unit_batches SET unit_size = 2000000",
    ],
)
def test_whoever_writes_past_them_is_found(claimed: House, change: str) -> None:
    tamper(claimed, change)
    with pytest.raises(Corrupt):
        claimed.audit(no_progress)
