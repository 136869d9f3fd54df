"""The facts of an organisation in a period of the log, as it stood at a size.

Electricity is what the organisation's consumption points used: sub-meters instead of what is above
them, and what is missing estimated by the ledger's own rule; and what its claims cover of that.
Points are whose they were at that size, for the whole period.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.accounting.factors import regions
from ledger.accounting.facts import STORAGE, ActivityFact, Electricity, Export, Facts, Losses
from ledger.accounting.loading.claimed import BETWEEN_MEMBERS, CLASSES, claimed
from ledger.accounting.loading.reductions import ccus_of
from ledger.accounting.loading.view import View
from ledger.claims.official import Official
from ledger.claims.store import ClaimRow
from ledger.errors import InvalidInput, NotFound
from ledger.lots.model import SUPPLY_KINDS
from ledger.matching.missing import Rule
from ledger.metering.points import Point
from ledger.parties import store as parties


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loaded:
    """`facts`, and what has to be said of them beside every figure.

    `estimated_wh`: {rule: Wh} of missing consumption. `profiled_wh`: Wh spread from longer
    intervals. `claims`: those in force, and how they stood officially.
    """

    facts: Facts
    estimated_wh: Mapping[Rule, int]
    profiled_wh: int
    claims: tuple[tuple[ClaimRow, Official], ...]

    def to_json(self) -> dict[str, Any]:
        """Part of a report: integers and text, in order."""
        return {
            "estimated": [
                {"rule": rule.name.lower(), "wh": wh}
                for rule, wh in sorted(self.estimated_wh.items())
            ],
            "profiled_wh": self.profiled_wh,
            "claims": [
                {
                    "id": row.claim.hex(),
                    "consumer": row.author,
                    "entry": row.entry_index,
                    "status": found.status,
                    "official_as_of": found.as_of,
                    "units": found.units,
                    "confirmed_units": found.confirmed,
                    "lots_pending": found.lots_pending,
                    "flag": row.flag,
                }
                for row, found in self.claims
            ],
        }


def organisation(
    view: View,
    party: str,
    activities: Sequence[ActivityFact],
    *,
    region: str = "",
    losses: tuple[Losses, ...] = (),
) -> Loaded:
    """`activities`: its own. `region`: of its points, where they do not say it. `losses`: under its
    meters, where they count with it and not with the park. Raises NotFound for
    no party, InvalidInput where its points are in several provinces, and as a run does for
    readings that do not fit."""
    found = parties.current_party(view.conn, view.log.log_id, party, view.as_of)
    if found is None:
        raise NotFound(f"there is no party {party!r} at log size {view.as_of}")
    view.use(found.entry_index)
    masters = {
        name: view.reader.points[name].master
        for name in view.consumption
        if view.reader.points[name].master.owner == party
    }
    used = _Used(view, masters)
    rows = [row for row in view.claims if row.author == party]
    covered = claimed(view, rows, used.curve)
    electricity = Electricity(
        consumption_wh=int(used.curve.sum()),
        quarter_wh=used.curve,
        region=region or region_of(party, masters.values()),
        estimated_wh=sum(used.estimated_wh.values()),
        supplies=covered.supplies,
        exports=tuple(_exports(view, party)),
        by_system_wh=used.by_system_wh,
        billed_wh=total_wh(view, "billed", party),
        losses=losses,
    )
    return Loaded(
        facts=Facts(
            subject=party,
            period=view.period,
            zone_s=view.log.zone_s,
            electricity=electricity,
            activities=tuple(activities),
            offsets=covered.offsets,
            ccus=tuple(ccus_of(view, party)),
            parents=parents_of(view, activities),
        ),
        estimated_wh=used.estimated_wh,
        profiled_wh=used.profiled_wh,
        claims=tuple((row, view.official(row)) for row in rows),
    )


class _Used:
    """What some consumers used together. `curve`: int64[T], estimates included."""

    def __init__(self, view: View, masters: Mapping[str, Point]) -> None:
        self.curve = view.zeros()
        self.estimated_wh: dict[Rule, int] = {}
        self.profiled_wh = 0
        by_system: dict[str, int] = {}
        for name, master in masters.items():
            one = view.consumption[name]
            wh = view.used_wh(name)
            for rule in Rule:
                if guessed := one.filled.estimated_wh(rule):
                    self.estimated_wh[rule] = self.estimated_wh.get(rule, 0) + guessed
            self.curve += wh
            self.profiled_wh += one.profiled_wh
            system = master.park_system
            by_system[system] = by_system.get(system, 0) + int(wh.sum())
        self.by_system_wh = dict(sorted(by_system.items()))


def region_of(subject: str, masters: Iterable[Point]) -> str:
    """The province, or the narrower region that all points have in common; "" where none says any.
    Raises InvalidInput where they are in several provinces."""
    found = sorted({one.region for one in masters if one.region})
    if len(found) < 2:
        return found[0] if found else ""
    provinces = sorted({one[:2] for one in found})
    if len(provinces) > 1:
        named = ", ".join(regions.name(one) for one in provinces)
        raise InvalidInput(
            f"points of {subject!r} are in {named}: factors are of one region, so the report states"
            " which (region)"
        )
    return provinces[0]


def total_wh(view: View, kind: str, owner: str = "") -> int | None:
    """Wh of points of a kind without sub-points, of one owner or of all; None where there are no
    readings. Only readings wholly inside the period count."""
    found = None
    for name in view.reader.leaves(kind):
        if owner and view.reader.points[name].master.owner != owner:
            continue
        for item in view.reader.series(name, view.period):
            found = (found or 0) + sum(item.value.tolist())
    return found


def _exports(view: View, party: str) -> list[Export]:
    """What left through meters of export, and what others of the park got directly."""
    points = view.reader.points
    own = {
        one.technology
        for one in (found.master for found in points.values())
        if one.owner == party and one.kind == "generation"
    }
    only = own.pop() if len(own) == 1 else ""
    found = []
    for name in view.reader.leaves("grid-export"):
        master = points[name].master
        if master.owner == party:
            wh = sum(sum(one.value.tolist()) for one in view.reader.series(name, view.period))
            technology = master.technology or only
            record = points[name].point.hex()
            found.append(Export(technology=technology, wh=wh, record=record))
    return [*(one for one in found if one.wh), *_delivered(view, party)]


def _delivered(view: View, party: str) -> list[Export]:
    """What lots say that an organisation's plants and storages delivered to other members."""
    delivered: dict[tuple[str, str, str], int] = {}
    for one in view.allotted:
        source, holder = view.points[one.point].master, view.points[one.holder].master
        if (
            source.owner == party != holder.owner
            and source.kind in SUPPLY_KINDS
            and CLASSES[one.supply_class] in BETWEEN_MEMBERS
        ):
            view.use(one.entry_index)
            technology = source.technology if source.kind == "generation" else STORAGE
            key = technology, holder.owner, one.point.hex()
            delivered[key] = delivered.get(key, 0) + one.wh
    return [
        Export(technology=technology, wh=wh, counterparty=other, record=point)
        for (technology, other, point), wh in sorted(delivered.items())
    ]


def parents_of(view: View, activities: Iterable[ActivityFact]) -> dict[str, str]:
    """{point: its parent}, of the points that activities name, up to the top."""
    found: dict[str, str] = {}
    for one in activities:
        point = one.point
        while point and point not in found:
            master = view.points[bytes.fromhex(point)].master
            found[point] = master.parent
            point = master.parent
    return dict(sorted(found.items()))
