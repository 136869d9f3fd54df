"""Points with their readings, bills, and storages, as of a log size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ledger.accounting.loading.view import View
from ledger.errors import Refused
from ledger.lots import store as lots
from ledger.lots.model import SUPPLY_KINDS
from ledger.matching.model import SupplyClass
from ledger.metering.effective import effective
from ledger.metering.points import FOREVER_S, Point
from ledger.metering.provenance import ByProvenance, Provenance
from ledger.metering.storages import charge_of
from ledger.metering.store import Registered, span_of
from ledger.registry.scheme import CERTIFICATE
from ledger.scorecard.situation import Bill, Metered, Store
from ledger.units import Period

_BY_DEVICES = frozenset({Provenance.METER, Provenance.GATEWAY})
_CHARGING = (SupplyClass.SELF_USE, SupplyClass.DIRECT_SUPPLY)


def points_of(view: View, at_s: int) -> Iterator[Metered]:
    """All points; what is due of them ends with `at_s`, where the period has not ended."""
    provenance = ByProvenance(view.conn, view.log, view.as_of)
    until_s = min(view.period.end_s, at_s + 1)
    for one in sorted(view.points.values(), key=lambda one: one.point):
        view.use(one.entry_index)
        yield _point(view, provenance, one, at_s, until_s)


def _point(
    view: View, provenance: ByProvenance, found: Registered, at_s: int, until_s: int
) -> Metered:
    master = found.master
    read = signed = total = 0
    for item in effective(
        view.conn,
        view.log.log_id,
        found.point,
        start_s=view.period.start_s,
        end_s=until_s,
        as_of=view.as_of,
    ):
        entries, counts = np.unique(item.entry_index, return_counts=True)
        view.use(*entries.tolist())
        read += len(item.series)
        total += int(item.series.value.sum())
        signed += sum(
            count
            for entry, count in zip(entries.tolist(), counts.tolist(), strict=True)
            if provenance.of_batch(entry) in _BY_DEVICES
        )
    return Metered(
        point=found.point.hex(),
        name=master.name,
        kind=master.kind,
        owner=master.owner,
        unit=master.unit,
        park_system=master.park_system,
        parent=master.parent,
        capacity_w=master.capacity if master.capacity_unit == "W" else 0,
        meter=any(one.period.start_s <= at_s < one.period.end_s for one in master.meters),
        due=_due(master, view.period.start_s, until_s),
        read=read,
        signed=signed,
        read_wh=total,
    )


def _due(master: Point, start_s: int, until_s: int) -> int:
    """Intervals: a point with dated meters is read from the first one on."""
    if not master.interval_s:
        return 0
    first_s = min((one.period.start_s for one in master.meters), default=-FOREVER_S)
    return max(0, until_s - max(start_s, first_s)) // master.interval_s


def bills_of(view: View) -> Iterator[Bill]:
    """Bills inside the period, each beside what the meter above it reads in its time."""
    for parent, bills in sorted(view.reader.bills(view.period).items()):
        if not parent:
            continue
        for one in bills:
            read_wh = sum(
                int(series.value.sum()) for series in view.reader.series(parent, one.period)
            )
            yield Bill(point=parent, billed_wh=one.wh, read_wh=read_wh)


def storages_of(view: View) -> Iterator[Store]:
    """Each storage, from its first reading until the period's end."""
    whole = Period(start_s=0, end_s=view.period.end_s)
    allotted = lots.allotted(view.conn, view.log.log_id, whole, view.as_of)
    masters = [(one.point.hex(), one.master) for one in view.points.values()]
    for name in view.reader.leaves("storage-discharge"):
        discharge = view.reader.points[name]
        try:
            charge = view.points[bytes.fromhex(charge_of(discharge.master, masters))]
        except Refused:
            # It hangs under no storage: nothing says what went in.
            yield Store(
                name=name,
                charged_wh=0,
                discharged_wh=_ever_wh(view, discharge),
                green_in_wh=0,
                green_out_wh=0,
            )
            continue
        yield Store(
            name=name,
            charged_wh=_ever_wh(view, charge),
            discharged_wh=_ever_wh(view, discharge),
            green_in_wh=sum(
                one.wh
                for one in allotted
                if one.holder == charge.point
                and one.supply_class in _CHARGING
                and view.points[one.point].master.kind in SUPPLY_KINDS
            ),
            green_out_wh=sum(
                one.wh
                for one in allotted
                if one.point == discharge.point and one.supply_class == SupplyClass.STORAGE
            ),
            certificates=_certificates(view, discharge.point),
        )


def _ever_wh(view: View, found: Registered) -> int:
    """All that a point read until the period's end."""
    span = span_of(view.conn, view.log.log_id, found.point, view.as_of)
    if span is None or span[0] >= view.period.end_s:
        return 0
    whole = Period(start_s=span[0], end_s=view.period.end_s)
    return sum(int(one.value.sum()) for one in view.reader.series(found.master.name, whole))


def _certificates(view: View, discharge: bytes) -> int:
    """Projects of a point whose scheme's certificates are of no discharge."""
    return sum(
        discharge in project.master.points
        and view.schemes[scheme].rules.kind == CERTIFICATE
        and not any(
            SupplyClass.STORAGE in one.lot_classes
            for one in view.schemes[scheme].rules.classes.values()
        )
        for (scheme, _), project in view.projects.items()
    )
