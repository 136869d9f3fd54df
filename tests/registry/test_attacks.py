"""Attempts to use one MWh twice: each is refused, by a rule that says why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.db import reading
from ledger.errors import Refused
from ledger.house import House
from ledger.lots import store as lots
from ledger.parties.desk import Draft
from ledger.registry import acting, exclusive, service, store
from ledger.registry.crediting import issue_credits
from ledger.registry.rule import Uses
from ledger.registry.scheme import Scheme, shipped
from tests.divided import agree, consumer, point_id, source
from tests.ledgers import no_progress
from tests.registry.metered import MONTHS, WINTER, build, certify, generate, lots_of
from tests.units import (
    again,
    do,
    green,
    issue,
    live,
    month,
    new_batch,
    pick,
    reductions,
    wind,
)

MWH = 1_000_000


@pytest.fixture
def metered(park: House) -> House:
    build(park)
    return park


def roof(house: House, **changes: Any) -> Any:
    return wind(changes.pop("plant", "works"), **{"name": "Roof", "technology": "pv", "points": (point_id(house, "roof"),), **changes})


def credit(house: House, number: int, project: str = "R", code: str = "R") -> None:
    batch = new_batch(code, 0, 5, class_="energy", period=MONTHS[number], project=project)
    issue_credits(house.desk, "reductions", [batch])


def energy(**changes: Any) -> Scheme:
    class_ = {"class": "energy", "moves_max": 9, "moved_by": "transfer", "lot_classes": [0], "lots": "spent"}
    other = {"class": "credit", "moves_max": 9, "moved_by": "transfer", "lot_classes": [], "lots": "none"}
    return reductions(classes=[other, class_], **changes)


def test_a1_points_dropped(metered: House) -> None:
    generate(metered, 1, 3 * MWH)
    certify(metered, 1, 0, 3, eligible_wh=3 * MWH)
    with pytest.raises(Refused):
        service.register_project(metered.desk, "gec", "P9", roof(metered, points=()))
        issue(metered, "OTHER", 0, 3, project="P9", period=MONTHS[1])


def test_a2_points_added(metered: House) -> None:
    generate(metered, 1, 3 * MWH)
    service.register_project(metered.desk, "gec", "P10", roof(metered, points=()))
    issue(metered, "OTHER", 0, 3, project="P10", period=MONTHS[1])
    with pytest.raises(Refused):
        certify(metered, 1, 0, 3, eligible_wh=3 * MWH)


def test_a3_second_project(metered: House) -> None:
    generate(metered, 1, 3 * MWH)
    certify(metered, 1, 0, 3, eligible_wh=3 * MWH)
    service.register_project(metered.desk, "gec", "P10", roof(metered, points=()))
    with pytest.raises(Refused):
        issue(metered, "OTHER", 0, 3, project="P10", period=MONTHS[1])


def test_a4_two_plants(metered: House) -> None:
    generate(metered, 1, 3 * MWH)
    certify(metered, 1, 0, 3, eligible_wh=3 * MWH)
    acting.retire(metered.desk, "farm", pick("M:0-3"), green("farm"))
    service.register_scheme(metered.desk, energy())
    with pytest.raises(Refused):
        service.register_project(metered.desk, "reductions", "R", roof(metered, plant="elsewhere"))
        credit(metered, 1)


def test_a5_lots_of_the_month_before(metered: House) -> None:
    generate(metered, 12, 2 * MWH)
    generate(metered, 1, 2 * MWH)
    certify(metered, 1, 0, 4, eligible_wh=4 * MWH, spends=lots_of(metered, 12) + lots_of(metered, 1))
    acting.retire(metered.desk, "farm", pick("M:0-4"), green("farm"))
    service.register_scheme(metered.desk, energy())
    service.register_project(metered.desk, "reductions", "R", wind("works"))
    with pytest.raises(Refused):
        credit(metered, 12)


def test_a6_points_after_credits(park: House) -> None:
    source(park, "roof")
    consumer(park, "saw")
    agree(park, "roof-to-saw", {"saw": 0}, period=WINTER)
    generate(park, 12, 2 * MWH)
    generate(park, 1, 2 * MWH)
    service.register_scheme(park.desk, energy())
    service.register_project(park.desk, "reductions", "R", wind("works"))
    batch = new_batch("R", 0, 5, class_="credit", period=MONTHS[12], project="R")
    issue_credits(park.desk, "reductions", [batch])
    service.register_project(park.desk, "gec", "P9", roof(park))
    both = lots_of(park, 12) + lots_of(park, 1)
    with pytest.raises(Refused, match="its energy went into a reduction"):
        certify(park, 1, 0, 4, eligible_wh=4 * MWH, spends=both)
    certify(park, 1, 0, 2, eligible_wh=2 * MWH)


def test_a7_release_mixed(park: House) -> None:
    issue(park, "X", 0, 40, owner="operator", project="P1")
    service.register_project(park.desk, "reductions", "R", wind(crediting=month(2026, 1)))
    # frozen: X:0-40. split some; the operator has another one that is reserved
    acting.split(park.desk, "operator", pick("X:0-10", "X:20-30"))
    issue(park, "Y", 0, 40, owner="operator", period=month(2025, 12), project="P1")
    acting.split(park.desk, "operator", pick("Y:0-10", "Y:20-30"))
    acting.mark(park.desk, "reserve", "operator", pick("Y:0-40"), "x")
    with reading(park.engine) as conn:
        rows = [r for c in "XY" for r in store.live_of_code(conn, 1, "gec", c)]
    rows.sort(key=lambda r: r.holding)
    print([(str(r.batch), r.state) for r in rows])
    reserved = next(r for r in rows if r.state == "reserved")
    frozen = [r for r in rows if r.state == "frozen" and r.holding > reserved.holding]
    assert frozen
    pair = [reserved, frozen[0]]
    with pytest.raises(Refused):
        do(park, "release", "operator", pair, [(again(r), "operator") for r in pair])


def test_a8_record_for_compliance(park: House) -> None:
    with pytest.raises(Exception):
        service.register_scheme(park.desk, replace(shipped("internal"), purposes=("ets-compliance", "voluntary")))


def test_a10_bound_retired_by_seller(metered: House) -> None:
    generate(metered, 1, 0, saw_wh=3 * MWH)
    held = [row for c in (1, 2, 4, 5) for row in lots_of(metered, 1, c)]
    print([(r.supply_class, r.wh) for r in held])
    certify(metered, 1, 0, 3, eligible_wh=3 * MWH, spends=[], wraps=[r for r in held if r.wh], class_="self-use")
    with pytest.raises(Refused):
        acting.retire(metered.desk, "farm", pick("M:0-1"), green("farm"))
    with pytest.raises(Refused):
        acting.finish(metered.desk, "export", "farm", pick("M:0-1"), "x")


def test_a11_case(park: House) -> None:
    issue(park, "GD-2026-A", 0, 40, project="P1")
    with pytest.raises(Refused):
        issue(park, "gd-2026-a", 0, 40, project="P1")


def test_a11b_code_in_other_scheme(park: House) -> None:
    issue(park, "GD-2026-A", 0, 40)
    service.register_scheme(park.desk, replace(shipped("gec"), scheme="gec2"))
    with pytest.raises(Refused):
        issue(park, "GD-2026-A", 0, 40, scheme="gec2")


def test_a14_scan() -> None:
    uses = Uses()
    uses.lots.operator = "operator"
    base = {"author": "operator", "id": "0" * 32}
    uses.take(1, base | {"type": "unit.issue", "scheme": "gec", "state": "active", "batches": ["A/0"], "begins": ["a" * 32], "spends": [], "wraps": []})
    with pytest.raises(Refused):
        uses.take(2, base | {"type": "unit.issue", "scheme": "gec", "state": "active", "batches": ["A/+1"], "begins": ["c" * 32], "spends": [], "wraps": []})
    with pytest.raises(Refused):
        uses.take(3, base | {"type": "unit.move", "act": "transfer", "ends": ["a" * 32], "begins": ["b" * 32], "retirement": "d" * 32})


def test_a16_use_over_the_year(park: House) -> None:
    issue(park, "OLD", 0, 4, period=month(2025, 1), project="P1")
    from ledger.units import Period
    use = green("farm", Period(start_s=month(2025, 12).start_s, end_s=month(2026, 2).end_s))
    with pytest.raises(Refused):
        acting.retire(park.desk, "farm", pick("OLD:0-1"), use)
