"""Local seconds of a wall clock → Unix seconds, with the gaps and overlaps of summer time.

In a gap a stamp does not exist: rejected. In an overlap it exists twice: rejected, or decided by
the order of rows, where a step back marks the second pass. One pass alone can't be decided.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ledger.units import DAY_S

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)

GAP: Final = "does not exist in zone {zone}: the clock was put forward over it"
AMBIGUOUS: Final = "occurs twice in zone {zone}, and the profile does not say which is meant"
ONCE_ONLY: Final = "occurs twice in zone {zone}, but the file has it in one pass only"
TOO_OFTEN: Final = "occurs twice in zone {zone}, but the file passes it more often"


def _offset_s(zone: tzinfo, local_s: int, fold: int = 0) -> int:
    at = (_EPOCH + timedelta(seconds=local_s)).replace(tzinfo=zone, fold=fold)
    offset = at.utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def _one_offset(zone: ZoneInfo, day: int) -> int | None:
    """The day's offset, or None where it changes within the day or an hour of its borders."""
    marks = range(day * DAY_S - 7200, (day + 1) * DAY_S + 7201, DAY_S // 4)
    offsets = {_offset_s(zone, mark, fold) for mark in marks for fold in (0, 1)}
    return offsets.pop() if len(offsets) == 1 else None


def to_utc(
    local_s: NDArray[np.int64],
    zone: ZoneInfo,
    *,
    by_order: bool,
    point: NDArray[np.int64],
) -> tuple[NDArray[np.int64], dict[int, str]]:
    """Local seconds in file order → (Unix seconds int64[n], index → why it has none).

    `point`: number of each value's point; the order counts within a point.
    """
    utc_s = np.zeros_like(local_s)
    reasons: dict[int, str] = {}
    days, of_day = np.unique(local_s // DAY_S, return_inverse=True)
    offsets = [_one_offset(zone, int(day)) for day in days]
    known = np.array([offset or 0 for offset in offsets], dtype=np.int64)
    plain = np.array([offset is not None for offset in offsets], dtype=np.bool_)
    utc_s[:] = local_s - known[of_day]
    twice: dict[tuple[int, int], list[int]] = {}
    for index in np.flatnonzero(~plain[of_day]).tolist():
        at = int(local_s[index])
        early, late = _offset_s(zone, at, 0), _offset_s(zone, at, 1)
        utc_s[index] = at - early
        if late > early:
            reasons[index] = GAP
        elif late < early:
            twice.setdefault((int(point[index]), at // DAY_S), []).append(index)
    for indexes in twice.values():
        _decide(indexes, local_s, utc_s, zone, reasons, by_order=by_order)
    return utc_s, {index: text.format(zone=zone.key) for index, text in reasons.items()}


def _decide(
    indexes: list[int],
    local_s: NDArray[np.int64],
    utc_s: NDArray[np.int64],
    zone: ZoneInfo,
    reasons: dict[int, str],
    *,
    by_order: bool,
) -> None:
    """One point's stamps in one overlap, in file order: those from the step back on come second."""
    if not by_order:
        reasons.update(dict.fromkeys(indexes, AMBIGUOUS))
        return
    steps = [
        place
        for place in range(1, len(indexes))
        if local_s[indexes[place]] < local_s[indexes[place - 1]]
    ]
    # A single interval in the overlap (hourly data) repeats its stamp instead of stepping back.
    if not steps and len(indexes) == 2 and local_s[indexes[0]] == local_s[indexes[1]]:
        steps = [1]
    if len(steps) != 1:
        reasons.update(dict.fromkeys(indexes, TOO_OFTEN if steps else ONCE_ONLY))
        return
    for index in indexes[steps[0] :]:
        utc_s[index] = int(local_s[index]) - _offset_s(zone, int(local_s[index]), 1)
