"""Jobs without Redis: the same functions, on threads of the process that serves."""

from __future__ import annotations

import queue
import threading
from typing import Final

import structlog

from ledger.errors import LedgerError
from ledger.house import House
from ledger.jobs.running import run
from ledger.jobs.schedule import sweep

log: Final = structlog.get_logger(__name__)
# What does not fit waits in the database, where the next sweep finds it.
_WAITING_MAX: Final = 1000


class Runner:
    """Does jobs until it is stopped; those that were pending before are found by its sweep.

    Stopping lets go of what is being done: whoever starts next takes it over at once.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._queue: queue.Queue[str] = queue.Queue(_WAITING_MAX)
        self._lock = threading.Lock()
        self._queued: set[str] = set()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"jobs-{number}", daemon=True)
            for number in range(house.settings.job_threads)
        ]
        self._threads.append(threading.Thread(target=self._sweep, name="job-sweep", daemon=True))

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns once nothing runs any more. What is between two steps goes on to the next."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Runner:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def nudge(self, id_: str) -> None:
        """Say that there is a job; never waits."""
        with self._lock:
            if id_ in self._queued:
                return
            try:
                self._queue.put_nowait(id_)
            except queue.Full:
                return
            self._queued.add(id_)

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                id_ = self._queue.get(timeout=0.2)
            except queue.Empty:
                continue
            with self._lock:
                self._queued.discard(id_)
            try:
                run(self._house, id_, nudge=self.nudge, stop=self._stop.is_set)
            except LedgerError as error:
                log.warning("job could not be taken", job=id_, error=str(error))

    def _sweep(self) -> None:
        while not self._stop.is_set():
            try:
                sweep(self._house, self.nudge)
            except LedgerError as error:
                log.warning("sweep failed", error=str(error))
            self._stop.wait(self._house.settings.job_sweep_every_s)
