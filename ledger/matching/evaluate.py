"""A matching run as a function of the log: load what was in force, match, say what was used.

The same evaluation serves the author of a run, the log that accepts it, and an audit years later:
it reads nothing but entries below `as_of`.

To the engine a point and a contract go by name, not by random id: so two parks with the same names
and readings get the same Wh, and whoever names the contracts says which of a class comes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from ledger.errors import InvalidInput, Refused
from ledger.log.store import LogFacts
from ledger.matching.align import Aligned
from ledger.matching.allocations import LaneRow, lane_rows
from ledger.matching.batteries import read_batteries
from ledger.matching.contracts import Registered
from ledger.matching.engine import match
from ledger.matching.granularity import Matched, side_by_side
from ledger.matching.missing import MISSING_RULE, Filled, fill_missing
from ledger.matching.model import PRO_RATA, Contract, Demand, Grid, Result, Totals
from ledger.matching.reader import Reader
from ledger.metering.quality import Quality
from ledger.units import (
    DAY_S,
    QUARTER_HOUR_S,
    Period,
    format_instant,
)

POLICY: Final = PRO_RATA
# Readings this far around a run serve the rules for missing consumption.
_AROUND_S: Final = 31 * DAY_S


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """What the log below `as_of` says of a period. Points and contracts stand by their names.

    `left_out`: contracts that no longer hold, because a point of theirs has changed hands or
    place. `profiled_wh`: measured Wh of generation and consumption that was spread evenly from
    longer intervals (invariant 23). `earlier_wh`: {point: Wh} of this period that earlier runs had
    made lots of; `result` is about what they left.
    """

    grid: Grid
    as_of: int
    result: Result
    matched: tuple[Matched, ...]
    filled: Mapping[str, Filled]
    earlier_wh: Mapping[str, int]
    contracts: Sequence[Registered]
    left_out: Sequence[Registered]
    profiled_wh: Mapping[str, int]
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

    @property
    def earlier_generation_wh(self) -> int:
        return sum(self.earlier_wh[point] for point in self.result.surplus_wh)

    @property
    def earlier_consumption_wh(self) -> int:
        return sum(self.earlier_wh[point] for point in self.result.residual_wh)

    def totals(self) -> Totals:
        """Of the whole period: with what earlier runs had made lots of."""
        found = self.result.totals()
        return replace(
            found,
            generation_wh=found.generation_wh + self.earlier_generation_wh,
            consumption_wh=found.consumption_wh + self.earlier_consumption_wh,
        )

    def manifest(self) -> dict[str, Any]:
        """The content of docs/formats.md §4.5."""
        totals = self.totals()
        return {
            "from": format_instant(self.grid.start_s),
            "to": format_instant(self.grid.end_s),
            "interval_s": self.grid.length_s,
            "inputs": [leaf.hex() for leaf in self.inputs],
            "left_out": sorted(one.contract.hex() for one in self.left_out),
            "missing": MISSING_RULE,
            "totals": {
                "generation_wh": totals.generation_wh,
                "consumption_wh": totals.consumption_wh,
                "estimated_wh": totals.estimated_wh,
                "earlier_wh": self.earlier_consumption_wh,
                "matched_wh": {one.granularity: one.matched_wh for one in self.matched},
            },
        }


def evaluate(
    conn: Connection, log: LogFacts, period: Period, as_of: int, *, policy: str = POLICY
) -> Evaluation:
    """Match `period` by what stands below `as_of`, as `policy` says.

    Raises InvalidInput for a period off the quarter-hour grid or readings that do not fit, Refused
    where a contract breaks a rule or missing consumption can't be estimated.
    """
    reader = Reader(conn, log, as_of)
    run = _grid(period, log)
    sources, consumers = reader.leaves("generation"), reader.leaves("consumption")
    holding, left_out = reader.contracts(period)
    contracts = reader.engine_contracts(holding)
    storing = (*reader.leaves("storage-charge"), *reader.leaves("storage-discharge"))
    _check_leaves(contracts, {*consumers, *sources, *storing})
    supply = reader.aligned(run, sources)
    known = _around(run)
    consumption = {
        point: reader.in_service(known, point, found)
        for point, found in reader.aligned(known, consumers).items()
    }
    filled = _fill(reader, run, known, consumption)
    generation = {point: reader.left_wh(run, point, one.wh) for point, one in supply.items()}
    consuming = {
        point: replace(one.demand, wh=reader.left_wh(run, point, one.demand.wh))
        for point, one in filled.items()
    }
    earlier_wh = {
        point: int(all_wh.sum()) - int(left_wh.sum())
        for point, all_wh, left_wh in (
            *((point, one.wh, generation[point]) for point, one in supply.items()),
            *((point, one.demand.wh, consuming[point].wh) for point, one in filled.items()),
        )
    }
    batteries = read_batteries(reader, run, contracts)
    demand = consuming | batteries.demand
    regions = {point: reader.points[point].master.region for point in sources}
    before = _delivered_before(reader, log, contracts, run, regions)
    result = match(
        run,
        generation,
        demand,
        contracts,
        regions=regions,
        delivered_before_wh=before,
        storages=batteries.storages,
        policy=policy,
    )
    matched = side_by_side(
        run,
        generation,
        demand,
        contracts,
        regions=regions,
        result=result,
        delivered_before_wh=before,
        policy=policy,
    )
    return Evaluation(
        grid=run,
        as_of=as_of,
        result=result,
        matched=tuple(one.after(sum(earlier_wh[point] for point in consuming)) for one in matched),
        filled=filled,
        earlier_wh=earlier_wh,
        contracts=holding,
        left_out=left_out,
        profiled_wh={
            "generation": sum(one.profiled_wh for one in supply.values()),
            "consumption": sum(_profiled_wh(run, known, one) for one in consumption.values()),
        },
        inputs=reader.inputs(),
        point_ids={name: one.point for name, one in reader.points.items()},
    )


def consumption(
    conn: Connection, log: LogFacts, period: Period, as_of: int, points: Set[bytes]
) -> dict[bytes, Filled]:
    """What some consumers used in a period, missing readings filled as in a run. Raises likewise.

    Points that have sub-meters, or are none of consumption, are not in the answer.
    """
    reader = Reader(conn, log, as_of)
    wanted = [name for name in reader.leaves("consumption") if reader.points[name].point in points]
    found = used(reader, log, period, wanted)
    return {reader.points[name].point: one.filled for name, one in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Used:
    """What a consumer used in a period. `profiled_wh`: measured Wh spread from longer intervals."""

    filled: Filled
    profiled_wh: int


def used(
    reader: Reader, log: LogFacts, period: Period, consumers: Sequence[str]
) -> dict[str, Used]:
    """What consumers without sub-meters used in a period, by name. Raises as `evaluate` does."""
    run = _grid(period, log)
    known = _around(run)
    parents = {reader.parent(name) for name in consumers} - {""}
    # Their siblings too: a parent meter tells what one of its children used only beside the others.
    asked = [
        name
        for name in reader.leaves("consumption")
        if name in consumers or reader.parent(name) in parents
    ]
    found = {
        point: reader.in_service(known, point, aligned)
        for point, aligned in reader.aligned(known, asked).items()
    }
    filled = _fill(reader, run, known, found)
    return {
        name: Used(filled=filled[name], profiled_wh=_profiled_wh(run, known, found[name]))
        for name in sorted(consumers)
    }


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
        zone_offset_s=log.zone_s,
    )


def _around(run: Grid) -> Grid:
    return replace(
        run,
        start_s=run.start_s - _AROUND_S,
        count=run.count + 2 * _AROUND_S // run.length_s,
    )


def _profiled_wh(run: Grid, known: Grid, found: Aligned) -> int:
    part = known.rows(run.period)
    spread = (found.quality[part] & np.uint16(Quality.PROFILED)) != 0
    return int(found.wh[part][spread].sum())


def _fill(
    reader: Reader, run: Grid, known: Grid, consumption: Mapping[str, Aligned]
) -> dict[str, Filled]:
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
    reader: Reader,
    log: LogFacts,
    contracts: Sequence[Contract],
    run: Grid,
    regions: Mapping[str, str],
) -> dict[str, int]:
    """Wh that contracts with a limit delivered already: what became lots, and what the rest of the
    time before the run gives.

    Only measured consumption counts there: what is estimated is never matched.
    """
    if not any(one.limit_wh for one in contracts):
        return {}
    settled_wh = reader.settled_wh()
    before_wh = _matched_before(reader, log, contracts, run, regions)
    return {
        one.contract: settled_wh.get(one.contract, 0) + before_wh.get(one.contract, 0)
        for one in contracts
        if one.limit_wh
    }


def _matched_before(
    reader: Reader,
    log: LogFacts,
    contracts: Sequence[Contract],
    run: Grid,
    regions: Mapping[str, str],
) -> Mapping[str, int]:
    limited = [one for one in contracts if one.limit_wh and one.period.start_s < run.start_s]
    first_s = reader.first_reading_s(regions)
    if not limited or first_s is None or first_s >= run.start_s:
        return {}
    start_s = max(first_s, _reaching_back(reader, limited, run.start_s))
    if start_s >= run.start_s:
        return {}
    earlier = _grid(Period(start_s=start_s, end_s=run.start_s), log)
    holding, _ = reader.contracts(earlier.period)
    consumption = reader.aligned(earlier, reader.leaves("consumption"))
    before = reader.engine_contracts(holding)
    batteries = read_batteries(reader, earlier, before)
    return match(
        earlier,
        {
            point: reader.left_wh(earlier, point, one.wh)
            for point, one in reader.aligned(earlier, regions).items()
        },
        {
            point: Demand(point=point, wh=reader.left_wh(earlier, point, one.wh))
            for point, one in consumption.items()
        }
        | batteries.demand,
        before,
        regions=regions,
        storages=batteries.storages,
    ).delivered_wh


def _reaching_back(reader: Reader, limited: Sequence[Contract], end_s: int) -> int:
    """Where to begin, so that each limit that matters is counted from its contract's start."""
    start_s = min(one.period.start_s for one in limited)
    while True:
        holding, _ = reader.contracts(Period(start_s=start_s, end_s=end_s))
        earliest_s = min(one.terms.period.start_s for one in holding if one.terms.limit_wh)
        if earliest_s >= start_s:
            return start_s
        start_s = earliest_s
