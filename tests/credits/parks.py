"""A kiln with carbon capture: its points, two hours of readings, a scheme and a project.

Of each hour, in tonnes: 1,000 captured, 996 sent through the pipe, 990 injected, 10 came up again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from ledger.credits.ccus import Standing
from ledger.credits.service import Monitored, RecordReport, record_reduction, verify_reduction
from ledger.credits.store import ProjectKey, RecordRow, find_record, standing
from ledger.db import reading
from ledger.errors import LedgerError
from ledger.house import House
from ledger.log.store import load_head
from ledger.metering.points import Point
from ledger.metering.service import Origin, find_point, register_point, take_in
from ledger.registry import service as registry
from ledger.registry.project import Project
from ledger.registry.scheme import shipped
from ledger.units import Period
from tests.credits.flows import grams
from tests.ledgers import DAY_S, QUARTER_S, close, copy_ledger, open_house, series

SCHEMES: Final = Path(__file__).parents[2] / "ledger" / "registry" / "schemes"
KEY: Final = ProjectKey(scheme="internal", project="kiln")
HOUR: Final = Period(start_s=DAY_S, end_s=DAY_S + 4 * QUARTER_S)
NEXT: Final = Period(start_s=HOUR.end_s, end_s=HOUR.end_s + 4 * QUARTER_S)
METERED_T: Final = {
    "stack": [250, 250, 250, 250],
    "pipe": [249, 249, 249, 249],
    "well": [248, 248, 248, 246],
    "riser": [10, 0, 0, 0],
}
POINTS: Final = {
    "captured": ["stack"],
    "transported": ["pipe"],
    "injected": ["well"],
    "produced": ["riser"],
}
STATED_T: Final = {
    "used": "0",
    "transport-leakage": "4",
    "recycled": "0",
    "surface-leakage": "0.25",
    "equipment-leakage": "0.75",
    "energy-emissions": "70",
    "transport-emissions": "5",
    "injection-emissions": "4",
}


def fill(house: House) -> None:
    desk = house.desk
    for party, role in (
        ("works", "generator"),
        ("audit", "verifier"),
        ("mill", "enterprise"),
        ("shop", "enterprise"),
    ):
        desk.register_party(party, party.title(), [role])
        desk.create_key(party)
    for name in METERED_T:
        register_point(desk, Point(name=name, kind="other", owner="works", unit="g"))
    take_in(
        desk,
        [series(name, [grams(str(mass)) for mass in 2 * some]) for name, some in METERED_T.items()],
        Origin(source="kiln", author="works"),
    )
    registry.register_scheme(desk, shipped("internal"))
    registry.register_project(desk, KEY.scheme, KEY.project, project(house))


def project(house: House, **changes: Any) -> Project:
    values: dict[str, Any] = {
        "name": "Kiln",
        "owner": "works",
        "plant": "kiln",
        "technology": "ccus",
        "points": tuple(sorted(point_of(house, name) for name in METERED_T)),
    }
    return Project(**(values | changes))


def point_of(house: House, name: str) -> bytes:
    with reading(house.engine) as conn:
        return find_point(conn, 1, name).point


@pytest.fixture(scope="session")
def kiln_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_ledger(begun_template, tmp_path_factory.mktemp("kiln") / "data")
    house = open_house(folder)
    fill(house)
    house.engine.dispose()
    return folder


@pytest.fixture
def kiln(kiln_template: Path, tmp_path: Path) -> Iterator[House]:
    """The kiln, to be changed at will."""
    house = open_house(copy_ledger(kiln_template, tmp_path / "kiln"))
    yield house
    close(house)


def monitored(
    period: Period = HOUR, /, stated_t: dict[str, str] | None = None, **changes: Any
) -> Monitored:
    """An hour of the kiln: 979 t stored, 79 t emitted, 900 t net."""
    mass_g = {role: grams(tonnes) for role, tonnes in {**STATED_T, **(stated_t or {})}.items()}
    values: dict[str, Any] = {
        "key": KEY,
        "period": period,
        "points": POINTS,
        "mass_g": mass_g,
        "tolerance_g": grams("50"),
        "biogenic_ppm": 250_000,
    }
    return Monitored(**(values | changes))


def record(house: House, period: Period = HOUR, /, **changes: Any) -> RecordReport:
    return record_reduction(house.desk, monitored(period, **changes), author="works")


def confirmed(house: House, period: Period = HOUR, /, **changes: Any) -> bytes:
    """Recorded and confirmed."""
    found = record(house, period, **changes).record
    verify_reduction(house.desk, found, "audit", "Seen on site")
    return found


def row_of(house: House, found: bytes) -> RecordRow:
    with reading(house.engine) as conn:
        return find_record(conn, 1, found)


def standing_of(house: House) -> Standing:
    with reading(house.engine) as conn:
        return standing(conn, 1, KEY)


def size(house: House) -> int:
    with reading(house.engine) as conn:
        return load_head(conn, 1).size


@contextmanager
def refused(house: House, error: type[LedgerError], match: str) -> Iterator[None]:
    """And nothing is written but, at most, a tick."""
    before = size(house)
    with pytest.raises(error, match=match):
        yield
    assert size(house) == before
