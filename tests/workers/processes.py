"""Worker processes as an operator starts them, and what tests do to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ledger.db import reading
from ledger.house import House
from ledger.jobs import service
from ledger.jobs.model import Job
from tests.servers.redis import RedisServer

WAIT_S = 60
# A worker that says nothing for so long is lost; and how soon that is noticed.
LEASE_S = 2
SWEEP_S = 0.5


@dataclass
class Worker:
    """A process group of `greenledger worker`, and the file that it logs to."""

    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """As a machine that loses its power: parent and children at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def said(self, event: str) -> bool:
        return f'"event": "{event}"' in self.log.read_text()

    def ready(self) -> None:
        """Wait until it takes jobs."""
        until(lambda: 'ready."' in self.log.read_text(), "the worker does not start")

    def stop(self) -> int:
        """As an operator does; returns the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(WAIT_S)


def start(house: House, redis: RedisServer, *words: str) -> Worker:
    settings = house.settings
    log = settings.dir / f"worker-{time.monotonic_ns()}.log"
    environment = os.environ | {
        "GREENLEDGER_DIR": str(settings.dir),
        "GREENLEDGER_DATABASE_URL": settings.database_url,
        "GREENLEDGER_REDIS_URL": redis.url,
        "GREENLEDGER_JOB_LEASE_S": str(LEASE_S),
        "GREENLEDGER_JOB_PROGRESS_S": "0.1",
        "GREENLEDGER_JOB_SWEEP_EVERY_S": str(SWEEP_S),
        "GREENLEDGER_CHECKPOINT_EVERY_S": "0",
        "GREENLEDGER_EXPIRY_EVERY_S": "0",
        "GREENLEDGER_AUDIT_EVERY_S": "0",
        # What the database and time stand for is given; nothing else of ours is.
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "ledger.cli", *(words or ("worker", "--concurrency", "1"))],
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Worker(process, log)


@contextmanager
def working(house: House, redis: RedisServer, *words: str) -> Iterator[Worker]:
    """A worker that is gone afterwards, whatever happens."""
    worker = start(house, redis, *words)
    try:
        yield worker
    finally:
        if worker.process.poll() is None:
            worker.kill()


def until(what: Callable[[], bool], said: str) -> None:
    end = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < end, said
        time.sleep(0.02)


def job_of(house: House, id_: str) -> Job:
    with reading(house.engine) as conn:
        return service.load(conn, id_)


def ended(house: House, id_: str) -> Job:
    """The job, once it has ended."""
    until(lambda: job_of(house, id_).ended, f"job {id_} has not ended")
    return job_of(house, id_)
