"""A mill that has claimed sun and wind of a day, and makes castings with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.accounting import regimes
from ledger.accounting.factors import service as factors
from ledger.accounting.factors.model import FactorSet
from ledger.accounting.factors.used import read_substitutions
from ledger.claims import service as claims
from ledger.footprint.service import Terms, register
from ledger.house import House
from ledger.matching.service import Agreement, register_contract, run_matching
from ledger.metering.points import Point
from ledger.metering.service import Origin, register_point, take_in
from ledger.units import Period
from tests.divided import built, opened
from tests.footprint.books import OWN_FACTORS
from tests.footprint.contents import SUBSTITUTIONS, written
from tests.ledgers import DAY_S, QUARTER_S, series

FEB = "2026-02"
# Wh by quarter-hour: the saw has all of both plants, and takes more from the grid.
PLANTS = {"roof": ("pv", [1000, 1100, 1900, 0]), "tower": ("wind", [500, 500, 0, 250])}
SAW = [5000, 5000, 5000, 5000]
HELD = {("direct", "pv"): 4_000, ("direct", "wind"): 1_250}
DAY = Period(start_s=DAY_S, end_s=DAY_S + len(SAW) * QUARTER_S)
PRODUCTS = ("11" * 16, "22" * 16, "33" * 16)
TERMS = Terms(period=FEB, substitutions=read_substitutions(SUBSTITUTIONS))


def casting(wh: int, **changes: Any) -> dict[str, Any]:
    """A product that used so much electricity in February."""
    content = written(**changes)
    content["activities"][2] |= {"quantity": str(wh), "unit": "Wh"}
    return content


def fill(house: House) -> None:
    desk = house.desk
    for party, role in (("farm", "generator"), ("mill", "enterprise")):
        desk.register_party(party, party.title(), [role])
        desk.create_key(party)
    for name, (technology, wh) in PLANTS.items():
        point = Point(
            name=name, kind="generation", owner="farm", region="320500", technology=technology
        )
        register_point(desk, point)
        take_in(desk, [series(name, wh)], Origin(source=name, author="farm"))
    saw = Point(name="saw", kind="consumption", owner="mill", region="320500")
    register_point(desk, saw)
    take_in(desk, [series("saw", SAW)], Origin(source="saw", author="mill"))
    for name in PLANTS:
        agreement = Agreement(
            name=f"{name}-to-saw",
            kind="direct-supply",
            seller="farm",
            sources=[name],
            consumers={"saw": 0},
            period=DAY,
        )
        register_contract(desk, agreement)
    run_matching(desk, DAY)
    claims.make(desk, ["saw"], DAY)
    factors.ensure(desk, ["cn-electricity-life-cycle", "gwp"])
    factors.publish(desk, "own", FactorSet.from_json(dict(OWN_FACTORS)))
    regimes.ensure(desk, ["product-footprint"])
    for name in PRODUCTS:
        register(desk, casting(4_000), author="mill", name=name)


@pytest.fixture(scope="session")
def mill_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(begun_template, tmp_path_factory.mktemp("mill"), fill)


@pytest.fixture
def mill(mill_template: Path, tmp_path: Path) -> Iterator[House]:
    yield from opened(mill_template, tmp_path)
