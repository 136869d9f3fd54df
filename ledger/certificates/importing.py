"""Taking in what official lists name: certificates and credits, batch by batch.

What is here already, with the same numbers, is left as it is; other numbers of the same code are
refused. Of plants that are metered here the lots behind each month are found, month after month.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from sqlalchemy import Connection

from ledger.certificates.service import MeteredIssue, issue_metered
from ledger.db import reading
from ledger.errors import InvalidInput, NotFound, Refused
from ledger.lots.model import Month
from ledger.parties.desk import Desk
from ledger.registry import catalogue, exclusive, store
from ledger.registry.crediting import issue_credits
from ledger.registry.project import Project
from ledger.registry.ranges import SerialRange, joined
from ledger.registry.scheme import CERTIFICATE, RECORD, Scheme
from ledger.registry.service import NewBatch, Share, issue
from ledger.statements.model import FROZEN, HELD, ISSUED, StatementRow
from ledger.statements.profile import StatementProfile
from ledger.statements.reader import read_statement
from ledger.units import parse_zone

_TAKEN_IN = (ISSUED, HELD, FROZEN)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What an import takes where rows do not say it: class, and who holds the units."""

    class_: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a list's rows. `skipped`: batches that were here already."""

    scheme: Scheme
    rows: int
    batches: int
    units: int
    skipped: int
    skipped_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A batch that a list names: rows of one code that adjoin, of one month and project."""

    rows: tuple[StatementRow, ...]

    @property
    def code(self) -> str:
        return self.rows[0].code

    @property
    def units(self) -> SerialRange:
        return SerialRange(first=self.rows[0].first, end=self.rows[-1].end)

    @property
    def where(self) -> str:
        return f"row {self.rows[0].row}, code {self.code}"


def import_units(
    desk: Desk,
    path: Path,
    profile: StatementProfile,
    *,
    as_of: date,
    listed: Listed,
    progress: Progress,
) -> Imported:
    """Take in the units of a list that are not here yet.

    All batches of plants that are not metered here come in together, or none; each month of one
    that is metered comes in by itself, in order, before them. So where such a month is refused,
    the months before it stay, and the same import goes on from there. Raises InvalidInput
    (RowsRejected), NotFound or Refused.
    """
    data = _read(path)
    found = read_statement(
        data, profile, name=path.name, as_of=as_of, zone=parse_zone(desk.log.zone)
    )
    with reading(desk.engine) as conn:
        rules = catalogue.find_scheme(conn, desk.log.log_id, profile.scheme).rules
        importer = _Importer(conn, desk, profile, rules, listed)
        wanted = importer.wanted(found.rows)
        fresh = [one for one in wanted if importer.is_new(one)]
        months = [importer.month(one) for one in fresh if importer.is_metered(one)]
        plain = [importer.batch(one) for one in fresh if not importer.is_metered(one)]
    document = hashlib.sha256(data).hexdigest()
    for number, month in enumerate(sorted(months, key=lambda one: (one.month, one.code))):
        progress(number, len(fresh))
        issue_metered(desk, replace(month, document=document), rules.scheme)
    progress(len(months), len(fresh))
    _issue_plain(desk, rules, plain, document)
    progress(len(fresh), len(fresh))
    units, all_units = (sum(len(one.units) for one in some) for some in (fresh, wanted))
    return Imported(
        scheme=rules,
        rows=len(found.rows),
        batches=len(fresh),
        units=units,
        skipped=len(wanted) - len(fresh),
        skipped_units=all_units - units,
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"no file {path}") from None
    except OSError as error:
        raise InvalidInput(f"{path.name}: can't be read: {error.strerror}") from error


class _Importer:
    """Judges the rows of a list against what is here; pure but for what it reads at first."""

    def __init__(
        self,
        conn: Connection,
        desk: Desk,
        profile: StatementProfile,
        rules: Scheme,
        listed: Listed,
    ) -> None:
        if rules.kind == RECORD:
            raise InvalidInput(
                f"units of {rules.scheme} are issued here, for verified records: greenledger credit"
                " issue-record"
            )
        self._rules = rules
        self._listed = listed
        self._by_serial = bool(profile.units and profile.units.from_)
        self._projects = {
            one.project: one.master
            for one in catalogue.current_projects(conn, desk.log.log_id).values()
            if one.scheme == rules.scheme
        }
        self._zone_s = desk.log.zone_s
        self._conn = conn
        self._log_id = desk.log.log_id
        self._known: dict[str, list[store.BatchRow]] = {}

    def wanted(self, rows: Sequence[StatementRow]) -> list[_Wanted]:
        """The batches that rows name, by code and number. Raises InvalidInput."""
        for row in rows:
            self._require_whole(row)
        self._known = store.batches_of_codes(
            self._conn, self._log_id, self._rules.scheme, {row.code for row in rows}
        )
        ordered = sorted(rows, key=lambda row: (row.code, row.first))
        parts: list[list[StatementRow]] = []
        for row in ordered:
            last = parts[-1][-1] if parts else None
            if last is not None and last.end == row.first and _source(last) == _source(row):
                parts[-1].append(row)
            else:
                parts.append([row])
        return [_Wanted(rows=tuple(part)) for part in parts]

    def _require_whole(self, row: StatementRow) -> None:
        if row.status not in _TAKEN_IN:
            raise InvalidInput(
                f"row {row.row} is about units that are {row.status}: an import takes what is"
                f" {', '.join(_TAKEN_IN)}; to compare other lists: statement"
            )
        if not row.code or not row.month:
            raise InvalidInput(
                f"row {row.row} names no {'month' if row.code else 'code'}: units are taken in by"
                " code, and by month of production"
            )

    def is_new(self, one: _Wanted) -> bool:
        """False where its units are here. Raises Refused where only some are, or others."""
        known = self._known.get(one.code, [])
        there = [row for row in known if row.units.overlaps(one.units)]
        if not there:
            return True
        mine = joined(row.units for row in there)
        same = mine == [one.units]
        if same or (self._by_serial and any(each.contains(one.units) for each in mine)):
            return False
        here = ", ".join(map(str, mine))
        raise Refused(
            f"{one.where}: the list has units {one.units} ({len(one.units)}), here are {here}"
            f" ({sum(map(len, mine))}): the same code with another number is not taken in"
        )

    def is_metered(self, one: _Wanted) -> bool:
        found = self._project(one)
        return self._rules.kind == CERTIFICATE and found is not None and bool(found.points)

    def _project(self, one: _Wanted) -> Project | None:
        project = one.rows[0].project
        if project and project not in self._projects:
            raise Refused(
                f"{one.where}: project {project} is not registered: greenledger project register"
                f" {self._rules.scheme} {project}"
            )
        return self._projects[project] if project else None

    def _month(self, one: _Wanted) -> Month:
        year, month = map(int, one.rows[0].month.split("-"))
        return Month(year=year, month=month, zone_offset_s=self._zone_s)

    def _class(self, one: _Wanted, row: StatementRow) -> str:
        name = row.class_ or self._listed.class_
        if not name and len(self._rules.classes) == 1:
            name = next(iter(self._rules.classes))
        if not name:
            raise InvalidInput(
                f"{one.where}: say which --class they are of:"
                f" {', '.join(sorted(self._rules.classes))}"
            )
        return self._rules.class_of(name).name

    def _owner(self, one: _Wanted, row: StatementRow) -> str:
        project = self._project(one)
        owner = row.party or self._listed.owner or (project.owner if project else "")
        if not owner:
            raise InvalidInput(f"{one.where}: say whose they are: --owner PARTY")
        return owner

    def batch(self, one: _Wanted) -> tuple[NewBatch, bool]:
        """The batch, and whether it begins frozen (124号)."""
        project, period = self._project(one), self._month(one).period
        batch = NewBatch(
            code=one.code,
            units=one.units,
            period=period,
            project=one.rows[0].project,
            shares=tuple(
                Share(
                    class_=self._class(one, row),
                    owner=self._owner(one, row),
                    units=SerialRange(first=row.first, end=row.end),
                )
                for row in one.rows
            ),
        )
        scheme = self._rules.scheme
        frozen = one.rows[0].status == FROZEN or (
            project is not None
            and bool(exclusive.freezer_of(self._conn, self._log_id, scheme, project.plant, period))
        )
        return batch, frozen

    def month(self, one: _Wanted) -> MeteredIssue:
        units: dict[str, int | None] = {}
        for row in one.rows:
            name = self._class(one, row)
            units[name] = (units.get(name) or 0) + row.units
        return MeteredIssue(
            project=one.rows[0].project,
            month=self._month(one),
            code=one.code,
            units=units,
            owner=one.rows[0].party or self._listed.owner,
        )


def _source(row: StatementRow) -> tuple[str, str, str, bool]:
    return row.code, row.month, row.project, row.status == FROZEN


def _issue_plain(
    desk: Desk, rules: Scheme, found: Sequence[tuple[NewBatch, bool]], document: str
) -> None:
    """Those that begin active, then those that begin frozen."""
    take_in = issue if rules.kind == CERTIFICATE else issue_credits
    for frozen in (False, True):
        batches = [batch for batch, is_frozen in found if is_frozen == frozen]
        if batches:
            take_in(desk, rules.scheme, batches, document=document, frozen=frozen)
