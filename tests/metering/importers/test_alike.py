"""The warning for one meter under two names, on made-up series."""

from __future__ import annotations

import numpy as np

from ledger.metering.importers import looks_like_same_meter
from ledger.metering.importers.report import rows_text
from ledger.metering.series import Series


def series(values: list[int], *, length_s: int = 900, first: int = 0) -> Series:
    return Series(
        point="p",
        length_s=length_s,
        start_s=np.arange(first, first + len(values), dtype=np.int64) * length_s,
        value=np.array(values, dtype=np.int64),
        quality=np.zeros(len(values), dtype=np.uint16),
    )


CURVE = [place * 7919 % 1009 for place in range(200)]


def test_equal_curves_are_one_meter_even_with_a_repair() -> None:
    assert looks_like_same_meter(series(CURVE), series(CURVE))
    assert looks_like_same_meter(series(CURVE), series([*CURVE[:100], 1, *CURVE[101:]]))


def test_honest_neighbours_are_not() -> None:
    other = [value + place % 2 for place, value in enumerate(CURVE)]
    assert not looks_like_same_meter(series(CURVE), series(other))
    assert not looks_like_same_meter(series(CURVE), series(CURVE, length_s=3600))


def test_too_little_says_nothing() -> None:
    assert not looks_like_same_meter(series(CURVE[:90]), series(CURVE[:90]))
    assert not looks_like_same_meter(series(CURVE), series(CURVE, first=150))
    lamps = [0, 40] * 100
    assert not looks_like_same_meter(series(lamps), series(lamps))
    night = [0] * 500
    assert not looks_like_same_meter(series(night), series(night))


def test_row_numbers_as_text() -> None:
    assert rows_text([]) == ""
    assert rows_text([7]) == "7"
    assert rows_text([12, 5, 6, 7, 8, 9, 9]) == "5-9,12"
