"""What figures are counted from, read from ledgers: storages, bills, sub-meters, devices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.db import reading
from ledger.house import House
from ledger.metering.points import Point
from ledger.metering.service import Origin, find_point, register_point, take_in
from ledger.parties.desk import Draft
from ledger.scorecard import service
from tests.ledgers import (
    DAY_S,
    FARM,
    GRID,
    METER,
    begun_template,
    close,
    copy_ledger,
    filled,
    filled_template,
    introduce,
    keys_of,
    ledger_database,
    open_house,
    series,
)

__all__ = ["begun_template", "filled", "filled_template", "ledger_database"]

HOURS = 24


@pytest.fixture
def house(begun_template: Path, tmp_path: Path) -> Iterator[House]:
    found = open_house(copy_ledger(begun_template, tmp_path / "data"))
    desk = found.desk
    for party, role in (("mill", "enterprise"), ("farm", "generator"), ("grid", "verifier")):
        desk.register_party(party, party, [role])
    desk.create_key("mill")
    introduce(found, "farm", FARM)
    introduce(found, "grid", GRID)
    yield found
    close(found)


def point(house: House, name: str, kind: str, parent: str = "", **more: Any) -> None:
    above = ""
    if parent:
        with reading(house.engine) as conn:
            above = find_point(conn, 1, parent).point.hex()
    members: dict[str, Any] = {"owner": "mill", "interval_s": 3_600, "region": "320500"} | more
    register_point(house.desk, Point(name=name, kind=kind, parent=above, **members))


def read(house: House, name: str, value: int) -> None:
    """24 hours of one day."""
    values = series(name, [value] * HOURS, start_s=DAY_S, length_s=3_600)
    take_in(house.desk, [values], Origin(source=name, author="operator"))


def figures(house: House, period: str = "2026-02") -> dict[str, tuple[int, int, list[str]]]:
    """{figure: numerator, denominator, what falls short}, of those that there are."""
    about = {"standard": "zero-carbon-park-guideline", "period": period}
    with reading(house.engine) as conn:
        result = service.look(conn, house.log, about)["result"]
    return {
        one["figure"]: (
            one["numerator"],
            one["denominator"],
            sorted(str(each.get("name", each["id"])) for each in one["details"]),
        )
        for one in result["clauses"]
        if one["denominator"]
    }


def test_storages_by_their_readings(house: House) -> None:
    """The first takes 1,200 and gives 1,080 Wh an hour; the second gives 1 Wh more than it has."""
    for name, charged, discharged in (("first", 1_200, 1_080), ("second", 1_200, 1_201)):
        point(house, name, "other")
        point(house, f"{name}-in", "storage-charge", name)
        point(house, f"{name}-out", "storage-discharge", name)
        read(house, f"{name}-in", charged)
        read(house, f"{name}-out", discharged)
    assert figures(house)["storage-ledger"] == (1, 2, ["second-out"])


def test_bills_and_sub_meters(house: House) -> None:
    """The hall reads 100 Wh an hour, 2,400 Wh of the day; 2,500 Wh are billed: 4 %. Its two floors
    read 60 and 40 Wh; those of the office 1 Wh more than it."""
    for hall, own, floors in (("hall", 100, (60, 40)), ("office", 100, (60, 41))):
        point(house, hall, "consumption", park_system="buildings")
        read(house, hall, own)
        for number, value in enumerate(floors):
            name = f"{hall}-{number}"
            point(house, name, "consumption", hall, park_system="buildings")
            read(house, name, value)
    point(house, "bill", "billed", "hall", interval_s=0)
    billed = series("bill", [2_500], start_s=DAY_S, length_s=86_400)
    take_in(house.desk, [billed], Origin(source="bill", author="operator"))
    found = figures(house)
    assert found["bill-deviation"][:2] == (100, 2_500)
    assert found["buildings-sum"] == (1, 2, ["office"])
    assert found["metering-levels"] == (1, 1, [])


def test_readings_that_a_meter_signed_itself(house: House) -> None:
    """The same roof and shed, but only the roof's key is a meter's, and endorsed."""
    introduce(house, "farm", METER, device="meter")
    for name in ("roof", "shed"):
        point(house, name, "generation", owner="farm", technology="pv")
    for name, key in (("roof", METER), ("shed", FARM)):
        values = series(name, [5] * HOURS, start_s=DAY_S, length_s=3_600)
        take_in(house.desk, [values], Origin(source=name, author="farm"), key=key)
    assert figures(house)["device-signed-points"] == (0, 2, ["roof", "shed"])
    _, meter = keys_of(house, "farm")
    members = {"party": "farm", "vkey": meter.key.vkey, "claim": "Seen on site"}
    draft = Draft(type="key.endorse", author="grid", members=members)
    house.desk.writer.append(house.desk.sign(draft, key=GRID))
    assert figures(house)["device-signed-points"] == (1, 2, ["shed"])


def test_vehicles(house: House) -> None:
    """A yard with two chargers of its own: three meters, two that count."""
    point(house, "yard", "consumption", park_system="transport")
    read(house, "yard", 10)
    for number in (1, 2):
        point(house, f"charger-{number}", "consumption", "yard", park_system="transport")
        read(house, f"charger-{number}", 5)
    assert figures(house)["transport-points"][:2] == (2, 1)


def test_some_of_everything(filled: House) -> None:
    """One month of a green trade settled, CO2 stored once, units of three schemes conserved, one
    claim of lots that leads to readings, none confirmed."""
    found = figures(filled, "2026")
    assert found["green-trade-bounds"][:2] == (1, 1)
    assert found["co2-net-within-stored"][:2] == (1, 1)
    assert found["units-conserved"][:2] == (3, 3)
    assert found["interval-trace"][:2] == (1, 1)
    assert found["certificate-trace"][0] == 0
