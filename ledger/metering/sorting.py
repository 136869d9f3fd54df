"""Readings beside what is in force: new ones, repeats, corrections. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ledger.errors import Refused
from ledger.metering.quality import Quality
from ledger.metering.series import Series
from ledger.units import format_instant


@dataclass(slots=True, kw_only=True)
class Sorted:
    """Readings sorted by what is in force. `correct`: whether they may replace other values."""

    correct: bool = False
    fresh: list[Series] = field(default_factory=list)
    corrections: list[Series] = field(default_factory=list)
    repeats: int = 0

    def add(self, one: Series, held: Series | None) -> None:
        """`held`: what is in force in the time of `one`, in intervals of its length, or None.

        Raises Refused where values differ that may not be replaced.
        """
        if len(one) == 0:
            return
        if held is None:
            self.fresh.append(one)
            return
        _, mine, theirs = np.intersect1d(one.start_s, held.start_s, return_indices=True)
        # Quality counts: only as a measured one can a value be matched that was estimated before.
        same = (one.value[mine] == held.value[theirs]) & (
            _given(one.quality[mine]) == _given(held.quality[theirs])
        )
        self.repeats += int(same.sum())
        different = mine[~same]
        if len(different) and not self.correct:
            first = int(different[0])
            raise Refused(
                f"point {one.point!r} at {format_instant(int(one.start_s[first]))}:"
                f" {_shown(held, int(theirs[~same][0]))} is in force, the new value is"
                f" {_shown(one, first)} ({len(different)} such intervals); give a reason to correct"
                " them"
            )
        fresh = np.ones(len(one), dtype=bool)
        fresh[mine] = False
        self.fresh.append(_pick(one, fresh))
        changed = np.zeros(len(one), dtype=bool)
        changed[different] = True
        self.corrections.append(_pick(one, changed, Quality.CORRECTED))


def _given(quality: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Flags as a sender gives them: CORRECTED is set when the value is stored."""
    return quality & ~np.uint16(Quality.CORRECTED)


def _shown(one: Series, place: int) -> str:
    """`40000 (estimated)`: a value and its flags, which may be all that differs."""
    flags = Quality(int(_given(one.quality[place : place + 1])[0]))
    names = ", ".join(flag.name.lower() for flag in flags if flag.name)
    return f"{int(one.value[place])} ({names})" if names else f"{int(one.value[place])}"


def _pick(one: Series, which: NDArray[np.bool_], flag: int = 0) -> Series:
    return Series(
        point=one.point,
        length_s=one.length_s,
        start_s=one.start_s[which],
        value=one.value[which],
        quality=one.quality[which] | np.uint16(flag),
    )
