"""What a run reads from the log: points, contracts and series below a log size, nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from sqlalchemy import Connection

from ledger.errors import Refused
from ledger.log import store as log_store
from ledger.log.store import LogFacts
from ledger.lots import store as lots
from ledger.lots.model import months_in
from ledger.matching.align import Aligned, align
from ledger.matching.allocations import LaneRow
from ledger.matching.contracts import Registered, check_points, current_contracts
from ledger.matching.missing import Bill
from ledger.matching.model import Contract, Grid, Int64
from ledger.matching.runs import load_lanes
from ledger.metering import store as metering
from ledger.metering.effective import effective
from ledger.metering.points import FOREVER_S
from ledger.metering.series import Series
from ledger.units import QUARTER_HOUR_S, Period


class Reader:
    """Reads as of a log size, and remembers the entries that it used. Points go by name."""

    def __init__(self, conn: Connection, log: LogFacts, as_of: int) -> None:
        self._conn = conn
        self._log = log
        self._as_of = as_of
        self._used: set[int] = set()
        self._current = metering.current_points(conn, log.log_id, as_of)
        self._contracts = current_contracts(conn, log.log_id, as_of)
        self._divided_runs = lots.divided_runs(conn, log.log_id, as_of)
        self._divisions = lots.Divisions(conn, log)
        self.points = {found.master.name: found for found in self._current.values()}
        self._name_of = {found.point.hex(): name for name, found in self.points.items()}

    def leaves(self, kind: str) -> list[str]:
        """Wh points of a kind that have no child of that kind: each kWh counts once."""
        of_kind = {name: one for name, one in self.points.items() if one.master.kind == kind}
        parents = {self.parent(name) for name in of_kind}
        return sorted(
            name for name, one in of_kind.items() if one.master.unit == "Wh" and name not in parents
        )

    def parent(self, point: str) -> str:
        """Name of the parent point, or empty."""
        return self._name_of.get(self.points[point].master.parent, "")

    def contracts(self, period: Period) -> tuple[list[Registered], list[Registered]]:
        """Contracts whose period overlaps: those that hold, and those left out.

        Left out is one whose points have changed since (another owner, another region): a party
        that hands a point over must not turn self-use into something else, nor stop everybody's
        run.
        """
        holding: list[Registered] = []
        left_out: list[Registered] = []
        for one in self._contracts.values():
            if not one.terms.period.overlaps(period):
                continue
            try:
                check_points(one.terms, self._current)
            except Refused:
                left_out.append(one)
            else:
                holding.append(one)
        self._used.update(one.entry_index for one in (*holding, *left_out))
        return holding, left_out

    def as_engine(self, one: Registered) -> Contract:
        """The contract as the engine takes it, by names."""
        terms = one.terms.to_contract(one.contract)
        return replace(
            terms,
            contract=one.terms.name,
            sources=tuple(self._name_of[source] for source in terms.sources),
            consumers=tuple(
                replace(share, point=self._name_of[share.point]) for share in terms.consumers
            ),
        )

    def aligned(self, grid: Grid, points: Iterable[str]) -> dict[str, Aligned]:
        return {point: align(grid, point, self.series(point, grid.period)) for point in points}

    def in_service(self, grid: Grid, point: str, found: Aligned) -> Aligned:
        """Before its first meter and after its last, a point without readings used nothing."""
        meters = self.points[point].master.meters
        if not meters:
            return found
        starts = grid.starts_s()
        last_s = min(meters[-1].period.end_s, FOREVER_S)
        outside = (starts < meters[0].period.start_s) | (starts >= last_s)
        return replace(found, measured=found.measured | (outside & ~found.stated))

    def bills(self, span: Period) -> dict[str, list[Bill]]:
        """Billed energy: readings of points of kind `billed`, of the point that they hang under."""
        found: dict[str, list[Bill]] = {}
        for point in self.leaves("billed"):
            bills = found.setdefault(self.parent(point), [])
            for series in self.series(point, span):
                for start, wh in zip(series.start_s.tolist(), series.value.tolist(), strict=True):
                    period = Period(start_s=start, end_s=start + series.length_s)
                    bills.append(Bill(period=period, wh=wh))
        return found

    def left_wh(self, grid: Grid, point: str, metered_wh: Int64) -> Int64:
        """int64[T]: what earlier divisions into lots left of what a point metered."""
        left_wh: Int64 = np.maximum(metered_wh - self.allotted_wh(point, grid), 0)
        return left_wh

    def allotted_wh(self, point: str, grid: Grid) -> Int64:
        """int64[T]: what earlier divisions into lots allotted of a point."""
        allotted_wh = np.zeros(grid.count, dtype=np.int64)
        if not self._divided_runs:
            return allotted_wh
        id_ = self.points[point].point
        for month in months_in(grid.period, grid.zone_offset_s):
            found = lots.left_over(
                self._conn, self._divisions, self._log.log_id, id_, month, self._as_of
            )
            if found.last is None:
                continue
            self._used.add(found.last.entry_index)
            rows = grid.rows(month.period)
            offset = lots.position(grid.start_s + rows.start * grid.length_s, month.start_s)
            part = slice(offset, offset + rows.stop - rows.start)
            allotted_wh[rows] = found.base_wh[part] - found.carried_wh[part]
        return allotted_wh

    def engine_contracts(self, holding: Iterable[Registered]) -> list[Contract]:
        """As the engine takes them. A contract by shares goes on after its last quarter-hour that
        became lots: else each run would give it its share of what was left anew."""
        contracts = [self.as_engine(one) for one in holding]
        by_shares = {
            one.contract for one in contracts if any(share.share_ppm for share in one.consumers)
        }
        until_s = self._settled_until_s() if by_shares else {}
        found = []
        for one in contracts:
            begin_s = max(one.period.start_s, until_s.get(one.contract, 0))
            if one.contract not in by_shares:
                found.append(one)
            elif begin_s < one.period.end_s:
                period = Period(start_s=begin_s, end_s=one.period.end_s)
                found.append(replace(one, period=period))
        return found

    def _settled_until_s(self) -> dict[str, int]:
        """{contract: end of the last quarter-hour that runs which ended in lots delivered in}."""
        found: dict[str, int] = {}
        for name, lane in self._settled_lanes():
            with_energy = np.flatnonzero(lane.wh)
            if len(with_energy):
                end_s = lane.start_s + lane.length_s * (int(with_energy[-1]) + 1)
                found[name] = max(found.get(name, 0), end_s)
        return found

    def settled_wh(self) -> dict[str, int]:
        """{contract: Wh}: what runs that ended in lots have delivered, by the contract's name."""
        found: dict[str, int] = {}
        for name, lane in self._settled_lanes():
            found[name] = found.get(name, 0) + int(lane.wh.sum())
        return found

    def _settled_lanes(self) -> Iterator[tuple[str, LaneRow]]:
        """Lanes of the runs that ended in lots, by the contract's name."""
        name_of = {one.contract: one.terms.name for one in self._contracts.values()}
        for index in self._divided_runs:
            self._used.add(index)
            for lane in load_lanes(self._conn, self._log, index):
                yield name_of[lane.contract], lane

    def first_reading_s(self, points: Iterable[str]) -> int | None:
        """Start of the first quarter-hour with a reading of any of the points."""
        spans = [
            metering.span_of(self._conn, self._log.log_id, self.points[point].point, self._as_of)
            for point in points
        ]
        starts = [span[0] for span in spans if span is not None]
        return min(starts) // QUARTER_HOUR_S * QUARTER_HOUR_S if starts else None

    def note(self, points: Iterable[str]) -> None:
        """Remember that the registrations of these points were used."""
        self._used.update(self.points[point].entry_index for point in points)

    @property
    def entries(self) -> frozenset[int]:
        """The entries that were used."""
        return frozenset(self._used)

    def inputs(self) -> list[bytes]:
        """Leaf hashes of the entries used, in log order."""
        return [log_store.leaf_at(self._conn, self._log.log_id, one) for one in sorted(self._used)]

    def series(self, point: str, span: Period) -> Sequence[Series]:
        """Effective readings of a point inside a span, one item for each interval length."""
        found = self.points[point]
        self._used.add(found.entry_index)
        items = effective(
            self._conn,
            self._log.log_id,
            found.point,
            start_s=span.start_s,
            end_s=span.end_s,
            as_of=self._as_of,
        )
        for item in items:
            self._used.update(np.unique(item.entry_index).tolist())
        return [replace(item.series, point=point) for item in items]
