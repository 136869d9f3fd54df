"""Standards as data: every clause of the seed is there, and what can't be answered is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ledger.errors import InvalidInput, NotFound
from ledger.scorecard import catalogue
from ledger.scorecard.entries import require_known
from ledger.scorecard.figures.known import FIGURES
from ledger.scorecard.standard import Standard
from tests.shared_data import shared_dir

GUIDELINE = "zero-carbon-park-guideline"
# A clause's number at the beginning of a line: 7.1.1 to 8.3.4, and of 7.4.1 its own clauses.
NUMBER = re.compile(r"^\s*((?:7\.4\.1|[78]\.\d+)\.\d+)(?![.\d])", re.MULTILINE)


def seed_numbers() -> list[str]:
    (file,) = (shared_dir() / "seed").glob("*.txt")
    found = NUMBER.findall(file.read_text(encoding="utf-8"))
    return [one for one in found if one != "7.4.1"]


def content(**changes: Any) -> dict[str, Any]:
    clause = {
        "clause": "1",
        "title": {"zh": "甲", "en": "A"},
        "kind": "computed",
        "obligation": "shall",
        "figure": "renewable-share",
        "thresholds": [{"op": ">=", "value": "80", "unit": "%"}],
        "closes": {"zh": "乙", "en": "B"},
    }
    return catalogue.with_defaults(
        {
            "title": {"zh": "标准", "en": "Standard"},
            "source": "somewhere",
            "status": "unverified",
            "clauses": [clause | changes],
        }
    )


def test_every_clause_of_the_seed_is_in_the_data() -> None:
    """97 clauses: 9 + 5 + 12 + 10 + 7 + 3 + 3 + 3 + 22 + 3 + 4 of chapter 7, 5 + 7 + 4 of 8."""
    numbers = seed_numbers()
    assert len(set(numbers)) == 97
    assert {one.clause for one in catalogue.shipped(GUIDELINE).clauses} == set(numbers)


def test_each_clause_has_a_line_of_its_own() -> None:
    for name in catalogue.shipped_standards():
        lines = catalogue.shipped(name).clauses
        assert {one.clause for one in lines} == {one.id for one in lines if not one.part}


def test_what_the_seed_has_wrong_is_noted() -> None:
    """The number that stands twice, and the text that begins again."""
    (file,) = (shared_dir() / "seed").glob("*.txt")
    text = file.read_text(encoding="utf-8")
    assert "7.2.4 7.2.4" in text
    assert text.count("7.3.10") == 2
    notes = {clause for clause, _ in catalogue.shipped(GUIDELINE).notes}
    assert {"7.1.1", "7.1.2", "7.2.4", "7.3.2", "7.3.10"} <= notes


def test_titles_are_not_the_text_of_the_standard() -> None:
    (file,) = (shared_dir() / "seed").glob("*.txt")
    text = re.sub(r"\s", "", file.read_text(encoding="utf-8"))
    copied = [
        one.id
        for one in catalogue.shipped(GUIDELINE).clauses
        if len(one.title.zh) > 12 and one.title.zh in text
    ]
    assert not copied


@pytest.mark.parametrize("name", catalogue.shipped_standards())
def test_shipped_ones_can_be_answered_and_written(name: str) -> None:
    standard = catalogue.shipped(name)
    require_known(standard)
    assert standard.status != "official"
    assert Standard.from_json(standard.to_json()) == standard
    assert all(standard.section_of(one.clause) for one in standard.clauses)


def test_every_figure_is_asked_for_by_a_shipped_clause() -> None:
    standards = [catalogue.shipped(name) for name in catalogue.shipped_standards()]
    asked = {one.figure for standard in standards for one in standard.clauses}
    asked |= {each.figure for s in standards for one in s.clauses for each in one.applies}
    assert set(FIGURES) <= asked


def test_the_910_thresholds() -> None:
    found = {
        one.clause: (one.thresholds[0].op, one.thresholds[0].value, one.obligation)
        for one in catalogue.shipped("ndrc-910").clauses
    }
    assert found == {
        "core-0.2": ("<=", "0.2", "shall"),
        "core-0.3": ("<=", "0.3", "shall"),
        "guiding-direct": (">=", "50", "should"),
        "guiding-clean": (">=", "90", "should"),
        "guiding-waste": (">=", "80", "should"),
        "guiding-heat": (">=", "50", "should"),
        "guiding-water": (">=", "80", "should"),
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "guessed"}, "kind"),
        ({"obligation": "must"}, "obligation"),
        ({"figure": ""}, "it needs a figure and a threshold"),
        ({"thresholds": []}, "it needs a figure and a threshold"),
        ({"thresholds": [{"op": ">=", "value": "0.8.0", "unit": "%"}]}, "thresholds"),
        ({"thresholds": [{"op": "=", "value": "80", "unit": "%"}]}, "thresholds"),
        ({"kind": "evidence", "figure": ""}, "no figure that it is of"),
        ({"closes": {"zh": "乙"}}, "closes"),
        ({"more": ""}, "more"),
    ],
)
def test_what_is_no_standard_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(message)):
        Standard.from_json(content(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"figure": "happiness"}, "no figure 'happiness' is computed"),
        ({"thresholds": [{"op": ">=", "value": "80", "unit": "tce"}]}, "is in %, not in tce"),
        (
            {"applies": [{"figure": "energy-use", "unit": "%", "from": "1", "below": ""}]},
            "is in tce, not in %",
        ),
        ({"kind": "evidence", "figure": "not-applicable"}, "give the figure another name"),
    ],
)
def test_what_can_not_be_answered_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(message)):
        require_known(Standard.from_json(content(**changes)))


def test_a_clause_stands_once_and_thresholds_in_order() -> None:
    twice = content()
    twice["clauses"] *= 2
    with pytest.raises(InvalidInput, match="clause 1 stands twice"):
        Standard.from_json(twice)
    open_ended = {"op": ">=", "value": "30", "unit": "%", "from": "", "to": ""}
    later = open_ended | {"value": "35", "from": "2030-01-01T00:00:00Z"}
    with pytest.raises(InvalidInput, match="one in force at a time"):
        Standard.from_json(content(thresholds=[open_ended, later]))


def test_no_clauses_and_no_such_standard() -> None:
    with pytest.raises(InvalidInput, match="clauses is an array of 1 to 1000"):
        Standard.from_json(content() | {"clauses": []})
    with pytest.raises(NotFound, match="known are ndrc-910, zero-carbon-park-guideline"):
        catalogue.shipped("atlantis")
