"""A trap of real archives: one meter under two names, whose energy would be counted twice."""

from __future__ import annotations

from typing import Final

import numpy as np

from ledger.metering.series import Series

# One day of quarter-hours is the least that says anything.
_LEAST_INTERVALS: Final = 96
# A load that only switches between a few levels (lamps, a fixed pump) has honest twins.
_LEAST_LEVELS: Final = 20
# Two exports of one meter may differ in a few repaired values.
_SHARE_PERCENT: Final = 99


def looks_like_same_meter(a: Series, b: Series) -> bool:
    """Whether two series are so alike that they are probably one meter, counted twice.

    True where, over the intervals that both have and in which either is not zero (at least 96,
    with at least 20 different values), at least 99 % of the values are equal. Series of different
    interval lengths are not compared. A warning for people, not a proof.
    """
    if a.length_s != b.length_s:
        return False
    _, of_a, of_b = np.intersect1d(a.start_s, b.start_s, assume_unique=True, return_indices=True)
    value_a, value_b = a.value[of_a], b.value[of_b]
    busy = (value_a != 0) | (value_b != 0)
    value_a, value_b = value_a[busy], value_b[busy]
    if len(value_a) < _LEAST_INTERVALS or len(np.unique(value_a)) < _LEAST_LEVELS:
        return False
    return int(np.count_nonzero(value_a == value_b)) * 100 >= len(value_a) * _SHARE_PERCENT
