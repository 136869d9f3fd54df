"""Steps of the demo on standard error: a line when each is done, and for people a bar meanwhile."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

Advance = Callable[[int, int], None]


class Steps:
    """Shows and times the steps, of which there are `count`, and stops between them on Ctrl-C.

    Python drops a KeyboardInterrupt that hits a weak reference's callback or a `__del__`, as the
    database's library has many. So the signal is remembered, and looked for between pieces of work.
    """

    def __init__(self, console: Console, count: int) -> None:
        self.seconds: dict[str, float] = {}
        self._console = console
        self._count = count
        self._stopped = False
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            with self._bar:
                yield
            return
        before = signal.signal(signal.SIGINT, self._stop)
        try:
            with self._bar:
                yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopped = True
        raise KeyboardInterrupt

    def _look(self) -> None:
        if self._stopped:
            raise KeyboardInterrupt

    @contextmanager
    def step(self, key: str, title: str) -> Iterator[Advance]:
        """One step; what it yields takes (done, total)."""
        began = time.perf_counter()
        task: TaskID = self._bar.add_task(title, total=None)

        def advance(done: int, total: int) -> None:
            self._look()
            self._bar.update(task, completed=done, total=total or None)

        try:
            yield advance
        finally:
            self._bar.remove_task(task)
        self._look()
        took = time.perf_counter() - began
        self.seconds[key] = round(took, 2)
        number = len(self.seconds)
        self._console.print(f"{number:>3}/{self._count}  {took:6.2f} s  {title}", highlight=False)
