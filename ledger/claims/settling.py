"""Settling what lots leave with certificates that the consumer holds (domain.md §8).

The order: those that are one energy with lots of the claim (as many as these lots fill, the last
perhaps in part), then green trade, then unbundled ones, each in the month that is settled; whole
certificates, those first that expire first, of vintages that the scheme lets count. What is left
below a unit stays residual.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import Connection

from ledger.claims import retired, store, together
from ledger.claims.offers import Offers
from ledger.claims.together import Left
from ledger.db import reading
from ledger.log import store as log_store
from ledger.log.notes import SigningKey
from ledger.log.store import LogFacts
from ledger.lots.model import month_of, months_in
from ledger.matching.evaluate import consumption
from ledger.metering.service import find_point, find_points
from ledger.parties.desk import Desk
from ledger.registry import catalogue, lifecycle, used
from ledger.registry import store as units
from ledger.registry.acting import retire
from ledger.registry.choosing import Selection
from ledger.registry.leaves import BatchId, Use
from ledger.registry.scheme import Scheme
from ledger.units import QUARTER_HOUR_S, Period

PURPOSE: Final = "green-power"
_GREEN_TRADE: Final = "green-trade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Units to be retired for a month, or for several where they settle nothing: `serials` name
    them."""

    month: Period
    class_: str
    serials: tuple[str, ...]
    units: int
    wh: int


def plan(
    desk: Desk,
    points: Sequence[str],
    period: Period,
    *,
    scheme: str = "gec",
    given: Sequence[bytes] = (),
) -> list[Planned]:
    """Which of the consumer's certificates settle what lots, and the retirements `given`, leave.

    Raises NotFound for an unknown point or scheme.
    """
    with reading(desk.engine) as conn:
        rules = catalogue.find_scheme(conn, desk.log.log_id, scheme).rules
        found = find_points(conn, desk.log.log_id, list(dict.fromkeys(points)))
        owner = found[0].master.owner
        ids = [one.point for one in found]
        offers = Offers(conn, desk.log, period)
        held = offers.unspent(ids)
        claimed_wh = np.zeros(period.length_s // QUARTER_HOUR_S, dtype=np.int64)
        for one in offers.balanced(held):
            if one.supply:
                claimed_wh += one.wh
        as_of = log_store.load_head(conn, desk.log.log_id).size
        filled = consumption(conn, desk.log, period, as_of, frozenset(ids)).values()
        consumed_wh, _ = together.consumed(filled, period)
        residual, others = together.left(
            conn, desk.log, frozenset(ids), period, consumed_wh - claimed_wh
        )
        rows = [used.find_retirement(conn, desk.log.log_id, one) for one in given]
        certificates, _ = retired.settle(conn, desk.log.log_id, rows, residual, others)
        taken: dict[Period, int] = {}
        for certificate in (*others, *certificates):
            taken[certificate.period] = taken.get(certificate.period, 0) + certificate.wh
        planner = _Planner(conn, desk.log, rules, owner, {row.lot: row.wh for row in held})
        return planner.plan(residual, taken)


class _Planner:
    def __init__(
        self, conn: Connection, log: LogFacts, rules: Scheme, owner: str, lots: Mapping[bytes, int]
    ) -> None:
        """`lots`: {lot that is to be claimed: Wh}."""
        self._conn = conn
        self._log = log
        self._rules = rules
        self._lots = lots
        # Wh of the claim's lots that certificates of a batch and class are one energy with.
        self._bound_wh: dict[tuple[BatchId, str], int | None] = {}
        self._zone_s = log.zone_s
        rows = units.live_of(conn, log.log_id, rules.scheme, owner)
        self._batches = units.batches_by_id(conn, log.log_id, {row.batch for row in rows})
        tick_s = log_store.load_head(conn, log.log_id).tick_s
        self._rows = sorted(
            (
                row
                for row in rows
                if row.state in lifecycle.MOVES[lifecycle.RETIRE].ends
                and not self._batches[row.batch].is_over(tick_s)
            ),
            key=self._rank,
        )

    def _rank(self, row: units.HoldingRow) -> tuple[object, ...]:
        batch = self._batches[row.batch]
        never = batch.expires_s is None
        return (
            row.class_ != _GREEN_TRADE,
            never,
            batch.expires_s or 0,
            batch.period.start_s,
            row.batch,
            row.units,
        )

    def _bound(self, row: units.HoldingRow) -> int | None:
        """Wh of the claim that units are one energy with, beyond what was planned before; None for
        units that stand alone."""
        key = row.batch, row.class_
        if key not in self._bound_wh:
            behind = retired.bound_lots(self._conn, self._log.log_id, self._rules, *key)
            mine = sum(self._lots.get(lot, 0) for lot in behind)
            self._bound_wh[key] = mine if behind else None
        return self._bound_wh[key]

    def plan(self, residual: Left, taken: dict[Period, int]) -> list[Planned]:
        found: list[Planned] = []
        for month in months_in(residual.period, self._zone_s):
            span = Period(
                start_s=max(month.start_s, residual.period.start_s),
                end_s=min(month.period.end_s, residual.period.end_s),
            )
            room_wh = residual.within(span) - sum(
                wh for period, wh in taken.items() if period.overlaps(span)
            )
            found += self._month(span, month.period, room_wh)
        return self._joined(found)

    def _joined(self, found: Sequence[Planned]) -> list[Planned]:
        """Bound ones of a class and calendar year at once: they settle nothing, so it does not
        matter in which month, and vintages go by the year."""
        kept: list[Planned] = []
        bound: dict[tuple[str, int], Planned] = {}
        for one in found:
            if one.wh:
                kept.append(one)
                continue
            key = one.class_, month_of(one.month.start_s, self._zone_s).year
            before = bound.get(key, one)
            if before is not one:
                one = Planned(
                    month=Period(start_s=before.month.start_s, end_s=one.month.end_s),
                    class_=one.class_,
                    serials=(*before.serials, *one.serials),
                    units=before.units + one.units,
                    wh=0,
                )
            bound[key] = one
        return [*bound.values(), *kept]

    def _month(self, span: Period, month: Period, room_wh: int) -> list[Planned]:
        """Bound ones of this month, as many as their lots fill; others as there is room for."""
        size = self._rules.unit_size
        left = max(0, room_wh) // size
        by_class: dict[str, list[tuple[str, int, int]]] = {}
        rest = []
        for row in self._rows:
            batch = self._batches[row.batch]
            bound_wh = self._bound(row)
            of_month = batch.period == month
            count = 0
            if self._rules.fits_whole(batch.period, span, self._zone_s):
                if bound_wh is not None:
                    count = min(len(row.units), -(-bound_wh // size)) if of_month else 0
                    self._bound_wh[row.batch, row.class_] = max(0, bound_wh - count * size)
                elif of_month or row.class_ != _GREEN_TRADE:
                    count = min(left, len(row.units))
                    left -= count
            if count:
                wh = count * size if bound_wh is None else 0
                by_class.setdefault(row.class_, []).append(_taken(row, count, wh))
            if count < len(row.units):
                rest.append(units.after(row, count) if count else row)
        self._rows = rest
        return [
            Planned(
                month=span,
                class_=class_,
                serials=tuple(serial for serial, _, _ in parts),
                units=sum(count for _, count, _ in parts),
                wh=sum(wh for _, _, wh in parts),
            )
            for class_, parts in by_class.items()
        ]


def _taken(row: units.HoldingRow, count: int, wh: int) -> tuple[str, int, int]:
    first = row.units.first
    return f"{row.batch.short}:{first}-{first + count}", count, wh


def open_retirements(desk: Desk, owner: str, period: Period) -> list[bytes]:
    """Retirements for an owner and time that no claim has yet."""
    with reading(desk.engine) as conn:
        rows = used.retirements_of(conn, desk.log.log_id, owner)
        claimed = store.claims_of_retirements(
            conn, desk.log.log_id, [row.retirement for row in rows]
        )
    return [
        row.retirement
        for row in rows
        if row.retirement not in claimed and period.contains(row.use.period)
    ]


def settle(
    desk: Desk,
    points: Sequence[str],
    period: Period,
    *,
    scheme: str = "gec",
    key: SigningKey | None = None,
) -> list[bytes]:
    """Retire certificates for what the points' lots leave; the claim is made with the result.

    What was retired for this time and is in no claim yet comes first. Returns none where there is
    neither.
    """
    with reading(desk.engine) as conn:
        owner = find_point(conn, desk.log.log_id, points[0]).master.owner
    found = open_retirements(desk, owner, period)
    planned = plan(desk, points, period, scheme=scheme, given=found)
    for one in planned:
        use = Use(beneficiary=owner, purpose=PURPOSE, period=one.month)
        selection = Selection(scheme=scheme, serials=one.serials, class_=one.class_)
        found.append(retire(desk, owner, selection, use, key=key)[0])
    return found
