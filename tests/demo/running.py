"""`greenledger demo` as a process of its own, as people start it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

SECONDS_MAX = 300


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Where a demo lies, and what it said."""

    folder: Path
    stdout: str
    stderr: str

    @cached_property
    def answer(self) -> dict[str, Any]:
        """The JSON object of the last line."""
        found = json.loads(self.stdout.splitlines()[-1])
        assert isinstance(found, dict)
        return found


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from ledger.cli import main; main()", "demo", *arguments]


def environment() -> dict[str, str]:
    """With settings of somebody's real ledger, which the demo must not touch."""
    return {
        **os.environ,
        "COLUMNS": "80",
        "LC_ALL": "C.UTF-8",
        "GREENLEDGER_DATABASE_URL": "sqlite:////nonexistent/somebodys.sqlite3",
        "GREENLEDGER_KEK": "00",
        "GREENLEDGER_DIR": "/nonexistent",
    }


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        env=environment(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=SECONDS_MAX,
        check=False,
    )


def verifier(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "greenledger_verify", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=SECONDS_MAX,
        check=False,
    )
