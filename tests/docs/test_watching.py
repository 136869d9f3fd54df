"""docs/monitor*.md and docs/witness*.md: what their tables name is what there is, in both."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from ledger.cli.app import app
from ledger.watching.alarms import FOR_EVER, Kind
from ledger.watching.conflict import FORMAT, Conflict
from ledger.watching.notes import open_seen, read_log_keys
from ledger.watching.request import BODY_BYTES_MAX
from ledger.watching.witness import _AUDIT_S
from tests.docs.pages import code_words, read, tables
from tests.watching.conftest import begun_template, operator, tiled_template
from tests.watching.operator import Operator

__all__ = ["begun_template", "operator", "tiled_template"]

MONITOR = ["monitor.md", "monitor.zh-CN.md"]
WITNESS = ["witness.md", "witness.zh-CN.md"]


def first_column(page: str, number: int) -> list[str]:
    return [word for row in tables(read(page))[number][1:] for word in code_words(row[0])]


@pytest.mark.parametrize("page", MONITOR)
def test_options_and_their_defaults(page: str) -> None:
    command: Any = app.load("monitor")
    options = {one.opts[0]: one for one in command.params if one.opts[0].startswith("--")}
    options.pop("--help", None)
    table = tables(read(page))[0][1:]
    assert [code_words(row[0])[0] for row in table] == list(options)
    for row in table:
        option = options[code_words(row[0])[0]]
        if row[2].isdigit():
            assert int(row[2]) == option.default
        else:
            assert (row[2] in ("required", "必填")) == option.required


@pytest.mark.parametrize("page", MONITOR)
def test_kinds_of_alarms(page: str) -> None:
    assert sorted(first_column(page, 1)) == sorted(get_args(Kind))
    for row in tables(read(page))[1][1:]:
        if code_words(row[0])[0] in FOR_EVER:
            assert row[2] in ("never", "永不")


@pytest.mark.parametrize("page", MONITOR)
def test_members_of_a_conflict(page: str, operator: Operator) -> None:
    keys = read_log_keys([operator.vkey])
    seen = open_seen(operator.note(operator.entries), keys, 0)
    text = Conflict(old=seen, new=seen, root=b"", path=()).encode().decode()
    assert first_column(page, 2) == re.findall(r'^ "(\w+)":', text, re.MULTILINE)
    assert f"`{FORMAT}`" in read(page)


@pytest.mark.parametrize("page", WITNESS)
def test_what_a_witness_answers(page: str) -> None:
    statuses = [row[0] for row in tables(read(page))[1][1:]]
    assert statuses == ["200", "400", "403", "404", "409", "413", "422", "500", "503"]
    assert f"{BODY_BYTES_MAX:,}" in read(page)
    assert f"{_AUDIT_S:.0f} " in read(page)


@pytest.mark.parametrize("pages", [MONITOR, WITNESS], ids=["monitor", "witness"])
def test_both_languages_show_the_same_commands(pages: list[str]) -> None:
    one, other = (
        re.findall(r"^```sh\n(.*?)^```", read(page), re.MULTILINE | re.DOTALL) for page in pages
    )
    assert one == other
    assert len(one) == 2
