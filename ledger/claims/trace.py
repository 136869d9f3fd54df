"""A claimed quarter-hour, back to contract, meter and signed batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from ledger.claims import store
from ledger.errors import Erased, NotFound
from ledger.log.store import LogFacts
from ledger.lots import store as lots
from ledger.lots.model import SUPPLY_KINDS, month_of
from ledger.matching.contracts import current_contracts
from ledger.matching.model import SupplyClass
from ledger.matching.runs import load_lanes
from ledger.metering import store as metering
from ledger.metering.effective import effective
from ledger.metering.points import Meter
from ledger.metering.provenance import ByProvenance, Provenance
from ledger.units import QUARTER_HOUR_S, parse_zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A reading that a traced quarter-hour rests on: its leaf in a batch, and who vouches."""

    point: str
    meter: str
    start_s: int
    length_s: int
    value_wh: int
    entry_index: int
    leaf_index: int
    author: str
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A cell of a claim. `side`: `supply` or `cover`. `contracts`: {name: Wh} of the run."""

    lot: bytes
    side: str
    supply_class: SupplyClass
    point: str
    wh: int
    lot_wh: int
    division_index: int
    run_index: int
    contracts: dict[str, int]
    readings: tuple[Read, ...]


def first_quarter_s(conn: Connection, log: LogFacts, row: store.ClaimRow) -> int:
    """Where the claim has energy first. Raises NotFound where it has none."""
    start_s, claimed = store.load_claimed(conn, log.log_id, row.root)
    firsts = [
        start_s + QUARTER_HOUR_S * (one.first + int(np.flatnonzero(one.wh)[0]))
        for one in claimed.values()
        if one.wh.any()
    ]
    if not firsts:
        raise NotFound("the claim claims 0 Wh: there is nothing to trace")
    return min(firsts)


def trace(conn: Connection, log: LogFacts, row: store.ClaimRow, at_s: int) -> list[Traced]:
    """The cells of a claim in the quarter-hour that begins at `at_s`, supply first.

    Raises NotFound where it claims nothing there.
    """
    start_s, claimed = store.load_claimed(conn, log.log_id, row.root)
    known = lots.lots_by_id(conn, log.log_id, claimed)
    tracer = _Tracer(conn, log, row.entry_index)
    found = []
    for lot, one in claimed.items():
        at = (at_s - start_s) // QUARTER_HOUR_S - one.first
        if (at_s - start_s) % QUARTER_HOUR_S == 0 and 0 <= at < len(one.wh) and one.wh[at]:
            found.append(tracer.cell(known[lot], int(one.wh[at]), at_s))
    if not found:
        moment = datetime.fromtimestamp(at_s, parse_zone(log.zone))
        raise NotFound(f"the claim claims nothing in the quarter-hour at {moment:%Y-%m-%dT%H:%M}")
    return sorted(found, key=lambda one: (one.side != "supply", one.supply_class, one.point))


class _Tracer:
    def __init__(self, conn: Connection, log: LogFacts, as_of: int) -> None:
        self._conn = conn
        self._log = log
        self._zone_s = log.zone_s
        self._divisions = lots.Divisions(conn, log)
        self._points = metering.current_points(conn, log.log_id, as_of)
        self._contracts = current_contracts(conn, log.log_id)
        self._provenance = ByProvenance(conn, log, as_of)

    def cell(self, lot: lots.LotRow, wh: int, at_s: int) -> Traced:
        month = month_of(lot.month_start_s, self._zone_s)
        origin = lots.origins_of(self._conn, self._log.log_id, lot.point, month)[lot.revision]
        master = self._points[lot.point].master
        supply = master.kind in SUPPLY_KINDS
        lot_wh = self._divisions.lot_wh(lot)[lots.position(at_s, lot.month_start_s)]
        return Traced(
            lot=lot.lot,
            side="supply" if supply else "cover",
            supply_class=SupplyClass(lot.supply_class),
            point=master.name,
            wh=wh,
            lot_wh=int(lot_wh),
            division_index=lot.entry_index,
            run_index=origin.run_index,
            contracts=self._contracts_of(lot, origin.run_index, supply, at_s),
            readings=tuple(self._readings(lot.point, origin.entry_index, at_s)),
        )

    def _contracts_of(
        self, lot: lots.LotRow, run_index: int, supply: bool, at_s: int
    ) -> dict[str, int]:
        found: dict[str, int] = {}
        for lane in load_lanes(self._conn, self._log, run_index):
            end = lane.source if supply else lane.consumer
            if (end, lane.consumer, lane.supply_class) != (lot.point, lot.holder, lot.supply_class):
                continue
            at = (at_s - lane.start_s) // lane.length_s
            if 0 <= at < len(lane.wh) and lane.wh[at]:
                name = self._contracts[lane.contract].terms.name
                found[name] = found.get(name, 0) + int(lane.wh[at])
        return dict(sorted(found.items()))

    def _readings(self, point: bytes, as_of: int, at_s: int) -> Sequence[Read]:
        """The readings in force at the division that touch the quarter-hour, as far as they are
        not erased."""
        hour_s = at_s - (at_s + self._zone_s) % 3600
        try:
            items = effective(
                self._conn,
                self._log.log_id,
                point,
                start_s=hour_s,
                end_s=hour_s + 3600,
                as_of=as_of,
            )
        except Erased:
            return ()
        found = []
        for item in items:
            series = item.series
            touches = (series.start_s < at_s + QUARTER_HOUR_S) & (
                series.start_s + series.length_s > at_s
            )
            for place in np.flatnonzero(touches).tolist():
                index = int(item.entry_index[place])
                batch = metering.load_batch(self._conn, self._log.log_id, index)
                assert batch is not None
                start_s = int(series.start_s[place])
                found.append(
                    Read(
                        point=self._points[point].master.name,
                        meter=_meter_at(self._points[point].master.meters, start_s),
                        start_s=start_s,
                        length_s=series.length_s,
                        value_wh=int(series.value[place]),
                        entry_index=index,
                        leaf_index=int(item.leaf_index[place]),
                        author=batch.author,
                        provenance=self._provenance.of_batch(index),
                    )
                )
        return found


def _meter_at(meters: Sequence[Meter], at_s: int) -> str:
    for meter in meters:
        if meter.period.start_s <= at_s < meter.period.end_s:
            return meter.number
    return ""
