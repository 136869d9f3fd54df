"""Exact pro-rata in integers, by cumulative rounding.

An amount A is split by weights w_1 … w_n with total W as

    part_i = floor(A·c_i / W) − floor(A·c_{i−1} / W),    c_i = w_1 + … + w_i

The parts sum to A exactly, and with A ≤ W no part exceeds its weight. They depend on the order of
the weights, so callers order them by id.

`take_pro_rata` does that for many intervals at once, consumer by consumer, with a running c_i: its
few temporaries stay in cache. Three paths give the same integers; the magnitudes choose:

- *narrow*, (A + 1)·W < 2^50: floor(c·(A/W) + 1/(2W)) in float64. The exact quotient lies at
  least 1/W below the next integer, so with 1/(2W) added it is at least 1/(2W) from any integer on
  either side. Three roundings of relative size 2^-53 on a value below A + 1 move it by less than
  (A + 1)·2^-51 < 1/(2W).
- *wide*, A < 2^49 and W < 2^52: c·(A/W)·(1 + 2^-50) is never below the quotient and less than 1
  above it, so its integer part is the floor or one more; the sign of the exact remainder
  A·c − q·W says which. The products may wrap round modulo 2^64, but their difference lies in
  [−W, W), so it is right.
- anything larger: Python's integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Final

import numpy as np

from ledger.matching.model import PPM, Int64

_NARROW_PRODUCT: Final = 2**50
_WIDE_AMOUNT: Final = 2**49
_WIDE_TOTAL: Final = 2**52


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """`amount` in proportion to `weights` (≥ 0), exactly. Nothing goes to a weight of 0.

    All zeros where the weights are all zero, which needs an amount of 0.
    """
    total = sum(weights)
    assert total > 0 or amount == 0
    edges = [amount * running // max(total, 1) for running in accumulate(weights, initial=0)]
    return [after - before for before, after in pairwise(edges)]


def split_evenly(amount: int, count: int) -> Int64:
    """int64[count]: `amount` in `count` parts that differ by at most 1, and sum to it exactly."""
    whole, rest = divmod(amount, count)
    edges = rest * np.arange(count + 1, dtype=np.int64) // count
    return whole + np.diff(edges)


def take_shares(
    available_wh: Int64,
    shares_ppm: Sequence[int],
    wanted_wh: Sequence[Int64],
    lanes_wh: Sequence[Int64],
    left_wh: Sequence[Int64],
) -> Int64:
    """Each consumer takes its share of `available_wh`, capped by what it wants.

    All arrays are int64[n]. The shares of 1,000,000 are cut by cumulative rounding, so they sum to
    the available energy where they sum to 1,000,000. Writes `lanes_wh` and `left_wh` (wanted −
    lane; may be the same array as wanted); returns int64[n], what was taken in all.
    """
    # floor(A·s / 10^6) without the product: A = whole·10^6 + rest.
    whole, rest = np.divmod(available_wh, PPM)
    taken = np.zeros_like(available_wh)
    before = np.zeros_like(available_wh)
    running_ppm = 0
    for share_ppm, wanted, lane, left in zip(shares_ppm, wanted_wh, lanes_wh, left_wh, strict=True):
        running_ppm += share_ppm
        after = whole * running_ppm + rest * running_ppm // PPM
        np.minimum(after - before, wanted, out=lane)
        np.subtract(wanted, lane, out=left)
        taken += lane
        before = after
    return taken


def take_pro_rata(
    amount_wh: Int64,
    total_wh: Int64,
    wanted_wh: Sequence[Int64],
    lanes_wh: Sequence[Int64],
    left_wh: Sequence[Int64],
) -> None:
    """Split `amount_wh` over consumers in proportion to what they want.

    All arrays are int64[n], ≥ 0. `total_wh` is Σ `wanted_wh`, and `amount_wh` ≤ `total_wh` in each
    interval. Writes `lanes_wh` (the parts) and `left_wh` (wanted − part; may be the same array as
    wanted).
    """
    amount_max = int(amount_wh.max(initial=0))
    total_max = int(total_wh.max(initial=0))
    divisor = np.maximum(total_wh, 1)
    if (amount_max + 1) * total_max < _NARROW_PRODUCT:
        _take_narrow(amount_wh, divisor, wanted_wh, lanes_wh, left_wh)
    elif amount_max < _WIDE_AMOUNT and total_max < _WIDE_TOTAL:
        _take_wide(amount_wh, divisor, wanted_wh, lanes_wh, left_wh)
    else:
        _take_any(amount_wh, wanted_wh, lanes_wh, left_wh)


def _take_narrow(
    amount: Int64,
    divisor: Int64,
    wanted_wh: Sequence[Int64],
    lanes_wh: Sequence[Int64],
    left_wh: Sequence[Int64],
) -> None:
    ratio = amount / divisor
    nudge = 0.5 / divisor
    quotient = np.empty(len(amount))
    running, before, after = np.zeros((3, len(amount)), dtype=np.int64)
    for wanted, lane, left in zip(wanted_wh, lanes_wh, left_wh, strict=True):
        np.add(running, wanted, out=running)
        np.multiply(running, ratio, out=quotient)
        np.add(quotient, nudge, out=quotient)
        np.copyto(after, quotient, casting="unsafe")
        np.subtract(after, before, out=lane)
        np.subtract(wanted, lane, out=left)
        before, after = after, before


def _take_wide(
    amount: Int64,
    divisor: Int64,
    wanted_wh: Sequence[Int64],
    lanes_wh: Sequence[Int64],
    left_wh: Sequence[Int64],
) -> None:
    ratio_above = amount / divisor * (1 + 2.0**-50)
    quotient = np.empty(len(amount))
    running, before, after, product, remainder = np.zeros((5, len(amount)), dtype=np.int64)
    for wanted, lane, left in zip(wanted_wh, lanes_wh, left_wh, strict=True):
        np.add(running, wanted, out=running)
        np.multiply(running, ratio_above, out=quotient)
        np.copyto(after, quotient, casting="unsafe")
        np.multiply(running, amount, out=remainder)
        np.multiply(after, divisor, out=product)
        np.subtract(remainder, product, out=remainder)
        np.right_shift(remainder, 63, out=remainder)  # −1 where the quotient is one too high
        np.add(after, remainder, out=after)
        np.subtract(after, before, out=lane)
        np.subtract(wanted, lane, out=left)
        before, after = after, before


def _take_any(
    amount: Int64,
    wanted_wh: Sequence[Int64],
    lanes_wh: Sequence[Int64],
    left_wh: Sequence[Int64],
) -> None:
    for row, amount_wh in enumerate(amount.tolist()):
        parts = split(amount_wh, [int(wanted[row]) for wanted in wanted_wh])
        for part, wanted, lane, left in zip(parts, wanted_wh, lanes_wh, left_wh, strict=True):
            lane[row] = part
            left[row] = wanted[row] - part
