"""What accounting reads of the log below a size: each table once, and every entry that it used.

Whatever is asked is answered as it stood at that size: points, claims, what ended or flagged them,
retirements, statements, records. What came later changes nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sqlalchemy import Connection

from ledger.accounting.facts import Int64
from ledger.claims import store as claims
from ledger.claims.official import Official, official
from ledger.claims.schema import claims as claim_rows
from ledger.claims.store import ClaimRow
from ledger.credits import store as credits_
from ledger.credits.store import RecordRow, ReversalRow
from ledger.log.store import LogFacts
from ledger.lots import store as lots
from ledger.matching.evaluate import Used, used
from ledger.matching.reader import Reader
from ledger.metering.store import Registered
from ledger.registry import catalogue
from ledger.registry.catalogue import RegisteredProject, RegisteredScheme
from ledger.reports.inputs import inputs_of
from ledger.units import QUARTER_HOUR_S, Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Something that does not count, or not wholly. `what`: claim, retirement, reduction. `wh`: of
    it that do not count, where it is energy."""

    what: str
    id: str
    wh: int
    why: str

    def to_json(self) -> dict[str, Any]:
        return {"what": self.what, "id": self.id, "wh": self.wh, "why": self.why}


class View:
    """One period of a log as it stood at a size."""

    def __init__(self, conn: Connection, log: LogFacts, period: Period, as_of: int) -> None:
        self.conn = conn
        self.log = log
        self.period = period
        self.as_of = as_of
        self.reader = Reader(conn, log, as_of)
        self._used: set[int] = set()
        self._official: dict[bytes, Official] = {}
        self._cuts: list[Cut] = []

    def use(self, *entries: int) -> None:
        """Remember entries that the result rests on."""
        self._used.update(entries)

    def cut(self, one: Cut) -> None:
        """Remember what does not count."""
        self._cuts.append(one)

    @property
    def cuts(self) -> tuple[Cut, ...]:
        return tuple(sorted(self._cuts, key=lambda one: (one.what, one.id, one.why)))

    @cached_property
    def points(self) -> Mapping[bytes, Registered]:
        return {one.point: one for one in self.reader.points.values()}

    @cached_property
    def schemes(self) -> Mapping[str, RegisteredScheme]:
        return catalogue.current_schemes(self.conn, self.log.log_id, self.as_of)

    @cached_property
    def projects(self) -> Mapping[tuple[str, str], RegisteredProject]:
        return catalogue.current_projects(self.conn, self.log.log_id, self.as_of)

    @cached_property
    def claims(self) -> list[ClaimRow]:
        """Those in force whose time overlaps the period, in log order."""
        rows = claims.find_claims(
            self.conn,
            self.log.log_id,
            claim_rows.c.start_s < self.period.end_s,
            claim_rows.c.end_s > self.period.start_s,
            as_of=self.as_of,
        )
        return [row for row in rows if row.in_force]

    @cached_property
    def allotted(self) -> list[lots.Allotted]:
        """What was made into lots, whether it is claimed or not."""
        return lots.allotted(self.conn, self.log.log_id, self.period, self.as_of)

    @cached_property
    def reductions(self) -> list[RecordRow]:
        """All records of reductions, in log order."""
        return credits_.find_records(self.conn, self.log.log_id, as_of=self.as_of)

    @cached_property
    def reversals(self) -> list[ReversalRow]:
        return credits_.find_reversals(self.conn, self.log.log_id, as_of=self.as_of)

    @cached_property
    def consumption(self) -> Mapping[str, Used]:
        """What each consumer without sub-meters used, by name."""
        return used(self.reader, self.log, self.period, self.reader.leaves("consumption"))

    def used_wh(self, name: str) -> Int64:
        """int64[T]: what a consumer without sub-meters used, estimates included."""
        demand = self.consumption[name].filled.demand
        return demand.wh if demand.estimated_wh is None else demand.wh + demand.estimated_wh

    def zeros(self) -> Int64:
        """int64[T], one element per quarter-hour of the period."""
        return np.zeros(self.period.length_s // QUARTER_HOUR_S, dtype=np.int64)

    def official(self, row: ClaimRow) -> Official:
        """How a claim stood officially."""
        if row.claim not in self._official:
            found = official(self.conn, self.log, row, self.as_of)
            self._official[row.claim] = found
            self.use(*found.entries)
        return self._official[row.claim]

    def inputs(self, more: Iterable[int] = ()) -> list[dict[str, Any]]:
        """All entries that were used, and some more, in log order."""
        indexes = {*self._used, *self.reader.entries, *more}
        return inputs_of(self.conn, self.log.log_id, indexes)
