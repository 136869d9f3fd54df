"""Calendar months of park time, cut into quarter-hours (formats.md §3.4)."""

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from greenledger_verify.failure import VerificationError

QUARTER_S: Final = 900

_QUARTERS_A_DAY: Final = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """``count`` quarter-hours from ``start_s`` (Unix); the first is number ``offset`` of the
    claim, below 0 where the month begins before it.
    """

    name: str
    start_s: int
    count: int
    offset: int


def require_quarters(from_s: int, to_s: int) -> None:
    if from_s >= to_s or from_s < 0 or from_s % QUARTER_S or to_s % QUARTER_S:
        raise VerificationError("the period is empty, or not one of whole quarter-hours from 1970")


def months_touched(from_s: int, to_s: int, zone_s: int) -> dict[str, Month]:
    """The months that a period of whole quarter-hours touches, by name (``YYYY-MM``)."""
    require_quarters(from_s, to_s)
    months: dict[str, Month] = {}
    local_s = from_s + zone_s
    while local_s < to_s + zone_s:
        day = datetime.fromtimestamp(local_s, UTC)
        begin = datetime(day.year, day.month, 1, tzinfo=UTC)
        count = calendar.monthrange(day.year, day.month)[1] * _QUARTERS_A_DAY
        name = f"{day.year:04}-{day.month:02}"
        start_s = int(begin.timestamp()) - zone_s
        offset = (start_s - from_s) // QUARTER_S
        months[name] = Month(name=name, start_s=start_s, count=count, offset=offset)
        local_s = int(begin.timestamp()) + count * QUARTER_S
    return months
