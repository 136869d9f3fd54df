"""Matching a year of quarter-hours for a thousand consumers, beside the floors of the same work.

`match` is the whole call: checks, exact pro-rata, lanes and residual, from columns as the store
gives them. The floors: copying the int64 matrix of consumption twice (nobody reads it and writes
two results in less), the same pro-rata in float64 with pandas (inexact), and with a tidy groupby.
Run alone: `python -m bench.matching`.
"""

from __future__ import annotations

import os

# Before numpy: one core, whatever its BLAS would like.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402 - the thread counts come first
import pandas as pd  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from bench.rows import Row, best_of  # noqa: E402
from ledger.matching.engine import match  # noqa: E402
from ledger.matching.granularity import side_by_side  # noqa: E402
from ledger.matching.model import (  # noqa: E402
    MAXIMAL,
    PRO_RATA,
    Contract,
    Demand,
    Grid,
    Result,
    Share,
    SupplyClass,
)

INTERVALS = 35_040
CONSUMERS = 1_000
SOURCE = "f" * 32
GRID = Grid(start_s=1_767_196_800, length_s=900, count=INTERVALS, zone_offset_s=28_800)


def run(*, repeat: int) -> list[Row]:
    """All rows; `repeat` times each, the best counts."""
    copied = _consumption_wh(50_000)
    target = np.empty_like(copied)
    copying = 2 * best_of(repeat, lambda: np.copyto(target, copied))
    fresh = best_of(repeat, lambda: (copied.copy(), copied.copy()))
    unit, amount = "interval x consumer", INTERVALS * CONSUMERS
    name = f"match {INTERVALS:,} x {CONSUMERS:,}"
    rows: list[Row] = []

    def add(name: str, seconds: float, floor_name: str, floor_seconds: float) -> None:
        rows.append(
            Row(
                name=name,
                seconds=seconds,
                unit=unit,
                amount=amount,
                floor_name=floor_name,
                floor_seconds=floor_seconds,
            )
        )

    park = _Park(copied)
    seconds = best_of(repeat, park.match)
    add(name, seconds, "copy the matrix twice, in place", copying)
    add(name, seconds, "copy the matrix twice, fresh", fresh)
    add(name, seconds, "pandas broadcast (inexact)", best_of(repeat, park.broadcast))
    add(name, seconds, "tidy groupby (inexact)", best_of(1, park.tidy))
    result = park.match()
    add(
        "the same at hour, day, month, year",
        best_of(
            repeat,
            lambda: side_by_side(
                GRID, park.supply, park.demand, [park.contract], regions={}, result=result
            ),
        ),
        "copy the matrix twice, in place",
        copying,
    )
    large = _Park(_consumption_wh(50_000_000))
    add(f"{name}, 1,000 x the energy", best_of(repeat, large.match), rows[0].floor_name, copying)
    return [*rows, _maximal(repeat)]


def _maximal(repeat: int) -> Row:
    """Twelve contracts that compete for ten sources and eight consumers; beside pro-rata."""
    random = np.random.default_rng(3)
    supply = {
        f"s{number}": random.integers(0, 100_000, INTERVALS) * random.integers(0, 2, INTERVALS)
        for number in range(10)
    }
    demand = {
        f"c{number}": Demand(point=f"c{number}", wh=random.integers(0, 100_000, INTERVALS))
        for number in range(8)
    }
    contracts = [
        Contract(
            contract=f"k{number:02}",
            supply_class=SupplyClass.GREEN_TRADE,
            sources=tuple(random.permutation(list(supply))[:3].tolist()),
            consumers=tuple(Share(point=one) for one in random.permutation(list(demand))[:3]),
            period=GRID.period,
        )
        for number in range(12)
    ]

    def seconds(policy: str) -> float:
        return best_of(
            repeat, lambda: match(GRID, supply, demand, contracts, regions={}, policy=policy)
        )

    return Row(
        name=f"match {INTERVALS:,} x 10 x 8, maximal",
        seconds=seconds(MAXIMAL),
        unit="interval x source x consumer",
        amount=INTERVALS * 10 * 8,
        floor_name="the same, pro-rata",
        floor_seconds=seconds(PRO_RATA),
    )


class _Park:
    """One plant of about 60 % of the consumption, one contract by demand with everybody."""

    def __init__(self, consumption_wh: NDArray[np.int64]) -> None:
        random = np.random.default_rng(2)
        self.consumption_wh = consumption_wh
        total_wh = consumption_wh.sum(axis=0)
        self.supply_wh = (total_wh * random.integers(0, 1_200, INTERVALS)) // 1_000
        self.supply = {SOURCE: self.supply_wh}
        # Each column is an array of its own, as the store gives it.
        self.demand = {
            f"{row:032x}": Demand(point=f"{row:032x}", wh=wh.copy())
            for row, wh in enumerate(consumption_wh)
        }
        self.contract = Contract(
            contract="c" * 32,
            supply_class=SupplyClass.GREEN_TRADE,
            sources=(SOURCE,),
            consumers=tuple(Share(point=point) for point in self.demand),
            period=GRID.period,
        )

    def match(self) -> Result:
        return match(GRID, self.supply, self.demand, [self.contract], regions={})

    def broadcast(self) -> object:
        frame = pd.DataFrame(self.consumption_wh.T, copy=False)
        total_wh = frame.sum(axis=1)
        ratio = np.minimum(self.supply_wh, total_wh) / total_wh.clip(lower=1)
        matched_wh = frame.mul(ratio, axis=0)
        return matched_wh, frame - matched_wh

    def tidy(self) -> object:
        frame = pd.DataFrame(
            {
                "interval": np.tile(np.arange(INTERVALS), CONSUMERS),
                "wh": self.consumption_wh.reshape(-1),
            }
        )
        total_wh = frame.groupby("interval")["wh"].transform("sum")
        amount_wh = np.minimum(self.supply_wh[frame["interval"]], total_wh)
        frame["matched_wh"] = frame["wh"] * amount_wh / total_wh.clip(lower=1)
        frame["left_wh"] = frame["wh"] - frame["matched_wh"]
        return frame


def _consumption_wh(highest_wh: int) -> NDArray[np.int64]:
    """int64[consumers, intervals], seeded."""
    random = np.random.default_rng(1)
    return random.integers(0, highest_wh, (CONSUMERS, INTERVALS))


if __name__ == "__main__":
    for row in run(repeat=5):
        ratio = row.seconds / row.floor_seconds
        print(
            f"{row.name:44} {row.seconds:8.4f} s   {row.floor_name:34}"
            f" {row.floor_seconds:8.4f} s   {ratio:6.2f} x"
        )
