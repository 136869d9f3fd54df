"""A statement's bytes → its rows. Pure: the same bytes, profile, date and zone give the same rows.

Every bad row is named with its column, with what was found and what would be right; one of them
refuses the file, for a statement that is read in part would say that units are missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from fractions import Fraction
from typing import Any

import numpy as np

from ledger.errors import InvalidInput
from ledger.metering.importers.cells import keep_rows
from ledger.metering.importers.reader import match_name
from ledger.metering.importers.report import Notes, Repair, RowsRejected
from ledger.metering.importers.tables import Table, as_label, read_table
from ledger.metering.quality import Quality
from ledger.statements import fields
from ledger.statements.fields import Bad
from ledger.statements.model import StatementRow, faults
from ledger.statements.profile import Naming, StatementProfile, UnitRules
from ledger.units import format_instant


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStatement:
    """`repairs`: what was left out, and counted."""

    rows: tuple[StatementRow, ...]
    repairs: tuple[Repair, ...]


def read_statement(
    data: bytes, profile: StatementProfile, *, name: str, as_of: date, zone: timezone
) -> ReadStatement:
    """`name`: the file's name. `as_of`: the day whose state the statement gives, in park time
    (`zone`).

    Raises RowsRejected where rows can't be taken, and InvalidInput where the file as a whole can't.
    """
    notes = Notes()
    match_name(profile.file.name, name, profile.where)
    table = read_table(data, profile.file, wanted_columns(profile), name=name, notes=notes)
    table = keep_rows(table, profile.keep_rows, notes)
    rows = _Rows(profile=profile, table=table, notes=notes, as_of=as_of, zone=zone).read()
    columns = _columns_of(profile)
    for fault in faults(rows, as_of):
        notes.rejected(rows[fault.place].row, columns[fault.field], fault.reason)
    if notes.rejections():
        raise RowsRejected(name, notes.rejections())
    if not rows:
        raise InvalidInput(f"{name}: no row is left of the statement")
    return ReadStatement(rows=tuple(rows), repairs=notes.repairs())


def _namings(profile: StatementProfile) -> dict[str, Naming]:
    given = {
        "class": profile.class_,
        "status": profile.status,
        "project": profile.project,
        "party": profile.party,
    }
    return {name: rules for name, rules in given.items() if rules}


def wanted_columns(profile: StatementProfile) -> list[str]:
    """The columns that the profile needs, each once; all others, as prices, are not looked at."""
    wanted = [*profile.keep_rows, *profile.note]
    if profile.units:
        units = profile.units
        wanted += [units.code, units.from_, units.to, units.quantity]
        wanted += [part.column for part in units.parts]
    wanted += [profile.energy.column] if profile.energy else []
    wanted += profile.month.columns if profile.month else []
    wanted += [profile.time.column] if profile.time else []
    wanted += [rules.column for rules in _namings(profile).values()]
    return list(dict.fromkeys(column for column in wanted if column))


def _columns_of(profile: StatementProfile) -> dict[str, str]:
    """Where the fields stand that a fault may name."""
    units = profile.units
    quantity = (units.quantity or units.to) if units else ""
    return {
        "month": profile.month.columns[0] if profile.month else "",
        "units": quantity or (profile.energy.column if profile.energy else ""),
        "code": (units.code or units.from_) if units else "",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Units:
    """Units of one line and class."""

    code: str = ""
    class_: str = ""
    first: int = 0
    end: int = 0


@dataclass(slots=True, kw_only=True)
class _Rows:
    """Reads line after line. `numbers`: column → its whole numbers, or why one is none. `digits`:
    code → (digits of its serials, line where they stood first)."""

    profile: StatementProfile
    table: Table
    notes: Notes
    as_of: date
    zone: timezone
    numbers: dict[str, list[int | Bad]] = field(default_factory=dict)
    digits: dict[str, tuple[int, int]] = field(default_factory=dict)

    def read(self) -> list[StatementRow]:
        units, energy = self.profile.units, self.profile.energy
        counted = [units.quantity, *(part.column for part in units.parts)] if units else []
        for column in filter(None, counted):
            self._parse(column, Fraction(1), "units", "units")
        if energy:
            self._parse(energy.column, energy.factor, energy.unit, "Wh")
        found: list[StatementRow] = []
        for place, number in enumerate(self.table.row.tolist()):
            found += self._read_line(place, number)
        return found

    def _parse(self, column: str, per: Fraction, unit: str, whole: str) -> None:
        cells = self.table.columns[column]
        self.numbers[column] = fields.whole_numbers(cells, per, unit, whole)

    def _read_line(self, place: int, number: int) -> list[StatementRow]:
        """The rows of one line: none where it is bad or left out, several where its units are of
        several classes."""
        line = _Line(self, place, number)
        names, noted = line.names()
        month = line.month()
        noted += [(column, as_label(line.cell(column))) for column in self.profile.note]
        noted += line.time()
        wh = line.number_in(self.profile.energy.column) if self.profile.energy else 0
        units = line.units()
        if line.bad:
            return []
        if not wh and not units:
            self._leave_out(line)
            return []
        return [
            StatementRow(
                row=number,
                code=one.code,
                month=month,
                project=names.get("project", ""),
                class_=one.class_ or names.get("class", ""),
                first=one.first,
                end=one.end,
                status=names["status"],
                party=names.get("party", ""),
                wh=wh,
                note=fields.note_of(noted),
            )
            for one in units or [_Units()]
        ]

    def _leave_out(self, line: _Line) -> None:
        if self.profile.zero_skipped:
            rule = "row left out, since it is about nothing: its quantity is 0"
            self.notes.repaired(Quality.MEASURED, rule, np.array([line.number]))
        else:
            column = _columns_of(self.profile)["units"]
            reason = "is 0: 1 or more is right (where it may be so: zero = 'skip')"
            self.notes.rejected(line.number, column, reason)


@dataclass(slots=True)
class _Line:
    """One line of the table. `bad`: a cell of it was rejected."""

    of: _Rows
    place: int
    number: int
    bad: bool = False

    def cell(self, column: str) -> Any:
        return self.of.table.columns[column][self.place]

    def reject(self, column: str, why: Bad | str) -> None:
        self.bad = True
        self.of.notes.rejected(self.number, column, str(why))

    def number_in(self, column: str) -> int:
        found = self.of.numbers[column][self.place]
        if isinstance(found, Bad):
            self.reject(column, found)
            return 0
        return found

    def names(self) -> tuple[dict[str, str], list[tuple[str, str]]]:
        """What the fields that take names are, and what goes to the note."""
        said: dict[str, str] = {}
        noted: list[tuple[str, str]] = []
        for name, rules in _namings(self.of.profile).items():
            if rules.value:
                said[name] = rules.value
                continue
            try:
                found = fields.named(self.cell(rules.column), rules, name)
            except Bad as error:
                self.reject(rules.column, error)
                continue
            if found is None:
                noted.append((rules.column, as_label(self.cell(rules.column))))
            said[name] = found or ""
        return said, noted

    def month(self) -> str:
        rules = self.of.profile.month
        if not rules:
            return ""
        try:
            return fields.month_of([self.cell(column) for column in rules.columns], rules)
        except Bad as error:
            self.reject(rules.columns[0], error)
            return ""

    def time(self) -> list[tuple[str, str]]:
        """The time, for the note: it lies on the statement's day or before."""
        rules = self.of.profile.time
        if not rules:
            return []
        try:
            at_s = fields.instant_of(self.cell(rules.column), rules, self.of.zone)
        except Bad as error:
            self.reject(rules.column, error)
            return []
        day_after = self.of.as_of + timedelta(days=1)
        end_s = datetime.combine(day_after, time(), self.of.zone).timestamp()
        if at_s >= end_s:
            self.reject(
                rules.column,
                f"time {format_instant(at_s)} lies after the statement's date {self.of.as_of}",
            )
        return [(rules.column, format_instant(at_s))]

    def units(self) -> list[_Units]:
        rules = self.of.profile.units
        if not rules:
            return []
        found = self._by_serial(rules) if rules.from_ else self._by_code(rules)
        return [one for one in found if one.first < one.end]

    def _by_serial(self, rules: UnitRules) -> list[_Units]:
        try:
            code, first, end, digits = fields.serials(self.cell(rules.from_), self.cell(rules.to))
        except Bad as error:
            self.reject(rules.from_, error)
            return []
        known, line = self.of.digits.setdefault(code, (digits, self.number))
        if known != digits:
            self.reject(
                rules.from_,
                f"the number after {code!r} has {digits} digits, but {known} in row {line}",
            )
        if rules.quantity:
            stated = self.number_in(rules.quantity)
            if not self.bad and stated != end - first:
                self.reject(
                    rules.quantity,
                    f"is {stated}, but the serials of the row are {end - first} units",
                )
        return [_Units(code=code, first=first, end=end)]

    def _by_code(self, rules: UnitRules) -> list[_Units]:
        code = ""
        if rules.code:
            try:
                code = fields.code_of(self.cell(rules.code))
            except Bad as error:
                self.reject(rules.code, error)
        quantity = self.number_in(rules.quantity)
        if not rules.parts:
            return [_Units(code=code, end=quantity)]
        found: list[_Units] = []
        first = 0
        for part in rules.parts:
            end = first + self.number_in(part.column)
            # Without a code there is nothing to number: each class counts its units from 0.
            found.append(
                _Units(code=code, class_=part.class_, first=first, end=end)
                if code
                else _Units(class_=part.class_, end=end - first)
            )
            first = end
        if not self.bad and first != quantity:
            said = " + ".join(repr(part.column) for part in rules.parts)
            self.reject(rules.quantity, f"is {quantity}, but {said} are {first}")
        return found
