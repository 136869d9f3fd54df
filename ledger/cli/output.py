"""What commands print: tables and sentences for people, one JSON object for programs.

rich is imported where something is drawn with it: programs that read JSON need not wait for it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from ledger.units import TONNES, exactly, parse_zone

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

WORD_MAX: Final = 20
NAME_MAX: Final = 40
WIDTH_MAX: Final = 1000


class Output:
    """Standard output of one command. With `as_json` only `result` prints."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    @cached_property
    def console(self) -> Console:
        return self._console(stderr=False)

    @cached_property
    def errors(self) -> Console:
        return self._console(stderr=True)

    def _console(self, *, stderr: bool) -> Console:
        from rich.console import Console

        return Console(stderr=stderr, highlight=False, soft_wrap=True, markup=False)

    def say(self, text: str = "") -> None:
        if not self.as_json:
            self.console.print(text)

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Numbers are set to the right: integers, and columns whose name begins with `>`."""
        if self.as_json:
            return
        from rich import box
        from rich.measure import Measurement
        from rich.table import Table

        found = [list(row) for row in rows]
        table = Table(
            title=title,
            title_justify="left",
            header_style="bold",
            box=box.SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
            padding=0,
        )
        for place, column in enumerate(columns):
            is_integer = bool(found) and isinstance(found[0][place], int)
            to_the_right = column.startswith(">") or is_integer
            name = column.removeprefix(">")
            cells = [_cell(row[place]) for row in found]
            whole = to_the_right or (place == 0 and max(map(len, cells), default=0) <= NAME_MAX)
            table.add_column(
                name,
                justify="right" if to_the_right else "left",
                overflow="fold",
                no_wrap=whole,
                min_width=_width(name, cells, whole=whole),
            )
        for row in found:
            table.add_row(*map(_cell, row))
        # Where a screen is too narrow, lines break there: nothing is cut off.
        options = self.console.options.update(width=WIDTH_MAX)
        least = Measurement.get(self.console, options, table).minimum
        if least > self.console.width:
            table.width = least
        self.console.print(table)
        self.console.print()

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
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            console=self.errors,
            transient=True,
            disable=self.as_json or not self.errors.is_terminal,
        )


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _width(name: str, cells: Sequence[str], *, whole: bool) -> int:
    """The least, in cells of a screen, of which a Chinese character takes two: cells wrap between
    words, unless a word is very long; a number is shown whole."""
    from rich.cells import cell_len

    head = max(map(cell_len, name.split("\n")))
    parts = cells if whole else [word for cell in cells for word in cell.split()]
    longest = max(map(cell_len, parts), default=0)
    return max(head, longest if whole else min(WORD_MAX, longest))


def warn_unproven(
    out: Output, entries: Iterable[int], proofs: Mapping[int, str], *, as_json: bool
) -> None:
    """Under --json, that some entries come without a proof."""
    later = sorted(set(entries) - proofs.keys())
    if as_json and later:
        out.warn(
            f"entries from {later[0]} on have no proof, until they are under a checkpoint:"
            " greenledger checkpoint"
        )


def step(bar: Progress, name: str) -> Callable[[int, int], None]:
    """A task on `bar`, as the (done, total) callback that long work takes."""
    task = bar.add_task(name, total=None)

    def advance(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total or None)

    return advance


def counted(count: int, noun: str) -> str:
    """`1 lot`, `1,200 lots`, `2 batches`."""
    plural = f"{noun}es" if noun.endswith("ch") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def energy(wh: int) -> str:
    """Wh in the unit that a person reads at a glance; the exact number stands in --json."""
    for unit, size in (("GWh", 10**9), ("MWh", 10**6), ("kWh", 10**3)):
        if abs(wh) >= size:
            return f"{wh / size:,.3f} {unit}"
    return f"{wh} Wh"


def mass(g: int) -> str:
    """g in the unit that a person reads at a glance, exactly: `1,200.5 t`, `12 kg`, `7 g`."""
    return exactly(g, TONNES)


def park_time(unix_s: int, zone: str) -> str:
    """`2026-01-01 00:00`, in park time, as people of the park read a clock."""
    moment = datetime.fromtimestamp(unix_s, parse_zone(zone))
    return moment.strftime("%Y-%m-%d %H:%M")


def park_date(unix_s: int, zone: str) -> str:
    """`2026-01-01`, in park time; with the time of day where that is not midnight."""
    return park_time(unix_s, zone).removesuffix(" 00:00")


def dates(start_s: int, end_s: int, zone: str) -> str:
    """`2026`, `2026-01` for a calendar year or month of park time, else both ends."""
    first, end = park_date(start_s, zone), park_date(end_s, zone)
    month = first.removesuffix("-01")
    if len(month) == len("2026-01") and end == _month_after(month):
        return month
    year = first.removesuffix("-01-01")
    if len(year) == len("2026") and end == f"{int(year) + 1:04}-01-01":
        return year
    return f"{first} to {end}"


def _month_after(month: str) -> str:
    year, index = divmod(int(month[:4]) * 12 + int(month[5:]), 12)
    return f"{year:04}-{index + 1:02}-01"


def span(start_s: int, end_s: int, zone: str) -> str:
    """Two park times and their zone."""
    return f"{park_time(start_s, zone)} to {park_time(end_s, zone)} ({zone})"


def share(part: int, whole: int) -> str:
    """Percent to four places, from integers."""
    return "–" if whole == 0 else f"{part * 100 / whole:.4f} %"
