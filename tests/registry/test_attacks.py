"""Attempts to use one MWh, or one tonne, twice: by another project, plant, month, code or act."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.certificates.settlement import Settlement, settle
from ledger.db import reading
from ledger.errors import InvalidInput, LedgerError, Refused
from ledger.house import House
from ledger.lots.model import Month
from ledger.metering.service import Origin, take_in
from ledger.registry import acting, service, store
from ledger.registry.crediting import issue_credits
from ledger.registry.project import Project
from ledger.registry.rule import Uses
from ledger.registry.scheme import shipped
from ledger.units import Period
from tests.divided import agree, consumer, point_id, source
from tests.ledgers import dump, no_progress, series
from tests.registry.metered import MONTHS, WINTER, build, certify, generate, lots_of
from tests.units import again, do, green, issue, month, new_batch, pick, reductions, wind

MWH = 1_000_000
ENERGY = reductions(
    classes=[
        {
            "class": class_,
            "moves_max": 9,
            "moved_by": "transfer",
            "lot_classes": lot_classes,
            "lots": how,
        }
        for class_, lot_classes, how in (("credit", [], "none"), ("energy", [0], "spent"))
    ]
)


@pytest.fixture
def metered(park: House) -> House:
    """A roof whose energy of January, 3 MWh, has certificates with lots behind them."""
    build(park)
    generate(park, 1, 3 * MWH)
    return park


def roof(house: House, plant: str = "works", **changes: Any) -> Project:
    terms: dict[str, Any] = {"technology": "pv", "points": (point_id(house, "roof"),)}
    return wind(plant, **(terms | changes))


def credit(house: House, number: int, class_: str = "energy") -> None:
    batch = new_batch("R", 0, 5, class_=class_, period=MONTHS[number], project="R")
    issue_credits(house.desk, "reductions", [batch])


# Projects


def test_a_project_keeps_its_points(metered: House) -> None:
    """Without them certificates of the same energy would need no lots."""
    before = dump(metered.settings.dir)
    with pytest.raises(Refused, match=r"was registered with point .*, and keeps it"):
        service.register_project(metered.desk, "gec", "P9", roof(metered, points=()))
    assert dump(metered.settings.dir) == before


def test_no_certificates_without_lots_beside_those_with_lots(metered: House) -> None:
    certify(metered, 1, 0, 3, eligible_wh=3 * MWH)
    service.register_project(metered.desk, "gec", "P10", roof(metered, points=()))
    with pytest.raises(Refused, match=r"stand behind batch gec/M/0, .* by its lots alone"):
        issue(metered, "OTHER", 0, 3, project="P10", period=MONTHS[1])
    issue(metered, "OTHER", 0, 3, project="P10", period=MONTHS[12])


def test_no_certificates_with_lots_beside_those_without(metered: House) -> None:
    service.register_project(metered.desk, "gec", "P10", roof(metered, points=()))
    issue(metered, "OTHER", 0, 3, project="P10", period=MONTHS[1])
    with pytest.raises(Refused, match="batch gec/OTHER/0 is of plant works and 2026-01, with no"):
        certify(metered, 1, 0, 3, eligible_wh=3 * MWH)
    with pytest.raises(Refused, match="batch gec/OTHER/0 is of plant works and 2026-01, with no"):
        certify(metered, 2, 0, 3, eligible_wh=3 * MWH, spends=lots_of(metered, 1))


def test_a_meter_is_of_one_plant_in_all_schemes(metered: House) -> None:
    """Else its certificates are used, and its reductions are of a plant that has none."""
    certify(metered, 1, 0, 3, eligible_wh=3 * MWH)
    acting.retire(metered.desk, "farm", pick("M:0-3"), green("farm"))
    with pytest.raises(Refused, match="is of plant works, by project P9 of scheme gec, not of els"):
        service.register_project(metered.desk, "reductions", "R", roof(metered, "elsewhere"))


def test_reductions_see_certificates_of_a_later_month(metered: House) -> None:
    """Certificates of February that draw on January's lots are of January's energy."""
    service.register_scheme(metered.desk, ENERGY)
    service.register_project(metered.desk, "reductions", "R", wind("works"))
    certify(metered, 2, 0, 3, eligible_wh=3 * MWH, spends=lots_of(metered, 1))
    with pytest.raises(
        Refused, match=r"gec/M/0: units 0-3 .* are active; they are to be cancelled"
    ):
        credit(metered, 1)
    acting.retire(metered.desk, "farm", pick("M:0-3"), green("farm"))
    with pytest.raises(Refused, match=r"batch gec/M/0: units 0-3 of the same plant .* were used"):
        credit(metered, 1)


def test_points_that_come_after_the_reductions_are_barred_too(park: House) -> None:
    source(park, "roof")
    consumer(park, "saw")
    agree(park, "roof-to-saw", {"saw": 0}, period=WINTER)
    generate(park, 12, 2 * MWH)
    generate(park, 1, 2 * MWH)
    service.register_scheme(park.desk, ENERGY)
    service.register_project(park.desk, "reductions", "R", wind("works"))
    credit(park, 12, "credit")
    service.register_project(park.desk, "gec", "P9", roof(park))
    both = lots_of(park, 12) + lots_of(park, 1)
    with pytest.raises(Refused, match="its energy went into a reduction"):
        certify(park, 1, 0, 4, eligible_wh=4 * MWH, spends=both)
    certify(park, 1, 0, 2, eligible_wh=2 * MWH)
    park.audit(no_progress)


# Acts


def test_what_is_frozen_is_not_released_beside_what_is_reserved(park: House) -> None:
    """The operator's own: which of two holdings comes first is chance."""
    issue(park, "X", 0, 40, owner="operator", project="P1")
    service.register_project(park.desk, "reductions", "R", wind(crediting=month(2026, 1)))
    issue(park, "Y", 0, 40, owner="operator", period=month(2025, 12), project="P1")
    for code in "XY":
        parts = [f"{code}:{first}-{first + 1}" for first in range(1, 20, 2)]
        acting.split(park.desk, "operator", pick(*parts))
    acting.mark(park.desk, "reserve", "operator", pick("Y"), "x")
    with reading(park.engine) as conn:
        frozen = store.live_of_code(conn, 1, "gec", "X")
        reserved = store.live_of_code(conn, 1, "gec", "Y")
    first = min(reserved, key=lambda row: row.holding)
    last = max(frozen, key=lambda row: row.holding)
    assert first.holding < last.holding
    rows = [first, last]
    with pytest.raises(Refused, match="is frozen by project reductions/R of the same plant"):
        do(park, "release", "operator", rows, [(again(row), "operator") for row in rows])


def test_a_use_over_the_new_year_is_of_both_years(park: House) -> None:
    """It begins while any vintage is good, and ends when only that year's is."""
    issue(park, "OLD", 0, 4, period=month(2025, 1), project="P1")
    winter = Period(start_s=month(2025, 12).start_s, end_s=month(2026, 2).end_s)
    with pytest.raises(Refused, match="wants the same calendar year"):
        acting.retire(park.desk, "farm", pick("OLD:0-1"), green("farm", winter))
    acting.retire(park.desk, "farm", pick("OLD:0-1"), green("farm", month(2025, 12)))


def test_a_source_is_settled_once_for_all_contracts(park: House) -> None:
    """1,000 kWh were generated: two contracts do not have them both."""
    source(park, "tower")
    start_s = MONTHS[1].start_s
    consumer(park, "saw")
    for name, wh in (("tower", 4 * MWH), ("saw", 9 * MWH)):
        take_in(
            park.desk,
            [series(name, [wh], start_s=start_s)],
            Origin(source=name, author="operator"),
        )
    for name in ("one", "two"):
        agree(park, name, {"saw": 0}, kind="green-trade", sources=["tower"], period=WINTER)
    issue(park, "G", 0, 9, class_="green-trade")
    january = Month(year=2026, month=1, zone_offset_s=8 * 3600)
    wanted = Settlement(
        contract="one",
        month=january,
        buyer="mill",
        contract_wh=3 * MWH,
        generation_wh=4 * MWH,
        consumption_wh=9 * MWH,
    )
    settle(park.desk, wanted)
    with pytest.raises(Refused, match=r"settle 6000000 Wh in 2026-01; their meters show 4000000"):
        settle(park.desk, replace(wanted, contract="two"))
    settle(park.desk, replace(wanted, contract="two", contract_wh=MWH))


def test_certificates_without_lots_are_not_settled_for_sources_with_lots(metered: House) -> None:
    """The roof's energy is lots here: certificates of no known plant are not of it."""
    agree(metered, "trade", {"saw": 0}, kind="green-trade", sources=["roof"], period=WINTER)
    issue(metered, "G", 0, 9, class_="green-trade", period=MONTHS[1])
    wanted = Settlement(
        contract="trade",
        month=Month(year=2026, month=1, zone_offset_s=8 * 3600),
        buyer="mill",
        contract_wh=3 * MWH,
        generation_wh=3 * MWH,
        consumption_wh=3 * MWH,
    )
    before = dump(metered.settings.dir)
    with pytest.raises(Refused, match="has no lots behind it, but the sources of contract 'trade'"):
        settle(metered.desk, wanted)
    assert dump(metered.settings.dir) == before


# Schemes


def test_internal_records_get_no_compliance_purpose(park: House) -> None:
    """Not by a new registration either."""
    internal = shipped("internal")
    service.register_scheme(park.desk, internal)
    loose = replace(internal, purposes=("ets-compliance", *internal.purposes))
    with pytest.raises(InvalidInput, match="ets-compliance is no purpose of a record"):
        service.register_scheme(park.desk, loose)


def test_a_scheme_goes_on_freezing_what_it_froze(park: House) -> None:
    """Else certificates come after the reductions of the same energy."""
    service.register_project(park.desk, "reductions", "R", wind())
    credit(park, 1, "credit")
    with pytest.raises(Refused, match="gec stays among those that it freezes"):
        service.register_scheme(park.desk, reductions(freezes=[]))
    with pytest.raises(Refused, match="went into reductions reductions/R/0"):
        issue(park, "Y", 0, 4, project="P1")


@pytest.mark.parametrize("changes", [{"moves_max": 2}, {"moved_by": "settle"}])
def test_self_use_never_trades_by_a_new_rule_either(park: House, changes: dict[str, Any]) -> None:
    issue(park, "X", 0, 4, project="P1", class_="self-use")
    acting.transfer(park.desk, "farm", "mill", pick("X"))
    gec = shipped("gec")
    loose = {**gec.classes, "self-use": replace(gec.classes["self-use"], **changes)}
    with pytest.raises(Refused, match="what is one energy with lots never trades more"):
        service.register_scheme(park.desk, replace(gec, classes=loose))
    stricter = {**gec.classes, "self-use": replace(gec.classes["self-use"], moves_max=0)}
    service.register_scheme(park.desk, replace(gec, classes=stricter))


# The public scan


@pytest.mark.parametrize("name", ["A/+1", "A/01", "A/1_0", "A/\uff11", "A/", "A/0000001"])
def test_the_scan_takes_no_other_spelling_of_a_revision(name: str) -> None:
    uses = Uses()
    issued = {
        "type": "unit.issue",
        "author": "operator",
        "scheme": "gec",
        "state": "active",
        "spends": [],
        "wraps": [],
    }
    uses.take(1, issued | {"batches": ["A/0"], "begins": ["a" * 32]})
    with pytest.raises(LedgerError, match="decimal revision"):
        uses.take(2, issued | {"batches": [name], "begins": ["b" * 32]})
