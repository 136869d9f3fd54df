"""What an issue or a retirement of units has to keep of reductions and obligations.

The house asks `before_issue` before a `unit.issue` is stored, so that people hear our reasons and
not the database's; and `after_move` after a `unit.move`, when the act is known to be sound.
"""

from __future__ import annotations

from collections.abc import Iterable

from ledger.credits import compliance, entries, store
from ledger.credits.compliance import Allowance, Origin, Surrender
from ledger.errors import InvalidInput, Refused
from ledger.log.entry import Entry
from ledger.log.types import Bodies, Tx
from ledger.lots.model import Month, month_of
from ledger.registry import catalogue, lifecycle, used
from ledger.registry import store as registry
from ledger.registry.catalogue import RegisteredProject
from ledger.registry.issuing import batches_in, units_body
from ledger.registry.leaves import Batch, Gone, Use
from ledger.registry.moving import act_in
from ledger.registry.project import REGISTERED
from ledger.registry.schema import retirements
from ledger.registry.scheme import COMPLIANCE, CREDIT, RECORD
from ledger.units import Period, format_instant


def before_issue(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    """Internal units are of a confirmed record, once; a plant and time is credited once."""
    rules = catalogue.find_scheme(tx.conn, tx.log.log_id, entry.statement["scheme"]).rules
    if rules.kind not in (CREDIT, RECORD):
        return
    # What is missing, or unknown, the registry itself refuses.
    known = catalogue.current_projects(tx.conn, tx.log.log_id)
    for batch in batches_in(entry, units_body(bodies)):
        project = known.get((rules.scheme, batch.project))
        if project is None:
            continue
        if rules.kind == CREDIT:
            _require_alone(tx, project, batch)
        elif batch.record:
            _require_verified(tx, project, batch)


def _require_verified(tx: Tx, project: RegisteredProject, batch: Batch) -> None:
    log_id = tx.log.log_id
    rows = store.records_with_id(tx.conn, log_id, bytes.fromhex(batch.record))
    if not rows:
        raise Refused(f"batch {batch.id}: record {batch.record} was never made")
    (row,) = rows
    if (row.key.scheme, row.key.project) != (batch.id.scheme, batch.project):
        raise Refused(f"batch {batch.id}: record {batch.record} is of project {row.key}")
    if row.issued_index is not None:
        raise Refused(f"record {batch.record} was issued before, by entry {row.issued_index}")
    if row.verification is None:
        raise Refused(f"record {batch.record} is not verified yet: units are issued after that")
    credited = row.verification.credited
    if credited is None:
        why = row.content.treatment
        if row.verification.verdict != "confirmed":
            why = row.verification.verdict
        raise Refused(f"record {batch.record} is {why}: no units are issued for it")
    if project.master.state != REGISTERED:
        raise Refused(f"project {row.key} is {project.master.state}: no units are issued for it")
    wanted = {class_: part.units for class_, part in credited.parts.items() if part.units}
    if not wanted:
        raise Refused(f"record {batch.record} makes no whole unit: nothing is issued for it")
    issued: dict[str, int] = {}
    for one in batch.holdings:
        issued[one.class_] = issued.get(one.class_, 0) + len(one.units)
    if issued != wanted:
        raise Refused(f"record {batch.record} makes units {wanted}, the batch has {issued}")
    period = row.content.period
    if (batch.id.code, batch.units.first, batch.period) != (batch.record, 0, period):
        raise InvalidInput(
            f"batch {batch.id}: units of a record have its id as code, begin at 0, and are of its"
            f" time, {format_instant(period.start_s)} to {format_instant(period.end_s)}"
        )


def _require_alone(tx: Tx, project: RegisteredProject, batch: Batch) -> None:
    """Of one plant and time nothing is recorded here, nor credited by another programme."""
    key = store.ProjectKey(scheme=project.scheme, project=project.project)
    plant = project.master.plant
    for row in store.overlapping(tx.conn, tx.log.log_id, key, plant, batch.period):
        raise Refused(
            f"batch {batch.id}: record {row.record.hex()} of project {row.key} (entry"
            f" {row.entry_index}) is of the same plant {plant} and time: a reduction is credited"
            " once"
        )
    entries.require_uncredited(tx, plant, batch.period, but=project.scheme)


def after_move(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    """Units retired for an obligation keep to its cap, and come from projects that may."""
    if entry.statement["act"] != lifecycle.RETIRE:
        return
    act = act_in(entry, units_body(bodies))
    use = Use.from_json(act.terms)
    if use.purpose not in COMPLIANCE:
        return
    (scheme,) = {one.batch.scheme for one in act.gone}
    rules = catalogue.find_scheme(tx.conn, tx.log.log_id, scheme).rules
    allowance = Allowance(
        scheme=scheme,
        kind=rules.kind,
        purposes=frozenset(rules.purposes),
        cap_ppm=rules.cap_ppm,
    )
    if use.beneficiary != entry.author:
        raise Refused(
            f"{entry.author!r} retires for an obligation of {use.beneficiary!r}: who owes states"
            " its obligation, and meets it, itself"
        )
    compliance.require_allowed(allowance, use.purpose, _origins(tx, act.gone))
    surrender = _surrender(tx, use, act.gone_units)
    earlier = used.find_retirements(
        tx.conn,
        tx.log.log_id,
        retirements.c.scheme == scheme,
        retirements.c.beneficiary == use.beneficiary,
        retirements.c.purpose == use.purpose,
        retirements.c.entry_index < tx.index,
    )
    compliance.require_within_cap(
        allowance, surrender, [_surrender(tx, row.use, row.units) for row in earlier]
    )


def _origins(tx: Tx, gone: Iterable[Gone]) -> list[Origin]:
    """Raises Refused for units of no project: nobody could say where their reductions lie."""
    found = []
    for batch in sorted({one.batch for one in gone}):
        rows = registry.batches_of_code(tx.conn, tx.log.log_id, batch.scheme, batch.code)
        project = next(row.project for row in rows if row.id == batch)
        if not project:
            raise Refused(
                f"batch {batch} is of no registered project: whether its reductions lie inside of"
                " covered emissions is not known, so it is of no compliance use"
            )
        master = catalogue.find_project(tx.conn, tx.log.log_id, batch.scheme, project).master
        found.append(Origin(project=project, inside_ets=master.inside_ets, old=master.old))
    return found


def _surrender(tx: Tx, use: Use, units: int) -> Surrender:
    return Surrender(
        beneficiary=use.beneficiary,
        purpose=use.purpose,
        year=_year_of(tx, use.period),
        units=units,
        obligation=use.obligation,
    )


def _year_of(tx: Tx, period: Period) -> int:
    """Raises InvalidInput for what is no calendar year of park time."""
    zone_s = tx.log.zone_s
    year = month_of(period.start_s, zone_s).year
    first, last = (Month(year=year, month=month, zone_offset_s=zone_s) for month in (1, 12))
    if period != Period(start_s=first.start_s, end_s=last.period.end_s):
        raise InvalidInput(
            f"an obligation is of a calendar year: {format_instant(first.start_s)} to"
            f" {format_instant(last.period.end_s)}, not {format_instant(period.start_s)} to"
            f" {format_instant(period.end_s)}"
        )
    return year
