"""Park time that is half an hour off: hours of meters begin on hours of the park, not of UTC."""

from __future__ import annotations

from pathlib import Path

import pytest

from greenledger_verify import members
from greenledger_verify.failure import VerificationError
from ledger.db import reading
from ledger.errors import InvalidInput, Refused
from ledger.house import House
from ledger.matching.service import run_matching
from ledger.metering.effective import effective
from ledger.metering.importers import read_profile
from ledger.metering.importing import import_file
from ledger.metering.points import Point
from ledger.metering.service import Origin, find_point, register_point, take_in
from ledger.units import Period, parse_instant, parse_zone, zone_offset_s
from tests.ledgers import ORIGIN, Clock, no_progress, series, settings_in

PROFILE = """
title = "Hours"
[file]
format = "csv"
[time]
columns = ["time"]
format = "%Y-%m-%dT%H:%M"
interval = "1h"
label = "start"
zone = "park"
[value]
quantity = "energy"
unit = "kWh"
[[points]]
column = "kWh"
point = "mill"
"""
MIDNIGHT_S = parse_instant("2026-01-31T18:30:00Z")


@pytest.fixture
def indian(tmp_path: Path) -> House:
    house = House.init(
        settings_in(tmp_path / "data"), origin=ORIGIN, name="Park", zone="+05:30", clock_s=Clock()
    )
    house.desk.register_party("mill", "Mill", ["enterprise"])
    register_point(
        house.desk, Point(name="mill", kind="consumption", owner="mill", interval_s=3600)
    )
    return house


def test_hours_of_the_park_are_taken_and_matched(indian: House, tmp_path: Path) -> None:
    path = tmp_path / "hours.csv"
    path.write_text("time,kWh\n" + "".join(f"2026-02-01T{hour:02}:00,1\n" for hour in range(24)))
    found = import_file(
        indian.desk,
        path,
        read_profile(PROFILE, where="test"),
        profile_text=PROFILE,
        source="import",
        author="operator",
    )
    assert found.taken.stored == 24
    day = Period(start_s=MIDNIGHT_S, end_s=MIDNIGHT_S + 86_400)
    with reading(indian.engine) as conn:
        point = find_point(conn, 1, "mill").point
        (item,) = effective(conn, 1, point, start_s=day.start_s, end_s=day.end_s)
    assert item.series.start_s.tolist() == list(range(day.start_s, day.end_s, 3600))
    run_matching(indian.desk, day)
    assert indian.audit(no_progress).entries > 4


def test_hours_of_utc_are_off_the_grid(indian: House) -> None:
    hours = series("mill", [1], start_s=MIDNIGHT_S + 1800, length_s=3600)
    with pytest.raises(Refused, match=r"19:00:00Z, off the grid of 3600 s in park time"):
        take_in(indian.desk, [hours], Origin(source="s", author="operator"))


@pytest.mark.parametrize(
    ("zone", "offset_s"),
    [("+08:00", 28_800), ("+05:45", 20_700), ("-05:30", -19_800), ("+14:45", 53_100)],
)
def test_zones_of_quarter_hours(zone: str, offset_s: int) -> None:
    assert zone_offset_s(parse_zone(zone)) == members.parse_zone(zone) == offset_s


@pytest.mark.parametrize("zone", ["+08:07", "+05:50", "+15:00", "+8:00", "08:00", "+08:00 ", ""])
def test_other_zones_are_refused_by_ledger_and_verifier(zone: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="whole quarter-hours"):
        House.init(settings_in(tmp_path / "data"), origin=ORIGIN, name="Park", zone=zone)
    with pytest.raises(VerificationError):
        members.parse_zone(zone)
