"""A park's year under all regimes that come with the program, beside reading its arrays once.

Nine series of quarter-hours, as the real test park has them: two plants, seven consumers, matched,
made into lots and claimed, in a ledger on disk. The whole is timed: points, effective readings,
claims, lots and certificates as of the log size, then every line of every regime, to the bytes of
the report. The floor decodes the nine series' blocks once, and adds them up.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bench.rows import Row, best_of
from ledger.accounting import regime_reading
from ledger.accounting.factors import service as factors
from ledger.accounting.factors.model import FactorSeries, FactorSet
from ledger.claims import service as claims
from ledger.db import reading
from ledger.house import COMPUTES, House
from ledger.lots.model import span_of
from ledger.matching.service import Agreement, register_contract, run_matching
from ledger.metering import store as metering
from ledger.metering.points import Point
from ledger.metering.series import Series
from ledger.metering.service import Origin, register_point, take_in
from ledger.records import service as records
from ledger.reports import service as reports
from ledger.reports.model import encode
from ledger.settings import Settings
from ledger.units import QUARTER_HOUR_S

YEAR = span_of("2023", 8 * 3600)
COUNT = YEAR.length_s // QUARTER_HOUR_S
PLANTS = ("pv", "wind")
CONSUMERS = tuple(f"user-{number}" for number in range(7))
_HOURS = COUNT // 4
# ETS reporting has factors of 2023, so nothing has to stand in but the hourly one.
ABOUT: dict[str, Any] = {"period": "2023", "direct_region": "44"}


def run(repeat: int) -> list[Row]:
    with TemporaryDirectory(prefix="greenledger-bench-") as folder:
        house = _park(Path(folder) / "ledger")
        intervals = COUNT * (len(PLANTS) + len(CONSUMERS))
        floor = best_of(repeat, lambda: _read_once(house))
        rows = [
            Row(
                name=f"{kind} of a year, {_computed(house, kind)} regimes",
                seconds=best_of(repeat, partial(_computed, house, kind)),
                unit="interval",
                amount=intervals,
                floor_name="decode the nine series once",
                floor_seconds=floor,
            )
            for kind in COMPUTED
        ]
        house.engine.dispose()
    return rows


COMPUTED = ("inventory", "balance")


def _computed(house: House, kind: str) -> int:
    """How many regimes it came to."""
    about = {**ABOUT, **({"subject": "tenants"} if kind == "inventory" else {})}
    with reading(house.engine) as conn:
        found = reports.draft(conn, house.log, COMPUTES, kind, about)
    assert not found["result"]["missing"], found["result"]["missing"]
    encode(found)
    return len(found["result"]["regimes"])


def _read_once(house: House) -> int:
    with reading(house.engine) as conn:
        return sum(
            int(one.block.value.sum())
            for point in metering.current_points(conn, 1)
            for one in metering.blocks_in(conn, 1, point, start_s=YEAR.start_s, end_s=YEAR.end_s)
        )


def _park(folder: Path) -> House:
    house = House.init(Settings(dir=folder), origin="bench.example/accounting", name="Bench")
    desk, random = house.desk, np.random.default_rng(5)
    for party, role in (("plant", "generator"), ("tenants", "enterprise")):
        desk.register_party(party, party, [role])
        desk.create_key(party)
    for name in (*PLANTS, *CONSUMERS):
        made = name in PLANTS
        point = Point(
            name=name,
            kind="generation" if made else "consumption",
            owner="plant" if made else "tenants",
            region="440100",
            technology=name if made else "",
        )
        register_point(desk, point)
        values = random.integers(0, 1_500_000 if made else 400_000, COUNT)
        _take(house, name, values)
    for name in PLANTS:
        agreement = Agreement(
            name=f"{name}-to-all",
            kind="direct-supply",
            seller="plant",
            sources=[name],
            consumers=dict.fromkeys(CONSUMERS, 0),
            period=YEAR,
            region="44",
        )
        register_contract(desk, agreement)
    run_matching(desk, YEAR)
    claims.make(desk, CONSUMERS, YEAR)
    for name in regime_reading.shipped_regimes():
        content = regime_reading.shipped(name).content
        records.put(desk, "regime", name, content, author="operator")
    factors.ensure(desk)
    factors.publish(desk, "hourly", _hourly(random))
    return house


def _take(house: House, name: str, values: Any) -> None:
    series = Series(
        point=name,
        length_s=QUARTER_HOUR_S,
        start_s=YEAR.start_s + QUARTER_HOUR_S * np.arange(COUNT, dtype=np.int64),
        value=values,
        quality=np.zeros(COUNT, dtype=np.uint16),
    )
    take_in(house.desk, [series], Origin(source=name, author="operator"))


def _hourly(random: np.random.Generator) -> FactorSet:
    series = FactorSeries(
        item="electricity-average",
        region="44",
        unit="kg/kWh",
        gas="CO2",
        covers=("CO2",),
        start_s=YEAR.start_s,
        interval_s=3600,
        decimals=3,
        value=random.integers(100, 900, _HOURS),
        standard="",
        source="made up for a benchmark",
        status="unverified",
    )
    return FactorSet(
        title={"zh": "基准测试", "en": "Bench"},
        source="made up for a benchmark",
        status="unverified",
        factors=(),
        series=(series,),
    )
