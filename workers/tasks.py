"""What a worker does: the job that a message names, and the sweep."""

from __future__ import annotations

import functools
import os
from typing import Final

import structlog
from celery import Celery

from ledger.errors import LedgerError
from ledger.house import House
from ledger.jobs.running import run
from ledger.jobs.schedule import sweep
from ledger.settings import Settings
from workers.app import RUN, SWEEP, nudging

log: Final = structlog.get_logger(__name__)


def register(app: Celery, settings: Settings) -> None:
    """Add the tasks to the application of a worker."""
    nudge = nudging(app)

    @functools.cache
    def house_of(_process: int) -> House:
        return House.open(settings)

    def house() -> House:
        # A process of the pool is a fork: it may use no connection that its parent has opened.
        return house_of(os.getpid())

    def run_job(id_: str) -> None:
        try:
            run(house(), id_, nudge=nudge)
        except LedgerError as error:
            log.warning("job could not be taken", job=id_, error=str(error))

    def sweep_jobs() -> None:
        try:
            sweep(house(), nudge)
        except LedgerError as error:
            log.warning("sweep failed", error=str(error))

    app.task(name=RUN)(run_job)
    app.task(name=SWEEP)(sweep_jobs)
