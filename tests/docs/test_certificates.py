"""docs/certificates*.md say of moves and schemes what the code has; both languages the same."""

from __future__ import annotations

import re

import pytest

from ledger.cli.app import app
from ledger.registry import lifecycle
from ledger.registry.scheme import CERTIFICATE, PPM, UnitClass, shipped, shipped_schemes
from tests.docs.pages import code_words, read, section, tables

PAGES = ["certificates.md", "certificates.zh-CN.md"]
SCHEMES = {"certificates.md": "Schemes", "certificates.zh-CN.md": "机制"}
MOVES = {"certificates.md": "What may become", "certificates.zh-CN.md": "一笔持有"}
COMMAND = re.compile(r"^(?:greenledger )?(certificate|credit|scheme|project|claim|lot) ([a-z-]+)")


@pytest.mark.parametrize("page", PAGES)
def test_the_table_of_moves_is_the_ledgers(page: str) -> None:
    (table,) = tables(section(read(page), MOVES[page]))
    told = {}
    for act, ends, begins, by in table[1:]:
        (name,) = code_words(act)
        told[name] = (set(code_words(ends)), code_words(begins), code_words(by))
    assert list(told) == list(lifecycle.MOVES)
    for name, move in lifecycle.MOVES.items():
        actors = [move.by]
        if name == lifecycle.RELEASE:
            actors.append(lifecycle.by_whom(name, lifecycle.FROZEN))
        state = [] if move.begins == lifecycle.SAME else [move.begins]
        assert told[name] == (set(move.ends), state, actors), name


@pytest.mark.parametrize("page", PAGES)
def test_the_table_of_schemes_is_that_of_the_files(page: str) -> None:
    table = tables(section(read(page), SCHEMES[page]))[0]
    told = {code_words(row[0])[0]: [cell.strip("`") for cell in row[1:]] for row in table[1:]}
    assert set(told) == set(shipped_schemes())
    for name, cells in told.items():
        rules = shipped(name)
        capped = rules.kind != CERTIFICATE and rules.cap_ppm not in (0, PPM)
        assert cells == [
            rules.kind,
            str(rules.unit_size),
            rules.unit,
            str(rules.validity_months),
            str(rules.cap_ppm) if capped else "–",
            str(rules.buffer_ppm) if rules.buffer_ppm else "–",
            rules.status,
        ]


@pytest.mark.parametrize("page", PAGES)
def test_the_classes_are_those_of_the_files(page: str) -> None:
    (table,) = tables(section(read(page), {0: "Classes", 1: "绿证类别"}[PAGES.index(page)]))
    told = {code_words(row[1])[0]: row[2:] for row in table[1:]}
    rules = shipped("gec")
    assert set(told) == set(rules.classes)
    for name, (moves, by, lots, how) in told.items():
        found: UnitClass = rules.classes[name]
        assert moves == str(found.moves_max) or (found.moves_max > 999 and not moves.isdigit())
        assert code_words(by) == [found.moved_by]
        assert lots == ", ".join(map(str, found.lot_classes))
        assert code_words(how) == [found.lots]


@pytest.mark.parametrize("page", PAGES)
def test_no_shipped_scheme_is_called_official(page: str) -> None:
    """The page says so, in bold; it has to change with the files."""
    assert all(shipped(name).status != "official" for name in shipped_schemes())
    assert re.search(r"\*\*[^*]*`official`[^*]*\*\*", read(page))


@pytest.mark.parametrize("page", PAGES)
def test_its_commands_exist(page: str) -> None:
    found = [match for word in code_words(read(page)) if (match := COMMAND.match(word))]
    assert len(found) > 20
    for match in found:
        assert match[2] in app.load(match[1]).commands, match[0]


def test_both_languages_name_the_same_code_words() -> None:
    english, chinese = (sorted(code_words(read(page))) for page in PAGES)
    assert english == chinese
