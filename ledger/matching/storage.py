"""What leaves a storage as green: never more than went in as green, less the losses.

Guideline 7.1.7; invariant 9. A storage is a queue: what was charged first is discharged first. All
of it follows from what was measured since commissioning, in integers:

1. What stood in the storage at first is nobody's: "other", not green, and first in the queue.
2. Of C Wh charged in all, R came back: what was discharged, less what the opening stock must have
   given even without losses (the most that discharge was ever ahead of charge). Losses are shared
   by all that was charged: when c Wh have been charged, ⌊c·R / C⌋ have entered the queue. So
   R ≤ C, and what is in the storage at the end counts as lost until it leaves.
3. Of g Wh charged as green, ⌊g·R / C⌋ enter as green, each as soon as there is room for it.
4. Where discharge would still run ahead of what entered, it was opening stock.
5. The x-th Wh of what entered in one interval is green where ⌊x·h / e⌋ grows, for h green of e Wh.

So at any time green out ≤ ⌊green in · R / C⌋, and in any interval green out ≤ discharge. The end of
the span is the end of a run: a later run may find less for the same time, since more has been lost
by then. What was allotted already is therefore counted first (`Storage.supply_wh`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ledger.errors import InvalidInput
from ledger.matching.model import ENERGY_WH_MAX, Int64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Storage:
    """A storage since commissioning; all arrays are int64[B + T], the last T on the run's grid.

    `charge`, `discharge`: its points. `charge_wh`, `discharge_wh`: measured, 0 where missing.
    `green_in_wh`: what went into the charge point as green by earlier divisions into lots;
    `allotted_wh`: what they allotted of the discharge. Raises InvalidInput where arrays do not fit.
    """

    charge: str
    discharge: str
    charge_wh: Int64
    discharge_wh: Int64
    green_in_wh: Int64
    allotted_wh: Int64

    def __post_init__(self) -> None:
        for name in ("charge_wh", "discharge_wh", "green_in_wh", "allotted_wh"):
            wh = getattr(self, name)
            if wh.dtype != np.int64 or wh.shape != self.charge_wh.shape:
                raise InvalidInput(
                    f"{name} of storage {self.discharge} is {wh.dtype}{list(wh.shape)}:"
                    f" int64{list(self.charge_wh.shape)} is needed, as its charge has"
                )
            if (wh < 0).any() or sum(wh.tolist()) >= ENERGY_WH_MAX:
                raise InvalidInput(
                    f"{name} of storage {self.discharge} is negative, or {ENERGY_WH_MAX} Wh or more"
                )

    def supply_wh(self, green_in_wh: Int64) -> Int64:
        """int64[T]: what the run may still allot of the discharge.

        `green_in_wh`: int64[T], what the run itself delivers into the charge point. With what was
        allotted before, at no time more than `green_out` says; where a correction left too little,
        the earliest intervals of the run go without.
        """
        count = len(green_in_wh)
        first = len(self.charge_wh) - count
        own_wh = np.concatenate([np.zeros(first, dtype=np.int64), green_in_wh])
        # After a correction of the charge, earlier divisions may say more than it.
        entering_wh = np.minimum(self.green_in_wh + own_wh, self.charge_wh)
        out_wh = green_out(self.charge_wh, entering_wh, self.discharge_wh)
        spare_wh = np.cumsum(out_wh) - np.cumsum(self.allotted_wh)
        # What is spare now is taken if a later interval needs it.
        spare_wh = np.minimum.accumulate(spare_wh[::-1])[::-1]
        open_wh = np.maximum(out_wh - self.allotted_wh, 0)[first:]
        return _kept_under(np.cumsum(open_wh), np.maximum(spare_wh, 0)[first:])


def green_out(charge_wh: Int64, green_in_wh: Int64, discharge_wh: Int64) -> Int64:
    """int64[N]: the green part of the discharge, by the rules of this module.

    All are int64[N] since commissioning, ≥ 0, each less than 2^62 in all; green in ≤ charge.
    """
    if (green_in_wh > charge_wh).any():
        raise InvalidInput("more went into a storage as green than was charged")
    charged_wh, discharged_wh = np.cumsum(charge_wh), np.cumsum(discharge_wh)
    whole_wh = int(charged_wh[-1])
    came_back_wh = int(discharged_wh[-1]) - _most(discharged_wh - charged_wh)
    entered_wh = _scaled(charged_wh, came_back_wh, whole_wh)
    green_wh = _scaled(np.cumsum(green_in_wh), came_back_wh, whole_wh)
    green_wh = np.cumsum(_kept_under(entered_wh, green_wh))
    opening_wh = _most(discharged_wh - entered_wh)
    left_wh = np.maximum(discharged_wh - opening_wh, 0)
    return np.diff(_green_within(left_wh, entered_wh, green_wh), prepend=0)


def _most(wh: Int64) -> int:
    return max(int(wh.max()), 0)


def _scaled(wh: Int64, part_wh: int, whole_wh: int) -> Int64:
    """⌊wh · part / whole⌋; the products of a year may pass 2^63, so with Python's integers."""
    if part_wh == whole_wh:
        return wh
    return np.array([value * part_wh // whole_wh for value in wh.tolist()], dtype=np.int64)


def _kept_under(until_wh: Int64, bound_wh: Int64) -> Int64:
    """The steps of a sum, cut as late as can be so that it stays under a bound.

    `until_wh`, `bound_wh`: int64[n], not decreasing, ≥ 0. In each step the sum grows by no more
    than `until_wh` does, and never passes `bound_wh`: kept(t) = min(kept(t−1) + step(t), bound(t)).
    """
    ahead_wh = np.minimum.accumulate(np.minimum(bound_wh - until_wh, 0))
    return np.diff(until_wh + ahead_wh, prepend=0)


def _green_within(left_wh: Int64, entered_wh: Int64, green_wh: Int64) -> Int64:
    """int64[N]: the green among the first `left_wh` Wh of the queue.

    `entered_wh`, `green_wh`: what entered until the end of each interval, and its green part.
    """
    at = np.searchsorted(entered_wh, left_wh)
    size_wh = np.maximum(np.diff(entered_wh, prepend=0), 1)[at].tolist()
    share_wh = np.diff(green_wh, prepend=0)[at].tolist()
    inside_wh = (left_wh - np.concatenate([[0], entered_wh])[at]).tolist()
    parts = [x * h // e for x, h, e in zip(inside_wh, share_wh, size_wh, strict=True)]
    return np.concatenate([[0], green_wh])[at] + np.array(parts, dtype=np.int64)
