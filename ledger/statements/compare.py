"""A statement's rows against what the ledger holds: what agrees, is missing, or conflicts. Pure.

A row with a code speaks of single units, so it is compared unit by unit, over half-open ranges: one
row may agree for a part and conflict for another. What a statement does not list is missing there
only where the statement should list it (`_expected_there`). A row without a code speaks of numbers
of units alone, and is compared in sums (`ledger.statements.sums`): `compare` there does both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.statements.model import (
    CANCELLED,
    EXPIRED,
    FROZEN,
    HELD,
    ISSUED,
    TRANSFERRED,
    StatementRow,
)

AGREES: Final = "agrees"
MISSING_HERE: Final = "missing_here"
MISSING_THERE: Final = "missing_there"
CONFLICT: Final = "conflict"
KINDS: Final = (AGREES, MISSING_HERE, MISSING_THERE, CONFLICT)

# States of holdings, and what units that are no more became (docs/formats.md §4.1).
HERE: Final = frozenset({"active", "reserved", "locked", "frozen"})
GONE: Final = frozenset({"retired", "exported", "expired", "withdrawn", "cancelled"})

# With which states here a status there agrees; `transferred` depends on to whom.
_AGREEING: Final[Mapping[str, frozenset[str]]] = {
    ISSUED: HERE | GONE,
    HELD: frozenset({"active", "reserved", "locked"}),
    FROZEN: frozenset({"frozen"}),
    CANCELLED: frozenset({"retired", "cancelled", "withdrawn", "expired"}),
    EXPIRED: frozenset({"expired", "withdrawn", "cancelled"}),
}
# A list of what is held does not name what is gone, and a list of trades names trades only.
_LISTS_HELD: Final = frozenset({ISSUED, HELD, FROZEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRange:
    """Units `first` … `end` − 1 of a code, as the ledger has them. `state`: of HERE or GONE.
    `owner`: of what is gone, the last one. `month` `""`: of several months. `retirement`: its id,
    or `""`."""

    code: str
    first: int
    end: int
    state: str
    owner: str
    class_: str = ""
    month: str = ""
    project: str = ""
    retirement: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`field`: quantity, status, class, project or month."""

    field: str
    here: str
    there: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Of units `first` … `end` − 1 of a code, or of as many units without one, or of `wh`.

    `row`: line of the file, 0 where no row speaks of them. `here`: state and owner in the ledger,
    `there`: status in the statement; `""` where there is none.
    """

    kind: str
    row: int
    code: str
    first: int
    end: int
    here: str = ""
    owner: str = ""
    there: str = ""
    month: str = ""
    project: str = ""
    wh: int = 0
    differences: tuple[Difference, ...] = ()
    blocks_closing: bool = False

    @property
    def units(self) -> int:
        return self.end - self.first

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "row": self.row,
            "code": self.code,
            "first": self.first,
            "end": self.end,
            "units": self.units,
            "here": self.here,
            "owner": self.owner,
            "there": self.there,
            "month": self.month,
            "project": self.project,
            "wh": self.wh,
            "differences": [
                {"field": one.field, "here": one.here, "there": one.there}
                for one in self.differences
            ],
            "blocks_closing": self.blocks_closing,
        }


def compare_units(rows: Sequence[StatementRow], own: Iterable[OwnRange]) -> list[Finding]:
    """Findings of the rows that name codes, in the order of the file; then what is missing there.

    `own`: of the statement's scheme alone, none overlapping.
    """
    by_code: dict[str, list[OwnRange]] = {}
    for one in sorted(own, key=lambda one: (one.code, one.first)):
        by_code.setdefault(one.code, []).append(one)
    coded = [row for row in rows if row.code]
    found = [finding for row in coded for finding in _of_row(row, by_code.get(row.code, ()))]
    rows_of: dict[str, list[StatementRow]] = {}
    for row in sorted(coded, key=lambda row: (row.code, row.first)):
        rows_of.setdefault(row.code, []).append(row)
    expected = _Coverage.of(coded)
    for code, ranges in by_code.items():
        for mine in ranges:
            if expected.should_list(mine):
                found += _missing_there(mine, rows_of.get(code, ()))
    return found


def _of_row(row: StatementRow, own: Sequence[OwnRange]) -> Iterator[Finding]:
    """The row's units from the first to the last, in as few findings as there are differences."""
    at = row.first
    for mine in own:
        if mine.end <= row.first or row.end <= mine.first:
            continue
        if at < mine.first:
            yield _missing_here(row, at, mine.first)
        at = min(mine.end, row.end)
        yield _of_both(row, mine, max(row.first, mine.first), at)
    if at < row.end:
        yield _missing_here(row, at, row.end)


def _missing_here(row: StatementRow, first: int, end: int) -> Finding:
    return Finding(
        kind=MISSING_HERE,
        row=row.row,
        code=row.code,
        first=first,
        end=end,
        there=row.status,
        month=row.month,
        project=row.project,
    )


def _of_both(row: StatementRow, mine: OwnRange, first: int, end: int) -> Finding:
    differences = tuple(_differences(row, mine))
    return Finding(
        kind=CONFLICT if differences else AGREES,
        row=row.row,
        code=row.code,
        first=first,
        end=end,
        here=mine.state,
        owner=mine.owner,
        there=row.status,
        month=row.month or mine.month,
        project=row.project or mine.project,
        differences=differences,
        blocks_closing=mine.state in HERE and officially_gone(row.status, row.party),
    )


def officially_gone(status: str, party: str) -> bool:
    """Whether units are no more, or somebody's who is no party of this log. `party`: to whom they
    were transferred, if to one of this log."""
    return status in (CANCELLED, EXPIRED) or (status == TRANSFERRED and not party)


def _differences(row: StatementRow, mine: OwnRange) -> Iterator[Difference]:
    """What neither side leaves open, and is not the same."""
    if not status_agrees(row.status, row.party, mine):
        of = f" to {row.party}" if row.status == TRANSFERRED else f", of {row.party}"
        there = f"{row.status}{of}" if row.party else row.status
        yield Difference(field="status", here=f"{mine.state}, of {mine.owner}", there=there)
    for field, here, there in (
        ("class", mine.class_, row.class_),
        ("project", mine.project, row.project),
        ("month", mine.month, row.month),
    ):
        if here and there and here != there:
            yield Difference(field=field, here=here, there=there)


def status_agrees(status: str, party: str, mine: OwnRange) -> bool:
    """Whether what the statement says became of units is what became of them here."""
    if status != TRANSFERRED:
        return mine.state in _AGREEING[status]
    # To a party of this log: it has the units, or used them. To others: they left this ledger.
    if party:
        return mine.owner == party and mine.state != "exported"
    return mine.state == "exported"


def _missing_there(mine: OwnRange, rows: Sequence[StatementRow]) -> Iterator[Finding]:
    at = mine.first
    for row in rows:
        if row.end <= at or mine.end <= row.first:
            continue
        if at < row.first:
            yield _unlisted(mine, at, row.first)
        at = row.end
    if at < mine.end:
        yield _unlisted(mine, at, mine.end)


def _unlisted(mine: OwnRange, first: int, end: int) -> Finding:
    return Finding(
        kind=MISSING_THERE,
        row=0,
        code=mine.code,
        first=first,
        end=end,
        here=mine.state,
        owner=mine.owner,
        month=mine.month,
        project=mine.project,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coverage:
    """What a statement should list: units of the codes, or of the projects' months, that its rows
    with status issued, held or frozen are about; of the parties that they name, if any.

    A list of all that was issued names units that are gone too; one of what is held does not.
    Trades and cancellations are no lists of what there is: such rows cover nothing but themselves.
    """

    codes: Mapping[str, bool]
    months: Mapping[tuple[str, str], bool]
    parties: Collection[str]

    @classmethod
    def of(cls, rows: Iterable[StatementRow]) -> _Coverage:
        codes: dict[str, bool] = {}
        months: dict[tuple[str, str], bool] = {}
        parties = set()
        for row in rows:
            if row.status not in _LISTS_HELD:
                continue
            all_of_it = row.status == ISSUED
            codes[row.code] = codes.get(row.code, False) or all_of_it
            if row.project and row.month:
                key = (row.project, row.month)
                months[key] = months.get(key, False) or all_of_it
            if row.party:
                parties.add(row.party)
        return cls(codes=codes, months=months, parties=parties)

    def should_list(self, mine: OwnRange) -> bool:
        covering = [
            all_of_it
            for all_of_it in (
                self.codes.get(mine.code),
                self.months.get((mine.project, mine.month)),
            )
            if all_of_it is not None
        ]
        if not covering or (self.parties and mine.owner not in self.parties):
            return False
        return any(covering) or mine.state in HERE
