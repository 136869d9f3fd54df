"""docs/import-profiles*.md name every key that a profile may have, and no other; both the same."""

from __future__ import annotations

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from ledger.metering.importers import profile_toml, read_profile
from ledger.metering.importers.strict import Section
from ledger.metering.quality import Quality
from ledger.units import BASE_UNITS, POWER_UNITS
from tests.docs.pages import ROOT, code_words, read, section, tables

PAGES = ["import-profiles.md", "import-profiles.zh-CN.md"]
SHIPPED = sorted((ROOT / "ledger" / "metering" / "profiles").glob("*.toml"))
OTHERS = sorted((ROOT / "ledger" / "demo" / "profiles").glob("*.toml"))
TABLES = ["`title`", "`[file]`", "`[time]`", "`[value]`", "`[[points]]`", "`[long]`", "`[wide]`"]
TABLES += ["`[keep]`", "`[target]`"]
# What no profile in the checkout has: a file of one point, day by day.
ONE_POINT = """
[file]
format = "csv"
[time]
columns = ["day"]
format = "%Y-%m-%d"
interval = "1h"
label = "end"
[wide]
columns = "H*"
first = "01:00"
point = "roof"
[value]
quantity = "energy"
unit = "kWh"
"""

Key = tuple[str, str]  # table (its heading without marks), key


@pytest.fixture(scope="module")
def asked() -> dict[Key, tuple[set[str], set[str]]]:
    """Each key that the code asks for → allowed values and defaults, over all profiles."""
    found: dict[Key, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))

    def note(of: Section, key: str) -> tuple[set[str], set[str]]:
        return found[of._path or "title", key]

    plain_take, plain_has, plain_choice = Section._take, Section.has, Section.choice

    def take(self: Section, key: str, default: object) -> object:
        defaults = note(self, key)[1]
        if default is None:
            defaults.add("required")
        elif isinstance(default, str | int) and default:
            defaults.add(str(default).lower() if isinstance(default, bool) else str(default))
        return plain_take(self, key, default)

    def has(self: Section, key: str) -> bool:
        # What the code looks for first, it can do without.
        note(self, key)[1].add("optional")
        return plain_has(self, key)

    def choice(self: Section, key: str, options: Sequence[str], default: str | None = None) -> str:
        note(self, key)[0].update(options)
        return plain_choice(self, key, options, default)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Section, "_take", take)
        patch.setattr(Section, "has", has)
        patch.setattr(Section, "choice", choice)
        for path in [*SHIPPED, *OTHERS]:
            read_profile(path.read_text(encoding="utf-8"), where=path.name)
        read_profile(ONE_POINT, where="one point")
    return dict(found)


def documented(page: str) -> dict[Key, list[str]]:
    """Each key of a page → its row."""
    found: dict[Key, list[str]] = {}
    for heading in TABLES:
        (table,) = tables(section(read(page), heading))
        for row in table[1:]:
            (key,) = code_words(row[0])
            assert (heading, key) not in found
            found[heading.strip("`[]"), key] = row
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_key_is_named_and_no_other(
    page: str, asked: dict[Key, tuple[set[str], set[str]]]
) -> None:
    assert set(documented(page)) == set(asked)


def test_the_profiles_reach_every_key_of_the_code(
    asked: dict[Key, tuple[set[str], set[str]]],
) -> None:
    """Keys that stand in the code as text; else a key in an unused branch could stay unnamed."""
    tree = ast.parse(inspect.getsource(profile_toml))
    methods = {name for name, _ in inspect.getmembers(Section, inspect.isfunction)}
    written = {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in methods - {"fails", "__init__"}
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }
    assert len(written) > 25
    assert written <= {key for _, key in asked}


@pytest.mark.parametrize("page", PAGES)
def test_allowed_values_and_defaults(
    page: str, asked: dict[Key, tuple[set[str], set[str]]]
) -> None:
    for key, row in documented(page).items():
        allowed, defaults = asked[key]
        assert allowed <= set(code_words(row[4])), key
        if "required" in defaults and "optional" not in defaults:
            assert re.search("required|必填", row[3]), key
        assert defaults - {"required", "optional"} <= set(code_words(row[3])), key


@pytest.mark.parametrize("page", PAGES)
def test_units(page: str) -> None:
    named = code_words(documented(page)["value", "unit"][4])
    assert named == [*POWER_UNITS, *BASE_UNITS]


@pytest.mark.parametrize("page", PAGES)
def test_flags(page: str) -> None:
    text = read(page)
    heading = re.search(r"^## (Flags.*|标记.*)$", text, flags=re.MULTILINE)
    assert heading
    (table,) = tables(section(text, heading[1]))
    named = [code_words(row[0])[0] for row in table[1:]]
    known = {str(flag.name).lower() for flag in Quality}
    assert set(named) == known - {"estimated", "late"}


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_are_those_that_ship(page: str) -> None:
    assert {word for word in code_words(read(page)) if word.endswith("min.toml")} <= {
        path.name for path in SHIPPED
    }
    assert {path.name for path in SHIPPED} <= set(code_words(read(page)))


def test_both_languages_name_the_same_code_words() -> None:
    def words(page: str) -> list[list[str]]:
        return [
            sorted({word for cell in row for word in code_words(cell)})
            for table in tables(read(page))
            for row in table
        ]

    english, chinese = map(words, PAGES)
    assert english == chinese


def test_shipped_profiles_were_found() -> None:
    assert len(SHIPPED) > 5
    assert all(Path(path).is_file() for path in OTHERS)
