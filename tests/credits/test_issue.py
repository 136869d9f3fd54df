"""Units of a record: issued once, as it was verified, and used like any other unit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.credits.ccus import ROLES
from ledger.credits.service import issue_record, verify_reduction
from ledger.db import reading
from ledger.errors import InvalidInput, LedgerError, NotFound, Refused
from ledger.house import House
from ledger.registry import acting
from ledger.registry import service as registry
from ledger.registry import store as units
from ledger.registry.choosing import Selection
from ledger.registry.leaves import Use
from ledger.registry.ranges import SerialRange
from ledger.registry.scheme import shipped
from ledger.registry.service import NewBatch, Share
from ledger.units import Period
from tests.credits.flows import grams
from tests.credits.parks import (
    HOUR,
    KEY,
    NEXT,
    confirmed,
    monitored,
    project,
    record,
    refused,
    row_of,
)
from tests.ledgers import no_progress


def batch_of(found: bytes, **changes: Any) -> NewBatch:
    """What the first hour of the kiln makes: 607 avoided and 202 removed."""
    values: dict[str, Any] = {
        "code": found.hex(),
        "units": SerialRange(first=0, end=809),
        "period": HOUR,
        "shares": (share("avoided", 0, 607), share("removal", 607, 809)),
        "project": KEY.project,
        "record": found.hex(),
    }
    return NewBatch(**(values | changes))


def share(class_: str, first: int, end: int) -> Share:
    return Share(class_=class_, owner="works", units=SerialRange(first=first, end=end))


def held(house: House, owner: str) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    with reading(house.engine) as conn:
        for row in units.live_of(conn, 1, "internal", owner):
            found.setdefault(row.class_, []).append((row.units.first, row.units.end))
    return found


def test_units_of_a_record_go_their_way(kiln: House) -> None:
    """607.5 t avoided and 202.5 t removed: 809 whole tonnes; of them 300 go to the mill, which
    retires 100 for its neutrality."""
    found = confirmed(kiln)
    issue_record(kiln.desk, found)
    assert row_of(kiln, found).state == "issued"
    assert held(kiln, "works") == {"avoided": [(0, 607)], "removal": [(607, 809)]}
    acting.transfer(
        kiln.desk, "works", "mill", Selection(scheme="internal", count=300, class_="avoided")
    )
    use = Use(beneficiary="mill", purpose="neutrality", period=HOUR)
    acting.retire(kiln.desk, "mill", Selection(scheme="internal", count=100, class_="avoided"), use)
    assert sum(end - first for first, end in held(kiln, "mill")["avoided"]) == 200
    kiln.audit(no_progress)


def test_units_may_begin_with_another_owner(kiln: House) -> None:
    found = confirmed(kiln)
    issue_record(kiln.desk, found, "shop")
    assert held(kiln, "works") == {}
    assert held(kiln, "shop") == {"avoided": [(0, 607)], "removal": [(607, 809)]}


def test_a_record_is_issued_once(kiln: House) -> None:
    found = confirmed(kiln)
    issue_record(kiln.desk, found)
    with refused(kiln, Refused, "units 0-809 overlap|was issued before"):
        issue_record(kiln.desk, found)
    other = batch_of(found, code="again")
    with refused(kiln, LedgerError, "was issued before|UNIQUE"):
        registry.issue(kiln.desk, "internal", [other])


def test_nothing_is_issued_before_another_party_confirmed_it(kiln: House) -> None:
    found = record(kiln).record
    with refused(kiln, Refused, "is recorded, credited: units are issued for what is confirmed"):
        issue_record(kiln.desk, found)
    with refused(kiln, Refused, "is not verified yet"):
        registry.issue(kiln.desk, "internal", [batch_of(found)])
    verify_reduction(kiln.desk, found, "audit", "No", confirmed=False)
    with refused(kiln, Refused, "is rejected: no units are issued for it"):
        registry.issue(kiln.desk, "internal", [batch_of(found)])
    with refused(kiln, Refused, "was never made"):
        registry.issue(kiln.desk, "internal", [batch_of(bytes(15) + b"\x01")])
    with refused(kiln, NotFound, "no reduction record"):
        issue_record(kiln.desk, bytes(16))


def test_what_is_subtracted_at_source_is_never_credited(kiln: House) -> None:
    found = confirmed(kiln, treatment="at-source")
    with refused(kiln, Refused, "is at-source: no units are issued for it"):
        registry.issue(kiln.desk, "internal", [batch_of(found)])


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {
                "units": SerialRange(first=0, end=810),
                "shares": (share("avoided", 0, 608), share("removal", 608, 810)),
            },
            Refused,
            r"makes units {'avoided': 607, 'removal': 202}, the batch has {'avoided': 608, 'remov",
        ),
        (
            {"shares": (share("avoided", 0, 202), share("removal", 202, 809))},
            Refused,
            "the batch has {'avoided': 202, 'removal': 607}",
        ),
        (
            {"units": SerialRange(first=0, end=607), "shares": (share("avoided", 0, 607),)},
            Refused,
            "the batch has {'avoided': 607}",
        ),
        (
            {
                "units": SerialRange(first=1, end=810),
                "shares": (share("avoided", 1, 608), share("removal", 608, 810)),
            },
            InvalidInput,
            "units of a record have its id as code, begin at 0",
        ),
        ({"code": "other"}, InvalidInput, "units of a record have its id as code"),
        ({"period": NEXT}, InvalidInput, "and are of its time"),
        ({"record": ""}, InvalidInput, "a record stands exactly behind internal units"),
        ({"project": ""}, Refused, "internal units are of a project"),
    ],
)
def test_a_batch_is_what_was_verified(
    kiln: House, changes: dict[str, Any], error: type[LedgerError], message: str
) -> None:
    found = confirmed(kiln)
    with refused(kiln, error, message):
        registry.issue(kiln.desk, "internal", [batch_of(found, **changes)])
    registry.issue(kiln.desk, "internal", [batch_of(found)])


def test_one_projects_record_is_not_anothers(kiln: House) -> None:
    found = confirmed(kiln)
    registry.register_project(
        kiln.desk, "internal", "other", project(kiln, plant="other", points=())
    )
    with refused(kiln, Refused, "record .* is of project internal/kiln"):
        registry.issue(kiln.desk, "internal", [batch_of(found, project="other")])


def test_a_frozen_project_issues_nothing(kiln: House) -> None:
    found = confirmed(kiln)
    registry.register_project(kiln.desk, "internal", "kiln", project(kiln, state="frozen"))
    with refused(kiln, Refused, "project internal/kiln is frozen: no units are issued"):
        issue_record(kiln.desk, found)


def test_less_than_a_tonne_makes_no_unit(kiln: House) -> None:
    """0.9 t net of half biogenic CO2: 0.405 t of each; it is carried on, not issued."""
    mass_g = dict.fromkeys(ROLES, 0) | dict.fromkeys(
        ("captured", "transported", "injected"), grams("0.9")
    )
    found = confirmed(kiln, points={}, mass_g=mass_g, tolerance_g=0, biogenic_ppm=500_000)
    with refused(kiln, Refused, "makes no whole unit: what is left is carried on"):
        issue_record(kiln.desk, found)
    with refused(kiln, Refused, "makes no whole unit: nothing is issued for it"):
        registry.issue(kiln.desk, "internal", [batch_of(found)])


def ccer(house: House, **changes: Any) -> None:
    registry.register_scheme(house.desk, shipped("ccer"))
    registry.register_project(house.desk, "ccer", "K-1", project(house, **changes))


def credits_of(period: Period, code: str = "CN-1") -> NewBatch:
    shares = (Share(class_="other", owner="works", units=SerialRange(first=0, end=5)),)
    return NewBatch(code=code, units=shares[0].units, period=period, shares=shares, project="K-1")


def test_what_is_recorded_here_is_not_imported_too(kiln: House) -> None:
    """Nor the other way round; of another time, or plant, it may be."""
    ccer(kiln)
    found = record(kiln).record
    with refused(kiln, Refused, "batch ccer/CN-1/0: record .* is of the same plant kiln and time"):
        registry.issue(kiln.desk, "ccer", [credits_of(HOUR)])
    registry.issue(kiln.desk, "ccer", [credits_of(NEXT)])
    with refused(kiln, Refused, "batch ccer/CN-1/0 holds credits of plant kiln for that time"):
        record(kiln, NEXT)
    verify_reduction(kiln.desk, found, "audit", "It is a CCER", confirmed=False)
    registry.issue(kiln.desk, "ccer", [credits_of(HOUR, "CN-2")])
    kiln.audit(no_progress)


def test_two_programmes_do_not_credit_one_reduction(kiln: House) -> None:
    """Of one programme several batches may be of one time: their serials differ."""
    ccer(kiln)
    registry.issue(kiln.desk, "ccer", [credits_of(HOUR), credits_of(HOUR, "CN-2")])
    registry.register_scheme(kiln.desk, shipped("phcer"))
    registry.register_project(kiln.desk, "phcer", "K-1", project(kiln))
    with refused(kiln, Refused, "batch ccer/CN-1/0 holds credits of plant kiln for that time"):
        registry.issue(kiln.desk, "phcer", [credits_of(HOUR, "GD-1")])
    registry.issue(kiln.desk, "phcer", [credits_of(NEXT, "GD-1")])


def test_another_plant_is_no_concern(kiln: House) -> None:
    ccer(kiln, plant="forest", points=())
    record(kiln)
    registry.issue(kiln.desk, "ccer", [credits_of(HOUR)])


def test_internal_units_meet_no_obligation(kiln: House) -> None:
    issue_record(kiln.desk, confirmed(kiln))
    use = Use(beneficiary="mill", purpose="ets-compliance", period=HOUR, obligation=100)
    with refused(kiln, Refused, r"\(not CCER/PHCER, no compliance use\); it has neutrality, vol"):
        acting.retire(kiln.desk, "works", Selection(scheme="internal", count=1), use)


def test_schemes_of_other_units_have_no_records(kiln: House) -> None:
    kilograms = replace(shipped("internal"), scheme="kilograms", unit_size=1_000)
    registry.register_scheme(kiln.desk, kilograms)
    registry.register_project(kiln.desk, "kilograms", "kiln", project(kiln))
    with refused(kiln, Refused, "in units of 1000 g: reductions are recorded for .* in tonnes"):
        record(kiln, key=replace(KEY, scheme="kilograms"))
    assert monitored().key == KEY
