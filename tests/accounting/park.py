"""The real park of shared/data/park-2018 on the books: what its tenants burnt, bought and retired,
the regimes that came with the program, and the factors that stand in for those of 2018."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from ledger.accounting import regime_reading
from ledger.accounting.account import Account
from ledger.accounting.balance import balance
from ledger.accounting.computing import members_of
from ledger.accounting.factors import service as factors
from ledger.accounting.factors.hourly import SeriesFile
from ledger.accounting.factors.library import FactorLibrary
from ledger.accounting.factors.model import FactorSet
from ledger.accounting.finding import Options
from ledger.accounting.loading.view import View
from ledger.accounting.registers.activity import REGISTER
from ledger.claims import service as claims
from ledger.db import reading
from ledger.house import House
from ledger.parties.desk import fresh_id
from ledger.records import service as records
from ledger.registry import acting
from ledger.registry import service as registry
from ledger.registry.choosing import Selection
from ledger.registry.leaves import Use
from ledger.registry.project import Project
from ledger.registry.ranges import SerialRange
from ledger.registry.scheme import shipped
from ledger.registry.service import NewBatch, Share
from ledger.units import Period, format_instant, parse_instant

YEAR: Final = Period(
    start_s=parse_instant("2017-12-31T16:00:00Z"), end_s=parse_instant("2018-12-31T16:00:00Z")
)
_JULY: Final = Period(
    start_s=parse_instant("2018-06-30T16:00:00Z"), end_s=parse_instant("2018-07-31T16:00:00Z")
)
CERTIFICATES: Final = 3_000
# (category, item, quantity, unit): what the tenants put on record, round and made up.
ACTIVITIES: Final = (
    ("fuel", "fuel-natural-gas", "100", "10^4 Nm3"),
    ("fuel", "fuel-diesel", "20", "t"),
    ("process", "co2", "500", "t"),
    ("heat", "heat", "20000", "GJ"),
)
# The year of the factor that stands in for that of 2018.
_STAND_IN: Final = {
    ("electricity-average", "44"): 2021,
    ("electricity-market-excluded", "CN"): 2021,
    ("electricity-ets-reporting", "CN"): 2023,
    ("electricity-life-cycle", "CN"): 2023,
    ("electricity-life-cycle-pv", "CN"): 2023,
    ("electricity-life-cycle-wind", "CN"): 2023,
}
SUBSTITUTIONS: Final = [
    {
        "item": item,
        "region": region,
        "year": 2018,
        "use_region": region,
        "use_year": year,
        "reason": "no factor of 2018 in the set; test park of a nominal year",
    }
    for (item, region), year in _STAND_IN.items()
]
_GB: Final = "Great Britain 2018, hourly; stands in for a Chinese hourly factor, which nobody gives"


def keep_books(house: House, data: Path) -> None:
    """What the park's year needs beside its readings and claims."""
    factors.ensure(house.desk)
    factors.publish(house.desk, "gb-2018-hourly", _hourly(data))
    for name in regime_reading.shipped_regimes():
        records.put(
            house.desk, "regime", name, regime_reading.shipped(name).content, author="operator"
        )
    for category, item, quantity, unit in ACTIVITIES:
        _put(house, category=category, item=item, quantity=quantity, unit=unit)
    _retire(house)


def _hourly(data: Path) -> FactorSet:
    file = data / "grid_carbon_intensity_gb_2018_hourly.csv"
    series = SeriesFile(
        item="electricity-average",
        region="44",
        unit="kg/kWh",
        gas="CO2",
        covers=("CO2",),
        standard="",
        source=_GB,
        status="unverified",
        zone_s=8 * 3600,
    ).read(file.read_bytes(), file.name)
    content = {
        "title": {"zh": "用户的实时因子（测试）", "en": "The user's real-time factor (test)"},
        "source": _GB,
        "status": "unverified",
        "factors": [],
        "series": [series.to_json()],
    }
    return FactorSet.from_json(content)


def _put(house: House, **members: Any) -> None:
    content = {
        "organisation": "tenants",
        "park_system": "production",
        "direction": "in",
        "from": format_instant(YEAR.start_s),
        "to": format_instant(YEAR.end_s),
        **dict.fromkeys(("point", "counterparty", "within", "note"), ""),
        "biogenic": 0,
        "nonfossil": 0,
        "factor": {},
        "documents": [],
        **members,
    }
    records.put(house.desk, REGISTER, fresh_id(), content, author="tenants")


def _retire(house: House) -> None:
    """3,000 GECs of a wind farm elsewhere, for the factory's year."""
    desk = house.desk
    registry.register_scheme(desk, shipped("gec"))
    farm = Project(name="Far wind", owner="tenants", plant="far-wind", technology="wind")
    registry.register_project(desk, "gec", "FAR", farm)
    whole = SerialRange(first=0, end=CERTIFICATES)
    share = Share(class_="ordinary", owner="tenants", units=whole)
    batch = NewBatch(code="FAR-1", units=whole, period=_JULY, shares=(share,), project="FAR")
    registry.issue(desk, "gec", [batch])
    use = Use(beneficiary="tenants", purpose="green-power", period=YEAR)
    selection = Selection(scheme="gec", serials=["FAR-1"])
    retired = acting.retire(desk, "tenants", selection, use)[0]
    claims.make(desk, ["factory-a"], YEAR, retirements=[retired])


def accounts(house: House, as_of: int) -> list[Account]:
    """The park's year under each regime that came with the program."""
    with reading(house.engine) as conn:
        view = View(conn, house.log, YEAR, as_of)
        library = FactorLibrary.at(conn, house.log, as_of)
        options = Options.of(substitutions=SUBSTITUTIONS, direct_region="44")
        members, whole = members_of(view)
        facts = [one.facts for one in members]
        return [
            balance(regime_reading.shipped(name), library, facts, whole.facts, options).park
            for name in regime_reading.shipped_regimes()
        ]
