"""What the work on a job is given: the job, the house, and how to report, to keep and to end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from ledger.db import reading, writing
from ledger.errors import LedgerError
from ledger.house import House
from ledger.jobs import store
from ledger.jobs.model import DONE, Cancelled, Job, Lost, Result, Stopped
from ledger.log.service import Receipt, Submission
from ledger.parties.desk import Desk

log: Final = structlog.get_logger(__name__)
ResultOf = Callable[[Connection, Sequence[Receipt]], Result]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What can be asked for.

    `do(run)` returns the result; it may have ended the job with its last append. `needs`, `takes`:
    params and their types, without and with a default. `files`, `outputs`: what comes with the job
    and of it. `check(params)` raises InvalidInput for what can never be done. `help(house, job)`
    does a piece of a job that another worker has; False where there is none.
    """

    do: Callable[[Run], Result]
    needs: Mapping[str, type] = field(default_factory=dict)
    takes: Mapping[str, type] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    check: Callable[[Mapping[str, Any]], object] | None = None
    help: Callable[[House, str, Helping], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Helping:
    """How a worker that helps tells others of a job, and whether it is to stop."""

    nudge: Callable[[str], None]
    stop: Callable[[], bool]


class Run:
    """What the function of a kind is given: the job, the house, and how to report and to end."""

    def __init__(
        self,
        house: House,
        job: Job,
        kind: Kind,
        worker: str,
        *,
        nudge: Callable[[str], None],
        stop: Callable[[], bool],
    ) -> None:
        self.house = house
        self.kind = kind
        self.job = job
        self.worker = worker
        self.nudge = nudge
        self._stop = stop
        self.keeper = Keeper(house, job.id, worker)

    @property
    def secret(self) -> bytes:
        """32 bytes of the job's own: what must come out the same each time is drawn from it."""
        with reading(self.house.engine) as conn:
            return store.secret_of(conn, self.job.id)

    def progress(self, done: int, total: int = 0, text: str | None = None) -> None:
        """Say how far it is; cheap. Raises Cancelled, Lost or Stopped: it must not go on."""
        if self._stop():
            raise Stopped("the worker was told to stop")
        self.keeper.see(done, total, text)

    def finishing(self, result_of: ResultOf) -> Desk:
        """A desk whose next append ends the job: entries and result are stored together.

        `result_of(conn, receipts)` is asked inside that transaction. It refuses the append where
        the job was cancelled, or is another worker's meanwhile.
        """

        def also(conn: Connection, receipts: Sequence[Receipt]) -> None:
            self.require_mine(conn)
            self._end(conn, DONE, result=result_of(conn, receipts))

        return self.house.desk.also(also)

    def finish(self, result_of: ResultOf, submissions: Sequence[Submission]) -> Result:
        """Append entries, and end the job with their result."""
        found: list[Result] = []

        def noted(conn: Connection, receipts: Sequence[Receipt]) -> Result:
            found.append(result_of(conn, receipts))
            return found[0]

        self.finishing(noted).writer.append_all(submissions)
        return found[0]

    def require_mine(self, conn: Connection) -> None:
        """Raises Lost or Cancelled; the job's row is locked from here to the transaction's end."""
        said = store.hold(conn, self.job.id, self.worker)
        if said == "lost":
            raise Lost(f"job {self.job.id} was taken over by another worker")
        if said == "cancel":
            raise Cancelled(f"job {self.job.id} was cancelled")

    def file(self, name: str) -> bytes:
        """What came with the job."""
        with reading(self.house.engine) as conn:
            return b"".join(store.file_parts(conn, self.job.id, name))

    def save_file(self, name: str, lines: Iterable[bytes]) -> int:
        """Keep what comes of the job as a file, in parts; returns its size."""
        part, size, waiting = 0, 0, bytearray()
        for line in lines:
            waiting += line
            size += len(line)
            self.progress(size, 0)
            if len(waiting) >= store.PART_BYTES:
                self._save_part(name, part, bytes(waiting))
                part, waiting = part + 1, bytearray()
        if waiting or not part:
            self._save_part(name, part, bytes(waiting))
        return size

    def _save_part(self, name: str, part: int, data: bytes) -> None:
        with writing(self.house.engine) as conn:
            self.require_mine(conn)
            store.save_part(conn, self.job.id, name, part, data)

    def end(self, state: str, *, result: Result | None = None, error: str = "") -> None:
        """End the job, unless an append has, or another worker has it."""
        with writing(self.house.engine) as conn:
            self._end(conn, state, result=result, error=error)

    def _end(
        self, conn: Connection, state: str, *, result: Result | None = None, error: str = ""
    ) -> None:
        now_s = self.house.desk.clock_s()
        if not store.end(
            conn,
            self.job.id,
            self.worker,
            state,
            now_s,
            result=result,
            error=error,
            seen=self.keeper.seen,
        ):
            return
        outputs = () if state == DONE else self.kind.outputs
        store.drop_files(conn, self.job.id, *self.kind.files, *outputs)
        store.drop_shards(conn, self.job.id)


class Keeper:
    """Renews a lease and stores progress from a thread of its own, while the work goes on."""

    def __init__(self, house: House, id_: str, worker: str) -> None:
        self._house = house
        self._id = id_
        self._worker = worker
        self.seen = (0, 0, "")
        self._said = ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"job-{id_[:8]}", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self,
        _class: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def see(self, done: int, total: int, text: str | None) -> None:
        self.seen = (done, total, self.seen[2] if text is None else text)
        if self._said == "cancel":
            raise Cancelled(f"job {self._id} was cancelled")
        if self._said == "lost":
            raise Lost(f"job {self._id} was taken over by another worker")

    def _keep(self) -> None:
        settings = self._house.settings
        pause_s = min(settings.job_progress_s, settings.job_lease_s / 4)
        while not self._over.wait(pause_s) and self._said != "lost":
            until_s = self._house.desk.clock_s() + settings.job_lease_s
            try:
                with writing(self._house.engine) as conn:
                    self._said = store.renew(conn, self._id, self._worker, until_s, self.seen)
            except LedgerError as error:
                log.warning("lease could not be renewed", error=str(error))
