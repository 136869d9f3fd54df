"""docs/keys*.md: its commands and settings are there, both say the same, the rotation is run."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from ledger.cli.app import app
from ledger.cli.app import main as greenledger
from ledger.log import logkeys, notes
from ledger.settings import Settings
from tests.docs.pages import ROOT, read, tables
from tests.house.test_readme import commands

PAGES = ["keys.md", "keys.zh-CN.md"]


@pytest.mark.parametrize("page", PAGES)
def test_commands_exist(page: str) -> None:
    found = set(re.findall(r"`(?:greenledger )?(log-key|party|officer) ([a-z-]+)", read(page)))
    assert len(found) >= 8
    for group, command in found:
        assert command in app.load(group).commands, f"{group} {command}"


@pytest.mark.parametrize("page", PAGES)
def test_settings_and_examples_exist(page: str) -> None:
    told = set(re.findall(r"GREENLEDGER_([A-Z_]+[A-Z])", read(page)))
    assert told == {"KEK", "SIGNER", "SIGNER_TIMEOUT_S", "CHECKPOINT_EVERY_S"}
    assert told <= {name.upper() for name in Settings.model_fields}
    assert str(int(Settings().signer_timeout_s)) in re.findall(r"[（(](\d+)[）)]", read(page))
    for name in re.findall(r"\]\((examples/[a-z0-9_.]+|adr/[^)]+)\)", read(page)):
        assert (ROOT / "docs" / name).is_file(), name


@pytest.mark.parametrize("page", PAGES)
def test_numbers(page: str) -> None:
    text = read(page)
    assert logkeys.IN_FORCE_MAX == 4
    assert re.search(r"At most 4 Ed25519|最多 4 把", text)


def test_both_pages_have_the_same_commands_and_tables() -> None:
    english, chinese = (read(page) for page in PAGES)
    assert commands(english) == commands(chinese)
    shapes = [
        [[len(row) for row in table] for table in tables(page)] for page in (english, chinese)
    ]
    assert shapes[0] == shapes[1]
    assert english.count("\n## ") == chinese.count("\n## ")


def test_the_ceremony_and_the_rotation_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its own words, in order; the key id is that of the key which there is."""
    monkeypatch.setenv("GREENLEDGER_DIR", str(tmp_path / "ledger"))

    def run(words: list[str]) -> dict[str, Any]:
        monkeypatch.setattr("sys.argv", [*words, "--json"])
        with pytest.raises(SystemExit) as stop:
            greenledger()
        assert stop.value.code == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    page = [shlex.join(words) for words in commands(read("keys.md"))]
    ceremony = [one for one in page if "--log-vkey" not in one and "--vkey" not in one][:6]
    assert [one.split()[1:3] for one in ceremony] == [
        ["init", "--origin"],
        ["log-key", "list"],
        ["checkpoint"],
        ["log-key", "register"],
        ["log-key", "list"],
        ["log-key", "end"],
    ]
    first = ""
    for line in ceremony:
        words = [first if word == "2f3a91c0" else word for word in shlex.split(line)]
        said = run(words)
        if words[1] == "init":
            first = notes.parse_vkey(said["vkey"]).key_id.hex()
    listed = run(["greenledger", "log-key", "list"])["log_keys"]
    assert [one["ended_by"] for one in listed] == [4, -1]
    assert run(["greenledger", "audit"])["entries"] == 5
