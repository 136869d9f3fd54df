"""The package as an auditor meets it: alone, small, and with every sentence in both languages."""

import ast
import string
import subprocess
import sys
from pathlib import Path

import pytest

import greenledger_verify
from greenledger_verify.text import say, shown
from greenledger_verify.zh import CHINESE

PACKAGE = Path(greenledger_verify.__file__).parent
SOURCES = sorted(PACKAGE.glob("*.py"))

# What takes a sentence as its first argument.
SPEAKERS = {
    "say",
    "locate",
    "unusable",
    "step",
    "establish",
    "leave_open",
    "VerificationError",
    "UnusableInput",
    "NotCounted",
}


def test_only_the_standard_library_and_cryptography() -> None:
    """Import every module in a fresh interpreter and see where all that came along lies."""
    modules = [f"greenledger_verify.{path.stem}" for path in SOURCES if path.stem != "__main__"]
    program = (
        f"import sys, {', '.join(modules)}\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r})\n{program}",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    before = subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            "import sys; print(*{n.partition('.')[0] for n in sys.modules})",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    allowed = sys.stdlib_module_names | {
        "greenledger_verify",
        "cryptography",
        "_cffi_backend",
        "_openssl",
    }
    # The last two are of cryptography. What any interpreter of this environment loads at its start
    # (editable installs) is not ours.
    assert set(done.stdout.split()) - set(before.stdout.split()) <= allowed


def sentences() -> set[str]:
    found = set()
    for path in SOURCES:
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and call.args and _name(call.func) in SPEAKERS:
                first = call.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
    return found


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_every_sentence_has_a_chinese_one() -> None:
    assert sentences() == set(CHINESE)
    for english, chinese in CHINESE.items():
        assert fields(english) == fields(chinese), english


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.name))
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 400


def test_hostile_values_are_shown_harmlessly() -> None:
    assert shown("\x1b[31mred\u202e") == r"\x1b[31mred\u202e"
    assert shown("x" * 5000) == "x" * 200 + "…"
    assert shown("{size}") == "{size}"
    assert say("{name} is too large", name="{0.__class__}").render() == "{0.__class__} is too large"
    assert shown(b"\x00\xff") == "00ff"
    assert shown(["a", "b"], "zh") == "a、b"
