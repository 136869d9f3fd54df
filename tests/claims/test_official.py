"""A claim is final when official statements confirm what it rests on, and not before."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ledger.claims import service, store
from ledger.claims.official import FINAL, PENDING, Official, official
from ledger.db import reading
from ledger.house import House
from ledger.statements.service import import_statement
from tests.claims.certified import claim, imported, retired
from tests.claims.test_bound import handed_over, issued
from tests.statements.files import PLAIN, csv, profile


def state_of(house: House, claimed: bytes) -> Official:
    with reading(house.engine) as conn:
        return official(conn, house.log, store.find_claim(conn, 1, claimed))


def stated(house: House, folder: Path, day: int, *rows: str) -> None:
    """An official list as of a day of March."""
    path = folder / f"list-{day}.csv"
    path.write_text(csv("code,units,status", *rows))
    import_statement(house.desk, path, profile(PLAIN), profile_text=PLAIN, as_of=date(2026, 3, day))


def test_invariant_22_final_only_by_official_statements(certified: House, tmp_path: Path) -> None:
    imported(certified, "X", 2, owner="shop")
    made = claim(certified, retired(certified, 2, code="X", owner="shop"), points=["oven"])
    found = state_of(certified, made.claim)
    assert (found.status, found.units, found.confirmed, found.as_of) == (PENDING, 2, 0, "")
    assert "2 of 2 units of gec are confirmed by no official statement" in found.reasons[0]
    stated(certified, tmp_path, 1, "X,2,held")
    assert state_of(certified, made.claim).status == PENDING


@pytest.mark.parametrize(("units", "status", "confirmed"), [(1, PENDING, 1), (2, FINAL, 2)])
def test_invariant_22_all_units_or_none(
    certified: House, tmp_path: Path, units: int, status: str, confirmed: int
) -> None:
    imported(certified, "X", 2, owner="shop")
    one, other = (retired(certified, 1, code="X", owner="shop") for _ in range(2))
    made = claim(certified, one, other, points=["oven"])
    stated(certified, tmp_path, 1, f"X,{units},cancelled")
    found = state_of(certified, made.claim)
    assert (found.status, found.confirmed, found.as_of) == (status, confirmed, "2026-03-01")


def test_invariant_22_lots_wait_for_their_certificates(certified: House, tmp_path: Path) -> None:
    """Certificates of somebody else's energy do not make a claim's lots final."""
    made = claim(certified, retired(certified, 1))
    stated(certified, tmp_path, 1, "O,1,cancelled")
    found = state_of(certified, made.claim)
    assert (found.status, found.confirmed, found.lots_pending) == (PENDING, 1, 1)
    assert "1 of 1 lots of supply wait for their certificate: 1 have none" in found.reasons[0]


@pytest.mark.parametrize(("units", "status"), [(3, PENDING), (4, FINAL)])
def test_invariant_22_confirmed_certificates_are_worth_the_lots(
    certified: House, tmp_path: Path, units: int, status: str
) -> None:
    batch = issued(certified).batch
    handed_over(certified)
    made = claim(certified, retired(certified, units, code=batch.code))
    assert made.manifest.claimed_wh == 4_000_000
    stated(certified, tmp_path, 1, f"{batch.code},{units},cancelled")
    assert state_of(certified, made.claim).status == status


def test_a_replaced_claim_is_judged_anew(certified: House, tmp_path: Path) -> None:
    batch = issued(certified).batch
    handed_over(certified)
    made = claim(certified, retired(certified, 3, code=batch.code))
    last = retired(certified, 1, code=batch.code)
    again = service.replace(certified.desk, made.claim, "the fourth one", retirements=[last])
    stated(certified, tmp_path, 1, f"{batch.code},4,cancelled")
    assert state_of(certified, again.claim).status == FINAL
