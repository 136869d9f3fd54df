"""Months of park time, and the names of origins."""

import calendar
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidInput
from ledger.lots.model import Month, OriginId, month_of, months_in, parse_origin
from ledger.units import Period

ZONES = st.integers(-59, 59).map(lambda quarters: 900 * quarters)
INSTANTS = st.integers(86_400 * 400, 253_000_000_000)
POINT = "0123456789abcdef" * 2


def local(unix_s: int, zone_s: int) -> datetime:
    return datetime.fromtimestamp(unix_s, timezone(timedelta(seconds=zone_s)))


@given(INSTANTS, ZONES)
def test_a_month_is_the_calendars(unix_s: int, zone_s: int) -> None:
    found, here = month_of(unix_s, zone_s), local(unix_s, zone_s)
    assert str(found) == f"{here.year:04}-{here.month:02}"
    assert found.count == 96 * calendar.monthrange(here.year, here.month)[1]
    begin = local(found.start_s, zone_s)
    assert (begin.day, begin.hour, begin.minute, begin.second) == (1, 0, 0, 0)
    assert (begin.year, begin.month) == (here.year, here.month)
    assert found.start_s <= unix_s < found.period.end_s
    assert month_of(found.start_s - 1, zone_s).next == found
    assert found.next.start_s == found.period.end_s


@given(INSTANTS, st.integers(1, 200 * 96), ZONES)
def test_the_months_of_a_period(start_s: int, quarters: int, zone_s: int) -> None:
    period = Period(start_s=start_s, end_s=start_s + 900 * quarters)
    names = [str(month) for month in months_in(period, zone_s)]
    assert names == sorted(
        {
            local(at_s, zone_s).strftime("%Y-%m")
            for at_s in (*range(start_s, period.end_s, 86_400), period.end_s - 1)
        }
    )


@pytest.mark.parametrize(
    ("month", "count"),
    [("2024-02", 29), ("2023-02", 28), ("2000-02", 29), ("2100-02", 28), ("2026-12", 31)],
)
def test_leap_years(month: str, count: int) -> None:
    assert parse_origin(f"{POINT}/{month}/0").month.count == 96 * count


def test_december_is_followed_by_january() -> None:
    after = Month(year=2026, month=12, zone_offset_s=28_800).next
    assert str(after) == "2027-01"
    assert after.start_s == datetime(2026, 12, 31, 16, tzinfo=UTC).timestamp()


def test_a_period_that_ends_with_the_month_touches_no_other() -> None:
    march = Month(year=2026, month=3, zone_offset_s=28_800)
    assert months_in(march.period, 28_800) == [march]


@pytest.mark.parametrize("revision", [0, 1, 9, 10, 999_999])
def test_names_of_origins_there_and_back(revision: int) -> None:
    text = f"{POINT}/2026-03/{revision}"
    found = parse_origin(text, 28_800)
    month = Month(year=2026, month=3, zone_offset_s=28_800)
    assert found == OriginId(point=bytes.fromhex(POINT), month=month, revision=revision)
    assert str(found) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{POINT}/2026-03",
        f"{POINT}/2026-03/",
        f"{POINT}/2026-03/01",
        f"{POINT}/2026-03/-1",
        f"{POINT}/2026-03/+1",
        f"{POINT}/2026-03/1 ",
        f"{POINT}/2026-03/1\n",
        f"{POINT}/2026-03/٣",
        f"{POINT}/2026-3/0",
        f"{POINT}/2026-00/0",
        f"{POINT}/2026-13/0",
        f"{POINT}/26-03/0",
        f"{POINT.upper()}/2026-03/0",
        f"{POINT[1:]}/2026-03/0",
        f"{POINT}0/2026-03/0",
        f"/{POINT}/2026-03/0",
        f"{POINT}/0000-01/0",
    ],
)
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="origin"):
        parse_origin(text)
