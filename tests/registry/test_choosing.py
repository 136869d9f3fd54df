"""What a selection takes, against a list of single units."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidInput, LedgerError, NotFound, Refused
from ledger.registry.choosing import Chosen, Selection, choose, codes_of, parse_serial
from ledger.registry.leaves import BatchId
from ledger.registry.ranges import SerialRange
from ledger.registry.store import BatchRow, HoldingRow
from ledger.units import Period
from tests.units import month

STATES = ("active", "reserved", "locked", "frozen")
# Batches: code, revision, first, end, month of production, when it expires.
BATCHES = {
    BatchId(scheme="gec", code="A", revision=0): (0, 10, month(2026, 2), 300),
    BatchId(scheme="gec", code="A", revision=1): (10, 20, month(2026, 1), 200),
    BatchId(scheme="gec", code="B-", revision=0): (0, 10, month(2026, 1), 200),
    BatchId(scheme="gec", code="C-", revision=0): (0, 10, month(2025, 12), None),
    BatchId(scheme="gec", code="D-", revision=0): (0, 10, month(2026, 1), None),
}
# In which the units are taken that expire first, then those produced first, then by batch.
ORDER = ["A/1", "B-/0", "A/0", "C-/0", "D-/0"]


def batch_row(id_: BatchId, first: int, end: int, period: Period, expires: int | None) -> BatchRow:
    return BatchRow(
        id=id_,
        entry_index=1,
        number=0,
        units=SerialRange(first=first, end=end),
        period=period,
        expires_s=expires,
        project="",
        record=b"",
        unit_size=10**6,
        metered=False,
        eligible_wh=0,
        carried_wh=0,
        left_wh=0,
    )


ROWS = {
    id_: batch_row(id_, first, end, period, expires)
    for id_, (first, end, period, expires) in BATCHES.items()
}


def holding(number: int, id_: BatchId, first: int, end: int, state: str, class_: str) -> HoldingRow:
    return HoldingRow(
        holding=bytes([200 - number]) * 16,
        entry_index=1,
        number=number,
        batch=id_,
        class_=class_,
        units=SerialRange(first=first, end=end),
        owner="mill",
        state=state,
        moves=0,
        moves_max=9,
        ended="",
        end_index=None,
    )


@st.composite
def holdings(draw: st.DrawFn) -> list[HoldingRow]:
    """Each batch cut into up to four holdings, some of which somebody else has."""
    found: list[HoldingRow] = []
    for id_, (first, end, _, _) in BATCHES.items():
        cuts = sorted({first, *draw(st.sets(st.integers(first, end), max_size=3)), end})
        for begin, stop in itertools.pairwise(cuts):
            if draw(st.integers(0, 4)):
                state = draw(st.sampled_from(STATES))
                class_ = draw(st.sampled_from(["ordinary", "ordinary", "self-use"]))
                found.append(holding(len(found), id_, begin, stop, state, class_))
    return draw(st.permutations(found).map(list))


def short(row: HoldingRow) -> str:
    return row.batch.short


@st.composite
def serials(draw: st.DrawFn) -> str:
    id_ = draw(st.sampled_from(sorted(BATCHES)))
    text = id_.code + draw(st.sampled_from(["", "", f"/{id_.revision}"]))
    first, end = BATCHES[id_][:2]
    match draw(st.integers(0, 3)):
        case 0:
            return text
        case 1:
            return f"{text}:{draw(st.integers(first, end))}"
        case 2 if id_.code == "B-":
            return f"B-{draw(st.integers(0, 9))}"
        case _:
            begin = draw(st.integers(first, end - 1))
            return f"{text}:{begin}-{draw(st.integers(begin + 1, end))}"


def named(text: str, row: HoldingRow, unit: int) -> bool:
    """Whether a serial names a unit, reckoned on the text itself."""
    code, _, numbers = text.partition(":")
    whole = re.fullmatch(r"B-([0-9]+)", code)
    if whole and not numbers:
        return row.batch.code == "B-" and unit == int(whole[1])
    code, _, revision = code.partition("/")
    if code != row.batch.code or revision not in ("", str(row.batch.revision)):
        return False
    first, _, end = numbers.partition("-")
    if not first:
        return True
    return int(first) <= unit < (int(end) if end else int(first) + 1)


def wanted(selection: Selection, rows: list[HoldingRow], states: set[str]) -> set[tuple[str, int]]:
    """The units that are to be taken; raises the error that is to be raised."""
    single = [
        (row, unit)
        for row in sorted(rows, key=lambda row: (ORDER.index(short(row)), row.units.first))
        for unit in range(row.units.first, row.units.end)
        if not selection.class_ or row.class_ == selection.class_
    ]
    if selection.serials:
        taken = []
        for text in selection.serials:
            mine = [one for one in single if named(text, *one)]
            count = 1 if ":" in text or re.fullmatch(r"B-[0-9]", text) else 0
            if "-" in text.partition(":")[2]:
                first, _, end = text.partition(":")[2].partition("-")
                count = int(end) - int(first)
            if not mine or (count and len(mine) != count):
                raise NotFound
            taken += mine
        single = [one for one in single if one in taken]
        if any(row.state not in states for row, _ in single):
            raise Refused
        if len(taken) != len(single):
            raise InvalidInput
    else:
        single = [one for one in single if one[0].state in states]
    if selection.count is not None:
        if len(single) < selection.count:
            raise Refused
        single = single[: selection.count]
    return {(short(row), unit) for row, unit in single}


def singles(chosen: Chosen) -> list[tuple[str, int]]:
    return [
        (short(row), unit)
        for row, parts in chosen
        for part in parts
        for unit in range(part.first, part.end)
    ]


@given(
    holdings(),
    st.lists(serials(), max_size=2, unique=True),
    st.one_of(st.none(), st.integers(1, 30)),
    st.sampled_from(["", "ordinary"]),
    st.sampled_from([{"active"}, {"active", "reserved"}, set(STATES)]),
)
def test_a_selection_takes_what_it_says(
    rows: list[HoldingRow],
    names: list[str],
    count: int | None,
    class_: str,
    states: set[str],
) -> None:
    if not names and count is None:
        count = 3
    selection = Selection(scheme="gec", serials=tuple(names), count=count, class_=class_)
    try:
        expected = wanted(selection, rows, states)
    except InvalidInput:
        return  # a unit named twice: `joined` refuses it, see below
    except LedgerError as error:
        with pytest.raises(type(error)):
            choose(selection, rows, ROWS, states)
        return
    chosen = choose(selection, rows, ROWS, states)
    found = singles(chosen)
    assert set(found) == expected
    assert len(found) == len(expected)
    assert [row.holding for row, _ in chosen] == sorted({row.holding for row, _ in chosen})
    assert all(row.units.contains(part) for row, parts in chosen for part in parts)


@pytest.mark.parametrize(
    ("text", "code", "revision", "numbers"),
    [
        ("C1", "C1", None, None),
        ("C1/2", "C1", 2, None),
        ("C1:7", "C1", None, (7, 8)),
        ("C1/0:7-9", "C1", 0, (7, 9)),
        ("a.b_c-D:0-1", "a.b_c-D", None, (0, 1)),
    ],
)
def test_forms_of_a_serial(
    text: str, code: str, revision: int | None, numbers: tuple[int, int] | None
) -> None:
    found = parse_serial(text)
    assert (found.code, found.revision) == (code, revision)
    assert (found.units and (found.units.first, found.units.end)) == numbers


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not of the form"),
        ("C1:", "not of the form"),
        ("C1:1-", "not of the form"),
        ("C1:1.5", "not of the form"),
        ("C1:1-2.5", "not of the form"),
        ("C 1", "not of the form"),
        ("C1/x", "not of the form"),
        ("C1:-3", "not of the form"),
        ("C1:١", "not of the form"),
        ("C" * 65, "not of the form"),
        ("C1:5-5", "are no range"),
        ("C1:9-5", "are no range"),
    ],
)
def test_what_is_no_serial(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        parse_serial(text)


def test_the_codes_that_serials_may_be_of() -> None:
    assert codes_of(["C1:3", "GEC-0012", "X"]) >= {"C1", "GEC-0012", "GEC-", "X"}


@pytest.mark.parametrize("count", [0, -1])
def test_no_units_are_none(count: int) -> None:
    with pytest.raises(InvalidInput, match="whole units from 1 on"):
        Selection(scheme="gec", count=count)
    with pytest.raises(InvalidInput, match="name units by serial, or say how many"):
        Selection(scheme="gec")
