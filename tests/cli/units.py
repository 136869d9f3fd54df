"""A ledger that holds units, for tests of the command line: made once for each worker, copied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger.registry import service
from ledger.registry.project import Project
from ledger.registry.ranges import SerialRange
from ledger.registry.scheme import shipped
from ledger.registry.service import NewBatch, Share
from ledger.units import Period, parse_instant
from tests.cli.conftest import Run
from tests.cli.test_commands import answer
from tests.ledgers import NOW_S, Clock, begin, copy_ledger, held_key, introduce

SHOP = held_key("shop")
JANUARY = ("--from", "2026-01-01", "--to", "2026-02-01")
USE = ("--beneficiary", "mill", "--purpose", "green-power", *JANUARY)


def month(start: str, end: str) -> Period:
    """Park time is UTC+8: a month begins eight hours early."""
    return Period(start_s=parse_instant(start), end_s=parse_instant(end))


@pytest.fixture(scope="session")
def units_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,000 certificates of farm, 100 of mill's of December; 5 of mill's, valid until 2026; 500 t
    of farm's. Shop holds its own key."""
    folder = tmp_path_factory.mktemp("units") / "ledger"
    clock = Clock(parse_instant("2025-06-01T00:00:00Z"))
    house = begin(folder, clock)
    desk = house.desk
    for party in ("farm", "mill", "shop"):
        desk.register_party(party, f"{party} Ltd", ["enterprise"])
    for party in ("farm", "mill"):
        desk.create_key(party)
    introduce(house, "shop", SHOP)
    for scheme in ("gec", "ccer"):
        service.register_scheme(desk, shipped(scheme))
    wind = Project(name="Hill wind farm", owner="farm", plant="hill", technology="wind")
    service.register_project(desk, "gec", "P-1", wind)
    old = month("2023-12-31T16:00:00Z", "2024-01-31T16:00:00Z")
    take_in(desk, "gec", "OLD", old, "ordinary", "mill", 5)
    clock.now_s = NOW_S
    january = month("2025-12-31T16:00:00Z", "2026-01-31T16:00:00Z")
    december = month("2025-11-30T16:00:00Z", "2025-12-31T16:00:00Z")
    take_in(desk, "gec", "GEC-01", january, "ordinary", "farm", 1000, "P-1")
    take_in(desk, "gec", "GEC-12", december, "self-use", "mill", 100)
    year = month("2024-12-31T16:00:00Z", "2025-12-31T16:00:00Z")
    take_in(desk, "ccer", "CCER-", year, "other", "farm", 500)
    house.checkpoint()
    house.engine.dispose()
    return folder


def take_in(
    desk: Any, scheme: str, code: str, period: Period, class_: str, owner: str, count: int,
    project: str = "",
) -> None:  # fmt: skip
    units = SerialRange(first=0, end=count)
    share = Share(class_=class_, owner=owner, units=units)
    batch = NewBatch(code=code, units=units, period=period, shares=(share,), project=project)
    service.issue(desk, scheme, [batch])


@pytest.fixture
def park(run: Run, units_template: Path, tmp_path: Path) -> Path:
    copy_ledger(units_template, tmp_path / "ledger")
    return tmp_path


def size(run: Run) -> int:
    return int(answer(run, "status")["log_size"])


def held(run: Run, owner: str, group: str = "certificate") -> dict[str, int]:
    """{state: units} of an owner."""
    found: dict[str, int] = {}
    for one in answer(run, group, "list", "--owner", owner)["sums"]:
        found[one["state"]] = found.get(one["state"], 0) + one["units"]
    return found
