"""Exact splitting: every small case, and random large ones on each of the three paths."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import gcd

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.matching import rounding
from ledger.matching.model import Int64
from ledger.matching.rounding import split, split_evenly, take_pro_rata
from tests.matching.naive import walk


def take(amounts: list[int], weights: list[list[int]]) -> list[list[int]]:
    """Parts by interval; checks that what is left agrees."""
    wanted = [np.array(column, dtype=np.int64) for column in zip(*weights, strict=True)]
    lanes: list[Int64] = [np.empty_like(column) for column in wanted]
    left: list[Int64] = [np.empty_like(column) for column in wanted]
    total = np.array([sum(row) for row in weights], dtype=np.int64)
    take_pro_rata(np.array(amounts, dtype=np.int64), total, wanted, lanes, left)
    for column, lane, rest in zip(wanted, lanes, left, strict=True):
        assert (lane + rest == column).all()
    return [list(row) for row in zip(*(lane.tolist() for lane in lanes), strict=True)]


def expected(amount: int, weights: list[int]) -> list[int]:
    if not sum(weights):
        return [0] * len(weights)
    named = {f"{number:02}": weight for number, weight in enumerate(weights)}
    return list(walk(Fraction(amount, sum(weights)), named).values())


def test_every_small_case_on_every_path(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [
        (amount, list(weights))
        for weights in product(range(6), repeat=3)
        for amount in range(sum(weights) + 1)
    ]
    amounts, weights = [one for one, _ in cases], [many for _, many in cases]
    wanted = [expected(amount, many) for amount, many in cases]
    assert take(amounts, weights) == wanted
    monkeypatch.setattr(rounding, "_NARROW_PRODUCT", 0)
    assert take(amounts, weights) == wanted
    monkeypatch.setattr(rounding, "_WIDE_AMOUNT", 0)
    assert take(amounts, weights) == wanted
    assert [split(amount, many) for amount, many in cases] == wanted


@st.composite
def rows(draw: st.DrawFn) -> tuple[int, list[int]]:
    # Near the edges of the paths, and where quotients fall on whole numbers or just beside.
    top = draw(st.sampled_from([10, 2**20, 2**24, 2**25, 2**26, 2**46, 2**48, 2**50, 2**58]))
    near = st.integers(max(top - 3, 0), top)
    weights = draw(st.lists(st.one_of(st.integers(0, top), near), min_size=1, max_size=8))
    total = sum(weights)
    amount = draw(
        st.one_of(
            st.integers(0, total),
            st.integers(max(total - 3, 0), total),
            st.integers(0, 3).map(lambda parts: total * parts // 3),
        )
    )
    return min(amount, total), weights


@given(rows())
def test_large_numbers(case: tuple[int, list[int]]) -> None:
    amount, weights = case
    parts = take([amount], [weights])[0]
    assert parts == expected(amount, weights)
    assert sum(parts) == amount
    assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))


@pytest.mark.parametrize("bits", [24, 25, 36, 47, 48, 49, 50])
def test_many_random_rows(bits: int) -> None:
    """200 × 40 at each size: both float paths, at the edge of where they may be used."""
    random = np.random.default_rng(bits)
    weights = random.integers(0, 2**bits // 20, (200, 40)).tolist()
    amounts = [int(random.integers(0, sum(row) + 1)) for row in weights]
    assert take(amounts, weights) == [
        expected(amount, row) for amount, row in zip(amounts, weights, strict=True)
    ]


@pytest.mark.parametrize("bits", [24, 25, 26, 27, 28, 30, 32, 40, 48, 51, 52])
def test_quotients_beside_a_whole_number(bits: int) -> None:
    """Where a float is tempted: an edge that lies a few W-ths above or below a whole number.

    With A and W coprime, the first weight A⁻¹·r mod W makes A·c₁ ≡ r (mod W).
    """
    random = np.random.default_rng(bits)
    for rest in [-3, -2, -1, 0, 1, 2, 3] * 60:
        total = 2**bits - 1 - int(random.integers(0, 2 ** (bits - 2)))
        amount = min(total - int(random.integers(1, 2 ** (bits - 2))), 2**49 - 1)
        while gcd(amount, total) > 1:
            amount -= 1
        first = pow(amount, -1, total) * rest % total
        weights = [first, total - first]
        assert take([amount], [weights]) == [expected(amount, weights)]


@given(st.integers(0, 2**61), st.integers(1, 300))
def test_even_parts(amount: int, count: int) -> None:
    parts = split_evenly(amount, count).tolist()
    assert len(parts) == count
    assert sum(parts) == amount
    assert max(parts) - min(parts) <= 1


def test_even_parts_by_hand() -> None:
    assert split_evenly(7, 4).tolist() == [1, 2, 2, 2]
    assert split_evenly(0, 2).tolist() == [0, 0]
    assert split(0, [0, 0]) == [0, 0]
