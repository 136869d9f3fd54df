"""The stand-alone verifier, run as another process: this package never imports it."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from ledger.errors import Unavailable

_MODULE: Final = "greenledger_verify"
_SECONDS_MAX: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What the verifier said of one file or folder. `subject`: text key; `steps`: how many held.

    `expected`: whether it should hold; forged files should not. Of what does not hold: `failed`,
    {language: [the step, why]}. Of evidence: `lines`, each with its values and English sentences.
    """

    subject: str
    path: str
    expected: bool
    ok: bool
    exit_code: int
    steps: int
    why: str
    failed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def as_expected(self) -> bool:
        """Found right, or found wrong with a reason: exit 0 and ok, or exit 1 and not ok."""
        return self.ok == self.expected and self.exit_code == (0 if self.expected else 1)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "as_expected": self.as_expected}


def require_verifier() -> None:
    """Raises Unavailable before any work, rather than after all of it."""
    if importlib.util.find_spec(_MODULE) is None:
        raise Unavailable(
            "the stand-alone verifier is not installed beside this package; in a checkout:"
            " pip install ./verifier"
        )


def verify(
    subject: str, arguments: Sequence[str], *, path: str, folder: Path, expected: bool = True
) -> Check:
    """Run `greenledger-verify ARGUMENTS --json` in `folder`."""
    exit_code, answer = _ask(arguments, "en", path, folder)
    failed = {}
    if not answer["ok"]:
        others = {"zh": _ask(arguments, "zh", path, folder)[1]}
        failed = {language: _failure(each) for language, each in ({"en": answer} | others).items()}
    # The command for a list of hashes answers with `ok` and `why` alone.
    steps = [step for step in answer.get("steps", []) if step["ok"]]
    return Check(
        subject=subject,
        path=path,
        expected=expected,
        ok=answer["ok"],
        exit_code=exit_code,
        steps=len(steps),
        why=answer.get("why", ""),
        failed=failed,
        lines=answer.get("lines", {}),
    )


def _failure(answer: Mapping[str, Any]) -> list[str]:
    """The step that does not hold, and why."""
    steps = [f"{step['number']}. {step['text']}" for step in answer.get("steps", [])]
    return [steps[-1] if steps else "", answer.get("why", "")]


def _ask(
    arguments: Sequence[str], language: str, path: str, folder: Path
) -> tuple[int, dict[str, Any]]:
    """(exit code, answer)."""
    # -P keeps the current directory off the import path: only what is installed is run.
    command = [sys.executable, "-P", "-m", _MODULE, *arguments, "--json", "--lang", language]
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter, no shell
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"the verifier took longer than {_SECONDS_MAX} s on {path}") from error
    try:
        return done.returncode, json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError) as error:
        said = (done.stderr or done.stdout).strip()[-500:]
        raise Unavailable(f"the verifier gave no answer on {path}: {said}") from error
