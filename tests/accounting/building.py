"""Facts of an invented year, in round numbers.

All energy lies in the first 1,000 hours of 2023 (park time), evenly, so that a MWh of the year is a
kWh in each of these hours, and every curve is exact.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from ledger.accounting.account import Account, account
from ledger.accounting.factors.library import FactorLibrary
from ledger.accounting.factors.model import FactorSet
from ledger.accounting.facts import (
    ActivityFact,
    Electricity,
    Facts,
    Int64,
    Offset,
    Supply,
)
from ledger.accounting.finding import Options
from ledger.accounting.regime import Regime
from ledger.accounting.regime_reading import shipped
from ledger.units import Period, parse_instant
from tests.accounting.factors.sets import published, set_json, shipped_library

MWH = 1_000_000
TONNE_G = 1_000_000
ZONE_S = 8 * 3600
YEAR = Period(
    start_s=parse_instant("2022-12-31T16:00:00Z"), end_s=parse_instant("2023-12-31T16:00:00Z")
)
AT_S = YEAR.start_s
QUARTERS = YEAR.length_s // 900
GUANGZHOU = "440100"


@cache
def library() -> FactorLibrary:
    """What comes with the program."""
    return shipped_library()


@cache
def with_hours() -> FactorLibrary:
    """The same with invented hourly factors of Guangdong: 0.4 and 0.5 kg/kWh in turn."""
    return with_series([4, 5] * 4380, interval_s=3600)


def with_series(values: list[int], **more: Any) -> FactorLibrary:
    """The same with an invented series of Guangdong over the year, in tenths."""
    series = {
        "item": "electricity-average",
        "region": "44",
        "unit": "kg/kWh",
        "gas": "CO2",
        "covers": [more.get("gas", "CO2")] if more.get("gas", "CO2") else [],
        "start": "2022-12-31T16:00:00Z",
        "interval_s": 900,
        "decimals": 1,
        "values": values,
        "standard": "",
        "source": "Invented for this test",
        "status": "unverified",
        **more,
    }
    hours = published("hours", FactorSet.from_json(set_json(series=[series])), entry=99)
    return FactorLibrary(sets=(*library().sets, hours))


def curve(wh: int) -> Int64:
    """Evenly over the first 1,000 hours; what does not go up comes in the first quarter-hours."""
    found = np.zeros(QUARTERS, dtype=np.int64)
    found[:4000] = wh // 4000
    found[: wh % 4000] += 1
    return found


def supply(supply_class: str, technology: str, mwh: float, **more: Any) -> Supply:
    """A claimed supply; separate certificates are known for the period only."""
    wh = int(mwh * MWH)
    members: dict[str, Any] = {
        "supply_class": supply_class,
        "technology": technology,
        "region": GUANGZHOU,
        "wh": wh,
        "quarter_wh": None if supply_class == "unbundled" else curve(wh),
        "final": True,
        "record": f"{supply_class}-{technology}",
    }
    return Supply(**{**members, **more})


def electricity(mwh: float, *supplies: Supply, **more: Any) -> Electricity:
    wh = int(mwh * MWH)
    members: dict[str, Any] = {
        "consumption_wh": wh,
        "quarter_wh": curve(wh),
        "region": GUANGZHOU,
        "supplies": supplies,
    }
    return Electricity(**{**members, **more})


def activity(
    record: str, category: str, item: str, quantity: str, unit: str, **more: Any
) -> ActivityFact:
    members: dict[str, Any] = {
        "record": record,
        "organisation": "maker",
        "category": category,
        "item": item,
        "quantity": Fraction(quantity),
        "unit": unit,
        "period": YEAR,
    }
    return ActivityFact(**{**members, **more})


def facts(
    used: Electricity | None = None,
    *activities: ActivityFact,
    subject: str = "maker",
    **more: Any,
) -> Facts:
    return Facts(
        subject=subject,
        period=more.pop("period", YEAR),
        zone_s=ZONE_S,
        electricity=used or electricity(0),
        activities=activities,
        **more,
    )


def credit(scheme: str, tonnes: int, purpose: str, kind: str = "credit") -> Offset:
    return Offset(
        scheme=scheme,
        kind=kind,
        units=tonnes,
        unit_size_g=TONNE_G,
        retirement=f"retired-{scheme}-{purpose}",
        purpose=purpose,
    )


def under(name: str | Regime, found: Facts, **asked: Any) -> Account:
    """Under a regime that comes with the program."""
    rules = shipped(name) if isinstance(name, str) else name
    return account(rules, with_hours(), found, Options.of(**asked))


def tonnes(made: Account, *categories: str) -> float:
    """Of some categories, or of the whole total."""
    mass_g = made.of(*categories) if categories else made.total.mass_g
    return mass_g / TONNE_G


def the_year() -> Facts:
    """100,000 MWh, of which 80,000 are claimed; fuel, process, heat and a leak. See test_goldens"""
    return facts(
        electricity(
            100_000,
            supply("self", "pv", 10_000),
            supply("direct", "wind", 20_000),
            supply("storage", "storage", 2_000),
            supply("traded", "wind", 30_000),
            supply("timestamped", "pv", 3_000),
            supply("unbundled", "biomass", 15_000, final=False),
            billed_wh=100_500 * MWH,
            by_system_wh={"buildings": 25_000 * MWH, "production": 75_000 * MWH},
        ),
        activity("gas", "fuel", "fuel-natural-gas", "100", "10^4 Nm3", park_system="energy"),
        activity("vans", "fuel", "fuel-diesel", "100", "t", park_system="transport"),
        activity("kiln", "process", "co2", "1000", "t", park_system="production"),
        activity("leak", "process", "ch4", "10", "t", park_system="production"),
        activity("steam", "heat", "heat", "10000", "GJ", park_system="production"),
        activity("chiller", "refrigerant", "gwp-hfc-134a", "100", "kg", park_system="buildings"),
        activity("lorries", "transport", "transport-truck-diesel-30t", "1000000", "t km"),
        activity("trees", "sink", "co2", "12", "t", park_system="ecology"),
        offsets=(
            credit("ccer", 5000, "ets-compliance"),
            credit("phcer", 2000, "local-compliance"),
            credit("internal", 7, "neutrality", kind="record"),
        ),
    )
