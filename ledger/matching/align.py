"""Effective readings of a point → arrays on the grid of a run.

What an interval length becomes (metering standards' intervals are 15, 30 and 60 minutes):

- the grid's own length: taken as it is;
- longer, up to an hour, a multiple of the grid's: spread evenly, the parts sum exactly; marked
  `PROFILED`, and every quarter-hour figure must say so (invariant 23);
- shorter, a divisor of the grid's: added up, marked `RESAMPLED`; an interval with a part missing is
  missing;
- anything else is refused: an import profile can resample it (10-minute wind, daily sums).

An interval without a reading is missing. A reading that says of itself that it is `ESTIMATED` was
not measured: of generation it earns nothing, of consumption it stays in the denominator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.errors import InvalidInput
from ledger.matching.model import Bool, Grid, Int64
from ledger.metering.quality import Quality
from ledger.metering.series import Series
from ledger.units import HOUR_S, format_instant

# Seconds of a quarter-hour, added up, stay below 2^62.
_READING_WH_MAX: Final = 2**52

UInt16 = NDArray[np.uint16]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Aligned:
    """Readings of one point on a grid of T intervals.

    `wh`: int64[T], measured Wh; 0 where nothing was measured. `measured`: bool[T].
    `stated_wh`: int64[T], what readings marked as estimated say; 0 elsewhere. `stated`: bool[T].
    `quality`: uint16[T] of `Quality` bits; 0 where there is no reading.
    """

    point: str
    wh: Int64
    measured: Bool
    stated_wh: Int64
    stated: Bool
    quality: UInt16

    @property
    def profiled_wh(self) -> int:
        """Measured Wh that was spread from longer intervals."""
        return int(self.wh[(self.quality & Quality.PROFILED) != 0].sum())


def align(grid: Grid, point: str, readings: Sequence[Series]) -> Aligned:
    """Put all effective readings of `point`, of any lengths, on the grid, in Wh.

    Readings outside the grid are left out. Raises InvalidInput: another point's readings, an
    interval length or start that does not fit, overlapping readings, negative energy.
    """
    value = np.zeros(grid.count, dtype=np.int64)
    quality = np.zeros(grid.count, dtype=np.uint16)
    present = np.zeros(grid.count, dtype=np.bool_)
    for series in sorted(readings, key=lambda one: one.length_s):
        _check(grid, point, series)
        fitted = _fit(grid, series)
        row = (fitted.start_s - grid.start_s) // grid.length_s
        inside = (row >= 0) & (row < grid.count)
        row = row[inside]
        if present[row].any():
            twice_s = int(fitted.start_s[inside][present[row]][0])
            raise InvalidInput(
                f"point {point} has two readings for {format_instant(twice_s)}, of different"
                " lengths: an interval has one effective value (invariant 19)"
            )
        value[row] = fitted.value[inside]
        quality[row] = fitted.quality[inside]
        present[row] = True
    stated = present & ((quality & Quality.ESTIMATED) != 0)
    measured = present & ~stated
    return Aligned(
        point=point,
        wh=np.where(measured, value, 0),
        measured=measured,
        stated_wh=np.where(stated, value, 0),
        stated=stated,
        quality=quality,
    )


def _check(grid: Grid, point: str, series: Series) -> None:
    if series.point != point:
        raise InvalidInput(f"readings of point {series.point} were given for point {point}")
    if series.length_s < 1:
        raise InvalidInput(
            f"point {point} has readings of {series.length_s} s: at least 1 is needed"
        )
    gaps_s = np.diff(series.start_s)
    if (gaps_s < series.length_s).any():
        late_s = int(series.start_s[1:][gaps_s < series.length_s][0])
        raise InvalidInput(
            f"point {point}: the reading at {format_instant(late_s)} repeats or overlaps the one"
            f" before it, which lasts {series.length_s} s"
        )
    odd = (series.start_s + grid.zone_offset_s) % min(series.length_s, grid.length_s) != 0
    if odd.any():
        raise InvalidInput(
            f"point {point}: the reading at {format_instant(int(series.start_s[odd][0]))} does not"
            f" begin on an interval of the grid ({grid.length_s} s in park time): resample it"
            " in the import profile"
        )
    if (series.value < 0).any():
        row = int(np.argmax(series.value < 0))
        raise InvalidInput(
            f"point {point} at {format_instant(int(series.start_s[row]))} is"
            f" {int(series.value[row])} Wh: energy to match must not be negative; let the import"
            " profile say what a negative reading means"
        )
    if (series.value >= _READING_WH_MAX).any():
        row = int(np.argmax(series.value >= _READING_WH_MAX))
        raise InvalidInput(
            f"point {point} at {format_instant(int(series.start_s[row]))} is"
            f" {int(series.value[row])} Wh, more than any meter reads: check its unit"
        )


def _fit(grid: Grid, series: Series) -> Series:
    """The same energy in the grid's intervals."""
    if series.length_s == grid.length_s:
        return series
    if series.length_s <= HOUR_S and series.length_s % grid.length_s == 0:
        return _spread(series, grid.length_s)
    if series.length_s > 0 and grid.length_s % series.length_s == 0:
        return _compose(grid, series)
    raise InvalidInput(
        f"point {series.point} has readings of {series.length_s} s: intervals of the grid last"
        f" {grid.length_s} s; use a divisor of it, or a multiple up to {HOUR_S} s, or resample"
        " in the import profile"
    )


def _spread(series: Series, length_s: int) -> Series:
    count = series.length_s // length_s
    step = np.arange(count + 1, dtype=np.int64)
    whole, rest = np.divmod(series.value, count)
    edges = whole[:, None] * step + rest[:, None] * step // count
    return Series(
        point=series.point,
        length_s=length_s,
        start_s=(series.start_s[:, None] + length_s * step[:-1]).reshape(-1),
        value=np.diff(edges, axis=1).reshape(-1),
        quality=np.repeat(series.quality | np.uint16(Quality.PROFILED), count),
    )


def _compose(grid: Grid, series: Series) -> Series:
    """Sums over the grid's intervals that have all their parts."""
    count = grid.length_s // series.length_s
    row = (series.start_s - grid.start_s) // grid.length_s
    first = np.flatnonzero(np.diff(row, prepend=row[:1] - 1))
    complete = np.diff(first, append=len(row)) == count
    first = first[complete]
    parts = first[:, None] + np.arange(count)
    flags = np.bitwise_or.reduce(series.quality[parts], axis=1)
    return Series(
        point=series.point,
        length_s=grid.length_s,
        start_s=grid.start_s + grid.length_s * row[first],
        value=series.value[parts].sum(axis=1),
        quality=flags | np.uint16(Quality.RESAMPLED),
    )
