"""docs/statement-profiles*.md name every key of a profile, and no other; both the same."""

from __future__ import annotations

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date

import pytest

from ledger.errors import InvalidInput
from ledger.metering.importers.strict import Section
from ledger.statements import compare, model
from ledger.statements import profile as profiles
from tests.docs.pages import ROOT, code_words, read, section, tables

PAGES = ["statement-profiles.md", "statement-profiles.zh-CN.md"]
SHIPPED = sorted((ROOT / "ledger" / "statements" / "profiles").glob("*.toml"))
TABLES = ["`title`", "`[file]`", "`[units]`", "`[[units.parts]]`", "`[energy]`", "`[month]`"]
TABLES += ["`[class]`", "`[status]`", "`[project]`", "`[party]`", "`[time]`"]
# What no shipped profile has: constants, and columns that are left to stand for themselves.
OTHERS = [
    """
kind = "gec"
scheme = "gec"
issuer = "Registry"
[file]
format = "csv"
[units]
code = "code"
quantity = "units"
[class]
value = "ordinary"
[status]
value = "held"
[project]
value = "P"
[party]
value = "mill"
""",
    """
kind = "gec"
scheme = "gec"
issuer = "Registry"
[file]
format = "csv"
[units]
quantity = "units"
[class]
column = "class"
[status]
column = "status"
""",
]

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
            defaults.add(str(default))
        return plain_take(self, key, default)

    def has(self: Section, key: str) -> bool:
        note(self, key)[1].add("optional")
        return plain_has(self, key)

    def choice(self: Section, key: str, options: Sequence[str], default: str | None = None) -> str:
        note(self, key)[0].update(options)
        return plain_choice(self, key, options, default)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Section, "_take", take)
        patch.setattr(Section, "has", has)
        patch.setattr(Section, "choice", choice)
        for text in [*(path.read_text(encoding="utf-8") for path in SHIPPED), *OTHERS]:
            profiles.read_statement_profile(text, where="a profile")
    return dict(found)


def documented(page: str) -> dict[Key, list[str]]:
    """Each key of a page → its row."""
    found: dict[Key, list[str]] = {}
    for heading in TABLES:
        (table,) = tables(section(read(page), heading))
        for row in table[1:]:
            (key,) = code_words(row[0])
            assert (heading.strip("`[]"), key) not in found
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
    tree = ast.parse(inspect.getsource(profiles))
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
    assert len(written) > 20
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
def test_statuses_findings_and_times(page: str) -> None:
    rows = documented(page)
    assert code_words(rows["status", "names"][4]) == list(model.STATUSES)
    assert profiles.AMERICAN in code_words(rows["time", "format"][4])
    heading = re.search(r"^## (What is compared|比对什么)$", read(page), flags=re.MULTILINE)
    assert heading
    findings, agreeing = tables(section(read(page), heading[1]))
    assert [code_words(row[0])[0] for row in findings[1:]] == list(compare.KINDS)
    assert {code_words(row[0])[0] for row in agreeing[1:]} == set(model.STATUSES)


def test_members_of_a_statement() -> None:
    """docs/formats.md §4.12."""
    statement, row = tables(section(read("formats.md"), "4.12"))
    said = model.StatementRow(row=2, first=0, end=1, status="held")
    assert [word for one in row[1:] for word in code_words(one[0])] == [
        "row", "code", "first", "end", "month", "project", "class", "status", "party", "wh", "note",
    ]  # fmt: skip
    assert set(said.to_json()) == {word for one in row[1:] for word in code_words(one[0])}
    assert set(said.to_json()) == set(code_words(statement[-1][1]))
    whole = model.Statement(
        scheme="gec",
        issuer="Registry",
        as_of=date(2026, 2, 28),
        file=model.StatementFile(name="a.csv", size=1, hash="00" * 32),
        profile="",
        rows=(said,),
    )
    assert list(whole.to_json()) == [code_words(one[0])[0] for one in statement[1:]]
    assert model.Statement.from_json(whole.to_json()) == whole


def test_the_page_says_what_agrees() -> None:
    """State by state, of the English page; `transferred` depends on the party."""
    _, agreeing = tables(section(read(PAGES[0]), "What is compared"))
    for row in agreeing[1:]:
        (status,) = code_words(row[0])
        if status in ("issued", "transferred"):
            continue
        named = {word for word in re.split(r"[, ]+", row[1]) if word not in ("", "or")}
        agrees = {
            state
            for state in compare.HERE | compare.GONE
            if compare.status_agrees(
                status, "", compare.OwnRange(code="A", first=0, end=1, state=state, owner="mill")
            )
        }
        assert named == agrees, status


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_are_those_that_ship(page: str) -> None:
    _, *_, examples = tables(read(page))
    assert {code_words(row[0])[0] for row in examples[1:]} == {path.name for path in SHIPPED}


def test_both_languages_name_the_same_code_words() -> None:
    def words(page: str) -> list[list[str]]:
        return [
            sorted({word for cell in row for word in code_words(cell)})
            for table in tables(read(page))
            for row in table
        ]

    english, chinese = map(words, PAGES)
    assert english == chinese


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        (('kind = "gec"', 'kind = "gecs"'), "kind is 'gecs', but must be one of 'gec'"),
        (('scheme = "gec"', 'scheme = "GEC"'), "scheme is 'GEC', but must be 1–40 characters"),
        (('format = "csv"', 'format = "parquet"'), "must be one of 'csv', 'xlsx'"),
        (('code = "code"', 'from = "a"\nto = "b"\ncode = "c"'), "code has no meaning beside from"),
        (('code = "code"', 'colour = "red"'), r"\[units\] colour is not a key of this table"),
        (('value = "ordinary"', 'value = "Ordinary"'), r"\[class\] value is 'Ordinary', but"),
        (('value = "held"', 'value = "sold"'), r"\[status\] value is 'sold', but must be one of"),
        (('[status]\nvalue = "held"', ""), "status is missing"),
        (('value = "mill"', 'column = "x"\nnames = {a = "B C"}'), "names lead to 'B C', but must"),
        (('value = "P"', 'value = "P"\ncolumn = "x"'), r"\[project\] column is not a key"),
        (
            ("[class]", '[[units.parts]]\ncolumn = "a"\nclass = "b"\n[class]'),
            r"class has no meaning beside \[\[units.parts\]\]",
        ),
        (
            ("[class]", '[time]\ncolumn = "t"\nformat = "%Y-%m-%d"\nzone = "file"\n[class]'),
            "zone is 'file' exactly where the format ends in %z",
        ),
        (
            ("[class]", '[month]\ncolumns = ["a", "b", "c"]\n[class]'),
            "columns must be one column, or those of year and month",
        ),
        (
            ('[units]\ncode = "code"\nquantity = "units"', '[energy]\ncolumn = "e"\nunit = "kWh"'),
            "units is missing: only a green-trade statement may give energy alone",
        ),
    ],
)
def test_a_wrong_profile_is_told_what_is_right(changes: tuple[str, str], error: str) -> None:
    before, after = changes
    assert before in OTHERS[0]
    with pytest.raises(InvalidInput, match=error):
        profiles.read_statement_profile(OTHERS[0].replace(before, after, 1), where="p.toml")
