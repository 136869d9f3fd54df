"""Layouts, file formats and rules for values, mostly through the shipped example profiles."""

from __future__ import annotations

import decimal
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import ledger.metering
from ledger.errors import InvalidInput
from ledger.metering.importers import Imported, PointFacts, read_bytes, read_profile
from tests.metering.importers.files import (
    FACTS,
    FILE,
    NOW_S,
    PARK,
    load,
    meter,
    parquet,
    profile_text,
    readings,
    rejected,
    repairs,
    xlsx,
)

PROFILES = Path(ledger.metering.__file__).parent / "profiles"
SINCE = "2017-12-31T16:00:00Z"


def example(name: str) -> str:
    return (PROFILES / name).read_text(encoding="utf-8")


def names(imported: Imported) -> list[str]:
    return [series.point for series in imported.series]


# ── one column per point ──


def test_simple_file_names_its_point() -> None:
    data = "time,kWh\n2026-01-01 00:00,12.5\n2026-01-01 00:15,0\n"
    imported = load(
        data, example("simple-15min.toml"), points={"factory-a": FACTS}, name="factory-a.csv"
    )
    assert names(imported) == ["factory-a"]
    assert readings(imported) == [("2026-01-01 00:00", 12_500, 0), ("2026-01-01 00:15", 0, 0)]
    with pytest.raises(InvalidInput, match="names point 'factory-b', which is not registered"):
        load(data, example("simple-15min.toml"), points={"factory-a": FACTS}, name="factory-b.csv")


def test_several_columns_are_several_points() -> None:
    points = '[[points]]\ncolumn = "A"\npoint = "x"\n[[points]]\ncolumn = "B"\npoint = "w"\n'
    data = "time,B,unused,A\n2018-01-01 00:00,1,?,2\n2018-01-01 00:15,3,?,4\n"
    imported = load(data, profile_text(points=points), points={"x": FACTS, "w": FACTS})
    assert names(imported) == ["w", "x"]
    assert [value for _, value, _ in readings(imported, 0)] == [1000, 3000]
    assert [value for _, value, _ in readings(imported, 1)] == [2000, 4000]
    assert imported.rows == 2
    (rejection,) = rejected(
        data.replace(",4", ",four"), profile_text(points=points), points={"x": FACTS, "w": FACTS}
    )
    assert (rejection.row, rejection.column) == (3, "A")


# ── long ──


def test_register_example() -> None:
    rows = (
        "日期,电能表资产编号,正向有功总(kWh)\n"
        "2026-01-01 00:00:00,4430001,999999.90\n"
        "2026-01-01 00:00:00,0012,10\n"
        "2026-01-01 00:15:00,4430001,0.10\n"
        "2026-01-01 00:15:00,0012,10.5\n"
    )
    since = "2025-01-01T00:00:00Z"
    points = {
        "east": PointFacts(
            unit="Wh",
            kind="consumption",
            interval_s=900,
            meters=(meter("4430001", since, multiplier="60"),),
        ),
        "west": PointFacts(
            unit="Wh", kind="consumption", interval_s=900, meters=(meter("0012", since),)
        ),
    }
    imported = load(rows.encode("gb18030"), example("register-15min.toml"), points=points)
    assert names(imported) == ["east", "west"]
    assert readings(imported, 0) == [("2026-01-01 00:00", 12_000, 32)]
    assert readings(imported, 1) == [("2026-01-01 00:00", 500, 0)]
    assert repairs(imported) == [(32, "4", 1)]
    unknown = rows.replace("0012,10.5", "0013,10.5").encode("gb18030")
    (rejection,) = rejected(unknown, example("register-15min.toml"), points=points)
    assert (rejection.row, rejection.column) == (5, "电能表资产编号")
    assert rejection.reason == "unknown meter '0013'; did you mean '0012'?"


def test_a_meter_that_was_not_in_force() -> None:
    points = {
        "p": PointFacts(
            unit="Wh",
            kind="consumption",
            interval_s=900,
            meters=(
                meter("A", SINCE, "2017-12-31T16:15:00Z"),
                meter("B", "2017-12-31T16:15:00Z"),
            ),
        )
    }
    long = '[long]\npoint_column = "meter"\npoint_by = "meter"\nvalue_column = "kWh"\n'
    data = "time,meter,kWh\n2018-01-01 00:00,A,1\n2018-01-01 00:15,A,1\n2018-01-01 00:30,B,1\n"
    (rejection,) = rejected(data, profile_text(points=long), points=points)
    assert (rejection.row, rejection.reason) == (
        3,
        "meter 'A' was not in force at 2018-01-01 00:15 +08:00",
    )


def test_names_of_the_file_are_mapped() -> None:
    long = (
        '[long]\npoint_column = "line"\nvalue_column = "kWh"\n'
        '[long.names]\n"一号线" = "p"\n"总表" = "nowhere"\n'
    )
    data = "time,line,kWh\n2018-01-01 00:00,一号线,1\n"
    assert names(load(data, profile_text(points=long))) == ["p"]
    (rejection,) = rejected(
        data + "2018-01-01 00:00,总表,1\n2018-01-01 00:15,一号线,1\n", profile_text(points=long)
    )
    assert (rejection.row, rejection.reason) == (3, "unknown point 'nowhere'")
    (rejection,) = rejected(data + "2018-01-01 00:15,,1\n", profile_text(points=long))
    assert (rejection.row, rejection.reason) == (3, "names no point")


def test_meter_numbers_of_a_spreadsheet_lose_their_point_zero() -> None:
    long = '[long]\npoint_column = "m"\npoint_by = "meter"\nvalue_column = "kWh"\n'
    points = {
        "p": PointFacts(unit="Wh", kind="other", interval_s=900, meters=(meter("443", SINCE),))
    }
    data = xlsx([("time", "m", "kWh"), ("2018-01-01 00:00", 443, 1.5)])
    profile = profile_text(file='[file]\nformat = "xlsx"', points=long)
    assert readings(load(data, profile, points=points)) == [("2018-01-01 00:00", 1500, 0)]


# ── wide ──

HEADER = "DATA_DATE,METER,DATA_TYPE,DATA_WHOLE_FLAG," + ",".join(f"P{at}" for at in range(1, 97))
WIDE_POINTS = {
    "p": PointFacts(
        unit="Wh", kind="consumption", interval_s=900, meters=(meter("M1", SINCE, multiplier="10"),)
    )
}


def wide(*rows: str) -> bytes:
    return "".join(f"{row}\n" for row in (HEADER, *rows)).encode("gb18030")


def day(date: str, *, kind: str = "1", flags: str = "1" * 96, cells: str | None = None) -> str:
    return ",".join((date, "M1", kind, flags, cells or ",".join(str(at) for at in range(1, 97))))


def test_wide_96() -> None:
    """Column Pn holds n kW: n × 10 ÷ 4 kWh in its quarter."""
    data = wide(day("2018-01-01"), day("2018-01-01", kind="2"), day("2018-01-02"))
    imported = load(data, example("wide-96.toml"), points=WIDE_POINTS)
    all_readings = readings(imported)
    assert len(all_readings) == 192
    assert all_readings[:2] == [("2018-01-01 00:00", 2500, 0), ("2018-01-01 00:15", 5000, 0)]
    assert all_readings[95] == ("2018-01-01 23:45", 240_000, 0)
    assert all_readings[96] == ("2018-01-02 00:00", 2500, 0)
    assert [(each.rule, each.rows) for each in imported.repairs] == [
        ("row left out, since its 'DATA_TYPE' is not '1'", "3")
    ]
    assert imported.rows == 3


def test_wide_96_with_end_labels() -> None:
    text = example("wide-96.toml").replace('"00:00"', '"00:15"').replace('"start"', '"end"')
    imported = load(wide(day("2018-01-01")), text, points=WIDE_POINTS)
    assert readings(imported)[0] == ("2018-01-01 00:00", 2500, 0)
    assert readings(imported)[95] == ("2018-01-01 23:45", 240_000, 0)


def test_completeness_string_and_missing_cells() -> None:
    cells = ",".join(["5", "5", "", "NULL", *["5"] * 92])
    data = wide(day("2018-01-01", flags="10" + "1" * 94, cells=cells))
    imported = load(data, example("wide-96.toml"), points=WIDE_POINTS)
    assert [start for start, _, _ in readings(imported)][:2] == [
        "2018-01-01 00:00",
        "2018-01-01 01:00",
    ]
    assert imported.missing == 3
    assert [(each.rule, each.rows, each.count) for each in imported.repairs] == [
        ("marked as not collected in 'DATA_WHOLE_FLAG': left out", "2", 1),
        ("missing value: the interval is absent", "2", 2),
    ]


def test_completeness_string_of_the_wrong_length() -> None:
    data = wide(day("2018-01-01"), day("2018-01-02", flags="1" * 95))
    (rejection,) = rejected(data, example("wide-96.toml"), points=WIDE_POINTS)
    assert (rejection.row, rejection.column) == (3, "DATA_WHOLE_FLAG")
    assert rejection.reason == "has 95 characters, but there are 96 columns"


def test_wide_cell_is_named_by_its_column() -> None:
    cells = ",".join(["5"] * 40 + ["x"] + ["5"] * 55)
    (rejection,) = rejected(
        wide(day("2018-01-01", cells=cells)), example("wide-96.toml"), points=WIDE_POINTS
    )
    assert (rejection.row, rejection.column) == (2, "P41")


def test_wide_file_that_lacks_a_column() -> None:
    data = (HEADER.removesuffix(",P96") + "\n").encode()
    with pytest.raises(InvalidInput, match="there is no column 'P96' in row 1; did you mean"):
        load(data, example("wide-96.toml"), points=WIDE_POINTS)


def test_columns_of_a_spreadsheet_may_be_named_by_numbers() -> None:
    text = (
        '[file]\nformat = "xlsx"\n[time]\ncolumns = ["day"]\nformat = "%Y-%m-%d"\ninterval = "1h"\n'
        'label = "start"\n[value]\nquantity = "energy"\nunit = "Wh"\n'
        '[wide]\ncolumns = "*"\nfirst = "00:00"\npoint = "p"\n'
    )
    rows = [["day", *range(1, 25)], ["2018-01-01", *range(24)]]
    facts = {"p": PointFacts(unit="Wh", kind="other", interval_s=3600)}
    assert [value for _, value, _ in readings(load(xlsx(rows), text, points=facts))] == [*range(24)]


def test_wide_date_that_hides_a_time() -> None:
    at_eight = datetime(2018, 1, 1, 8)  # noqa: DTZ001
    rows = [HEADER.split(","), [at_eight, "M1", "1", "1" * 96, *range(96)]]
    text = example("wide-96.toml").replace(
        'format = "csv"\nencoding = "gb18030"', 'format = "xlsx"'
    )
    (rejection,) = rejected(xlsx(rows), text, points=WIDE_POINTS)
    assert rejection.reason == "date 2018-01-01 08:00 has a time of day"


# ── XLSX and Parquet ──


def test_title_row_and_empty_rows_keep_the_spreadsheet_s_numbers() -> None:
    rows = [(), ("Readings of 2018",), ("time", "kWh"), ("2018-01-01 00:00", 1), (), ("x", 2)]
    profile = profile_text(file='[file]\nformat = "xlsx"\nsheet = "Data"\nheader_row = 3')
    (rejection,) = rejected(xlsx(rows, sheet="Data"), profile)
    assert (rejection.row, rejection.column) == (6, "time")


def test_title_row_in_csv() -> None:
    profile = profile_text(file=FILE + "header_row = 2")
    data = '"Readings, all"\ntime,kWh\n2018-01-01 00:00,1\n2018-01-01 00:15,x\n'
    (rejection,) = rejected(data, profile)
    assert rejection.row == 4
    with pytest.raises(InvalidInput, match="should be in row 2, but the file has 1 rows"):
        load("time,kWh\n", profile)


def test_encodings_and_delimiter() -> None:
    profile = profile_text(file=FILE + 'delimiter = ";"')
    data = "\ufefftime;kWh\r\n2018-01-01 00:00;1\r\n"
    assert readings(load(data, profile)) == [("2018-01-01 00:00", 1000, 0)]
    marked = profile_text(file=FILE + 'delimiter = ";"\nencoding = "utf-8-sig"')
    assert len(load(data.removeprefix("\ufeff"), marked).series[0]) == 1


def test_parquet_example() -> None:
    stamps = [datetime(2017, 12, 31, 16, minute, tzinfo=UTC) for minute in (0, 15, 0)]
    data = parquet({"time": stamps, "point": ["p", "p", "q"], "wh": [1, 2, 3]})
    imported = load(data, example("parquet.toml"), points={"p": FACTS, "q": FACTS})
    assert names(imported) == ["p", "q"]
    assert readings(imported, 0) == [("2018-01-01 00:00", 1, 0), ("2018-01-01 00:15", 2, 0)]
    null = parquet({"time": stamps, "point": ["p", "p", "q"], "wh": [1, None, 3]})
    (rejection,) = rejected(null, example("parquet.toml"), points={"p": FACTS, "q": FACTS})
    assert (rejection.row, rejection.column, rejection.reason) == (3, "wh", "value is missing ('')")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([0.1, 0.0025], pa.float64()),
        pa.array(np.array([0.1, 0.0025], dtype=np.float32)),
        pa.array([decimal.Decimal("0.1000"), decimal.Decimal("0.0025")]),
        pa.array(["0.1", "2.5e-3"]),
        pa.array(["0.1", "0.0025"]).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_numbers_of_parquet_are_taken_by_their_shortest_text(column: pa.Array) -> None:
    data = parquet({"time": ["2018-01-01 00:00", "2018-01-01 00:15"], "kWh": column})
    imported = load(data, profile_text(file='[file]\nformat = "parquet"'))
    # 0.1 as a widened float32 would still round to 100; 2.5 Wh is a tie only if it is exact.
    assert [value for _, value, _ in readings(imported)] == [100, 2]


def test_parquet_column_that_does_not_exist() -> None:
    with pytest.raises(InvalidInput, match="no column 'kWh' in the file; did you mean 'kwh'"):
        load(
            parquet({"time": ["2018-01-01 00:00"], "kwh": [1]}),
            profile_text(file='[file]\nformat = "parquet"'),
        )


# ── rules for values ──

FIVE = "time,kWh\n" + "".join(
    f"2018-01-01 0{hour}:00,{cell}\n" for hour, cell in enumerate(("1", "NA", "-99", "0", "-2"))
)


def test_missing_markers_negative_and_zero() -> None:
    rules = 'missing = "skip"\nmissing_markers = ["NA", "-99"]\nnegative = "clip"\nzero_is = '
    imported = load(FIVE, profile_text(more_value=rules + '"suspect"'))
    assert readings(imported) == [
        ("2018-01-01 00:00", 1000, 0),
        ("2018-01-01 03:00", 0, 128),
        ("2018-01-01 04:00", 0, 8),
    ]
    assert repairs(imported) == [(0, "3-4", 2), (8, "6", 1), (128, "5", 1)]
    imported = load(FIVE, profile_text(more_value=rules + '"missing"'))
    assert [start for start, _, _ in readings(imported)] == ["2018-01-01 00:00", "2018-01-01 04:00"]


def test_by_default_missing_and_negative_are_rejected() -> None:
    rejections = rejected(FIVE, profile_text(more_value='missing_markers = ["NA", "-99"]'))
    assert [(each.row, each.reason) for each in rejections] == [
        (3, "value is missing ('NA')"),
        (4, "value is missing ('-99')"),
        (6, "'-2' is negative"),
    ]


def test_a_number_marker_is_known_in_any_spelling() -> None:
    rules = 'missing = "skip"\nmissing_markers = ["-99"]'
    data = xlsx([("time", "kWh"), ("2018-01-01 00:00", -99.0), ("2018-01-01 00:15", 1)])
    profile = profile_text(file='[file]\nformat = "xlsx"', more_value=rules)
    assert readings(load(data, profile)) == [("2018-01-01 00:15", 1000, 0)]


def test_negative_values_are_kept_where_they_mean_something() -> None:
    other = {"p": PointFacts(unit="Wh", kind="other", interval_s=900)}
    imported = load(
        "time,kWh\n2018-01-01 00:00,-0.0015\n",
        profile_text(more_value='negative = "keep"'),
        points=other,
    )
    assert readings(imported) == [("2018-01-01 00:00", -2, 0)]


def test_a_negative_scale_turns_the_sign_that_counts() -> None:
    rules = 'scale = "-1"\n'
    data = "time,kWh\n2018-01-01 00:00,-2\n2018-01-01 00:15,1\n"
    (rejection,) = rejected(data, profile_text(more_value=rules))
    assert rejection.row == 3
    imported = load(data, profile_text(more_value=rules + 'negative = "clip"'))
    assert readings(imported) == [("2018-01-01 00:00", 2000, 0), ("2018-01-01 00:15", 0, 8)]


def test_progress_ends_at_all_rows() -> None:
    seen: list[tuple[int, int]] = []
    read_bytes(
        b"time,kWh\n2018-01-01 00:00,1\n2018-01-01 00:15,2\n",
        read_profile(profile_text(), where="test.toml"),
        name="readings.csv",
        points={"p": FACTS},
        zone=PARK,
        now_s=NOW_S,
        progress=lambda done, all_: seen.append((done, all_)),
    )
    assert seen == sorted(seen)
    assert seen[-1] == (2, 2)
