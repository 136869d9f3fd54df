"""Ranges against sets of single units: the latter are the truth, the former are quick."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.errors import InvalidInput
from ledger.registry.ranges import UNITS_MAX, SerialRange, joined, require_even, serial_of

MOST = 30


def ranges() -> st.SearchStrategy[SerialRange]:
    return st.tuples(st.integers(0, MOST), st.integers(1, MOST)).map(
        lambda pair: SerialRange(first=pair[0], end=pair[0] + pair[1])
    )


def apart() -> st.SearchStrategy[list[SerialRange]]:
    """Ranges that share no unit, some of which adjoin, in any order."""

    def cut(marks: list[int], keep: list[bool]) -> list[SerialRange]:
        edges = sorted(marks)
        return [
            SerialRange(first=first, end=end)
            for (first, end), kept in zip(pairwise(edges), keep, strict=False)
            if kept
        ]

    marks = st.lists(st.integers(0, MOST), min_size=2, max_size=9, unique=True)
    return st.builds(cut, marks, st.lists(st.booleans(), min_size=8, max_size=8)).flatmap(
        lambda found: st.permutations(found).map(list)
    )


def singles(*found: SerialRange) -> set[int]:
    return {unit for one in found for unit in range(one.first, one.end)}


def one_by_one(found: list[SerialRange]) -> list[SerialRange]:
    return [SerialRange(first=unit, end=unit + 1) for unit in sorted(singles(*found))]


@given(ranges(), st.integers(-1, 2 * MOST + 1))
def test_split_then_merge_gives_the_same(whole: SerialRange, at: int) -> None:
    if at not in range(whole.first + 1, whole.end):
        with pytest.raises(InvalidInput, match=f"can't be split at {at}"):
            whole.split(at)
        return
    before, after = whole.split(at)
    assert singles(before) | singles(after) == singles(whole)
    assert not singles(before) & singles(after)
    assert max(singles(before)) == at - 1
    assert min(singles(after)) == at
    assert before.merge(after) == whole


@given(ranges(), ranges())
def test_only_ranges_that_adjoin_merge(one: SerialRange, other: SerialRange) -> None:
    if max(singles(one)) + 1 == min(singles(other)):
        assert singles(one.merge(other)) == singles(one) | singles(other)
    else:
        with pytest.raises(InvalidInput, match="do not adjoin"):
            one.merge(other)


@given(ranges(), ranges())
def test_overlap_and_inside(one: SerialRange, other: SerialRange) -> None:
    assert one.overlaps(other) == bool(singles(one) & singles(other))
    assert one.contains(other) == (singles(other) <= singles(one))
    assert len(one) == len(singles(one))


@given(ranges(), st.lists(ranges(), max_size=4))
def test_without(whole: SerialRange, taken: list[SerialRange]) -> None:
    lawful = singles(*taken) <= singles(whole) and len(singles(*taken)) == sum(map(len, taken))
    if not lawful:
        with pytest.raises(InvalidInput, match="not among the units"):
            whole.without(taken)
        return
    left = whole.without(taken)
    assert singles(*left) == singles(whole) - singles(*taken)
    assert len(singles(*left)) == sum(map(len, left))
    assert all(one.end < other.first for one, other in pairwise(left))


@given(apart())
def test_without_some_of_it(found: list[SerialRange]) -> None:
    """The lawful case again, which random ranges seldom are."""
    assume(found)
    whole = SerialRange(first=0, end=MOST + 5)
    assert singles(*whole.without(found)) == singles(whole) - singles(*found)


@given(apart())
def test_joined_is_the_same_in_the_fewest(found: list[SerialRange]) -> None:
    shortest = joined(found)
    assert singles(*shortest) == singles(*found)
    assert all(one.end < other.first for one, other in pairwise(shortest))


@given(st.lists(ranges(), min_size=2, max_size=4))
def test_what_overlaps_is_not_joined(found: list[SerialRange]) -> None:
    if len(singles(*found)) == sum(map(len, found)):
        joined(found)
    else:
        with pytest.raises(InvalidInput, match="overlap"):
            joined(found)


KEYS = st.sampled_from([("a", "x"), ("a", "y"), ("b", "x")])


@given(
    st.dictionaries(KEYS, apart(), max_size=3),
    st.dictionaries(KEYS, apart(), max_size=3),
    st.booleans(),
)
def test_nothing_is_lost_or_added(
    before: dict[tuple[str, str], list[SerialRange]],
    other: dict[tuple[str, str], list[SerialRange]],
    cut: bool,
) -> None:
    """`cut`: the same units, otherwise cut."""
    after = {key: one_by_one(found) for key, found in before.items()} if cut else other
    keys = {*before, *after}
    if all(singles(*before.get(key, ())) == singles(*after.get(key, ())) for key in keys):
        require_even(before, after)
    else:
        with pytest.raises(InvalidInput, match="nothing may be lost or added"):
            require_even(before, after)


@pytest.mark.parametrize("after", [[(0, 5), (4, 10)], [(0, 10), (0, 10)], [(0, 6), (5, 10)]])
def test_no_unit_begins_twice(after: list[tuple[int, int]]) -> None:
    """Though the units that there are would be the same."""
    key = ("gec/C/0", "ordinary")
    found = [SerialRange(first=first, end=end) for first, end in after]
    with pytest.raises(InvalidInput, match="overlap"):
        require_even({key: [SerialRange(first=0, end=10)]}, {key: found})


@pytest.mark.parametrize(
    ("first", "end"), [(0, 0), (5, 5), (6, 5), (-1, 5), (0, UNITS_MAX + 1), (-5, -2)]
)
def test_what_is_no_range(first: int, end: int) -> None:
    with pytest.raises(InvalidInput, match=f"units {first} to {end} are no range"):
        SerialRange(first=first, end=end)


def test_the_largest_range_is_one() -> None:
    assert len(SerialRange(first=0, end=UNITS_MAX)) == 2**53 - 1


CODES = st.text("ABCxyz-._0123456789", min_size=1, max_size=12).filter(
    lambda code: not code[-1].isdigit()
)


@given(CODES, st.integers(1, 12), st.data())
def test_serial_of_a_code_and_a_number(code: str, digits: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, 10**digits - 1))
    assert serial_of(f"{code}{number:0{digits}}") == (code, number, digits)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("GEC-0012", ("GEC-", 12, 4)),
        ("1234567890123", ("1", 234567890123, 12)),
        ("A00000000000000", ("A00", 0, 12)),
    ],
)
def test_serial_of(text: str, found: tuple[str, int, int]) -> None:
    assert serial_of(text) == found


@pytest.mark.parametrize("text", ["", "GEC", "GEC-1x", "12", "123456789012", "GEC-١٢", "A1\n"])
def test_what_is_no_serial(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a code followed by a number"):
        serial_of(text)
