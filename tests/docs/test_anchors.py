"""docs/anchors*.md: examples are taken, commands run, figures and settings are the code's."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from ledger.anchors import config, cosigning, service, tokens
from ledger.house import House, now_s
from ledger.settings import Settings
from tests.docs.pages import code_words, read, tables
from tests.ledgers import copy_ledger, no_progress, open_house
from tests.servers.tsa import Authority, authorities, tsa
from tests.servers.witness import Cosigner

__all__ = ["authorities", "tsa"]
PAGES = ("anchors.md", "anchors.zh-CN.md")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def test_both_pages_have_the_same_examples() -> None:
    one, other = (read(page) for page in PAGES)
    for language in ("sh", "toml", "nginx"):
        assert blocks(one, language) == blocks(other, language)
        assert blocks(one, language)


@pytest.mark.parametrize("page", PAGES)
def test_members_settings_and_figures(page: str, tmp_path: Path, tsa: Authority) -> None:
    text = read(page)
    members, settings, _, files = tables(text)
    (example,) = blocks(text, "toml")
    vkey = Cosigner("witness.example/w1").vkey
    (tmp_path / "anchors.toml").write_text(example.replace("VKEY", vkey))
    (tmp_path / "tsa-1.pem").write_text(tsa.keys.roots)
    found = config.load(tmp_path / "anchors.toml")
    assert (len(found.witnesses), len(found.authorities), found.quorum) == (1, 1, 1)
    section, named = "", set()
    for line in example.splitlines():
        section = line.strip("[]") + "." if line.startswith("[[") else section
        if " = " in line:
            named.add(section + line.partition(" = ")[0])
    assert {code_words(row[0])[0] for row in members[1:]} == named
    defaults = {code_words(row[0])[0]: row[1] for row in settings[1:]}
    fields = Settings.model_fields
    assert defaults["GREENLEDGER_ANCHOR_EVERY_S"] == str(fields["anchor_every_s"].default)
    for name in defaults:
        assert name.removeprefix("GREENLEDGER_").lower() in fields
    assert f" {tokens.SKEW_S_MAX} " in text
    assert tokens.SKEW_S_MAX == cosigning.SKEW_S_MAX
    assert [service.wait_s(n) // 60 for n in (1, 2, 3, 99)] == [1, 2, 4, 6 * 60]
    assert len(files) == 4


def test_the_commands_that_check_a_time_stamp(
    begun_template: Path, tmp_path: Path, tsa: Authority
) -> None:
    """As they stand on the page, in a published folder, with openssl alone."""
    house: House = open_house(copy_ledger(begun_template, tmp_path / "house"), now_s)
    (house.settings.dir / "anchors.toml").write_text(
        f'[[authority]]\nname = "tsa-1"\nurl = "{tsa.url}"\n'
        f'certificates = """\n{tsa.keys.roots}"""\n'
    )
    house.settings.publish_dir = tmp_path / "public"
    house.anchor()
    house.publish(no_progress)
    house.engine.dispose()
    (tmp_path / "public/tsa-1.pem").write_text(tsa.keys.roots)
    (commands,) = [block for block in blocks(read(PAGES[0]), "sh") if "openssl" in block]
    done = subprocess.run(
        ["sh", "-e", "-c", commands.replace("SIZE", "1")],
        cwd=tmp_path / "public",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Verification: OK" in done.stdout + done.stderr
    assert re.search(r"^Time stamp: ", done.stdout, re.MULTILINE)
