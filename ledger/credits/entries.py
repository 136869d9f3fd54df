"""Entry types of reductions, and the rules that they keep (docs/formats.md §4.11).

A record says what a monitoring period was; another party confirms or rejects it; what is confirmed
is credited in the order of the log. What escapes later is a reversal: a debit, never an edit.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection

from ledger.credits import store
from ledger.credits.ccus import UNIT_G, Credited
from ledger.credits.metered import require_metered
from ledger.credits.record import (
    CONFIRMED,
    CREDITED,
    NAME,
    REVERSAL_NAME,
    VERIFICATION_NAME,
    Record,
    Reversal,
    Verification,
)
from ledger.credits.store import ProjectKey, RecordRow, ReversalRow
from ledger.errors import Erased, Refused
from ledger.log import entry as e
from ledger.log.bodies import blob_kind, json_media
from ledger.log.entry import Entry
from ledger.log.types import Bodies, EntryType, Tx
from ledger.metering.entries import blob
from ledger.parties.entries import author_signs, operator_signs, require_role
from ledger.registry import catalogue, rule
from ledger.registry import scheme as schemes
from ledger.registry import store as registry
from ledger.registry.catalogue import RegisteredProject
from ledger.registry.project import REGISTERED
from ledger.registry.registering import PROJECT_CODE
from ledger.registry.schema import batches
from ledger.registry.scheme import Scheme
from ledger.units import Period, format_instant

REVERSE: Final = "reduction.reverse"
_VERIFIERS: Final = frozenset({"verifier"})


def _accept_record(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    statement, log_id = entry.statement, tx.log.log_id
    content = Record.from_json(blob(bodies, "body").json())
    record = bytes.fromhex(statement["record"])
    if store.records_with_id(tx.conn, log_id, record):
        raise Refused(f"record {record.hex()} was made before; take a fresh random id")
    key = ProjectKey(scheme=statement["scheme"], project=statement["project"])
    _require_records(tx, key)
    found = catalogue.find_project(tx.conn, log_id, key.scheme, key.project)
    if entry.author not in (found.master.owner, tx.log.operator):
        raise Refused(
            f"reductions of project {key} are recorded by its owner {found.master.owner!r} or the"
            f" operator, not by {entry.author!r}"
        )
    _require_registered(found)
    _require_time(tx, content.period, found)
    _require_apart(tx, key, found.master.plant, content.period)
    if not 0 < content.as_of <= tx.index:
        raise Refused(f"as_of is {content.as_of}; it is 1 to {tx.index}")
    _require_metered(tx, content, found.master.points, content.as_of)
    row = RecordRow(
        record=record,
        entry_index=tx.index,
        author=entry.author,
        key=key,
        plant=found.master.plant,
        content=content,
        verification=None,
        verified_index=None,
        verifier="",
        issued_index=None,
    )
    store.save_record(tx.conn, log_id, row)


def _require_records(tx: Tx, key: ProjectKey) -> Scheme:
    rules = catalogue.find_scheme(tx.conn, tx.log.log_id, key.scheme).rules
    if (rules.kind, rules.unit_size) != (schemes.RECORD, UNIT_G):
        raise Refused(
            f"scheme {key.scheme} is of kind {rules.kind}, in units of {rules.unit_size}"
            f" {rules.unit}: reductions are recorded for schemes of kind record, in tonnes"
        )
    return rules


def _require_registered(found: RegisteredProject) -> None:
    if found.master.state != REGISTERED:
        raise Refused(
            f"project {found.scheme}/{found.project} is {found.master.state}; its reductions count"
            f" while it is {REGISTERED}"
        )


def _require_time(tx: Tx, period: Period, found: RegisteredProject) -> None:
    said = f"{format_instant(period.start_s)} to {format_instant(period.end_s)}"
    if period.end_s > tx.tick_s:
        raise Refused(
            f"a record of {said}: that time is not over at {format_instant(tx.tick_s)}, the log's"
            " time"
        )
    crediting = found.master.crediting
    if crediting is not None and not crediting.contains(period):
        raise Refused(
            f"a record of {said} lies outside of the crediting period of project {found.project},"
            f" {format_instant(crediting.start_s)} to {format_instant(crediting.end_s)}"
        )


def _require_apart(tx: Tx, key: ProjectKey, plant: str, period: Period) -> None:
    """Nothing is reduced twice: in no other record of the plant, nor in credits imported for it."""
    others = store.overlapping(tx.conn, tx.log.log_id, key, plant, period)
    if others:
        other = others[0]
        raise Refused(
            f"record {other.record.hex()} of project {other.key} (entry {other.entry_index}) is of"
            f" {format_instant(other.content.period.start_s)} to"
            f" {format_instant(other.content.period.end_s)}: a reduction of plant {plant} is"
            " recorded once"
        )
    require_uncredited(tx, plant, period)


def require_uncredited(tx: Tx, plant: str, period: Period, *, but: str = "") -> None:
    """No credits are here of a plant and time, but those of scheme `but`. Raises Refused."""
    known = catalogue.current_schemes(tx.conn, tx.log.log_id)
    for project in catalogue.current_projects(tx.conn, tx.log.log_id).values():
        of_credits = known[project.scheme].rules.kind == schemes.CREDIT
        if project.master.plant != plant or project.scheme == but or not of_credits:
            continue
        which = batches.c.scheme == project.scheme, batches.c.project == project.project
        for batch in registry.find_batches(tx.conn, tx.log.log_id, *which):
            if batch.period.overlaps(period):
                raise Refused(
                    f"batch {batch.id} holds credits of plant {plant} for that time (entry"
                    f" {batch.entry_index}): a reduction is credited once"
                )


def _accept_verification(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    log_id = tx.log.log_id
    found = Verification.from_json(blob(bodies, "body").json())
    record = bytes.fromhex(entry.statement["record"])
    rows = store.records_with_id(tx.conn, log_id, record)
    if not rows:
        raise Refused(f"record {record.hex()} was never made")
    (row,) = rows
    if row.verification is not None:
        raise Refused(
            f"record {record.hex()} was verified before, by entry {row.verified_index}:"
            f" {row.verification.verdict}"
        )
    project = catalogue.find_project(tx.conn, log_id, row.key.scheme, row.key.project)
    require_role(tx, entry.author, _VERIFIERS)
    owners = catalogue.owners_ever(tx.conn, log_id, row.key.scheme, row.key.project)
    if entry.author in {row.author, *owners}:
        raise Refused(
            f"{entry.author!r} recorded it, or owns or owned project {row.key}: a reduction is"
            " verified by another party"
        )
    if found.verdict == CONFIRMED:
        _require_registered(project)
        # What was corrected since it was recorded is recorded anew, not confirmed.
        _require_metered(tx, row.content, project.master.points, tx.index)
        _require_unowed(tx, row)
    wanted = worth(tx.conn, log_id, row, found.verdict)
    if found.credited != wanted:
        raise Refused(f"the verification credits {found.credited}; what follows is {wanted}")
    store.save_verification(tx.conn, log_id, tx.index, entry.author, row, found)


def _require_metered(tx: Tx, content: Record, points: Collection[bytes], as_of: int) -> None:
    try:
        require_metered(tx.conn, tx.log.log_id, content, points, as_of)
    except Erased as error:
        tx.attest(error)


def _require_unowed(tx: Tx, row: RecordRow) -> None:
    """What escaped is made up for where it was stored: a new project at the plant does not leave
    the debit of another one behind. Raises Refused."""
    known = catalogue.current_schemes(tx.conn, tx.log.log_id)
    for project in catalogue.current_projects(tx.conn, tx.log.log_id).values():
        key = ProjectKey(scheme=project.scheme, project=project.project)
        of_records = known[project.scheme].rules.kind == schemes.RECORD
        if project.master.plant != row.plant or key == row.key or not of_records:
            continue
        owed_g = store.standing(tx.conn, tx.log.log_id, key).owed_g
        if owed_g and row.content.treatment == CREDITED:
            raise Refused(
                f"project {key} of the same plant {row.plant} owes {owed_g} g of what escaped: its"
                f" records make up for that before those of {row.key} are credited"
            )


def worth(conn: Connection, log_id: int, row: RecordRow, verdict: str) -> Credited | None:
    """What a record is credited with if it gets this verdict now; None: nothing is issued."""
    if (verdict, row.content.treatment) != (CONFIRMED, CREDITED):
        return None
    rules = catalogue.find_scheme(conn, log_id, row.key.scheme).rules
    return store.standing(conn, log_id, row.key).credit(
        row.content.flows.net_g,
        biogenic_ppm=row.content.biogenic_ppm,
        buffer_ppm=rules.buffer_ppm,
    )


def _accept_reversal(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    statement = entry.statement
    found = Reversal.from_json(blob(bodies, "body").json())
    key = ProjectKey(scheme=statement["scheme"], project=statement["project"])
    _require_records(tx, key)
    catalogue.find_project(tx.conn, tx.log.log_id, key.scheme, key.project)
    if found.at_s > tx.tick_s:
        raise Refused(
            f"the reversal is of {format_instant(found.at_s)}, after the log's time"
            f" {format_instant(tx.tick_s)}"
        )
    met = store.standing(tx.conn, tx.log.log_id, key).reverse(found.g)
    row = ReversalRow(entry_index=tx.index, key=key, content=found, met=met)
    store.save_reversal(tx.conn, tx.log.log_id, row)


ENTRY_TYPES: Final = (
    EntryType(
        name=rule.RECORD,
        members={"record": e.ID, "scheme": e.PARTY, "project": PROJECT_CODE, "body": e.BLOB},
        bodies={"body": blob_kind(json_media(NAME))},
        signers=author_signs,
        accept=_accept_record,
    ),
    EntryType(
        name=rule.VERIFY,
        members={"record": e.ID, "body": e.BLOB},
        bodies={"body": blob_kind(json_media(VERIFICATION_NAME))},
        signers=author_signs,
        accept=_accept_verification,
    ),
    EntryType(
        name=REVERSE,
        members={"scheme": e.PARTY, "project": PROJECT_CODE, "body": e.BLOB},
        bodies={"body": blob_kind(json_media(REVERSAL_NAME))},
        signers=operator_signs,
        accept=_accept_reversal,
    ),
)
