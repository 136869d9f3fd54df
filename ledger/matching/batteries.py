"""The storages of a run, as the log below its size tells them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ledger.matching.model import Contract, Demand, Grid, SupplyClass
from ledger.matching.reader import Reader
from ledger.matching.storage import Storage
from ledger.metering.storages import charge_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batteries:
    """`demand`: {charge point: Demand} of contracts that charge; `storages`: those that supply."""

    demand: dict[str, Demand]
    storages: Sequence[Storage]


def read_batteries(reader: Reader, run: Grid, contracts: Sequence[Contract]) -> Batteries:
    """What contracts of the run charge and discharge, by the readings since commissioning.

    What earlier divisions into lots allotted to a charge point went in as green, and what they
    allotted of a discharge point went out.
    """
    charging = {
        share.point
        for one in contracts
        for share in one.consumers
        if reader.points[share.point].master.kind == "storage-charge"
    }
    discharging = {
        source
        for one in contracts
        if one.supply_class is SupplyClass.STORAGE
        for source in one.sources
    }
    return Batteries(
        demand={
            point: Demand(
                point=point,
                wh=reader.left_wh(run, point, aligned.wh),
                charging=True,
            )
            for point, aligned in reader.aligned(run, sorted(charging)).items()
        },
        storages=[_storage(reader, run, point) for point in sorted(discharging)],
    )


def _storage(reader: Reader, run: Grid, discharge: str) -> Storage:
    charge = _charge_of(reader, discharge)
    reader.note([charge, discharge, reader.parent(discharge)])
    known = _since_commissioning(reader, run, [charge, discharge])
    aligned = reader.aligned(known, [charge, discharge])
    return Storage(
        charge=charge,
        discharge=discharge,
        charge_wh=aligned[charge].wh,
        discharge_wh=aligned[discharge].wh,
        green_in_wh=reader.allotted_wh(charge, known),
        allotted_wh=reader.allotted_wh(discharge, known),
    )


def _charge_of(reader: Reader, discharge: str) -> str:
    name_of = {one.point.hex(): name for name, one in reader.points.items()}
    masters = ((id_, reader.points[name].master) for id_, name in name_of.items())
    return name_of[charge_of(reader.points[discharge].master, masters)]


def _since_commissioning(reader: Reader, run: Grid, points: Iterable[str]) -> Grid:
    """From the first reading of the points, or the run's beginning, to the run's end."""
    first_s = reader.first_reading_s(points)
    start_s = run.start_s if first_s is None else min(first_s, run.start_s)
    return replace(run, start_s=start_s, count=(run.end_s - start_s) // run.length_s)
