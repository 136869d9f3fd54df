"""The policy maximal/1: nothing matches more, and pro-rata never does."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidInput
from ledger.matching.augment import Flow, augment
from ledger.matching.engine import match
from ledger.matching.granularity import Matched, side_by_side
from ledger.matching.model import MAXIMAL, POLICIES, PRO_RATA, Grid, Result, SupplyClass
from tests.matching.parks import START_S, Park, free_parks, long_parks, name, parks, storage_parks
from tests.matching.test_engine import (
    ANN,
    BEN,
    SUN,
    WIND,
    check_every_wh,
    deal,
    demand_of,
    grid_of,
    image,
    wh,
)
from tests.matching.transport import greatest_wh

DIGITS = {"quarter_hour": 12, "hour": 10, "day": 8, "month": 6, "year": 4}


def solve(park: Park, policy: str = MAXIMAL) -> Result:
    return match(
        park.grid,
        park.supply,
        park.demand,
        park.contracts,
        regions={},
        delivered_before_wh=park.delivered_before_wh,
        storages=park.storages,
        policy=policy,
    )


def figures(park: Park, policy: str = MAXIMAL) -> tuple[Matched, ...]:
    return side_by_side(
        park.grid,
        park.supply,
        park.demand,
        park.contracts,
        regions={},
        result=solve(park, policy),
        delivered_before_wh=park.delivered_before_wh,
        policy=policy,
    )


def greatest_in_buckets(park: Park, digits: int) -> int:
    """The true maximum if energy may move within buckets ("YYYYmmddHHMM" to so many digits)."""
    zone = timezone(timedelta(seconds=park.grid.zone_offset_s))
    buckets: dict[str, list[int]] = {}
    starts = [park.grid.start_s + row * park.grid.length_s for row in range(park.grid.count)]
    for row, start in enumerate(starts):
        stamp = datetime.fromtimestamp(start, zone).strftime("%Y%m%d%H%M")
        buckets.setdefault(stamp[:digits], []).append(row)
    total = 0
    for rows in buckets.values():
        lanes = {
            ((source, row), (share.point, other))
            for contract in park.contracts
            for row in rows
            for other in rows
            if all(
                contract.period.start_s <= starts[at]
                and starts[at] + park.grid.length_s <= contract.period.end_s
                for at in (row, other)
            )
            for source in contract.sources
            for share in contract.consumers
        }
        total += greatest_wh(
            {(point, row): int(wh[row]) for point, wh in park.supply.items() for row in rows},
            {(point, row): int(one.wh[row]) for point, one in park.demand.items() for row in rows},
            lanes,
        )
    return total


def matched(result: Result) -> int:
    return result.totals().matched_wh


@given(free_parks())
def test_nothing_matches_more(park: Park) -> None:
    assert matched(solve(park)) == greatest_in_buckets(park, 12)


@given(long_parks(free_parks()))
def test_nothing_matches_more_at_longer_intervals(park: Park) -> None:
    for figure in figures(park):
        if DIGITS[figure.granularity] <= 10 or park.grid.length_s == 900:
            assert figure.matched_wh == greatest_in_buckets(park, DIGITS[figure.granularity])


@given(st.one_of(parks(), storage_parks()))
def test_pro_rata_never_matches_more(park: Park) -> None:
    more, less = solve(park), solve(park, PRO_RATA)
    assert matched(more) >= matched(less)
    for mine, before in (
        (more.surplus_wh, less.surplus_wh),
        (more.stored_wh, less.stored_wh),
        (more.residual_wh, less.residual_wh),
    ):
        assert all((mine[point] <= wh).all() for point, wh in before.items())


@given(long_parks(st.one_of(parks(), storage_parks())))
def test_figures_never_fall_and_are_never_below_pro_rata(park: Park) -> None:
    found = [figure.matched_wh for figure in figures(park)]
    assert all(finer <= coarser for finer, coarser in pairwise(found))
    assert all(
        mine >= figure.matched_wh
        for mine, figure in zip(found, figures(park, PRO_RATA), strict=True)
    )
    for figure in figures(park):
        assert figure.matched_wh == sum(figure.by_class_wh.values())
        assert min(figure.by_class_wh.values()) >= 0


@given(long_parks(storage_parks()), st.sampled_from(POLICIES))
def test_no_figure_uses_what_storage_has_used(park: Park, policy: str) -> None:
    result = solve(park, policy)
    charged = sum(int(one.wh.sum()) for one in park.demand.values() if one.charging) - sum(
        int(wh.sum()) for wh in result.uncharged_wh.values()
    )
    stored = sum(int(wh.sum()) for wh in result.stored_wh.values()) + sum(
        int(lane.wh.sum()) for lane in result.lanes if lane.source in result.stored_wh
    )
    generation = sum(sum(one.tolist()) for one in park.supply.values())
    measured = sum(sum(one.wh.tolist()) for one in park.demand.values() if not one.charging)
    for figure in figures(park, policy):
        assert figure.matched_wh <= min(generation - charged + stored, measured)
        assert figure.by_class_wh[SupplyClass.STORAGE] <= stored
        assert figure.consumption_wh == result.totals().consumption_wh


@given(st.one_of(parks(), storage_parks()))
def test_every_wh_has_exactly_one_place(park: Park) -> None:
    check_every_wh(park, solve(park))


@given(st.one_of(parks(), storage_parks()))
def test_shares_limits_and_periods_are_kept(park: Park) -> None:
    more, less = solve(park), solve(park, PRO_RATA)
    terms = {one.contract: one for one in park.contracts}
    assert [lane.contract for lane in more.lanes] == [lane.contract for lane in less.lanes]
    for mine, before in zip(more.lanes, less.lanes, strict=True):
        contract = terms[mine.contract]
        fixed = contract.limit_wh or any(share.share_ppm for share in contract.consumers)
        if fixed or park.demand[mine.consumer].charging:
            assert mine.wh.tolist() == before.wh.tolist()
        rows = park.grid.rows(contract.period)
        assert not mine.wh[: rows.start].any()
        assert not mine.wh[rows.stop :].any()


@given(st.one_of(parks(), storage_parks()), st.randoms(use_true_random=False))
def test_input_order_does_not_matter(park: Park, chance: random.Random) -> None:
    assert image(solve(park.shuffled(chance))) == image(solve(park))


@given(free_parks(), st.data())
def test_each_interval_is_a_problem_of_its_own(park: Park, data: st.DataObject) -> None:
    """So a run in parts equals the run at once, and no neighbour changes a Wh."""
    row = data.draw(st.integers(0, park.grid.count - 1))
    grid = replace(park.grid, start_s=park.grid.start_s + 900 * row, count=1)
    alone = solve(
        replace(
            park,
            grid=grid,
            supply={point: wh[row : row + 1] for point, wh in park.supply.items()},
            demand={
                point: replace(
                    one,
                    wh=one.wh[row : row + 1],
                    estimated_wh=None
                    if one.estimated_wh is None
                    else one.estimated_wh[row : row + 1],
                )
                for point, one in park.demand.items()
            },
        )
    )
    whole = {
        (lane.contract, lane.source, lane.consumer): lane.wh[row] for lane in solve(park).lanes
    }
    for lane in alone.lanes:
        assert lane.wh[0] == whole[lane.contract, lane.source, lane.consumer]


def test_a_path_frees_a_source_for_who_has_no_other() -> None:
    """Pro-rata gives Ann half of the sun, though she alone can have wind, and Ben has 5 too few."""
    count = 3
    park = Park(
        grid=replace(grid_of(1), count=count),
        supply={SUN: wh(10, 10, 10), WIND: wh(10, 10, 3)},
        demand=demand_of({ANN: wh(10, 2, 10), BEN: wh(10, 8, 10)}),
        contracts=[deal(1, (SUN,), {ANN: 0, BEN: 0}), deal(2, (WIND,), {ANN: 0})],
        delivered_before_wh={},
    )
    assert (matched(solve(park, PRO_RATA)), matched(solve(park))) == (15 + 10 + 13, 20 + 10 + 13)
    lanes = {(x.contract[-1], x.source, x.consumer): x.wh.tolist() for x in solve(park).lanes}
    # In the second interval nothing can be gained, so nothing moves.
    assert lanes == {
        ("1", SUN, ANN): [0, 2, 5],
        ("1", SUN, BEN): [10, 8, 5],
        ("2", WIND, ANN): [10, 0, 3],
    }


def test_a_path_may_cross_classes_and_the_first_contract_takes() -> None:
    both = deal(2, (SUN,), {ANN: 0}, supply_class=SupplyClass.GREEN_TRADE)
    park = Park(
        grid=replace(grid_of(1), count=1),
        supply={SUN: wh(10), WIND: wh(10)},
        demand=demand_of({ANN: wh(10), BEN: wh(10)}),
        contracts=[
            deal(1, (SUN,), {ANN: 0}, supply_class=SupplyClass.SELF_USE),
            both,
            deal(3, (SUN,), {BEN: 0}),
            deal(4, (WIND,), {ANN: 0}),
            deal(5, (WIND,), {ANN: 0}),
        ],
        delivered_before_wh={},
    )
    result = solve(park)
    lanes = {x.contract[-1]: x.wh.tolist() for x in result.lanes}
    # Self-use made room for two trades: 20 instead of 10.
    assert lanes == {"1": [0], "2": [0], "3": [10], "4": [10], "5": [0]}
    assert result.delivered_wh[name("c", 4)] == 10


def test_a_contract_moves_no_energy_across_its_beginning() -> None:
    """By the hour, sun of the first quarter can't serve the second, where the contract begins."""
    park = Park(
        grid=replace(grid_of(1), count=3),
        supply={SUN: wh(5, 5, 0)},
        demand=demand_of({ANN: wh(0, 2, 9)}),
        contracts=[deal(1, (SUN,), {ANN: 0}, rows=(1, 3))],
        delivered_before_wh={},
    )
    assert [one.matched_wh for one in figures(park)] == [2, 5, 5, 5, 5]


def test_where_shares_lose_by_the_day_the_hours_stand() -> None:
    """By the day the share sends the morning's sun to Ann, whom the wind of the evening serves."""
    park = Park(
        grid=Grid(start_s=START_S - 900 - 3600, length_s=3600, count=2, zone_offset_s=28_800),
        supply={SUN: wh(10, 0), WIND: wh(0, 10)},
        demand=demand_of({ANN: wh(0, 10), BEN: wh(10, 0)}),
        contracts=[
            deal(1, (SUN,), {ANN: 10**6}, supply_class=SupplyClass.SELF_USE, rows=(-9, 9)),
            deal(2, (SUN,), {BEN: 0}, rows=(-9, 9)),
            deal(3, (WIND,), {ANN: 0}, rows=(-9, 9)),
        ],
        delivered_before_wh={},
    )
    assert [one.matched_wh for one in figures(park, PRO_RATA)] == [20, 10, 10, 10]
    assert [one.matched_wh for one in figures(park)] == [20, 20, 20, 20]


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'best/1' is not one of pro-rata/1, maximal/1"):
        match(grid_of(1), {}, {}, [], regions={}, policy="best/1")


@given(st.integers(0, 2**32 - 1))
def test_large_numbers_of_nodes(seed: int) -> None:
    """Paths of many hops: more nodes than the parks have, against the plain maximum."""
    chance = np.random.default_rng(seed)
    shape = tuple(chance.integers(1, 9, size=2).tolist())
    count = 4
    allowed = chance.random((*shape, count)) < 0.3
    supply = chance.integers(0, 20, (shape[0], count))
    demand = chance.integers(0, 20, (shape[1], count))
    flow = Flow(
        surplus_wh=supply.copy(),
        wanted_wh=demand.copy(),
        sent_wh=np.zeros((*shape, count), dtype=np.int64),
        allowed=allowed,
    )
    augment(flow)
    assert (flow.sent_wh >= 0).all()
    assert not flow.sent_wh[~allowed].any()
    assert (flow.sent_wh.sum(axis=1) + flow.surplus_wh == supply).all()
    assert (flow.sent_wh.sum(axis=0) + flow.wanted_wh == demand).all()
    for row in range(count):
        lanes = {(int(s), int(c)) for s, c in np.argwhere(allowed[:, :, row])}
        best = greatest_wh(
            dict(enumerate(supply[:, row].tolist())),
            dict(enumerate(demand[:, row].tolist())),
            lanes,
        )
        assert int(flow.sent_wh[:, :, row].sum()) == best
