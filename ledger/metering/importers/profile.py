"""What an import profile says, as values. `profile_toml` reads them from a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRules:
    """`name`: pattern of the file's name with at most one `*`, or "" for any name."""

    format: str
    name: str
    encoding: str
    delimiter: str
    final_line_break: bool
    sheet: str
    header_row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRules:
    """`zone`: "park", "file" (each stamp carries its offset), "+08:00" or an IANA name."""

    columns: tuple[str, ...]
    format: str
    interval_s: int
    ends: bool
    day_closing: bool
    zone: str
    ambiguous_by_order: bool
    shift_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRules:
    """`factor`: base units per number in the file (energy, register, gauge) or Wh per number and
    interval (power), the scale included."""

    quantity: str
    unit: str
    base_unit: str
    factor: Fraction
    by_meter: bool
    register_digits: int
    missing_rejected: bool
    missing_markers: tuple[str, ...]
    negative: str
    zero_is: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnsLayout:
    """One row per stamp, one column per point. `points`: column → point."""

    points: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """Which point a row belongs to: always `point`, or what stands in `column`.

    `by_meter`: the column holds meter numbers. `names`: what stands in the column → point.
    """

    point: str
    column: str
    by_meter: bool
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LongLayout:
    """One row per stamp and point."""

    value_column: str
    naming: Naming


@dataclass(frozen=True, slots=True, kw_only=True)
class WideLayout:
    """One row per day and point, `columns` in the order of time; the first has the stamp
    `first_s` seconds after the day's midnight. `complete_column`: one character per column,
    `complete_mark` where its value was collected; "" for none."""

    columns: tuple[str, ...]
    first_s: int
    naming: Naming
    complete_column: str
    complete_mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How to read one kind of file. `keep_from_s`, `keep_to_s`: half-open, as seconds of the park's
    own wall clock counted from 1970-01-01 00:00, or None."""

    where: str
    title: str
    file: FileRules
    time: TimeRules
    value: ValueRules
    layout: ColumnsLayout | LongLayout | WideLayout
    keep_rows: Mapping[str, str]
    keep_from_s: int | None
    keep_to_s: int | None
    target_s: int
    spread: bool
