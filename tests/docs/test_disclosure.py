"""docs/disclosure*.md say of files and commands what the code has; both languages the same."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from ledger.disclosure.archive import MANIFEST, OPENING
from ledger.disclosure.asked import SHOWN
from ledger.disclosure.content import (
    CERTIFICATES,
    CLAIMS,
    CREDITS,
    DOCUMENTS,
    FACTORS,
    ORGANISATION,
)
from ledger.disclosure.csv_file import _FORMULA
from ledger.disclosure.packing import PDF, README, XLSX
from ledger.settings import Settings
from tests.docs.pages import code_words, prose, read, tables
from tests.house.test_containers import parse

PAGES = ["disclosure.md", "disclosure.zh-CN.md"]


@pytest.mark.parametrize("page", PAGES)
def test_the_files_are_those_of_a_pack(page: str) -> None:
    (table,) = tables(read(page))
    told = [word for row in table[1:] for word in code_words(row[0])]
    folders = ["csv/*.csv", "evidence/*.evidence.json", "documents/*"]
    known = [README, PDF, XLSX, *folders, *SHOWN.values(), CLAIMS, CERTIFICATES, CREDITS, FACTORS]
    assert Counter(told) == Counter([*known, DOCUMENTS, ORGANISATION, MANIFEST, OPENING])


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_are_commands(page: str) -> None:
    lines = re.findall(r"^    greenledger (disclose .*?)  +", read(page), flags=re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        parse(line.split())


@pytest.mark.parametrize("page", PAGES)
def test_what_it_names_is_there(page: str) -> None:
    words = set(code_words(prose(read(page))))
    settings = {f"GREENLEDGER_{name.upper()}" for name in Settings.model_fields}
    assert {word for word in words if word.startswith("GREENLEDGER_")} <= settings
    assert {"=", "+", "-", "@"} == {one for one in words if one in _FORMULA}


def test_both_languages_name_the_same() -> None:
    english, chinese = ({*code_words(prose(read(page)))} for page in PAGES)
    assert english == chinese
