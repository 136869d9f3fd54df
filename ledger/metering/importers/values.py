"""Texts of cells → exact numbers, by the profile's rules for what is missing, negative or zero."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ledger.metering.importers import decimals
from ledger.metering.importers.cells import Cells, Names
from ledger.metering.importers.decimals import Integers
from ledger.metering.importers.profile import ValueRules
from ledger.metering.importers.report import Notes
from ledger.metering.quality import Quality


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Values:
    """Number i is number[i] / 10**places in the file's unit, of cell i. `quality`: uint16[n]."""

    cells: Cells
    number: Integers
    places: int
    quality: NDArray[np.uint16]

    def take(self, keep: NDArray[np.bool_]) -> Values:
        """The values where the mask is true."""
        return self if keep.all() else self.take_at(np.flatnonzero(keep))

    def take_at(self, places: NDArray[np.int64]) -> Values:
        return Values(
            cells=self.cells.take_at(places),
            number=self.number[places],
            places=self.places,
            quality=self.quality[places],
        )


def reject_cells(
    cells: Cells, names: Names, which: NDArray[np.bool_], notes: Notes, why: Callable[[int], str]
) -> None:
    """Rejects the cells of the mask `which`; `why` gives the reason of one, by its place."""
    for index in np.flatnonzero(which).tolist():
        notes.rejected(cells.row[index], names.columns[cells.column[index]], why(index))


def read_values(cells: Cells, names: Names, rules: ValueRules, notes: Notes) -> Values:
    """Takes out missing values and rejects in `notes` those that are no acceptable number."""
    texts = cells.text.tolist()
    markers = frozenset(rules.missing_markers)
    missing = np.array([text in markers for text in texts], dtype=np.bool_)
    cells = _without_missing(cells, names, rules, missing, notes)
    parsed = decimals.parse(cells.text.tolist())
    number, places = parsed.mantissa, parsed.places
    bad = dict(parsed.bad)
    refused = np.zeros(len(cells), dtype=np.bool_)
    refused[list(bad)] = True
    reject_cells(cells, names, refused, notes, bad.__getitem__)
    values = Values(
        cells=cells,
        number=number,
        places=places,
        quality=np.zeros(len(cells), dtype=np.uint16),
    ).take(~refused)
    missing = _numeric_markers(values, rules.missing_markers)
    if rules.zero_is == "missing":
        missing |= values.number == 0
    if missing.any():
        _without_missing(values.cells, names, rules, missing, notes)
        values = values.take(~missing)
    if rules.register_digits:
        modulus = 10 ** (rules.register_digits + values.places)
        too_many = np.asarray(values.number >= modulus, dtype=np.bool_)
        kept = values.cells
        reject_cells(
            kept,
            names,
            too_many,
            notes,
            lambda index: (
                f"{kept.text[index]!r} does not fit a register of {rules.register_digits} digits"
            ),
        )
        values = values.take(~too_many)
    return _judge_sign(values, names, rules, notes)


def _without_missing(
    cells: Cells, names: Names, rules: ValueRules, missing: NDArray[np.bool_], notes: Notes
) -> Cells:
    if rules.missing_rejected:
        reject_cells(
            cells, names, missing, notes, lambda index: f"value is missing ({cells.text[index]!r})"
        )
    else:
        notes.repaired(
            Quality.MEASURED, "missing value: the interval is absent", cells.row[missing]
        )
    return cells.take(~missing)


def _numeric_markers(values: Values, markers: Sequence[str]) -> NDArray[np.bool_]:
    """Cells equal to a marker as numbers: a spreadsheet writes the marker -99 as -99.0."""
    found = np.zeros(len(values.number), dtype=np.bool_)
    for marker in markers:
        parsed = decimals.parse([marker])
        if not parsed.bad:
            scaled = Fraction(int(parsed.mantissa[0])) * Fraction(10) ** (
                values.places - parsed.places
            )
            if scaled.denominator == 1 and abs(scaled.numerator) < 2**63:
                found |= values.number == scaled.numerator
    return found


def _judge_sign(values: Values, names: Names, rules: ValueRules, notes: Notes) -> Values:
    cells, number, quality = values.cells, values.number, values.quality
    # The sign that counts is that of what will be stored: a negative scale turns it.
    negative = np.asarray(number < 0 if rules.factor > 0 else number > 0, dtype=np.bool_)
    if rules.negative == "clip":
        number = np.where(negative, 0, number)
        quality = quality | np.where(negative, Quality.CLIPPED, 0).astype(np.uint16)
        notes.repaired(Quality.CLIPPED, "negative value set to 0", cells.row[negative])
    elif rules.negative == "reject":
        reject_cells(
            cells, names, negative, notes, lambda index: f"{cells.text[index]!r} is negative"
        )
    if rules.zero_is == "suspect":
        zero = np.asarray(values.number == 0, dtype=np.bool_)
        quality = quality | np.where(zero, Quality.SUSPECT, 0).astype(np.uint16)
        notes.repaired(Quality.SUSPECT, "a stored zero may be a gap", cells.row[zero])
    judged = Values(cells=cells, number=number, places=values.places, quality=quality)
    return judged.take(~negative) if rules.negative == "reject" else judged
