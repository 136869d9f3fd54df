"""What is officially known of units: the latest statement that speaks of each of them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ledger.statements.model import STATUSES
from ledger.statements.official import OfficialPart, confirmation, latest

LENGTH = 12


def said(
    first: int, end: int, status: str, as_of: str, entry: int, party: str = ""
) -> OfficialPart:
    return OfficialPart(
        first=first, end=end, status=status, as_of=as_of, entry_index=entry, party=party
    )


def short(parts: list[OfficialPart]) -> list[tuple[int, int, str, int]]:
    return [(one.first, one.end, one.status, one.entry_index) for one in parts]


def test_the_latest_by_date_then_by_entry() -> None:
    spoken = [
        said(0, 10, "held", "2026-03-31", 5),
        said(4, 6, "cancelled", "2026-04-30", 4),
        said(6, 8, "frozen", "2026-03-31", 7),
        said(0, 2, "cancelled", "2026-02-28", 9),
    ]
    assert short(latest(spoken, 0, 12)) == [
        (0, 4, "held", 5),
        (4, 6, "cancelled", 4),
        (6, 8, "frozen", 7),
        (8, 10, "held", 5),
        (10, 12, "", -1),
    ]
    assert short(latest(spoken, 5, 7)) == [(5, 6, "cancelled", 4), (6, 7, "frozen", 7)]
    assert short(latest([], 3, 4)) == [(3, 4, "", -1)]


def test_that_they_were_issued_does_not_take_back_what_became_of_them() -> None:
    spoken = [
        said(0, 5, "cancelled", "2026-03-31", 3),
        said(0, 10, "issued", "2026-12-31", 8),
    ]
    assert short(latest(spoken, 0, 10)) == [(0, 5, "cancelled", 3), (5, 10, "issued", 8)]


@given(
    st.lists(
        st.tuples(
            st.integers(0, LENGTH),
            st.integers(0, LENGTH),
            st.sampled_from(STATUSES),
            st.sampled_from(["2026-01-31", "2026-02-28", "2026-03-31"]),
        ),
        max_size=8,
    ),
    st.integers(0, LENGTH - 1),
    st.integers(1, LENGTH),
)
def test_every_unit_by_itself(
    drawn: list[tuple[int, int, str, str]], first: int, length: int
) -> None:
    spoken = [
        said(min(a, b), max(a, b) + 1, status, as_of, entry)
        for entry, (a, b, status, as_of) in enumerate(drawn)
    ]
    found = latest(spoken, first, first + length)
    assert [number for one in found for number in range(one.first, one.end)] == list(
        range(first, first + length)
    )
    for part in found:
        for number in range(part.first, part.end):
            about = [one for one in spoken if one.first <= number < one.end]
            told = [one for one in about if one.status != "issued"] or about
            told.sort(key=lambda one: (one.as_of, one.entry_index))
            assert part.entry_index == (told[-1].entry_index if told else -1)
    for one, other in pairwise(found):
        assert one.entry_index != other.entry_index


def test_a_use_is_final_when_all_of_it_is_cancelled_or_was_transferred_to_its_user() -> None:
    parts = [
        said(0, 4, "cancelled", "2026-03-31", 1),
        said(4, 6, "transferred", "2026-04-30", 2, party="mill"),
        said(6, 7, "transferred", "2026-04-30", 2, party="farm"),
        said(7, 8, "transferred", "2026-04-30", 2),
        said(8, 9, "held", "2026-04-30", 2, party="mill"),
        OfficialPart(first=9, end=10),
    ]
    found = confirmation([("A", parts)], {"mill"})
    assert (found.units, found.confirmed, found.final) == (10, 6, False)
    assert found.pending == (("A", 6, 7), ("A", 7, 8), ("A", 8, 9), ("A", 9, 10))
    final = confirmation([("A", parts[:2]), ("B", parts[:1])], {"mill"})
    assert (final.units, final.confirmed, final.final) == (10, 10, True)
    assert final.as_of == "2026-04-30"


def test_what_is_cancelled_in_the_account_of_somebody_else_is_another_use() -> None:
    parts = [
        said(0, 4, "cancelled", "2026-03-31", 1, party="shop"),
        said(4, 6, "cancelled", "2026-03-31", 1, party="mill"),
        said(6, 9, "cancelled", "2026-03-31", 1, party="operator"),
        said(9, 10, "cancelled", "2026-03-31", 1),
    ]
    found = confirmation([("A", parts)], {"mill"}, "operator")
    assert (found.confirmed, found.pending) == (6, (("A", 0, 4),))
    # Nor does what is kept for others come to them by a transfer to the keeper.
    kept = [said(0, 1, "transferred", "2026-03-31", 1, party="operator")]
    assert not confirmation([("A", kept)], {"mill"}, "operator").final
