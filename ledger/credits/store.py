"""Reductions in the database, found again, and where a project stands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, and_, func, insert, or_, select

from ledger.credits.ccus import AVOIDED, REMOVAL, Credited, Flows, Part, Reversed, Standing
from ledger.credits.record import CONFIRMED, REJECTED, Record, Reversal, Verification
from ledger.credits.schema import reductions, reversals, verifications
from ledger.errors import NotFound
from ledger.registry.schema import batches
from ledger.units import Period

_FLOWS: Final = tuple(Flows.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectKey:
    """A project of a scheme."""

    scheme: str
    project: str

    def __str__(self) -> str:
        return f"{self.scheme}/{self.project}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """A record, what its verifier found (None: nothing yet), and which entry issued it, if any."""

    record: bytes
    entry_index: int
    author: str
    key: ProjectKey
    plant: str
    content: Record
    verification: Verification | None
    verified_index: int | None
    verifier: str
    issued_index: int | None

    @property
    def state(self) -> str:
        if self.issued_index is not None:
            return "issued"
        return self.verification.verdict if self.verification else "recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversalRow:
    """A reversal, and how it was met."""

    entry_index: int
    key: ProjectKey
    content: Reversal
    met: Reversed


def find_records(
    conn: Connection, log_id: int, *which: ColumnElement[bool], as_of: int | None = None
) -> list[RecordRow]:
    """Records in log order, as they stood at a log size (now by default); `which` narrows them."""
    if as_of is not None:
        which = (*which, reductions.c.entry_index < as_of)
    query = (
        select(
            reductions,
            *(column.label(f"v_{column.name}") for column in verifications.c),
            batches.c.entry_index.label("issued_index"),
        )
        .outerjoin(verifications, _same_record(verifications, as_of))
        .outerjoin(batches, _same_record(batches, as_of))
        .where(reductions.c.log_id == log_id, *which)
        .order_by(reductions.c.entry_index)
    )
    return [_record(row) for row in conn.execute(query)]


def _same_record(table: Table, as_of: int | None) -> ColumnElement[bool]:
    same = and_(table.c.log_id == reductions.c.log_id, table.c.record == reductions.c.record)
    return same if as_of is None else and_(same, table.c.entry_index < as_of)


def records_with_id(conn: Connection, log_id: int, record: bytes) -> list[RecordRow]:
    """One or none."""
    return find_records(conn, log_id, reductions.c.record == record)


def find_record(conn: Connection, log_id: int, record: bytes) -> RecordRow:
    """Raises NotFound."""
    found = records_with_id(conn, log_id, record)
    if not found:
        raise NotFound(f"there is no reduction record {record.hex()}")
    return found[0]


def records_of(conn: Connection, log_id: int, key: ProjectKey) -> list[RecordRow]:
    return find_records(
        conn, log_id, reductions.c.scheme == key.scheme, reductions.c.project == key.project
    )


def overlapping(
    conn: Connection, log_id: int, key: ProjectKey, plant: str, period: Period
) -> list[RecordRow]:
    """Records of a project, or of its plant in any scheme, that are not rejected and overlap."""
    return find_records(
        conn,
        log_id,
        or_(
            reductions.c.plant == plant,
            and_(reductions.c.scheme == key.scheme, reductions.c.project == key.project),
        ),
        reductions.c.start_s < period.end_s,
        reductions.c.end_s > period.start_s,
        or_(verifications.c.verdict.is_(None), verifications.c.verdict != REJECTED),
    )


def find_reversals(
    conn: Connection, log_id: int, key: ProjectKey | None = None, *, as_of: int | None = None
) -> list[ReversalRow]:
    """Of a project, or of all, below a log size (all by default); in log order."""
    query = select(reversals).where(reversals.c.log_id == log_id).order_by(reversals.c.entry_index)
    if key is not None:
        query = query.where(reversals.c.scheme == key.scheme, reversals.c.project == key.project)
    if as_of is not None:
        query = query.where(reversals.c.entry_index < as_of)
    return [
        ReversalRow(
            entry_index=row.entry_index,
            key=ProjectKey(scheme=row.scheme, project=row.project),
            content=Reversal(g=row.g, at_s=row.at_s, reason=row.reason),
            met=Reversed(buffer_g=row.buffer_g, debit_g=row.debit_g),
        )
        for row in conn.execute(query)
    ]


def standing(conn: Connection, log_id: int, key: ProjectKey) -> Standing:
    """Where a project stands after all that the log says of it."""
    credited = (
        select(verifications)
        .where(
            verifications.c.log_id == log_id,
            verifications.c.scheme == key.scheme,
            verifications.c.project == key.project,
        )
        .subquery()
    )
    made = conn.execute(
        select(
            func.coalesce(func.sum(credited.c.debit_g), 0).label("debit_g"),
            func.coalesce(func.sum(credited.c.buffer_g), 0).label("buffer_g"),
        )
    ).one()
    undone = conn.execute(
        select(
            func.coalesce(func.sum(reversals.c.debit_g), 0).label("debit_g"),
            func.coalesce(func.sum(reversals.c.buffer_g), 0).label("buffer_g"),
        ).where(
            reversals.c.log_id == log_id,
            reversals.c.scheme == key.scheme,
            reversals.c.project == key.project,
        )
    ).one()
    stored_g = conn.execute(
        select(func.coalesce(func.sum(reductions.c.stored_g), 0)).join_from(
            reductions,
            credited,
            and_(
                credited.c.log_id == reductions.c.log_id,
                credited.c.record == reductions.c.record,
                credited.c.verdict == CONFIRMED,
            ),
        )
    ).scalar_one()
    last = conn.execute(
        select(credited.c.avoided_left_g, credited.c.removal_left_g)
        .where(credited.c.credited == 1)
        .order_by(credited.c.entry_index.desc())
        .limit(1)
    ).one_or_none()
    return Standing(
        stored_g=int(stored_g) - int(undone.debit_g) - int(undone.buffer_g),
        buffer_g=int(made.buffer_g) - int(undone.buffer_g),
        owed_g=int(undone.debit_g) - int(made.debit_g),
        avoided_g=last.avoided_left_g if last else 0,
        removal_g=last.removal_left_g if last else 0,
    )


def _record(row: Any) -> RecordRow:
    points = json.loads(row.points)
    return RecordRow(
        record=bytes(row.record),
        entry_index=row.entry_index,
        author=row.author,
        key=ProjectKey(scheme=row.scheme, project=row.project),
        plant=row.plant,
        content=Record(
            period=Period(start_s=row.start_s, end_s=row.end_s),
            as_of=row.as_of,
            treatment=row.treatment,
            flows=Flows(**{name: getattr(row, name) for name in _FLOWS}),
            points={
                role: tuple(bytes.fromhex(point) for point in some) for role, some in points.items()
            },
            tolerance_g=row.tolerance_g,
            biogenic_ppm=row.biogenic_ppm,
        ),
        verification=None if row.v_verdict is None else _verification(row),
        verified_index=row.v_entry_index,
        verifier=row.v_author or "",
        issued_index=row.issued_index,
    )


def _verification(row: Any) -> Verification:
    credited = None
    if row.v_credited:
        credited = Credited(
            debit_g=row.v_debit_g,
            buffer_g=row.v_buffer_g,
            avoided=Part(carried_g=row.v_avoided_carried_g, g=row.v_avoided_g),
            removal=Part(carried_g=row.v_removal_carried_g, g=row.v_removal_g),
        )
    return Verification(
        verdict=row.v_verdict,
        finding=row.v_finding,
        document=row.v_document,
        credited=credited,
    )


def save_record(conn: Connection, log_id: int, row: RecordRow) -> None:
    content = row.content
    conn.execute(
        insert(reductions).values(
            log_id=log_id,
            record=row.record,
            entry_index=row.entry_index,
            author=row.author,
            scheme=row.key.scheme,
            project=row.key.project,
            plant=row.plant,
            start_s=content.period.start_s,
            end_s=content.period.end_s,
            as_of=content.as_of,
            treatment=content.treatment,
            tolerance_g=content.tolerance_g,
            biogenic_ppm=content.biogenic_ppm,
            **{name: getattr(content.flows, name) for name in _FLOWS},
            stored_g=content.flows.stored_g,
            emissions_g=content.flows.emissions_g,
            net_g=content.flows.net_g,
            points=json.dumps(
                {role: [point.hex() for point in some] for role, some in content.points.items()},
                sort_keys=True,
            ),
        )
    )


def save_verification(
    conn: Connection,
    log_id: int,
    entry_index: int,
    author: str,
    row: RecordRow,
    found: Verification,
) -> None:
    credited = found.credited
    masses = {"debit_g": 0, "buffer_g": 0}
    if credited:
        masses = {"debit_g": credited.debit_g, "buffer_g": credited.buffer_g}
    for class_ in (AVOIDED, REMOVAL):
        part = credited.parts[class_] if credited else Part(carried_g=0, g=0)
        masses |= {
            f"{class_}_carried_g": part.carried_g,
            f"{class_}_g": part.g,
            f"{class_}_units": part.units,
            f"{class_}_left_g": part.left_g,
        }
    conn.execute(
        insert(verifications).values(
            log_id=log_id,
            record=row.record,
            entry_index=entry_index,
            author=author,
            scheme=row.key.scheme,
            project=row.key.project,
            verdict=found.verdict,
            finding=found.finding,
            document=found.document,
            credited=int(credited is not None),
            **masses,
        )
    )


def save_reversal(conn: Connection, log_id: int, row: ReversalRow) -> None:
    conn.execute(
        insert(reversals).values(
            log_id=log_id,
            entry_index=row.entry_index,
            scheme=row.key.scheme,
            project=row.key.project,
            g=row.content.g,
            at_s=row.content.at_s,
            reason=row.content.reason,
            buffer_g=row.met.buffer_g,
            debit_g=row.met.debit_g,
        )
    )
