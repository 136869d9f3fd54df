"""Base units, half-open UTC periods and park time: integers only.

Energy is Wh, mass is grams, time is Unix seconds. A period is half-open: `start_s`
belongs to it, `end_s` does not. Park time is a fixed offset from UTC: China has no DST.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final, Literal, Self

from ledger.errors import InvalidInput

Granularity = Literal["quarter_hour", "hour", "day", "month", "year"]
GRANULARITIES: Final[tuple[Granularity, ...]] = ("quarter_hour", "hour", "day", "month", "year")

QUARTER_HOUR_S: Final = 900
HOUR_S: Final = 3600
DAY_S: Final = 86_400

# Factor from a written unit to its base unit.
BASE_UNITS: Final[dict[str, tuple[str, Decimal]]] = {
    "Wh": ("Wh", Decimal(1)),
    "kWh": ("Wh", Decimal(1000)),
    "MWh": ("Wh", Decimal(1_000_000)),
    "GWh": ("Wh", Decimal(1_000_000_000)),
    "J": ("J", Decimal(1)),
    "MJ": ("J", Decimal(1_000_000)),
    "GJ": ("J", Decimal(1_000_000_000)),
    "ml": ("ml", Decimal(1)),
    "l": ("ml", Decimal(1000)),
    "m3": ("ml", Decimal(1_000_000)),
    "g": ("g", Decimal(1)),
    "kg": ("g", Decimal(1000)),
    "t": ("g", Decimal(1_000_000)),
    "mK": ("mK", Decimal(1)),
    "K": ("mK", Decimal(1000)),
    "ug/m3": ("ug/m3", Decimal(1)),
    "mg/m3": ("ug/m3", Decimal(1000)),
}
# Factor from a written power unit to W; times an interval it gives Wh.
POWER_UNITS: Final[dict[str, Decimal]] = {
    "W": Decimal(1),
    "kW": Decimal(1000),
    "MW": Decimal(1_000_000),
}


# How `exactly` says a mass of g.
TONNES: Final = ((1_000_000, "t"), (1000, "kg"), (1, "g"))


def exactly(value: int, units: Sequence[tuple[int, str]]) -> str:
    """A value in the first of `units` (size, name; the last of size 1) that it reaches, no digit
    lost: `1,200.5 t`."""
    size, name = next((size, name) for size, name in units if abs(value) >= size or size == 1)
    whole, rest = divmod(abs(value), size)
    decimals = f".{rest:0{len(str(size)) - 1}}".rstrip("0") if rest else ""
    return f"{'−' * (value < 0)}{whole:,}{decimals} {name}"


# In ASCII: `\d` alone would take the digits of any script, and a verifier would not.
# Quarters of an hour, as all zones in use have them: park time and UTC share the quarter-hours.
_OFFSET = re.compile(r"([+-])(0\d|1[0-4]):(00|15|30|45)", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def parse_zone(text: str) -> timezone:
    """`+08:00` → a fixed offset. Raises InvalidInput."""
    found = _OFFSET.fullmatch(text)
    if not found:
        raise InvalidInput(
            f"zone {text!r} is not a fixed offset of whole quarter-hours, such as '+08:00'"
        )
    sign = 1 if found[1] == "+" else -1
    return timezone(sign * timedelta(hours=int(found[2]), minutes=int(found[3])))


def zone_offset_s(zone: timezone) -> int:
    """Seconds that park time is ahead of UTC."""
    return int(zone.utcoffset(None).total_seconds())


# A file of a year says few times, again and again.
@functools.lru_cache(maxsize=65_536)
def parse_instant(text: str) -> int:
    """`2026-01-01T00:00:00Z` → Unix seconds. Raises InvalidInput."""
    if not _INSTANT.fullmatch(text):
        raise InvalidInput(f"time {text!r} is not of the form 2026-01-01T00:00:00Z")
    try:
        return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        raise InvalidInput(f"time {text!r} does not exist: {error}") from error


@functools.lru_cache(maxsize=65_536)
def format_instant(unix_s: int) -> str:
    """Unix seconds → `2026-01-01T00:00:00Z`; `parse_instant` reads it back, in the year 1 too."""
    at = datetime.fromtimestamp(unix_s, UTC)
    return f"{at.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Period:
    """A half-open span of UTC time, in Unix seconds."""

    start_s: int
    end_s: int

    def __post_init__(self) -> None:
        if self.end_s <= self.start_s:
            raise InvalidInput(
                f"period {format_instant(self.start_s)} – {format_instant(self.end_s)} is empty"
            )

    @property
    def length_s(self) -> int:
        return self.end_s - self.start_s

    def contains(self, other: Self) -> bool:
        return self.start_s <= other.start_s and other.end_s <= self.end_s

    def overlaps(self, other: Self) -> bool:
        return self.start_s < other.end_s and other.start_s < self.end_s

    def split(self, at_s: int) -> tuple[Period, Period]:
        """The parts before and from `at_s`, which must lie strictly inside."""
        return Period(start_s=self.start_s, end_s=at_s), Period(start_s=at_s, end_s=self.end_s)

    def merge(self, following: Self) -> Period:
        if self.end_s != following.start_s:
            raise InvalidInput(
                f"{format_instant(self.end_s)} and {format_instant(following.start_s)}"
                " do not adjoin"
            )
        return Period(start_s=self.start_s, end_s=following.end_s)
