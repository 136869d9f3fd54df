"""Credits retired for an obligation, in the log: cap, year, project, once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.errors import InvalidInput, NotFound, Refused
from ledger.house import House
from ledger.registry import acting
from ledger.registry import service as registry
from ledger.registry.choosing import Selection
from ledger.registry.leaves import Use
from ledger.registry.project import Project
from ledger.registry.ranges import SerialRange
from ledger.registry.scheme import shipped
from ledger.registry.service import NewBatch, Share
from ledger.units import Period, parse_instant
from tests.credits.parks import refused
from tests.ledgers import no_progress

YEAR = Period(
    start_s=parse_instant("2024-12-31T16:00:00Z"), end_s=parse_instant("2025-12-31T16:00:00Z")
)
USE = Use(beneficiary="mill", purpose="ets-compliance", period=YEAR, obligation=1_000)


def project_of(house: House, scheme: str, name: str, **changes: Any) -> None:
    values: dict[str, Any] = {
        "name": name.title(),
        "owner": "works",
        "plant": name,
        "technology": "forest",
    }
    registry.register_project(house.desk, scheme, name, Project(**(values | changes)))


def imported(
    house: House, scheme: str, code: str, units: int, project: str, owner: str = "mill"
) -> None:
    whole = SerialRange(first=0, end=units)
    shares = (Share(class_="other", owner=owner, units=whole),)
    batch = NewBatch(code=code, units=whole, period=YEAR, shares=shares, project=project)
    registry.issue(house.desk, scheme, [batch])


@pytest.fixture
def market(kiln: House) -> House:
    """200 CCER of a forest, and 100 PHCER of a grove, that the mill holds."""
    for scheme, name, code, units in (
        ("ccer", "forest", "CN-F", 200),
        ("phcer", "grove", "GD-G", 100),
    ):
        registry.register_scheme(kiln.desk, shipped(scheme))
        project_of(kiln, scheme, name)
        imported(kiln, scheme, code, units, name)
    return kiln


def retire(
    house: House,
    count: int,
    use: Use = USE,
    scheme: str = "ccer",
    code: str = "",
    owner: str = "mill",
) -> None:
    selection = Selection(scheme=scheme, count=count, serials=(code,) if code else ())
    acting.retire(house.desk, owner, selection, use)


def test_five_per_cent_over_all_retirements(market: House) -> None:
    """1,000 t are owed: 50 units may be CCER. 30 and 20 are; not one more, but for another year,
    beneficiary or purpose."""
    retire(market, 30)
    retire(market, 20)
    with refused(market, Refused, r"50 of 1000 are allowed \(5 %\), 50 are used, 0 are left"):
        retire(market, 1)
    year = Period(start_s=YEAR.end_s, end_s=parse_instant("2026-12-31T16:00:00Z"))
    retire(market, 5, replace(USE, obligation=100, period=year))
    with refused(market, Refused, "'mill' retires for an obligation of 'shop'"):
        retire(market, 50, replace(USE, beneficiary="shop"))
    imported(market, "ccer", "CN-S", 60, "forest", owner="shop")
    retire(market, 50, replace(USE, beneficiary="shop"), code="CN-S", owner="shop")
    retire(market, 60, Use(beneficiary="mill", purpose="voluntary", period=YEAR))
    market.audit(no_progress)


def test_an_obligation_is_stated_the_same_each_time(market: House) -> None:
    retire(market, 30)
    with refused(market, Refused, "stated as 100000 units; before it was 1000"):
        retire(market, 30, replace(USE, obligation=100_000))
    with refused(market, InvalidInput, "an obligation stands exactly with the purposes ets-compl"):
        retire(market, 1, replace(USE, obligation=0))
    with refused(market, InvalidInput, "an obligation stands exactly with the purposes ets-compl"):
        retire(market, 1, replace(USE, purpose="voluntary"))


def test_an_obligation_is_of_a_year(market: House) -> None:
    """In park time: the year by UTC is none."""
    by_utc = Period(
        start_s=parse_instant("2025-01-01T00:00:00Z"), end_s=parse_instant("2026-01-01T00:00:00Z")
    )
    half = Period(start_s=YEAR.start_s, end_s=parse_instant("2025-06-30T16:00:00Z"))
    for period in (by_utc, half):
        with refused(market, InvalidInput, "2024-12-31T16:00:00Z to 2025-12-31T16:00:00Z, not"):
            retire(market, 1, replace(USE, period=period))


def test_projects_inside_the_boundary_are_barred(market: House) -> None:
    project_of(market, "ccer", "stack", inside_ets=True)
    imported(market, "ccer", "CN-S", 10, "stack")
    with refused(market, Refused, "project stack lies inside of emissions"):
        retire(market, 1, code="CN-S")
    retire(market, 10, Use(beneficiary="mill", purpose="voluntary", period=YEAR), code="CN-S")


def test_old_generation_credits_are_barred(market: House) -> None:
    project_of(market, "ccer", "old", old=True)
    imported(market, "ccer", "CN-O", 10, "old")
    with refused(market, Refused, "credits of project old are of the old generation"):
        retire(market, 1, code="CN-O")


def test_credits_of_unknown_projects_are_barred(market: House) -> None:
    imported(market, "ccer", "CN-U", 10, "")
    with refused(market, Refused, "batch ccer/CN-U/0 is of no registered project"):
        retire(market, 1, code="CN-U")


def test_what_a_project_becomes_later_counts(market: House) -> None:
    project_of(market, "ccer", "forest", inside_ets=True)
    with refused(market, Refused, "project forest lies inside"):
        retire(market, 1)


def test_local_compliance_has_its_own_cap(market: House) -> None:
    """10 % of 500 t are 50; the national market does not take them."""
    use = replace(USE, purpose="local-compliance", obligation=500)
    retire(market, 50, use, scheme="phcer")
    with refused(market, Refused, r"50 of 500 are allowed \(10 %\), 50 are used, 0 are left"):
        retire(market, 1, use, scheme="phcer")
    with refused(market, Refused, "purpose 'ets-compliance' is none of scheme phcer"):
        retire(market, 1, scheme="phcer")
    with refused(market, Refused, "purpose 'local-compliance' is none of scheme ccer"):
        retire(market, 1, use)


def test_invariant_12_a_serial_retires_once(market: House) -> None:
    """One beneficiary, one purpose: of two retirements written at one time, the log takes one."""
    voluntary = Use(beneficiary="mill", purpose="voluntary", period=YEAR)
    whole = acting.chosen_of(
        market.desk, "mill", Selection(scheme="ccer", serials=("CN-F",)), "retire"
    )
    drafts = [
        acting.retire_draft(market.desk, "mill", whole, use)
        for use in (voluntary, replace(voluntary, beneficiary="shop", purpose="neutrality"))
    ]
    market.desk.append(drafts[0])
    with refused(market, Refused, "ended before, by entry .*: it can't be used twice"):
        market.desk.append(drafts[1])
    with refused(market, NotFound, "mill holds no unit of scheme ccer"):
        retire(market, 1, voluntary)
