"""Real worker processes on a real Redis: killed, cut off, and still all is done, once."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from ledger import metering
from ledger.db import reading
from ledger.errors import Unavailable
from ledger.house import House
from ledger.jobs import service
from ledger.jobs.model import CANCELLED, DONE, FAILED, PARK, RUNNING, WAITING, Job
from ledger.log.audit import no_progress
from ledger.metering.points import Point
from ledger.metering.service import register_point
from tests.ledgers import begin, close, on_postgresql, rows
from tests.servers.postgres import PostgreSQL, running
from tests.servers.redis import RedisServer
from tests.workers.processes import Worker, ended, job_of, until, working
from workers.app import make_app, nudging

# Seconds of wall clock: leases of processes run out by it.
NOW_S = int(time.time())
# Long enough to be killed in the middle of it.
ROWS = 40_000
PROFILE = (Path(metering.__file__).parent / "profiles" / "simple-15min.toml").read_text()


def csv(count: int = ROWS) -> bytes:
    start_s = NOW_S // 86_400 * 86_400 - ROWS * 900 - 86_400
    lines = [
        f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime(start_s + 900 * k))},{k % 97}"
        for k in range(count)
    ]
    return "\n".join(["time,kWh", *lines, ""]).encode()


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgreSQL]:
    """A server that these tests may stop."""
    yield from running()


@pytest.fixture(scope="module")
def house(postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One ledger for all of them: they add to it."""
    house = begin(on_postgresql(postgres, tmp_path_factory.mktemp("house") / "data"), wall_clock_s)
    house.desk.register_party("mill", "Mill", ["enterprise"])
    yield house
    close(house)


def wall_clock_s() -> int:
    return int(time.time())


@pytest.fixture(scope="module")
def nudge(house: House, redis_server: RedisServer) -> Callable[[str], None]:
    settings = house.settings.model_copy(update={"redis_url": SecretStr(redis_server.url)})
    return nudging(make_app(settings))


@pytest.fixture
def worker(house: House, redis_server: RedisServer) -> Iterator[Worker]:
    with working(house, redis_server) as started:
        yield started


def point(house: House, name: str) -> str:
    register_point(house.desk, Point(name=name, kind="consumption", owner="mill"))
    return name


def import_job(house: House, name: str, data: bytes) -> Job:
    params = {
        "profile": PROFILE,
        "file_name": f"{point(house, name)}.csv",
        "source": name,
        "author": house.log.operator,
    }
    return service.submit(
        house, "import", params, party=PARK, account="anna", key=name, files={"file": data}
    )


def batches(house: House, source: str) -> int:
    (found,) = rows(house, f"SELECT COUNT(*) FROM batches WHERE source = '{source}'")
    return int(found[0])


def state(house: House, id_: str) -> str:
    """Also while the database is away."""
    try:
        return job_of(house, id_).state
    except Unavailable:
        return "?"


def test_without_redis_there_are_no_workers(house: House) -> None:
    with pytest.raises(Unavailable, match="set GREENLEDGER_REDIS_URL"):
        make_app(house.settings)


def test_a_worker_does_what_it_is_told_of(
    house: House, worker: Worker, nudge: Callable[[str], None]
) -> None:
    """It has no beat: all that it hears is the nudge."""
    job = import_job(house, "quick", csv(100))
    assert import_job(house, "quick", csv(100)).id == job.id
    nudge(job.id)
    nudge(job.id)
    found = ended(house, job.id)
    assert found.state == DONE, found.error
    assert found.result is not None
    assert (found.result["stored"], found.result["repeats"]) == (100, 0)
    assert rows(house, f"SELECT COUNT(*) FROM job_files WHERE job = '{job.id}'") == [(0,)]

    other = csv(100).replace(b",5\n", b",6\n")
    params = {name: said for name, said in found.params.items() if name != "file_sha256"}
    wrong = service.submit(
        house, "import", params, party=PARK, account="anna", files={"file": other}
    )
    nudge(wrong.id)
    failed = ended(house, wrong.id)
    assert failed.state == FAILED
    assert "is in force" in failed.error
    assert batches(house, "quick") == 1

    assert worker.stop() == 0
    said = [json.loads(line) for line in worker.log.read_text().splitlines() if line[:1] == "{"]
    (begun,) = [one for one in said if one["event"] == "job begins" and one["job"] == job.id]
    assert begun["kind"] == "import"
    for private in ("quick.csv", "kWh", house.settings.database_url):
        assert private not in worker.log.read_text()


def test_killed_in_the_middle_it_is_done_once_by_another(
    house: House, redis_server: RedisServer, nudge: Callable[[str], None]
) -> None:
    job = import_job(house, "killed", csv())
    with working(house, redis_server) as first:
        nudge(job.id)
        until(lambda: job_of(house, job.id).done > 0, "the job has not begun")
        first.kill()
    assert job_of(house, job.id).state == RUNNING
    assert batches(house, "killed") == 0
    with working(house, redis_server, "worker", "--concurrency", "1", "--beat"):
        found = ended(house, job.id)
    assert found.state == DONE, found.error
    assert found.result is not None
    assert (found.attempts, found.result["stored"]) == (2, ROWS)
    assert batches(house, "killed") == 1


def test_a_redis_that_forgets_all_loses_nothing(
    house: House, redis_server: RedisServer, nudge: Callable[[str], None]
) -> None:
    with working(house, redis_server, "worker", "--concurrency", "1", "--beat"):
        before = service.submit(house, "checkpoint", {}, party=PARK, account="anna")
        assert ended(house, before.id).state == DONE
        redis_server.kill()
        job = import_job(house, "forgotten", csv(100))
        nudge(job.id)
        gone = service.submit(house, "audit", {}, party=PARK, account="anna")
        assert service.ask_cancel(house, gone.id).state == CANCELLED
        assert job_of(house, job.id).state == WAITING
        redis_server.start()
        assert ended(house, job.id).state == DONE
    assert batches(house, "forgotten") == 1
    assert job_of(house, gone.id).state == CANCELLED


def test_a_database_that_crashes_in_the_middle(
    house: House, postgres: PostgreSQL, redis_server: RedisServer, nudge: Callable[[str], None]
) -> None:
    """And two beats beside each other."""
    job = import_job(house, "crashed", csv())
    with (
        working(house, redis_server) as worker,
        working(house, redis_server, "beat"),
        working(house, redis_server, "beat"),
    ):
        nudge(job.id)
        until(lambda: job_of(house, job.id).done > 0, "the job has not begun")
        postgres.restart(signal.SIGQUIT)
        until(lambda: state(house, job.id) in {DONE, FAILED}, "the job has not ended")
        found = job_of(house, job.id)
        assert found.state == DONE, found.error
        assert found.attempts == 2
        assert batches(house, "crashed") == 1
        assert worker.process.poll() is None


def test_after_all_of_it_the_audit_passes(house: House) -> None:
    house.audit(no_progress)
    with reading(house.engine) as conn:
        assert service.pending(conn, int(time.time()) + 3600) == []
