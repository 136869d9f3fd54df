"""What is officially known of units: the latest statement that speaks of them. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ledger.statements.model import CANCELLED, ISSUED, TRANSFERRED


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialPart:
    """Units `first` … `end` − 1 of a code, and what is officially known of them.

    `status` is `""`, and `entry_index` −1, where no statement speaks of them. `as_of`: date of the
    statement, `2026-03-31`. `document`: SHA-256 of its file, hex. `party`: to whom of this log they
    were transferred, or whose account they are in, where the statement says so.
    """

    first: int
    end: int
    status: str = ""
    party: str = ""
    as_of: str = ""
    document: str = ""
    entry_index: int = -1

    @property
    def units(self) -> int:
        return self.end - self.first

    def confirms(self, parties: Collection[str], custodian: str = "") -> bool:
        """Whether a use by one of `parties` is final: transferred to one of them, or cancelled in
        an account of theirs, or of who keeps units for them, or in one that is not said."""
        if self.status == CANCELLED:
            return self.party in ("", custodian, *parties)
        return self.status == TRANSFERRED and self.party in parties

    def to_json(self) -> dict[str, Any]:
        return {
            "first": self.first,
            "end": self.end,
            "units": self.units,
            "official_status": self.status,
            "party": self.party,
            "as_of": self.as_of,
            "document": self.document,
            "entry": self.entry_index,
        }


def _weight(part: OfficialPart) -> tuple[bool, str, int]:
    """The later the more; but that units were issued says nothing of what they are now."""
    return part.status != ISSUED, part.as_of, part.entry_index


def latest(spoken: Iterable[OfficialPart], first: int, end: int) -> list[OfficialPart]:
    """All of `first` … `end` − 1 in order, each part by the weightiest that speaks of it, joined
    where neighbours say the same."""
    waiting = sorted((one for one in spoken if one.end > first), key=lambda one: one.first)
    edges = {first, end}
    for one in waiting:
        edges |= {edge for edge in (one.first, one.end) if first < edge < end}
    ordered = sorted(edges)
    speaking: list[tuple[_Heaviest, int]] = []
    found: list[OfficialPart] = []
    place = 0
    for at, until in pairwise(ordered):
        while place < len(waiting) and waiting[place].first <= at:
            heapq.heappush(speaking, (_Heaviest(_weight(waiting[place])), place))
            place += 1
        while speaking and waiting[speaking[0][1]].end <= at:
            heapq.heappop(speaking)
        said = waiting[speaking[0][1]] if speaking else OfficialPart(first=at, end=until)
        _extend(found, said, at, until)
    return found


@dataclass(frozen=True, slots=True)
class _Heaviest:
    """Turns the order of a heap round."""

    weight: tuple[bool, str, int]

    def __lt__(self, other: _Heaviest) -> bool:
        return self.weight > other.weight


def _extend(found: list[OfficialPart], said: OfficialPart, first: int, end: int) -> None:
    if found and _same(found[-1], said):
        first = found.pop().first
    found.append(
        OfficialPart(
            first=first,
            end=end,
            status=said.status,
            party=said.party,
            as_of=said.as_of,
            document=said.document,
            entry_index=said.entry_index,
        )
    )


def _same(one: OfficialPart, other: OfficialPart) -> bool:
    return (one.status, one.party, one.entry_index) == (
        other.status,
        other.party,
        other.entry_index,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """Whether all units of a use are officially cancelled, or transferred to who used them.

    `confirmed`: units of which that is known, of `units`. `as_of`: the latest date of what confirms
    them, `""` where nothing does. `pending`: (code, first, end) of the others. `entries`: of the
    statements that confirm.
    """

    units: int
    confirmed: int
    as_of: str
    pending: tuple[tuple[str, int, int], ...]
    entries: frozenset[int]

    @property
    def final(self) -> bool:
        return not self.pending


def confirmation(
    parts: Iterable[tuple[str, Sequence[OfficialPart]]],
    parties: Collection[str],
    custodian: str = "",
) -> Confirmation:
    """`parts`: for each range of a use its code, and what is officially known of it."""
    units = confirmed = 0
    as_of = ""
    pending: list[tuple[str, int, int]] = []
    entries: set[int] = set()
    for code, known in parts:
        for part in known:
            units += part.units
            if part.confirms(parties, custodian):
                confirmed += part.units
                as_of = max(as_of, part.as_of)
                entries.add(part.entry_index)
            else:
                pending.append((code, part.first, part.end))
    return Confirmation(
        units=units,
        confirmed=confirmed,
        as_of=as_of,
        pending=tuple(pending),
        entries=frozenset(entries),
    )
