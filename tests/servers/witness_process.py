"""`greenledger witness run` as a process of its own, and a witness to run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.watching.witness_state import WitnessState
from tests.shared_data import ROOT

NAME = "witness.example/1"


def make_witness(
    folder: Path,
    vkeys: Sequence[str],
    *,
    url: str = "",
    audit: bool = False,
    ml_dsa: bool = False,
    name: str = NAME,
) -> WitnessState:
    """A witness's folder that knows the log with these keys."""
    state = WitnessState.create(folder, name, ml_dsa=ml_dsa, now_s=int(time.time()))
    state.add_log(vkeys, url, audit=audit)
    return state


@dataclass
class WitnessProcess:
    """A running witness. `vkeys`: what those who trust it need."""

    url: str
    vkeys: list[str]
    process: subprocess.Popen[str]

    @classmethod
    def start(cls, folder: Path, port: int = 0) -> WitnessProcess:
        """Returns once it answers."""
        words = ["witness", "run", "--json", "--port", str(port), "--state", str(folder)]
        with (folder / "run.log").open("ab") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "ledger.cli", *words],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'verifier' / 'src'}"},
                cwd=ROOT,
            )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the witness ended: {(folder / 'run.log').read_text()[-2000:]}"
        said = json.loads(line)
        return cls(url=said["url"], vkeys=said["vkeys"], process=process)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
