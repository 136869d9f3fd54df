"""Doing a job: taken by lease, kept while it goes on, ended with what it has appended.

A worker that is killed leaves its job running; once the lease has run out, another takes it over
and begins anew. The result is stored in the transaction that appends the job's entries, and only
by whoever has the lease: so a job's work gets into the log once, whoever dies when.
"""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable
from typing import Final

import structlog

from ledger.db import reading, writing
from ledger.errors import LedgerError, Unavailable
from ledger.house import House
from ledger.jobs import kinds, store
from ledger.jobs.model import CANCELLED, DONE, FAILED, Cancelled, Job, Lost, Stopped
from ledger.jobs.work import Helping, Run

log: Final = structlog.get_logger(__name__)


def run(
    house: House,
    id_: str,
    *,
    nudge: Callable[[str], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Job | None:
    """Do a job, or help with one; None where there is nothing to do about it now.

    `nudge` tells other workers that they may help; `stop` says that this one is to let go. What a
    job raises ends it as failed; it is the worker's failure only where the database can't be
    reached.
    """
    worker = secrets.token_hex(16)
    now_s = house.desk.clock_s()
    with writing(house.engine) as conn:
        taken = store.claim(conn, id_, worker, now_s, now_s + house.settings.job_lease_s)
        job = store.find(conn, id_)
        if taken and job is not None:
            store.drop_files(conn, id_, *kinds.KINDS[job.kind].outputs)
    if job is None:
        return None
    if not taken:
        help_ = kinds.KINDS[job.kind].help
        helping = Helping(nudge=nudge or _nobody, stop=stop or _never)
        return job if help_ and not job.ended and help_(house, id_, helping) else None
    with structlog.contextvars.bound_contextvars(job=id_, kind=job.kind, attempt=job.attempts):
        return _do(
            Run(
                house,
                job,
                kinds.KINDS[job.kind],
                worker,
                nudge=nudge or _nobody,
                stop=stop or _never,
            )
        )


def _nobody(_id: str) -> None:
    """Who does it alone tells nobody."""


def _never() -> bool:
    return False


def _do(run_: Run) -> Job | None:
    log.info("job begins")
    end = _work(run_)
    # Not where it was caught: an error keeps alive what was being read, and SQLite would not let
    # its connection write.
    if end is not None:
        end()
    with reading(run_.house.engine) as conn:
        found = store.find(conn, run_.job.id)
    log.info("job ends", state=found.state if found else "gone")
    return found


def _work(run_: Run) -> Callable[[], None] | None:
    """Do the job; returns what ends it, None where nothing does yet."""
    if run_.job.cancel_asked:
        return functools.partial(run_.end, CANCELLED)
    if run_.job.attempts > run_.house.settings.job_attempts_max:
        return functools.partial(run_.end, FAILED, error=_given_up(run_.job.attempts - 1))
    try:
        with run_.keeper:
            return functools.partial(run_.end, DONE, result=run_.kind.do(run_))
    except Cancelled:
        return functools.partial(run_.end, CANCELLED)
    except Stopped:
        return functools.partial(_release, run_)
    except Lost:
        log.warning("job was taken over")
        return None
    except Unavailable as error:
        # It stays running: once the lease has run out, whoever can do it takes it over.
        log.warning("job waits", error=str(error))
        return None
    except LedgerError as error:
        return functools.partial(run_.end, FAILED, error=str(error) or type(error).__name__)
    except Exception as error:
        log.exception("job failed unexpectedly")
        said = f"an error of the program, see its log: {type(error).__name__}"
        return functools.partial(run_.end, FAILED, error=said)


def _release(run_: Run) -> None:
    now_s = run_.house.desk.clock_s()
    with writing(run_.house.engine) as conn:
        store.release(conn, run_.job.id, run_.worker, now_s - 1)


def _given_up(attempts: int) -> str:
    return (
        f"given up after {attempts} attempts: workers were lost with it, or could not reach what it"
        " needs; their logs say more"
    )
