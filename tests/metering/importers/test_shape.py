"""Resampling by overlap and spreading, against second-by-second models in plain Fractions."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidInput
from ledger.metering.importers import PointFacts, decimals, shape
from tests.metering.importers.files import TIME, VALUE, load, profile_text, readings, repairs

TEN = TIME.replace("15min", "10min")
HOUR = TIME.replace("15min", "1h")
QUARTERS = '[target]\ninterval = "15min"\n'
KW = '[value]\nquantity = "power"\nunit = "kW"\n'


def csv(interval_min: int, *values: str) -> str:
    """Adjoining intervals from midnight on; an empty text leaves its row out."""
    rows = ["time,kWh"]
    for place, value in enumerate(values):
        hour, minute = divmod(place * interval_min, 60)
        if value:
            rows.append(f"2018-01-01 {hour:02}:{minute:02},{value}")
    return "\n".join(rows) + "\n"


def test_ten_minutes_to_quarters_of_an_hour() -> None:
    """6 kW over 10 min are 1,000 Wh: the first quarter takes all of one and half of the next."""
    profile = profile_text(time=TEN, value=KW, more=QUARTERS)
    imported = load(csv(10, "6", "12", "18"), profile)
    assert readings(imported) == [("2018-01-01 00:00", 2000, 4), ("2018-01-01 00:15", 4000, 4)]
    assert repairs(imported) == [(4, "2-4", 3)]


def test_a_slot_that_touches_a_missing_row_is_missing() -> None:
    profile = profile_text(time=TEN, value=KW, more=QUARTERS)
    imported = load(csv(10, "6", "6", "6", "", "6", "6", "6", "6", "6"), profile)
    assert [start for start, _, _ in readings(imported)] == [
        "2018-01-01 00:00",
        "2018-01-01 00:15",
        "2018-01-01 00:45",
        "2018-01-01 01:00",
        "2018-01-01 01:15",
    ]
    assert imported.missing == 1
    # Row 5 is 00:40: its first half lies in the quarter that is lost, its second in the next one.
    assert repairs(imported) == [(0, "5", 1), (4, "2-9", 8)]


def test_quarters_to_hours_add_up() -> None:
    facts = {"p": PointFacts(unit="Wh", kind="consumption", interval_s=3600)}
    profile = profile_text(more='[target]\ninterval = "1h"\n')
    imported = load(csv(15, "0.0001", "0.0002", "0.0001", "0.0001", "1"), profile, points=facts)
    # 0.5 Wh rounds to even once, not four times; the second hour has three quarters missing.
    assert readings(imported) == [("2018-01-01 00:00", 0, 4)]
    assert imported.series[0].length_s == 3600


def test_an_hour_is_spread_and_its_rest_is_not_lost() -> None:
    profile = profile_text(time=HOUR, more=QUARTERS + 'spread = "even"\n')
    imported = load(csv(60, "0.004", "0.0065", "0.0075"), profile)
    values = [value for _, value, _ in readings(imported)]
    assert values == [1, 1, 1, 1, 1, 2, 1, 2, 2, 2, 2, 2]
    assert {quality for _, _, quality in readings(imported)} == {2}
    assert repairs(imported) == [(2, "2-4", 3)]


def test_a_clock_that_is_wrong_by_minutes_is_shifted_and_resampled() -> None:
    profile = profile_text(more_time='shift = "-5min"')
    imported = load(csv(15, "0.003", "0.006", "0.009"), profile)
    # Shifted, the slot 00:00 takes 10 min of the first row and 5 of the second: 2 + 2 Wh.
    assert readings(imported) == [("2018-01-01 00:00", 4, 20), ("2018-01-01 00:15", 7, 20)]


def test_stamps_off_the_park_s_grid_can_t_be_spread() -> None:
    profile = profile_text(
        time=HOUR, more=QUARTERS + 'spread = "even"\n', more_time='shift = "7min"'
    )
    with pytest.raises(InvalidInput, match="not on the park's grid of 900 s"):
        load(csv(60, "1"), profile)


def test_a_gauge_is_averaged_and_repeated() -> None:
    kelvin = '[value]\nquantity = "gauge"\nunit = "K"\n'
    facts = {"p": PointFacts(unit="mK", kind="other", interval_s=900, measure="gauge")}
    ten = profile_text(time=TEN, value=kelvin, more=QUARTERS)
    imported = load(csv(10, "300", "303", "306"), ten, points=facts)
    assert [value for _, value, _ in readings(imported)] == [301_000, 305_000]
    hour = profile_text(time=HOUR, value=kelvin, more=QUARTERS + 'spread = "even"\n')
    imported = load(csv(60, "273.1505"), hour, points=facts)
    assert [value for _, value, _ in readings(imported)] == [273_150] * 4


def test_power_with_more_digits_than_int64_holds() -> None:
    profile = profile_text(time=TEN, value=KW, more=QUARTERS)
    long = "1000.000000000000000000000001"
    imported = load(csv(10, long, long, long), profile)
    assert [value for _, value, _ in readings(imported)] == [250_000, 250_000]


def test_the_smallest_digit_decides_a_tie() -> None:
    profile = profile_text()
    assert readings(load(csv(15, "0.0005", "0.0015"), profile)) == [
        ("2018-01-01 00:00", 0, 0),
        ("2018-01-01 00:15", 2, 0),
    ]
    just_above = csv(15, "0.00050000000000000000000000001", "0.0015")
    assert [value for _, value, _ in readings(load(just_above, profile))] == [1, 2]


def source(
    numbers: list[int], present: list[bool], length_s: int, begin_s: int, per: Fraction
) -> shape.Readings:
    at = [place for place, here in enumerate(present[: len(numbers)]) if here]
    count = np.arange(len(at), dtype=np.int64)
    return shape.Readings(
        start_s=np.array([begin_s + place * length_s for place in at], dtype=np.int64),
        length_s=length_s,
        number=decimals.whole_numbers([numbers[place] for place in at]),
        per=per,
        quality=np.zeros(len(at), dtype=np.uint16),
        row=count + 2,
        column=count * 0,
    )


@given(
    numbers=st.lists(st.integers(-(10**25), 10**25), min_size=1, max_size=12),
    present=st.lists(st.booleans(), min_size=12, max_size=12),
    length_s=st.sampled_from([60, 600, 900]),
    phase_min=st.integers(0, 30),
    per=st.fractions(min_value=Fraction(1, 10**18), max_value=10**6).filter(bool),
    park_offset_s=st.sampled_from([0, 28_800, 20_700, -12_600]),
)
def test_resampling_agrees_with_a_model_minute_by_minute(
    numbers: list[int],
    present: list[bool],
    length_s: int,
    phase_min: int,
    per: Fraction,
    park_offset_s: int,
) -> None:
    readings_ = source(numbers, present, length_s, 1_500_000_000 // 900 * 900 + phase_min * 60, per)
    slots = shape.resample(readings_, 900, park_offset_s=park_offset_s)
    minutes: dict[int, Fraction] = {}
    for start_s, number in zip(readings_.start_s.tolist(), readings_.number.tolist(), strict=True):
        for minute_s in range(start_s, start_s + length_s, 60):
            minutes[minute_s] = number * per * 60 / length_s
    slot_of = {at: (at + park_offset_s) // 900 * 900 - park_offset_s for at in minutes}
    covered = Counter(slot_of.values())
    expected = {
        slot: round(sum((minutes[at] for at in minutes if slot_of[at] == slot), Fraction(0)))
        for slot, count in covered.items()
        if count == 15
    }
    assert dict(zip(slots.start_s.tolist(), slots.value.tolist(), strict=True)) == expected
    assert slots.start_s.tolist() == sorted(expected)


@given(
    numbers=st.lists(st.integers(-(10**25), 10**25), min_size=1, max_size=6),
    parts=st.sampled_from([1, 2, 3, 4, 6, 12]),
    per=st.fractions(min_value=Fraction(1, 10**18), max_value=10**6).filter(bool),
)
def test_parts_sum_to_the_whole_and_differ_by_one_at_most(
    numbers: list[int], parts: int, per: Fraction
) -> None:
    readings_ = source(numbers, [True] * 6, 3600, 0, per)
    slots = shape.spread(readings_, 3600 // parts)
    values = slots.value.tolist()
    assert slots.start_s.tolist() == list(range(0, 3600 * len(numbers), 3600 // parts))
    for place, number in enumerate(numbers):
        mine = values[place * parts : (place + 1) * parts]
        assert sum(mine) == round(number * per)
        assert max(mine) - min(mine) <= 1


def test_value_rules_do_not_need_a_unit_of_energy() -> None:
    water = VALUE.replace("kWh", "m3")
    facts = {"p": PointFacts(unit="ml", kind="consumption", interval_s=900)}
    imported = load(csv(15, "0.0000015"), profile_text(value=water), points=facts)
    assert readings(imported) == [("2018-01-01 00:00", 2, 0)]
