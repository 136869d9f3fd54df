"""What must not get in: each bad file is refused with its row and reason, or names the remedy."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.errors import InvalidInput
from ledger.metering.importers import PointFacts, Rejection, read_file, read_profile
from ledger.units import parse_instant
from tests.metering.importers.files import (
    FACTS,
    FILE,
    NOW_S,
    PARK,
    load,
    parquet,
    profile_text,
    readings,
    rejected,
    repairs,
    xlsx,
)

GOOD = "time,kWh\n2018-01-01 00:00,1\n2018-01-01 00:15,2\n"


def csv(*rows: str) -> str:
    return "".join(f"{row}\n" for row in ("time,kWh", *rows))


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("2018-01-01 00:15,NaN", "kWh", "'NaN' is not a finite number"),
        ("2018-01-01 00:15,-inf", "kWh", "'-inf' is not a finite number"),
        ("2018-01-01 00:15,abc", "kWh", "'abc' is not a number"),
        ("2018-01-01 00:15,1_000", "kWh", "'1_000' is not a number"),
        ("2018-01-01 00:15,１２", "kWh", "'１２' is not a number"),
        ("2018-01-01 00:15,0x10", "kWh", "'0x10' is not a number"),
        ("2018-01-01 00:15,.", "kWh", "'.' is not a number"),
        ("2018-01-01 00:15,1e999", "kWh", "'1e999' has more digits than a meter can show"),
        ("2018-01-01 00:15,1e13", "kWh", "more than 1000000000000000 Wh in one interval"),
        ("2018-01-01 00:15,", "kWh", "value is missing ('')"),
        ("2018-01-01 00:15,-0.001", "kWh", "'-0.001' is negative"),
        (",2", "time", "has no time"),
        ("2018-02-29 00:15,2", "time", "time '2018-02-29 00:15' does not fit"),
        ("2018-01-01 24:15,2", "time", "time '2018-01-01 24:15' does not fit"),
        ("01/01/2018 00:15,2", "time", "does not fit the format '%Y-%m-%d %H:%M'"),
        ("2018-01-01 00:15+08:00,2", "time", "carries an offset, but the profile's format has no"),
        ("2018-01-01 00:07,2", "time", "time 2018-01-01 00:07 is not on the grid of 15 min"),
        ("1969-01-01 00:15,2", "kWh", "begins before 1970"),
        ("2018-01-01 00:15", "", "has 1 fields, but the header has 2"),
        ("2018-01-01 00:15,2,3", "", "has 3 fields, but the header has 2"),
    ],
)
def test_bad_row_is_named(row: str, column: str, reason: str) -> None:
    (rejection,) = rejected(csv("2018-01-01 00:00,1", row, "2018-01-01 00:30,3"))
    assert (rejection.row, rejection.column) == (3, column)
    assert reason in rejection.reason


def test_message_shows_the_first_rows_and_counts_all() -> None:
    bad = [f"2018-01-01 {hour:02}:00,x" for hour in range(8)]
    with pytest.raises(InvalidInput) as caught:
        load(csv(*bad))
    message = str(caught.value)
    assert message.startswith("readings.csv: 8 values rejected: row 2, column 'kWh': 'x' is not")
    assert message.endswith("row 6, column 'kWh': 'x' is not a number; … and 3 more")
    assert len(caught.value.rejections) == 8  # type: ignore[attr-defined]


def test_accept_partial_stores_the_rest() -> None:
    imported = load(csv("2018-01-01 00:00,1", "2018-01-01 00:15,x"), accept_partial=True)
    assert readings(imported) == [("2018-01-01 00:00", 1000, 0)]
    assert imported.rejections == (Rejection(row=3, column="kWh", reason="'x' is not a number"),)
    assert imported.rows == 2


def test_accept_partial_of_nothing_is_refused() -> None:
    assert len(rejected(csv("2018-01-01 00:00,x"), accept_partial=True)) == 1


def test_future_is_later_than_the_clock_and_five_minutes() -> None:
    noon_s = parse_instant("2018-01-01T04:00:00Z")  # 12:00 park time
    data = csv("2018-01-01 11:45,1", "2018-01-01 12:00,2")
    assert len(load(data, now_s=noon_s + 600).series[0]) == 2
    (rejection,) = rejected(data, now_s=noon_s + 599)
    assert rejection.row == 3
    assert rejection.reason == (
        "ends in the future (2018-01-01 12:15 +08:00, while the clock says"
        " 2018-01-01 12:09:59 +08:00)"
    )


def test_identical_repeats_are_counted_and_dropped() -> None:
    imported = load(
        csv(
            "2018-01-01 00:00,1", "2018-01-01 00:15,2", "2018-01-01 00:00,1.0", "2018-01-01 00:00,1"
        )
    )
    assert readings(imported) == [("2018-01-01 00:00", 1000, 0), ("2018-01-01 00:15", 2000, 0)]
    assert imported.repeats == 2
    assert imported.rows == 4


def test_different_values_for_an_interval_are_rejected_all() -> None:
    data = csv("2018-01-01 00:00,1", "2018-01-01 00:15,2", "2018-01-01 00:00,3")
    first, second = rejected(data)
    assert first.row == 2
    assert first.reason == (
        "'1' for 2018-01-01 00:00 +08:00, but row 4 says '3' for the same interval"
    )
    assert second.row == 4
    assert "but row 2 says '1'" in second.reason
    assert readings(load(data, accept_partial=True)) == [("2018-01-01 00:15", 2000, 0)]


def test_rows_out_of_order_are_sorted_and_reported() -> None:
    imported = load(csv("2018-01-01 00:15,2", "2018-01-01 00:00,1"))
    assert readings(imported) == [("2018-01-01 00:00", 1000, 0), ("2018-01-01 00:15", 2000, 0)]
    assert [(each.rule, each.rows) for each in imported.repairs] == [
        ("row steps back in time: sorted", "3")
    ]


def test_blank_rows_keep_their_numbers() -> None:
    (rejection,) = rejected("time,kWh\n\n2018-01-01 00:00,1\n,\n2018-01-01 00:15,x\n")
    assert rejection.row == 5
    imported = load("time,kWh\n\n2018-01-01 00:00,1\n,\n")
    assert repairs(imported) == [(0, "2,4", 2)]
    assert imported.rows == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (b"time,kWh\n", "the file has a header, but no rows of data"),
        (GOOD.encode()[:-1], "row 3, the last, does not end in a line break, so the file may be"),
        (b'time,kWh\n2018-01-01 00:00,"1\n2018-01-01 00:15,2\n', "broken or truncated after row 1"),
        (b"time,kWh\n2018-01-01 00:00,\xff\n", "row 2 is not utf-8 text (byte 26)"),
        (GOOD.encode("utf-16"), "is not utf-8 text"),
        (b"PK\x03\x04....", "the profile says CSV, but this is XLSX"),
        (b"PAR1....", "the profile says CSV, but this is PARQUET"),
        (
            b"time,KWh\n2018-01-01 00:00,1\n",
            "there is no column 'kWh' in row 1; did you mean 'KWh'?",
        ),
        (b"when,kWh\n2018-01-01 00:00,1\n", "no column 'time' in row 1 (columns: 'when', 'kWh')"),
        (b"time;kWh\n2018-01-01 00:00;1\n", "there is no column 'time' in row 1"),
        (b"time,kWh,kWh\n2018-01-01 00:00,1,2\n", "column 'kWh' occurs 2 times in row 1"),
    ],
)
def test_bad_file_is_refused_as_a_whole(data: bytes, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        load(data)
    assert str(caught.value).startswith("readings.csv: ")
    assert message in str(caught.value)


def test_every_truncation_of_a_csv_file_is_noticed() -> None:
    whole = csv("2018-01-01 00:00,1.25", "2018-01-01 00:15,2.5", "2018-01-01 00:30,3.75").encode()
    at_a_row_end = {place + 1 for place, byte in enumerate(whole) if byte == ord("\n")}
    for size in range(len(whole)):
        if size in at_a_row_end and whole[:size].count(b"\n") > 1:
            continue  # such a file is whole as far as anyone can tell
        with pytest.raises(InvalidInput):
            load(whole[:size])


def test_missing_final_line_break_can_be_allowed() -> None:
    profile = profile_text(file=FILE + 'final_line_break = "optional"')
    assert len(load(GOOD[:-1], profile).series[0]) == 2


@pytest.mark.parametrize("form", ["xlsx", "parquet"])
def test_every_kind_of_binary_truncation_is_noticed(form: str) -> None:
    start = datetime(2018, 1, 1)  # noqa: DTZ001 — a spreadsheet's stamps carry no zone
    stamps = [start + place * timedelta(minutes=15) for place in range(50)]
    whole = (
        xlsx([("time", "kWh"), *((stamp, 1.5) for stamp in stamps)])
        if form == "xlsx"
        else parquet({"time": stamps, "kWh": [1.5] * 50})
    )
    profile = profile_text(file=f'[file]\nformat = "{form}"')
    assert len(load(whole, profile).series[0]) == 50
    for size in range(0, len(whole) - 1, 97):
        with pytest.raises(InvalidInput):
            load(whole[:size], profile)


@pytest.mark.parametrize("form", ["xlsx", "parquet"])
def test_text_is_not_taken_for_a_binary_format(form: str) -> None:
    with pytest.raises(InvalidInput, match=f"says {form.upper()}, but this is text"):
        load(GOOD, profile_text(file=f'[file]\nformat = "{form}"'))


def test_not_finite_floats_of_parquet_are_rejected() -> None:
    data = parquet(
        {
            "time": ["2018-01-01 00:00", "2018-01-01 00:15", "2018-01-01 00:30"],
            "kWh": [1.0, math.nan, math.inf],
        }
    )
    nan, infinite = rejected(data, profile_text(file='[file]\nformat = "parquet"'))
    assert (nan.row, nan.reason) == (3, "'nan' is not a finite number")
    assert (infinite.row, infinite.reason) == (4, "'inf' is not a finite number")


def test_unknown_point_of_the_profile() -> None:
    with pytest.raises(InvalidInput, match="names point 'p', which is not registered") as caught:
        load(GOOD, points={"pv": FACTS, "wind": FACTS})
    assert "(points: 'pv', 'wind')" in str(caught.value)


def test_unknown_point_in_a_row() -> None:
    profile = profile_text(points='[long]\npoint_column = "who"\nvalue_column = "kWh"')
    data = "time,who,kWh\n2018-01-01 00:00,wind-1,1\n2018-01-01 00:00,wnid-1,2\n"
    (rejection,) = rejected(data, profile, points={"wind-1": FACTS})
    assert rejection == Rejection(
        row=3, column="who", reason="unknown point 'wnid-1'; did you mean 'wind-1'?"
    )


@pytest.mark.parametrize(
    ("facts", "more_value", "message"),
    [
        (PointFacts(unit="ml", kind="other", interval_s=900), "", "point 'p' is registered in ml"),
        (PointFacts(unit="Wh", kind="other", interval_s=3600), "", "is registered with 3600 s"),
        (PointFacts(unit="Wh", kind="other", interval_s=900, measure="gauge"), "", "as gauge"),
        (FACTS, 'negative = "keep"', "whose values can't be negative"),
        (FACTS, 'multiplier = "meter"', "point 'p' has no meter data"),
    ],
)
def test_profile_that_does_not_fit_the_point(
    facts: PointFacts, more_value: str, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        load(GOOD, profile_text(more_value=more_value), points={"p": facts})


def test_file_of_another_name_and_no_file(tmp_path: Path) -> None:
    profile = profile_text(file=FILE + 'name = "building_*_2018.csv"')
    with pytest.raises(InvalidInput, match=r"is for files named 'building_\*_2018\.csv'"):
        load(GOOD, profile)
    with pytest.raises(InvalidInput, match=r"gone\.csv: can't be read: No such file"):
        read_file(
            tmp_path / "gone.csv",
            read_profile(profile_text(), where="test.toml"),
            points={"p": FACTS},
            zone=PARK,
            now_s=NOW_S,
        )


def test_spreadsheet_that_guessed_a_part_of_the_dates() -> None:
    data = xlsx([("time", "kWh"), (datetime(2018, 2, 1), 1), ("13/01/2018 00:15", 2)])  # noqa: DTZ001
    with pytest.raises(InvalidInput, match=r"mixes dates and text \(row 3: '13/01/2018 00:15'\)"):
        load(data, profile_text(file='[file]\nformat = "xlsx"'))


def test_unknown_sheet_lists_those_that_exist() -> None:
    profile = profile_text(file='[file]\nformat = "xlsx"\nsheet = "Date"')
    with pytest.raises(InvalidInput, match="no sheet 'Date'; did you mean 'Data'"):
        load(xlsx([("time", "kWh")], sheet="Data"), profile)


def test_parquet_zone_must_be_the_profile_s() -> None:
    stamps = [datetime(2018, 1, 1, tzinfo=UTC)]
    data = parquet({"time": stamps, "kWh": [1.0]})
    file = '[file]\nformat = "parquet"'
    with pytest.raises(InvalidInput, match="mixed zones: column 'time' carries zone 'UTC'"):
        load(data, profile_text(file=file))
    time = '[time]\ncolumns = ["time"]\ninterval = "15min"\nlabel = "start"\nzone = "file"\n'
    imported = load(data, profile_text(file=file, time=time))
    assert readings(imported) == [("2018-01-01 08:00", 1000, 0)]
