"""What becomes of missing readings (invariant 20).

Missing generation earns nothing: `Aligned.wh` is 0 there, and that is the supply.

Missing consumption stays in the denominator as estimated energy, which nothing is ever matched
with. Each interval is filled by the first rule that can, and says which:

1. STATED: the reading itself says that it is an estimate; its value stands.
2. PARENT: where the parent meter and all its other children are measured, what they leave over,
   never below 0. Losses between the meters are in it, so it does not flatter.
3. BILLED: the billed energy of the billing period, less what was measured and already estimated in
   it, never below 0, spread evenly over the intervals of it that are still missing; exactly.
4. TRAILING: the highest interval measured at that point in the 28 days before.
5. RUN: the highest interval measured at that point in the run.

Where none of them can, there is nothing to go by, and the run is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.errors import InvalidInput, Refused
from ledger.matching.align import Aligned
from ledger.matching.model import Bool, Demand, Grid, Int64
from ledger.matching.rounding import split_evenly
from ledger.units import DAY_S, Period, format_instant

TRAILING_DAYS: Final = 28
# Stands in each run's body (docs/formats.md §4.5); a new rule gets a new number and date.
MISSING_RULE: Final = (
    "missing/1 of 2026-11-01: generation 0; consumption by 1 the reading's own estimate, 2 parent"
    " meter less measured siblings, 3 billed energy less what is known, spread evenly,"
    f" 4 highest measured interval of the {TRAILING_DAYS} days before, 5 highest of the run"
)


class Rule(IntEnum):
    """How an interval of consumption came to its value."""

    MEASURED = 0
    STATED = 1
    PARENT = 2
    BILLED = 3
    TRAILING = 4
    RUN = 5


_MISSING: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Billed consumption of a point in a half-open period."""

    period: Period
    wh: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Filled:
    """A consumer's demand on the run's grid, and `rule`: uint8[T] of `Rule` per interval."""

    demand: Demand
    rule: NDArray[np.uint8]

    def estimated_wh(self, rule: Rule) -> int:
        """Wh that `rule` filled in."""
        if self.demand.estimated_wh is None:
            return 0
        return int(self.demand.estimated_wh[self.rule == rule].sum())


def fill_missing(
    run: Grid,
    known: Grid,
    consumption: Mapping[str, Aligned],
    *,
    parent_of: Mapping[str, str],
    parents: Mapping[str, Aligned],
    billed: Mapping[str, Sequence[Bill]],
) -> dict[str, Filled]:
    """Complete the consumption of each point on the run's grid.

    `known` is a grid around `run`, of the same interval: readings before the run serve the trailing
    rule, and bills count where their period lies inside `known` (others are not used, as what was
    measured in them is not known). `consumption` and `parents`: {point: readings on `known`}.
    `parent_of`: {consumer: parent}, with all children of each parent that `parents` holds; a child
    that is not in `consumption` keeps the parent's rule from being used. `billed`: {point: bills}.

    Raises InvalidInput: grids or arrays that do not fit, bills that overlap, are negative, or cut
    an interval. Raises Refused where no rule can fill an interval of the run.
    """
    part = _part(run, known)
    for one in (*consumption.values(), *parents.values()):
        if len(one.wh) != known.count:
            raise InvalidInput(
                f"readings of point {one.point} have {len(one.wh)} intervals: {known.count} are"
                " needed, those of the grid of known readings"
            )
    children: dict[str, list[str]] = {}
    for child, parent in parent_of.items():
        children.setdefault(parent, []).append(child)
    filled: dict[str, Filled] = {}
    for point, own in consumption.items():
        book = _Book(known, own)
        if own.measured.all():
            filled[point] = book.cut(part)
            continue
        book.put(Rule.STATED, own.stated, own.stated_wh)
        parent = parent_of.get(point, "")
        if parent in parents:
            siblings = [consumption.get(child) for child in children[parent] if child != point]
            book.from_parent(parents[parent], siblings)
        book.from_bills(billed.get(point, ()))
        book.from_highest(part)
        filled[point] = book.cut(part)
    return filled


class _Book:
    """One point's consumption on the known grid, as the rules fill it."""

    def __init__(self, known: Grid, own: Aligned) -> None:
        self.known = known
        self.own = own
        self.estimated_wh = np.zeros(known.count, dtype=np.int64)
        self.rule = np.where(own.measured, Rule.MEASURED, _MISSING).astype(np.uint8)

    def put(self, rule: Rule, where: Bool, wh: Int64) -> None:
        """Fill by `rule` what is still missing and `where` allows."""
        chosen = where & (self.rule == _MISSING)
        self.estimated_wh[chosen] = wh[chosen]
        self.rule[chosen] = rule

    def from_parent(self, parent: Aligned, siblings: Iterable[Aligned | None]) -> None:
        where = parent.measured.copy()
        rest_wh = parent.wh.copy()
        for sibling in siblings:
            if sibling is None:
                return
            where &= sibling.measured
            rest_wh -= sibling.wh
        self.put(Rule.PARENT, where, np.maximum(rest_wh, 0))

    def from_bills(self, bills: Sequence[Bill]) -> None:
        ordered = sorted(bills, key=lambda bill: bill.period)
        for before, after in pairwise(ordered):
            if before.period.overlaps(after.period):
                raise InvalidInput(
                    f"bills of point {self.own.point} overlap at"
                    f" {format_instant(after.period.start_s)}: each kWh is billed once"
                )
        for bill in ordered:
            self._check_bill(bill)
            if not self.known.period.contains(bill.period):
                continue
            rows = self.known.rows(bill.period)
            missing = rows.start + np.flatnonzero(self.rule[rows] == _MISSING)
            if not len(missing):
                continue
            accounted_wh = int(self.own.wh[rows].sum()) + int(self.estimated_wh[rows].sum())
            rest_wh = max(bill.wh - accounted_wh, 0)
            self.estimated_wh[missing] = split_evenly(rest_wh, len(missing))
            self.rule[missing] = Rule.BILLED

    def from_highest(self, part: slice) -> None:
        """The conservative rules, for the intervals of the run only."""
        inside = np.zeros(self.known.count, dtype=np.bool_)
        inside[part] = True
        if not (inside & (self.rule == _MISSING)).any():
            return
        measured_wh = np.where(self.own.measured, self.own.wh, -1)
        window = TRAILING_DAYS * DAY_S // self.known.length_s
        trailing_wh = highest_before(measured_wh, window)
        self.put(Rule.TRAILING, inside & (trailing_wh >= 0), trailing_wh)
        highest_wh = measured_wh[part].max()
        if highest_wh >= 0:
            self.put(Rule.RUN, inside, np.full(self.known.count, highest_wh))
        lost = inside & (self.rule == _MISSING)
        if lost.any():
            first_s = self.known.start_s + int(np.argmax(lost)) * self.known.length_s
            raise Refused(
                f"consumption of point {self.own.point} is missing in {int(lost.sum())} intervals"
                f" from {format_instant(first_s)} on, and nothing says how much it was: import"
                " its readings, its bill, or its parent meter with all other children"
            )

    def cut(self, part: slice) -> Filled:
        estimated_wh = self.estimated_wh[part]
        return Filled(
            demand=Demand(
                point=self.own.point,
                wh=self.own.wh[part],
                estimated_wh=estimated_wh if estimated_wh.any() else None,
            ),
            rule=self.rule[part],
        )

    def _check_bill(self, bill: Bill) -> None:
        known, name = self.known, f"bill of point {self.own.point}"
        if bill.wh < 0:
            raise InvalidInput(f"{name} is {bill.wh} Wh: it must not be negative")
        for edge_s in (bill.period.start_s, bill.period.end_s):
            if (edge_s - known.start_s) % known.length_s:
                raise InvalidInput(
                    f"{name} begins or ends at {format_instant(edge_s)}, inside an interval of"
                    f" {known.length_s} s: use the edge of an interval"
                )


def highest_before(wh: Int64, window: int) -> Int64:
    """int64[T]: the highest of the `window` intervals before each; −1 where there is none.

    In blocks of `window`, each stretch is the end of one block and the beginning of the next: two
    running maxima answer all of them.
    """
    count = len(wh)
    blocks = -(-(count + window) // window)
    padded = np.full(blocks * window, -1, dtype=np.int64)
    padded[window : window + count] = wh
    table = padded.reshape(blocks, window)
    rising = np.maximum.accumulate(table, axis=1).reshape(-1)
    falling = np.maximum.accumulate(table[:, ::-1], axis=1)[:, ::-1].reshape(-1)
    # Row t is at padded[window + t]; the stretch before it is padded[t : t + window].
    return np.maximum(falling[:count], rising[window - 1 : window - 1 + count])


def _part(run: Grid, known: Grid) -> slice:
    """Where the run lies in the known grid."""
    fits = (
        run.length_s == known.length_s
        and run.zone_offset_s == known.zone_offset_s
        and known.period.contains(run.period)
    )
    if not fits:
        raise InvalidInput(
            f"the run ({run.count} × {run.length_s} s from {format_instant(run.start_s)}) must lie"
            f" in the grid of known readings ({known.count} × {known.length_s} s from"
            f" {format_instant(known.start_s)}), with the same intervals"
        )
    return known.rows(run.period)
