"""Periods in the database: the last step of each is where it stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from ledger.log.store import LogFacts
from ledger.lots.model import span_of
from ledger.periods.model import CLOSED, Standing
from ledger.periods.schema import period_states
from ledger.units import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a period. `report`: hash of its body, `""` of a restatement."""

    standing: Standing
    four_eyes: bool
    report: str
    reason: str


def _standing(row: Row[Any]) -> Standing:
    return Standing(
        party=row.party,
        period=row.period,
        span=Period(start_s=row.start_s, end_s=row.end_s),
        state=row.state,
        revision=row.revision,
        number=row.number,
        entry_index=row.entry_index,
    )


def standing(conn: Connection, log: LogFacts, party: str, period: str) -> Standing:
    """Where a period is; open where nothing was said of it. Raises InvalidInput."""
    row = conn.execute(
        select(period_states)
        .where(
            period_states.c.log_id == log.log_id,
            period_states.c.party == party,
            period_states.c.period == period,
        )
        .order_by(period_states.c.number.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return Standing(party=party, period=period, span=span_of(period, log.zone_s))
    return _standing(row)


def steps(conn: Connection, log_id: int, party: str, period: str) -> list[Step]:
    """All that became of a period, in order."""
    rows = conn.execute(
        select(period_states)
        .where(
            period_states.c.log_id == log_id,
            period_states.c.party == party,
            period_states.c.period == period,
        )
        .order_by(period_states.c.number)
    )
    return [
        Step(
            standing=_standing(row),
            four_eyes=bool(row.four_eyes),
            report=row.report,
            reason=row.reason,
        )
        for row in rows
    ]


def all_periods(conn: Connection, log_id: int, party: str | None = None) -> list[Standing]:
    """By party and period: where each stands of which anything was said."""
    query = select(period_states).where(period_states.c.log_id == log_id)
    if party is not None:
        query = query.where(period_states.c.party == party)
    rows = conn.execute(
        query.order_by(period_states.c.party, period_states.c.period, period_states.c.number)
    )
    last = {(row.party, row.period): _standing(row) for row in rows}
    return list(last.values())


def any_closed(conn: Connection, log_id: int) -> bool:
    """Whether any period was ever closed: most logs of readings have to ask no more than this."""
    query = select(period_states.c.number).where(
        period_states.c.log_id == log_id, period_states.c.state == CLOSED
    )
    return conn.execute(query.limit(1)).first() is not None


def closed_periods(conn: Connection, log_id: int, parties: Collection[str]) -> list[Standing]:
    """Those of some parties that are closed now, by party and period."""
    query = (
        select(period_states.c.party)
        .where(
            period_states.c.log_id == log_id,
            period_states.c.state == CLOSED,
            period_states.c.party.in_(sorted(parties)),
        )
        .distinct()
    )
    return [
        one
        for party in sorted(conn.execute(query).scalars())
        for one in all_periods(conn, log_id, party)
        if one.state == CLOSED
    ]


def save_step(conn: Connection, log_id: int, before: Standing, after: Step) -> None:
    now = after.standing
    conn.execute(
        insert(period_states).values(
            log_id=log_id,
            party=now.party,
            period=now.period,
            number=now.number,
            entry_index=now.entry_index,
            start_s=now.span.start_s,
            end_s=now.span.end_s,
            revision=now.revision,
            state=now.state,
            before_number=None if before.number < 0 else before.number,
            before_revision=before.revision,
            before_state=before.state,
            four_eyes=int(after.four_eyes),
            report=after.report,
            reason=after.reason,
        )
    )
