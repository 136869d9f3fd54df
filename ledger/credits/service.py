"""Recording reductions, verifying them, issuing units for them, and reversing what escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.credits import entries, store
from ledger.credits.ccus import ROLES, Flows
from ledger.credits.metered import metered_g, require_metered
from ledger.credits.record import (
    CONFIRMED,
    CREDITED,
    NAME,
    REJECTED,
    REVERSAL_NAME,
    VERIFICATION_NAME,
    Record,
    Reversal,
    Verification,
)
from ledger.credits.store import ProjectKey, RecordRow
from ledger.db import reading
from ledger.errors import InvalidInput, Refused
from ledger.log import store as log_store
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt
from ledger.metering import store as metering
from ledger.metering.service import find_points
from ledger.parties.desk import Desk, Draft, fresh_id, seal_json
from ledger.registry import catalogue, rule
from ledger.registry import service as registry
from ledger.registry.ranges import SerialRange
from ledger.registry.service import NewBatch, Share
from ledger.units import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitored:
    """A monitoring period as a person reports it.

    `points`: {role: names of the points that metered it}; `mass_g`: {role: g} of the others, each
    of which has to be said, 0 where there was none.
    """

    key: ProjectKey
    period: Period
    points: Mapping[str, Sequence[str]]
    mass_g: Mapping[str, int]
    tolerance_g: int
    biogenic_ppm: int
    treatment: str = CREDITED


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReport:
    """A record just made."""

    record: bytes
    receipt: Receipt
    content: Record


def record_reduction(
    desk: Desk, found: Monitored, *, author: str = "", key: SigningKey | None = None
) -> RecordReport:
    """Record what a monitoring period was; metered flows are summed from the readings in force.

    `author`: the operator where it is empty; `key` signs where the author holds its own. Raises
    NotFound, InvalidInput or Refused, and then nothing changes.
    """
    both = sorted({*found.points} & {*found.mass_g})
    if both:
        raise InvalidInput(f"{both[0]} is either metered by points, or stated as a mass")
    with reading(desk.engine) as conn:
        content = _content(conn, desk, found)
    record = fresh_id()
    draft = Draft(
        type=rule.RECORD,
        author=author or desk.log.operator,
        members={"record": record, "scheme": found.key.scheme, "project": found.key.project},
        bodies={"body": seal_json(content.to_json(), NAME)},
    )
    receipt = desk.writer.append(desk.sign(draft, key=key))
    return RecordReport(record=bytes.fromhex(record), receipt=receipt, content=content)


def _content(conn: Connection, desk: Desk, found: Monitored) -> Record:
    log_id = desk.log.log_id
    as_of = log_store.load_head(conn, log_id).size
    project = catalogue.find_project(conn, log_id, found.key.scheme, found.key.project).master
    points = {
        role: tuple(sorted(one.point for one in find_points(conn, log_id, names)))
        for role, names in found.points.items()
        if names
    }
    shown_g = {
        role: metered_g(conn, log_id, role, some, found.period, project.points, as_of)
        for role, some in points.items()
        if role in ROLES
    }
    return Record(
        period=found.period,
        as_of=as_of,
        treatment=found.treatment,
        flows=Flows.of_roles({**found.mass_g, **dict.fromkeys(points, 0), **shown_g}),
        points=points,
        tolerance_g=found.tolerance_g,
        biogenic_ppm=found.biogenic_ppm,
    )


def verify_reduction(
    desk: Desk,
    record: bytes,
    verifier: str,
    finding: str,
    *,
    confirmed: bool = True,
    document: str = "",
    key: SigningKey | None = None,
) -> Receipt:
    """Confirm or reject a record, as another party; what it is credited with follows.

    Raises NotFound, InvalidInput or Refused.
    """
    verdict = CONFIRMED if confirmed else REJECTED
    with reading(desk.engine) as conn:
        row = store.find_record(conn, desk.log.log_id, record)
        credited = entries.worth(conn, desk.log.log_id, row, verdict)
    found = Verification(verdict=verdict, finding=finding, document=document, credited=credited)
    draft = Draft(
        type=rule.VERIFY,
        author=verifier,
        members={"record": record.hex()},
        bodies={"body": seal_json(found.to_json(), VERIFICATION_NAME)},
    )
    return desk.writer.append(desk.sign(draft, key=key))


def reverse(desk: Desk, key: ProjectKey, mass_g: int, at_s: int, reason: str) -> Receipt:
    """Write down that stored CO2 escaped: the buffer meets it first, later records the rest."""
    found = Reversal(g=mass_g, at_s=at_s, reason=reason)
    return desk.append(
        Draft(
            type=entries.REVERSE,
            author=desk.log.operator,
            members={"scheme": key.scheme, "project": key.project},
            bodies={"body": seal_json(found.to_json(), REVERSAL_NAME)},
        )
    )


def issue_record(desk: Desk, record: bytes, owner: str = "") -> list[Receipt]:
    """Issue the units of a confirmed record to an owner: the project's where none is named.

    Raises NotFound or Refused.
    """
    with reading(desk.engine) as conn:
        row = store.find_record(conn, desk.log.log_id, record)
        project = catalogue.find_project(conn, desk.log.log_id, row.key.scheme, row.key.project)
    credited = row.verification.credited if row.verification else None
    if credited is None:
        raise Refused(
            f"record {record.hex()} is {row.state}, {row.content.treatment}: units are issued for"
            " what is confirmed and credited"
        )
    shares, at = [], 0
    for class_, part in credited.parts.items():
        if part.units:
            units = SerialRange(first=at, end=at + part.units)
            shares.append(Share(class_=class_, owner=owner or project.master.owner, units=units))
            at += part.units
    if not shares:
        raise Refused(f"record {record.hex()} makes no whole unit: what is left is carried on")
    batch = NewBatch(
        code=record.hex(),
        units=SerialRange(first=0, end=at),
        period=row.content.period,
        shares=tuple(shares),
        project=row.key.project,
        record=record.hex(),
    )
    return registry.issue(desk, row.key.scheme, [batch])


def differing(conn: Connection, log_id: int, as_of: int) -> list[tuple[RecordRow, str]]:
    """Records, not rejected, whose meters say something else as of a log size, and what.

    A correction hides nothing: what was confirmed stays, and its remedy is a reversal.
    """
    found = []
    for row in store.find_records(conn, log_id):
        if row.verification is not None and row.verification.verdict == REJECTED:
            continue
        project = catalogue.find_project(conn, log_id, row.key.scheme, row.key.project)
        try:
            require_metered(conn, log_id, row.content, project.master.points, as_of)
        except Refused as error:
            if not _erased(conn, log_id, row.content):
                found.append((row, str(error)))
    return found


def _erased(conn: Connection, log_id: int, content: Record) -> bool:
    """What was erased was not corrected: the record stands on its word."""
    points = {point for role in content.points.values() for point in role}
    return any(metering.has_erased(conn, log_id, point, content.period) for point in points)
