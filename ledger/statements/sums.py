"""A whole statement compared: rows with codes unit by unit, rows without in sums. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ledger.statements.compare import (
    AGREES,
    CONFLICT,
    MISSING_HERE,
    MISSING_THERE,
    Difference,
    Finding,
    OwnRange,
    compare_units,
    status_agrees,
)
from ledger.statements.model import StatementRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Energy of a green trade that was settled here for a month, `2026-01`, to a party."""

    month: str
    party: str
    wh: int


def compare(
    rows: Sequence[StatementRow], own: Sequence[OwnRange], settled: Iterable[Settled] = ()
) -> list[Finding]:
    """All findings: those of rows by line, then what is missing in the statement.

    `own`: ranges of the statement's scheme, gone ones too. `settled`: of the whole ledger.
    """
    found = compare_units(rows, own)
    found += _by_number([row for row in rows if not row.code and row.units], own)
    found += _by_energy([row for row in rows if not row.code and not row.units], settled)
    return sorted(found, key=lambda one: (one.kind == MISSING_THERE, one.row, one.code, one.first))


_Key = tuple[str, ...]


def _by_number(rows: Iterable[StatementRow], own: Sequence[OwnRange]) -> Iterator[Finding]:
    """Rows of one month (project, class, party, status), line by line, as far as the units go that
    fit them here.

    Which units they are, such rows do not say: so what is held beyond them is missing nowhere.
    """
    left: dict[_Key, int] = {}
    for row in rows:
        key = (row.month, row.project, row.class_, row.party, row.status)
        if key not in left:
            left[key] = sum(one.end - one.first for one in own if _fits(row, one))
        here = min(left[key], row.units)
        left[key] -= here
        for kind, first, end in ((AGREES, 0, here), (MISSING_HERE, here, row.units)):
            if first < end:
                yield Finding(
                    kind=kind,
                    row=row.row,
                    code="",
                    first=first,
                    end=end,
                    there=row.status,
                    month=row.month,
                    project=row.project,
                )


def _fits(row: StatementRow, one: OwnRange) -> bool:
    return status_agrees(row.status, row.party, one) and all(
        not there or there == here
        for there, here in (
            (row.month, one.month),
            (row.project, one.project),
            (row.class_, one.class_),
            (row.party, one.owner),
        )
    )


def _by_energy(rows: Sequence[StatementRow], settled: Iterable[Settled]) -> Iterator[Finding]:
    """Energy of a month and party against what was settled here: of a party that the statement does
    not name, against all that it does not name elsewhere."""
    if not rows:
        return
    there: dict[tuple[str, str], int] = {}
    for row in rows:
        there[row.month, row.party] = there.get((row.month, row.party), 0) + row.wh
    months = {row.month for row in rows}
    here: dict[tuple[str, str], int] = {}
    for one in settled:
        if one.month not in months:
            continue
        named = (one.month, one.party)
        key = named if named in there or (one.month, "") not in there else (one.month, "")
        here[key] = here.get(key, 0) + one.wh
    for row in rows:
        yield _of_energy(row, here.get((row.month, row.party), 0), there[row.month, row.party])
    parties = {row.party for row in rows}
    for (month, party), wh in sorted(here.items()):
        if (month, party) not in there and party in parties:
            yield Finding(
                kind=MISSING_THERE,
                row=0,
                code="",
                first=0,
                end=0,
                owner=party,
                month=month,
                wh=wh,
            )


def _of_energy(row: StatementRow, here_wh: int, there_wh: int) -> Finding:
    found = Finding(
        kind=AGREES,
        row=row.row,
        code="",
        first=0,
        end=0,
        owner=row.party,
        there=row.status,
        month=row.month,
        project=row.project,
        wh=row.wh,
    )
    if here_wh == there_wh:
        return found
    if not here_wh:
        return replace(found, kind=MISSING_HERE)
    differs = Difference(field="quantity", here=f"{here_wh} Wh", there=f"{there_wh} Wh")
    return replace(found, kind=CONFLICT, differences=(differs,))
