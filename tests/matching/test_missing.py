"""Missing consumption: each rule by hand, then all of them against a plain model (invariant 20)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidInput, Refused
from ledger.matching.align import Aligned
from ledger.matching.engine import match
from ledger.matching.missing import Bill, Filled, Rule, fill_missing, highest_before
from ledger.matching.model import Contract, Grid, Int64, Share, SupplyClass
from ledger.units import Period

START_S = 1_767_196_800
ANN, BEN, HALL = "b1", "b2", "b0"
DAY = 96


def grid(count: int, first: int = 0) -> Grid:
    return Grid(start_s=START_S + 900 * first, length_s=900, count=count, zone_offset_s=28_800)


def meter(point: str, *readings: int | str | None) -> Aligned:
    """Wh per interval; None is missing, text is a reading that was estimated."""
    measured = np.array([isinstance(one, int) for one in readings], dtype=bool)
    stated = np.array([isinstance(one, str) for one in readings], dtype=bool)
    value = np.array([int(one or 0) for one in readings], dtype=np.int64)
    return Aligned(
        point=point,
        wh=np.where(measured, value, 0),
        measured=measured,
        stated_wh=np.where(stated, value, 0),
        stated=stated,
        quality=np.zeros(len(readings), dtype=np.uint16),
    )


def bill(first: int, last: int, wh: int) -> Bill:
    return Bill(period=Period(start_s=START_S + 900 * first, end_s=START_S + 900 * last), wh=wh)


def fill(
    *meters: Aligned,
    hall: Aligned | None = None,
    bills: dict[str, list[Bill]] | None = None,
    run: Grid | None = None,
) -> dict[str, Filled]:
    known = grid(len(meters[0].wh))
    return fill_missing(
        run or known,
        known,
        {one.point: one for one in meters},
        parent_of={ANN: HALL, BEN: HALL} if hall else {},
        parents={HALL: hall} if hall else {},
        billed=bills or {},
    )


def estimated(filled: Filled) -> list[int]:
    wh = filled.demand.estimated_wh
    return [0] * len(filled.rule) if wh is None else wh.tolist()


def test_nothing_is_missing() -> None:
    got = fill(meter(ANN, 1, 0, 3))[ANN]
    assert got.demand.wh.tolist() == [1, 0, 3]
    assert got.demand.estimated_wh is None
    assert got.rule.tolist() == [Rule.MEASURED] * 3


def test_the_parent_less_its_measured_children() -> None:
    # Where a sibling or the parent is missing the rule is silent; it never goes below 0.
    got = fill(
        meter(ANN, 9, None, None, None, None),
        meter(BEN, 1, 2, None, 4, 50),
        hall=meter(HALL, 20, 12, 20, None, 40),
    )
    assert got[ANN].rule.tolist() == [
        Rule.MEASURED, Rule.PARENT, Rule.TRAILING, Rule.TRAILING, Rule.PARENT
    ]  # fmt: skip
    assert estimated(got[ANN]) == [0, 10, 9, 9, 0]
    assert got[ANN].demand.wh.tolist() == [9, 0, 0, 0, 0]
    assert estimated(got[BEN]) == [0, 0, 2, 0, 0]
    assert got[BEN].estimated_wh(Rule.TRAILING) == 2


def test_a_child_without_readings_silences_the_parent() -> None:
    known = grid(2)
    got = fill_missing(
        known,
        known,
        {ANN: meter(ANN, 3, None)},
        parent_of={ANN: HALL, BEN: HALL},
        parents={HALL: meter(HALL, 9, 9)},
        billed={},
    )
    assert got[ANN].rule.tolist() == [Rule.MEASURED, Rule.TRAILING]


def test_a_bill_is_spread_over_what_is_missing() -> None:
    # 40 − 10 measured − 5 of a stated estimate = 25 over three: 8, 8, 9 in some order, exactly.
    got = fill(meter(ANN, None, 10, "5", None, None, None), bills={ANN: [bill(0, 5, 40)]})[ANN]
    assert got.rule.tolist() == [
        Rule.BILLED, Rule.MEASURED, Rule.STATED, Rule.BILLED, Rule.BILLED, Rule.TRAILING
    ]  # fmt: skip
    wh = estimated(got)
    assert (wh[2], wh[5]) == (5, 10)
    assert sorted([wh[0], wh[3], wh[4]]) == [8, 8, 9]
    less = fill(meter(ANN, 10, None), bills={ANN: [bill(0, 2, 4)]})[ANN]
    assert (estimated(less), less.rule.tolist()) == ([0, 0], [Rule.MEASURED, Rule.BILLED])


def test_a_bill_beyond_what_is_known_is_not_used() -> None:
    got = fill(meter(ANN, 10, None), bills={ANN: [bill(0, 3, 99)]})[ANN]
    assert got.rule.tolist() == [Rule.MEASURED, Rule.TRAILING]


def test_the_known_grid_reaches_beyond_the_run() -> None:
    # The bill covers a measured interval before the run and a missing one after it.
    run = grid(2, first=1)
    got = fill(meter(ANN, 4, None, 6, None), bills={ANN: [bill(0, 4, 30)]}, run=run)[ANN]
    assert got.demand.wh.tolist() == [0, 6]
    assert estimated(got) == [10, 0]
    assert got.rule.tolist() == [Rule.BILLED, Rule.MEASURED]


def test_the_highest_of_28_days_then_of_the_run() -> None:
    days = 28 * DAY
    readings: list[int | None] = [None, 70, *[5] * (days - 1), None, None, 6]
    got = fill(meter(ANN, *readings))[ANN]
    assert got.rule[[0, days + 1, days + 2]].tolist() == [Rule.RUN, Rule.TRAILING, Rule.TRAILING]
    # 70 is 28 days before the first of them, and a quarter-hour too old for the second.
    wh = estimated(got)
    assert (wh[0], wh[days + 1], wh[days + 2]) == (70, 70, 5)


def test_nothing_to_go_by_is_refused() -> None:
    with pytest.raises(Refused, match=f"point {ANN} is missing in 2 intervals from 2025-12-31T16"):
        fill(meter(ANN, None, None))
    # A reading after the run says nothing about it.
    with pytest.raises(Refused, match="missing in 1 intervals"):
        fill(meter(ANN, None, 5), run=grid(1))


@pytest.mark.parametrize(
    ("bills", "says"),
    [
        ([bill(0, 2, 1), bill(1, 3, 1)], "overlap at 2025-12-31T16:15:00Z"),
        ([bill(0, 2, -1)], "must not be negative"),
        (
            [Bill(period=Period(start_s=START_S + 1, end_s=START_S + 900), wh=1)],
            "T16:00:01Z, inside",
        ),
    ],
)
def test_bad_bills(bills: list[Bill], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        fill(meter(ANN, 1, None, 1), bills={ANN: bills})


def test_grids_that_do_not_fit() -> None:
    with pytest.raises(InvalidInput, match="must lie in the grid"):
        fill(meter(ANN, 1), run=grid(2))
    with pytest.raises(InvalidInput, match="1 intervals: 2 are needed"):
        fill(meter(ANN, 1, 2), meter(BEN, 1))


def test_estimated_energy_is_in_the_denominator_and_never_matched() -> None:
    demand = fill(meter(ANN, 10, None))[ANN].demand
    trade = Contract(
        contract="c1",
        supply_class=SupplyClass.GREEN_TRADE,
        sources=("a1",),
        consumers=(Share(point=ANN),),
        period=grid(2).period,
    )
    sun: Int64 = np.array([99, 99], dtype=np.int64)
    result = match(grid(2), {"a1": sun}, {ANN: demand}, [trade], regions={})
    assert result.lanes[0].wh.tolist() == [10, 0]
    assert result.residual_wh[ANN].tolist() == [0, 10]
    totals = result.totals()
    assert (totals.matched_wh, totals.consumption_wh, totals.estimated_wh) == (10, 20, 10)


READINGS = st.lists(
    st.one_of(st.none(), st.integers(0, 50), st.integers(0, 50).map(str)), min_size=9, max_size=9
)


@given(READINGS, READINGS, READINGS, st.integers(0, 8), st.integers(1, 9), st.integers(0, 300))
def test_equals_a_plain_model(
    ann: list[int | str | None],
    ben: list[int | str | None],
    hall: list[int | str | None],
    first: int,
    length: int,
    billed: int,
) -> None:
    ann[0] = 7  # so that there is always something to go by
    last = min(first + length, 9)
    got = fill(
        meter(ANN, *ann),
        meter(BEN, *[3 if one is None else one for one in ben]),
        hall=meter(HALL, *hall),
        bills={ANN: [bill(first, last, billed)]},
    )[ANN]
    known: dict[int, int] = {}
    for row, one in enumerate(ann):
        whole, others = hall[row], 3 if ben[row] is None else ben[row]
        if one is not None:
            known[row] = int(one)
            assert got.rule[row] == (Rule.STATED if isinstance(one, str) else Rule.MEASURED)
        elif isinstance(whole, int) and isinstance(others, int):
            known[row] = max(whole - others, 0)
            assert got.rule[row] == Rule.PARENT
    gaps = [row for row in range(9) if row not in known]
    in_bill = [row for row in gaps if first <= row < last]
    values = [int(got.demand.wh[row]) + estimated(got)[row] for row in range(9)]
    assert {row: values[row] for row in known} == known
    for row in gaps:
        if row in in_bill:
            assert got.rule[row] == Rule.BILLED
        else:
            assert got.rule[row] == Rule.TRAILING
            assert values[row] == max(one for one in ann[:row] if isinstance(one, int))
    if in_bill:
        rest = billed - sum(known[row] for row in known if first <= row < last)
        parts = [values[row] for row in in_bill]
        assert sum(parts) == max(rest, 0)
        assert max(parts) - min(parts) <= 1
    measured = np.array([isinstance(one, int) for one in ann])
    assert not got.demand.wh[~measured].any()
    assert not np.array(estimated(got))[measured].any()


@given(st.lists(st.integers(-1, 20), min_size=1, max_size=30), st.integers(1, 12))
def test_the_highest_before(values: list[int], window: int) -> None:
    got = highest_before(np.array(values, dtype=np.int64), window).tolist()
    assert got == [
        max(values[max(row - window, 0) : row], default=-1) for row in range(len(values))
    ]


def test_the_order_of_points_does_not_matter() -> None:
    meters = [meter(ANN, 9, None, None), meter(BEN, None, 2, None)]
    hall = meter(HALL, 20, 12, 20)
    one, other = fill(*meters, hall=hall), fill(*meters[::-1], hall=hall)
    for point in (ANN, BEN):
        assert estimated(one[point]) == estimated(other[point])
