"""Stamps as they stand in a file → seconds of the file's own wall clock.

A local second counts from 1970-01-01 00:00 on that clock; `zones` turns it into UTC. Texts are read
by a format such as "%d/%m/%Y %H:%M". Date and time halves are cached apart, since a year has 365
dates and 96 times, but 35,040 stamps.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ledger.units import DAY_S, HOUR_S

BAD: Final = -(2**60)  # what no stamp can be, even after a time of day was added
_BAD_BELOW: Final = -(2**59)
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
# A spreadsheet stores a stamp as a float of days, whose last bits are worth some microseconds.
_SLACK_US: Final = 5000

_PATTERNS: Final = {
    "%Y": r"(?P<Y>[0-9]{4})",
    "%m": r"(?P<m>[0-9]{1,2})",
    "%d": r"(?P<d>[0-9]{1,2})",
    "%H": r"(?P<H>[0-9]{1,2})",
    "%M": r"(?P<M>[0-9]{2})",
    "%S": r"(?P<S>[0-9]{2})",
    "%%": "%",
}
_DIRECTIVE: Final = re.compile(r"%.?", re.DOTALL)
_OFFSET_AT_END: Final = re.compile(r"\s*(?:(Z)|([+-])([01][0-9]):?([0-5][0-9]))$")


def check_format(stamp_format: str) -> tuple[bool, bool]:
    """(has a time of day, ends in %z). Raises ValueError that says what is wrong."""
    has_offset = stamp_format.endswith("%z")
    directives = _DIRECTIVE.findall(stamp_format.removesuffix("%z"))
    for each in directives:
        if each not in _PATTERNS:
            allowed = ", ".join(_PATTERNS)
            raise ValueError(f"{each} is not known; allowed are {allowed}, and %z at the end")
        if each != "%%" and directives.count(each) > 1:
            raise ValueError(f"{each} occurs twice")
    for each in ("%Y", "%m", "%d"):
        if each not in directives:
            raise ValueError(f"{each} is missing")
    has_time = "%H" in directives
    if not has_time and ("%M" in directives or "%S" in directives):
        raise ValueError("%M and %S need %H")
    return has_time, has_offset


def _compile(part: str) -> re.Pattern[str]:
    pieces, at = [], 0
    for found in _DIRECTIVE.finditer(part):
        pieces += [re.escape(part[at : found.start()]), _PATTERNS[found[0]]]
        at = found.end()
    return re.compile("".join([*pieces, re.escape(part[at:])]))


class _Half(dict[str, int]):
    """text → seconds of the part of a stamp that a pattern covers; BAD where it does not match."""

    def __init__(self, part: str, *, allow_24: bool) -> None:
        super().__init__()
        self._match = _compile(part).fullmatch
        self._allow_24 = allow_24

    def __missing__(self, text: str) -> int:
        found = self._match(text)
        seconds = self._seconds(found.groupdict()) if found else BAD
        self[text] = seconds
        return seconds

    def _seconds(self, fields: dict[str, str]) -> int:
        number = {name: int(digits) for name, digits in fields.items()}
        hour, minute, second = (number.get(name, 0) for name in "HMS")
        # 24:00 is how many Chinese systems write the end of a day.
        midnight_after = hour == 24 and minute == second == 0 and self._allow_24
        if not midnight_after and (hour > 23 or minute > 59 or second > 59):
            return BAD
        seconds = hour * HOUR_S + minute * 60 + second
        if "Y" in number:
            try:
                day = date(number["Y"], number["m"], number["d"])
            except ValueError:
                return BAD
            seconds += (day.toordinal() - _EPOCH_ORDINAL) * DAY_S
        return seconds


def _split_format(stamp_format: str) -> tuple[str, str] | None:
    """(date half, time half) around a separator that is not in the time half, if there is one."""
    first_of_time = re.search(r"%[HMS]", stamp_format)
    if not first_of_time or first_of_time.start() < 2:
        return None
    cut = first_of_time.start() - 1
    left, separator, right = stamp_format[:cut], stamp_format[cut], stamp_format[cut + 1 :]
    if left.endswith("%") or not left or re.search(r"%[Ymd]", right) or separator.isdigit():
        return None
    if separator not in right:
        return left, right
    return None


def read_texts(
    texts: Sequence[str], stamp_format: str, *, allow_24: bool = True
) -> NDArray[np.int64]:
    """Texts → local seconds int64[n], BAD where a text does not fit the format (without its %z)."""
    halves = _split_format(stamp_format)
    if halves is None:
        whole = _Half(stamp_format, allow_24=allow_24)
        return np.array([whole[text] for text in texts], dtype=np.int64)
    dates = _Half(halves[0], allow_24=allow_24)
    times = _Half(halves[1], allow_24=allow_24)
    separator = stamp_format[len(halves[0])]
    parts = [text.rpartition(separator) for text in texts]
    seconds = np.array([dates[left] + times[right] for left, _, right in parts], dtype=np.int64)
    seconds[seconds < _BAD_BELOW] = BAD
    return seconds


def split_offsets(texts: Sequence[str]) -> tuple[list[str], list[int | None]]:
    """Texts with an offset at the end → (the rest, the offset in seconds or None where none is)."""
    rests: list[str] = []
    offsets: list[int | None] = []
    for text in texts:
        found = _OFFSET_AT_END.search(text)
        if not found:
            rests.append(text)
            offsets.append(None)
            continue
        rests.append(text[: found.start()])
        if found[1]:
            offsets.append(0)
        else:
            seconds = int(found[3]) * HOUR_S + int(found[4]) * 60
            offsets.append(seconds if found[2] == "+" else -seconds)
    return rests, offsets


def carries_offset(text: str) -> bool:
    """Whether a text ends in `Z` or an offset after a time of day (a date may end in "-01-01")."""
    return ":" in text and _OFFSET_AT_END.search(text) is not None


def read_native(cells: Sequence[Any]) -> NDArray[np.int64]:
    """Dates and times of XLSX and Parquet → local seconds; BAD for anything else, and for a stamp
    that is not a whole second."""
    return np.array([_native_s(cell) for cell in cells], dtype=np.int64)


def _native_s(cell: object) -> int:
    if isinstance(cell, datetime):
        seconds = (
            (cell.toordinal() - _EPOCH_ORDINAL) * DAY_S
            + cell.hour * HOUR_S
            + cell.minute * 60
            + cell.second
        )
        return _whole(seconds, cell.microsecond)
    if isinstance(cell, date):
        return (cell.toordinal() - _EPOCH_ORDINAL) * DAY_S
    return BAD


def native_time_s(cell: object) -> int:
    """A time of day of XLSX or Parquet → seconds after midnight, else BAD."""
    if isinstance(cell, time):
        seconds = cell.hour * HOUR_S + cell.minute * 60 + cell.second
        return _whole(seconds, cell.microsecond)
    if isinstance(cell, timedelta) and timedelta(0) <= cell <= timedelta(days=1):
        return _whole(cell.days * DAY_S + cell.seconds, cell.microseconds)
    return BAD


def _whole(seconds: int, microseconds: int) -> int:
    if microseconds <= _SLACK_US:
        return seconds
    return seconds + 1 if microseconds >= 1_000_000 - _SLACK_US else BAD


def show_s(local_s: int) -> str:
    """Local seconds → `2018-01-01 00:15`, for messages."""
    at = datetime.fromtimestamp(int(local_s), UTC)
    return at.strftime("%Y-%m-%d %H:%M:%S" if at.second else "%Y-%m-%d %H:%M")
