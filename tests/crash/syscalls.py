"""The same with real system calls: strace fails one of them, or kills the process there.

    python -m tests.crash.syscalls [error|kill]/N …

An append and a checkpoint on SQLite, until its files are closed. Output as that of explore.py.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from ledger.errors import LedgerError
from tests.crash import scenario
from tests.crash.restart import Restarts
from tests.ledgers import open_house

# What reaches the disk, and how it fails there. What the process says goes by none of these.
CALLS: Final = {
    "pwrite64": "ENOSPC",
    "write": "ENOSPC",
    "fsync": "EIO",
    "fdatasync": "EIO",
    "ftruncate": "EIO",
    "rename": "EIO",
    "unlink": "EIO",
}
_PR_SET_PTRACER: Final = 0x59616D61
_ANY: Final = ctypes.c_ulong(-1)


class NotPermitted(Exception):
    """strace is not there, or may not look at another process."""


def _refuse(said: str) -> NoReturn:
    raise NotPermitted(said)


def _be_traced(ledger: Path, line: socket.socket) -> None:
    """Waits until it is told to go on; never returns."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANY, 0, 0, 0)
        tell = scenario.Teller(line)
        house = open_house(ledger)
        tell.say("ready")
        line.recv(1)
        scenario.run(house, tell, scenario.STEPS[:2])
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


@dataclass
class Tracer:
    """Copies of one ledger, each disturbed at one system call."""

    folder: Path
    restarts: Restarts

    def run(self, *injected: str) -> tuple[int, list[dict[str, Any]], str]:
        """How the process ended, what it said, and what strace wrote down."""
        ledger = Path(shutil.copytree(self.folder / "template", self.folder / "ledger"))
        mine, theirs = socket.socketpair()
        child = os.fork()
        if child == 0:
            mine.close()
            _be_traced(ledger, theirs)
        theirs.close()
        try:
            with mine, mine.makefile() as lines:
                lines.readline()
                with self._strace(child, *injected) as strace:
                    assert strace.stderr is not None
                    first = strace.stderr.readline()
                    if "attached" not in first:
                        _refuse(first + strace.stderr.read())
                    mine.sendall(b"\n")
                    said = [json.loads(line) for line in lines]
        except BaseException:
            os.kill(child, signal.SIGKILL)
            raise
        finally:
            _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), said, (self.folder / "trace").read_text()

    def _strace(self, process: int, *injected: str) -> subprocess.Popen[str]:
        words = ["strace", "-p", str(process), "-o", str(self.folder / "trace")]
        words += ["-e", f"trace={','.join(CALLS)}"]
        for each in injected:
            words += ["-e", f"inject={each}"]
        try:
            return subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        except FileNotFoundError as error:
            raise NotPermitted("strace is not installed") from error

    def counts(self) -> Counter[str]:
        """How often an undisturbed run calls each."""
        ended, said, trace = self.run()
        assert ended == 0, said
        assert self.check(said) == ""
        return Counter(re.findall(r"^(\w+)\(", trace, flags=re.MULTILINE))

    def check(self, said: Sequence[dict[str, Any]]) -> str:
        export = self.folder / "export"
        try:
            self.restarts.check(self.folder / "ledger", said, export)
        except (AssertionError, LedgerError, OSError) as error:
            return f"{''.join(traceback.format_exception(error))}\n{said}"
        finally:
            shutil.rmtree(self.folder / "ledger")
            shutil.rmtree(export, ignore_errors=True)
        return ""

    def try_call(self, call: str, number: int, mode: str) -> str:
        """What does not hold after the fault; nothing, where all does."""
        how = "signal=KILL" if mode == "kill" else f"error={CALLS[call]}"
        ended, said, trace = self.run(f"{call}:{how}:when={number}")
        wanted = -signal.SIGKILL if mode == "kill" else 0
        done = "INJECTED" in trace or "killed by SIGKILL" in trace
        problem = self.check(said)
        if ended != wanted or not done:
            return f"the process ended with {ended}, not {wanted}: {said} {trace[-1000:]}"
        return problem


def explore(tracer: Tracer, ways: Sequence[str]) -> Iterator[dict[str, Any]]:
    counts = tracer.counts()
    points = [(call, number + 1) for call in CALLS for number in range(counts[call])]
    for way in ways:
        mode, _, every = way.partition("/")
        assert mode in ("error", "kill"), way
        first = 0 if mode == "error" else int(every or 1) - 1
        for at, (call, number) in enumerate(points):
            # Of pages there are many, of the others all are tried.
            if call == "pwrite64" and at % int(every or 1) != first:
                continue
            about = {"mode": f"{mode} by strace", "database": "sqlite", "points": len(points)}
            problem = tracer.try_call(call, number, mode)
            yield {"point": at + 1, "name": f"{call} {number}", **about, "problem": problem}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.syscalls")
    parser.add_argument("ways", nargs="+", metavar="WAY")
    asked = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        tracer = Tracer(Path(folder), Restarts())
        scenario.draw_from("template")
        scenario.build(Path(folder) / "template")
        try:
            for found in explore(tracer, asked.ways):
                print(json.dumps(found), flush=True)
                failed = failed or bool(found["problem"])
        except NotPermitted as error:
            print(error, file=sys.stderr)
            return 3
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
