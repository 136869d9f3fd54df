"""Taking a party's period from one state to the next, and opening a closed one again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.db import reading
from ledger.errors import Refused
from ledger.log import store as log_store
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt
from ledger.log.store import LogFacts
from ledger.lots.model import span_of
from ledger.parties.desk import Desk, Draft, seal_json
from ledger.periods import store
from ledger.periods.entries import RESTATE, STATE
from ledger.periods.model import CLOSED, Standing, require_step
from ledger.periods.report import NAME, Report, report_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where a period is, all steps that led there, and how it stands now."""

    standing: Standing
    steps: list[store.Step]
    report: Report


def look(conn: Connection, log: LogFacts, party: str, period: str) -> Found:
    """Raises InvalidInput for what is no period."""
    return Found(
        standing=store.standing(conn, log, party, period),
        steps=store.steps(conn, log.log_id, party, period),
        report=report_on(conn, log, party, span_of(period, log.zone_s)),
    )


def advance(
    desk: Desk,
    party: str,
    period: str,
    state: str,
    *,
    reason: str = "",
    author: str = "",
    key: SigningKey | None = None,
) -> Receipt:
    """Make the step to `state`, with a report of how the period stands.

    `reason`: why it goes back, where it does. `author`: the operator may approve and send back;
    else it is the party. Raises InvalidInput or Refused.
    """
    with reading(desk.engine) as conn:
        now = store.standing(conn, desk.log, party, period)
        require_step(now, state, now.revision, reason)
        report = report_on(conn, desk.log, party, now.span)
        as_of = log_store.load_head(conn, desk.log.log_id).size
    if state == CLOSED and report.blocking:
        raise Refused(f"the period can't be closed: {'; '.join(report.blocking)}")
    members = {
        "party": party,
        "period": period,
        "revision": now.revision,
        "state": state,
        "reason": reason,
    }
    body = seal_json({"as_of": as_of, **report.to_json()}, NAME)
    draft = Draft(type=STATE, author=author or party, members=members, bodies={"body": body})
    return desk.writer.append(desk.sign(draft, key=key))


def restate(
    desk: Desk, party: str, period: str, reason: str, *, key: SigningKey | None = None
) -> Receipt:
    """Open the next revision of a closed period; the closing before stays in the log."""
    with reading(desk.engine) as conn:
        now = store.standing(conn, desk.log, party, period)
    members = {
        "party": party,
        "period": period,
        "revision": now.revision + 1,
        "reason": reason,
    }
    draft = Draft(type=RESTATE, author=party, members=members)
    return desk.writer.append(desk.sign(draft, key=key))
