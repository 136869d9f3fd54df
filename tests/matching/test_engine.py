"""The engine against the naive model, and the invariants of domain.md §9 that it must keep."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidInput, Refused
from ledger.matching.engine import match
from ledger.matching.model import Contract, Demand, Grid, Int64, Result, Share, SupplyClass
from ledger.units import Period
from tests.matching.naive import Naive
from tests.matching.parks import START_S, Park, name, parks, storage_parks

SUN, WIND = name("a", 0), name("a", 1)
ANN, BEN, CID = name("b", 0), name("b", 1), name("b", 2)


def solve(park: Park) -> Result:
    return match(
        park.grid,
        park.supply,
        park.demand,
        park.contracts,
        regions={},
        delivered_before_wh=park.delivered_before_wh,
        storages=park.storages,
    )


def image(result: Result) -> list[tuple[object, ...]]:
    """Everything in a result, in its order, to the byte."""
    return [
        *(
            (lane.supply_class, lane.contract, lane.source, lane.consumer, lane.wh.tobytes())
            for lane in result.lanes
        ),
        *((point, wh.tobytes()) for point, wh in result.surplus_wh.items()),
        *((point, wh.tobytes()) for point, wh in result.residual_wh.items()),
        *((point, wh.tobytes()) for point, wh in result.uncharged_wh.items()),
        *((point, wh.tobytes()) for point, wh in result.stored_wh.items()),
        *result.delivered_wh.items(),
        (result.totals(),),
    ]


@given(st.one_of(parks(), storage_parks(tops=(5, 30))))
def test_equals_the_naive_model(park: Park) -> None:
    result = solve(park)
    supply = {point: wh.tolist() for point, wh in park.supply.items()}
    naive = Naive(
        park.grid, supply, park.demand, park.contracts, park.delivered_before_wh, park.storages
    )
    keys = [
        (int(lane.supply_class), lane.contract, lane.source, lane.consumer) for lane in result.lanes
    ]
    assert keys == sorted(set(keys))
    lanes = {key: lane.wh.tolist() for key, lane in zip(keys, result.lanes, strict=True)}
    assert lanes == {key: wh for key, wh in naive.lanes.items() if key in lanes}
    assert all(not any(wh) for key, wh in naive.lanes.items() if key not in lanes)
    left = {**result.surplus_wh, **result.stored_wh}
    asked = {**result.residual_wh, **result.uncharged_wh}
    assert {point: wh.tolist() for point, wh in left.items()} == naive.surplus
    assert {point: wh.tolist() for point, wh in asked.items()} == naive.residual


@given(st.one_of(parks(), storage_parks()))
def test_every_wh_has_exactly_one_place(park: Park) -> None:
    check_every_wh(park, solve(park))


def check_every_wh(park: Park, result: Result) -> None:
    """Invariants 5, 7 and 16, from the result alone."""
    left = {**result.surplus_wh, **result.stored_wh}
    asked = {**result.residual_wh, **result.uncharged_wh}
    metered = park.supply | {
        one.discharge: one.discharge_wh[-park.grid.count :] for one in park.storages
    }
    assert left.keys() == metered.keys()
    assert asked.keys() == park.demand.keys()
    for row in range(park.grid.count):
        for point, wh in metered.items():
            used = sum(int(lane.wh[row]) for lane in result.lanes if lane.source == point)
            assert used + int(left[point][row]) <= wh[row]
            if point in park.supply:
                assert used + int(left[point][row]) == wh[row]
        for point, one in park.demand.items():
            covered = sum(int(lane.wh[row]) for lane in result.lanes if lane.consumer == point)
            guess = 0 if one.estimated_wh is None else int(one.estimated_wh[row])
            assert covered <= one.wh[row]  # invariant 20: estimated energy is never covered
            assert covered + int(asked[point][row]) == one.wh[row] + guess
    assert all((lane.wh >= 0).all() for lane in result.lanes)
    stores = {one.discharge for one in park.storages}
    for lane in result.lanes:
        assert (lane.source in stores) == (lane.supply_class is SupplyClass.STORAGE)
    totals = result.totals()
    final = [one for one in park.demand.values() if not one.charging]
    assert totals.generation_wh == sum(sum(wh.tolist()) for wh in park.supply.values())
    assert totals.consumption_wh == totals.matched_wh + totals.residual_wh
    assert totals.consumption_wh == sum(sum(one.wh.tolist()) for one in final) + sum(
        sum(one.estimated_wh.tolist()) for one in final if one.estimated_wh is not None
    )
    assert totals.matched_wh == sum(
        int(lane.wh.sum()) for lane in result.lanes if not park.demand[lane.consumer].charging
    )
    if not park.storages:
        assert totals.generation_wh == totals.matched_wh + totals.surplus_wh
    for contract in park.contracts:
        delivered = sum(
            sum(lane.wh.tolist()) for lane in result.lanes if lane.contract == contract.contract
        )
        assert delivered == result.delivered_wh[contract.contract]
        before = park.delivered_before_wh.get(contract.contract, 0)
        if contract.limit_wh:
            assert delivered <= max(contract.limit_wh - before, 0)


@given(st.one_of(parks(), storage_parks()), st.randoms(use_true_random=False))
def test_input_order_does_not_matter(park: Park, chance: random.Random) -> None:
    """Invariant 18: the same bytes, whatever the order of points, contracts and their members."""
    assert image(solve(park.shuffled(chance))) == image(solve(park))


@given(parks(), st.data())
def test_a_run_in_two_parts_equals_the_run_at_once(park: Park, data: st.DataObject) -> None:
    """Sharding by time changes nothing, limits included: each part is told what went before."""
    at = data.draw(st.integers(1, park.grid.count)) % park.grid.count
    if at == 0:
        return
    whole = solve(park)
    first = solve(_cut(park, 0, at, park.delivered_before_wh))
    so_far = {
        one.contract: park.delivered_before_wh.get(one.contract, 0)
        + first.delivered_wh[one.contract]
        for one in park.contracts
    }
    second = solve(_cut(park, at, park.grid.count, so_far))

    def lane_wh(part: Result, count: int) -> dict[tuple[str, str, str], list[int]]:
        found = {(x.contract, x.source, x.consumer): x.wh.tolist() for x in part.lanes}
        return {
            (x.contract, x.source, x.consumer): found.get(
                (x.contract, x.source, x.consumer), [0] * count
            )
            for x in whole.lanes
        }

    heads, tails = lane_wh(first, at), lane_wh(second, park.grid.count - at)
    for lane in whole.lanes:
        key = (lane.contract, lane.source, lane.consumer)
        assert heads[key] + tails[key] == lane.wh.tolist()


def _cut(park: Park, start: int, stop: int, delivered: dict[str, int]) -> Park:
    grid = replace(park.grid, start_s=park.grid.start_s + 900 * start, count=stop - start)
    part = slice(start, stop)
    return Park(
        grid=grid,
        supply={point: wh[part] for point, wh in park.supply.items()},
        demand={
            point: replace(
                one,
                wh=one.wh[part],
                estimated_wh=None if one.estimated_wh is None else one.estimated_wh[part],
            )
            for point, one in park.demand.items()
        },
        contracts=park.contracts,
        delivered_before_wh=delivered,
    )


# --- Worked by hand -----------------------------------------------------------------------------


def wh(*values: int) -> Int64:
    return np.array(values, dtype=np.int64)


def grid_of(count: int, length_s: int = 900) -> Grid:
    return Grid(start_s=START_S, length_s=length_s, count=count, zone_offset_s=28_800)


def demand_of(wanted: dict[str, Int64]) -> dict[str, Demand]:
    return {point: Demand(point=point, wh=one) for point, one in wanted.items()}


def deal(
    number: int,
    sources: tuple[str, ...],
    consumers: dict[str, int],
    *,
    supply_class: SupplyClass = SupplyClass.GREEN_TRADE,
    rows: tuple[int, int] = (0, 99),
    limit_wh: int = 0,
    region: str = "",
) -> Contract:
    return Contract(
        contract=name("c", number),
        supply_class=supply_class,
        sources=sources,
        consumers=tuple(Share(point=point, share_ppm=ppm) for point, ppm in consumers.items()),
        period=Period(start_s=START_S + 900 * rows[0], end_s=START_S + 900 * rows[1]),
        region=region,
        limit_wh=limit_wh,
    )


def run(
    supply: dict[str, Int64], demand: dict[str, Int64], *contracts: Contract
) -> tuple[dict[tuple[str, str, str], list[int]], Result]:
    count = len(next(iter(supply.values())))
    result = match(
        grid_of(count),
        supply,
        demand_of(demand),
        contracts,
        regions={SUN: "150600", WIND: "440100"},
    )
    lanes = {(x.contract[-1], x.source, x.consumer): x.wh.tolist() for x in result.lanes}
    return lanes, result


def test_pro_rata_by_demand() -> None:
    # 10 Wh for wishes of 5, 5, 10 and for wishes of 1, 1, 1; then more than anybody wants.
    lanes, result = run(
        {SUN: wh(10, 2, 9)},
        {ANN: wh(5, 1, 1), BEN: wh(5, 1, 2), CID: wh(10, 1, 3)},
        deal(1, (SUN,), {ANN: 0, BEN: 0, CID: 0}),
    )
    assert lanes == {
        ("1", SUN, ANN): [2, 0, 1],
        ("1", SUN, BEN): [3, 1, 2],
        ("1", SUN, CID): [5, 1, 3],
    }
    assert result.surplus_wh[SUN].tolist() == [0, 0, 3]
    assert result.residual_wh[ANN].tolist() == [3, 1, 0]


def test_a_share_that_is_not_used_stays_for_later_contracts() -> None:
    lanes, result = run(
        {SUN: wh(100)},
        {ANN: wh(10), BEN: wh(90), CID: wh(30)},
        deal(1, (SUN,), {ANN: 600_000, BEN: 400_000}, supply_class=SupplyClass.DIRECT_SUPPLY),
        deal(2, (SUN,), {CID: 0}),
    )
    assert lanes == {("1", SUN, ANN): [10], ("1", SUN, BEN): [40], ("2", SUN, CID): [30]}
    assert result.surplus_wh[SUN].tolist() == [20]
    assert result.residual_wh[BEN].tolist() == [50]


def test_the_class_decides_before_the_id() -> None:
    lanes, _ = run(
        {SUN: wh(10)},
        {ANN: wh(8), BEN: wh(8)},
        deal(1, (SUN,), {ANN: 0}, supply_class=SupplyClass.GREEN_TRADE),
        deal(2, (SUN,), {BEN: 0}, supply_class=SupplyClass.SELF_USE),
    )
    assert lanes == {("2", SUN, BEN): [8], ("1", SUN, ANN): [2]}


def test_a_limit_ends_a_contract_in_time_order() -> None:
    # 7 + 7 of both sources, then 1 of the first is all that 15 leaves; nothing after that.
    lanes, result = run(
        {SUN: wh(3, 3, 3, 3), WIND: wh(4, 4, 4, 4)},
        {ANN: wh(9, 9, 9, 9)},
        deal(1, (SUN, WIND), {ANN: 0}, limit_wh=15),
    )
    assert lanes == {("1", SUN, ANN): [3, 3, 1, 0], ("1", WIND, ANN): [4, 4, 0, 0]}
    assert result.surplus_wh[WIND].tolist() == [0, 0, 4, 4]


def test_a_limit_splits_its_last_interval_by_what_the_shares_would_give() -> None:
    # Shares of 30 % and 20 % of 100 are 30 and 20, of which Ben wants 10. Of the second interval
    # the limit leaves 20, in proportion to 30 and 10.
    lanes, _ = run(
        {SUN: wh(100, 100, 100)},
        {ANN: wh(99, 99, 99), BEN: wh(10, 10, 10)},
        deal(1, (SUN,), {ANN: 300_000, BEN: 200_000}, limit_wh=60),
    )
    assert lanes == {("1", SUN, ANN): [30, 15, 0], ("1", SUN, BEN): [10, 5, 0]}


def test_a_period_counts_whole_intervals_only() -> None:
    contract = replace(
        deal(1, (SUN,), {ANN: 0}), period=Period(start_s=START_S + 1, end_s=START_S + 2_700)
    )
    lanes, _ = run({SUN: wh(1, 1, 1, 1)}, {ANN: wh(1, 1, 1, 1)}, contract)
    assert lanes == {("1", SUN, ANN): [0, 1, 1, 0]}


def test_the_hourly_matched_share_of_domain_section_10() -> None:
    # Load 10,10,10,10; clean 12,6,0,3: hourly matched 47.5 %, volumetric 52.5 %.
    grid = Grid(start_s=START_S - 900, length_s=3600, count=4, zone_offset_s=28_800)
    contract = replace(deal(1, (SUN,), {ANN: 0}), period=grid.period)
    demand = {ANN: Demand(point=ANN, wh=wh(10, 10, 10, 10))}
    totals = match(grid, {SUN: wh(12, 6, 0, 3)}, demand, [contract], regions={}).totals()
    assert (totals.matched_wh, totals.consumption_wh) == (19, 40)
    assert (totals.generation_wh, totals.surplus_wh) == (21, 2)


def test_direct_supply_only_from_the_region() -> None:
    direct = deal(1, (SUN,), {ANN: 0}, supply_class=SupplyClass.DIRECT_SUPPLY, region="1506")
    run({SUN: wh(1)}, {ANN: wh(1)}, direct)
    with pytest.raises(Refused, match=rf"{name('c', 1)}.*1506.*{WIND}.*440100.*begins with 1506"):
        run({WIND: wh(1)}, {ANN: wh(1)}, replace(direct, sources=(WIND,)))
    with pytest.raises(Refused, match="none given"):
        match(grid_of(1), {SUN: wh(1)}, {ANN: Demand(point=ANN, wh=wh(1))}, [direct], regions={})
    run(
        {WIND: wh(1)},
        {ANN: wh(1)},
        replace(direct, sources=(WIND,), supply_class=SupplyClass.GREEN_TRADE),
    )


TRADE = deal(1, (SUN,), {ANN: 0})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"sources": (WIND,)}, "has no generation"),
        ({"consumers": (Share(point=BEN),)}, "has no consumption"),
        ({"sources": ()}, "at least one source"),
        ({"consumers": ()}, "at least one source and one consumer"),
        ({"sources": (SUN, SUN)}, "twice"),
        ({"consumers": (Share(point=ANN), Share(point=ANN))}, "twice"),
        ({"consumers": (Share(point=ANN, share_ppm=1_000_001),)}, "at most 1000000"),
        ({"consumers": (Share(point=ANN, share_ppm=-1),)}, "at least 0"),
        ({"limit_wh": -1}, "0 means none"),
        ({"limit_wh": 2**62}, "limit"),
    ],
)
def test_contracts_that_contradict_themselves(change: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        run({SUN: wh(1)}, {ANN: wh(1)}, replace(TRADE, **change))  # type: ignore[arg-type]


def test_mixed_shares_repeated_contracts_and_later_classes() -> None:
    both = {ANN: wh(1), BEN: wh(1)}
    with pytest.raises(InvalidInput, match="mixes shares"):
        run({SUN: wh(1)}, both, deal(1, (SUN,), {ANN: 5, BEN: 0}))
    with pytest.raises(InvalidInput, match="given twice"):
        run({SUN: wh(1)}, both, TRADE, TRADE)
    with pytest.raises(Refused, match="not matched yet"):
        run({SUN: wh(1)}, both, replace(TRADE, supply_class=SupplyClass.CERTIFICATE))
    with pytest.raises(InvalidInput, match="has no storage here"):
        run({SUN: wh(1)}, both, replace(TRADE, supply_class=SupplyClass.STORAGE))


def test_bad_energy() -> None:
    two = grid_of(2)

    def supply(one: np.typing.NDArray[np.generic]) -> None:
        match(two, {SUN: one}, {}, [], regions={})  # type: ignore[dict-item]

    with pytest.raises(InvalidInput, match=rf"generation of point {SUN} at .*T14:30:00Z is -1 Wh"):
        supply(wh(0, -1))
    with pytest.raises(InvalidInput, match=r"int64\[2\] is needed"):
        supply(wh(0))
    with pytest.raises(InvalidInput, match="float64"):
        supply(np.zeros(2))
    with pytest.raises(InvalidInput, match="must stay below"):
        supply(wh(2**61, 2**61))
    supply(wh(2**61, 2**61 - 1))
    guess = Demand(point=ANN, wh=wh(2**61, 0), estimated_wh=wh(0, 2**61))
    with pytest.raises(InvalidInput, match=r"consumption.*must stay below"):
        match(two, {}, {ANN: guess}, [], regions={})
    with pytest.raises(InvalidInput, match="stands under"):
        match(two, {}, {BEN: Demand(point=ANN, wh=wh(1, 1))}, [], regions={})
    with pytest.raises(InvalidInput, match="has delivered -1 Wh before"):
        match(
            two,
            {SUN: wh(1, 1)},
            {ANN: Demand(point=ANN, wh=wh(1, 1))},
            [replace(TRADE, limit_wh=1)],
            regions={},
            delivered_before_wh={TRADE.contract: -1},
        )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"length_s": 600}, "900, 1800 or 3600"),
        ({"count": 0}, "at least one"),
        ({"start_s": 1}, ""),
    ],
)
def test_bad_grids(change: dict[str, int], says: str) -> None:
    with pytest.raises(InvalidInput, match=says or "not a whole interval"):
        replace(grid_of(1), **change)


def test_results_are_read_only_and_inputs_untouched() -> None:
    sun, load = wh(5, 5), wh(3, 9)
    _, result = run({SUN: sun}, {ANN: load}, TRADE)
    assert (sun.tolist(), load.tolist()) == ([5, 5], [3, 9])
    for array in (result.lanes[0].wh, result.surplus_wh[SUN], result.residual_wh[ANN]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
