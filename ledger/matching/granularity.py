"""The same matching at quarter-hour, hour, day, month and year, side by side.

Supply and measured demand are added up per calendar interval of park time (invariant 23), and the
waterfall runs again on the sums: what a park could claim if energy might be moved freely within an
hour, a day, a month, a year. A contract adds up only what lies in its period: it never
moves energy across its beginning or its end. What it takes from a longer interval is booked against
that interval's earliest energy first, which matters only where periods of contracts cut through it.

What storages charge and discharge is taken from the quarter-hours (`ledger.matching.charging`). The
run itself cuts the first and last interval. Estimated energy is in every denominator.

With one contract by demand a coarser figure is never below a finer one. With several contracts
that compete for the same points it may be: pro-rata over a longer interval gives energy to
consumers whom a later contract could have served. Shares are rounded anew at each granularity.

By policy `maximal/1` contracts with shares or a limit take what pro-rata gives them, and the others
the most that is possible beside that; where it is less than a finer figure, the finer one stands,
as what is matched within hours is matched within days too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ledger.errors import InvalidInput
from ledger.matching.charging import without_charging
from ledger.matching.check import check_inputs, check_policy
from ledger.matching.engine import NOTHING
from ledger.matching.maximal import Books, Offer, is_free, raise_lanes
from ledger.matching.model import (
    ENERGY_WH_MAX,
    MAXIMAL,
    PPM,
    PRO_RATA,
    Contract,
    Demand,
    Grid,
    Int64,
    Result,
    SupplyClass,
)
from ledger.matching.waterfall import Step, deliver, in_order, limit_left
from ledger.units import DAY_S, GRANULARITIES, HOUR_S, QUARTER_HOUR_S, Granularity

_LENGTH_S: Final[dict[Granularity, int]] = {
    "quarter_hour": QUARTER_HOUR_S,
    "hour": HOUR_S,
    "day": DAY_S,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """What one granularity says: matched Wh, in all and by class, and the consumption it covers.

    `consumption_wh` includes what was estimated, and is the same at each granularity. `earlier_wh`:
    consumption that earlier runs had covered with lots, quarter-hour by quarter-hour.
    """

    granularity: Granularity
    matched_wh: int
    consumption_wh: int
    by_class_wh: Mapping[SupplyClass, int]
    earlier_wh: int = 0

    @property
    def covered_wh(self) -> int:
        return self.matched_wh + self.earlier_wh

    @property
    def share_ppm(self) -> int | None:
        """covered / consumption in millionths, rounded down; None if nothing was consumed."""
        return self.covered_wh * PPM // self.consumption_wh if self.consumption_wh else None

    def after(self, earlier_wh: int) -> Matched:
        """The same, of the whole consumption: `earlier_wh` of it were covered before."""
        return replace(self, consumption_wh=self.consumption_wh + earlier_wh, earlier_wh=earlier_wh)


def side_by_side(
    grid: Grid,
    supply: Mapping[str, Int64],
    demand: Mapping[str, Demand],
    contracts: Sequence[Contract],
    *,
    regions: Mapping[str, str],
    result: Result,
    delivered_before_wh: Mapping[str, int] = NOTHING,
    policy: str = PRO_RATA,
) -> tuple[Matched, ...]:
    """One `Matched` for each granularity, finest first; those finer than the grid are left out.

    `result` is what `match` gave for the same inputs: it is the finest granularity's answer.
    Raises what `match` raises.
    """
    check_policy(policy)
    check_inputs(grid, supply, demand, contracts, regions, result.stored_wh)
    consumption_wh = result.totals().consumption_wh
    rest = without_charging(supply, demand, contracts, delivered_before_wh, result)
    before_wh = rest.delivered_before_wh

    def matched(granularity: Granularity, delivered_wh: Mapping[str, int]) -> Matched:
        by_class_wh = dict.fromkeys(SupplyClass, 0)
        for contract in contracts:
            by_class_wh[contract.supply_class] += delivered_wh.get(contract.contract, 0)
        return Matched(
            granularity=granularity,
            matched_wh=sum(by_class_wh.values()),
            consumption_wh=consumption_wh,
            by_class_wh=by_class_wh,
        )

    answers: list[Matched] = []
    for granularity in GRANULARITIES:
        length_s = _LENGTH_S.get(granularity)
        if length_s == grid.length_s:
            answers.append(matched(granularity, result.matched_wh()))
        elif length_s is None or length_s > grid.length_s:
            bucket = buckets(grid, granularity)
            parts = grid, bucket, rest.supply, rest.demand, in_order(rest.contracts)
            if policy == MAXIMAL:
                found = matched(granularity, _maximal(parts, before_wh))
                finer = replace(answers[-1], granularity=granularity) if answers else found
                answers.append(max(found, finer, key=lambda one: one.matched_wh))
            else:
                pieces = _Pieces(*parts)
                answers.append(matched(granularity, pieces.run_all(before_wh)))
    return tuple(answers)


def buckets(grid: Grid, granularity: Granularity) -> Int64:
    """int64[T]: the number of the calendar interval, in park time, that each interval is in."""
    park_s = grid.starts_s() + grid.zone_offset_s
    length_s = _LENGTH_S.get(granularity)
    if length_s is not None:
        if length_s < grid.length_s:
            raise InvalidInput(
                f"{granularity} is finer than the grid's intervals of {grid.length_s} s"
            )
        return park_s // length_s
    unit = "datetime64[M]" if granularity == "month" else "datetime64[Y]"
    return park_s.astype("datetime64[s]").astype(unit).astype(np.int64)


class _Pieces:
    """Supply and demand per piece: a calendar interval, cut where a contract begins or ends.

    `starts`: int64[P], first grid row of each piece; `bucket`: int64[P], its calendar interval.
    """

    def __init__(
        self,
        grid: Grid,
        bucket: Int64,
        supply: Mapping[str, Int64],
        demand: Mapping[str, Demand],
        contracts: Sequence[Contract],
    ) -> None:
        cuts = {0, *(np.flatnonzero(np.diff(bucket)) + 1).tolist()}
        for contract in contracts:
            rows = grid.rows(contract.period)
            cuts |= {rows.start, rows.stop} - {grid.count}
        self.grid = grid
        self.contracts = contracts
        self.starts = np.array(sorted(cuts), dtype=np.int64)
        self.bucket = bucket[self.starts]
        self.supply_wh = {point: np.add.reduceat(wh, self.starts) for point, wh in supply.items()}
        self.demand_wh = {
            point: np.add.reduceat(one.wh, self.starts) for point, one in demand.items()
        }

    def rows(self, contract: Contract) -> slice:
        """The pieces that lie in the contract's period."""
        rows = self.grid.rows(contract.period)
        first, last = np.searchsorted(self.starts, [rows.start, rows.stop]).tolist()
        return slice(first, last)

    def of(self, contract: Contract) -> list[Int64]:
        """What its sources still have, and its consumers still want: int64[P] each."""
        sources = [self.supply_wh[point] for point in contract.sources]
        return sources + [self.demand_wh[share.point] for share in contract.consumers]

    def offer(self, contract: Contract) -> Offer:
        """Let a free contract deliver in each piece by itself, from what is left."""
        part = self.rows(contract)
        consumers = sorted(share.point for share in contract.consumers)
        lanes_wh = {
            (source, consumer): np.zeros(len(self.starts), dtype=np.int64)
            for source in sorted(contract.sources)
            for consumer in consumers
        }
        wanted_wh = [self.demand_wh[consumer][part] for consumer in consumers]
        step = Step(
            shares_ppm=[0] * len(consumers),
            available_wh=[self.supply_wh[source][part] for source in sorted(contract.sources)],
            wanted_wh=wanted_wh,
            left_wh=wanted_wh,
            lanes_wh=[
                [lanes_wh[source, consumer][part] for consumer in consumers]
                for source in sorted(contract.sources)
            ],
        )
        return Offer(
            contract=contract.contract,
            rows=part,
            lanes_wh=lanes_wh,
            delivered_wh=deliver(step, ENERGY_WH_MAX) if part.start < part.stop else 0,
        )

    def run_all(self, delivered_before_wh: Mapping[str, int]) -> dict[str, int]:
        """Let all contracts deliver; returns {contract: Wh}."""
        return {
            one.contract: self.run(one, delivered_before_wh.get(one.contract, 0))
            for one in self.contracts
        }

    def run(self, contract: Contract, delivered_before_wh: int) -> int:
        """Let the contract deliver in all its calendar intervals; returns Wh."""
        part = self.rows(contract)
        if part.start == part.stop:
            return 0
        bucket = self.bucket[part]
        groups = np.flatnonzero(np.diff(bucket, prepend=bucket[0] - 1))
        shares = sorted(contract.consumers, key=lambda share: share.point)
        sources_wh = [self.supply_wh[point][part] for point in sorted(contract.sources)]
        consumers_wh = [self.demand_wh[share.point][part] for share in shares]
        available_wh = [np.add.reduceat(wh, groups) for wh in sources_wh]
        wanted_wh = [np.add.reduceat(wh, groups) for wh in consumers_wh]
        step = Step(
            shares_ppm=[share.share_ppm for share in shares],
            available_wh=available_wh,
            wanted_wh=wanted_wh,
            left_wh=wanted_wh,
            lanes_wh=_lanes(contract, len(groups)),
        )
        delivered_wh = deliver(step, limit_left(contract, delivered_before_wh))
        for wh, left_wh in zip(sources_wh + consumers_wh, available_wh + wanted_wh, strict=True):
            _keep_latest(wh, left_wh, groups)
        return delivered_wh


_Parts = tuple[Grid, Int64, Mapping[str, Int64], Mapping[str, Demand], Sequence[Contract]]


def _maximal(parts: _Parts, delivered_before_wh: Mapping[str, int]) -> dict[str, int]:
    """{contract: Wh}, by policy `maximal/1`."""
    pieces, rest = _Pieces(*parts), _Pieces(*parts)
    delivered_wh: dict[str, int] = {}
    for contract in pieces.contracts:
        before_wh = [wh.copy() for wh in pieces.of(contract)]
        wh = pieces.run(contract, delivered_before_wh.get(contract.contract, 0))
        if not is_free(contract):
            delivered_wh[contract.contract] = wh
            after_wh = pieces.of(contract)
            for left, before, after in zip(rest.of(contract), before_wh, after_wh, strict=True):
                left -= before - after
    offers = [rest.offer(contract) for contract in rest.contracts if is_free(contract)]
    books = Books(surplus_wh=rest.supply_wh, wanted_wh=rest.demand_wh, offers=offers)
    raise_lanes(books, rest.bucket)
    return delivered_wh | {offer.contract: offer.delivered_wh for offer in offers}


def _lanes(contract: Contract, count: int) -> list[list[Int64]]:
    """Room for the deliveries; one scratch array will do unless a limit must take some back."""
    if contract.limit_wh:
        return [
            [np.zeros(count, dtype=np.int64) for _ in contract.consumers] for _ in contract.sources
        ]
    scratch = np.zeros(count, dtype=np.int64)
    return [[scratch] * len(contract.consumers)] * len(contract.sources)


def _keep_latest(wh: Int64, left_wh: Int64, groups: Int64) -> None:
    """Reduce `wh`, int64[n], in place, so that group g, from row groups[g] on, keeps left_wh[g].

    What goes is the earliest energy of the group.
    """
    if len(groups) == len(wh):
        wh[:] = left_wh
        return
    until = np.cumsum(wh)
    ends = np.append(groups[1:], len(wh)) - 1
    sizes = np.diff(groups, append=len(wh))
    after = np.repeat(until[ends], sizes) - until
    np.minimum(wh, np.maximum(np.repeat(left_wh, sizes) - after, 0), out=wh)
