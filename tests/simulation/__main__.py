"""`./dev soak [MINUTES] [--seed N]`: half of the time lives of a park from one seed after the
other, then every crash point in every way (tests/crash).

A seed that fails is printed and kept in seeds.txt, from where the tests replay it ever after.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tests.ledgers import copy_ledger, on_postgresql
from tests.servers import postgres
from tests.servers.postgres import PostgreSQL
from tests.simulation import park, steps
from tests.simulation.park import Park, Tally

# Modules of tests/crash with what they are to try.
POINTS: Final = (
    ("tests.crash.syscalls", "error", "kill"),
    ("tests.crash.explore", "sqlite", "kill", "error"),
    ("tests.crash.explore", "postgresql", "kill", "error", "cut", "server"),
)
SEEDS: Final = Path(__file__).with_name("seeds.txt")


def kept_seeds() -> list[int]:
    """Those that have failed once."""
    lines = SEEDS.read_text(encoding="utf-8").splitlines()
    return [int(one.partition(" ")[0]) for one in lines if one and one[:1] != "#"]


def keep(seed: int, why: str) -> None:
    if seed not in kept_seeds():
        with SEEDS.open("a", encoding="utf-8") as file:
            file.write(f"{seed} {' '.join(why.split())[:160]}\n")


def live(template: Path, folder: Path, seed: int, count: int, shown: bool, tally: Tally) -> str:
    """One seed; what failed, or nothing."""
    one = Park(copy_ledger(template, folder / f"seed-{seed}"), seed, tally=tally)

    def show(_: Park) -> None:
        if shown and tally["steps"] % 10 == 0:
            print(f"\rseed {seed}: {said(tally)} ", end="", file=sys.stderr, flush=True)

    try:
        steps.run(one, count, show)
    except AssertionError as error:
        traceback.print_exc()
        return str(error)
    finally:
        one.close()
    tally["seeds"] += 1
    return ""


def crash_points(end: float, tally: Tally) -> list[str]:
    """Each way for as long as there is time; returns points at which something did not hold."""
    broken = []
    for words in POINTS:
        left_s = end - time.monotonic()
        if left_s <= 0:
            break
        print(f"crash points: {' '.join(words)}", file=sys.stderr)
        try:
            done = subprocess.run(
                [sys.executable, "-m", *words],
                capture_output=True,  # who is stopped in the middle may complain
                text=True,
                timeout=left_s,
                check=False,
            )
            lines = done.stdout
            if done.returncode not in (0, 1):
                broken.append(f"{words[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
        except subprocess.TimeoutExpired as error:
            lines = (error.stdout or b"").decode()
        for line in lines.splitlines(keepends=True):
            if line.endswith("\n"):
                one = json.loads(line)
                tally["crash points"] += 1
                if one["problem"]:
                    broken.append(line.strip())
    return broken


def said(tally: Tally) -> str:
    words = ("seeds", "steps", "crashes", "refusals", "checkpoints", "audits", "crash points")
    return ", ".join(f"{tally[one]} {one}" for one in words)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev soak")
    parser.add_argument("minutes", type=float, nargs="?", default=10.0)
    parser.add_argument("--seed", type=int, help="this one alone, once")
    parser.add_argument("--steps", type=int, default=120, help="of each seed")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--server", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    tally: Tally = Counter()
    failed: list[int] = []
    lived: list[int] = []
    broken: list[str] = []
    shown = sys.stderr.isatty()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="simulation-")))
        if asked.database == "postgresql":
            server = (
                PostgreSQL(asked.server)
                if asked.server
                else stack.enter_context(contextmanager(postgres.running)())
            )
            on_postgresql(server, folder / "park")
        park.build(folder / "park")
        begun = time.monotonic()
        seed = asked.seed if asked.seed is not None else int.from_bytes(os.urandom(4))
        try:
            while True:
                lived.append(seed)
                why = live(folder / "park", folder, seed, asked.steps, shown, tally)
                if why:
                    failed.append(seed)
                    if asked.seed is None:
                        keep(seed, why)
                    print(f"\nseed {seed} failed: ./dev soak --seed {seed}", file=sys.stderr)
                if asked.seed is not None or time.monotonic() > begun + 30 * asked.minutes:
                    break
                seed += 1
            if asked.seed is None:
                broken = crash_points(begun + 60 * asked.minutes, tally)
        except KeyboardInterrupt:
            print("\nstopped", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    print(json.dumps({**tally, "seeds": lived, "failed": failed, "points": broken}))
    print(f"soak: {said(tally)}; {len(failed)} failed", file=sys.stderr)
    for one in broken:
        print(one, file=sys.stderr)
    return 1 if failed or broken else 0


if __name__ == "__main__":
    sys.exit(main())
