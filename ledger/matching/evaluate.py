"""A matching run as a function of the log: load what was in force, match, say what was used.

The same evaluation serves the author of a run, the log that accepts it, and an audit years later:
it reads nothing but entries below `as_of`.

To the engine a point and a contract go by name, not by random id: so two parks with the same names
and readings get the same Wh, and whoever names the contracts says which of a class comes first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from ledger.errors import InvalidInput, Refused
from ledger.log import store as log_store
from ledger.log.store import LogFacts
from ledger.matching.align import Aligned, align
from ledger.matching.allocations import LaneRow, lane_rows
from ledger.matching.contracts import Registered, current_contracts
from ledger.matching.engine import match
from ledger.matching.granularity import Matched, side_by_side
from ledger.matching.missing import MISSING_RULE, Bill, Filled, fill_missing
from ledger.matching.model import Contract, Grid, Int64, Result
from ledger.metering import store as metering
from ledger.metering.effective import Effective, effective
from ledger.metering.provenance import ByProvenance, Provenance
from ledger.metering.series import Series
from ledger.units import (
    DAY_S,
    QUARTER_HOUR_S,
    Period,
    format_instant,
    parse_zone,
    zone_offset_s,
)

POLICY: Final = "pro-rata/1"
# Readings this far around a run serve the rules for missing consumption.
_AROUND_S: Final = 31 * DAY_S


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """What the log below `as_of` says of a period. Points and contracts stand by their names."""

    grid: Grid
    as_of: int
    result: Result
    matched: tuple[Matched, ...]
    filled: Mapping[str, Filled]
    supply: Mapping[str, Aligned]
    contracts: Sequence[Registered]
    provenance_wh: Mapping[str, Mapping[Provenance, int]]
    delivered_wh: Mapping[str, int]
    inputs: Sequence[bytes]
    point_ids: Mapping[str, bytes]

    @property
    def lanes(self) -> list[LaneRow]:
        """The lanes as they are committed: by ids."""
        contract_ids = {one.terms.name: one.contract for one in self.contracts}
        return lane_rows(
            [
                replace(
                    lane,
                    contract=contract_ids[lane.contract].hex(),
                    source=self.point_ids[lane.source].hex(),
                    consumer=self.point_ids[lane.consumer].hex(),
                )
                for lane in self.result.lanes
            ],
            self.grid,
        )

    def manifest(self) -> dict[str, Any]:
        """The content of docs/formats.md §4.5."""
        totals = self.result.totals()
        return {
            "from": format_instant(self.grid.start_s),
            "to": format_instant(self.grid.end_s),
            "interval_s": self.grid.length_s,
            "inputs": [leaf.hex() for leaf in self.inputs],
            "missing": MISSING_RULE,
            "totals": {
                "generation_wh": totals.generation_wh,
                "consumption_wh": totals.consumption_wh,
                "estimated_wh": totals.estimated_wh,
                "matched_wh": {one.granularity: one.matched_wh for one in self.matched},
            },
        }


class _Reader:
    """Reads effective series as of a log size, and remembers the entries they came from."""

    def __init__(self, conn: Connection, log: LogFacts, as_of: int) -> None:
        self.conn = conn
        self.log = log
        self.as_of = as_of
        self.used: set[int] = set()
        current = metering.current_points(conn, log.log_id, as_of).values()
        self.points = {found.master.name: found for found in current}
        self.name_of = {found.point.hex(): found.master.name for found in current}

    def leaves(self, kind: str) -> list[str]:
        """Wh points of a kind that have no child of that kind: each kWh counts once."""
        of_kind = {name: one for name, one in self.points.items() if one.master.kind == kind}
        parents = {self.parent(name) for name in of_kind}
        return sorted(
            name for name, one in of_kind.items() if one.master.unit == "Wh" and name not in parents
        )

    def parent(self, point: str) -> str:
        """Name of the parent point, or empty."""
        return self.name_of.get(self.points[point].master.parent, "")

    def contract(self, one: Registered) -> Contract:
        """The contract as the engine takes it."""
        terms = one.terms.to_contract(one.contract)
        return replace(
            terms,
            contract=one.terms.name,
            sources=tuple(self.name_of[source] for source in terms.sources),
            consumers=tuple(
                replace(share, point=self.name_of[share.point]) for share in terms.consumers
            ),
        )

    def effective(self, point: str, span: Period) -> list[Effective]:
        return effective(
            self.conn,
            self.log.log_id,
            self.points[point].point,
            start_s=span.start_s,
            end_s=span.end_s,
            as_of=self.as_of,
        )

    def series(self, point: str, span: Period) -> list[Series]:
        self.used.add(self.points[point].entry_index)
        items = self.effective(point, span)
        for item in items:
            self.used.update(np.unique(item.entry_index).tolist())
        return [replace(item.series, point=point) for item in items]

    def provenance(self, run: Grid, points: Iterable[str]) -> dict[Provenance, int]:
        """Measured Wh of the run by who vouches for them."""
        sums = ByProvenance(self.conn, self.log)
        found: Counter[Provenance] = Counter()
        for point in points:
            for item in self.effective(point, run.period):
                found.update(sums.sums(item))
        return dict(sorted(found.items()))

    def aligned(self, grid: Grid, points: Iterable[str]) -> dict[str, Aligned]:
        return {point: align(grid, point, self.series(point, grid.period)) for point in points}

    def bills(self, span: Period) -> dict[str, list[Bill]]:
        """Billed energy: readings of points of kind `billed`, of the point that they hang under."""
        found: dict[str, list[Bill]] = {}
        for point in self.leaves("billed"):
            parent = self.parent(point)
            for series in self.series(point, span):
                found.setdefault(parent, []).extend(
                    Bill(period=Period(start_s=start, end_s=start + series.length_s), wh=value)
                    for start, value in zip(
                        series.start_s.tolist(), series.value.tolist(), strict=True
                    )
                )
        return found

    def inputs(self) -> list[bytes]:
        """Leaf hashes of the entries used, in log order."""
        return [log_store.leaf_at(self.conn, self.log.log_id, one) for one in sorted(self.used)]


def evaluate(conn: Connection, log: LogFacts, period: Period, as_of: int) -> Evaluation:
    """Match `period` by what stands below `as_of`.

    Raises InvalidInput for a period off the quarter-hour grid or readings that do not fit, Refused
    where a contract breaks a rule or missing consumption can't be estimated.
    """
    reader = _Reader(conn, log, as_of)
    run = _grid(period, log)
    known = _around(run)
    consumers = reader.leaves("consumption")
    sources = reader.leaves("generation")
    in_force = [
        one
        for one in current_contracts(conn, log.log_id, as_of).values()
        if one.terms.period.overlaps(period)
    ]
    contracts = [reader.contract(one) for one in in_force]
    _check_leaves(contracts, {*consumers, *sources})
    reader.used.update(one.entry_index for one in in_force)
    supply = reader.aligned(run, sources)
    filled = _demand(reader, run, known, consumers)
    before = _delivered_before(conn, log, contracts, period, as_of)
    generation: dict[str, Int64] = {point: one.wh for point, one in supply.items()}
    demand = {point: one.demand for point, one in filled.items()}
    regions = {point: reader.points[point].master.region for point in sources}
    result = match(run, generation, demand, contracts, regions=regions, delivered_before_wh=before)
    matched = side_by_side(
        run,
        generation,
        demand,
        contracts,
        regions=regions,
        result=result,
        delivered_before_wh=before,
    )
    delivered = {
        contract: before.get(contract, 0) + wh for contract, wh in result.delivered_wh.items()
    }
    return Evaluation(
        grid=run,
        as_of=as_of,
        result=result,
        matched=matched,
        filled=filled,
        supply=supply,
        contracts=in_force,
        provenance_wh={
            "generation": reader.provenance(run, sources),
            "consumption": reader.provenance(run, consumers),
        },
        delivered_wh=delivered,
        inputs=reader.inputs(),
        point_ids={name: one.point for name, one in reader.points.items()},
    )


def _grid(period: Period, log: LogFacts) -> Grid:
    if period.length_s % QUARTER_HOUR_S:
        raise InvalidInput(
            f"the period {format_instant(period.start_s)} – {format_instant(period.end_s)} is no"
            " whole number of quarter-hours"
        )
    return Grid(
        start_s=period.start_s,
        length_s=QUARTER_HOUR_S,
        count=period.length_s // QUARTER_HOUR_S,
        zone_offset_s=zone_offset_s(parse_zone(log.zone)),
    )


def _around(run: Grid) -> Grid:
    return Grid(
        start_s=run.start_s - _AROUND_S,
        length_s=run.length_s,
        count=run.count + 2 * _AROUND_S // run.length_s,
        zone_offset_s=run.zone_offset_s,
    )


def _demand(reader: _Reader, run: Grid, known: Grid, consumers: Sequence[str]) -> dict[str, Filled]:
    consumption = reader.aligned(known, consumers)
    consuming = {name for name, one in reader.points.items() if one.master.kind == "consumption"}
    parent_of = {
        name: reader.parent(name) for name in consuming if reader.parent(name) in consuming
    }
    incomplete = {
        parent_of[point]
        for point, one in consumption.items()
        if point in parent_of and not one.measured.all()
    }
    return fill_missing(
        run,
        known,
        consumption,
        parent_of=parent_of,
        parents=reader.aligned(known, sorted(incomplete)),
        billed=reader.bills(known.period),
    )


def _check_leaves(contracts: Sequence[Contract], leaves: Set[str]) -> None:
    for one in contracts:
        for point in (*one.sources, *(share.point for share in one.consumers)):
            if point not in leaves:
                raise Refused(
                    f"contract {one.contract!r} names {point!r}, which has sub-meters: name those,"
                    " so that nothing counts twice"
                )


def _delivered_before(
    conn: Connection,
    log: LogFacts,
    contracts: Sequence[Contract],
    period: Period,
    as_of: int,
) -> dict[str, int]:
    """Wh that contracts with a limit delivered in their period before this one begins."""
    limited = [one for one in contracts if one.limit_wh and one.period.start_s < period.start_s]
    if not limited:
        return {}
    first_s = min(one.period.start_s for one in limited)
    earlier = evaluate(conn, log, Period(start_s=first_s, end_s=period.start_s), as_of)
    return {one.contract: earlier.delivered_wh.get(one.contract, 0) for one in limited}
