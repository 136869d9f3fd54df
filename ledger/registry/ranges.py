"""Half-open ranges of numbered units, and their arithmetic. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from ledger.errors import InvalidInput

# Of a number: JSON's integers, and SQL's, hold it.
UNITS_MAX: Final = 2**53 - 1


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SerialRange:
    """The units `first` … `end` − 1 of some code."""

    first: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.first < self.end <= UNITS_MAX:
            raise InvalidInput(
                f"units {self.first} to {self.end} are no range: it begins at 0 or more, and ends"
                " after that"
            )

    def __len__(self) -> int:
        return self.end - self.first

    def __str__(self) -> str:
        return f"{self.first}-{self.end}"

    def overlaps(self, other: Self) -> bool:
        return self.first < other.end and other.first < self.end

    def contains(self, other: Self) -> bool:
        return self.first <= other.first and other.end <= self.end

    def common(self, other: Self) -> SerialRange | None:
        """The units that are in both; None where none is."""
        first, end = max(self.first, other.first), min(self.end, other.end)
        return SerialRange(first=first, end=end) if first < end else None

    def split(self, at: int) -> tuple[SerialRange, SerialRange]:
        """The units before and from `at`, which lies strictly inside. Raises InvalidInput."""
        if not self.first < at < self.end:
            raise InvalidInput(f"units {self} can't be split at {at}: it lies not inside of them")
        return SerialRange(first=self.first, end=at), SerialRange(first=at, end=self.end)

    def merge(self, following: Self) -> SerialRange:
        """Raises InvalidInput unless `following` begins where this ends."""
        if self.end != following.first:
            raise InvalidInput(f"units {self} and {following} do not adjoin")
        return SerialRange(first=self.first, end=following.end)

    def without(self, taken: Iterable[SerialRange]) -> list[SerialRange]:
        """What is left when parts of it, apart from each other, are taken away. Raises
        InvalidInput where one is not inside."""
        found, at = [], self.first
        for one in sorted(taken):
            if one.first < at or one.end > self.end:
                raise InvalidInput(f"units {one} are not among the units {self} that are left")
            if at < one.first:
                found.append(SerialRange(first=at, end=one.first))
            at = one.end
        if at < self.end:
            found.append(SerialRange(first=at, end=self.end))
        return found


def joined(ranges: Iterable[SerialRange]) -> list[SerialRange]:
    """The same units in the fewest ranges. Raises InvalidInput where two overlap."""
    found: list[SerialRange] = []
    for one in sorted(ranges):
        if found and one.first < found[-1].end:
            raise InvalidInput(f"units {found[-1]} and {one} overlap")
        if found and one.first == found[-1].end:
            found[-1] = found[-1].merge(one)
        else:
            found.append(one)
    return found


def require_even(
    before: Mapping[tuple[str, str], Sequence[SerialRange]],
    after: Mapping[tuple[str, str], Sequence[SerialRange]],
) -> None:
    """The same units of each (batch, class), none twice. Raises InvalidInput."""
    for key in sorted({*before, *after}):
        mine, theirs = joined(before.get(key, ())), joined(after.get(key, ()))
        if mine != theirs:
            raise InvalidInput(
                f"batch {key[0]}, class {key[1]}: units {_said(mine)} end, {_said(theirs)} begin or"
                " are gone: nothing may be lost or added"
            )


def _said(ranges: Sequence[SerialRange]) -> str:
    return ", ".join(map(str, ranges)) or "none"


def serial_of(text: str) -> tuple[str, int, int]:
    """(code, number, digits) of a serial number: its last digits, 12 at most, count.

    `GEC-0012` → (`GEC-`, 12, 4). Raises InvalidInput where it does not end in a digit, or is all
    digits and no longer than 12: then nothing is left for a code.
    """
    digits = re.search(r"[0-9]{1,12}\Z", text, re.ASCII)
    code = text[: digits.start()] if digits else ""
    if not digits or not code:
        raise InvalidInput(f"serial {text!r} is not a code followed by a number of 1 to 12 digits")
    return code, int(digits[0]), len(digits[0])
