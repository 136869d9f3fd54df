"""docs/accounting*.md say of regimes and figures what comes with the program; both the same."""

from __future__ import annotations

import re

import pytest

from ledger.accounting.regime import RESIDUAL, TEST_FIGURES
from ledger.accounting.regime_reading import shipped, shipped_regimes
from ledger.cli.app import app
from tests.docs.pages import code_words, read, tables

PAGES = ["accounting.md", "accounting.zh-CN.md"]
COMMAND = re.compile(r"^ +greenledger regime ([a-z-]+)", flags=re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_the_regimes_are_those_that_come_with_the_program(page: str) -> None:
    shown = next(one for one in tables(read(page)) if "ghg-market" in str(one))
    told = {code_words(row[0])[0]: row[1:] for row in shown[1:]}
    assert list(told) == shipped_regimes()
    for name, (figure, residual, offsets, status) in told.items():
        rules = shipped(name)
        item = "–"
        if rules.electricity is not None:
            factor = rules.electricity.classes[RESIDUAL]
            item = f"`{rules.electricity.factors[factor].item}`"
        assert [figure, residual, offsets, status] == [
            rules.figure,
            item,
            rules.offsets.mode,
            rules.status,
        ], name


@pytest.mark.parametrize("page", PAGES)
def test_the_figures_are_those_that_have_tests(page: str) -> None:
    shown = next(one for one in tables(read(page)) if "`intensity`" in str(one))
    assert sorted(code_words(row[0])[0] for row in shown[1:]) == sorted(TEST_FIGURES)


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_regimes_are_all_there(page: str) -> None:
    assert set(COMMAND.findall(read(page))) == set(app.load("regime").commands)


def test_both_languages_name_the_same() -> None:
    english, chinese = (read(page) for page in PAGES)
    told = [word.replace(".zh-CN", "") for word in code_words(chinese)]
    assert sorted(set(told)) == sorted(set(code_words(english)))
