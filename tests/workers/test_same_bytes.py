"""Matching of the real park: the same bytes from SQLite in process, and from PostgreSQL with one
worker and with two."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ledger.house import House
from ledger.jobs import service
from ledger.jobs.inprocess import Runner
from ledger.jobs.model import DONE, PARK, Job
from ledger.log.audit import no_progress
from ledger.matching.service import Agreement, register_contract
from ledger.metering.importers import read_profile
from ledger.metering.importing import import_file
from ledger.metering.points import Point
from ledger.metering.service import register_point
from ledger.recovery.restore import restore
from tests.ledgers import (
    Clock,
    begin,
    close,
    copy_ledger,
    on_postgresql,
    open_house,
    rows,
    settings_in,
)
from tests.servers.postgres import PostgreSQL
from tests.servers.redis import RedisServer
from tests.test_real_park import FILES, PROFILES, YEAR
from tests.workers.processes import ended, working
from workers.app import make_app, nudging

# One time for all: a job's entries bear the time when it was asked for.
AT_S = int(time.time())
SECRET = bytes(range(32))
CONSUMERS = ("factory-a", "b2", "b5", "b36")
MONTHS = 6
# 2018-01-01 to 2018-07-01, park time.
PERIOD = {"from": "2017-12-31T16:00:00Z", "to": "2018-06-30T16:00:00Z"}
TYPES = "('match.run', 'lot.divide')"


@pytest.fixture(scope="module")
def sqlite(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real park's readings, PV and four of its consumers, and a contract."""
    folder = tmp_path_factory.mktemp("sqlite") / "data"
    house = begin(folder, Clock(AT_S))
    house.desk.register_party("plant", "Plant", ["generator"])
    house.desk.register_party("tenants", "Tenants", ["enterprise"])
    for name in ("pv", *CONSUMERS):
        consumes = name in CONSUMERS
        register_point(
            house.desk,
            Point(
                name=name,
                kind="consumption" if consumes else "generation",
                owner="tenants" if consumes else "plant",
                region="" if consumes else "440100",
            ),
        )
        file, profile = FILES[name]
        text = (PROFILES / f"{profile}.toml").read_text(encoding="utf-8")
        import_file(
            house.desk,
            shared / "data" / "park-2018" / file,
            read_profile(text, where=profile),
            profile_text=text,
            source="import",
            author="operator",
        )
    register_contract(
        house.desk,
        Agreement(
            name="pv-to-all",
            kind="direct-supply",
            seller="plant",
            sources=["pv"],
            consumers=dict.fromkeys(CONSUMERS, 0),
            period=YEAR,
            region="4401",
        ),
    )
    house.engine.dispose()
    return folder


@pytest.fixture(scope="module")
def on_server(
    sqlite: Path, postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same log on PostgreSQL, replayed there, with the same keys."""
    folder = tmp_path_factory.mktemp("postgresql")
    house = open_house(sqlite, Clock(AT_S))
    house.export_entries(folder / "export", no_progress)
    house.engine.dispose()
    there = on_postgresql(postgresql, folder / "data")
    restore(settings_in(there), folder / "export", no_progress)
    for name in ("secrets", "high-water"):
        found = sqlite / name
        if found.is_dir():
            shutil.copytree(found, there / name, dirs_exist_ok=True)
        else:
            shutil.copy(found, there / name)
    return there


@pytest.fixture(scope="module")
def expected(
    sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[tuple[Any, ...]]]:
    """From SQLite, on threads of one process."""
    house = open_house(copy_ledger(sqlite, tmp_path_factory.mktemp("one") / "data"), Clock(AT_S))
    with Runner(house) as runner:
        job = ask(house)
        runner.nudge(job.id)
        finish(house, job)
    found = made(house)
    assert len(found) == 1 + MONTHS
    yield found
    house.engine.dispose()


def ask(house: House) -> Job:
    return service.submit(house, "match", PERIOD, party=PARK, account="anna", secret=SECRET)


def finish(house: House, job: Job) -> None:
    found = ended(house, job.id)
    assert found.state == DONE, found.error
    assert found.result is not None
    assert len(found.result["divisions"]) == MONTHS


def made(house: House) -> list[tuple[Any, ...]]:
    """The run's entries and the bodies that they commit to; ticks have times of their own."""
    query = f"SELECT data FROM entries WHERE type IN {TYPES} ORDER BY entry_index"
    entries = rows(house, query)
    bodies = {
        bytes(hash_): bytes(data) for hash_, data in rows(house, "SELECT hash, data FROM bodies")
    }
    found = []
    for (data,) in entries:
        text = bytes(data)
        mine = sorted(hash_ for hash_ in bodies if hash_.hex().encode() in text)
        assert mine
        found.append((text, *(bodies[hash_] for hash_ in mine)))
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_on_postgresql(
    on_server: Path,
    redis_server: RedisServer,
    tmp_path: Path,
    expected: list[tuple[Any, ...]],
    workers: int,
) -> None:
    house = open_house(copy_ledger(on_server, tmp_path / "data"), Clock(AT_S))
    settings = house.settings.model_copy(update={"redis_url": SecretStr(redis_server.url)})
    with ExitStack() as stack:
        started = [stack.enter_context(working(house, redis_server)) for _ in range(workers)]
        if workers > 1:
            for one in started:
                one.ready()
        job = ask(house)
        nudging(make_app(settings))(job.id)
        finish(house, job)
        helped = [one for one in started if one.said("helped")]
    assert made(house) == expected
    assert len(helped) == workers - 1
    close(house)
