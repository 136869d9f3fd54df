"""What goes in beside the file (facts about points) and what comes out (series and a report)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from ledger.errors import InvalidInput
from ledger.metering.quality import Quality
from ledger.metering.series import Series

ROWS_IN_MESSAGE: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """One meter at a point, as in docs/formats.md §4.2.

    In force from `from_s` until before `to_s` (Unix seconds; None = open). `multiplier` is CT × PT
    as decimal text. `opening` and `closing` are what its register showed when it came and when it
    went, decimal text in the unit of the file's register, or "" where nobody wrote it down.
    """

    number: str
    from_s: int
    to_s: int | None = None
    multiplier: str = "1"
    opening: str = ""
    closing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointFacts:
    """What an import has to know about a point.

    `unit`: base unit ("Wh", "g", …). `kind`: as in docs/formats.md §4.2. `interval_s`: seconds of
    its standard interval, which its series will have. `meters`: oldest first.
    """

    unit: str
    kind: str
    interval_s: int
    measure: Literal["additive", "gauge"] = "additive"
    meters: tuple[Meter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A rule that was applied. `count`: values of the file it applied to. `rows`: such as "5-9,12".

    `flag` is what the readings carry, 0 where the rule left something out.
    """

    flag: Quality
    rule: str
    rows: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Rejection:
    """A value, or a whole row where `column` is "", that was not taken. The header is row 1."""

    row: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The result of an import.

    `series`: one for each point with a reading, in the order of their names. `repeats`: identical
    intervals that were dropped. `rows`: data rows read, blank ones left out. `missing`: intervals
    absent between the first and the last of each series, over all series.
    """

    series: tuple[Series, ...]
    repairs: tuple[Repair, ...]
    rejections: tuple[Rejection, ...]
    repeats: int
    rows: int
    missing: int


class RowsRejected(InvalidInput):
    """Rows of a file can't be taken. The message shows the first, `rejections` holds all."""

    def __init__(self, name: str, rejections: tuple[Rejection, ...]) -> None:
        shown = "; ".join(_line(each) for each in rejections[:ROWS_IN_MESSAGE])
        more = len(rejections) - ROWS_IN_MESSAGE
        tail = f"; … and {more} more" if more > 0 else ""
        noun = "value" if len(rejections) == 1 else "values"
        super().__init__(f"{name}: {len(rejections)} {noun} rejected: {shown}{tail}")
        self.rejections = rejections


def _line(rejection: Rejection) -> str:
    column = f", column {rejection.column!r}" if rejection.column else ""
    return f"row {rejection.row}{column}: {rejection.reason}"


def rows_text(rows: Iterable[int] | NDArray[np.int64]) -> str:
    """Row numbers as people write them: {5, 6, 7, 8, 9, 12} → "5-9,12"."""
    ordered = np.unique(np.asarray(rows, dtype=np.int64))
    if len(ordered) == 0:
        return ""
    breaks = np.flatnonzero(np.diff(ordered) != 1)
    firsts = ordered[np.concatenate(([0], breaks + 1))].tolist()
    lasts = ordered[np.concatenate((breaks, [len(ordered) - 1]))].tolist()
    return ",".join(
        str(first) if first == last else f"{first}-{last}"
        for first, last in zip(firsts, lasts, strict=True)
    )


def nearest(wanted: str, known: Iterable[str]) -> str:
    """A hint for a message: "; did you mean 'Usage_kWh'?", or "" where nothing is near."""
    folded = {each.strip().casefold(): each for each in known}
    found = get_close_matches(wanted.strip().casefold(), folded, n=1)
    return f"; did you mean {folded[found[0]]!r}?" if found else ""


def listed(names: Iterable[str]) -> str:
    return ", ".join(repr(each) for each in names) or "none"


class Notes:
    """Collects repairs and rejections while a file is read."""

    def __init__(self) -> None:
        self._repairs: dict[tuple[Quality, str], list[NDArray[np.int64]]] = {}
        self._rejections: list[Rejection] = []

    def repaired(self, flag: Quality, rule: str, rows: NDArray[Any]) -> None:
        """`rows`: the row of each value that the rule was applied to, repeats included."""
        if len(rows):
            self._repairs.setdefault((flag, rule), []).append(rows)

    def rejected(self, row: int, column: str, reason: str) -> None:
        self._rejections.append(Rejection(row=int(row), column=column, reason=reason))

    def repairs(self) -> tuple[Repair, ...]:
        return tuple(
            Repair(
                flag=flag,
                rule=rule,
                rows=rows_text(np.concatenate(parts)),
                count=sum(len(part) for part in parts),
            )
            for (flag, rule), parts in sorted(self._repairs.items())
        )

    def rejections(self) -> tuple[Rejection, ...]:
        return tuple(sorted(self._rejections))
