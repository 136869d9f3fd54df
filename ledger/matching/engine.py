"""The matching engine: a pure function of supply, demand and contracts in integer Wh.

No clock, no randomness, no SQL; the order of its inputs does not matter (invariants 5, 7, 16, 18).
Points are columns, contiguous in time, as the store gives them and as allocations are committed:
nothing is transposed, and the few temporaries of a year (0.3 MB each) stay in cache. Cutting time
into chunks of 2,048 to 17,568 rows was measured, and is slower.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.matching.check import (
    CHARGING_CLASSES,
    check_inputs,
    check_policy,
    check_storages,
)
from ledger.matching.maximal import maximal
from ledger.matching.model import (
    MAXIMAL,
    PRO_RATA,
    Contract,
    Demand,
    Grid,
    Int64,
    Lane,
    Result,
)
from ledger.matching.storage import Storage
from ledger.matching.waterfall import Step, deliver, in_order, limit_left

NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


def match(
    grid: Grid,
    supply: Mapping[str, Int64],
    demand: Mapping[str, Demand],
    contracts: Sequence[Contract],
    *,
    regions: Mapping[str, str],
    delivered_before_wh: Mapping[str, int] = NOTHING,
    storages: Sequence[Storage] = (),
    policy: str = PRO_RATA,
) -> Result:
    """Match generation with consumption, interval by interval, down the waterfall.

    `supply`: {source: int64[T] Wh}, 0 where missing (missing generation earns nothing).
    `demand`: {consumer: Demand}. `regions`: {source: administrative code, GB/T 2260}.
    `delivered_before_wh`: {contract: Wh delivered before the grid begins}, for contracts with a
    limit; so a year matched month by month equals the year matched at once. `storages`: what may
    discharge as class STORAGE, once the classes before it have charged in all intervals.

    The rules are those of `ledger.matching.waterfall`; policy `maximal/1` then raises what they
    give, as `ledger.matching.maximal` says. Raises InvalidInput and Refused as
    `ledger.matching.check` says.
    """
    check_policy(policy)
    check_storages(grid, supply, demand, storages)
    check_inputs(grid, supply, demand, contracts, regions, {one.discharge for one in storages})
    books = _Books(grid, supply, demand)
    plans = [
        _Plan(books, contract, delivered_before_wh.get(contract.contract, 0))
        for contract in in_order(contracts)
    ]
    early = [plan for plan in plans if plan.contract.supply_class in CHARGING_CLASSES]
    for plan in early:
        plan.run()
    for storage in storages:
        green_in_wh = np.zeros(grid.count, dtype=np.int64)
        for plan in early:
            green_in_wh += plan.to(storage.charge)
        books.surplus_wh[storage.discharge] = storage.supply_wh(green_in_wh)
    for plan in plans[len(early) :]:
        plan.run()
    estimated_wh = books.close(demand)
    stored = sorted(one.discharge for one in storages)
    left_wh = {point: _frozen(books.residual_wh[row]) for point, row in books.row_of.items()}
    result = Result(
        lanes=tuple(lane for plan in plans for lane in plan.lanes()),
        surplus_wh={point: _frozen(books.surplus_wh[point]) for point in sorted(supply)},
        residual_wh={point: wh for point, wh in left_wh.items() if not demand[point].charging},
        delivered_wh={plan.contract.contract: plan.delivered_wh for plan in plans},
        estimated_wh=estimated_wh,
        uncharged_wh={point: wh for point, wh in left_wh.items() if demand[point].charging},
        stored_wh={point: _frozen(books.surplus_wh[point]) for point in stored},
    )
    return maximal(grid, result, demand, contracts) if policy == MAXIMAL else result


class _Books:
    """What each source still has, and what each consumer still wants.

    A consumer's column is read from its demand until a contract first takes from it; only then
    does `residual_wh` hold it. This saves one copy of the whole matrix.
    """

    def __init__(self, grid: Grid, supply: Mapping[str, Int64], demand: Mapping[str, Demand]):
        self.grid = grid
        self.surplus_wh = {point: wh.copy() for point, wh in supply.items()}
        self.row_of = {point: row for row, point in enumerate(sorted(demand))}
        self.demand_wh = [demand[point].wh for point in self.row_of]
        self.residual_wh: NDArray[np.int64] = np.empty((len(demand), grid.count), dtype=np.int64)
        self.untouched = set(range(len(demand)))

    def wanted(self, row: int, part: slice) -> tuple[Int64, Int64]:
        """Views of a column's `part`: to read from, and to write to."""
        column_wh = residual_wh = self.residual_wh[row, part]
        if row in self.untouched:
            self.untouched.remove(row)
            if len(residual_wh) == self.grid.count:
                column_wh = self.demand_wh[row]
            else:
                self.residual_wh[row] = self.demand_wh[row]
        return column_wh, residual_wh

    def close(self, demand: Mapping[str, Demand]) -> int:
        """Complete the residual, estimated energy included; returns the Wh of that."""
        for row in self.untouched:
            self.residual_wh[row] = self.demand_wh[row]
        self.untouched.clear()
        total_wh = 0
        for point, row in self.row_of.items():
            estimated_wh = demand[point].estimated_wh
            if estimated_wh is not None:
                self.residual_wh[row] += estimated_wh
                total_wh += int(estimated_wh.sum())
        return total_wh


@dataclass(slots=True)
class _Plan:
    """One contract of the run: where its points' columns are, and its lanes so far."""

    books: _Books
    contract: Contract
    delivered_before_wh: int
    delivered_wh: int = 0
    rows: slice = field(init=False)
    sources: list[str] = field(init=False)
    consumers: list[str] = field(init=False)
    columns: list[int] = field(init=False)
    shares_ppm: list[int] = field(init=False)
    lanes_wh: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        grid, contract = self.books.grid, self.contract
        shares = sorted(contract.consumers, key=lambda share: share.point)
        self.rows = grid.rows(contract.period)
        self.sources = sorted(contract.sources)
        self.consumers = [share.point for share in shares]
        self.columns = [self.books.row_of[point] for point in self.consumers]
        self.shares_ppm = [share.share_ppm for share in shares]
        shape = len(self.sources), len(self.consumers), grid.count
        self.lanes_wh = np.zeros(shape if self.is_active else (0, 0, 0), dtype=np.int64)

    @property
    def is_active(self) -> bool:
        return bool(self.rows.start < self.rows.stop)

    def run(self) -> None:
        """Let the contract deliver."""
        if not self.is_active:
            return
        columns = [self.books.wanted(row, self.rows) for row in self.columns]
        step = Step(
            shares_ppm=self.shares_ppm,
            available_wh=[self.books.surplus_wh[source][self.rows] for source in self.sources],
            wanted_wh=[wanted_wh for wanted_wh, _ in columns],
            left_wh=[left_wh for _, left_wh in columns],
            lanes_wh=[[lane_wh[self.rows] for lane_wh in lanes_wh] for lanes_wh in self.lanes_wh],
        )
        self.delivered_wh = deliver(step, limit_left(self.contract, self.delivered_before_wh))

    def to(self, consumer: str) -> Int64 | int:
        """int64[T]: what the contract has delivered to a consumer."""
        if not self.is_active or consumer not in self.consumers:
            return 0
        found: Int64 = self.lanes_wh[:, self.consumers.index(consumer)].sum(axis=0)
        return found

    def lanes(self) -> list[Lane]:
        if not self.is_active:
            return []
        return [
            Lane(
                contract=self.contract.contract,
                source=source,
                consumer=consumer,
                supply_class=self.contract.supply_class,
                wh=_frozen(lane_wh),
            )
            for source, lanes_wh in zip(self.sources, self.lanes_wh, strict=True)
            for consumer, lane_wh in zip(self.consumers, lanes_wh, strict=True)
        ]


def _frozen(wh: Int64) -> Int64:
    wh.flags.writeable = False
    return wh
