"""Registers: differences, multipliers, rollovers and swaps, with expected values worked by hand."""

from __future__ import annotations

import pytest

from ledger.errors import InvalidInput
from ledger.metering.importers import Meter, PointFacts
from tests.metering.importers.files import (
    TIME,
    load,
    meter,
    profile_text,
    readings,
    rejected,
    repairs,
)

INSTANTS = TIME.replace('label = "start"\n', "")
REGISTER = '[value]\nquantity = "register"\nunit = "kWh"\n'
DIGITS = "register_digits = 4"
PLAIN = profile_text(time=INSTANTS, value=REGISTER, more_value=DIGITS)
OLD, NEW = "2017-12-31T16:00:00Z", "2017-12-31T16:20:00Z"  # 00:00 and 00:20 park time


def csv(*values: str) -> str:
    """Readings at 00:00, 00:15, … park time; an empty text leaves its row out."""
    rows = ["time,kWh"]
    for place, value in enumerate(values):
        hour, minute = divmod(place * 15, 60)
        if value:
            rows.append(f"2018-01-01 {hour:02}:{minute:02},{value}")
    return "\n".join(rows) + "\n"


def facts(*meters: Meter) -> dict[str, PointFacts]:
    return {"p": PointFacts(unit="Wh", kind="consumption", interval_s=900, meters=meters)}


ONE = facts(meter("A", OLD, multiplier="200"))


def test_differences_times_the_multiplier() -> None:
    imported = load(csv("100.00", "100.05", "100.05", "101"), PLAIN, points=ONE)
    assert readings(imported) == [
        ("2018-01-01 00:00", 10_000, 0),
        ("2018-01-01 00:15", 0, 0),
        ("2018-01-01 00:30", 190_000, 0),
    ]
    assert imported.repairs == ()
    assert imported.rows == 4


def test_a_multiplier_may_have_decimals_or_be_left_out() -> None:
    half = facts(meter("A", OLD, multiplier="0.5"))
    assert readings(load(csv("1", "2.001"), PLAIN, points=half))[0][1] == 500
    none = profile_text(time=INSTANTS, value=REGISTER, more_value='multiplier = "none"')
    assert readings(load(csv("1", "2.001"), none, points=facts()))[0][1] == 1001


def test_readings_farther_apart_leave_the_intervals_absent() -> None:
    imported = load(csv("100", "101", "", "103", "104"), PLAIN, points=ONE)
    assert [start for start, _, _ in readings(imported)] == ["2018-01-01 00:00", "2018-01-01 00:45"]
    assert imported.missing == 2


def test_rollover_is_flagged() -> None:
    imported = load(csv("9999.5", "0.25", "1"), PLAIN, points=ONE)
    assert readings(imported) == [
        ("2018-01-01 00:00", 150_000, 32),
        ("2018-01-01 00:15", 150_000, 0),
    ]
    assert repairs(imported) == [(32, "3", 1)]


@pytest.mark.parametrize(
    ("before", "after", "more"),
    [
        ("9999.5", "0.25", ""),  # the profile knows no digits
        ("5000", "4999.99", DIGITS),  # a fault, not a rollover
        ("8000", "10", DIGITS),  # not in the last tenth
        ("9950", "1000", DIGITS),  # not in the first tenth
    ],
)
def test_other_falls_are_rejected(before: str, after: str, more: str) -> None:
    profile = profile_text(time=INSTANTS, value=REGISTER, more_value=more)
    (rejection,) = rejected(csv(before, after), profile, points=ONE)
    assert (rejection.row, rejection.column) == (3, "kWh")
    assert f"falls from {before}" in rejection.reason
    assert rejection.reason.endswith("neither a rollover nor a registered swap")


def test_a_reading_beyond_the_register_is_rejected() -> None:
    (rejection,) = rejected(csv("9999", "10000"), PLAIN, points=ONE)
    assert (rejection.row, rejection.reason) == (3, "'10000' does not fit a register of 4 digits")


def test_a_negative_reading_is_rejected() -> None:
    (rejection,) = rejected(csv("-1", "1"), PLAIN, points=ONE)
    assert (rejection.row, rejection.reason) == (2, "'-1' is negative")


def test_a_swap_adds_both_registers_with_their_multipliers() -> None:
    """A shows 500 at 00:15 and leaves at 00:20 with 500.5; B comes with 7 and shows 7.25 at 00:30:
    0.5 kWh × 200 and 0.25 kWh × 100."""
    swap = facts(
        meter("A", OLD, NEW, multiplier="200", closing="500.5"),
        meter("B", NEW, multiplier="100", opening="7"),
    )
    imported = load(csv("499", "500", "7.25", "8.25"), PLAIN, points=swap)
    assert readings(imported) == [
        ("2018-01-01 00:00", 200_000, 0),
        ("2018-01-01 00:15", 125_000, 64),
        ("2018-01-01 00:30", 100_000, 0),
    ]
    assert repairs(imported) == [(64, "4", 1)]


def test_a_swap_with_finer_registers_than_the_file() -> None:
    swap = facts(
        meter("A", OLD, NEW, closing="500.0625"), meter("B", NEW, opening="6.9995", multiplier="1")
    )
    imported = load(csv("499", "500", "7", "8"), PLAIN, points=swap)
    assert [value for _, value, _ in readings(imported)] == [1000, 63, 1000]


@pytest.mark.parametrize(
    ("meters", "reason"),
    [
        (
            (meter("A", OLD, NEW, closing="500.5"), meter("B", NEW)),
            "meter 'B' was swapped in this interval, but its opening register is empty",
        ),
        (
            (meter("A", OLD, NEW, closing="12"), meter("B", NEW, opening="7")),
            "the register of meter 'A' falls around its swap: its closing register is wrong",
        ),
        (
            (meter("A", OLD, "2017-12-31T16:19:00Z", closing="501"), meter("B", NEW, opening="7")),
            "no meter is registered for a part of this interval",
        ),
    ],
)
def test_a_swap_that_can_t_be_told_is_rejected(meters: tuple[Meter, ...], reason: str) -> None:
    (rejection,) = rejected(csv("499", "500", "7.25"), PLAIN, points=facts(*meters))
    assert (rejection.row, rejection.column, rejection.reason) == (4, "kWh", reason)


def test_a_time_without_a_meter_is_rejected() -> None:
    (rejection,) = rejected(csv("1", "2"), PLAIN, points=facts(meter("A", "2019-01-01T00:00:00Z")))
    assert "no meter is registered for this time" in rejection.reason


def test_a_month_needs_the_next_month_s_first_reading() -> None:
    keep = '[keep]\nfrom = "2018-01-01 00:15"\nto = "2018-01-01 00:45"'
    profile = profile_text(time=INSTANTS, value=REGISTER, more_value=DIGITS, more=keep)
    imported = load(csv("1", "2", "4", "8", "16"), profile, points=ONE)
    assert readings(imported) == [
        ("2018-01-01 00:15", 400_000, 0),
        ("2018-01-01 00:30", 800_000, 0),
    ]
    assert repairs(imported) == [(0, "2,6", 2)]


def test_repeats_and_contradictions_of_readings() -> None:
    twice = csv("1", "2") + "2018-01-01 00:15,2.0\n"
    assert load(twice, PLAIN, points=ONE).repeats == 1
    rejections = rejected(csv("1", "2") + "2018-01-01 00:15,3\n", PLAIN, points=ONE)
    assert [each.row for each in rejections] == [3, 4]


def test_an_hourly_register_is_spread() -> None:
    time = INSTANTS.replace("15min", "1h")
    target = '[target]\ninterval = "15min"\nspread = "even"\n'
    profile = profile_text(time=time, value=REGISTER, more=target)
    data = "time,kWh\n2018-01-01 00:00,1\n2018-01-01 01:00,1.001\n"
    imported = load(data, profile, points=ONE)
    assert [(value, quality) for _, value, quality in readings(imported)] == [(50, 2)] * 4


def test_multiplier_of_energies_follows_the_meter_in_force() -> None:
    meters = facts(
        meter("A", OLD, "2017-12-31T16:15:00Z", multiplier="200"),
        meter("B", "2017-12-31T16:15:00Z", multiplier="0.5"),
    )
    profile = profile_text(more_value='multiplier = "meter"')
    imported = load(csv("1", "1"), profile, points=meters)
    assert [value for _, value, _ in readings(imported)] == [200_000, 500]
    late = facts(meter("A", "2017-12-31T16:15:00Z"))
    (rejection,) = rejected(csv("1", "1"), profile, points=late)
    assert (rejection.row, rejection.reason) == (
        2,
        "point 'p' has no meter at 2018-01-01 00:00 +08:00",
    )


def test_a_meter_is_in_force_until_just_before_its_end() -> None:
    gone = facts(meter("A", OLD, "2017-12-31T16:15:00Z", multiplier="2"))
    profile = profile_text(more_value='multiplier = "meter"')
    (rejection,) = rejected(csv("1", "1"), profile, points=gone)
    assert (rejection.row, rejection.reason) == (
        3,
        "point 'p' has no meter at 2018-01-01 00:15 +08:00",
    )


def test_a_moved_stamp_marks_both_intervals_that_it_bounds() -> None:
    profile = profile_text(time=INSTANTS, value=REGISTER, more_time="day_closing = true")
    data = (
        "time,kWh\n2018-01-01 23:30,1\n2018-01-01 23:45,2\n2018-01-01 00:00,3\n"
        "2018-01-02 00:15,4\n2018-01-02 00:30,5\n"
    )
    assert [
        (start, quality) for start, _, quality in readings(load(data, profile, points=ONE))
    ] == [
        ("2018-01-01 23:30", 0),
        ("2018-01-01 23:45", 16),
        ("2018-01-02 00:00", 16),
        ("2018-01-02 00:15", 0),
    ]


def test_a_multiplier_that_is_no_number() -> None:
    broken = facts(meter("A", OLD, multiplier="2OO"))
    with pytest.raises(InvalidInput, match="meter 'A': multiplier '2OO' is not a number"):
        load(csv("1", "2"), PLAIN, points=broken)
