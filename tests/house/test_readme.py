"""Every command in the READMEs and pages is real; both READMEs show the same ones."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from greenledger_verify.cli import main as verify
from ledger.cli.app import app
from tests.house.test_dev import commands_in_script

ROOT = Path(__file__).resolve().parents[2]
READMES = ["README.md", "README.zh-CN.md"]
# The walk of docs/api.md is run (tests/docs/test_api.py).
PAGES = sorted(page for page in (ROOT / "docs").glob("*.md") if not page.name.startswith("api."))
PROGRAMS = {"greenledger", "greenledger-verify"}


def commands(markdown: str) -> list[list[str]]:
    """The simple commands of all ```sh blocks, without comments, pipes and redirections."""
    found: list[list[str]] = []
    for block in re.findall(r"^```sh\n(.*?)^```", markdown, flags=re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
            words.commenters = "#"
            words.whitespace_split = True
            command: list[str] = []
            for word in words:
                if set(word) <= set("();<>|&"):
                    found.append(command)
                    command = []
                else:
                    command.append(word)
            found.append(command)
    return [command for command in found if command]


def ours(command: list[str]) -> list[str] | None:
    """The greenledger or greenledger-verify command meant; None for ./dev's own and others'."""
    program = Path(command[0]).name
    if program == "dev":
        assert command[1] in commands_in_script(), f"no such command: {shlex.join(command)}"
        if command[1] == "run":
            return ["greenledger", *command[2:]]
        return ["greenledger", *command[1:]] if command[1] == "demo" else None
    return [program, *command[1:]] if program in PROGRAMS else None


def complaint(command: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What the program says against these words; nothing, where it would begin to work.

    Help is asked for after all of greenledger's words: typer refuses unknown ones before it
    answers. The verifier's argparse would complain of placeholders, so there the command is asked.
    """
    program, *words = command
    try:
        if program == "greenledger":
            app([*words, "--help"], prog_name=program)
        else:
            verify([*words[:1], "--help"])
    except SystemExit as stop:
        told = capsys.readouterr()
        if stop.code:
            return told.out + told.err
        options = [word.split("=")[0] for word in words if word.startswith("--")]
        return ", ".join(f"no option {option}" for option in options if option not in told.out)
    return "it did not answer"


def read(name: str) -> str:
    path = ROOT / name
    if not path.exists() and not os.environ.get("CI"):
        pytest.skip(f"{name} is not written yet")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", READMES)
def test_every_command_in_the_readme_is_real(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    named = commands(read(name))
    assert named, f"{name} shows no command in a ```sh block"
    for command in named:
        meant = ours(command)
        if meant is None or meant in ([program] for program in PROGRAMS):
            continue
        assert complaint(meant, capsys) == "", shlex.join(command)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_in_a_page_is_real(
    page: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`…` stands for what a page leaves out."""
    monkeypatch.setenv("COLUMNS", "200")
    for command in commands(page.read_text(encoding="utf-8")):
        meant = ours([word for word in command if word != "…"])
        if meant is not None:
            assert complaint(meant, capsys) == "", shlex.join(command)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("greenledger audt", "No such command"),
        ("greenledger claim mak saw", "No such command"),
        ("greenledger audit --colour", "No such option"),
        ("greenledger-verify evidenze", "invalid choice"),
        ("greenledger-verify evidence --colour", "no option --colour"),
        ("greenledger audit", ""),
        ("greenledger-verify evidence x.json --vkey V", ""),
    ],
)
def test_a_command_that_is_not_real_is_found(
    command: str, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    answer = complaint(shlex.split(command), capsys)
    assert said in answer
    assert bool(said) == bool(answer)


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_the_programs_are_installed(program: str) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name(program)), "--help"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_both_languages_show_the_same_commands() -> None:
    english, chinese = (commands(read(name)) for name in READMES)
    assert english == chinese


def test_how_a_block_is_read() -> None:
    text = """
```sh
./dev demo   # a year
$ greenledger audit \\
    --vkey park+1a2b+AZ/= --json | head -3
```
```
not this
```
"""
    assert commands(text) == [
        ["./dev", "demo"],
        ["greenledger", "audit", "--vkey", "park+1a2b+AZ/=", "--json"],
        ["head", "-3"],
    ]
