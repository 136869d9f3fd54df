"""docs/access*.md name the roles, reaches, commands and numbers that there are; both the same."""

from __future__ import annotations

import re

import pytest

from ledger.access import delays, keys, oidc, passwords, sessions, totp
from ledger.access.roles import Reach, Role
from ledger.cli.app import app
from ledger.settings import Settings
from tests.docs.pages import code_words, read, tables

PAGES = ["access.md", "access.zh-CN.md"]


@pytest.mark.parametrize("page", PAGES)
def test_roles_and_reaches_are_those_of_the_code(page: str) -> None:
    told_roles, told_reaches = (
        [code_words(row[0])[0] for row in table[1:]] for table in tables(read(page))
    )
    assert told_roles == [str(role) for role in Role]
    assert told_reaches == [str(reach) for reach in Reach]


@pytest.mark.parametrize("page", PAGES)
def test_commands_exist(page: str) -> None:
    group = app.load("account")
    told = set(re.findall(r"(?:greenledger |`)account ([a-z][a-z-]+)", read(page)))
    assert told <= set(group.commands)
    assert told >= {"create", "list", "grant", "revoke", "key", "events", "rules", "link"}


@pytest.mark.parametrize("page", PAGES)
def test_settings_exist(page: str) -> None:
    told = set(re.findall(r"GREENLEDGER_([A-Z_]+)", read(page)))
    known = {name.upper() for name in Settings.model_fields}
    assert told <= known
    assert told >= {name for name in known if name.startswith("OIDC")}


@pytest.mark.parametrize("page", PAGES)
def test_numbers_are_those_of_the_code(page: str) -> None:
    """In the order in which a reader meets them."""
    numbers = [
        passwords.LENGTH_MIN,
        passwords.LENGTH_MAX,
        totp.RECOVERY_CODES,
        delays.DELAY_S_MAX,
        sessions.IDLE_S // 60,
        sessions.ABSOLUTE_S // 3600,
        keys.LIFE_S_MAX // keys.DAY_S,
    ]
    found = re.findall(r"[0-9]+", read(page))
    place = 0
    for number in numbers:
        assert str(number) in found[place:], number
        place = found.index(str(number), place) + 1


@pytest.mark.parametrize("page", PAGES)
def test_algorithms_are_those_of_the_code(page: str) -> None:
    assert set(re.findall(r"`([REP]S[0-9]{3})`", read(page))) == set(oidc.ALGORITHMS)


def test_both_pages_have_the_same_code() -> None:
    english, chinese = (read(page) for page in PAGES)
    assert sorted(set(code_words(english))) == sorted(
        word.replace(".zh-CN", "") for word in set(code_words(chinese))
    )
    blocks = [
        re.findall(r"^(?:```.*?^```|    .*?$)", page, re.MULTILINE | re.DOTALL)
        for page in (english, chinese)
    ]
    assert blocks[0] == blocks[1] != []
