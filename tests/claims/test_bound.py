"""One energy, two forms: certificates that are bound to lots add nothing, and go where these go."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.certificates.service import Issued, MeteredIssue, issue_metered
from ledger.certificates.settlement import Settlement, settle
from ledger.claims import service
from ledger.claims.shortfall import short_batches
from ledger.db import reading
from ledger.errors import LedgerError
from ledger.house import House
from ledger.lots.model import Month
from ledger.lots.service import Form, wrap
from ledger.matching.service import run_matching
from ledger.recovery.restore import restore
from ledger.registry import acting
from ledger.registry import service as registry
from ledger.registry.choosing import Selection
from ledger.registry.project import Project
from ledger.registry.rule import scan
from tests.claims.certified import (
    MWH,
    claim,
    month,
    mwh,
    retired,
    settled,
    wh_of,
)
from tests.divided import (
    agree,
    all_held,
    consumer,
    correct,
    entries_of,
    point_id,
    source,
    take,
)
from tests.ledgers import dump, no_progress, settings_in

FEBRUARY = Month(year=2026, month=2, zone_offset_s=8 * 3600)


def issued(house: House, class_: str = "self-use", code: str = "R") -> Issued:
    """February's certificates of the roof."""
    wanted = MeteredIssue(project="ROOF", month=FEBRUARY, code=code, units={class_: None})
    (found,) = issue_metered(house.desk, wanted)
    return found


def handed_over(house: House, units: int = 4, to: str = "mill") -> None:
    acting.transfer(house.desk, "farm", to, Selection(scheme="gec", serials=["R"], count=units))


def refused(house: House, why: str, act: Any, *given: Any, **named: Any) -> None:
    before = dump(house.settings.dir)
    with pytest.raises(LedgerError, match=why):
        act(*given, **named)
    assert dump(house.settings.dir) == before


@pytest.fixture
def bound(certified: House) -> House:
    """4 self-use certificates for the 4 MWh that the roof gave the saw; the mill has them."""
    found = issued(certified)
    assert (len(found.units), found.eligible_wh, found.left_wh) == (4, 4 * MWH, 0)
    handed_over(certified)
    return certified


def test_invariant_10_a_form_adds_nothing(bound: House) -> None:
    """4 MWh by lots and by certificates are 4 MWh."""
    four, other = retired(bound, 4, code="R"), retired(bound, 2)
    manifest = claim(bound, four, other).manifest
    assert settled(manifest) == (4 * MWH, 2 * MWH, 4 * MWH)
    assert wh_of(manifest) == {four: 0, other: 2 * MWH}
    assert [one.units for one in manifest.certificates if one.retirement == four] == [4]
    bound.audit(no_progress)


def test_they_belong_with_the_claim_of_their_lots(bound: House) -> None:
    """Also for the same consumer: another claim of it does not have these lots."""
    four = retired(bound, 4, code="R")
    first = claim(bound)
    refused(bound, "are one energy with lots that this claim has not", claim, bound, four)
    again = service.replace(bound.desk, first.claim, "with certificates", retirements=[four])
    assert settled(again.manifest) == (4 * MWH, 0, 6 * MWH)


def test_invariant_08_they_go_to_the_actual_user_alone(certified: House) -> None:
    issued(certified)
    refused(certified, "go to the actual user, not to 'shop'", handed_over, certified, 1, "shop")
    handed_over(certified, 1)
    again = Selection(scheme="gec", serials=["R"], count=1)
    refused(
        certified, "changes hands 1 times", acting.transfer, certified.desk, "mill", "shop", again
    )


def test_invariant_10_they_are_used_by_the_user_of_their_energy_alone(bound: House) -> None:
    """Else one kWh would be a lot here and a certificate there: retired for another one, or taken
    to another registry."""
    refused(
        bound, "actual user, mill, not for 'shop'", retired, bound, 1, code="R", beneficiary="shop"
    )
    refused(
        bound,
        "can't leave",
        acting.finish,
        bound.desk,
        "export",
        "mill",
        Selection(scheme="gec", serials=["R"], count=1),
        "sold elsewhere",
    )


def test_invariant_10_each_user_as_many_as_its_lots_fill(certified: House) -> None:
    """The shop's tower hall took 0.6 MWh of the roof's as well: 1 certificate, rounded up."""
    consumer(certified, "hall", owner="shop")
    take(certified, "roof", mwh(0.6), start=-5)
    take(certified, "hall", mwh(0.6), start=-5)
    agree(certified, "hall", {"hall": 0})
    run_matching(certified.desk, month("2026-02"))
    found = issued(certified)
    assert (len(found.units), found.left_wh) == (4, 600_000)
    handed_over(certified, 2, "shop")
    retired(certified, 1, code="R", owner="shop")
    refused(certified, "1 units, not 2", retired, certified, 1, code="R", owner="shop")


# The lawful chains of issue 4


def test_one_self_use_kwh_through_all_its_forms(certified: House, tmp_path: Any) -> None:
    """A reading, a match, a certificate that does not trade, a claim, a footprint; each once."""
    found = issued(certified)
    handed_over(certified)
    four = retired(certified, 4, code="R")
    report = claim(certified, four)
    form = Form(issuer="Works", number="batch 7")
    lots = [one.id for one in all_held(certified) if one.point == "roof" and one.holder == "saw"]
    lots = [
        one for one in lots if one in {lot.id for lot in all_held(certified) if min(lot.wh) < 0}
    ]
    wrap(certified.desk, lots, "footprint", form)
    refused(certified, "footprint", wrap, certified.desk, lots, "footprint", form)
    # The certificate is the lots' form `gec`: there is no second one.
    refused(certified, "gec", wrap, certified.desk, lots, "gec", form)
    assert settled(report.manifest) == (4 * MWH, 0, 6 * MWH)
    assert len(found.units) == 4
    _holds(certified, tmp_path)


def test_one_green_trade_kwh_through_all_its_forms(certified: House, tmp_path: Any) -> None:
    """Of the wind's tower 2 MWh reach the saw; their 2 certificates move with the power."""
    _traded(certified)
    found = issued_of_tower(certified)
    settle(certified.desk, traded())
    two = retired(certified, 2, code="T")
    report = claim(certified, two)
    assert found.class_ == "green-trade"
    assert settled(report.manifest) == (6 * MWH, 0, 4 * MWH)
    again = Selection(scheme="gec", serials=["T"], count=1)
    with pytest.raises(LedgerError):
        acting.transfer(certified.desk, "mill", "shop", again)
    with pytest.raises(LedgerError):
        settle(certified.desk, traded())
    _holds(certified, tmp_path)


def _traded(house: House) -> None:
    source(house, "tower", owner="wind")
    take(house, "tower", mwh(0.5, 0.5, 0.5, 0.5), start=-4)
    agree(house, "traded", {"saw": 0}, kind="green-trade", seller="wind", sources=["tower"])
    run_matching(house.desk, month("2026-02"))
    tower = Project(
        name="Tower",
        owner="wind",
        plant="tower",
        technology="wind",
        points=(point_id(house, "tower"),),
    )
    registry.register_project(house.desk, "gec", "TOWER", tower)


def issued_of_tower(house: House) -> Issued:
    wanted = MeteredIssue(project="TOWER", month=FEBRUARY, code="T", units={"green-trade": None})
    (found,) = issue_metered(house.desk, wanted)
    return found


def traded() -> Settlement:
    """February's: 3 MWh by contract, of which 2 were generated."""
    return Settlement(
        contract="traded",
        month=FEBRUARY,
        buyer="mill",
        contract_wh=3 * MWH,
        generation_wh=2 * MWH,
        consumption_wh=10 * MWH,
    )


def _holds(house: House, folder: Any) -> None:
    """The audit passes, the public rule too, and a restored ledger is the same."""
    house.audit(no_progress)
    assert scan(entries_of(house)).retirements
    house.checkpoint()
    house.export_entries(folder / "export", no_progress)
    restore(settings_in(folder / "again"), folder / "export", no_progress)
    ours, theirs = dump(house.settings.dir), dump(folder / "again")
    for name in ours:
        if not name.startswith(("checkpoint", "keys", "log", "party_keys")):
            assert ours[name] == theirs[name], name


# Corrections


def shorts(house: House) -> list[tuple[str, int, int]]:
    """[(code, short Wh, Wh made good)]."""
    with reading(house.engine) as conn:
        return [
            (one.batch.code, one.short_wh, one.made_good_wh)
            for one in short_batches(conn, house.log)
        ]


@pytest.mark.parametrize("is_claimed", [True, False])
def test_invariant_17_a_correction_hides_no_bound_certificate(
    bound: House, is_claimed: bool
) -> None:
    """The roof gave 0.25 MWh less in two quarter-hours: whether its lots were claimed or not, 0.5
    MWh of the certificates are of no energy."""
    if is_claimed:
        claim(bound)
    correct(bound, "roof", -4, 750_000)
    correct(bound, "roof", -2, 750_000)
    assert shorts(bound) == [("R", 500_000, 0)]
    bound.audit(no_progress)


def test_what_was_cancelled_makes_good(bound: House) -> None:
    correct(bound, "roof", -4, 0)
    assert shorts(bound) == [("R", 1 * MWH, 0)]
    acting.finish(
        bound.desk, "cancel", "mill", Selection(scheme="gec", serials=["R"], count=1), "corrected"
    )
    assert shorts(bound) == [("R", 1 * MWH, 1 * MWH)]
    bound.audit(no_progress)


def test_the_meter_says_again_what_it_said(bound: House) -> None:
    correct(bound, "roof", -4, 0)
    correct(bound, "roof", -4, 1 * MWH)
    assert shorts(bound) == []


def test_certificates_of_what_was_left_over_are_short_too(certified: House) -> None:
    """2 MWh of a fifth quarter-hour, which nobody was allotted: spent for 2 certificates."""
    take(certified, "roof", mwh(2.1), start=-5)
    take(certified, "saw", mwh(0.1), start=-5)
    run_matching(certified.desk, month("2026-02"))
    found = issued(certified, "ordinary")
    assert (len(found.units), found.eligible_wh) == (2, 2 * MWH)
    correct(certified, "roof", -5, round(1.4 * MWH))
    assert shorts(certified) == [("R", 600_000, 0)]
    certified.audit(no_progress)
