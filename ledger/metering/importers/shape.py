"""From source intervals to a point's own intervals: by overlap, or spread evenly.

A slot of the target grid is filled only where source intervals cover all of it; one that touches a
missing row is absent. The grid is the park's: it begins at the park's midnight.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ledger.metering.importers import decimals
from ledger.metering.importers.decimals import Integers
from ledger.metering.quality import Quality


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Readings:
    """One point's source intervals, exact: value = `number` × `per` base units. `start_s` strictly
    increasing, no overlaps. `row`, `column`: where it stands in the file. `quality`: uint16[n]."""

    start_s: NDArray[np.int64]
    length_s: int
    number: Integers
    per: Fraction
    quality: NDArray[np.uint16]
    row: NDArray[np.int64]
    column: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slots:
    """The target intervals. `used`: rows of source values that went into them with a changed shape;
    `lost`: rows of source values, a part of which lies in a slot that is not fully covered."""

    start_s: NDArray[np.int64]
    value: Integers
    quality: NDArray[np.uint16]
    used: NDArray[np.int64]
    lost: NDArray[np.int64]


def on_grid(start_s: NDArray[np.int64], target_s: int, park_offset_s: int) -> bool:
    return not ((start_s + park_offset_s) % target_s).any()


def keep_shape(readings: Readings) -> Slots:
    """The source intervals are the target intervals: only rounding is left."""
    none = readings.row[:0]
    return Slots(
        start_s=readings.start_s,
        value=_rounded(readings.number, readings.per),
        quality=readings.quality,
        used=none,
        lost=none,
    )


def resample(
    readings: Readings, target_s: int, *, park_offset_s: int, gauge: bool = False
) -> Slots:
    """Each slot takes from a source interval the share that overlaps; rounded once, half to even.

    A gauge's slot is the mean over its time. `target_s` ≥ the source length.
    """
    length_s = readings.length_s
    assert target_s >= length_s
    start_s = readings.start_s + park_offset_s
    first_slot = start_s // target_s
    in_first_s = np.minimum(length_s, (first_slot + 1) * target_s - start_s)
    # Interleaved, the contributions are in the order of slots: source intervals don't overlap.
    slot = np.column_stack((first_slot, first_slot + 1)).ravel()
    overlap_s = np.column_stack((in_first_s, length_s - in_first_s)).ravel()
    source = np.repeat(np.arange(len(start_s)), 2)
    real = overlap_s > 0
    slot, overlap_s, source = slot[real], overlap_s[real], source[real]
    # In units of their common divisor the weights are small (1 and 2 for 10 min → 15 min), which
    # keeps more of the products within int64.
    unit_s = gcd(length_s, int(np.gcd.reduce(overlap_s))) if len(overlap_s) else length_s
    firsts = np.flatnonzero(np.diff(slot, prepend=slot[:1] - 1))
    weighted = decimals.multiply(readings.number[source], overlap_s // unit_s)
    sums = decimals.sum_runs(weighted, firsts)
    covered_s = decimals.sum_runs(overlap_s, firsts)
    quality = _or_runs(readings.quality[source], firsts) | np.uint16(Quality.RESAMPLED)
    full = covered_s == target_s
    per = readings.per * Fraction(unit_s, length_s)
    if gauge:
        per *= Fraction(length_s, target_s)
    full_of_part = np.repeat(full, np.diff(np.append(firsts, len(slot))))
    return Slots(
        start_s=slot[firsts][full] * target_s - park_offset_s,
        value=_rounded(sums[full], per),
        quality=quality[full],
        used=np.unique(readings.row[source[full_of_part]]),
        lost=np.unique(readings.row[source[~full_of_part]]),
    )


def spread(readings: Readings, target_s: int, *, gauge: bool = False) -> Slots:
    """Each source value evenly over its parts: they sum exactly to the value, rounded once.

    Where it does not divide, part k ends where k/n of the whole, rounded down, is reached. A gauge
    is repeated. `target_s` divides the source length, and sources begin on the target grid.
    """
    parts, rest = divmod(readings.length_s, target_s)
    assert rest == 0
    whole = _rounded(readings.number, readings.per)
    if gauge:
        value = np.repeat(whole, parts)
    else:
        steps = np.arange(parts + 1, dtype=np.int64)
        reached = (
            decimals.multiply(np.repeat(whole, parts + 1), np.tile(steps, len(whole))) // parts
        )
        value = np.diff(reached.reshape(-1, parts + 1), axis=1).ravel()
    start_s = readings.start_s[:, None] + np.arange(parts, dtype=np.int64) * target_s
    return Slots(
        start_s=start_s.ravel(),
        value=value,
        quality=np.repeat(readings.quality | np.uint16(Quality.PROFILED), parts),
        used=readings.row,
        lost=readings.row[:0],
    )


def _rounded(number: Integers, per: Fraction) -> Integers:
    return decimals.round_half_even(number, per.numerator, per.denominator)


def _or_runs(flags: NDArray[np.uint16], firsts: NDArray[np.int64]) -> NDArray[Any]:
    if len(firsts) == 0:
        return flags[:0]
    joined: NDArray[np.uint16] = np.bitwise_or.reduceat(flags, firsts)
    return joined
