"""The library against a naive reading of its rules, over many small sets and questions."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.accounting.factors.library import FactorLibrary
from ledger.accounting.factors.used import Published
from ledger.errors import InvalidInput
from tests.accounting.factors.sets import factor, own, published

# Each place with all that it lies in, widest first.
INSIDE = {
    "": [""],
    "CN": ["", "CN"],
    "CN-south": ["", "CN", "CN-south"],
    "44": ["", "CN", "CN-south", "44"],
    "440100": ["", "CN", "CN-south", "44", "440100"],
    "31": ["", "CN", "CN-east", "31"],
}
YEARS = (0, 2021, 2022)
Row = tuple[str, int, str, str]  # region, year, standard, value

ROWS = st.lists(
    st.tuples(
        st.sampled_from(sorted(INSIDE)),
        st.sampled_from(YEARS),
        st.sampled_from(["", "X"]),
        st.sampled_from(["0.1", "0.2", "0.3"]),
    ),
    unique_by=lambda row: row[:3],
    min_size=1,
    max_size=6,
)


def naive(sets: list[list[Row]], ordered: bool, region: str, year: int) -> str:
    """Set and value of what is found; else what is wrong."""
    places = INSIDE[region]
    groups = [[place] for place in range(len(sets))] if ordered else [list(range(len(sets)))]
    for group in groups:
        rows = [(n, row) for n in group for row in sets[n] if row[0] in places]
        if not rows:
            continue
        depth = max(places.index(row[0]) for _, row in rows)
        near = [(n, row) for n, row in rows if row[0] == places[depth]]
        exact = [(n, row) for n, row in near if row[1] == year]
        undated = [(n, row) for n, row in near if row[1] == 0]
        found = exact or undated
        if len({n for n, _ in found}) > 1:
            return "two sets"
        if len({row[2] for _, row in found}) > 1:
            return "two standards"
        if found:
            return f"set-{found[0][0]} {found[0][1][3]}"
    return "none"


def library(sets: list[list[Row]], ordered: bool) -> FactorLibrary:
    found: list[Published] = []
    for place, rows in enumerate(sets):
        factors: list[dict[str, Any]] = [
            factor(value, region=region, year=year, standard=standard)
            for region, year, standard, value in rows
        ]
        found.append(published(f"set-{place}", own(*factors)))
    return FactorLibrary(sets=tuple(found), ordered=ordered)


def answer(found: FactorLibrary, region: str, year: int) -> str:
    try:
        one = found.find("electricity-average", region=region, year=year)
    except InvalidInput as error:
        for said, short in (
            ("both say it", "two sets"),
            ("differs by standard", "two standards"),
            ("no factor of", "none"),
        ):
            if said in str(error):
                return short
        raise
    assert one.substitution is None
    return f"{one.by.name} {one.factor.value}"


@given(sets=st.lists(ROWS, min_size=1, max_size=3), ordered=st.booleans())
@settings(max_examples=60)
def test_the_library_finds_what_the_rules_say(sets: list[list[Row]], ordered: bool) -> None:
    found = library(sets, ordered)
    for region in INSIDE:
        for year in (2020, *YEARS[1:]):
            assert answer(found, region, year) == naive(sets, ordered, region, year)
