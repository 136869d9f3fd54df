"""Tables for people, in Chinese and English: what CSV, XLSX and PDF are written from.

A cell is a text, an integer in base units (Wh, g, ppm, a count), or None where there is nothing.
How an integer is shown is the column's: `scale` base units are one `unit`. No float is a cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from ledger.units import parse_instant, parse_zone

Cell = str | int | None
STATES: Final[Mapping[str, str]] = {
    "in force": "有效 in force",
    "short": "不足 short",
    "final": "已确认 final",
    "pending official cancellation": "待官方核销 pending official cancellation",
    "official": "官方 official",
    "secondary": "二手 secondary",
    "unverified": "未核实 unverified",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The same in both languages."""

    zh: str
    en: str

    @property
    def together(self) -> str:
        """`绿电 Green power`; once where both are the same (a name, a number)."""
        return self.zh if self.zh == self.en or not self.en else f"{self.zh} {self.en}"


def words(zh: str, en: str) -> Words:
    return Words(zh=zh, en=en)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`places`: decimals that people are shown; exact files show all. `brief`: of ids, how many
    characters a page shows. `printed`: whether a page has it, too."""

    title: Words
    unit: str = ""
    scale: int = 1
    places: int = 0
    number: bool = False
    brief: int = 0
    printed: bool = True

    @property
    def heading(self) -> str:
        """`电量 Electricity (MWh)`."""
        return f"{self.title.together} ({self.unit})" if self.unit else self.title.together


def text_column(zh: str, en: str, *, printed: bool = True) -> Column:
    return Column(title=words(zh, en), printed=printed)


def id_column(zh: str, en: str) -> Column:
    """Of 32 hex digits; twelve of them are told apart on a page."""
    return Column(title=words(zh, en), brief=12)


def number_column(zh: str, en: str, unit: str = "", *, scale: int = 1, places: int = 0) -> Column:
    return Column(title=words(zh, en), unit=unit, scale=scale, places=places, number=True)


def energy_column(zh: str, en: str) -> Column:
    """Of Wh, shown as MWh."""
    return number_column(zh, en, "MWh", scale=1_000_000, places=3)


def mass_column(zh: str, en: str, unit: str = "t") -> Column:
    """Of g, shown as t."""
    return number_column(zh, en, unit, scale=1_000_000, places=3)


def share_column(zh: str, en: str) -> Column:
    """Of ppm, shown as percent."""
    return number_column(zh, en, "%", scale=10_000, places=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`name`: of its CSV file. `notes`: what has to be read with it. `printed`: whether the PDF has
    it, too."""

    name: str
    title: Words
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[Words] = field(default=())
    printed: bool = True

    def __post_init__(self) -> None:
        for row in self.rows:
            assert len(row) == len(self.columns), f"{self.name}: {row!r}"

    def page(self) -> tuple[list[Column], list[list[str]]]:
        """The columns that a page has, and its rows as people read them."""
        places = [place for place, column in enumerate(self.columns) if column.printed]
        rows = [[shown(row[place], self.columns[place]) for place in places] for row in self.rows]
        return [self.columns[place] for place in places], rows


def exact(amount: int, scale: int) -> str:
    """An integer of base units in units of `scale`, with every digit: `1234.5678`, `-0.5`, `7`."""
    if scale == 1:
        return str(amount)
    text = f"{Decimal(amount) / scale:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def shown(cell: Cell, column: Column) -> str:
    """A cell as people read it, rounded half to even: `1,234.568`; `–` for nothing."""
    if cell is None or cell == "":
        return "–"
    if isinstance(cell, str):
        return cell[: column.brief] if column.brief else cell
    amount = Decimal(cell) / column.scale
    rounded = amount.quantize(Decimal(1).scaleb(-column.places), rounding=ROUND_HALF_EVEN)
    return f"{rounded:,f}"


def park_time(instant: str, zone: str) -> str:
    """`2026-01-01 00:00`, as people of the park read a clock."""
    moment = datetime.fromtimestamp(parse_instant(instant), parse_zone(zone))
    return moment.strftime("%Y-%m-%d %H:%M")


def state(name: str) -> str:
    """A state or status in both languages; as it stands where it is none of ours."""
    return STATES.get(name, name)
