"""Storage against a queue of single Wh, and what invariant 9 asks for."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidInput
from ledger.matching.model import Int64
from ledger.matching.storage import Storage, green_out
from tests.matching.naive import queue_green_out
from tests.matching.test_engine import wh

Days = tuple[list[int], list[int], list[int]]


@st.composite
def days(draw: st.DrawFn, top: int = 30) -> Days:
    """(charge, green in, discharge), as any meters might say, losses negative included."""
    count = draw(st.integers(1, 12))

    def values() -> list[int]:
        return draw(
            st.lists(st.one_of(st.just(0), st.integers(0, top)), min_size=count, max_size=count)
        )

    charge = values()
    share = draw(st.lists(st.integers(0, 4), min_size=count, max_size=count))
    green = [one * part // 4 for one, part in zip(charge, share, strict=True)]
    return charge, green, values()


def out(charge: list[int], green: list[int], discharge: list[int]) -> list[int]:
    found: list[int] = green_out(wh(*charge), wh(*green), wh(*discharge)).tolist()
    return found


@given(days())
def test_equals_a_queue_of_single_wh(day: Days) -> None:
    assert out(*day) == queue_green_out(*day)


@given(st.one_of(days(), days(top=2**55)))
def test_no_more_green_comes_out_than_went_in_less_losses(day: Days) -> None:
    """Invariant 9, from the result alone: at each time, and in each interval."""
    charge, green, discharge = day
    found = out(*day)
    lost = max(sum(charge) - sum(discharge), 0)
    assert all(0 <= part <= whole for part, whole in zip(found, discharge, strict=True))
    for gone, came in zip(accumulate(found), accumulate(green), strict=True):
        assert gone <= came
        if sum(charge):
            assert gone <= came * Fraction(min(sum(discharge), sum(charge)), sum(charge))
    assert sum(found) <= sum(charge) - lost


@given(days(), st.data())
def test_nothing_comes_out_before_it_went_in(day: Days, data: st.DataObject) -> None:
    """What is charged as green later makes nothing green now."""
    charge, green, discharge = day
    at = data.draw(st.integers(0, len(charge)))
    later = [*green[:at], *[0] * (len(green) - at)]
    assert out(charge, later, discharge)[:at] == out(*day)[:at]


@given(days())
def test_more_green_in_is_never_less_green_out(day: Days) -> None:
    charge, _, discharge = day
    more = accumulate(out(charge, charge, discharge))
    assert all(one >= other for one, other in zip(more, accumulate(out(*day)), strict=True))


def test_the_example_of_domain_section_10() -> None:
    # 1,200 Wh charged green at 90 % efficiency: 1,080 Wh may leave as green.
    assert out([1200, 0, 0], [1200, 0, 0], [0, 800, 280]) == [0, 800, 280]


def test_opening_stock_is_not_green_and_leaves_first() -> None:
    # 100 Wh were there before: they leave first, and are no part of what came back of the charge.
    assert out([0, 1200, 0], [0, 1200, 0], [100, 0, 1080]) == [0, 0, 1080]
    # Here the 100 show only later, but they had been first all the time.
    assert out([100, 0, 0], [100, 0, 0], [0, 100, 100]) == [0, 0, 100]


def test_first_in_first_out() -> None:
    # Green, grey, green; without losses. Half of the grey leaves with the second discharge.
    charge, green = [10, 10, 10, 0, 0, 0], [10, 0, 10, 0, 0, 0]
    assert out(charge, green, [0, 0, 0, 10, 5, 15]) == [0, 0, 0, 10, 0, 10]


def test_what_is_still_inside_counts_as_lost_until_it_leaves() -> None:
    assert out([100, 0], [100, 0], [0, 50]) == [0, 50]
    assert out([100, 100, 0], [0, 100, 0], [0, 0, 100]) == [0, 0, 50]
    assert out([100, 100, 0, 0], [0, 100, 0, 0], [0, 0, 100, 100]) == [0, 0, 0, 100]


def test_an_idle_storage() -> None:
    assert out([0, 0], [0, 0], [0, 0]) == [0, 0]
    assert out([0, 0], [0, 0], [7, 7]) == [0, 0]
    assert out([7, 7], [7, 7], [0, 0]) == [0, 0]


def test_large_numbers_are_exact() -> None:
    whole = 2**61
    assert sum(out([whole, 1], [whole, 0], [0, whole - 1])) == whole * (whole - 1) // (whole + 1)


# --- What earlier divisions allotted ------------------------------------------------------------


def storage(day: Days, before: int, green: list[int], allotted: list[int]) -> Storage:
    """`green`: what is known to have gone in before the run begins, and `before` intervals are."""
    zeros = [0] * (len(day[0]) - before)
    return Storage(
        charge="in",
        discharge="out",
        charge_wh=wh(*day[0]),
        discharge_wh=wh(*day[2]),
        green_in_wh=wh(*green[:before], *zeros),
        allotted_wh=wh(*allotted[:before], *zeros),
    )


@given(days(), st.data())
def test_with_what_was_allotted_it_is_never_too_much(day: Days, data: st.DataObject) -> None:
    """Whatever earlier divisions allotted, the run adds only what is still free; late corrections
    included. What they did rightly leaves the run all that it would have had."""
    count = len(day[0])
    before = data.draw(st.integers(0, count - 1))
    limits = st.integers(0, 40)
    allotted = data.draw(st.lists(limits, min_size=before, max_size=before))
    right = out(*day)
    found = storage(day, before, day[1], allotted).supply_wh(wh(*day[1][before:])).tolist()
    assert len(found) == count - before
    assert all(0 <= mine <= most for mine, most in zip(found, right[before:], strict=True))
    for gone, allowed in zip(accumulate(allotted + found), accumulate(right), strict=True):
        assert gone <= max(allowed, sum(allotted))
    same = storage(day, before, day[1], right).supply_wh(wh(*day[1][before:])).tolist()
    assert same == right[before:]


@given(days(), st.data())
def test_a_second_run_adds_what_the_first_left(day: Days, data: st.DataObject) -> None:
    parts = [data.draw(st.integers(0, most)) for most in out(*day)]
    none = np.zeros(len(parts), dtype=np.int64)
    left = replace(
        storage(day, 0, [], []), green_in_wh=wh(*day[1]), allotted_wh=wh(*parts)
    ).supply_wh(none)
    assert [one + other for one, other in zip(left.tolist(), parts, strict=True)] == out(*day)


def test_a_correction_takes_the_earliest_of_the_run() -> None:
    # 50 were allotted, of which a correction of the charge leaves 20: 30 of the run's 40 are owed.
    day = ([20, 40, 0, 0], [20, 40, 0, 0], [20, 0, 20, 20])
    assert storage(day, 1, [20], [50]).supply_wh(wh(40, 0, 0)).tolist() == [0, 0, 10]


def test_what_was_allotted_of_later_intervals_counts_too() -> None:
    # 20 may leave, 10 and 10; a division took 20 of the last interval before a correction.
    one = storage(([20, 0, 0], [20, 0, 0], [0, 10, 10]), 0, [], [])
    full = replace(one, green_in_wh=wh(20, 0, 0))
    none = wh(0, 0, 0)
    assert full.supply_wh(none).tolist() == [0, 10, 10]
    assert replace(full, allotted_wh=wh(0, 0, 15)).supply_wh(none).tolist() == [0, 5, 0]
    assert replace(full, allotted_wh=wh(0, 0, 20)).supply_wh(none).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"discharge_wh": wh(1)}, r"discharge_wh of storage out is int64\[1\]: int64\[2\]"),
        ({"allotted_wh": wh(1, -1)}, "negative"),
        ({"charge_wh": wh(2**61, 2**61)}, "or more"),
    ],
)
def test_arrays_that_do_not_fit(change: dict[str, Int64], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        replace(storage(([1, 1], [0, 0], [1, 1]), 0, [], []), **change)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="than was charged"):
        green_out(wh(1), wh(2), wh(0))
