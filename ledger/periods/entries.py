"""Entry types of periods, and what a closed one keeps out.

`period.state` makes one step, with a report of how the period stands: exactly as the ledger finds
it at that place of the log. Closing is refused while something blocks it. Readings, claims and
retirements of a closed period are refused until `period.restate` opens its next revision.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from ledger.claims import store as claims
from ledger.claims.manifest import Manifest
from ledger.errors import Erased, InvalidInput, Refused
from ledger.log import entry as e
from ledger.log.bodies import blob_kind, json_media
from ledger.log.entry import Entry, Member
from ledger.log.types import Bodies, EntryType, Tx
from ledger.lots.model import is_period
from ledger.metering import store as metering
from ledger.metering.batches import Readings
from ledger.metering.entries import blob
from ledger.parties.entries import author_signs, require_party
from ledger.parties.officer_store import approval_of
from ledger.periods import store
from ledger.periods.model import (
    CLOSED,
    ENDED,
    PROVISIONAL,
    STATES,
    STEPS,
    Standing,
    require_step,
    way_of,
)
from ledger.periods.report import NAME, report_on
from ledger.periods.store import Step
from ledger.registry import lifecycle
from ledger.registry.issuing import units_body
from ledger.registry.leaves import Use
from ledger.registry.moving import act_in
from ledger.units import Period, format_instant

STATE: Final = "period.state"
RESTATE: Final = "period.restate"
MEDIA: Final = json_media(NAME)

PERIOD: Final = Member(expected="a month 2026-03 or a year 2026, from 1971 on", check=is_period)
_REPORT: Final[Mapping[str, Member]] = {
    "as_of": e.COUNT,
    **dict.fromkeys(
        ("points", "bills", "units", "claims"),
        Member(expected="an array", check=lambda value: isinstance(value, list)),
    ),
    "approval": e.one_of("four-eyes", "none"),
}


def _require_author(tx: Tx, entry: Entry, *, operator_may: bool) -> str:
    party: str = entry.statement["party"]
    require_party(tx, party)
    if entry.author != party and not (operator_may and entry.author == tx.log.operator):
        also = " or the operator" if operator_may else ""
        raise Refused(f"this step of a period of {party!r} is its own{also}: not {entry.author!r}")
    return party


def _accept_state(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    said = entry.statement
    before = store.standing(tx.conn, tx.log, said["party"], said["period"])
    operator_may = STEPS.get((before.state, said["state"]), False)
    party = _require_author(tx, entry, operator_may=operator_may)
    require_step(before, said["state"], said["revision"], said["reason"])
    if said["state"] in ENDED and before.span.end_s > tx.tick_s:
        raise Refused(
            f"{before.said} ends {format_instant(before.span.end_s)}; the log's time is"
            f" {format_instant(tx.tick_s)}"
        )
    body = blob(bodies, "body")
    _require_report(tx, party, before.span, body.json(), closing=said["state"] == CLOSED)
    _save(tx, entry, before, state=said["state"], revision=before.revision, report=body.key)


def _require_report(
    tx: Tx, party: str, span: Period, body: Mapping[str, Any], *, closing: bool
) -> None:
    e.check_members(body, _REPORT)
    if not 0 < body["as_of"] <= tx.index:
        raise InvalidInput(
            f"as_of is {body['as_of']}; before this entry stand {tx.index}, and it knows one"
        )
    try:
        found = report_on(tx.conn, tx.log, party, span)
    except Erased as error:
        tx.attest(error)
        return
    if closing and found.blocking:
        raise Refused(f"the period can't be closed: {'; '.join(found.blocking)}")
    if found.to_json() != {name: value for name, value in body.items() if name != "as_of"}:
        raise Refused(
            f"the period does not stand as its report of log size {body['as_of']} says any more;"
            " make the step again"
        )


def _accept_restatement(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    said = entry.statement
    party = _require_author(tx, entry, operator_may=False)
    before = store.standing(tx.conn, tx.log, party, said["period"])
    if before.state != CLOSED:
        raise Refused(f"{before.said} is {before.state}: what is closed is restated")
    if said["revision"] != before.revision + 1:
        raise Refused(
            f"{before.said} is closed at revision {before.revision}; a restatement opens"
            f" {before.revision + 1}, not {said['revision']}"
        )
    _save(tx, entry, before, state=PROVISIONAL, revision=said["revision"], report="")


def _save(
    tx: Tx, entry: Entry, before: Standing, *, state: str, revision: int, report: str
) -> None:
    after = Standing(
        party=before.party,
        period=before.period,
        span=before.span,
        state=state,
        revision=revision,
        number=before.number + 1,
        entry_index=tx.index,
    )
    step = Step(
        standing=after,
        four_eyes=approval_of(tx.conn, tx.log.log_id, entry.author).four_eyes,
        report=report,
        reason=entry.statement["reason"],
    )
    store.save_step(tx.conn, tx.log.log_id, before, step)


# What a closed period keeps out


def _require_open(tx: Tx, what: str, parties: Collection[str], span: Period) -> None:
    for closed in store.closed_periods(tx.conn, tx.log.log_id, parties):
        if closed.span.overlaps(span):
            raise Refused(
                f"{what}: period {closed.period} of {closed.party!r} is closed (revision"
                f" {closed.revision}, entry {closed.entry_index}); {way_of(closed)}"
            )


def before_readings(tx: Tx, _entry: Entry, bodies: Bodies) -> None:
    """No reading, and no correction, in a closed period of any owner that its point ever had."""
    if not store.any_closed(tx.conn, tx.log.log_id):
        return
    readings = bodies["body"]
    assert isinstance(readings, Readings)
    owners = metering.owners_ever(
        tx.conn, tx.log.log_id, {block.point for block in readings.blocks}
    )
    parties = {owner for of_point in owners.values() for owner in of_point}
    closed = store.closed_periods(tx.conn, tx.log.log_id, parties)
    for block in readings.blocks:
        mine = owners.get(block.point, set())
        for one in closed:
            span = one.span
            if one.party in mine and block.start_s < span.end_s and span.start_s < block.end_s:
                _require_open(
                    tx,
                    f"readings of point {block.point.hex()} from {format_instant(block.start_s)}",
                    [one.party],
                    Period(start_s=block.start_s, end_s=block.end_s),
                )


def before_claim(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    if store.any_closed(tx.conn, tx.log.log_id):
        manifest = Manifest.from_json(blob(bodies, "manifest").json())
        _require_open(tx, "a claim", {entry.author, manifest.consumer}, manifest.period)


def before_withdrawal(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    claim = bytes.fromhex(entry.statement["claim"])
    for row in claims.claims_with_id(tx.conn, tx.log.log_id, claim):
        span = Period(start_s=row.start_s, end_s=row.end_s)
        _require_open(tx, "a withdrawal of a claim", {row.author}, span)


def before_move(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    """A retirement for a use in a closed period of its author or beneficiary."""
    retires = entry.statement["act"] == lifecycle.RETIRE
    if not retires or not store.any_closed(tx.conn, tx.log.log_id):
        return
    use = Use.from_json(act_in(entry, units_body(bodies)).terms)
    _require_open(tx, "a retirement", {entry.author, use.beneficiary}, use.period)


_MEMBERS: Final[Mapping[str, Member]] = {"party": e.PARTY, "period": PERIOD, "revision": e.COUNT}

ENTRY_TYPES: Final = (
    EntryType(
        name=STATE,
        members={
            **_MEMBERS,
            "state": e.one_of(*STATES),
            "reason": e.REASON_OR_NONE,
            "body": e.BLOB,
        },
        bodies={"body": blob_kind(MEDIA)},
        signers=author_signs,
        accept=_accept_state,
        irreversible=lambda entry: entry.statement["state"] == CLOSED,
    ),
    EntryType(
        name=RESTATE,
        members={**_MEMBERS, "reason": e.REASON},
        signers=author_signs,
        accept=_accept_restatement,
        irreversible=lambda _entry: True,
    ),
)
