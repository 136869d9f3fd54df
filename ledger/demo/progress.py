"""Steps of the demo on standard error: a line when each is done, and for people a bar meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

Advance = Callable[[int, int], None]


class Steps:
    """Shows and times the steps, of which there are `count`."""

    def __init__(self, console: Console, count: int) -> None:
        self.seconds: dict[str, float] = {}
        self._console = console
        self._count = count
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
    def running(self) -> Iterator[Steps]:
        with self._bar:
            yield self

    @contextmanager
    def step(self, key: str, title: str) -> Iterator[Advance]:
        """One step; what it yields takes (done, total)."""
        began = time.perf_counter()
        task: TaskID = self._bar.add_task(title, total=None)

        def advance(done: int, total: int) -> None:
            self._bar.update(task, completed=done, total=total or None)

        try:
            yield advance
        finally:
            self._bar.remove_task(task)
        took = time.perf_counter() - began
        self.seconds[key] = round(took, 2)
        number = len(self.seconds)
        self._console.print(f"{number:>3}/{self._count}  {took:6.2f} s  {title}", highlight=False)
