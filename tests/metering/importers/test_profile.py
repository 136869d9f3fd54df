"""Profiles are read strictly: each mistake is an error that names the key and what is allowed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

import ledger.metering
from ledger.errors import InvalidInput
from ledger.metering.importers import read_profile
from tests.metering.importers.files import FILE, POINTS, TIME, VALUE, profile_text

EXAMPLES = sorted((Path(ledger.metering.__file__).parent / "profiles").glob("*.toml"))


def error(text: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        read_profile(text, where="mine.toml")
    assert str(caught.value).startswith("mine.toml: ")
    return str(caught.value).removeprefix("mine.toml: ")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_shipped_examples_are_valid_and_explained(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert read_profile(text, where=path.name).title
    assert text.startswith("# ")
    assert "shared" not in text


def test_there_are_nine_examples() -> None:
    assert len(EXAMPLES) == 9


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"more_time": 'labell = "end"'},
            "[time] labell is not a key of this table; did you mean 'label'? Allowed here: 'col",
        ),
        ({"more": "[targets]\n"}, "targets is not a key of this table; did you mean 'target'?"),
        (
            {"file": FILE + 'sheet = "1"'},
            "[file] sheet is not a key of this table. Allowed here: 'format', 'name', 'encoding'",
        ),
        ({"points": POINTS + "factor = 1"}, "[points] factor is not a key of this table"),
        ({"file": '[file]\nformat = "xls"'}, "[file] format is 'xls', but must be one of 'csv', "),
        ({"file": "[file]\n"}, "[file] format is missing"),
        ({"file": FILE + 'encoding = "latin-1"'}, "[file] encoding is 'latin-1', but must be one"),
        (
            {"file": FILE + 'delimiter = ", "'},
            "[file] delimiter is ', ', but must be one character",
        ),
        ({"file": FILE + "header_row = 0"}, "[file] header_row is 0, but must be 1 … 1000"),
        ({"file": FILE + "header_row = true"}, "[file] header_row is True, but must be a whole"),
        (
            {"file": FILE + 'name = "*_*.csv"'},
            "[file] name is '*_*.csv', but may hold one '*' only",
        ),
        ({"time": TIME.replace("15min", "7min")}, "[time] interval must divide a day into equal"),
        ({"time": TIME.replace("15min", "15")}, "[time] interval is '15', but must be a time span"),
        ({"time": TIME.replace('"start"', '"begin"')}, "[time] label is 'begin', but must be one"),
        ({"time": TIME.replace("%Y", "%y")}, "[time] format is '%y-%m-%d %H:%M': %y is not known"),
        ({"time": TIME.replace("%d", "1")}, "[time] format is '%Y-%m-1 %H:%M': %d is missing"),
        (
            {"time": TIME.replace(" %H:%M", "")},
            "[time] format is '%Y-%m-%d', but says no time of day",
        ),
        ({"more_time": "day_closing = true"}, "[time] day_closing needs label = 'end'"),
        ({"more_time": 'zone = "8"'}, "[time] zone is '8', but must be 'park', 'file', an offset"),
        ({"more_time": 'zone = "+25:00"'}, "[time] zone is '+25:00', but must be 'park'"),
        ({"more_time": 'zone = "Mars/Base"'}, "[time] zone is 'Mars/Base', but must be 'park'"),
        ({"more_time": 'zone = "../../etc/passwd"'}, "[time] zone is '../../etc/passwd', but must"),
        ({"more_time": 'zone = "file"'}, "[time] zone is 'file', but the format has no %z"),
        ({"more_time": 'shift = "365"'}, "[time] shift is '365', but must be a time span"),
        (
            {"value": VALUE.replace("kWh", "kwh")},
            "[value] unit is 'kwh', which is unknown for energy; did you mean 'kWh'?; known: 'Wh',",
        ),
        (
            {"value": VALUE.replace("energy", "power")},
            "[value] unit is 'kWh', which is unknown for",
        ),
        ({"more_value": "scale = 0.2"}, "[value] scale is 0.2, but must be text in quotes"),
        ({"more_value": 'scale = "1e3"'}, "[value] scale is '1e3', but must be a decimal such as"),
        ({"more_value": 'scale = "0.0"'}, "[value] scale is 0, which would erase every value"),
        ({"more_value": "register_digits = 6"}, "[value] register_digits is not a key of this"),
        (
            {"value": '[value]\nquantity = "register"\nunit = "kWh"'},
            "[time] label has no meaning for a register",
        ),
        (
            {"more_value": 'missing_markers = ["", -99]'},
            "[value] missing_markers is ['', -99], but",
        ),
        ({"points": ""}, "points, long, wide: exactly one must be given, found none"),
        ({"points": POINTS + POINTS}, "[points] column 'kWh' is given twice"),
        (
            {"points": POINTS + '[[points]]\ncolumn = "b"\npoint = "p"\n'},
            "[points] point 'p' is given twice",
        ),
        (
            {"points": POINTS.replace('"p"', '"b*"')},
            "point 'b*' has a '*', but [file] name gives no",
        ),
        ({"more": '[keep]\nfrom = "2018"'}, "[keep] from is '2018', but must be such as"),
        (
            {"more": "[keep]\nfrom = 2018-01-01"},
            "[keep] from is datetime.date(2018, 1, 1), but must",
        ),
        ({"more": '[keep]\nfrom = "2019-01-01"\nto = "2018-01-01"'}, "[keep] to is not after from"),
        ({"more": '[target]\ninterval = "5min"'}, "[target] spread is missing"),
        (
            {"more": '[target]\ninterval = "10min"\nspread = "even"'},
            "[target] interval must divide",
        ),
        ({"more": '[target]\nspread = "even"'}, "[target] spread needs a target interval shorter"),
        ({"more": "[keep_rows]\nTYPE = 1"}, "keep_rows must be a table of texts in quotes"),
        ({"file": "[file\n"}, "not a TOML file: "),
    ],
)
def test_mistakes_are_named(parts: dict[str, str], message: str) -> None:
    assert error(profile_text(**parts)).startswith(message)


def test_wide_layout_is_strict_too() -> None:
    dates = TIME.replace(" %H:%M", "")
    wide = '[wide]\ncolumns = "P*"\npoint = "p"\nfirst = "00:00"\n'
    read_profile(profile_text(time=dates, points=wide), where="x")
    for old, new, message in (
        ("P*", "P", "[wide] columns is 'P', but must hold one '*' for the number"),
        ("00:00", "24:00", "[wide] first is '24:00', but must be such as '00:15'"),
        ('point = "p"', "", "[wide] point is missing"),
    ):
        text = profile_text(time=dates, points=wide.replace(old, new))
        assert error(text) == message
    assert error(profile_text(points=wide)) == (
        "[time] format may hold a date only, since [wide] gives the time"
    )
    closing = profile_text(time=dates, points=wide, more_time="day_closing = true")
    assert error(closing).startswith("[time] day_closing has no meaning for [wide]")


def test_factors_are_exact() -> None:
    quantity = '[value]\nquantity = "power"\nunit = "MW"\nscale = "0.20"\n'
    # 50,000 Wh for each MW in a quarter of an hour at a fifth: the README's MW·250,000·0.2.
    assert read_profile(profile_text(value=quantity), where="x").value.factor == 50_000
    thirds = profile_text(value='[value]\nquantity = "power"\nunit = "W"\n').replace(
        '"15min"', '"10min"'
    )
    assert read_profile(thirds, where="x").value.factor == Fraction(1, 6)
