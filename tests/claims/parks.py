"""A small park for attacks on lots and claims: one roof, three consumers of two parties, one day.

Nothing is matched yet. Quarter-hours are those of `DAY_S`; the roof has less than is wanted in the
first (T), more in the fifth (REST), and nothing in the fourth.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from greenledger_verify import cli
from ledger.claims import evidence
from ledger.claims.evidence import Level, Sample
from ledger.db import reading
from ledger.house import House
from ledger.lots.model import month_of
from ledger.matching.service import Agreement, register_contract
from ledger.metering.points import Point
from ledger.metering.service import Origin, find_point, register_point, take_in
from ledger.units import Period
from tests.ledgers import DAY_S, QUARTER_S, close, copy_ledger, open_house, series

ROOF = [1000, 1100, 1900, 0, 2000, 1201, 803, 1407]
SAW = [600, 600, 610, 620, 630, 640, 650, 660]
TILL = [700, 701, 702, 703, 704, 705, 706, 707]
T, REST = 0, 4
DAY = Period(start_s=DAY_S, end_s=DAY_S + len(ROOF) * QUARTER_S)
MONTH = month_of(DAY_S, 8 * 3600)
FIRST = (DAY_S - MONTH.start_s) // QUARTER_S  # position of the first reading in its month
OWNERS = {"roof": "farm", "saw": "mill", "till": "shop"}
SEED = bytes(range(32))


def fill(house: House) -> None:
    """Parties with keys that the server holds, points, readings by three authors, a contract."""
    desk = house.desk
    for party, role in (("farm", "generator"), ("mill", "enterprise"), ("shop", "enterprise")):
        desk.register_party(party, party.title(), [role])
        desk.create_key(party)
    for name, owner in OWNERS.items():
        kind = "generation" if name == "roof" else "consumption"
        register_point(desk, Point(name=name, kind=kind, owner=owner, region="320500"))
    for name, values in (("roof", ROOF), ("saw", SAW), ("till", TILL)):
        take_in(desk, [series(name, values)], Origin(source=name, author=OWNERS[name]))
    register_contract(
        desk,
        Agreement(
            name="roof-to-all",
            kind="direct-supply",
            seller="farm",
            sources=["roof"],
            consumers={"saw": 0, "till": 0},
            period=DAY,
        ),
    )
    house.checkpoint()


@pytest.fixture(scope="session")
def park_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_ledger(begun_template, tmp_path_factory.mktemp("small-park") / "data")
    house = open_house(folder)
    fill(house)
    house.engine.dispose()
    return folder


@pytest.fixture
def park(park_template: Path, tmp_path: Path) -> Iterator[House]:
    """The small park, to be changed at will."""
    house = open_house(copy_ledger(park_template, tmp_path / "park"))
    yield house
    close(house)


def point_of(house: House, name: str) -> bytes:
    with reading(house.engine) as conn:
        return find_point(conn, house.log.log_id, name).point


def on_month(values: dict[int, int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """int64[count]: {quarter-hour of the day: Wh} on the grid of the month."""
    grid = np.zeros(MONTH.count, dtype=np.int64)
    for at, wh in values.items():
        grid[FIRST + at] = wh
    return grid


# Evidence, as written and as parts


def evidence_of(
    house: House, claim: bytes, level: Level = "full", sample: Sample | None = None
) -> bytes:
    house.checkpoint()
    return b"".join(evidence.lines(house.desk, claim, level, sample))


def parse(raw: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(raw)
    return found


def write(file: dict[str, Any]) -> bytes:
    """The one way in which a file is written (docs/formats.md §9)."""

    def line(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    head = {name: value for name, value in file.items() if name != "parts"}
    parts = ",\n".join(line(part) for part in file["parts"])
    return f'{line(head)[:-1]},"parts":[\n{parts}\n]}}\n'.encode()


def answer(vkey: str, *words: str) -> dict[str, Any]:
    """What `greenledger-verify` says to a command, in this process; its exit code as `exit`."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = cli.main([*words, "--vkey", vkey, "--json", "--lang", "en"])
    found: dict[str, Any] = json.loads(said.getvalue())
    assert found["ok"] == (code == 0)
    return {**found, "exit": code}
