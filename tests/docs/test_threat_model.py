"""docs/threat-model.md: each line points to a test that is there, in both languages the same."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.pages import ROOT, read

PAGES = ["threat-model.md", "threat-model.zh-CN.md"]
_ROW = re.compile(r"^\| (?P<what>.+) \| (?P<found>.+) \| (?P<test>`[^`]+`|–) \|$", re.MULTILINE)


def rows(page: str) -> list[tuple[str, str, str]]:
    return [
        (row["what"], row["found"], row["test"].strip("`")) for row in _ROW.finditer(read(page))
    ]


@pytest.mark.parametrize("page", PAGES)
def test_each_line_points_to_a_test(page: str) -> None:
    found = rows(page)
    assert len(found) >= 40
    for what, _, test in found:
        if test == "–":
            continue
        path, _, name = test.partition("::")
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        names = {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}
        assert name in names, f"{what}: {test} is not there"


def test_what_has_no_test_is_said_to_be_open() -> None:
    for _, found, test in rows(PAGES[0]):
        assert test != "–" or found.startswith(("**not found**", "**not stopped**"))


def test_both_languages_point_to_the_same() -> None:
    english, chinese = (
        [line.rsplit("|", 2)[1] for line in read(page).splitlines() if line.startswith("|")]
        for page in PAGES
    )
    assert len(english) == len(chinese)
    assert [test for _, _, test in rows(PAGES[0])] == [test for _, _, test in rows(PAGES[1])]
