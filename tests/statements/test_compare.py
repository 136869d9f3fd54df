"""Statement against ledger: examples, and all of it against single units in plain dicts."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.statements.compare import (
    AGREES,
    CONFLICT,
    GONE,
    HERE,
    MISSING_HERE,
    MISSING_THERE,
    Difference,
    Finding,
    OwnRange,
    compare_units,
)
from ledger.statements.model import STATUSES, StatementRow
from ledger.statements.sums import Settled, compare
from tests.statements.files import units


def own(
    first: int, end: int, state: str = "active", owner: str = "mill", code: str = "A", **more: str
) -> OwnRange:
    return OwnRange(code=code, first=first, end=end, state=state, owner=owner, **more)


def short(found: list[Finding]) -> list[tuple[str, int, str, int, int]]:
    return [(one.kind, one.row, one.code, one.first, one.end) for one in found]


def test_a_row_may_agree_for_a_part() -> None:
    rows = [units(2, "A", 0, 100)]
    mine = [own(10, 40), own(40, 60, "retired"), own(60, 70), own(90, 120)]
    assert short(compare(rows, mine)) == [
        (MISSING_HERE, 2, "A", 0, 10),
        (AGREES, 2, "A", 10, 40),
        (CONFLICT, 2, "A", 40, 60),
        (AGREES, 2, "A", 60, 70),
        (MISSING_HERE, 2, "A", 70, 90),
        (AGREES, 2, "A", 90, 100),
        (MISSING_THERE, 0, "A", 100, 120),
    ]


def test_what_differs_is_named() -> None:
    row = units(2, "A", 0, 5, "held", class_="ordinary", project="P1", month="2026-01")
    mine = own(0, 5, "frozen", class_="self-use", project="P2", month="2026-02")
    (found,) = compare([row], [mine])
    assert found.kind == CONFLICT
    assert found.differences == (
        Difference(field="status", here="frozen, of mill", there="held"),
        Difference(field="class", here="self-use", there="ordinary"),
        Difference(field="project", here="P2", there="P1"),
        Difference(field="month", here="2026-02", there="2026-01"),
    )
    assert not found.blocks_closing
    # What one side leaves open differs from nothing.
    assert compare([units(2, "A", 0, 5)], [own(0, 5, class_="self-use")])[0].kind == AGREES


@pytest.mark.parametrize(
    ("status", "party", "state", "owner", "kind", "blocks"),
    [
        ("issued", "", "active", "mill", AGREES, False),
        ("issued", "", "retired", "mill", AGREES, False),
        ("held", "", "locked", "mill", AGREES, False),
        ("held", "", "retired", "mill", CONFLICT, False),
        ("held", "", "frozen", "mill", CONFLICT, False),
        ("frozen", "", "frozen", "mill", AGREES, False),
        ("frozen", "", "active", "mill", CONFLICT, False),
        ("cancelled", "", "retired", "mill", AGREES, False),
        ("cancelled", "", "cancelled", "mill", AGREES, False),
        ("cancelled", "", "exported", "mill", CONFLICT, False),
        ("cancelled", "", "active", "mill", CONFLICT, True),
        ("cancelled", "", "frozen", "mill", CONFLICT, True),
        ("expired", "", "expired", "mill", AGREES, False),
        ("expired", "", "retired", "mill", CONFLICT, False),
        ("expired", "", "reserved", "mill", CONFLICT, True),
        ("transferred", "mill", "active", "mill", AGREES, False),
        ("transferred", "mill", "retired", "mill", AGREES, False),
        ("transferred", "mill", "active", "farm", CONFLICT, False),
        ("transferred", "mill", "exported", "mill", CONFLICT, False),
        ("transferred", "", "exported", "farm", AGREES, False),
        ("transferred", "", "active", "farm", CONFLICT, True),
        ("transferred", "", "retired", "farm", CONFLICT, False),
    ],
)
def test_invariant_22_officially_gone_but_held_here_blocks_closing(
    status: str, party: str, state: str, owner: str, kind: str, blocks: bool
) -> None:
    (found,) = compare([units(2, "A", 0, 5, status, party=party)], [own(0, 5, state, owner)])
    assert (found.kind, found.blocks_closing) == (kind, blocks)


def test_missing_there_only_what_should_be_listed() -> None:
    mine = [
        own(0, 5),
        own(5, 9, "retired"),
        own(0, 3, code="B", project="P", month="2026-01"),
        own(0, 3, code="C", project="P", month="2026-02"),
        own(0, 3, code="D"),
        own(9, 12, owner="farm"),
    ]
    # Of one code, what is held: neither what is gone, nor other codes.
    held = compare([units(2, "A", 0, 2)], mine)
    assert short(held)[1:] == [
        (MISSING_THERE, 0, "A", 2, 5),
        (MISSING_THERE, 0, "A", 9, 12),
    ]
    # Of one party's account.
    mills = compare([units(2, "A", 0, 2, party="mill")], mine)
    assert short(mills)[1:] == [(MISSING_THERE, 0, "A", 2, 5)]
    # A list of what was issued has all of a code, and all of a project's month.
    issued = compare([units(2, "A", 0, 2, "issued", project="P", month="2026-01")], mine)
    assert [one[:1] + one[2:] for one in short(issued) if one[0] == MISSING_THERE] == [
        (MISSING_THERE, "A", 2, 5),
        (MISSING_THERE, "A", 5, 9),
        (MISSING_THERE, "A", 9, 12),
        (MISSING_THERE, "B", 0, 3),
    ]
    # Trades and cancellations are no lists of what there is.
    for status in ("transferred", "cancelled", "expired"):
        assert len(compare([units(2, "A", 0, 2, status, party="mill")], mine)) == 1


# Unit by unit

CODES = ("A", "B")
LENGTH = 12
STATES = sorted(HERE | GONE)


@st.composite
def tilings(draw: st.DrawFn, make: Any) -> list[Any]:
    """Ranges that do not overlap, of two codes."""
    found = []
    for code in CODES:
        cuts = sorted(draw(st.sets(st.integers(0, LENGTH), max_size=6)))
        for first, end in pairwise(cuts):
            if draw(st.booleans()):
                found.append(draw(make(code, first, end)))
    return found


def a_row(code: str, first: int, end: int) -> st.SearchStrategy[StatementRow]:
    return st.builds(
        StatementRow,
        row=st.just(0),
        code=st.just(code),
        first=st.just(first),
        end=st.just(end),
        status=st.sampled_from(STATUSES),
        party=st.sampled_from(["", "mill", "farm"]),
        month=st.sampled_from(["", "2026-01", "2026-02"]),
        project=st.sampled_from(["", "P"]),
        class_=st.sampled_from(["", "ordinary"]),
    )


def an_own(code: str, first: int, end: int) -> st.SearchStrategy[OwnRange]:
    return st.builds(
        OwnRange,
        code=st.just(code),
        first=st.just(first),
        end=st.just(end),
        state=st.sampled_from(STATES),
        owner=st.sampled_from(["mill", "farm"]),
        month=st.sampled_from(["2026-01", "2026-02"]),
        project=st.sampled_from(["P", "Q"]),
        class_=st.sampled_from(["ordinary", "self-use"]),
    )


Unit = tuple[str, int]


def by_unit(ranges: list[Any]) -> dict[Unit, Any]:
    return {(one.code, number): one for one in ranges for number in range(one.first, one.end)}


def model_of_a_unit(there: StatementRow, here: OwnRange) -> set[str]:
    """The names of what differs, written down case by case."""
    live = here.state in ("active", "reserved", "locked", "frozen")
    right = {
        "issued": True,
        "held": live and here.state != "frozen",
        "frozen": here.state == "frozen",
        "cancelled": here.state in ("retired", "cancelled", "withdrawn", "expired"),
        "expired": here.state in ("expired", "withdrawn", "cancelled"),
        "transferred": here.state == "exported"
        if there.party == ""
        else here.state != "exported" and here.owner == there.party,
    }[there.status]
    found = set() if right else {"status"}
    if there.class_ and there.class_ != here.class_:
        found.add("class")
    if there.project and there.project != here.project:
        found.add("project")
    if there.month and there.month != here.month:
        found.add("month")
    return found


def model_expects(here: OwnRange, rows: list[StatementRow]) -> bool:
    """Whether a unit that no row speaks of should be in the statement."""
    lists = [row for row in rows if row.status in ("issued", "held", "frozen")]
    parties = {row.party for row in lists if row.party}
    if parties and here.owner not in parties:
        return False
    for row in lists:
        about = row.code == here.code or (
            row.project == here.project != "" and row.month == here.month != ""
        )
        if about and (row.status == "issued" or here.state in HERE):
            return True
    return False


@given(tilings(a_row), tilings(an_own))
def test_every_unit_is_found_as_a_model_of_single_units_finds_it(
    rows: list[StatementRow], mine: list[OwnRange]
) -> None:
    numbered = [
        StatementRow(**{**{name: getattr(row, name) for name in row.__slots__}, "row": place + 2})
        for place, row in enumerate(rows)
    ]
    found: dict[Unit, Finding] = {}
    for finding in compare_units(numbered, mine):
        assert finding.units > 0
        for number in range(finding.first, finding.end):
            assert (finding.code, number) not in found
            found[finding.code, number] = finding
    there, here = by_unit(numbered), by_unit(mine)
    for unit in {*there, *here}:
        finding_of = found.pop(unit, None)
        if unit not in there:
            expected = MISSING_THERE if model_expects(here[unit], numbered) else None
            assert (finding_of.kind if finding_of else None) == expected
            continue
        assert finding_of is not None
        assert finding_of.row == there[unit].row
        if unit not in here:
            assert finding_of.kind == MISSING_HERE
            continue
        differs = model_of_a_unit(there[unit], here[unit])
        assert finding_of.kind == (CONFLICT if differs else AGREES)
        assert {one.field for one in finding_of.differences} == differs
        gone_there = there[unit].status in ("cancelled", "expired") or (
            there[unit].status == "transferred" and there[unit].party == ""
        )
        live = here[unit].state in ("active", "reserved", "locked", "frozen")
        assert finding_of.blocks_closing == (gone_there and live)
    assert not found


# Rows without a code


def counted(row: int, number: int, status: str = "transferred", **more: Any) -> StatementRow:
    return StatementRow(row=row, first=0, end=number, status=status, **more)


def test_rows_without_a_code_are_compared_in_sums() -> None:
    rows = [
        counted(2, 3, month="2026-01", party="mill"),
        counted(3, 5, month="2026-01", party="mill"),
        counted(4, 2, month="2026-02", party="mill"),
    ]
    mine = [
        own(0, 4, month="2026-01"),
        own(4, 6, "retired", month="2026-01"),
        own(6, 9, owner="farm", month="2026-01"),
        own(9, 19, month="2026-03"),
    ]
    assert short(compare(rows, mine)) == [
        (AGREES, 2, "", 0, 3),
        (AGREES, 3, "", 0, 3),
        (MISSING_HERE, 3, "", 3, 5),
        (MISSING_HERE, 4, "", 0, 2),
    ]


def energy(row: int, wh: int, month: str = "2026-01", party: str = "mill") -> StatementRow:
    return StatementRow(
        row=row, first=0, end=0, status="transferred", wh=wh, month=month, party=party
    )


def test_settled_energy_is_compared_by_month_and_party() -> None:
    rows = [
        energy(2, 700),
        energy(3, 300),
        energy(4, 50, month="2026-02"),
        energy(5, 9, party="farm"),
    ]
    settled = [
        Settled(month="2026-01", party="mill", wh=1000),
        Settled(month="2026-02", party="mill", wh=49),
        Settled(month="2026-02", party="farm", wh=8),
        Settled(month="2026-03", party="mill", wh=7),
        Settled(month="2026-01", party="grid", wh=6),
    ]
    found = compare(rows, [], settled)
    assert [(one.kind, one.row, one.wh) for one in found] == [
        (AGREES, 2, 700),
        (AGREES, 3, 300),
        (CONFLICT, 4, 50),
        (MISSING_HERE, 5, 9),
        (MISSING_THERE, 0, 8),
    ]
    assert found[2].differences == (Difference(field="quantity", here="49 Wh", there="50 Wh"),)
