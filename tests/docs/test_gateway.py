"""docs/gateway*.md: its examples are taken, its table is the configuration, both say the same."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib

import pytest

from ledger.gateway.config import Broker, Collect, Key, Server
from ledger.gateway.intake import PAYLOAD_KEPT_BYTES
from ledger.gateway.messages import (
    _FLAGS,
    ITEMS_MAX,
    MESSAGE_BYTES_MAX,
    Interval,
    Register,
    read_message,
)
from ledger.gateway.sender import CLOCK_OFF_S
from ledger.log.types import FUTURE_S_MAX
from tests.docs.pages import code_words, read, section, tables

PAGES = {"gateway.md": "What meters publish", "gateway.zh-CN.md": "电表发布什么"}
SECTIONS = {"server": Server, "key": Key, "mqtt": Broker, "collect": Collect}


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_every_example_of_a_message_is_taken(page: str) -> None:
    kinds = [
        type(item) for text in blocks(read(page), "json") for item in read_message(text.encode())
    ]
    assert kinds == [Interval, Interval, Interval, Register, Register]
    assert all(json.loads(text) for text in blocks(read(page), "json"))


def test_both_pages_have_the_same_examples() -> None:
    one, other = (read(page) for page in PAGES)
    for language in ("sh", "toml", "json"):
        assert blocks(one, language) == blocks(other, language)
        assert blocks(one, language)


@pytest.mark.parametrize("page", PAGES)
def test_the_table_names_every_member_and_its_default(page: str) -> None:
    (table,) = tables(read(page))
    named = {code_words(row[0])[0]: row[2] for row in table[1:]}
    wanted = {"outbox": dataclasses.MISSING} | {
        f"{section_}.{field.name}": field.default
        for section_, kind in SECTIONS.items()
        for field in dataclasses.fields(kind)
    }
    assert list(named) == sorted(named, key=list(named).index)
    assert set(named) == set(wanted)
    for name, default in wanted.items():
        if default is dataclasses.MISSING:
            assert named[name] in ("required", "必填"), name
        elif isinstance(default, bool):
            assert named[name] == f"`{str(default).lower()}`"
        elif isinstance(default, int) and default:
            assert named[name] == str(default)
    (example,) = blocks(read(page), "toml")
    for section_, members in tomllib.loads(example).items():
        if isinstance(members, dict):
            assert {f"{section_}.{name}" for name in members} <= set(named)


@pytest.mark.parametrize(("page", "heading"), PAGES.items())
def test_the_figures_are_those_of_the_code(page: str, heading: str) -> None:
    text = read(page)
    published = section(text, heading)
    assert f"{ITEMS_MAX:,}" in published
    assert f"{MESSAGE_BYTES_MAX:,}" in published
    flags = [word for word in code_words(published) if word in _FLAGS]
    assert set(flags) == set(_FLAGS)
    for figure in (CLOCK_OFF_S, FUTURE_S_MAX, PAYLOAD_KEPT_BYTES // 1024):
        assert re.search(rf"\b{figure} ", text), figure
