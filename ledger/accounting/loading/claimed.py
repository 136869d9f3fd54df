"""What claims in force cover of consumption: lots by the quarter-hour, certificates by their month.

A lot is supply of its class, of the technology and region of the point that it comes from; what a
storage discharged is of the technologies that went into it as green, in proportion. Certificates
that are one energy with lots of their claim add nothing (0 Wh in the claim); others are traded with
the power (class green-trade of their scheme), or unbundled. Only what is claimed is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ledger.accounting.facts import (
    DIRECT,
    SELF,
    STORAGE,
    SUPPLY_CLASSES,
    TIMESTAMPED,
    TRADED,
    UNBUNDLED,
    Int64,
    Offset,
    Supply,
)
from ledger.accounting.loading.view import Cut, View
from ledger.certificates.settlement import GREEN_TRADE
from ledger.claims import store as claims
from ledger.claims.manifest import Certificates
from ledger.claims.official import FINAL
from ledger.claims.store import ClaimRow
from ledger.lots import store as lots
from ledger.lots.model import SUPPLY_KINDS, month_of
from ledger.matching.model import SupplyClass
from ledger.matching.rounding import split, take_pro_rata
from ledger.metering.storages import charge_of
from ledger.registry import store as units
from ledger.registry import used
from ledger.registry.leaves import BatchId

CLASSES: Final[Mapping[int, str]] = {
    SupplyClass.SELF_USE: SELF,
    SupplyClass.DIRECT_SUPPLY: DIRECT,
    SupplyClass.STORAGE: STORAGE,
    SupplyClass.GREEN_TRADE: TRADED,
    SupplyClass.CERTIFICATE: TIMESTAMPED,
}
_CORRECTED: Final = "a correction left less consumption than is claimed"
_Key = tuple[bytes, int, bytes, bytes]  # claim, supply class, origin, holder
# Claim, supply class, technology, region, counterparty.
Kind = tuple[bytes, str, str, str, str]
# Of these a member's plant delivers to another member, past the public grid.
BETWEEN_MEMBERS: Final = (DIRECT, STORAGE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Claimed:
    """What some claims cover. `offsets`: their credits."""

    supplies: tuple[Supply, ...]
    offsets: tuple[Offset, ...]


def of_certificates(class_: str) -> str:
    """The class of supply of certificates: those of the class green-trade came with the power."""
    return TRADED if class_ == GREEN_TRADE else UNBUNDLED


def claimed(view: View, rows: Sequence[ClaimRow], consumption_wh: Int64) -> Claimed:
    """`consumption_wh`: int64[T], all that the claims of `rows` may cover; what they say beyond it,
    after a correction, is cut: the last classes first."""
    view.use(*(row.entry_index for row in rows))
    retirements = _Retirements(view, rows)
    supplies = [*_of_lots(view, rows), *retirements.supplies(rows)]
    return Claimed(
        supplies=tuple(_within(view, supplies, consumption_wh)),
        offsets=tuple(retirements.offsets(rows)),
    )


def _of_lots(view: View, rows: Sequence[ClaimRow]) -> list[Supply]:
    conn, log_id = view.conn, view.log.log_id
    bodies = {row.claim: claims.load_claimed(conn, log_id, row.root) for row in rows}
    known = lots.lots_by_id(conn, log_id, {lot for _, found in bodies.values() for lot in found})
    curves: dict[_Key, Int64] = {}
    for claim, (start_s, found) in bodies.items():
        for lot, one in found.items():
            row = known[lot]
            if view.points[row.point].master.kind in SUPPLY_KINDS and len(one.wh):
                key = claim, row.supply_class, row.point, row.holder
                curve = curves.setdefault(key, view.zeros())
                claims.add_on_grid(curve, view.period.start_s, one, start_s)
    origins = _Origins(view)
    by_kind: dict[Kind, Int64] = {}
    author = {row.claim: row.author for row in rows}
    for (claim, class_, point, _), curve in _by_holder(view, curves).items():
        master, name = view.points[point].master, CLASSES[class_]
        other = master.owner if name in BETWEEN_MEMBERS and master.owner != author[claim] else ""
        for technology, part in origins.split(point, class_, curve):
            kind = claim, name, technology, master.region, other
            by_kind[kind] = by_kind.get(kind, 0) + part
    final = {row.claim: view.official(row).status == FINAL for row in rows}
    return [
        Supply(
            supply_class=class_,
            technology=technology,
            region=region,
            wh=int(curve.sum()),
            quarter_wh=curve,
            final=final[claim],
            record=claim.hex(),
            counterparty=counterparty,
        )
        for (claim, class_, technology, region, counterparty), curve in by_kind.items()
        if curve.any()
    ]


def _by_holder(view: View, curves: Mapping[_Key, Int64]) -> dict[_Key, Int64]:
    """No more than each consumption point used, quarter-hour by quarter-hour: the first classes
    first, then by names, since ids are random."""

    def rank(key: _Key) -> tuple[object, ...]:
        claim, class_, point, holder = key
        return class_, view.points[holder].master.name, view.points[point].master.name, claim

    left_wh: dict[bytes, Int64] = {}
    kept: dict[_Key, Int64] = {}
    for key in sorted(curves, key=rank):
        claim, _, _, holder = key
        name = view.points[holder].master.name
        if name not in view.consumption:
            # It has sub-meters by now: what they used limits the whole alone.
            kept[key] = curves[key]
            continue
        if holder not in left_wh:
            left_wh[holder] = view.used_wh(name).copy()
        kept[key] = np.minimum(curves[key], left_wh[holder])
        left_wh[holder] -= kept[key]
        lost_wh = int(curves[key].sum()) - int(kept[key].sum())
        if lost_wh:
            view.cut(Cut(what="claim", id=claim.hex(), wh=lost_wh, why=_CORRECTED))
    return kept


class _Origins:
    """Technologies of what lots come from."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._stored: dict[bytes, dict[str, int]] = {}

    def split(self, point: bytes, class_: int, curve: Int64) -> list[tuple[str, Int64]]:
        """(technology, int64[T]) of what a point supplied: their sum is `curve`."""
        found = self._view.points[point]
        self._view.use(found.entry_index)
        if class_ != SupplyClass.STORAGE:
            return [(found.master.technology, curve)]
        if point not in self._stored:
            self._stored[point] = self._inside(point)
        stored_wh = self._stored[point]
        if len(stored_wh) < 2:
            return [(next(iter(stored_wh), STORAGE), curve)]
        parts = [np.empty_like(curve) for _ in stored_wh]
        # `take_pro_rata` splits no more than the whole, which a correction could have left so.
        scale = 1 + int(curve.max()) // sum(stored_wh.values())
        weights = [np.full_like(curve, wh * scale) for wh in stored_wh.values()]
        take_pro_rata(curve, sum(weights, self._view.zeros()), weights, parts, weights)
        return list(zip(stored_wh, parts, strict=True))

    def _inside(self, discharge: bytes) -> dict[str, int]:
        """{technology: Wh} of all lots that ever went into the storage of a discharge point."""
        view = self._view
        masters = [(one.point.hex(), one.master) for one in view.points.values()]
        charge = bytes.fromhex(charge_of(view.points[discharge].master, masters))
        stored_wh: dict[str, int] = {}
        for row in lots.lots_held(view.conn, view.log.log_id, charge, view.as_of):
            source = view.points[row.point].master
            if source.kind in SUPPLY_KINDS:
                technology = source.technology
                stored_wh[technology] = stored_wh.get(technology, 0) + row.wh
        return dict(sorted(stored_wh.items()))


class _Retirements:
    """What retirements of claims say of certificates and credits."""

    def __init__(self, view: View, rows: Sequence[ClaimRow]) -> None:
        self._view = view
        which = {one for row in rows for one in row.manifest.retirements}
        self._rows = used.retirements_by_id(view.conn, view.log.log_id, which)
        ids = {gone.batch for one in self._rows.values() for gone in one.gone}
        self._batches = units.batches_by_id(view.conn, view.log.log_id, ids)
        view.use(*(one.entry_index for one in self._rows.values()))

    def supplies(self, rows: Sequence[ClaimRow]) -> list[Supply]:
        found = []
        for row in rows:
            for one in row.manifest.certificates:
                if not one.wh:
                    continue
                if self._view.period.contains(one.period):
                    found += self._supply(row, one)
                elif self._view.period.overlaps(one.period):
                    self._cut(one.retirement, one.wh)
        return found

    def _cut(self, retirement: bytes, wh: int) -> None:
        why = "its units are used for a longer time than the report is of"
        self._view.cut(Cut(what="retirement", id=retirement.hex(), wh=wh, why=why))

    def _supply(self, row: ClaimRow, one: Certificates) -> list[Supply]:
        """A retirement, in parts by technology and region, by their units."""
        by_kind: dict[tuple[str, str], int] = {}
        for gone in self._rows[one.retirement].gone:
            kind = self._kind(gone.batch)
            by_kind[kind] = by_kind.get(kind, 0) + len(gone.units)
        kinds = sorted(by_kind)
        month = month_of(one.period.start_s, self._view.log.zone_s)
        final = self._view.official(row).status == FINAL
        return [
            Supply(
                supply_class=of_certificates(one.class_),
                technology=technology,
                region=region,
                wh=wh,
                month_wh={str(month): wh} if month.period.contains(one.period) else {},
                final=final,
                record=row.claim.hex(),
                retirement=one.retirement.hex(),
            )
            for (technology, region), wh in zip(
                kinds, split(one.wh, [by_kind[kind] for kind in kinds]), strict=True
            )
            if wh
        ]

    def _kind(self, batch: BatchId) -> tuple[str, str]:
        """(technology, region) of a batch's project, as far as it is known."""
        view = self._view
        project = view.projects.get((batch.scheme, self._batches[batch].project))
        if project is None:
            return "", ""
        view.use(project.entry_index)
        points = [view.points[one] for one in project.master.points if one in view.points]
        regions = {one.master.region for one in points}
        return project.master.technology, regions.pop() if len(regions) == 1 else ""

    def offsets(self, rows: Sequence[ClaimRow]) -> list[Offset]:
        found = []
        for row in rows:
            for one in row.manifest.credits:
                retired = self._rows[one.retirement]
                if not self._view.period.contains(retired.use.period):
                    if self._view.period.overlaps(retired.use.period):
                        self._cut(one.retirement, 0)
                    continue
                scheme = self._view.schemes[one.scheme]
                self._view.use(scheme.entry_index)
                regions = {self._kind(gone.batch)[1] for gone in retired.gone}
                found.append(
                    Offset(
                        scheme=one.scheme,
                        kind=scheme.rules.kind,
                        units=one.units,
                        unit_size_g=one.unit_size_g,
                        retirement=one.retirement.hex(),
                        claim=row.claim.hex(),
                        region=regions.pop() if len(regions) == 1 else "",
                        purpose=retired.use.purpose,
                    )
                )
        return found


def _within(view: View, supplies: Iterable[Supply], consumption_wh: Int64) -> list[Supply]:
    """In their order, each no more than the others leave of a quarter-hour, and of the whole."""
    left_wh = consumption_wh.copy()
    whole_wh = int(left_wh.sum())
    kept = []
    for one in sorted(supplies, key=_rank):
        if one.quarter_wh is not None:
            curve = np.minimum(one.quarter_wh, left_wh)
            left_wh -= curve
            fits = replace(one, quarter_wh=curve, wh=int(curve.sum()))
        else:
            wh = min(one.wh, whole_wh)
            fits = one if wh == one.wh else replace(one, wh=wh, month_wh={})
        whole_wh -= fits.wh
        if fits.wh < one.wh:
            view.cut(Cut(what="claim", id=one.record, wh=one.wh - fits.wh, why=_CORRECTED))
        if fits.wh:
            kept.append(fits)
    return kept


def _rank(one: Supply) -> tuple[object, ...]:
    """By class; within one by technology and region, since the ids of claims are random."""
    return (
        SUPPLY_CLASSES.index(one.supply_class),
        one.technology,
        one.region,
        one.counterparty,
        one.record,
        one.retirement,
    )
