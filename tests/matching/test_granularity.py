"""Quarter-hour, hour, day, month and year side by side."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidInput
from ledger.matching.engine import match
from ledger.matching.granularity import Matched, buckets, side_by_side
from ledger.matching.model import Contract, Demand, Grid, Int64, Share, SupplyClass
from ledger.units import parse_instant
from tests.matching.naive import delivered_in_buckets
from tests.matching.parks import Park, long_parks, name, parks

SUN, WIND = name("a", 0), name("a", 1)
ANN, BEN = name("b", 0), name("b", 1)
DIGITS = {"hour": 10, "day": 8, "month": 6, "year": 4}


def figures(park: Park) -> tuple[Matched, ...]:
    inputs = park.grid, park.supply, park.demand, park.contracts
    result = match(*inputs, regions={}, delivered_before_wh=park.delivered_before_wh)
    return side_by_side(
        *inputs, regions={}, result=result, delivered_before_wh=park.delivered_before_wh
    )


@given(long_parks(parks()))
def test_equals_the_naive_model(park: Park) -> None:
    supply = {point: wh.tolist() for point, wh in park.supply.items()}
    consumption = sum(
        sum(one.wh.tolist()) + (0 if one.estimated_wh is None else sum(one.estimated_wh.tolist()))
        for one in park.demand.values()
    )
    by_contract = {one.contract: one.supply_class for one in park.contracts}
    for figure in figures(park):
        assert figure.consumption_wh == consumption
        if figure.granularity not in DIGITS:
            continue
        delivered = delivered_in_buckets(
            park.grid,
            DIGITS[figure.granularity],
            supply,
            park.demand,
            park.contracts,
            park.delivered_before_wh,
        )
        assert figure.matched_wh == sum(delivered.values())
        for supply_class, wh in figure.by_class_wh.items():
            assert wh == sum(
                delivered[contract] for contract, one in by_contract.items() if one is supply_class
            )


@given(long_parks(parks()))
def test_never_more_than_there_is(park: Park) -> None:
    generation = sum(sum(wh.tolist()) for wh in park.supply.values())
    measured = sum(sum(one.wh.tolist()) for one in park.demand.values())
    for figure in figures(park):
        assert figure.matched_wh <= min(generation, measured)


@pytest.mark.long
@given(long_parks(parks()), st.data())
def test_one_contract_by_demand_never_falls_with_longer_intervals(
    park: Park, data: st.DataObject
) -> None:
    """Σ min(a, b) ≤ min(Σ a, Σ b); a limit and a period that cuts intervals do not change it."""
    if not park.contracts:
        return
    contract = data.draw(st.sampled_from(park.contracts))
    by_demand = tuple(replace(share, share_ppm=0) for share in contract.consumers)
    only = replace(park, contracts=[replace(contract, consumers=by_demand)])
    matched = [figure.matched_wh for figure in figures(only)]
    assert all(finer <= coarser for finer, coarser in pairwise(matched))


def wh(*values: int) -> Int64:
    return np.array(values, dtype=np.int64)


def park_of(
    supply: dict[str, Int64],
    demand: dict[str, Int64],
    deals: list[tuple[str, tuple[str, ...]]],
    start: str = "2026-01-01T00:00:00Z",
) -> Park:
    count = len(next(iter(supply.values())))
    grid = Grid(start_s=parse_instant(start), length_s=900, count=count, zone_offset_s=28_800)
    return Park(
        grid=grid,
        supply=supply,
        demand={point: Demand(point=point, wh=one) for point, one in demand.items()},
        contracts=[
            Contract(
                contract=name("c", number),
                supply_class=SupplyClass.GREEN_TRADE,
                sources=(source,),
                consumers=tuple(Share(point=point) for point in points),
                period=grid.period,
            )
            for number, (source, points) in enumerate(deals)
        ],
        delivered_before_wh={},
    )


def test_the_longer_the_interval_the_better_it_looks() -> None:
    # Sun in the first hour, use in the second: nothing by the hour, half of it by the day.
    sun, use = wh(0, 0, 6, 0, 0, 0, 0, 0), wh(0, 0, 1, 2, 3, 0, 3, 3)
    answers = figures(park_of({SUN: sun}, {ANN: use}, [(SUN, (ANN,))]))
    assert [(one.granularity, one.matched_wh, one.share_ppm) for one in answers] == [
        ("quarter_hour", 1, 83_333),
        ("hour", 3, 250_000),
        ("day", 6, 500_000),
        ("month", 6, 500_000),
        ("year", 6, 500_000),
    ]
    assert answers[0].by_class_wh[SupplyClass.GREEN_TRADE] == 1
    assert answers[0].by_class_wh[SupplyClass.STORAGE] == 0


def test_competing_contracts_may_match_less_over_longer_intervals() -> None:
    """Why no test claims that figures always rise: pro-rata moves the sun's energy to Ann."""
    park = park_of(
        {SUN: wh(10, 0), WIND: wh(0, 10)},
        {ANN: wh(0, 10), BEN: wh(10, 0)},
        [(SUN, (ANN, BEN)), (WIND, (ANN,))],
    )
    assert [one.matched_wh for one in figures(park)] == [20, 15, 15, 15, 15]


def test_days_and_years_turn_at_park_midnight() -> None:
    # 15:45Z is the last quarter-hour of a park day; so day, month and year turn between the two.
    park = park_of({SUN: wh(5, 0)}, {ANN: wh(0, 5)}, [(SUN, (ANN,))], "2026-12-31T15:45:00Z")
    assert [one.matched_wh for one in figures(park)] == [0, 0, 0, 0, 0]
    later = park_of({SUN: wh(5, 0)}, {ANN: wh(0, 5)}, [(SUN, (ANN,))], "2026-12-31T23:45:00Z")
    assert [one.matched_wh for one in figures(later)] == [0, 0, 5, 5, 5]


def test_shares_are_rounded_down() -> None:
    # 79.99999 % must not print as 80 %.
    park = park_of({SUN: wh(7_999_999)}, {ANN: wh(10_000_000)}, [(SUN, (ANN,))])
    assert {one.share_ppm for one in figures(park)} == {799_999}
    nobody = park_of({SUN: wh(1)}, {ANN: wh(0)}, [(SUN, (ANN,))])
    assert {one.share_ppm for one in figures(nobody)} == {None}


def test_granularities_finer_than_the_grid_are_left_out() -> None:
    park = park_of({SUN: wh(1)}, {ANN: wh(1)}, [])
    hourly = replace(park, grid=replace(park.grid, length_s=3600))
    assert [one.granularity for one in figures(hourly)] == ["hour", "day", "month", "year"]
    with pytest.raises(InvalidInput, match="finer than the grid"):
        buckets(hourly.grid, "quarter_hour")
