"""Lines, numbers and tables as the demo prints them; readable from 80 columns on."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ledger.demo.wrapping import wrap

INDENT: Final = 2


def heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold green"))


def paragraph(console: Console, text: str, style: str = "") -> None:
    hanging(console, Text(" " * INDENT), text, style)


def bullet(console: Console, text: str) -> None:
    hanging(console, Text("  • ", style="dim"), text)


def verdict(console: Console, text: str, *, good: bool) -> None:
    mark = Text("  ✓ ", style="green") if good else Text("  ✗ ", style="bold red")
    hanging(console, mark, text)


def hanging(console: Console, mark: Text, text: str, style: str = "") -> None:
    """The mark, then the text with its further lines under the first."""
    lead = "\n" + " " * mark.cell_len
    body = lead.join(wrap(text, console.width - mark.cell_len))
    console.print(mark.append(body, style=style or "default"), soft_wrap=True)


# Numbers


def mwh(wh: int) -> str:
    return f"{wh / 1e6:,.1f}"


def energy(wh: int) -> str:
    return f"{wh / 1e9:,.2f} GWh" if wh >= 10**9 else f"{wh / 1e6:,.1f} MWh"


def percent(part: int, whole: int) -> str:
    return f"{part * 100 / whole:.1f} %" if whole else "–"


def count(number: int) -> str:
    return f"{number:,}" if number else "–"


def plain_table() -> Table:
    return Table(box=None, header_style="dim", padding=(0, 1), pad_edge=False, show_edge=False)
