"""Random parks for Hypothesis: small, but with every awkward thing that the rules mention."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import strategies as st

from ledger.matching.model import Contract, Demand, Grid, Int64, Share, SupplyClass
from ledger.matching.storage import Storage
from ledger.units import Period, parse_instant

CLASSES = (SupplyClass.SELF_USE, SupplyClass.DIRECT_SUPPLY, SupplyClass.GREEN_TRADE)
# 2026-03-31T22:15:00+08:00: days, months and a quarter turn soon after.
START_S = 1_774_966_500


@dataclass(frozen=True, kw_only=True)
class Park:
    grid: Grid
    supply: dict[str, Int64]
    demand: dict[str, Demand]
    contracts: list[Contract]
    delivered_before_wh: dict[str, int]
    storages: list[Storage] = field(default_factory=list)

    def shuffled(self, chance: random.Random) -> Park:
        """The same park, its points, contracts and their members in another order."""
        contracts = [
            replace(
                one,
                sources=tuple(chance.sample(one.sources, len(one.sources))),
                consumers=tuple(chance.sample(one.consumers, len(one.consumers))),
            )
            for one in chance.sample(self.contracts, len(self.contracts))
        ]
        return replace(
            self,
            supply=dict(chance.sample(list(self.supply.items()), len(self.supply))),
            demand=dict(chance.sample(list(self.demand.items()), len(self.demand))),
            contracts=contracts,
            storages=chance.sample(self.storages, len(self.storages)),
        )


def name(letter: str, number: int) -> str:
    return letter * 31 + f"{number:x}"


def energies(highest_wh: int) -> st.SearchStrategy[int]:
    return st.one_of(st.just(0), st.integers(0, min(highest_wh, 9)), st.integers(0, highest_wh))


@st.composite
def columns(draw: st.DrawFn, count: int, highest_wh: int) -> Int64:
    values = draw(st.lists(energies(highest_wh), min_size=count, max_size=count))
    return np.array(values, dtype=np.int64)


@st.composite
def demands(draw: st.DrawFn, point: str, count: int, highest_wh: int) -> Demand:
    wh = draw(columns(count, highest_wh))
    if draw(st.booleans()):
        return Demand(point=point, wh=wh)
    missing = np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)), dtype=bool)
    return Demand(
        point=point,
        wh=np.where(missing, 0, wh),
        estimated_wh=np.where(missing, draw(columns(count, highest_wh)), 0),
    )


@st.composite
def contracts_of(
    draw: st.DrawFn, number: int, grid: Grid, sources: list[str], consumers: list[str], top: int
) -> Contract:
    chosen = draw(st.lists(st.sampled_from(consumers), min_size=1, unique=True))
    shares = [0] * len(chosen)
    if draw(st.booleans()):
        cuts = sorted(
            draw(st.lists(st.integers(1, 10**6), min_size=len(chosen), max_size=len(chosen)))
        )
        shares = [max(after - before, 0) for before, after in zip([0, *cuts], cuts, strict=False)]
        if not all(shares):
            shares = [10**6 // len(chosen)] * len(chosen)
    # Seconds, not intervals: a period may begin and end anywhere, also outside the grid.
    first = draw(st.integers(grid.start_s - 2000, grid.end_s))
    last = draw(st.integers(first + 1, grid.end_s + 2000))
    if draw(st.booleans()):
        first, last = grid.start_s, grid.end_s
    return Contract(
        contract=name("c", number),
        supply_class=draw(st.sampled_from(CLASSES)),
        sources=tuple(draw(st.lists(st.sampled_from(sources), min_size=1, unique=True))),
        consumers=tuple(
            Share(point=point, share_ppm=share) for point, share in zip(chosen, shares, strict=True)
        ),
        period=Period(start_s=first, end_s=last),
        limit_wh=draw(st.one_of(st.just(0), st.integers(1, 4 * top))),
    )


# Highest Wh of an interval: small numbers, a large park, and the edges of the three paths.
TOPS = (5, 40_000, 2**24, 2**25, 2**47, 2**49, 2**52, 2**55)


@st.composite
def parks(draw: st.DrawFn, tops: Sequence[int] = TOPS) -> Park:
    top = draw(st.sampled_from(tops))
    grid = Grid(start_s=START_S, length_s=900, count=draw(st.integers(1, 12)), zone_offset_s=28_800)
    sources = [name("a", number) for number in range(draw(st.integers(1, 3)))]
    consumers = [name("b", number) for number in range(draw(st.integers(1, 5)))]
    contracts = [
        draw(contracts_of(number, grid, sources, consumers, top))
        for number in range(draw(st.integers(0, 4)))
    ]
    return Park(
        grid=grid,
        supply={point: draw(columns(grid.count, top)) for point in sources},
        demand={point: draw(demands(point, grid.count, top)) for point in consumers},
        contracts=contracts,
        delivered_before_wh={
            one.contract: draw(st.integers(0, top)) for one in contracts if draw(st.booleans())
        },
    )


@st.composite
def free_parks(draw: st.DrawFn) -> Park:
    """The same parks, every contract by demand and without a limit."""
    park = draw(parks())
    return replace(
        park,
        contracts=[
            replace(
                one,
                limit_wh=0,
                consumers=tuple(replace(share, share_ppm=0) for share in one.consumers),
            )
            for one in park.contracts
        ],
    )


@st.composite
def long_parks(draw: st.DrawFn, of: st.SearchStrategy[Park]) -> Park:
    """The same parks, but on hourly intervals too, and about the turn of a year."""
    park = draw(of)
    turn_s = parse_instant(draw(st.sampled_from(["2025-12-31T16:00:00Z", "2026-03-31T16:00:00Z"])))
    length_s = draw(st.sampled_from([900, 1800, 3600]))
    before = draw(st.integers(0, park.grid.count))
    grid = Grid(
        start_s=turn_s - before * length_s,
        length_s=length_s,
        count=park.grid.count,
        zone_offset_s=28_800,
    )
    shift_s = grid.start_s - park.grid.start_s
    contracts = [
        replace(
            one,
            period=Period(
                start_s=one.period.start_s + shift_s,
                end_s=one.period.start_s + shift_s + one.period.length_s * length_s // 900,
            ),
        )
        for one in park.contracts
    ]
    return replace(park, grid=grid, contracts=contracts)


@st.composite
def storage_parks(draw: st.DrawFn, tops: Sequence[int] = TOPS) -> Park:
    """The same parks with one or two storages, which contracts of the first classes charge."""
    park = draw(parks(tops))
    top = draw(st.sampled_from(tops))
    storages = [
        draw(storages_of(number, park.grid.count, top)) for number in range(draw(st.integers(1, 2)))
    ]
    charging = {one.charge: one.charge_wh[-park.grid.count :] for one in storages}
    consumers = list(park.demand)
    contracts = [
        replace(
            one,
            consumers=(*one.consumers, *draw(charges(one, list(charging)))),
        )
        for one in park.contracts
    ]
    for number in range(draw(st.integers(1, 2))):
        discharges = [one.discharge for one in storages]
        supplying = draw(contracts_of(8 + number, park.grid, discharges, consumers, top))
        if draw(st.booleans()):
            supplying = replace(supplying, period=park.grid.period, limit_wh=0)
        contracts.append(replace(supplying, supply_class=SupplyClass.STORAGE))
    return replace(
        park,
        demand=park.demand
        | {point: Demand(point=point, wh=wh, charging=True) for point, wh in charging.items()},
        contracts=contracts,
        storages=storages,
    )


@st.composite
def charges(draw: st.DrawFn, contract: Contract, points: list[str]) -> list[Share]:
    """Charge points among the consumers of a contract, where its class and its shares allow it."""
    if contract.supply_class is SupplyClass.GREEN_TRADE:
        return []
    chosen = draw(st.lists(st.sampled_from(points), unique=True))
    left_ppm = 10**6 - sum(share.share_ppm for share in contract.consumers)
    if not contract.consumers[0].share_ppm:
        return [Share(point=point) for point in chosen]
    part_ppm = left_ppm // max(len(chosen), 1)
    return [Share(point=point, share_ppm=part_ppm) for point in chosen] if part_ppm else []


@st.composite
def storages_of(draw: st.DrawFn, number: int, count: int, top: int) -> Storage:
    """Meters that say anything; earlier divisions that allotted anything."""
    whole = count + draw(st.integers(0, 6))
    charge_wh = draw(columns(whole, top))
    earlier_wh = draw(columns(whole, draw(st.sampled_from([0, 0, 1, top]))))
    return Storage(
        charge=name("d", number),
        discharge=name("e", number),
        charge_wh=charge_wh,
        discharge_wh=draw(columns(whole, top)),
        green_in_wh=np.minimum(draw(columns(whole, top) | st.just(charge_wh)), charge_wh),
        allotted_wh=earlier_wh,
    )
