"""Officers and periods: formats.md, the two pages, the ledger and the verifier say the same."""

from __future__ import annotations

import re

import pytest

from greenledger_verify import periodforms, periodrules
from ledger.cli.app import app
from ledger.house import ENTRY_TYPES
from ledger.log.types import _never
from ledger.periods import entries, model
from tests.docs.pages import code_words, read, section, tables

FORMATS = read("formats.md")
PAGES = ["four-eyes.md", "four-eyes.zh-CN.md"]


def steps_table() -> list[list[str]]:
    lines = [line.strip() for line in section(FORMATS, "4.1").splitlines()]
    return next(table for table in tables("\n".join(lines)) if table[0] == ["from", "to", "by"])


def test_steps_of_periods() -> None:
    page: dict[tuple[str, str], bool] = {}
    for row in steps_table()[1:]:
        froms, (to, *others) = code_words(row[0]) or ["open"], code_words(row[1])
        assert others in ([], ["period.restate"])
        page |= {(before, to): "operator" in row[2] for before in froms}
    assert page.pop(("closed", "provisional")) is False
    assert page == model.STEPS == periodrules._STEPS
    assert set(model.ENDED) == set(periodforms.ENDED)


def test_members_of_a_report() -> None:
    (table,) = tables(section(FORMATS, "4.13"))
    page = [word for row in table[1:] for word in code_words(row[0])]
    assert page == list(entries._REPORT) == list(periodforms.REPORT)


@pytest.mark.parametrize("name", PAGES)
def test_the_page_names_all_that_takes_two(name: str) -> None:
    acts = tables(read(name))[0]
    page = {word for row in acts[1:] for word in code_words(row[0])}
    assert page == {
        one for one, type_ in ENTRY_TYPES.by_name.items() if type_.irreversible is not _never
    }


@pytest.mark.parametrize("name", PAGES)
def test_commands_of_the_page_exist(name: str) -> None:
    page = read(name)
    found = set(re.findall(r"greenledger ([a-z-]+) ([a-z-]+)", page))
    assert len(found) >= 9
    for group, command in found - {("claim", "status")}:
        commands = app.load(group).commands
        assert command in commands, f"{group} {command}"
