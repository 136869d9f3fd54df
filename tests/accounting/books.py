"""A park at the end of February: what it used, what was claimed, and what was put on record.

The last four quarter-hours of February, in MWh; every meter came with the first of them:

    roof    1.0  1.0  1.0  1.0      pv, of the farm: goes directly to the saw, while that is read
    main    3.2  3.2  3.2  3.2      the mill's own meter above saw and press: 0.1 are lost
    saw     2.5  2.5  2.5  –        not read: 2.6 by the main meter, which left 0.6 to the press
    press   0.6  0.6  0.6  0.6
    oven    0.5  0.5  0.5  0.5      the shop's
    gas     1.0  1.0  1.0  1.0      m3 of the mill, at standard conditions

The mill claims 3 MWh of the roof with 2 certificates of wind, and 3 t of credits; it is billed 10
MWh. It burnt 2 t of diesel and what the gas meter shows, and sold 10 GJ of heat to the shop, as the
shop says too.
"""

from __future__ import annotations

from typing import Any, Final

from ledger.accounting import regime_reading
from ledger.accounting.factors import service as factors
from ledger.accounting.registers.activity import REGISTER, Activity
from ledger.claims import service as claims
from ledger.db import reading
from ledger.house import COMPUTES, House
from ledger.log.service import Receipt
from ledger.log.store import load_head
from ledger.lots.model import span_of
from ledger.matching.service import run_matching
from ledger.metering.points import Meter, Point
from ledger.metering.service import register_point
from ledger.parties.desk import fresh_id
from ledger.records import service as records
from ledger.registry import service as registry
from ledger.registry.project import Project
from ledger.registry.scheme import shipped
from ledger.reports import service as reports
from ledger.units import format_instant
from tests.claims.certified import FEB, imported, mwh, neutral, retired
from tests.divided import agree, owners, point_id, source, take

ZONE_S: Final = 8 * 3600
FEBRUARY: Final = span_of("2026-02", ZONE_S)
INSTEAD: Final = {
    "substitutions": [
        {
            "item": item,
            "region": region,
            "year": 2026,
            "use_region": region,
            "use_year": year,
            "reason": "none of 2026 is published",
        }
        for item, region, year in (
            ("electricity-average", "44", 2023),
            ("electricity-market-excluded", "CN", 2023),
        )
    ]
}
REGIMES: Final = ("ghg-location", "ghg-market", "guideline-renewable", "ndrc-910")


def meter(name: str) -> tuple[Meter, ...]:
    """In service from the first quarter-hour to the end of the month."""
    return (
        Meter(number=f"M-{name}", from_=format_instant(FEB.start_s), to=format_instant(FEB.end_s)),
    )


def consumer(house: House, name: str, owner: str = "mill", **more: Any) -> None:
    found = Point(
        name=name, kind="consumption", owner=owner, region="440106", meters=meter(name), **more
    )
    register_point(house.desk, found)


def build(house: House) -> None:
    owners(house)
    source(house, "roof", technology="pv")
    consumer(house, "main")
    main = point_id(house, "main").hex()
    consumer(house, "saw", parent=main, park_system="production")
    consumer(house, "press", parent=main, park_system="buildings")
    consumer(house, "oven", owner="shop")
    saw = point_id(house, "saw").hex()
    bill = Point(name="bill", kind="billed", owner="mill", interval_s=0, parent=saw)
    register_point(house.desk, bill)
    gas = Point(name="gas", kind="other", owner="mill", unit="ml", meters=meter("gas"))
    register_point(house.desk, gas)
    take(house, "roof", mwh(1.0, 1.0, 1.0, 1.0), start=-4)
    take(house, "main", mwh(3.2, 3.2, 3.2, 3.2), start=-4)
    take(house, "saw", mwh(2.5, 2.5, 2.5), start=-4)
    take(house, "bill", mwh(10), start=-4, length_s=3600)
    take(house, "press", mwh(0.6, 0.6, 0.6, 0.6), start=-4)
    take(house, "oven", mwh(0.5, 0.5, 0.5, 0.5), start=-4)
    take(house, "gas", [1_000_000] * 4, start=-4)
    agree(house, "all", {"saw": 0})
    run_matching(house.desk, FEB)
    _units(house)
    for name in REGIMES:
        content = regime_reading.shipped(name).content
        records.put(house.desk, "regime", name, content, author="operator")
    factors.ensure(house.desk, ["cn-electricity", "cn-fuels", "cn-heat", "tce"])


def _units(house: House) -> None:
    for scheme in ("gec", "ccer"):
        registry.register_scheme(house.desk, shipped(scheme))
    tower = Project(name="Tower", owner="farm", plant="tower", technology="wind")
    registry.register_project(house.desk, "gec", "TOWER", tower)
    imported(house, "O", 40, project="TOWER")
    imported(house, "C", 50, scheme="ccer", class_="other")


def claim_february(house: House) -> None:
    claims.make(house.desk, ["saw"], FEB, retirements=[retired(house, 2), neutral(house, 3)])


def act(house: House, author: str, **members: Any) -> Receipt:
    """Put an activity of February under a name of its own."""
    content = {
        "organisation": author if author != "operator" else "",
        "park_system": "",
        "category": "fuel",
        "item": "fuel-diesel",
        "direction": "in",
        "quantity": "2",
        "unit": "t",
        "from": format_instant(FEBRUARY.start_s),
        "to": format_instant(FEBRUARY.end_s),
        "point": "",
        "counterparty": "",
        "within": "",
        "biogenic": 0,
        "nonfossil": 0,
        "factor": {},
        "documents": [],
        "note": "",
        **members,
    }
    name = content.pop("name", "") or fresh_id()
    Activity.from_json(content)
    return records.put(house.desk, REGISTER, name, content, author=author)


def metered_gas(house: House, **more: Any) -> Receipt:
    """What the gas meter shows in its four quarter-hours."""
    given = {
        "item": "fuel-natural-gas",
        "quantity": "",
        "unit": "Nm3",
        "point": point_id(house, "gas").hex(),
        "from": format_instant(FEB.start_s),
        "to": format_instant(FEB.end_s),
    }
    return act(house, "mill", **{**given, **more})


def put_activities(house: House) -> None:
    act(house, "mill")
    metered_gas(house)
    heat = {"category": "heat", "item": "heat", "quantity": "10", "unit": "GJ"}
    act(house, "mill", **heat, direction="out", counterparty="shop")
    act(house, "shop", **heat, counterparty="mill")


def size(house: House) -> int:
    with reading(house.engine) as conn:
        return load_head(conn, 1).size


def draft(
    house: House, kind: str = "inventory", *, as_of: int | None = None, **about: Any
) -> dict[str, Any]:
    """Of the mill's February, with the factors of 2023 standing in."""
    asked = {"period": "2026-02", **INSTEAD, **about}
    if kind == "inventory":
        asked = {"subject": "mill", **asked}
    with reading(house.engine) as conn:
        return reports.draft(conn, house.log, COMPUTES, kind, asked, as_of=as_of)
