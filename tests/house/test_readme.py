"""Every command in the READMEs is real, and both languages show the same ones."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.test_dev import commands_in_script

ROOT = Path(__file__).resolve().parents[2]
READMES = ["README.md", "README.zh-CN.md"]
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


def help_of(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Asks for help after all of greenledger's words: typer refuses unknown ones before it answers.

    The verifier's argparse would complain of placeholders, so there only the command is asked.
    """
    words = command[:2] if command[0] == "greenledger-verify" else command
    return subprocess.run(
        [str(Path(sys.executable).with_name(command[0])), *words[1:], "--help"],
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"},
        capture_output=True,
        text=True,
        check=False,
    )


def read(name: str) -> str:
    path = ROOT / name
    if not path.exists() and not os.environ.get("CI"):
        pytest.skip(f"{name} is not written yet")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", READMES)
def test_every_command_in_the_readme_is_real(name: str) -> None:
    named = commands(read(name))
    assert named, f"{name} shows no command in a ```sh block"
    for command in named:
        meant = ours(command)
        if meant is None or meant in ([program] for program in PROGRAMS):
            continue
        answer = help_of(meant)
        assert answer.returncode == 0, f"{shlex.join(command)}\n{answer.stdout}{answer.stderr}"
        for option in [word.split("=")[0] for word in meant if word.startswith("--")]:
            assert option in answer.stdout, f"{shlex.join(command)}: no option {option}"


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
