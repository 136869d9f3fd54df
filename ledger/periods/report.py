"""How a party's period stands: what it lacks, and what keeps it from being closed.

Gaps, bills that differ from meters and claims that are not final are listed, and close all the
same: missing generation earns nothing and missing consumption is estimated by a stated rule (domain
invariant 20), and official confirmation comes months later (22). Two things block: a claim that
says more than the meters do (17), and a unit that is officially gone but held here (22).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from ledger.claims import shortfall
from ledger.claims import store as claims
from ledger.claims.official import official
from ledger.log.store import LogFacts
from ledger.metering import store as metering
from ledger.metering.effective import effective
from ledger.metering.points import FOREVER_S, Point
from ledger.metering.quality import Quality
from ledger.metering.series import Series
from ledger.parties.officer_store import approval_of
from ledger.registry import catalogue
from ledger.statements.service import Blocking, blocking
from ledger.units import Period, format_instant

NAME: Final = "period"
# A point is complete enough from here on (guideline, metering: 90 %).
COMPLETE_PPM: Final = 900_000
# A bill and its meters agree within this (guideline, metering: 5 %).
BILL_PPM: Final = 50_000
PPM: Final = 1_000_000
GAPS_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PointReport:
    """Intervals that were due and that are there; `estimated`: of these. `gaps`: the first 100."""

    point: bytes
    due: int
    read: int
    estimated: int
    gaps: tuple[Period, ...]

    @property
    def complete_ppm(self) -> int:
        return PPM if self.due == 0 else min(PPM, self.read * PPM // self.due)

    @property
    def complete(self) -> bool:
        return self.complete_ppm >= COMPLETE_PPM

    def to_json(self) -> dict[str, Any]:
        return {
            "point": self.point.hex(),
            "due": self.due,
            "read": self.read,
            "estimated": self.estimated,
            "gaps": [
                {"from": format_instant(one.start_s), "to": format_instant(one.end_s)}
                for one in self.gaps
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BillReport:
    """A bill that differs from what its point's meter reads in its time. In Wh."""

    point: bytes
    period: Period
    billed_wh: int
    read_wh: int

    @property
    def agrees(self) -> bool:
        return abs(self.billed_wh - self.read_wh) * PPM <= self.billed_wh * BILL_PPM

    def to_json(self) -> dict[str, Any]:
        return {
            "point": self.point.hex(),
            "from": format_instant(self.period.start_s),
            "to": format_instant(self.period.end_s),
            "billed_wh": self.billed_wh,
            "read_wh": self.read_wh,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimReport:
    """A claim in force that is short (1), or not final (0)."""

    claim: bytes
    short: bool
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "claim": self.claim.hex(),
            "short": int(self.short),
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a period stands, by all that the log holds; it rests on no clock."""

    points: tuple[PointReport, ...]
    bills: tuple[BillReport, ...]
    units: tuple[Blocking, ...]
    claims: tuple[ClaimReport, ...]
    approval: str

    @property
    def blocking(self) -> list[str]:
        """What keeps the period from being closed, for people."""
        found = [
            f"claim {one.claim.hex()} is short: it says more than the meters do; replace it with:"
            f" greenledger claim replace {one.claim.hex()[:12]} --reason '…'"
            for one in self.claims
            if one.short
        ]
        found += [
            f"{one.official.units} units of {one.scheme} {one.code} (from"
            f" {one.official.first} on) are {one.official.status} officially, by entry"
            f" {one.official.entry_index}, but {one.state} here: record what became of them"
            for one in self.units
        ]
        return found

    def to_json(self) -> dict[str, Any]:
        return {
            "points": [one.to_json() for one in self.points],
            "bills": [one.to_json() for one in self.bills],
            "units": [_unit_json(one) for one in self.units],
            "claims": [one.to_json() for one in self.claims],
            "approval": self.approval,
        }


def _unit_json(one: Blocking) -> dict[str, Any]:
    return {
        "scheme": one.scheme,
        "code": one.code,
        "first": one.official.first,
        "end": one.official.end,
        "state": one.state,
        "status": one.official.status,
        "entry": one.official.entry_index,
    }


def report_on(conn: Connection, log: LogFacts, party: str, span: Period) -> Report:
    """How a period of a party stands now."""
    registered = metering.current_points(conn, log.log_id)
    own = {point: one for point, one in registered.items() if one.master.owner == party}
    return Report(
        points=tuple(
            _point(conn, log, point, one.master, span)
            for point, one in sorted(own.items())
            if one.master.interval_s and _due_from(one.master, span) < span.end_s
        ),
        bills=tuple(
            bill
            for point, one in sorted(own.items())
            if one.master.kind == "billed" and one.master.parent and _is_energy(one.master)
            for bill in _bills(conn, log, point, one.master, registered, span)
        ),
        units=tuple(
            one
            for scheme in sorted(catalogue.current_schemes(conn, log.log_id))
            for one in blocking(conn, log, scheme)
            if one.owner == party
        ),
        claims=tuple(_claims(conn, log, party, span)),
        approval=approval_of(conn, log.log_id, party).rule,
    )


def _is_energy(master: Point) -> bool:
    return (master.unit, master.measure) == ("Wh", "additive")


def _due_from(master: Point, span: Period) -> int:
    """A point with dated meters is read from the first one on."""
    first_s = min((meter.period.start_s for meter in master.meters), default=-FOREVER_S)
    return max(span.start_s, first_s)


def _series(conn: Connection, log: LogFacts, point: bytes, span: Period) -> list[Series]:
    items = effective(conn, log.log_id, point, start_s=span.start_s, end_s=span.end_s)
    return [item.series for item in items]


def _point(
    conn: Connection, log: LogFacts, point: bytes, master: Point, span: Period
) -> PointReport:
    due = Period(start_s=_due_from(master, span), end_s=span.end_s)
    found = _series(conn, log, point, due)
    return PointReport(
        point=point,
        due=due.length_s // master.interval_s,
        read=sum(len(series) for series in found),
        estimated=sum(
            int(np.count_nonzero(series.quality & int(Quality.ESTIMATED))) for series in found
        ),
        gaps=tuple(_gaps(found, due)[:GAPS_MAX]),
    )


def _gaps(found: Sequence[Series], due: Period) -> list[Period]:
    """The times without a reading, in order."""
    starts = np.concatenate([np.empty(0, np.int64), *(one.start_s for one in found)])
    ends = np.concatenate([np.empty(0, np.int64), *(one.start_s + one.length_s for one in found)])
    order = np.argsort(starts, kind="stable")
    # Each reading, and the end of the time, against the latest end before it.
    begins = np.append(starts[order], due.end_s)
    reached = np.maximum.accumulate(np.insert(ends[order], 0, due.start_s))
    return [
        Period(start_s=int(reached[place]), end_s=int(begins[place]))
        for place in np.flatnonzero(begins > reached)
    ]


def _bills(
    conn: Connection,
    log: LogFacts,
    point: bytes,
    master: Point,
    registered: Mapping[bytes, metering.Registered],
    span: Period,
) -> list[BillReport]:
    """Bills inside the period that differ from the meter above them."""
    parent = bytes.fromhex(master.parent)
    if parent not in registered or not _is_energy(registered[parent].master):
        return []
    found = []
    for series in _series(conn, log, point, span):
        for start_s, billed_wh in zip(series.start_s.tolist(), series.value.tolist(), strict=True):
            period = Period(start_s=start_s, end_s=start_s + series.length_s)
            read_wh = sum(int(one.value.sum()) for one in _series(conn, log, parent, period))
            if read_wh != billed_wh:
                found.append(
                    BillReport(point=point, period=period, billed_wh=billed_wh, read_wh=read_wh)
                )
    return sorted(found, key=lambda one: one.period)


def _claims(conn: Connection, log: LogFacts, party: str, span: Period) -> list[ClaimReport]:
    short = shortfall.short_claims(conn, log)
    found = []
    for row in claims.find_claims(conn, log.log_id):
        if row.author != party or not row.in_force:
            continue
        if not Period(start_s=row.start_s, end_s=row.end_s).overlaps(span):
            continue
        reasons = official(conn, log, row).reasons
        if reasons or row.claim in short:
            found.append(
                ClaimReport(claim=row.claim, short=row.claim in short, reasons=tuple(reasons))
            )
    return sorted(found, key=lambda one: one.claim)
