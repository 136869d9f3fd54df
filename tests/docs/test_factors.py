"""docs/factors*.md say of sets, members, units and commands what the code has; both the same."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from ledger.accounting.factors import files, members, units
from ledger.accounting.factors.library import FactorLibrary
from ledger.accounting.factors.used import Substitution
from ledger.cli.app import app
from tests.accounting.factors.sets import HEAD, published, shipped_library
from tests.docs.pages import code_words, prose, read, section, tables

PAGES = ["factors.md", "factors.zh-CN.md"]
COMMAND = re.compile(r"^ +greenledger factor ([a-z-]+)(.*)", flags=re.MULTILINE)


def fenced(page: str, kind: str) -> str:
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```$", read(page), flags=re.MULTILINE | re.DOTALL)
    assert isinstance(found, str)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_the_sets_are_those_that_came_with_the_program(page: str) -> None:
    shipped, _, _ = tables(read(page))
    told = {code_words(name)[0]: list(map(int, counts)) for name, *counts in shipped[1:]}
    assert list(told) == files.shipped_sets()
    for name, counts in told.items():
        statuses = Counter(one.status for one in files.shipped(name).factors)
        assert counts == [statuses.total(), *(statuses[each] for each in members.STATUSES)], name
    items = {one.item for each in shipped_library().sets for one in each.content.factors}
    named = [
        word for word in code_words(prose(read(page))) if re.match(r"(fuel|tce|elec)\S+-", word)
    ]
    assert set(named) - items <= {"fuel-…"}


@pytest.mark.parametrize("page", PAGES)
def test_the_members_are_those_of_a_factor(page: str) -> None:
    _, table, _ = tables(read(page))
    told = [word for row in table[1:] for word in code_words(row[0])]
    assert sorted(told) == sorted(members.FACTOR)


def test_the_formats_name_every_member() -> None:
    told = set(code_words(section(read("formats.md"), "4.15")))
    assert {*members.SET, *members.FACTOR, *members.SERIES, *members.TITLE} <= told


@pytest.mark.parametrize("page", PAGES)
def test_the_units_are_those_that_convert(page: str) -> None:
    *_, table = tables(read(page))
    told = [code_words(row[1]) for row in table[1:]]
    assert sorted(unit for row in told for unit in row) == sorted(units.known().split(", "))
    for row in told:
        assert all(units.ratio(unit, row[0]) > 0 for unit in row)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_are_read(page: str) -> None:
    own = files.parse_toml(fenced(page, "toml"), "own.toml")
    library = FactorLibrary(sets=(published("own", own),))
    found = library.find("electricity-average", region="440100", year=2026)
    assert (found.factor.value, found.factor.status) == ("0.4250", "secondary")
    (steel,) = files.parse_csv(fenced(page, "csv").encode(), "own.csv", head=HEAD).factors
    assert steel.covers == ("CO2", "CH4")
    stated = Substitution.from_json(json.loads(fenced(page, "json")))
    used = shipped_library().find(
        "electricity-average", region="440100", year=2018, substitutions=[stated]
    )
    assert used.use()["substituted"] != ""


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_exist_with_their_options(page: str) -> None:
    group = app_group()
    told = COMMAND.findall(read(page))
    assert {name for name, _ in told} == set(group)
    for name, rest in told:
        assert set(re.findall(r"--[a-z-]+", rest)) <= group[name], name


def app_group() -> dict[str, set[str]]:
    """{command of `factor`: its options}."""
    return {
        name: {option for one in each.params for option in one.opts}
        for name, each in app.load("factor").commands.items()
    }


def test_both_pages_say_the_same() -> None:
    english, chinese = ([*code_words(read(page))] for page in PAGES)
    assert Counter(english) == Counter(chinese)
