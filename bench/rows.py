"""What a benchmark reports, and how it takes the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: `amount` units of work in `seconds`, beside a floor of the same run.

    The floor is the least that anybody could do, or the plain way of doing the same.
    """

    name: str
    seconds: float
    unit: str
    amount: int
    floor_name: str
    floor_seconds: float


def best_of(repeat: int, fn: Callable[[], object]) -> float:
    """Seconds of the fastest of `repeat` calls: the one that the machine disturbed least."""
    seconds: list[float] = []
    for _ in range(repeat):
        start = time.perf_counter()
        fn()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
