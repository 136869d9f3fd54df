"""`greenledger demo` as a process of its own, as people start it."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

SECONDS_MAX = 300


@dataclass(frozen=True, kw_only=True)
class Interrupted:
    """What a start said that Ctrl-C stopped, the folder's state then, and what the next said."""

    returncode: int
    stdout: str
    stderr: str
    state: str
    next_stderr: str


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Where a demo lies, and what it said."""

    folder: Path
    stdout: str
    stderr: str
    interrupted: Interrupted

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


def interrupt(folder: Path) -> dict[str, Any]:
    """A start that Ctrl-C stops while it fills its ledger."""
    with subprocess.Popen(
        command("--dir", str(folder), "--json"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        preexec_fn=_heed_interrupts,
    ) as process:
        _wait_for(folder / "ledger" / "ledger.sqlite3")
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    return {"returncode": process.returncode, "stdout": stdout, "stderr": stderr}


def _heed_interrupts() -> None:
    """Who runs tests in the background of a shell has them ignored, and so do their children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _wait_for(path: Path) -> None:
    for _ in range(600):
        if path.exists():
            return
        time.sleep(0.05)
    raise TimeoutError(f"{path} did not appear")


def verifier(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "greenledger_verify", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=SECONDS_MAX,
        check=False,
    )
