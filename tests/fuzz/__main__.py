"""`./dev fuzz`: many inputs over all targets, in as many processes as there are processors.

A process that dies or hangs in foreign code is seen, and the input that did it is named: the number
of the present input stands in memory that all share.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import multiprocessing as mp
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final

from tests.fuzz.engine import MEMORY_BYTES_MAX, SEED, Finding, Tally, alarm, kind_of, run, smaller
from tests.fuzz.targets import TARGETS, shares

FOUND: Final = Path(__file__).parent / "found"
BATCH: Final = 500
# Of real time, for one input: `engine.CPU_S_MAX` is seen by Python code, this also without.
STUCK_S: Final = 60.0
SHOW_S: Final = 1.0

Task = tuple[str, range]


@dataclass(kw_only=True)
class Worker:
    """A process, the pipe to it, the batch that it has, and the input that it is at."""

    process: Any
    pipe: Connection
    at: Any
    task: Task | None = None
    seen: tuple[int, float] = field(default=(-1, 0.0))


def work(pipe: Connection, at: Any, seed: int) -> None:
    """One batch after the other, until there is none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + MEMORY_BYTES_MAX
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with alarm():
        while (task := pipe.recv()) is not None:
            name, numbers = task
            tally = Tally()
            begun = time.process_time()
            for number in numbers:
                at.value = number
                tally.add(run(TARGETS[name], seed, range(number, number + 1)))
            tally.cpu_s = time.process_time() - begun
            pipe.send(tally)


def start(seed: int) -> Worker:
    context = mp.get_context("fork")  # the corpora are made once, before
    here, there = context.Pipe()
    at = context.Value(ctypes.c_longlong, -1, lock=False)
    process = context.Process(target=work, args=(there, at, seed), daemon=True)
    process.start()
    there.close()
    return Worker(process=process, pipe=here, at=at)


def tasks(counts: dict[str, int]) -> Iterator[Task]:
    """All targets side by side, so that each has its part of a run that is stopped."""
    done = dict.fromkeys(counts, 0)
    while any(done[name] < count for name, count in counts.items()):
        for name, count in counts.items():
            size = max(1, BATCH * count // max(counts.values()))
            end = min(count, done[name] + size)
            if done[name] < end:
                yield name, range(done[name], end)
            done[name] = end


class Run:
    """All that a run counts. `only`: the number of an input that is judged alone."""

    def __init__(self, counts: dict[str, int], seed: int, jobs: int) -> None:
        self.seed = seed
        self.tallies = {name: Tally() for name in counts}
        self.whole = sum(counts.values())
        self.begun_s = time.monotonic()
        self.shown_s = 0.0
        self.left = tasks(counts)
        self.workers = [start(seed) for _ in range(jobs)]

    def go(self) -> None:
        for worker in self.workers:
            self._give(worker)
        while any(worker.task for worker in self.workers):
            busy = [worker for worker in self.workers if worker.task]
            ready = wait([worker.pipe for worker in busy], timeout=SHOW_S)
            for worker in busy:
                if worker.pipe in ready:
                    self._take(worker)
                elif self._stuck(worker):
                    worker.process.kill()
            self._show()

    def close(self) -> None:
        for worker in self.workers:
            worker.process.kill()
            worker.process.join()

    def _give(self, worker: Worker) -> None:
        worker.task = next(self.left, None)
        worker.pipe.send(worker.task)

    def _take(self, worker: Worker) -> None:
        assert worker.task is not None
        name, numbers = worker.task
        try:
            self.tallies[name].add(worker.pipe.recv())
        except EOFError:
            self._died(worker, name, numbers)
            return
        self._give(worker)

    def _died(self, worker: Worker, name: str, numbers: range) -> None:
        worker.process.join()
        number = int(worker.at.value)
        why = f"the process ended ({worker.process.exitcode}) at its input"
        data = TARGETS[name].input(self.seed, number)
        finding = Finding(target=name, number=number, data=data, why=why)
        self.tallies[name].add(Tally(inputs=number - numbers.start + 1, findings=[finding]))
        place = self.workers.index(worker)
        self.workers[place] = start(self.seed)
        rest = range(number + 1, numbers.stop)
        if len(rest):
            self.workers[place].task = (name, rest)
            self.workers[place].pipe.send((name, rest))
        else:
            self._give(self.workers[place])

    def _stuck(self, worker: Worker) -> bool:
        now, number = time.monotonic(), int(worker.at.value)
        if number != worker.seen[0]:
            worker.seen = number, now
        return now - worker.seen[1] > STUCK_S

    def _show(self) -> None:
        now = time.monotonic()
        if now - self.shown_s < SHOW_S or not sys.stderr.isatty():
            return
        self.shown_s = now
        inputs = sum(tally.inputs for tally in self.tallies.values())
        found = sum(len(tally.findings) for tally in self.tallies.values())
        rate = inputs / (now - self.begun_s)
        left_s = (self.whole - inputs) / max(rate, 1.0)
        print(
            f"\r{inputs:,} of {self.whole:,} inputs, {rate:,.0f}/s, {found} findings,"
            f" {left_s:.0f} s left   ",
            end="",
            file=sys.stderr,
            flush=True,
        )


def summary(run_: Run) -> str:
    lines = [f"{'target':<12} {'inputs':>10} {'accepted':>9} {'inputs/s':>9}  findings"]
    for name, tally in run_.tallies.items():
        rate = tally.inputs / tally.cpu_s if tally.cpu_s else 0
        lines.append(
            f"{name:<12} {tally.inputs:>10,} {tally.accepted:>9,} {rate:>9,.0f}"
            f"  {len(tally.findings)}"
        )
    inputs = sum(tally.inputs for tally in run_.tallies.values())
    found = sum(len(tally.findings) for tally in run_.tallies.values())
    took_s = time.monotonic() - run_.begun_s
    lines.append(f"{inputs:,} inputs in {took_s:.0f} s, seed {run_.seed}: {found} findings")
    return "\n".join(lines)


def keep(findings: list[Finding]) -> None:
    """One of each kind, made smaller, in `found/`: the test suite judges those again."""
    FOUND.mkdir(exist_ok=True)
    seen: set[tuple[str, str]] = set()
    with alarm():
        for finding in findings:
            kind = (finding.target, kind_of(finding.why))
            if kind in seen:
                continue
            seen.add(kind)
            dies = finding.why.startswith("the process ended")
            data = finding.data if dies else smaller(TARGETS[finding.target], finding)
            name = f"{finding.target}-{hashlib.sha256(data).hexdigest()[:8]}"
            (FOUND / name).write_bytes(data)
            print(f"{finding.target} {finding.number}: {finding.why}\n    kept: found/{name}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=1_000_000, help="in all (1,000,000)")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--target", action="append", choices=sorted(TARGETS), help="may repeat")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    given = parser.parse_args()
    counts = shares(given.inputs, given.target or list(TARGETS))
    for name in counts:
        assert TARGETS[name].inputs
    run_ = Run(counts, given.seed, given.jobs)
    try:
        run_.go()
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
    finally:
        run_.close()
    findings = [one for tally in run_.tallies.values() for one in tally.findings]
    print(("\n" if sys.stderr.isatty() else "") + summary(run_))
    keep(findings)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
