"""docs/accounting*.md say of commands, members and columns what the code has; both the same."""

from __future__ import annotations

import re

import pytest

from ledger.accounting import computing
from ledger.accounting.registers import activity, document, importing
from ledger.cli.app import app
from tests.docs.pages import code_words, read, tables

PAGES = ["accounting.md", "accounting.zh-CN.md"]
COMMAND = re.compile(r"^ +greenledger (activity|document|report) ([a-z]+)", flags=re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_are_all_there(page: str) -> None:
    told = set(COMMAND.findall(read(page)))
    assert told == {
        (word, name)
        for word in ("activity", "document", "report")
        for name in app.load(word).commands
    }


@pytest.mark.parametrize("page", PAGES)
def test_what_is_asked_has_these_members(page: str) -> None:
    table = next(one for one in tables(read(page)) if "`subject`" in one[1][0])
    told = [code_words(row[0])[0] for row in table[1:]]
    assert set(told) == {"subject", *computing.ABOUT}


@pytest.mark.parametrize("page", PAGES)
def test_activities_and_documents_have_these_members(page: str) -> None:
    table = next(one for one in tables(read(page)) if "`organisation`" in one[1][0])
    told = {word for row in table[1:] for word in code_words(row[0])}
    assert told == set(activity.MEMBERS)
    (line,) = [line for line in read(page).splitlines() if "`valid_until`" in line]
    assert set(document.MEMBERS) | set(document.FILE) <= set(code_words(line))
    words = set(code_words(read(page)))
    assert set(importing.COLUMNS) <= words


def test_the_formats_name_every_member() -> None:
    told = set(code_words(read("formats.md")))
    assert {*activity.MEMBERS, *activity.FACTOR, *document.MEMBERS, *document.FILE} <= told
