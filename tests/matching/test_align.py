"""Readings of several interval lengths on the grid of a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidInput
from ledger.matching.align import align
from ledger.matching.model import Grid
from ledger.metering.quality import Quality
from ledger.metering.series import Series

START_S = 1_767_196_800
GRID = Grid(start_s=START_S, length_s=900, count=8, zone_offset_s=28_800)
POINT = "b" * 32
PROFILED, RESAMPLED, SUSPECT = Quality.PROFILED, Quality.RESAMPLED, Quality.SUSPECT


def series(length_s: int, readings: dict[int, int], quality: int = 0) -> Series:
    """{seconds after the grid's start: Wh}"""
    return Series(
        point=POINT,
        length_s=length_s,
        start_s=START_S + np.array(list(readings), dtype=np.int64),
        value=np.array(list(readings.values()), dtype=np.int64),
        quality=np.full(len(readings), quality, dtype=np.uint16),
    )


def test_gaps_are_missing_and_zeros_are_not() -> None:
    got = align(GRID, POINT, [series(900, {-900: 9, 0: 5, 1800: 0, 7200: 9})])
    assert got.wh.tolist() == [5, 0, 0, 0, 0, 0, 0, 0]
    assert np.flatnonzero(got.measured).tolist() == [0, 2]
    assert not got.stated.any()
    nothing = align(GRID, POINT, [])
    assert not nothing.measured.any()


def test_an_hour_is_spread_evenly_and_marked() -> None:
    got = align(GRID, POINT, [series(3600, {-1800: 7, 3600: 10}), series(900, {1800: 3})])
    assert got.wh.tolist() == [2, 2, 3, 0, 2, 3, 2, 3]
    assert got.measured.tolist() == [True] * 3 + [False] + [True] * 4
    assert got.quality.tolist() == [PROFILED, PROFILED, 0, 0, *[PROFILED] * 4]
    assert got.profiled_wh == 14


def test_short_intervals_count_when_complete() -> None:
    readings = {0: 1, 300: 2, 600: 3, 900: 4, 1500: 5, 1800: 6, 2100: 7, 2400: 8}
    got = align(GRID, POINT, [series(300, readings, SUSPECT)])
    assert got.wh.tolist() == [6, 0, 21, 0, 0, 0, 0, 0]
    assert np.flatnonzero(got.measured).tolist() == [0, 2]
    assert got.quality.tolist() == [RESAMPLED | SUSPECT, 0, RESAMPLED | SUSPECT, *[0] * 5]


def test_estimated_readings_are_not_measured() -> None:
    got = align(GRID, POINT, [series(900, {0: 5}, Quality.ESTIMATED), series(900, {900: 6})])
    assert got.wh.tolist()[:2] == [0, 6]
    assert got.stated_wh.tolist()[:2] == [5, 0]
    assert got.stated.tolist()[:2] == [True, False]


@given(st.dictionaries(st.integers(-3, 9), st.integers(0, 10**12)), st.sampled_from([1, 2, 4]))
def test_spreading_keeps_every_wh(hours: dict[int, int], parts: int) -> None:
    wide = replace(GRID, start_s=START_S - 4 * 3600, length_s=3600 // parts, count=16 * parts)
    readings = {3600 * hour: hours[hour] for hour in sorted(hours)}
    got = align(wide, POINT, [series(3600, readings)])
    assert int(got.wh.sum()) == sum(hours.values())
    for hour, energy in hours.items():
        first = (hour + 4) * parts
        quarter = got.wh[first : first + parts].tolist()
        assert sum(quarter) == energy
        assert max(quarter) - min(quarter) <= 1
    assert int(got.measured.sum()) == parts * len(hours)


@pytest.mark.parametrize(
    ("readings", "says"),
    [
        ([series(600, {0: 1})], "readings of 600 s.*resample"),
        ([series(86_400, {0: 1})], "readings of 86400 s.*resample"),
        ([series(900, {300: 1})], "does not begin on an interval"),
        ([series(900, {0: 1, 600: 1})], "T16:10:00Z repeats or overlaps"),
        ([series(900, {0: 1, -900: 1})], "repeats or overlaps"),
        ([series(900, {900: 1}), series(3600, {0: 1})], "T16:15:00Z, of different lengths"),
        ([series(900, {0: -7})], "T16:00:00Z is -7 Wh"),
        ([series(900, {0: 2**52})], "more than any meter reads"),
        ([series(0, {0: 1})], "at least 1"),
        ([replace(series(900, {0: 1}), point="c" * 32)], "were given for point"),
    ],
)
def test_what_does_not_fit(readings: list[Series], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        align(GRID, POINT, readings)
