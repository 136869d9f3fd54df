"""docs/scorecard.md and its Chinese page: figures, answers, standards and the example are real."""

from __future__ import annotations

import re
import textwrap

import pytest

from ledger.scorecard import catalogue
from ledger.scorecard.answers import ANSWERS
from ledger.scorecard.asked import Asked
from ledger.scorecard.entries import require_known
from ledger.scorecard.figures.known import FIGURES
from tests.docs.pages import code_words, read, section, tables

PAGES = ("scorecard.md", "scorecard.zh-CN.md")


def rows(page: str, place: int) -> list[list[str]]:
    return tables(read(page))[place][1:]


@pytest.mark.parametrize("page", PAGES)
def test_answers_figures_and_members(page: str) -> None:
    assert [code_words(row[1])[0] for row in rows(page, 0)] == list(ANSWERS)
    figures = [word for row in rows(page, 3) for word in code_words(row[0])]
    assert sorted(figures) == sorted(FIGURES)
    for row in rows(page, 3):
        units = {FIGURES[name].unit for name in code_words(row[0])}
        assert units == set(re.split(r", |、", row[2])), row[0]
    members = {word for row in rows(page, 2) for word in code_words(row[0])}
    assert members == set(Asked(standard="guide", period="2026").to_json())


@pytest.mark.parametrize("page", PAGES)
def test_standards_that_ship(page: str) -> None:
    said = {code_words(row[0])[0]: (int(row[1]), row[2]) for row in rows(page, 1)}
    found = {name: catalogue.shipped(name) for name in catalogue.shipped_standards()}
    assert said == {name: (len(one.clauses), one.status) for name, one in found.items()}


@pytest.mark.parametrize(
    ("page", "heading"), [(PAGES[0], "A standard of yours"), (PAGES[1], "自有标准")]
)
def test_the_example_is_a_standard(page: str, heading: str) -> None:
    lines = [line for line in section(read(page), heading).splitlines() if line[:4] in ("    ", "")]
    standard = catalogue.parse_toml(textwrap.dedent("\n".join(lines)), page)
    require_known(standard)
    assert [one.value for one in standard.clauses[0].thresholds] == ["30", "35"]


def test_both_pages_have_the_same_commands() -> None:
    def commands(page: str) -> list[list[str]]:
        found = re.findall(r"^    (greenledger .*)$", read(page), re.MULTILINE)
        return [
            [word for word in one.split("  ")[0].split() if word not in ("en", "zh")]
            for one in found
        ]

    assert commands(PAGES[0]) == commands(PAGES[1])
