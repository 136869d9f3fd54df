"""`./dev soak [MINUTES] [--seed N]`: seeds one after the other, and each crash point in each way.

A seed that fails is printed and kept in seeds.txt, from where the tests replay it ever after.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
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


def said(tally: Tally) -> str:
    words = ("seeds", "steps", "crashes", "refusals", "checkpoints", "audits")
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
        end = time.monotonic() + 60 * asked.minutes
        seed = asked.seed if asked.seed is not None else int.from_bytes(os.urandom(4))
        try:
            while True:
                why = live(folder / "park", folder, seed, asked.steps, shown, tally)
                if why:
                    failed.append(seed)
                    keep(seed, why)
                    print(f"seed {seed} failed; it is kept in {SEEDS.name}", file=sys.stderr)
                if asked.seed is not None or time.monotonic() > end:
                    break
                seed += 1
        except KeyboardInterrupt:
            print("\nstopped", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    print(json.dumps({**tally, "failed": failed}))
    print(f"soak: {said(tally)}; {len(failed)} failed", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
