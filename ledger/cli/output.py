"""What commands print: tables and sentences for people, one JSON object for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table


class Output:
    """Standard output of one command. With `as_json` only `result` prints."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.console = Console(quiet=as_json, highlight=False, soft_wrap=True, markup=False)
        self.errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

    def say(self, text: str = "") -> None:
        self.console.print(text)

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Numbers are set to the right: a column is one if its first value is."""
        found = [list(row) for row in rows]
        table = Table(
            title=title,
            title_justify="left",
            header_style="bold",
            box=box.SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
        )
        for place, column in enumerate(columns):
            is_number = bool(found) and isinstance(found[0][place], int)
            table.add_column(
                column,
                justify="right" if is_number else "left",
                overflow="fold",
                no_wrap=is_number or place == 0,
                min_width=len(column),
            )
        for row in found:
            table.add_row(*(f"{v:,}" if isinstance(v, int) else str(v) for v in row))
        self.console.print(table)

    def warn(self, text: str) -> None:
        """On standard error, so that it shows beside --json too."""
        self.errors.print(f"warning: {text}", style="yellow")

    def result(self, value: Mapping[str, Any]) -> None:
        """The last line of standard output under --json."""
        if self.as_json:
            sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
            sys.stdout.flush()

    def progress(self) -> Progress:
        """A bar on standard error, shown to people only."""
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            console=self.errors,
            transient=True,
            disable=self.as_json or not self.errors.is_terminal,
        )


def step(bar: Progress, name: str) -> Callable[[int, int], None]:
    """A task on `bar`, as the (done, total) callback that long work takes."""
    task = bar.add_task(name, total=None)

    def advance(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total or None)

    return advance


def energy(wh: int) -> str:
    """Wh in the unit that a person reads at a glance; the exact number stands in --json."""
    for unit, size in (("GWh", 10**9), ("MWh", 10**6), ("kWh", 10**3)):
        if abs(wh) >= size:
            return f"{wh / size:,.3f} {unit}"
    return f"{wh} Wh"


def share(part: int, whole: int) -> str:
    """Percent to four places, from integers."""
    return "–" if whole == 0 else f"{part * 100 / whole:.4f} %"
