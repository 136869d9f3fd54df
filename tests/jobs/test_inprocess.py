"""Without Redis: threads of one process find, do, let go of and take over jobs."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.house import House
from ledger.jobs.inprocess import Runner
from ledger.jobs.model import DONE, RUNNING
from ledger.jobs.running import run
from tests.jobs.conftest import ask, job_of
from tests.ledgers import copy_ledger, open_house, rows

QUIET = {
    "job_sweep_every_s": 0.1,
    "checkpoint_every_s": 0,
    "expiry_every_s": 0,
    "audit_every_s": 0,
}


def quiet(house: House) -> House:
    return replace(house, settings=house.settings.model_copy(update=QUIET))


def ended(house: House, *ids: str) -> list[str]:
    end = time.monotonic() + 30
    while not all(job_of(house, id_).ended for id_ in ids):
        assert time.monotonic() < end
        time.sleep(0.02)
    return [job_of(house, id_).state for id_ in ids]


def test_what_was_pending_before_is_found_and_what_comes_is_heard_of(begun: House) -> None:
    house = quiet(begun)
    before = ask(house, "checkpoint")
    with Runner(house) as runner:
        assert ended(house, before.id) == [DONE]
        later = ask(house, "audit")
        runner.nudge(later.id)
        runner.nudge(later.id)
        assert ended(house, later.id) == [DONE]
    assert job_of(house, later.id).attempts == 1


def test_the_clock_asks(begun: House) -> None:
    house = replace(begun, settings=begun.settings.model_copy(update={"job_sweep_every_s": 0.1}))
    begun.desk.register_party("a", "A", ["enterprise"])
    with Runner(house):
        end = time.monotonic() + 30
        while rows(house, "SELECT kind, state FROM jobs ORDER BY kind") != [
            ("audit", DONE),
            ("checkpoint", DONE),
            ("expiry", DONE),
        ]:
            assert time.monotonic() < end
            time.sleep(0.05)


def test_stopping_lets_go_and_the_next_takes_over_at_once(
    filled_template: Path, tmp_path: Path
) -> None:
    """Not after a lease: it is given back. And it counts as no attempt."""
    house = quiet(open_house(copy_ledger(filled_template, tmp_path / "data")))
    job = ask(house, "audit")
    before = set(threading.enumerate())
    with Runner(house):
        end = time.monotonic() + 30
        while job_of(house, job.id).state != RUNNING:
            assert time.monotonic() < end
    found = job_of(house, job.id)
    assert not [one for one in set(threading.enumerate()) - before if one.name.startswith("job")]
    if found.state != DONE:  # on a machine so quick that it was done before it was stopped
        assert (found.state, found.attempts) == (RUNNING, 0)
        finished = run(house, job.id)
        assert finished is not None
        assert (finished.state, finished.attempts) == (DONE, 1)
    house.engine.dispose()


@pytest.mark.parametrize("threads", [1, 2])
def test_each_job_once(begun: House, threads: int) -> None:
    house = replace(
        begun, settings=begun.settings.model_copy(update=QUIET | {"job_threads": threads})
    )
    asked = [ask(house, "checkpoint").id for _ in range(8)]
    with Runner(house) as runner:
        for id_ in asked:
            runner.nudge(id_)
        assert ended(house, *asked) == [DONE] * 8
    assert {job_of(house, id_).attempts for id_ in asked} == {1}
