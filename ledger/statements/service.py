"""Importing statements, and what they say of units that the ledger holds."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from ledger.db import reading
from ledger.errors import InvalidInput, NotFound
from ledger.log.bodies import Blob
from ledger.log.store import LogFacts
from ledger.metering.importers import Repair
from ledger.metering.sealing import FILE_MEDIA
from ledger.parties.desk import Desk, Draft, fresh_salt, seal_json
from ledger.registry.ranges import SerialRange
from ledger.statements import own, store
from ledger.statements.compare import HERE, KINDS, Finding, officially_gone
from ledger.statements.entries import IMPORT
from ledger.statements.model import GREEN_TRADE, NAME, Statement, StatementFile
from ledger.statements.official import Confirmation, OfficialPart, confirmation, latest
from ledger.statements.profile import StatementProfile
from ledger.statements.reader import read_statement
from ledger.statements.sums import compare
from ledger.units import parse_zone


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedStatement:
    """What became of one file. `repeated`: it had been imported before, and nothing has changed."""

    statement: store.ImportedRow
    rows: int
    repairs: Sequence[Repair]
    repeated: bool

    def to_json(self) -> dict[str, Any]:
        return {
            **self.statement.to_json(),
            "rows": self.rows,
            "repeated": self.repeated,
            "repairs": [
                {"count": each.count, "rule": each.rule, "rows": each.rows} for each in self.repairs
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedStatement:
    """A file that was read. `draft`: what is to be appended; None where that was done `earlier`."""

    rows: int
    repairs: Sequence[Repair]
    earlier: store.ImportedRow | None
    draft: Draft | None

    def stored(self, conn: Connection, log: LogFacts, index: int | None) -> ImportedStatement:
        """What became of the file; `index`: the entry of `draft`."""
        found = self.earlier if index is None else store.find_statement(conn, log.log_id, index)
        assert found is not None
        return ImportedStatement(
            statement=found, rows=self.rows, repairs=self.repairs, repeated=index is None
        )


def import_statement(
    desk: Desk, path: Path, profile: StatementProfile, *, profile_text: str, as_of: date
) -> ImportedStatement:
    """Read one file and sign what it says, or change nothing.

    `as_of`: the day whose state the statement gives, in park time. The same file with the same
    rows again changes nothing; read in another way (by another profile, or as of another day), it
    takes the place of its earlier reading. Raises InvalidInput (RowsRejected), NotFound or Refused.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"no file {path}") from None
    except OSError as error:
        raise InvalidInput(f"{path.name}: can't be read: {error.strerror}") from error
    prepared = prepare(desk, data, profile, name=path.name, profile_text=profile_text, as_of=as_of)
    index = None if prepared.draft is None else desk.append(prepared.draft).index
    with reading(desk.engine) as conn:
        return prepared.stored(conn, desk.log, index)


def prepare(
    desk: Desk,
    data: bytes,
    profile: StatementProfile,
    *,
    name: str,
    profile_text: str,
    as_of: date,
) -> PreparedStatement:
    """Read the bytes of a file. Raises as `import_statement` does; nothing is stored yet."""
    zone = parse_zone(desk.log.zone)
    found = read_statement(data, profile, name=name, as_of=as_of, zone=zone)
    file = Blob.seal(data, FILE_MEDIA, salt=fresh_salt())
    said = Statement(
        scheme=profile.scheme,
        issuer=profile.issuer,
        as_of=as_of,
        file=StatementFile(name=name, size=len(data), hash=file.key),
        profile=profile_text,
        rows=found.rows,
    )
    with reading(desk.engine) as conn:
        earlier = store.last_of_file(conn, desk.log.log_id, hashlib.sha256(data).digest())
    draft = None
    if earlier is None or earlier.reading != said.reading(profile.kind):
        draft = Draft(
            type=IMPORT,
            author=desk.log.operator,
            members={"kind": profile.kind},
            bodies={"body": seal_json(said.to_json(), NAME)},
            attachments=[file.data],
        )
    return PreparedStatement(
        rows=len(found.rows), repairs=found.repairs, earlier=earlier, draft=draft
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """A statement compared with what the ledger holds now."""

    statement: store.ImportedRow
    findings: Sequence[Finding]

    @property
    def counts(self) -> dict[str, int]:
        """Findings of each kind."""
        return {kind: sum(one.kind == kind for one in self.findings) for kind in KINDS}

    @property
    def blocks_closing(self) -> bool:
        return any(one.blocks_closing for one in self.findings)

    def to_json(self) -> dict[str, Any]:
        return {
            "statement": self.statement.to_json(),
            "counts": self.counts,
            "blocks_closing": self.blocks_closing,
            "findings": [one.to_json() for one in self.findings],
        }


def reconcile(conn: Connection, log: LogFacts, entry_index: int) -> Reconciliation:
    """Compare a statement, by its entry, row by row with what the ledger holds. Raises NotFound."""
    statement = store.find_statement(conn, log.log_id, entry_index)
    findings = compare(
        store.rows_of(conn, log.log_id, entry_index),
        own.own_ranges(conn, log, statement.scheme),
        own.settled(conn, log) if statement.kind == GREEN_TRADE else (),
    )
    return Reconciliation(statement=statement, findings=findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocking:
    """Units that are officially gone, but held here: they block closing (domain invariant 22)."""

    scheme: str
    code: str
    state: str
    owner: str
    official: OfficialPart

    def to_json(self) -> dict[str, Any]:
        return {
            "scheme": self.scheme,
            "code": self.code,
            "state": self.state,
            "owner": self.owner,
            **self.official.to_json(),
        }


def blocking(conn: Connection, log: LogFacts, scheme: str) -> list[Blocking]:
    """By code and first unit: what has to be settled before a period is closed."""
    spoken: dict[str, list[OfficialPart]] = {}
    for code, part in store.spoken_of(conn, log.log_id, scheme):
        spoken.setdefault(code, []).append(part)
    return [
        Blocking(scheme=scheme, code=mine.code, state=mine.state, owner=mine.owner, official=part)
        for mine in own.own_ranges(conn, log, scheme)
        if mine.state in HERE and mine.code in spoken
        for part in latest(spoken[mine.code], mine.first, mine.end)
        if officially_gone(part.status, part.party)
    ]


def official_status(
    conn: Connection, log_id: int, scheme: str, code: str, first: int, end: int
) -> list[OfficialPart]:
    """All of the units `first` … `end` − 1 in order, each part by the latest statement that speaks
    of it (by date, then by entry). That units were issued counts only where nothing else is known
    of them."""
    spoken = [part for _, part in store.spoken_of(conn, log_id, scheme, code)]
    return latest(spoken, first, end)


def is_confirmed(
    conn: Connection,
    log_id: int,
    scheme: str,
    ranges: Iterable[tuple[str, SerialRange]],
    *,
    parties: Collection[str],
    custodian: str = "",
    as_of: int | None = None,
) -> Confirmation:
    """Whether a use of units (code, range) is final (domain invariant 22): a statement below a log
    size (any by default) says of all of them that they are cancelled, or transferred to one of
    `parties`, its owner or beneficiary.
    What is cancelled in the account of somebody else, but for a `custodian`, is another use.
    """
    by_code: dict[str, list[OfficialPart]] = {}
    known: list[tuple[str, list[OfficialPart]]] = []
    for code, units in ranges:
        if code not in by_code:
            spoken = store.spoken_of(conn, log_id, scheme, code, as_of=as_of)
            by_code[code] = [part for _, part in spoken]
        known.append((code, latest(by_code[code], units.first, units.end)))
    return confirmation(known, parties, custodian)
