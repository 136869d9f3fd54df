"""A small ledger that grows step by step, with bodies of each kind of keeping."""

from __future__ import annotations

from pathlib import Path

from ledger.house import House
from ledger.log.audit import no_progress
from ledger.metering.points import Point
from ledger.metering.service import Origin, register_point, take_in
from tests.ledgers import DAY_S, QUARTER_S, series


def settle(house: House) -> None:
    """A mill with a key and a saw."""
    house.desk.register_party("mill", "Mill", ["enterprise"])
    house.desk.create_key("mill")
    register_point(house.desk, Point(name="saw", kind="consumption", owner="mill"))


def meter(house: House, number: int, *, start_s: int = DAY_S) -> None:
    """A batch of readings, with the file that they came in."""
    at_s = start_s + number * 4 * QUARTER_S
    take_in(
        house.desk,
        [series("saw", [1_000_000 + number] * 4, start_s=at_s)],
        Origin(
            source="saw",
            author="mill",
            file_name=f"{number}.csv",
            file=b"rows of file %d\n" % number,
            profile="a profile\n",
        ),
    )


def publish(house: House, folder: Path) -> Path:
    house.export_tiles(folder, no_progress)
    return folder
