"""Retirements in claims: certificates settle what lots leave, whole and once; credits are apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.claims import service, store
from ledger.db import reading
from ledger.errors import InvalidInput, LedgerError, NotFound, Refused
from ledger.house import House
from ledger.registry import acting
from ledger.registry.choosing import Selection
from ledger.registry.leaves import Use
from ledger.registry.rule import scan
from ledger.units import Period
from tests.claims.certified import (
    BOTH,
    FEB,
    MARCH,
    MWH,
    claim,
    imported,
    mwh,
    neutral,
    retired,
    settled,
    wh_of,
)
from tests.divided import correct, entries_of, span, take
from tests.ledgers import dump, no_progress

# What they settle


def test_whole_certificates_settle_what_lots_leave(certified: House) -> None:
    """10 MWh consumed, 4 of lots, 5 certificates: 1 MWh is left."""
    five = retired(certified, 5)
    report = claim(certified, five)
    assert settled(report.manifest) == (4 * MWH, 5 * MWH, 1 * MWH)
    assert report.receipt.entry.statement["retires"] == [five.hex()]
    certified.audit(no_progress)


def test_beyond_the_residual_they_give_less(certified: House) -> None:
    """8 are used up, 6 MWh were left to settle: certificates are not divided."""
    eight = retired(certified, 8)
    manifest = claim(certified, eight).manifest
    assert settled(manifest) == (4 * MWH, 6 * MWH, 0)
    assert [(one.units, one.wh) for one in manifest.certificates] == [(8, 6 * MWH)]
    certified.audit(no_progress)


def test_invariant_07_green_trade_comes_before_unbundled(certified: House) -> None:
    """Whichever was retired first (domain.md §8)."""
    unbundled, traded = retired(certified, 4), retired(certified, 4, code="G")
    manifest = claim(certified, unbundled, traded).manifest
    assert wh_of(manifest) == {traded: 4 * MWH, unbundled: 2 * MWH}


def test_of_one_class_what_was_retired_first_comes_first(certified: House) -> None:
    first, second = retired(certified, 4), retired(certified, 4)
    manifest = claim(certified, second, first).manifest
    assert wh_of(manifest) == {first: 4 * MWH, second: 2 * MWH}


def test_a_month_inside_of_a_longer_claim_has_its_own_room(certified: House) -> None:
    """Of the claim 10 MWh are left, of February 6: 8 certificates for February settle 6."""
    eight = retired(certified, 8, FEB)
    manifest = claim(certified, eight, period=BOTH).manifest
    assert settled(manifest) == (round(4.8 * MWH), 6 * MWH, 4 * MWH)


def test_several_spans_share_the_whole(certified: House) -> None:
    """5 for February, 3 for March, 5 for both together: of the last 2 MWh find room."""
    february, march = retired(certified, 5, FEB), retired(certified, 3, MARCH)
    whole = retired(certified, 5, BOTH)
    manifest = claim(certified, february, march, whole, period=BOTH).manifest
    assert wh_of(manifest) == {february: 5 * MWH, march: 3 * MWH, whole: 2 * MWH}
    assert manifest.residual_wh == 0


def test_spans_that_overlap_do_not_cover_the_same_twice(certified: House) -> None:
    """Of the first three quarter-hours 4.5 MWh are left, however they are looked at."""
    one, other = retired(certified, 3, span(-4, -2)), retired(certified, 3, span(-3, -1))
    manifest = claim(certified, one, other).manifest
    assert wh_of(manifest) == {one: 3 * MWH, other: round(1.5 * MWH)}


def test_invariant_05_claims_that_share_a_point_share_its_residual(certified: House) -> None:
    """February's 6 MWh, once by a claim of February, and of both months by another."""
    first = claim(certified, retired(certified, 5))
    again = claim(certified, retired(certified, 5, FEB), period=BOTH)
    assert first.manifest.certificate_wh == 5 * MWH
    assert again.manifest.certificate_wh == 1 * MWH
    certified.audit(no_progress)


def test_claims_of_retirements_alone(certified: House) -> None:
    """The shop has no lots; 2 MWh are left of its 2."""
    imported(certified, "S", 3, owner="shop")
    three = retired(certified, 3, code="S", owner="shop")
    report = claim(certified, three, points=["oven"])
    assert settled(report.manifest) == (0, 2 * MWH, 0)
    assert report.receipt.entry.statement["spends"] == []
    with pytest.raises(NotFound, match="there is no lot of oven"):
        claim(certified, points=["oven"], period=MARCH)
    certified.audit(no_progress)


def test_nothing_was_consumed_nothing_is_settled(certified: House) -> None:
    take(certified, "oven", [0, 0], start=4)
    period = span(4, 6)
    imported(certified, "S", 3, owner="shop")
    report = claim(
        certified,
        retired(certified, 3, period, code="S", owner="shop"),
        period=period,
        points=["oven"],
    )
    assert settled(report.manifest) == (0, 0, 0)


# Credits


def test_credits_stand_apart(certified: House) -> None:
    """40 t lessen nothing: the figures are those of the claim without them."""
    tonnes = neutral(certified, 40)
    report = claim(certified, tonnes)
    assert settled(report.manifest) == (4 * MWH, 0, 6 * MWH)
    (one,) = report.manifest.credits
    assert (one.scheme, one.units, one.unit_size_g) == ("ccer", 40, 1_000_000)
    assert report.manifest.certificates == ()
    certified.audit(no_progress)


def test_credits_and_certificates_beside_each_other(certified: House) -> None:
    five, tonnes = retired(certified, 5), neutral(certified, 2)
    manifest = claim(certified, five, tonnes).manifest
    assert settled(manifest) == (4 * MWH, 5 * MWH, 1 * MWH)
    assert [one.retirement for one in manifest.credits] == [tonnes]


# Once, for the one who claims


def refused(house: House, why: str, *retirements: bytes, period: Period = FEB) -> None:
    before = dump(house.settings.dir)
    with pytest.raises(LedgerError, match=why):
        claim(house, *retirements, period=period)
    assert dump(house.settings.dir) == before


def test_invariant_04_a_retirement_is_in_one_claim(certified: House) -> None:
    five = retired(certified, 5)
    first = claim(certified, five)
    refused(certified, f"{five.hex()} is in claim {first.claim.hex()} already", five)
    refused(certified, "already: a certificate is for one consumer and time", five, period=BOTH)


def test_invariant_04_of_one_consumer(certified: House) -> None:
    """Who holds certificates may retire them for somebody else, and then they are that one's."""
    gift = retired(certified, 5, beneficiary="shop")
    refused(certified, f"{gift.hex()} is for 'shop', not for 'mill' who claims", gift)
    report = claim(certified, gift, points=["oven"])
    assert settled(report.manifest) == (0, 2 * MWH, 0)


def test_invariant_04_of_one_time(certified: House) -> None:
    """Used in March, or in March too: not in a claim of February."""
    for period in (MARCH, BOTH, span(-1, 1)):
        one = retired(certified, 1, period)
        refused(certified, f"{one.hex()} is used outside of the claim's period", one)


def test_credits_keep_the_same_rules(certified: House) -> None:
    gift, late = neutral(certified, 5, beneficiary="shop"), neutral(certified, 5, MARCH)
    refused(certified, "is for 'shop', not for 'mill'", gift)
    refused(certified, "is for another time", late)
    tonnes = neutral(certified, 5)
    claim(certified, tonnes)
    refused(certified, "already", tonnes)


def test_what_was_never_retired(certified: House) -> None:
    with pytest.raises(NotFound, match="there is no retirement"):
        claim(certified, b"?" * 16)


def test_a_replacement_takes_over_and_adds(certified: House) -> None:
    five, more = retired(certified, 5), retired(certified, 5)
    first = claim(certified, five)
    again = service.replace(certified.desk, first.claim, "more", retirements=[more])
    assert wh_of(again.manifest) == {five: 5 * MWH, more: 1 * MWH}
    assert again.receipt.entry.statement["retires"] == [more.hex()]
    # What was handed over does not come back, to either of them or to others.
    refused(certified, f"{five.hex()} is in claim {again.claim.hex()} already", five)
    with pytest.raises(Refused, match="already"):
        service.replace(certified.desk, again.claim, "again", retirements=[five])
    third = service.replace(certified.desk, again.claim, "anew")
    assert wh_of(third.manifest) == wh_of(again.manifest)
    certified.audit(no_progress)


def test_a_withdrawn_claim_keeps_its_retirements(certified: House) -> None:
    five = retired(certified, 5)
    first = claim(certified, five)
    service.withdraw(certified.desk, first.claim, "taken back")
    refused(certified, f"{five.hex()} is in claim {first.claim.hex()} already", five)
    certified.audit(no_progress)


def test_the_room_of_a_withdrawn_claim_is_free_again(certified: House) -> None:
    """Its certificates stay used up; the consumption is there for others."""
    first = claim(certified, retired(certified, 6), period=BOTH)
    service.withdraw(certified.desk, first.claim, "taken back")
    # Its lots stay spent, so that nothing covers what they covered.
    report = claim(certified, retired(certified, 11), period=FEB)
    assert settled(report.manifest) == (0, 10 * MWH, 0)


def test_the_public_rule_finds_a_second_use(certified: House) -> None:
    """Headers alone show it: whoever has the log."""
    five = retired(certified, 5)
    first = claim(certified, five)
    entries = entries_of(certified)
    assert scan(entries).claimed == {five.hex(): first.claim.hex()}
    twice = first.receipt.entry.data.replace(first.claim.hex().encode(), b"ab" * 16)
    start = twice.index(b'"spends":[')
    twice = twice[:start] + b'"spends":[' + twice[twice.index(b"]", start) :]
    with pytest.raises(
        Refused, match=f"^entry {len(entries)}: retirement {five.hex()} is in claim"
    ):
        scan([*entries, (len(entries), twice)])


# Vintages


def test_invariant_04_from_2026_on_production_and_use_are_of_one_year(certified: House) -> None:
    """证电同年核销 (domain.md §1, secondary): data of the scheme, from 2026 on."""
    imported(certified, "OLD", 9, of="2025-12")
    with pytest.raises(Refused, match="scheme gec wants the same calendar year"):
        retired(certified, 1, code="OLD")


def test_before_2026_validity_is_enough(certified: House) -> None:
    """Of December 2024, for the last hour of 2025: the claim takes it."""
    december = span(-59 * 96 - 4, -59 * 96)
    take(certified, "oven", mwh(1, 1, 1, 1), start=-59 * 96 - 4)
    imported(certified, "OLD", 9, of="2024-12", owner="shop")
    three = retired(certified, 3, december, code="OLD", owner="shop")
    report = claim(certified, three, period=december, points=["oven"])
    assert settled(report.manifest) == (0, 3 * MWH, 1 * MWH)


# What a correction does


def test_less_consumed_leaves_less_to_settle(certified: House) -> None:
    """A claim is as it was; what replaces it settles less, and never below nothing."""
    six = retired(certified, 6)
    first = claim(certified, six)
    assert settled(first.manifest) == (4 * MWH, 6 * MWH, 0)
    for at in range(-4, 0):
        correct(certified, "saw", at, round(1.5 * MWH))
    with reading(certified.engine) as conn:
        assert settled(store.find_claim(conn, 1, first.claim).manifest) == (4 * MWH, 6 * MWH, 0)
    again = service.replace(certified.desk, first.claim, "the saw was corrected")
    assert settled(again.manifest) == (4 * MWH, 2 * MWH, 0)
    certified.audit(no_progress)


def test_uses_are_of_whole_quarter_hours(certified: House) -> None:
    """Certificates are compared with consumption by quarter-hours."""
    odd = replace(FEB, start_s=FEB.start_s + 300)
    use = Use(beneficiary="mill", purpose="green-power", period=odd)
    with pytest.raises(InvalidInput, match="whole quarter-hours"):
        acting.retire(certified.desk, "mill", Selection(scheme="gec", count=1), use)
