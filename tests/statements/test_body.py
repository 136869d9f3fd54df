"""The body of a statement (docs/formats.md §4.12): its form, and rows that can't stand together."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.errors import InvalidInput
from ledger.statements.model import Statement
from tests.statements.files import units

ROW: dict[str, Any] = units(2, "A", 0, 5, month="2026-01", class_="ordinary").to_json()
SAID: dict[str, Any] = {
    "scheme": "gec",
    "issuer": "Registry",
    "as_of": "2026-02-28",
    "file": {"name": "a.csv", "size": 3, "hash": "ab" * 32},
    "profile": "",
    "rows": [ROW],
}


def test_what_was_written_is_read() -> None:
    assert Statement.from_json(SAID).to_json() == SAID


def test_two_readings_differ_where_what_is_said_does() -> None:
    reading = Statement.from_json(SAID).reading("gec")
    elsewhere = SAID | {"file": SAID["file"] | {"name": "b.csv"}, "profile": "other"}
    assert Statement.from_json(elsewhere).reading("gec") == reading
    for changes in ({"as_of": "2026-02-27"}, {"scheme": "irec"}, {"rows": [ROW | {"end": 6}]}):
        assert Statement.from_json(SAID | changes).reading("gec") != reading
    assert Statement.from_json(SAID).reading("credits") != reading


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"rows": []}, "member 'rows' is"),
        ({"rows": [1]}, "a row of a statement is an object"),
        ({"file": {}}, "member 'file' is"),
        ({"file": SAID["file"] | {"hash": "AB" * 32}}, "member 'file' is"),
        ({"as_of": "2026-02-30"}, "member 'as_of' is"),
        ({"as_of": 20260228}, "member 'as_of' is"),
        ({"scheme": "GEC"}, "member 'scheme' is"),
        ({"issuer": ""}, "member 'issuer' is"),
        ({"more": 1}, "unknown member 'more'"),
    ],
)
def test_members(changes: dict[str, Any], error: str) -> None:
    with pytest.raises(InvalidInput, match=error):
        Statement.from_json(SAID | changes)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"row": 0}, "member 'row' is"),
        ({"code": "A B"}, "member 'code' is"),
        ({"month": "2026-1"}, "member 'month' is"),
        ({"month": "0000-01"}, "member 'month' is"),
        ({"month": "２０２６-01"}, "member 'month' is"),
        ({"month": "2026-02"}, "row 2: month 2026-02 was not over on 2026-02-28"),
        ({"project": "屋顶"}, "member 'project' is"),
        ({"class": "Ordinary"}, "member 'class' is"),
        ({"status": "sold"}, "member 'status' is"),
        ({"party": "Mill Ltd"}, "member 'party' is"),
        ({"first": -1}, "member 'first' is"),
        ({"first": 5}, "row 2: units 5 to 5 are none"),
        ({"first": 6}, "row 2: units 6 to 5 are none"),
        ({"code": "", "first": 1}, "row 2: names no code: it counts its units from 0"),
        ({"code": "", "end": 0}, "row 2: names no code: it counts its units from 0"),
        ({"wh": -1}, "member 'wh' is"),
        ({"note": "x" * 501}, "member 'note' is"),
        ({"price": 5}, "unknown member 'price'"),
    ],
)
def test_members_of_a_row(changes: dict[str, Any], error: str) -> None:
    with pytest.raises(InvalidInput, match=error):
        Statement.from_json(SAID | {"rows": [ROW | changes]})


def test_rows_of_one_statement() -> None:
    later = ROW | {"row": 3, "first": 4, "end": 9}
    with pytest.raises(InvalidInput, match="row 3: units 4 to 4 of code 'A' stand in row 2"):
        Statement.from_json(SAID | {"rows": [ROW, later]})
    with pytest.raises(InvalidInput, match="rows stand in the order of the file's lines"):
        Statement.from_json(SAID | {"rows": [later | {"code": "B"}, ROW]})
    for good in (later | {"code": "B"}, later | {"row": 2, "first": 5}):
        assert len(Statement.from_json(SAID | {"rows": [ROW, good]}).rows) == 2
