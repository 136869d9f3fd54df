"""Calendar months of park time, cut into quarter-hours (formats.md §3.4)."""

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from greenledger_verify.failure import VerificationError

QUARTER_S: Final = 900

_QUARTERS_A_DAY: Final = 96
_YEAR_MAX: Final = 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """``count`` quarter-hours from ``start_s`` (Unix); the first is number ``offset`` of the
    claim.
    """

    name: str
    start_s: int
    count: int
    offset: int


def months_between(from_s: int, to_s: int, zone_s: int) -> dict[str, Month]:
    """The whole months of a period, by name (``YYYY-MM``)."""
    months: dict[str, Month] = {}
    start_s = from_s
    while start_s < to_s:
        year, month = _begins_month(start_s + zone_s)
        count = calendar.monthrange(year, month)[1] * _QUARTERS_A_DAY
        name = f"{year:04}-{month:02}"
        offset = (start_s - from_s) // QUARTER_S
        months[name] = Month(name=name, start_s=start_s, count=count, offset=offset)
        start_s += count * QUARTER_S
    if start_s != to_s:
        raise VerificationError("the period is not one of whole calendar months of park time")
    return months


def _begins_month(local_s: int) -> tuple[int, int]:
    try:
        begin = datetime.fromtimestamp(local_s, UTC)
    except (OverflowError, OSError, ValueError):
        begin = datetime(_YEAR_MAX, 12, 31, tzinfo=UTC)
    if (begin.day, begin.hour, begin.minute, begin.second) != (1, 0, 0, 0) or local_s < 0:
        raise VerificationError("the period is not one of whole calendar months of park time")
    return begin.year, begin.month
