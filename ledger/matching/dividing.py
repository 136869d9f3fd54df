"""A run ends in lots: what it allocated of a month becomes lots of supply and of cover, by point.

One lot for each consumer and supply class, one for what is left over. `ledger.matching.accepting`
has what the log asks of a division.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from ledger.errors import Outdated, Refused
from ledger.log.store import LogFacts
from ledger.lots import rule, store
from ledger.lots.division import DividedLot, DividedOrigin, Division, Place
from ledger.lots.model import (
    LOT_BYTES,
    NO_LOT,
    REMAINDER,
    Month,
    OriginId,
    months_in,
)
from ledger.lots.sumtree import EMPTY, HASH
from ledger.matching.allocations import LaneRow
from ledger.matching.drawing import Draws
from ledger.matching.metered import Metered, metered, metered_wh
from ledger.matching.model import Int64
from ledger.metering import store as metering
from ledger.metering.batches import POINT_BYTES, SECRET_BYTES
from ledger.parties.desk import Draft
from ledger.units import QUARTER_HOUR_S, Period, format_instant

# An entry has 65,535 bytes: what its lists may take of them.
_LISTS_BYTES_MAX: Final = 60_000
_ORIGIN_BYTES: Final = 50
_LOT_LIST_BYTES: Final = 2 * LOT_BYTES + 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """What a run allotted of a point's month: `wh`, int64[count], to `holder` as `supply_class`."""

    supply_class: int
    holder: bytes
    wh: Int64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """An origin as it is to be divided: its parts by (class, holder), and what is left over.

    `last`: the division before, if any.
    """

    id: OriginId
    last: store.OriginRow | None
    carried: bytes
    readings: NDArray[np.void]
    base_wh: Int64
    carried_wh: Int64
    fresh_wh: Int64
    parts: tuple[Part, ...]
    remainder_wh: Int64

    @property
    def lots(self) -> int:
        return len(self.parts) + bool(self.remainder_wh.any())

    @property
    def bytes(self) -> int:
        """What it takes of an entry, for its own name, its lots and the one that it spends."""
        return _ORIGIN_BYTES + _LOT_LIST_BYTES * (self.lots + (self.carried != NO_LOT))

    def same_as(self, divided: DividedOrigin) -> bool:
        """Whether a body says exactly this; the numbering of lots is its author's."""
        mine = {(part.supply_class, part.holder): part.wh for part in self.parts}
        if self.remainder_wh.any():
            mine[REMAINDER, bytes(POINT_BYTES)] = self.remainder_wh
        theirs = {(lot.supply_class, lot.holder): lot.wh for lot in divided.lots}
        return (
            (divided.start_s, divided.count, divided.carried)
            == (self.id.month.start_s, self.id.month.count, self.carried)
            and np.array_equal(divided.readings, self.readings)
            and np.array_equal(divided.base_wh, self.base_wh)
            and np.array_equal(divided.carried_wh, self.carried_wh)
            and np.array_equal(divided.fresh_wh, self.fresh_wh)
            and len(divided.lots) == len(theirs)
            and mine.keys() == theirs.keys()
            and all(np.array_equal(wh, theirs[key]) for key, wh in mine.items())
        )


def parts_of(lanes: Iterable[LaneRow], month: Month) -> dict[bytes, dict[tuple[int, bytes], Int64]]:
    """{point: {(class, holder): int64[count]}} of a month: by source the consumers that it
    supplies, by consumer the classes that cover it."""
    found: dict[bytes, dict[tuple[int, bytes], Int64]] = defaultdict(dict)
    for lane in lanes:
        wh = _cut(lane, month)
        if not wh.any():
            continue
        key = lane.supply_class, lane.consumer
        for point in (lane.source, lane.consumer):
            known = found[point].get(key)
            found[point][key] = wh if known is None else known + wh
    return found


def _cut(lane: LaneRow, month: Month) -> Int64:
    """A lane's Wh on the grid of a month."""
    wh = np.zeros(month.count, dtype=np.int64)
    offset = (lane.start_s - month.start_s) // QUARTER_HOUR_S
    begin, end = max(offset, 0), min(offset + len(lane.wh), month.count)
    if begin < end:
        wh[begin:end] = lane.wh[begin - offset : end - offset]
    return wh


class Planner:
    """Plans the division of origins as the log stands now: readings and what is left of them.

    Without `readings` a plan has their energy, not their hashes, which are most of its work.
    """

    def __init__(self, conn: Connection, log: LogFacts, *, readings: bool = True) -> None:
        self._conn = conn
        self._log = log
        self._readings = readings
        self._points = metering.current_points(conn, log.log_id)
        self._divisions = store.Divisions(conn, log)
        self._related = _related(self._points)

    def plan(
        self,
        point: bytes,
        month: Month,
        parts: Mapping[tuple[int, bytes], Int64],
        *,
        stated: DividedOrigin | None = None,
    ) -> Plan:
        """Raises Refused where more was allotted than there is to divide, or where a parent or
        sub-meter of the point was divided for the same time. `stated`: who says what the readings
        gave, where they are erased."""
        found = self._points[point]
        self._check_relatives(found, month, parts)
        left = store.left_over(
            self._conn, self._divisions, self._log.log_id, point, month, as_of=None
        )
        if stated is None:
            shown = self._metered(found, month)
            readings, fresh_wh = shown.readings, left.fresh_wh(shown.wh)
        else:
            readings, fresh_wh = stated.readings, stated.fresh_wh
        rest_wh = left.carried_wh + fresh_wh
        for wh in parts.values():
            rest_wh = rest_wh - wh
        if int(rest_wh.min()) < 0:
            raise Outdated(
                f"point {found.master.name!r} has less left in {month} than the run allotted:"
                " readings were corrected, or divided, since; match again"
            )
        return Plan(
            id=OriginId(point=point, month=month, revision=left.revision),
            last=left.last,
            carried=left.carried,
            readings=readings,
            base_wh=left.base_wh,
            carried_wh=left.carried_wh,
            fresh_wh=fresh_wh,
            parts=tuple(
                Part(supply_class=supply_class, holder=holder, wh=parts[supply_class, holder])
                for supply_class, holder in sorted(parts)
            ),
            remainder_wh=rest_wh,
        )

    def _metered(self, found: metering.Registered, month: Month) -> Metered:
        if self._readings:
            return metered(self._conn, self._log, found, month)
        wh = metered_wh(self._conn, self._log, found, month)
        return Metered(wh=wh, readings=np.full(month.count, np.void(EMPTY), dtype=HASH))

    def related(self, point: bytes) -> Set[bytes]:
        """Points of its kind above and below it: what is divided of them matters to its plan."""
        return self._related.get(point, set())

    def _check_relatives(
        self, found: metering.Registered, month: Month, parts: Mapping[tuple[int, bytes], Int64]
    ) -> None:
        """What a parent's meter shows, its children's show too."""
        allotted = np.any([wh > 0 for wh in parts.values()], axis=0)
        for other in sorted(self.related(found.point)):
            for lot in store.lots_of_origin(self._conn, self._log.log_id, other, month.start_s):
                if lot.supply_class == REMAINDER:
                    continue
                both = allotted & (self._divisions.lot_wh(lot) > 0)
                if both.any():
                    at_s = month.start_s + QUARTER_HOUR_S * int(np.argmax(both))
                    raise Refused(
                        f"point {found.master.name!r} at {format_instant(at_s)}:"
                        f" {self._points[other].master.name!r}, above or below it, was divided for"
                        " the same time; nothing counts twice"
                    )


def _related(points: Mapping[bytes, metering.Registered]) -> dict[bytes, set[bytes]]:
    """{point: those of its kind above and below it}."""
    found: dict[bytes, set[bytes]] = defaultdict(set)
    for one in points.values():
        seen, parent = {one.point}, one.master.parent
        while parent and (above := bytes.fromhex(parent)) not in seen and above in points:
            seen.add(above)
            parent = points[above].master.parent
            if points[above].master.kind == one.master.kind:
                found[one.point].add(above)
                found[above].add(one.point)
    return found


def plan_run(
    conn: Connection,
    log: LogFacts,
    lanes: Sequence[LaneRow],
    period: Period,
    *,
    readings: bool = True,
) -> Iterator[list[Plan]]:
    """What a run divides: for each month its origins, in groups that an entry can hold."""
    planner = Planner(conn, log, readings=readings)
    for month in months_in(period, log.zone_s):
        parts = parts_of(lanes, month)
        plans = [planner.plan(point, month, parts[point]) for point in sorted(parts)]
        yield from _groups(plans)


def _groups(plans: Sequence[Plan]) -> Iterator[list[Plan]]:
    group: list[Plan] = []
    for plan in plans:
        if plan.bytes > _LISTS_BYTES_MAX:
            raise Refused(
                f"origin {plan.id} would have {plan.lots} lots: an entry can name"
                f" {_LISTS_BYTES_MAX // _LOT_LIST_BYTES} at most; let fewer consumers share it"
            )
        if group and sum(one.bytes for one in (*group, plan)) > _LISTS_BYTES_MAX:
            yield group
            group = []
        group.append(plan)
    if group:
        yield group


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Numbered:
    """A division before it is sealed: its origins in order, with the ids of their lots."""

    place: Place
    secret: bytes = field(repr=False)
    plans: tuple[Plan, ...]
    origins: tuple[DividedOrigin, ...]

    def seal(self) -> Division:
        return Division.seal(self.origins, secret=self.secret, place=self.place)

    def draft(self, body: Division, *, run: bytes, operator: str) -> Draft:
        """The entry of this division for the run with leaf hash `run`."""
        plans = self.plans
        return Draft(
            type=rule.DIVIDE,
            id=self.place.id,
            author=operator,
            members={
                "run": run.hex(),
                "origins": [str(plan.id) for plan in plans],
                "spends": sorted(plan.carried.hex() for plan in plans if plan.carried != NO_LOT),
                "creates": [lot.hex() for lot in self.place.creates],
            },
            bodies={"body": body},
        )


def number(plans: Sequence[Plan], *, origin: str, draws: Draws) -> Numbered:
    """Give the lots of some origins their ids; they go by them, so that their order says nothing.

    Ids and secret are drawn from the run's: whoever divides gets the same.
    """
    ordered = sorted(plans, key=lambda plan: str(plan.id))
    of = f"division {ordered[0].id}"
    ids = [
        [draws.draw(f"lot {plan.id} {number}", LOT_BYTES) for number in range(plan.lots)]
        for plan in ordered
    ]
    creates = sorted(lot for mine in ids for lot in mine)
    number_of = {lot: number for number, lot in enumerate(creates)}
    return Numbered(
        place=Place(origin=origin, id=draws.id(of), creates=tuple(creates)),
        secret=draws.draw(f"{of} secret", SECRET_BYTES),
        plans=tuple(ordered),
        origins=tuple(
            _divided(plan, mine, number_of) for plan, mine in zip(ordered, ids, strict=True)
        ),
    )


def _divided(plan: Plan, ids: Sequence[bytes], number_of: Mapping[bytes, int]) -> DividedOrigin:
    """The plan with the ids of its lots, the remainder's last."""
    shares = [(part.supply_class, part.holder, part.wh) for part in plan.parts]
    if plan.remainder_wh.any():
        shares.append((REMAINDER, bytes(POINT_BYTES), plan.remainder_wh))
    lots = [
        DividedLot(number=number_of[lot], supply_class=supply_class, holder=holder, wh=wh)
        for lot, (supply_class, holder, wh) in zip(ids, shares, strict=True)
    ]
    return DividedOrigin(
        start_s=plan.id.month.start_s,
        carried=plan.carried,
        remainder=ids[-1] if plan.remainder_wh.any() else NO_LOT,
        readings=plan.readings,
        base_wh=plan.base_wh,
        carried_wh=plan.carried_wh,
        fresh_wh=plan.fresh_wh,
        lots=tuple(sorted(lots, key=lambda lot: lot.number)),
    )
