"""The park's electricity as a whole: what it generates and where that goes, what it loses, what its
grid connections and bills say.

Only what is metered is said: a plant's energy without a reading is none, and a meter is compared
with its sub-meters over the intervals that all of them have. What a plant could have made and was
kept from is a point of kind `other` under it, with the technology `curtailed`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from ledger.accounting.facts import (
    PARK,
    ActivityFact,
    Connection,
    Electricity,
    Facts,
    Generation,
    Int64,
    Losses,
    ParkEnergy,
)
from ledger.accounting.loading.subject import Loaded, parents_of, region_of, total_wh
from ledger.accounting.loading.view import View
from ledger.lots.model import SUPPLY_KINDS
from ledger.matching.contracts import KINDS
from ledger.matching.missing import Rule
from ledger.matching.model import Bool, Grid, SupplyClass
from ledger.metering.points import Point, fits_grid
from ledger.units import QUARTER_HOUR_S

CURTAILED: Final = "curtailed"
# Into a node of the park's grid, as seen from it; all other kinds of Wh take from it.
_FEEDING: Final = frozenset({"generation", "storage-discharge", "grid-import"})
_TAKING: Final = frozenset({"consumption", "storage-charge", "grid-export"})
_CHARGING: Final = (SupplyClass.SELF_USE, SupplyClass.DIRECT_SUPPLY)


def park(view: View, activities: Sequence[ActivityFact], *, region: str = "") -> Loaded:
    """What no member has: the park's electricity, and `activities` of the park as a whole."""
    nothing = view.zeros()
    masters = [one.master for one in view.reader.points.values() if one.master.unit == "Wh"]
    return Loaded(
        facts=Facts(
            subject=PARK,
            period=view.period,
            zone_s=view.log.zone_s,
            electricity=Electricity(
                consumption_wh=0,
                quarter_wh=nothing,
                region=region or region_of(PARK, masters),
            ),
            activities=tuple(activities),
            park=energy(view),
            parents=parents_of(view, activities),
        ),
        estimated_wh={},
        profiled_wh=0,
        claims=(),
    )


def energy(view: View) -> ParkEnergy:
    """Raises InvalidInput for readings that do not fit the quarter-hours."""
    found = _Park(view)
    charged, discharged = found.sums("storage-charge"), found.sums("storage-discharge")
    stored = sum(charged.values()) - sum(discharged.values())
    return ParkEnergy(
        generation=tuple(found.generation),
        losses=tuple(found.losses(view.reader.points)),
        charged_wh=sum(charged.values()),
        discharged_wh=sum(discharged.values()),
        storage_loss_wh=max(stored, 0),
        storage_green_loss_wh=found.green_loss_wh(),
        grid_import_wh=total_wh(view, "grid-import"),
        grid_export_wh=total_wh(view, "grid-export"),
        billed_wh=total_wh(view, "billed"),
        connections=tuple(found.connections()),
    )


def losses_of(view: View, party: str) -> tuple[Losses, ...]:
    """Under the meters of one organisation. Raises as `energy`."""
    owned = [name for name, one in view.reader.points.items() if one.master.owner == party]
    return tuple(_Park(view).losses(owned))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Curve:
    wh: Int64
    measured: Bool


class _Park:
    """The points of the park in Wh, each read once."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._points: Mapping[str, Point] = {
            name: one.master
            for name, one in view.reader.points.items()
            if one.master.unit == "Wh" and one.master.measure == "additive"
        }
        self._curves: dict[str, _Curve] = {}
        self._grid = Grid(
            start_s=view.period.start_s,
            length_s=QUARTER_HOUR_S,
            count=view.period.length_s // QUARTER_HOUR_S,
            zone_offset_s=view.log.zone_s,
        )
        # {(point, class, whether into a storage): Wh}
        self._allotted: dict[tuple[bytes, int, bool], int] = {}
        for one in view.allotted:
            if view.points[one.point].master.kind not in SUPPLY_KINDS:
                continue
            view.use(one.entry_index)
            charges = view.points[one.holder].master.kind == "storage-charge"
            key = one.point, one.supply_class, charges
            self._allotted[key] = self._allotted.get(key, 0) + one.wh

    def _curve(self, name: str) -> _Curve:
        """Measured only."""
        if name in self._view.consumption:
            filled = self._view.consumption[name].filled
            return _Curve(wh=filled.demand.wh, measured=filled.rule == Rule.MEASURED)
        if name not in self._curves:
            (found,) = self._view.reader.aligned(self._grid, [name]).values()
            self._curves[name] = _Curve(wh=found.wh, measured=found.measured)
        return self._curves[name]

    def sums(self, kind: str) -> dict[str, int]:
        """{point without sub-points: Wh measured}."""
        return {name: int(self._curve(name).wh.sum()) for name in self._view.reader.leaves(kind)}

    def _wh_of(self, name: str, *classes: SupplyClass, charges: bool = False) -> int:
        point = self._view.reader.points[name].point
        return sum(self._allotted.get((point, class_, charges), 0) for class_ in classes)

    def _curtailed_wh(self, name: str) -> int:
        id_ = self._view.reader.points[name].point.hex()
        return sum(
            sum(one.value.tolist())
            for other, master in self._points.items()
            if master.parent == id_ and master.kind == "other" and master.technology == CURTAILED
            for one in self._view.reader.series(other, self._view.period)
        )

    @cached_property
    def generation(self) -> list[Generation]:
        """Each plant, and where its energy went as lots tell it: what charged a storage is counted
        there, and not as the class of its contract; the rest went to the grid."""
        found = []
        for name, generated_wh in self.sums("generation").items():
            self_wh = self._wh_of(name, SupplyClass.SELF_USE)
            direct_wh = self._wh_of(name, SupplyClass.DIRECT_SUPPLY)
            charged_wh = self._wh_of(name, *_CHARGING, charges=True)
            inside_wh = self_wh + direct_wh + charged_wh
            divided = inside_wh or self._wh_of(name, *SupplyClass)
            master = self._points[name]
            found.append(
                Generation(
                    point=self._view.reader.points[name].point.hex(),
                    technology=master.technology,
                    region=master.region,
                    generated_wh=generated_wh,
                    self_wh=self_wh,
                    direct_wh=direct_wh,
                    export_wh=max(0, generated_wh - inside_wh) if divided else 0,
                    curtailed_wh=self._curtailed_wh(name),
                    charged_wh=charged_wh,
                )
            )
        return found

    def green_loss_wh(self) -> int:
        """What went into storages as green, and has not left them as green."""
        stored = left = 0
        for (_, class_, charges), wh in self._allotted.items():
            stored += wh if charges and class_ in _CHARGING else 0
            left += wh if class_ == SupplyClass.STORAGE and not charges else 0
        return max(0, stored - left)

    def losses(self, names: Collection[str]) -> list[Losses]:
        """Each of some meters with sub-meters: what went in, less what came out, where all were
        measured. Of other meters nothing is read."""
        children: dict[str, list[str]] = {}
        for child in sorted(self._points):
            if self._side(child):
                children.setdefault(self._view.reader.parent(child), []).append(child)
        return [
            found
            for name in sorted(self._points.keys() & set(names))
            if (found := self._losses(name, children.get(name, ()))) is not None
        ]

    def _losses(self, name: str, children: Sequence[str]) -> Losses | None:
        master = self._points[name]
        if not children or not self._side(name) or not fits_grid(master):
            return None
        # A meter of consumption feeds what is under it; one of generation is fed by it.
        feeds = master.kind in ("consumption", "grid-import")
        everywhere = np.logical_and.reduce([self._curve(one).measured for one in (name, *children)])
        net = sum(self._side(child) * self._wh_where(child, everywhere) for child in children)
        own = self._wh_where(name, everywhere)
        return Losses(
            point=self._view.reader.points[name].point.hex(),
            parent_wh=own if feeds else net,
            children_wh=-net if feeds else own,
            region=master.region,
        )

    def _side(self, name: str) -> int:
        """1: feeds the node that it hangs under; −1: takes from it; 0: neither, or unknown."""
        kind = self._points[name].kind
        if not fits_grid(self._points[name]):
            return 0
        return 1 if kind in _FEEDING else -1 if kind in _TAKING else 0

    def _wh_where(self, name: str, chosen: Bool) -> int:
        return int(self._curve(name).wh[chosen].sum())

    def connections(self) -> list[Connection]:
        """Green direct connections: contracts of direct supply, joined where they share plants."""
        groups: list[tuple[set[str], set[str], set[str]]] = []
        holding, _ = self._view.reader.contracts(self._view.period)
        for one in sorted(holding, key=lambda one: one.terms.name):
            if KINDS[one.terms.kind] != SupplyClass.DIRECT_SUPPLY:
                continue
            names, sources = {one.terms.name}, set(one.terms.sources)
            consumers = {share.point for share in one.terms.consumers}
            for other in [group for group in groups if group[1] & sources]:
                groups.remove(other)
                names, sources, consumers = (
                    mine | theirs
                    for mine, theirs in zip((names, sources, consumers), other, strict=True)
                )
            groups.append((names, sources, consumers))
        return [self._connection(*group) for group in groups]

    def _connection(self, names: set[str], sources: set[str], consumers: set[str]) -> Connection:
        plants = [one for one in self.generation if one.point in sources]
        used = [self._view.points[bytes.fromhex(one)].master.name for one in consumers]
        loss_wh = 0
        for name in used:
            if self._points[name].kind == "storage-charge":
                loss_wh += self._storage_loss_wh(name)
        curtailed_wh = sum(one.curtailed_wh for one in plants)
        regions = {one.region for one in plants}
        return Connection(
            name=", ".join(sorted(names)),
            available_wh=sum(one.generated_wh for one in plants) + curtailed_wh,
            export_wh=sum(one.export_wh for one in plants),
            curtailed_wh=curtailed_wh,
            storage_loss_wh=loss_wh,
            consumption_wh=sum(
                int(self._view.used_wh(name).sum())
                for name in used
                if name in self._view.consumption
            ),
            region=regions.pop() if len(regions) == 1 else "",
        )

    def _storage_loss_wh(self, charge: str) -> int:
        """Charged less discharged: what is still in the storage counts as lost until it leaves."""
        parent = self._points[charge].parent
        out = [
            name
            for name, one in self._points.items()
            if one.parent == parent and one.kind == "storage-discharge"
        ]
        charged_wh = int(self._curve(charge).wh.sum())
        return max(0, charged_wh - sum(int(self._curve(name).wh.sum()) for name in out))
