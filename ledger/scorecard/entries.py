"""What a standard has to be before it is stored: whoever reads it later can answer each clause."""

from __future__ import annotations

from typing import Final

from ledger.errors import InvalidInput
from ledger.log.entry import Entry
from ledger.log.types import Bodies, Tx
from ledger.records.entries import content_of
from ledger.scorecard.evidence import NOT_APPLICABLE
from ledger.scorecard.figures.known import FIGURES
from ledger.scorecard.standard import COMPUTED, REGISTER, Clause, Standard

_KNOWN: Final = ", ".join(sorted(FIGURES))


def before_put(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    """Raises InvalidInput. Other registers are not looked at."""
    if entry.statement["register"] == REGISTER:
        require_known(Standard.from_json(content_of(tx)))


def require_known(standard: Standard) -> None:
    """Raises InvalidInput for a figure that is not computed here, or is in another unit."""
    for one in standard.clauses:
        if one.kind == COMPUTED:
            _require(one, one.figure, [each.unit for each in one.thresholds])
        elif one.figure == NOT_APPLICABLE:
            raise InvalidInput(
                f"clause {one.id}: a document with figure {NOT_APPLICABLE} says that a clause has"
                " nothing to apply to; give the figure another name"
            )
        for condition in one.applies:
            _require(one, condition.figure, [condition.unit])


def _require(one: Clause, figure: str, units: list[str]) -> None:
    if figure not in FIGURES:
        raise InvalidInput(f"clause {one.id}: no figure {figure!r} is computed; there are {_KNOWN}")
    unit = FIGURES[figure].unit
    for other in units:
        if other != unit:
            raise InvalidInput(f"clause {one.id}: {figure} is in {unit}, not in {other}")
