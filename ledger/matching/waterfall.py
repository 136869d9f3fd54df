"""One step of the waterfall: a contract delivers what is left to whoever still wants it.

The rules, which `tests/matching/naive.py` states again interval by interval:

1. Contracts go by class, then by id; in a contract sources go by id, and consumers by id.
2. By demand (every share 0): a source gives min(its energy, Σ wanted), split in proportion to what
   each consumer still wants, by cumulative rounding.
3. By shares: a source's energy is cut by the shares first; each consumer takes its cut, as far as
   it wants it. What a share can't use is not given to the others; later contracts may have it.
4. A limit holds in time order. In the interval that reaches it, sources in order give what the
   limit still allows, split in proportion to what each consumer would have taken without a limit
   (by shares), or to what it wants (by demand); later intervals get nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ledger.errors import InvalidInput
from ledger.matching.model import ENERGY_WH_MAX, PPM, Contract, Int64
from ledger.matching.rounding import split, take_pro_rata, take_shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The arrays of one contract for some adjoining intervals; all are int64[n].

    `available_wh`, per source, is reduced in place. `wanted_wh`, per consumer, is only read;
    `left_wh` receives what is still wanted afterwards, and may be the same arrays.
    `lanes_wh`, per source and consumer, receives the deliveries; it may be one scratch array
    where nobody needs them and the contract has no limit.
    """

    shares_ppm: Sequence[int]
    available_wh: Sequence[Int64]
    wanted_wh: Sequence[Int64]
    left_wh: Sequence[Int64]
    lanes_wh: Sequence[Sequence[Int64]]


def in_order(contracts: Iterable[Contract]) -> list[Contract]:
    """By class, then by id."""
    return sorted(contracts, key=lambda one: (one.supply_class, one.contract))


def limit_left(contract: Contract, delivered_wh: int) -> int:
    """Wh that the contract may still deliver, having delivered `delivered_wh` before."""
    if delivered_wh < 0:
        raise InvalidInput(
            f"contract {contract.contract} has delivered {delivered_wh} Wh before: it must not be"
            " negative"
        )
    return max(contract.limit_wh - delivered_wh, 0) if contract.limit_wh else ENERGY_WH_MAX


def deliver(step: Step, limit_left_wh: int) -> int:
    """Let the contract deliver at most `limit_left_wh`; returns the Wh delivered."""
    delivered_wh = _deliver_unlimited(step)
    total_wh = int(delivered_wh.sum())
    if total_wh <= limit_left_wh:
        return total_wh
    until_wh = np.cumsum(delivered_wh)
    row = int(np.searchsorted(until_wh, limit_left_wh, side="right"))
    before_wh = int(until_wh[row - 1]) if row else 0
    _give_back(step, row)
    _deliver_row(step, row, limit_left_wh - before_wh)
    return limit_left_wh


def _deliver_unlimited(step: Step) -> Int64:
    """int64[n]: what all sources of the contract delivered in each interval."""
    by_shares = any(step.shares_ppm)
    wanted_wh = step.wanted_wh
    delivered_wh = np.zeros_like(step.available_wh[0])
    total_wh = None if by_shares else _sum(wanted_wh)
    for available_wh, lanes_wh in zip(step.available_wh, step.lanes_wh, strict=True):
        if total_wh is None:
            amount_wh = take_shares(
                available_wh, step.shares_ppm, wanted_wh, lanes_wh, step.left_wh
            )
        else:
            amount_wh = np.minimum(available_wh, total_wh)
            take_pro_rata(amount_wh, total_wh, wanted_wh, lanes_wh, step.left_wh)
            total_wh -= amount_wh
        available_wh -= amount_wh
        delivered_wh += amount_wh
        wanted_wh = step.left_wh
    return delivered_wh


def _sum(arrays: Sequence[Int64]) -> Int64:
    total = np.zeros_like(arrays[0])
    for array in arrays:
        np.add(total, array, out=total)
    return total


def _give_back(step: Step, row: int) -> None:
    """Undo all deliveries from interval `row` on."""
    for available_wh, lanes_wh in zip(step.available_wh, step.lanes_wh, strict=True):
        for lane_wh, left_wh in zip(lanes_wh, step.left_wh, strict=True):
            available_wh[row:] += lane_wh[row:]
            left_wh[row:] += lane_wh[row:]
            lane_wh[row:] = 0


def _deliver_row(step: Step, row: int, cap_wh: int) -> None:
    """Deliver `cap_wh`, less than is possible, in one interval."""
    for available_wh, lanes_wh in zip(step.available_wh, step.lanes_wh, strict=True):
        offered_wh = int(available_wh[row])
        weights_wh = [int(left_wh[row]) for left_wh in step.left_wh]
        if any(step.shares_ppm):
            unused_ppm = PPM - sum(step.shares_ppm)
            cuts_wh = split(offered_wh, [*step.shares_ppm, unused_ppm])
            weights_wh = [min(pair) for pair in zip(cuts_wh, weights_wh, strict=False)]
        amount_wh = min(offered_wh, sum(weights_wh), cap_wh)
        parts_wh = split(amount_wh, weights_wh)
        for part_wh, lane_wh, left_wh in zip(parts_wh, lanes_wh, step.left_wh, strict=True):
            lane_wh[row] = part_wh
            left_wh[row] -= part_wh
        available_wh[row] -= amount_wh
        cap_wh -= amount_wh
    assert cap_wh == 0
