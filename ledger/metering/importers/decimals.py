"""Exact decimals as arrays of integers: n values share one power of ten.

int64 where the numbers are surely small enough, Python integers (dtype object) where they are not.
The result is the same either way; only the time differs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[Any]  # int64, or object holding Python integers

# Half of what int64 holds, so that one addition and a doubling in the rounding can't overflow.
_SAFE: Final = 2**61
# More would only serve to make the import slow: no meter shows numbers of such length.
_MOST_DIGITS: Final = 60
_MOST_EXPONENT: Final = 60

# Possessive, since remembering where to backtrack to would take 400 bytes for each number.
_SIMPLE: Final = re.compile(r"(?:[+-]?[0-9]++(?:\.[0-9]++)?+\n)*+")
_NUMBER: Final = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,4}))?")
_NOT_FINITE: Final = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decimals:
    """value[i] = mantissa[i] / 10**places. `bad`: (index, reason) of texts that are no number."""

    mantissa: Integers
    places: int
    bad: tuple[tuple[int, str], ...] = ()


def parse(texts: Sequence[str]) -> Decimals:
    """Texts such as "3.17", "-0.5", "1e-05" → exact; a bad one counts as 0 and is named."""
    joined = "\n".join(texts)
    # The second condition keeps a text with a line break of its own from passing as two numbers.
    if (
        texts
        and _SIMPLE.fullmatch(joined + "\n")
        and joined.count("\n") == len(texts) - 1
        and max(map(len, texts)) <= _MOST_DIGITS
    ):
        return _parse_simple(texts)
    return _parse_any(texts)


def _parse_simple(texts: Sequence[str]) -> Decimals:
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    points = np.array([text.find(".") for text in texts], dtype=np.int64)
    own_places = np.where(points < 0, 0, lengths - points - 1)
    places = int(own_places.max())
    numbers = [int(text.replace(".", "")) for text in texts]
    mantissa: Integers
    if int((lengths + (places - own_places)).max()) <= 18:
        mantissa = np.array(numbers, dtype=np.int64) * 10 ** (places - own_places)
    else:
        powers = [10**each for each in range(places + 1)]
        mantissa = whole_numbers(
            [
                number * powers[lacking]
                for number, lacking in zip(numbers, (places - own_places).tolist(), strict=True)
            ]
        )
    return Decimals(mantissa=mantissa, places=places)


def _parse_any(texts: Sequence[str]) -> Decimals:
    numbers: list[int] = []
    exponents: list[int] = []  # value = number × 10**exponent
    bad: list[tuple[int, str]] = []
    for index, text in enumerate(texts):
        number, exponent = 0, 0
        found = _NUMBER.fullmatch(text)
        digits = (found[2] + (found[3] or "")) if found else ""
        if not found or not digits:
            bad.append((index, _why_not(text)))
        else:
            exponent = int(found[4] or 0) - len(found[3] or "")
            if len(digits) > _MOST_DIGITS or abs(exponent) > _MOST_EXPONENT:
                bad.append((index, f"{_short(text)} has more digits than a meter can show"))
                exponent = 0
            else:
                number = int(found[1] + digits)
        numbers.append(number)
        exponents.append(exponent)
    places = max(0, -min(exponents, default=0))
    scaled = [n * 10 ** (e + places) for n, e in zip(numbers, exponents, strict=True)]
    return Decimals(mantissa=whole_numbers(scaled), places=places, bad=tuple(bad))


def _why_not(text: str) -> str:
    if not text:
        return "is empty"
    if _NOT_FINITE.fullmatch(text):
        return f"{text!r} is not a finite number"
    return f"{_short(text)} is not a number"


def _short(text: str) -> str:
    return repr(text) if len(text) <= 40 else f"{text[:40]!r}…"


def whole_numbers(numbers: Sequence[int]) -> Integers:
    """Python integers → int64[n] where all are surely small, else object[n]."""
    if all(-_SAFE < number < _SAFE for number in numbers):
        return np.array(numbers, dtype=np.int64)
    boxed = np.empty(len(numbers), dtype=object)
    boxed[:] = numbers
    return boxed


def peak(numbers: Integers) -> int:
    """The largest magnitude; 0 for none."""
    return max(int(numbers.max()), -int(numbers.min())) if len(numbers) else 0


def multiply(numbers: Integers, factors: Integers | int) -> Integers:
    """Elementwise product, exact."""
    factor_peak = abs(factors) if isinstance(factors, int) else peak(factors)
    # A factor alone may be too large for int64, even where all numbers are 0.
    if numbers.dtype == object or max(1, peak(numbers)) * max(1, factor_peak) >= _SAFE:
        return numbers.astype(object) * factors
    return numbers * factors


def sum_runs(numbers: Integers, firsts: NDArray[np.int64]) -> Integers:
    """Sums of the runs that begin at `firsts` (increasing, the first is 0), exact."""
    if len(firsts) == 0:
        return numbers[:0]
    longest = int(np.diff(np.append(firsts, len(numbers))).max())
    if numbers.dtype != object and peak(numbers) * longest >= _SAFE:
        numbers = numbers.astype(object)
    sums: Integers = np.add.reduceat(numbers, firsts)
    return sums


def round_half_even(numbers: Integers, numerator: int, denominator: int) -> Integers:
    """round(number × numerator / denominator), ties to even. Stays exact at any size."""
    assert denominator > 0
    scaled = multiply(numbers, numerator)
    if scaled.dtype == object or denominator >= _SAFE:
        return whole_numbers([_round_one(number, denominator) for number in scaled.tolist()])
    quotient = scaled // denominator
    twice_rest = 2 * (scaled - quotient * denominator)
    up = (twice_rest > denominator) | ((twice_rest == denominator) & (quotient % 2 == 1))
    rounded: Integers = quotient + up
    return rounded


def _round_one(number: int, denominator: int) -> int:
    quotient, rest = divmod(number, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient % 2):
        quotient += 1
    return quotient
