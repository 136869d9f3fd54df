"""greenledger scorecard …, as a person and as a program run it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, run
from tests.ledgers import begun_template, copy_ledger

__all__ = ["begun_template", "run"]

GUIDELINE = "zero-carbon-park-guideline"


@pytest.fixture
def place(begun_template: Path, tmp_path: Path) -> Path:
    return copy_ledger(begun_template, tmp_path / "ledger")


def read(text: str) -> Any:
    return json.loads(text.splitlines()[-1])


def test_a_ledger_that_has_just_begun(place: Path, run: Run) -> None:
    """Nothing but its trail: 120 lines, one of them met."""
    done = run("scorecard", "show", "--period", "2026", "--json")
    assert done.code == 0, done.err
    found = read(done.out)
    (whole,) = [one for one in found["result"]["summary"] if one["id"] == "all"]
    assert (whole["clauses"], whole["met"], found["published"]) == (120, 1, False)
    assert found["result"]["standard"]["entry"] == ""


@pytest.mark.parametrize(
    ("language", "shows", "hides"),
    [
        ("zh", ["零碳园区建设指南", "可再生能源使用比例", "缺口"], ["Share of renewable energy"]),
        ("en", ["Share of renewable energy", "shall >= 80 %", "gap"], ["可再生能源使用比例"]),
        ("both", ["可再生能源使用比例", "Share of renewable energy", "缺口 gap"], []),
    ],
)
def test_for_people(
    place: Path, run: Run, language: str, shows: list[str], hides: list[str]
) -> None:
    done = run("scorecard", "show", "--period", "2026", "--language", language)
    assert done.code == 0, done.err
    for text in (*shows, "7.1.1", "unverified"):
        assert text in done.out
    for text in hides:
        assert text not in done.out


def test_gaps_say_what_would_close_them(place: Path, run: Run) -> None:
    done = run("scorecard", "gaps", "--period", "2026")
    assert "The park's energy plan in force" in done.out
    assert "现行有效的园区能源规划" in done.out
    found = read(run("scorecard", "gaps", "--period", "2026", "--json").out)
    assert len(found["gaps"]) == 119
    assert all(one["closes"]["en"] for one in found["gaps"])


def test_publishing_puts_the_standard_in_the_log_first(place: Path, run: Run) -> None:
    done = run("scorecard", "show", GUIDELINE, "--period", "2026", "--publish", "--json")
    assert done.code == 0, done.err
    found = read(done.out)
    assert found["published"] is True
    standard = found["result"]["standard"]
    assert standard["entry"] < found["entry"]
    listed = read(run("scorecard", "standards", "--json").out)["standards"]
    assert {one["name"]: one["entry"] for one in listed} == {
        GUIDELINE: standard["entry"],
        "ndrc-910": None,
    }
    assert "it came with the program" in run("scorecard", "standards").out
    reports = read(run("report", "list", "--json").out)["reports"]
    assert [one["kind"] for one in reports] == ["scorecard"]


def test_a_standard_of_ones_own(place: Path, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        'title = { zh = "自有", en = "Own" }\nsource = "ours"\nstatus = "unverified"\n'
        '[[clauses]]\nclause = "A.1"\ntitle = { zh = "痕迹", en = "A trail" }\nkind = "computed"\n'
        'obligation = "may"\nfigure = "audit-trail"\ncloses = { zh = "无", en = "None" }\n'
        'thresholds = [{ op = ">=", value = "3", unit = "entries" }]\n'
    )
    done = run("scorecard", "register", "own", "--file", str(file))
    assert "1 lines, ours (unverified)" in done.out
    first = read(run("scorecard", "show", "own", "--period", "2026", "--json", "--as-of", "2").out)
    assert "error" in first
    after = read(run("scorecard", "show", "own", "--period", "2026", "--json").out)
    assert [one["answer"] for one in after["result"]["clauses"]] == ["met"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["show"], 2, "--period 2026"),
        (["show", "atlantis", "--period", "2026"], 4, "there is no standard 'atlantis'"),
        (["show", "--period", "2026", "--as-of", "999"], 2, "as_of is 999"),
        (["show", "--period", "2026", "--language", "fr"], 2, "zh, en, both"),
        (["gaps", "--period", "soon"], 2, "period"),
        (["register", "atlantis"], 4, "known are ndrc-910"),
        (["register", "own", "--file", "nowhere.toml"], 4, "no file nowhere.toml"),
        (["show", "--period", "2026", "--about", "nowhere.toml"], 4, "no file nowhere.toml"),
    ],
)
def test_what_is_refused(place: Path, run: Run, words: list[str], code: int, message: str) -> None:
    done = run("scorecard", *words)
    assert done.code == code
    assert message in done.err


def test_a_document_answers_a_clause(place: Path, run: Run, tmp_path: Path) -> None:
    """Heat of 61.5 % is enough for 50 %; next year the document has expired."""
    file = tmp_path / "heat.pdf"
    file.write_bytes(b"61.5 %")
    words = ["document", "add", str(file), "--kind", "report", "--issued", "2026-01-01"]
    words += ["--valid-until", "2026-02-15", "--answers", "ndrc-910:guiding-heat"]
    done = run(*words, "--figure", "waste-heat-used 61.5 %", "--statement", "measured")
    assert done.code == 0, done.err

    def heat(period: str) -> tuple[str, str]:
        shown = read(run("scorecard", "show", "ndrc-910", "--period", period, "--json").out)
        (one,) = [one for one in shown["result"]["clauses"] if one["id"] == "guiding-heat"]
        return one["answer"], one["value"]

    assert heat("2026-01") == ("met", "61.5")
    assert heat("2026-02") == ("gap", "")
    text = run("scorecard", "show", "ndrc-910", "--period", "2026-02").out
    assert "operator → 2026-02-15, 已失效 expired" in text
    for wrong in (["--answers", "ndrc-910"], ["--figure", "61.5 %"]):
        assert run("document", "add", str(file), "--kind", "report", *wrong).code == 2
