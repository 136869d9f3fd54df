"""What must not get in: each bad row is named with its column, and what would be right."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.errors import InvalidInput
from tests.statements.files import PLAIN, csv, read, rejected, rows, units, xlsx

SERIAL = PLAIN.replace('code = "code"\nquantity = "units"', 'from = "from"\nto = "to"')
COUNTED = SERIAL.replace('to = "to"', 'to = "to"\nquantity = "units"')
MONTH = PLAIN + '[month]\ncolumns = ["month"]\n'
TIME = PLAIN + '[time]\ncolumn = "time"\nformat = "%Y-%m-%d %H:%M:%S"\n'
ZONED = PLAIN + '[time]\ncolumn = "time"\nformat = "%Y-%m-%dT%H:%M:%S%z"\nzone = "file"\n'
AMERICAN = PLAIN + '[time]\ncolumn = "time"\nformat = "Jan 31, 2025, 1:30:00 PM"\n'
CLASS = PLAIN + '[class]\ncolumn = "class"\n[class.names]\n"普通" = "ordinary"\n'
PARTY = PLAIN + '[party]\ncolumn = "party"\n[party.names]\n"Mill Ltd" = "mill"\n'
PROJECT = PLAIN + '[project]\ncolumn = "project"\n'
ENERGY = PLAIN + '[energy]\ncolumn = "kWh"\nunit = "kWh"\n'


def line(text: str, head: str, row: str) -> list[tuple[int, str, str]]:
    """What is wrong with one row of a file, below a good one of the same columns."""
    return rejected(csv(head, row), text)


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("A,1.5,held", "units", "1.5 units is no whole number of units: none is ever split"),
        ("A,-3,held", "units", "-3 units is negative; 0 or more is right"),
        ("A,0,held", "units", "is 0: 1 or more is right (where it may be so: zero = 'skip')"),
        ("A,,held", "units", "is empty"),
        ('A,"1,200",held', "units", "'1,200' is not a number"),
        ("A,NaN,held", "units", "'NaN' is not a finite number"),
        ("A,9007199254740992,held", "units", "is more than 9007199254740991 units"),
        (",3,held", "code", "names no code"),
        ("A B,3,held", "code", "code 'A B' is not 1–64 characters of A-Z a-z 0-9 . _ -"),
        ("绿证,3,held", "code", "code '绿证' is not 1–64 characters"),
        ("1.2E+31,3,held", "code", "code '1.2E+31' is not 1–64 characters"),
        (f"{'A' * 65},3,held", "code", "is not 1–64 characters"),
        ("A,3,holds", "status", "unknown status 'holds'; did you mean 'held'?"),
        ("A,3,", "status", "unknown status ''"),
        ("A,3", "", "has 2 fields, but the header has 3"),
    ],
)
def test_a_bad_cell_is_named(row: str, column: str, reason: str) -> None:
    ((line_number, found, why),) = line(PLAIN, "code,units,status", row)
    assert (line_number, found) == (2, column)
    assert reason in why


@pytest.mark.parametrize(
    ("from_", "to", "reason"),
    [
        ("A-09", "A-10", ""),
        ("A-9", "A-10", "differ in more than their last number"),
        ("A-01", "B-02", "differ in more than their last number"),
        ("A-02", "A-01", "run backwards"),
        ("A-", "A-", "is not a code followed by a number"),
        ("0001", "0002", "is not a code followed by a number"),
        ("A B-1", "A B-2", "code 'A B-' is not 1–64 characters"),
        ("", "", "is not a code followed by a number"),
    ],
)
def test_serials_from_and_to(from_: str, to: str, reason: str) -> None:
    data = csv("from,to,status", f"{from_},{to},held")
    if not reason:
        (row,) = rows(data, SERIAL)
        assert (row.code, row.first, row.end) == ("A-", 9, 11)
        return
    ((number, column, why),) = rejected(data, SERIAL)
    assert (number, column) == (2, "from")
    assert reason in why


def test_serials_of_one_code_have_one_length() -> None:
    data = csv("from,to,status", "A-01,A-02,held", "A-003,A-004,held")
    assert rejected(data, SERIAL) == [
        (3, "from", "the number after 'A-' has 3 digits, but 2 in row 2")
    ]


def test_a_quantity_beside_serials_is_compared() -> None:
    data = csv("from,to,units,status", "A-01,A-02,2,held", "A-03,A-05,2,held")
    assert rejected(data, COUNTED) == [(3, "units", "is 2, but the serials of the row are 3 units")]


def test_a_code_twice_and_units_that_overlap() -> None:
    data = csv("code,units,status", "A,3,held", "B,3,held", "A,5,cancelled")
    assert rejected(data) == [
        (
            4,
            "code",
            "units 0 to 2 of code 'A' stand in row 2 already: a statement has each unit once",
        )
    ]
    data = csv("from,to,status", "A-05,A-09,held", "A-01,A-20,held", "A-21,A-22,held")
    assert rejected(data, SERIAL) == [
        (
            2,
            "from",
            "units 5 to 9 of code 'A-' stand in row 3 already: a statement has each unit once",
        )
    ]


@pytest.mark.parametrize(
    ("month", "reason"),
    [
        ("2026-02", "month 2026-02 was not over on 2026-02-28"),
        ("2026-3", "month 2026-03 was not over on 2026-02-28"),
        ("2026-13", "'2026-13' is no month of a calendar"),
        ("2026-00", "'2026-00' is no month of a calendar"),
        ("202601", "'202601' is not a month such as 2025-01"),
        ("", "names no month"),
    ],
)
def test_months(month: str, reason: str) -> None:
    ((_, column, why),) = line(MONTH, "code,units,status,month", f"A,1,held,{month}")
    assert column == "month"
    assert reason in why


@pytest.mark.parametrize(
    ("text", "time", "reason"),
    [
        (TIME, "2026-02-28 23:59:59", ""),
        (TIME, "2026-03-01 00:00:00", "lies after the statement's date 2026-02-28"),
        (TIME, "2026-02-30 00:00:00", "does not fit the format"),
        (TIME, "", "has no time"),
        (ZONED, "2026-02-28T16:00:00Z", "lies after the statement's date"),
        (ZONED, "2026-02-28T12:00:00+08:00", ""),
        (ZONED, "2026-02-28T12:00:00", "carries no offset"),
        (AMERICAN, '"Feb 28, 2026, 11:59:59\u202fPM"', ""),
        (AMERICAN, '"Mar 1, 2026, 12:00:00\u202fAM"', "lies after the statement's date"),
        (AMERICAN, '"Feb 28, 2026, 13:00:00\u202fPM"', "does not fit the format"),
        (AMERICAN, '"Feb 28, 2026, 0:00:00\u202fAM"', "does not fit the format"),
        (AMERICAN, '"anF 28, 2026, 1:00:00\u202fAM"', "does not fit the format"),
        (AMERICAN, '"Feb 28, 2026, 1:00:00PM"', "does not fit the format"),
    ],
)
def test_times(text: str, time: str, reason: str) -> None:
    data = csv("code,units,status,time", f"A,1,held,{time}")
    if not reason:
        (row,) = rows(data, text)
        assert row.note.startswith("time: 2026-02-28T")
        return
    ((_, column, why),) = rejected(data, text)
    assert column == "time"
    assert reason in why


def test_names_that_the_profile_does_not_know() -> None:
    ((_, column, why),) = line(CLASS, "code,units,status,class", "A,1,held,绿电")
    assert column == "class"
    assert "unknown class '绿电'; known are '普通': the profile's [class.names]" in why
    ((_, column, why),) = line(CLASS, "code,units,status,class", "A,1,held,")
    assert "unknown class ''" in why
    ((_, column, why),) = line(PARTY, "code,units,status,party", "A,1,held,mill")
    assert column == "party"
    assert "unknown party 'mill'; did you mean 'Mill Ltd'?" in why
    ((_, column, why),) = line(PROJECT, "code,units,status,project", "A,1,held,屋顶")
    assert "unknown project '屋顶'" in why
    (row,) = rows(csv("code,units,status,project", "A,1,held,"), PROJECT)
    assert row.project == ""


def test_energy_is_whole_watt_hours() -> None:
    head = "code,units,status,kWh"
    (row,) = rows(csv(head, "A,1,held,1000.001"), ENERGY)
    assert row.wh == 1_000_001
    ((_, column, why),) = line(ENERGY, head, "A,1,held,1000.0001")
    assert (column, why) == (
        "kWh",
        "1000.0001 kWh is no whole number of Wh: none is ever split",
    )


def test_parts_sum_to_the_quantity() -> None:
    text = PLAIN.replace(
        'quantity = "units"\n',
        'quantity = "units"\n[[units.parts]]\ncolumn = "a"\nclass = "ordinary"\n'
        '[[units.parts]]\ncolumn = "b"\nclass = "self-use"\n',
    )
    assert rejected(csv("code,units,status,a,b", "A,5,held,3,1"), text) == [
        (2, "units", "is 5, but 'a' + 'b' are 4")
    ]


def test_all_bad_rows_are_listed() -> None:
    data = csv("code,units,status", "A,1.5,sold", "B,1,held", "C,-1,held", "B,1,held")
    assert [(row, column) for row, column, _ in rejected(data)] == [
        (2, "status"),
        (2, "units"),
        (4, "units"),
        (5, "code"),
    ]


def test_a_code_that_a_spreadsheet_made_a_number() -> None:
    short = xlsx(["code", "units", "status"], [123456789012345, 3, "held"])
    text = PLAIN.replace('"csv"', '"xlsx"')
    assert rows(short, text, name="a.xlsx")[0].code == "123456789012345"
    long = xlsx(["code", "units", "status"], [12345678901234567890, 3, "held"])
    ((_, column, why),) = rejected(long, text, name="a.xlsx")
    assert column == "code"
    assert "a spreadsheet keeps 15 digits" in why


def test_a_file_without_rows() -> None:
    with pytest.raises(InvalidInput, match="no row is left of the statement"):
        read(csv("code,units,status", "A,0,held"), 'zero = "skip"\n' + PLAIN)
    with pytest.raises(InvalidInput, match="no rows of data"):
        read(csv("code,units,status"))
    with pytest.raises(InvalidInput, match="there is no column 'units'"):
        read(csv("code,unit,status", "A,1,held"))


def test_a_long_note_is_cut_where_everybody_sees_it() -> None:
    text = 'note = ["remark"]\n' + PLAIN
    (row,) = rows(csv("code,units,status,remark", f'A,1,held,"two\nlines {"x" * 600}"'), text)
    assert len(row.note) == 500
    assert row.note.startswith("remark: two lines xxx")
    assert row.note.endswith("x…")


def test_as_of_the_first_of_the_next_month() -> None:
    data = csv("code,units,status,month", "A,1,held,2026-01")
    assert rows(data, MONTH, as_of=date(2026, 2, 1)) == [units(2, "A", 0, 1, month="2026-01")]
    ((_, _, why),) = rejected(data, MONTH, as_of=date(2026, 1, 31))
    assert "was not over on 2026-01-31" in why
