"""./dev itself: its help tells the truth, and the caller's directory does not matter."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEV = ROOT / "dev"


def dev(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(DEV), *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def commands_in_help(text: str) -> set[str]:
    return set(re.findall(r"^  ([\w-]+)", text, flags=re.MULTILINE))


def commands_in_script() -> set[str]:
    """The patterns of the last `case`, the one that acts."""
    table = DEV.read_text(encoding="utf-8").rsplit("\ncase $command in\n", maxsplit=1)[1]
    patterns = re.findall(r"^    ([\w| -]+)\)", table, flags=re.MULTILINE)
    return {name.strip() for pattern in patterns for name in pattern.split("|")} - {"-h", "--help"}


def test_help_lists_exactly_the_commands_that_exist(tmp_path: Path) -> None:
    answer = dev("help", folder=tmp_path)
    assert answer.returncode == 0
    assert commands_in_help(answer.stdout) == commands_in_script()


def test_an_unknown_command_is_refused_with_the_list(tmp_path: Path) -> None:
    answer = dev("frobnicate", folder=tmp_path)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert "there is no command 'frobnicate'" in answer.stderr
    assert "Usage: ./dev" in answer.stderr


def test_a_python_that_does_not_run_is_named(tmp_path: Path) -> None:
    answer = subprocess.run(
        [str(DEV), "run", "--help"],
        env={"PATH": "/usr/bin:/bin", "PYTHON": "/no/such/python"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "PYTHON=/no/such/python is not a Python 3.11 to 3.13" in answer.stderr
