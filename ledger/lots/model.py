"""Lots, origins and months (docs/formats.md §3.4). Pure.

A lot is the attribute of metered energy, a coin with one owner: its public id says nothing. An
origin is what a point's meter showed in a month of park time, as of one division of it.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ledger.errors import InvalidInput
from ledger.units import QUARTER_HOUR_S, Period

LOT_BYTES: Final = 16
NO_LOT: Final = bytes(LOT_BYTES)
# What generates has lots of supply, what consumes has lots of cover: the same thing twice.
SUPPLY_KINDS: Final = ("generation", "storage-discharge")
COVER_KINDS: Final = ("consumption", "storage-charge")
# A remainder is of no class, and held by nobody.
REMAINDER: Final = 0

_ORIGIN = re.compile(r"([0-9a-f]{32})/([0-9]{4})-(0[1-9]|1[0-2])/(0|[1-9][0-9]{0,5})", re.ASCII)


@functools.lru_cache(maxsize=4_096)
def _start_s(year: int, month: int) -> int:
    """Of a calendar month in UTC."""
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp())


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Month:
    """A calendar month of park time, which is `zone_offset_s` ahead of UTC."""

    year: int
    month: int
    zone_offset_s: int

    @property
    def start_s(self) -> int:
        return _start_s(self.year, self.month) - self.zone_offset_s

    @property
    def next(self) -> Month:
        year, month = divmod(self.year * 12 + self.month, 12)
        return Month(year=year, month=month + 1, zone_offset_s=self.zone_offset_s)

    @property
    def period(self) -> Period:
        return Period(start_s=self.start_s, end_s=self.next.start_s)

    @property
    def count(self) -> int:
        """Its quarter-hours."""
        return self.period.length_s // QUARTER_HOUR_S

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


@functools.lru_cache(maxsize=65_536)
def month_of(unix_s: int, zone_offset_s: int) -> Month:
    at = datetime.fromtimestamp(unix_s + zone_offset_s, UTC)
    return Month(year=at.year, month=at.month, zone_offset_s=zone_offset_s)


def parse_month(text: str, zone_offset_s: int) -> Month:
    """`2026-01`, a calendar month of park time. Raises InvalidInput."""
    found = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", text, re.ASCII)
    if not found or not 1971 <= int(found[1]) < 9999:
        raise InvalidInput(f"{text!r} is no month such as 2026-01")
    return Month(year=int(found[1]), month=int(found[2]), zone_offset_s=zone_offset_s)


_PERIOD = re.compile(r"([0-9]{4})(?:-(0[1-9]|1[0-2]))?", re.ASCII)


def is_period(value: Any) -> bool:
    """Whether it names a month `2026-03` or a year `2026` of park time."""
    found = _PERIOD.fullmatch(value) if isinstance(value, str) else None
    return found is not None and 1971 <= int(found[1]) < 9999


def span_of(name: str, zone_s: int) -> Period:
    """`2026-03` or `2026` as a time. Raises InvalidInput."""
    if not is_period(name):
        raise InvalidInput(f"period is {name!r}, not a month 2026-03 or a year 2026")
    year, month = int(name[:4]), int(name[5:] or 1)
    first = Month(year=year, month=month, zone_offset_s=zone_s)
    if len(name) > 4:
        return first.period
    last = Month(year=year, month=12, zone_offset_s=zone_s)
    return Period(start_s=first.start_s, end_s=last.next.start_s)


def months_in(period: Period, zone_offset_s: int) -> list[Month]:
    """The months that a period touches, in order."""
    found = [month_of(period.start_s, zone_offset_s)]
    while found[-1].period.end_s < period.end_s:
        found.append(found[-1].next)
    return found


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class OriginId:
    """`<point>/<YYYY-MM>/<revision>`: public, and divided once."""

    point: bytes
    month: Month
    revision: int

    def __str__(self) -> str:
        return f"{self.point.hex()}/{self.month}/{self.revision}"


def parse_origin(text: str, zone_offset_s: int = 0) -> OriginId:
    """Raises InvalidInput."""
    found = _ORIGIN.fullmatch(text)
    if not found:
        raise InvalidInput(f"origin {text[:60]!r} is not of the form <point>/2026-01/0")
    month = Month(year=int(found[2]), month=int(found[3]), zone_offset_s=zone_offset_s)
    # Its start is an unsigned number of seconds, in any zone.
    if not 1971 <= month.year < 9999:
        raise InvalidInput(f"origin {text!r}: a month lies in the years 1971 to 9998")
    return OriginId(point=bytes.fromhex(found[1]), month=month, revision=int(found[4]))
