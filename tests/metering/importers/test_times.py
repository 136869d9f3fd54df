"""Stamps, labels, zones and daylight saving time, on files small enough to check by eye."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidInput
from ledger.metering.importers import PointFacts, times
from tests.metering.importers.files import (
    TIME,
    load,
    profile_text,
    readings,
    rejected,
    repairs,
    xlsx,
)

LONDON = TIME + 'zone = "Europe/London"\n'


def csv(*stamps: str) -> str:
    """A file with the values 1, 2, 3 … kWh at these stamps."""
    return "time,kWh\n" + "".join(f"{stamp},{at}\n" for at, stamp in enumerate(stamps, start=1))


def starts(data: str | bytes, profile: str) -> list[tuple[str, int]]:
    return [(start, value) for start, value, _ in readings(load(data, profile))]


@pytest.mark.parametrize(
    ("stamp_format", "stamp"),
    [
        ("%Y-%m-%d %H:%M", "2018-03-04 05:15"),
        ("%Y-%m-%d %H:%M:%S", "2018-03-04 05:15:00"),
        ("%Y-%m-%dT%H:%M:%S", "2018-03-04T05:15:00"),
        ("%d/%m/%Y %H:%M", "4/3/2018 5:15"),
        ("%m/%d/%Y %H:%M", "3/4/2018 5:15"),
        ("%d %m %Y %H:%M", "04 03 2018 05:15"),
        ("%Y年%m月%d日%H时%M分", "2018年3月4日5时15分"),
        ("%Y%m%d%H%M", "201803040515"),
        ("%Y%m%d %H%M", "20180304 0515"),
        ("%H:%M %d.%m.%Y", "05:15 04.03.2018"),
        ("%Y-%m-%d %H:%M 100%%", "2018-03-04 05:15 100%"),
        ("%Y-%m-%d %H:%M%z", "2018-03-04 05:15+08:00"),
        ("%Y-%m-%d %H:%M %z", "2018-03-04 05:15 +0800"),
    ],
)
def test_formats(stamp_format: str, stamp: str) -> None:
    profile = profile_text(time=TIME.replace("%Y-%m-%d %H:%M", stamp_format))
    assert starts(csv(stamp), profile) == [("2018-03-04 05:15", 1000)]


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)))  # noqa: DTZ001
def test_texts_agree_with_the_standard_library(at: datetime) -> None:
    at = at.replace(microsecond=0)
    (seconds,) = times.read_texts([at.isoformat(" ")], "%Y-%m-%d %H:%M:%S").tolist()
    assert seconds == round(
        (at.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    )


@given(st.text(alphabet="0123456789-: T", max_size=20))
def test_any_text_is_read_or_bad(text: str) -> None:
    (seconds,) = times.read_texts([text], "%Y-%m-%d %H:%M").tolist()
    try:
        expected = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    except ValueError:
        # Only 24:00, and blanks or single digits that strptime alone forgives, may differ.
        assert seconds == times.BAD or " 24:00" in text
    else:
        assert seconds in (int(expected.timestamp()), times.BAD)


def test_label_start_and_end() -> None:
    end = profile_text(time=TIME.replace('"start"', '"end"'))
    assert starts(csv("2018-01-01 00:15"), profile_text()) == [("2018-01-01 00:15", 1000)]
    assert starts(csv("2018-01-01 00:15"), end) == [("2018-01-01 00:00", 1000)]
    assert starts(csv("2018-01-01 00:00"), end) == [("2017-12-31 23:45", 1000)]
    assert starts(csv("2018-01-01 24:00"), end) == [("2018-01-01 23:45", 1000)]


def test_a_stamp_that_closes_its_day() -> None:
    closing = profile_text(time=TIME.replace('"start"', '"end"'), more_time="day_closing = true")
    imported = load(csv("2018-01-01 23:45", "2018-01-01 00:00", "2018-01-02 00:15"), closing)
    assert readings(imported) == [
        ("2018-01-01 23:30", 1000, 0),
        ("2018-01-01 23:45", 2000, 16),
        ("2018-01-02 00:00", 3000, 0),
    ]
    assert repairs(imported) == [(16, "3", 1)]
    (rejection,) = rejected(csv("2018-01-01 24:00"), closing)
    assert "'2018-01-01 24:00' does not fit" in rejection.reason


def test_shift_and_range_to_keep() -> None:
    profile = profile_text(
        more_time='shift = "-365d"', more='[keep]\nfrom = "2018-01-01"\nto = "2018-01-01 00:30"'
    )
    imported = load(
        csv("2018-12-31 23:45", "2019-01-01 00:00", "2019-01-01 00:15", "2019-01-01 00:30"), profile
    )
    assert readings(imported) == [
        ("2018-01-01 00:00", 2000, 16),
        ("2018-01-01 00:15", 3000, 16),
    ]
    assert repairs(imported) == [(0, "2,5", 2), (16, "3-4", 2)]


def test_nothing_in_the_range_to_keep() -> None:
    profile = profile_text(more='[keep]\nfrom = "2020-01-01"')
    with pytest.raises(InvalidInput, match=r"no interval is left .* outside the range .* \(1\)"):
        load(csv("2018-12-31 23:45"), profile)


def test_date_and_time_in_two_columns() -> None:
    time_table = TIME.replace('["time"]', '["day", "clock"]')
    data = "day,clock,kWh\n2018-01-01,00:15,1\n2018-01-01,,2\n"
    (rejection,) = rejected(data, profile_text(time=time_table))
    assert (rejection.row, rejection.column) == (3, "day")
    native = xlsx([("day", "clock", "kWh"), (date(2018, 1, 1), time(0, 15), 1)])
    profile = profile_text(file='[file]\nformat = "xlsx"', time=time_table)
    assert starts(native, profile) == [("2018-01-01 00:15", 1000)]


def test_spreadsheet_stamps_are_rounded_to_the_second() -> None:
    """23:59:59.999 is how a float of days writes midnight; half a second is no rounding error."""
    profile = profile_text(file='[file]\nformat = "xlsx"')
    almost = datetime(2018, 1, 1, 0, 14, 59, 999_000)  # noqa: DTZ001
    assert starts(xlsx([("time", "kWh"), (almost, 1)]), profile) == [("2018-01-01 00:15", 1000)]
    half = datetime(2018, 1, 1, 0, 15, 0, 500_000)  # noqa: DTZ001
    (rejection,) = rejected(xlsx([("time", "kWh"), (half, 1)]), profile)
    assert "is no date and time of whole seconds" in rejection.reason


def test_fixed_offset_and_iana_zone() -> None:
    utc = profile_text(more_time='zone = "+00:00"')
    assert starts(csv("2018-01-01 00:00"), utc) == [("2018-01-01 08:00", 1000)]
    assert starts(csv("2018-01-01 00:00"), profile_text(time=LONDON)) == [
        ("2018-01-01 08:00", 1000)
    ]
    assert starts(csv("2018-07-01 00:00"), profile_text(time=LONDON)) == [
        ("2018-07-01 07:00", 1000)
    ]
    shanghai = profile_text(more_time='zone = "Asia/Shanghai"')
    assert starts(csv("2018-07-01 00:00"), shanghai) == [("2018-07-01 00:00", 1000)]


def test_gap_of_summer_time() -> None:
    data = csv("2018-03-25 00:45", "2018-03-25 01:00", "2018-03-25 01:45", "2018-03-25 02:00")
    first, second = rejected(data, profile_text(time=LONDON))
    assert (first.row, first.column) == (3, "time")
    assert first.reason == (
        "time 2018-03-25 01:00 does not exist in zone Europe/London:"
        " the clock was put forward over it"
    )
    assert second.row == 4
    whole = csv("2018-03-25 00:45", "2018-03-25 02:00")
    assert starts(whole, profile_text(time=LONDON)) == [
        ("2018-03-25 08:45", 1000),
        ("2018-03-25 09:00", 2000),
    ]


OVERLAP = (
    "2018-10-28 00:45",
    *(f"2018-10-28 01:{minute}" for minute in ("00", "15", "30", "45", "00", "15", "30", "45")),
    "2018-10-28 02:00",
)


def test_overlap_is_rejected_unless_the_order_decides() -> None:
    rejections = rejected(csv(*OVERLAP), profile_text(time=LONDON))
    assert [each.row for each in rejections] == [3, 4, 5, 6, 7, 8, 9, 10]
    assert "occurs twice in zone Europe/London" in rejections[0].reason
    ordered = profile_text(time=LONDON, more_time='ambiguous = "order"')
    imported = load(csv(*OVERLAP), ordered)
    assert [start for start, _, _ in readings(imported)] == [
        "2018-10-28 07:45",
        "2018-10-28 08:00",
        "2018-10-28 08:15",
        "2018-10-28 08:30",
        "2018-10-28 08:45",
        "2018-10-28 09:00",
        "2018-10-28 09:15",
        "2018-10-28 09:30",
        "2018-10-28 09:45",
        "2018-10-28 10:00",
    ]
    assert [value for _, value, _ in readings(imported)] == list(range(1000, 11_000, 1000))
    assert imported.repairs == ()


def test_overlap_that_the_order_can_t_decide() -> None:
    ordered = profile_text(time=LONDON, more_time='ambiguous = "order"')
    once = csv("2018-10-28 01:00", "2018-10-28 01:15")
    assert "in one pass only" in rejected(once, ordered)[0].reason
    thrice = csv(*("2018-10-28 01:00", "2018-10-28 01:15") * 3)
    assert "passes it more often" in rejected(thrice, ordered)[0].reason


def test_hourly_overlap_repeats_its_stamp() -> None:
    hourly = LONDON.replace("15min", "1h") + 'ambiguous = "order"\n'
    profile = profile_text(time=hourly, more='[target]\ninterval = "15min"\nspread = "even"')
    imported = load(csv("2018-10-28 00:00", "2018-10-28 01:00", "2018-10-28 01:00"), profile)
    assert len(imported.series[0]) == 12
    assert imported.missing == 0
    assert imported.repeats == 0


def test_an_interval_that_summer_time_cuts_short_is_rejected() -> None:
    """From 00:00 to 02:00 that night is one hour in London: it can't hold a two-hour value."""
    facts = {"p": PointFacts(unit="Wh", kind="consumption", interval_s=7200)}
    profile = profile_text(time=LONDON.replace("15min", "2h"))
    (rejection,) = rejected(csv("2018-03-25 00:00", "2018-03-25 02:00"), profile, points=facts)
    assert (rejection.row, rejection.reason) == (3, "the interval overlaps that of row 2")


def test_offsets_of_the_stamps() -> None:
    own = TIME.replace("%H:%M", "%H:%M%z")
    own_zone = profile_text(time=own, more_time='zone = "file"')
    assert starts(csv("2018-01-01 00:00Z", "2018-01-01 00:15Z"), own_zone) == [
        ("2018-01-01 08:00", 1000),
        ("2018-01-01 08:15", 2000),
    ]
    (rejection,) = rejected(csv("2018-01-01 08:00+08:00", "2018-01-01 09:15+09:00"), own_zone)
    assert (rejection.row, rejection.column) == (3, "time")
    assert rejection.reason == (
        "time '2018-01-01 09:15+09:00' mixes zones: row 2 has another offset"
        " ('2018-01-01 08:00+08:00')"
    )
    (bare,) = rejected(csv("2018-01-01 08:00+08:00", "2018-01-01 08:15"), own_zone)
    assert "carries no offset" in bare.reason


def test_offsets_must_be_those_of_the_zone() -> None:
    own = TIME.replace("%H:%M", "%H:%M%z")
    (rejection,) = rejected(csv("2018-01-01 00:00+09:00"), profile_text(time=own))
    assert rejection.reason == (
        "mixed zones: the stamp says +09:00, but zone 'park' has +08:00 then"
    )
    london = profile_text(time=own, more_time='zone = "Europe/London"')
    assert starts(csv("2018-10-28 01:00+01:00", "2018-10-28 01:00+00:00"), london) == [
        ("2018-10-28 08:00", 1000),
        ("2018-10-28 09:00", 2000),
    ]
    (wrong,) = rejected(csv("2018-07-01 00:00+00:00"), london)
    assert "zone 'Europe/London' has +01:00 then" in wrong.reason


def test_a_year_in_a_zone_with_summer_time_has_no_hole_and_no_repeat() -> None:
    """Every quarter-hour of 2018 in London's own stamps comes out once, in order."""
    begin = datetime(2018, 1, 1, tzinfo=UTC)
    stamps = [
        (begin + place * timedelta(minutes=15)).astimezone(ZoneInfo("Europe/London"))
        for place in range(35_040)
    ]
    data = csv(*(stamp.strftime("%Y-%m-%d %H:%M") for stamp in stamps))
    imported = load(data, profile_text(time=LONDON, more_time='ambiguous = "order"'))
    (series,) = imported.series
    first_s = int(begin.timestamp())
    assert series.start_s.tolist() == list(range(first_s, first_s + 35_040 * 900, 900))
    assert series.value.tolist() == list(range(1000, 35_041_000, 1000))
