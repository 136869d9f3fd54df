"""Exact decimals against `fractions` and `decimal`, which share no code with them."""

from __future__ import annotations

import decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.metering.importers import decimals

# Digits enough to leave int64, exponents, signs, and missing halves.
NUMBERS = st.from_regex(
    r"[+-]?([0-9]{1,25}(\.[0-9]{0,25})?|\.[0-9]{1,9})([eE][+-]?[0-9])?", fullmatch=True
)


def values(parsed: decimals.Decimals) -> list[Fraction]:
    return [Fraction(int(number), 10**parsed.places) for number in parsed.mantissa.tolist()]


@given(st.lists(NUMBERS, max_size=8))
def test_texts_keep_their_exact_value(texts: list[str]) -> None:
    parsed = decimals.parse(texts)
    assert parsed.bad == ()
    assert values(parsed) == [Fraction(decimal.Decimal(text)) for text in texts]


@given(st.lists(st.text(max_size=6), min_size=1, max_size=5))
def test_any_text_is_a_number_or_named(texts: list[str]) -> None:
    parsed = decimals.parse(texts)
    bad = {index for index, _ in parsed.bad}
    for index, (text, value) in enumerate(zip(texts, values(parsed), strict=True)):
        if index not in bad:
            assert text.isascii()
            assert Fraction(decimal.Decimal(text)) == value
        else:
            assert value == 0


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e30, max_value=1e30)))
def test_floats_keep_their_shortest_text(floats: list[float]) -> None:
    floats = [0.0 if abs(each) < 1e-30 else each for each in floats]
    parsed = decimals.parse(list(map(repr, floats)))
    assert [float(value) for value in values(parsed)] == floats


def test_a_line_break_inside_a_text_makes_no_two_numbers() -> None:
    parsed = decimals.parse(["1\n2", "3"])
    assert [index for index, _ in parsed.bad] == [0]


@pytest.mark.parametrize(
    ("number", "numerator", "denominator", "expected"),
    [
        (5, 1, 10, 0),
        (15, 1, 10, 2),
        (25, 1, 10, 2),
        (-5, 1, 10, 0),
        (-15, 1, 10, -2),
        (-25, 1, 10, -2),
        (26, 1, 10, 3),
        (24, 1, 10, 2),
        (7, -1, 2, -4),
        (1, 10**30, 3, 333333333333333333333333333333),
        (10**30 + 1, 1, 2, 5 * 10**29),
        (3, 1, 2**70, 0),
        (0, 2**70, 3, 0),
    ],
)
def test_ties_go_to_even(number: int, numerator: int, denominator: int, expected: int) -> None:
    numbers = decimals.whole_numbers([number])
    assert decimals.round_half_even(numbers, numerator, denominator).tolist() == [expected]


@given(
    st.lists(st.integers(-(2**70), 2**70), min_size=1, max_size=6),
    st.integers(-(10**20), 10**20),
    st.integers(1, 10**20),
)
def test_rounding_agrees_with_fractions(
    numbers: list[int], numerator: int, denominator: int
) -> None:
    rounded = decimals.round_half_even(decimals.whole_numbers(numbers), numerator, denominator)
    # Python rounds a Fraction half to even.
    assert rounded.tolist() == [round(Fraction(n * numerator, denominator)) for n in numbers]


@given(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=9), st.data())
def test_sums_of_runs_do_not_overflow(numbers: list[int], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(numbers)), max_size=4)) - {len(numbers)})
    firsts = [0, *cuts]
    sums = decimals.sum_runs(decimals.whole_numbers(numbers), np.array(firsts, dtype=np.int64))
    ends = [*cuts, len(numbers)]
    expected = [sum(numbers[a:b]) for a, b in zip(firsts, ends, strict=True)]
    assert sums.tolist() == expected
