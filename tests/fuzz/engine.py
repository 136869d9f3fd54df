"""A mutation fuzzer: well-formed inputs, spoiled at random, are judged.

What a target's judge must hold to, for any bytes:

1. It ends: within `CPU_S_MAX` of processor time, and `MEMORY_BYTES_MAX` more memory than before.
2. No exception but the module's own error comes out: a judge catches that one, and no other.
3. Ledger and verifier, where both read a format, agree on whether it can be read, and as what.
4. What was read is written back as the same bytes, where there is a writer.
5. What proves something proves nothing else: spoiled evidence, proofs and openings are refused.

3–5 are assertions of the judges. Input `n` of a target is a function of (seed, target, n), so that
a run of any length, in any number of processes, judges the same inputs, and a process that dies
says by its number which one killed it.
"""

from __future__ import annotations

import random
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from types import FrameType
from typing import Final

from tests.fuzz.mutate import Mutator

CPU_S_MAX: Final = 5.0
MEMORY_BYTES_MAX: Final = 1_500_000_000
SEED: Final = 6
_TRIES: Final = 300


class Hang(BaseException):
    """An input took longer than `CPU_S_MAX`; no judge catches it by mistake."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """`corpus`: well-formed inputs, made when first asked for. `judge`: whether an input is
    accepted; whatever it raises is a finding. `share`: how many of a thousand inputs it gets.
    """

    name: str
    corpus: Callable[[], Sequence[bytes]]
    judge: Callable[[bytes], bool]
    mutate: Mutator
    share: int

    @cached_property
    def inputs(self) -> Sequence[bytes]:
        return self.corpus()

    def input(self, seed: int, number: int) -> bytes:
        """Input `number` of a run: the first ones are the corpus as it is."""
        if number < len(self.inputs):
            return self.inputs[number]
        chance = random.Random(f"{seed} {self.name} {number}")
        raw = chance.choice(self.inputs)
        made = self.mutate(raw, self.inputs, chance)
        return made if made != raw else self.mutate(made, self.inputs, chance)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """An input of `target` that broke a promise, and how."""

    target: str
    number: int
    data: bytes
    why: str


@dataclass(kw_only=True)
class Tally:
    """What came of the inputs of one target."""

    inputs: int = 0
    accepted: int = 0
    cpu_s: float = 0.0
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.inputs += other.inputs
        self.accepted += other.accepted
        self.cpu_s += other.cpu_s
        self.findings += other.findings


def require_words(said: str) -> None:
    """A refusal tells why."""
    assert said, "refused without a word"


def _raise_hang(_number: int, _frame: FrameType | None) -> None:
    raise Hang(f"more than {CPU_S_MAX:g} s of processor time")


@contextmanager
def alarm() -> Iterator[None]:
    """Inside, `bounded` works; main thread only."""
    before = signal.signal(signal.SIGPROF, _raise_hang)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def fault(target: Target, data: bytes) -> tuple[bool, str]:
    """(accepted, what went wrong: nothing if nothing did), inside of `alarm`."""
    signal.setitimer(signal.ITIMER_PROF, CPU_S_MAX)
    try:
        return target.judge(data), ""
    except (Exception, Hang) as error:  # whatever it is, it is what we look for
        return False, _said(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _said(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno}"
    return f"{type(error).__name__} at {place}: {str(error)[:300]}"


def kind_of(why: str) -> str:
    """Findings of one kind have one cause, most likely: the error and its place."""
    return why.partition(": ")[0]


def run(target: Target, seed: int, numbers: range) -> Tally:
    """Judge the inputs `numbers`, inside of `alarm`."""
    found = Tally()
    for number in numbers:
        data = target.input(seed, number)
        accepted, why = fault(target, data)
        found.inputs += 1
        found.accepted += accepted
        if why:
            found.findings.append(Finding(target=target.name, number=number, data=data, why=why))
    return found


def smaller(target: Target, finding: Finding) -> bytes:
    """The input with pieces left out as long as the finding stays the same, within some tries."""
    data, size, tries = finding.data, len(finding.data) // 2, 0
    while size and tries < _TRIES:
        at = 0
        while at < len(data) and tries < _TRIES:
            tries += 1
            shorter = data[:at] + data[at + size :]
            if kind_of(fault(target, shorter)[1]) == kind_of(finding.why):
                data = shorter
            else:
                at += size
        size //= 2
    return data
