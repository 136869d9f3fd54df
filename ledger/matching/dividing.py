"""A run ends in lots: what it allocated of a month becomes lots of supply and of cover, by point.

One lot for each consumer and supply class, one for what is left over. The log accepts a division
only if its own evaluation of run, readings and earlier divisions gives the same, to the Wh.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from ledger.errors import InvalidInput, Refused
from ledger.log import entry as e
from ledger.log import store as log_store
from ledger.log.bodies import tree_kind
from ledger.log.entry import Entry
from ledger.log.store import LogFacts
from ledger.log.types import Bodies, EntryType, Tx
from ledger.lots import entries as lot_entries
from ledger.lots import rule, store
from ledger.lots.division import MEDIA, DividedLot, DividedOrigin, Division, Place
from ledger.lots.model import (
    LOT_BYTES,
    NO_LOT,
    REMAINDER,
    Month,
    OriginId,
    months_in,
    parse_origin,
)
from ledger.matching.allocations import LaneRow
from ledger.matching.metered import metered
from ledger.matching.model import Int64
from ledger.matching.runs import as_of_of, load_lanes
from ledger.metering import store as metering
from ledger.metering.batches import POINT_BYTES, SECRET_BYTES
from ledger.parties.desk import Draft, fresh_id
from ledger.parties.entries import operator_signs
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
    """Plans the division of origins as the log stands now: readings and what is left of them."""

    def __init__(self, conn: Connection, log: LogFacts) -> None:
        self._conn = conn
        self._log = log
        self._points = metering.current_points(conn, log.log_id)
        self._divisions = store.Divisions(conn, log)
        self._related = _related(self._points)

    def plan(self, point: bytes, month: Month, parts: Mapping[tuple[int, bytes], Int64]) -> Plan:
        """Raises Refused where more was allotted than there is to divide, or where a parent or
        sub-meter of the point was divided for the same time."""
        found = self._points[point]
        self._check_relatives(found, month, parts)
        left = store.left_over(
            self._conn, self._divisions, self._log.log_id, point, month, as_of=None
        )
        shown = metered(self._conn, self._log, found, month)
        fresh_wh = left.fresh_wh(shown.wh)
        rest_wh = left.carried_wh + fresh_wh
        for wh in parts.values():
            rest_wh = rest_wh - wh
        if int(rest_wh.min()) < 0:
            raise Refused(
                f"point {found.master.name!r} has less left in {month} than the run allotted:"
                " readings were corrected, or divided, since; match again"
            )
        return Plan(
            id=OriginId(point=point, month=month, revision=left.revision),
            last=left.last,
            carried=left.carried,
            readings=shown.readings,
            base_wh=left.base_wh,
            carried_wh=left.carried_wh,
            fresh_wh=fresh_wh,
            parts=tuple(
                Part(supply_class=supply_class, holder=holder, wh=parts[supply_class, holder])
                for supply_class, holder in sorted(parts)
            ),
            remainder_wh=rest_wh,
        )

    def _check_relatives(
        self, found: metering.Registered, month: Month, parts: Mapping[tuple[int, bytes], Int64]
    ) -> None:
        """What a parent's meter shows, its children's show too."""
        allotted = np.any([wh > 0 for wh in parts.values()], axis=0)
        for other in sorted(self._related.get(found.point, ())):
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
    conn: Connection, log: LogFacts, lanes: Sequence[LaneRow], period: Period
) -> Iterator[list[Plan]]:
    """What a run divides: for each month its origins, in groups that an entry can hold."""
    planner = Planner(conn, log)
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


def draft(plans: Sequence[Plan], *, run: bytes, operator: str, origin: str) -> Draft:
    """The entry that divides some origins for the run with leaf hash `run`.

    Lots get random ids, and go by them: their order says nothing.
    """
    id_ = fresh_id()
    ordered = sorted(plans, key=lambda plan: str(plan.id))
    ids = [[secrets.token_bytes(LOT_BYTES) for _ in range(plan.lots)] for plan in ordered]
    creates = sorted(lot for mine in ids for lot in mine)
    number_of = {lot: number for number, lot in enumerate(creates)}
    body = Division.seal(
        [_divided(plan, mine, number_of) for plan, mine in zip(ordered, ids, strict=True)],
        secret=secrets.token_bytes(SECRET_BYTES),
        place=Place(origin=origin, id=id_, creates=tuple(creates)),
    )
    return Draft(
        type=rule.DIVIDE,
        id=id_,
        author=operator,
        members={
            "run": run.hex(),
            "origins": [str(plan.id) for plan in ordered],
            "spends": sorted(plan.carried.hex() for plan in plans if plan.carried != NO_LOT),
            "creates": [lot.hex() for lot in creates],
        },
        bodies={"body": body},
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


def _accept(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    division = bodies["body"]
    assert isinstance(division, Division)
    statement = entry.statement
    run_index = _run_of(tx, statement["run"])
    lanes = load_lanes(tx.conn, tx.log, run_index)
    zone_s = tx.log.zone_s
    ids = [parse_origin(text, zone_s) for text in statement["origins"]]
    if len(ids) != len(division.origins):
        raise InvalidInput(f"the body divides {len(division.origins)} origins, not {len(ids)}")
    planner = Planner(tx.conn, tx.log)
    allotted = {id_.month: parts_of(lanes, id_.month) for id_ in ids}
    as_of = as_of_of(tx.conn, tx.log.log_id, run_index)
    for id_, divided in zip(ids, division.origins, strict=True):
        _require_first(tx, run_index, id_)
        plan = _check_origin(planner, id_, divided, allotted[id_.month].get(id_.point))
        _check_known(plan, as_of)
    spends = lot_entries.lot_ids(statement["spends"])
    carried = sorted(one.carried for one in division.origins if one.carried != NO_LOT)
    if spends != carried:
        raise InvalidInput("spends are exactly the remainders that the origins carry over")
    lot_entries.require_unspent(tx, spends)
    known = store.lots_by_id(tx.conn, tx.log.log_id, division.place.creates)
    for lot in known:
        raise Refused(f"lot {lot.hex()} was created before, by entry {known[lot].entry_index}")
    found = [(id_.point, id_.revision, one) for id_, one in zip(ids, division.origins, strict=True)]
    store.save_division(tx.conn, tx.log.log_id, tx.index, run_index, found, division)


def _run_of(tx: Tx, leaf: str) -> int:
    index = log_store.index_of_leaf(tx.conn, tx.log.log_id, bytes.fromhex(leaf))
    if index is None:
        raise Refused(f"run {leaf} is no entry of the log")
    return index


def _require_first(tx: Tx, run_index: int, id_: OriginId) -> None:
    """What a run allotted becomes lots once. Raises Refused."""
    for row in store.origins_of(tx.conn, tx.log.log_id, id_.point, id_.month):
        if row.run_index == run_index:
            raise Refused(
                f"origin {id_}: what its run allotted became lots before, by entry"
                f" {row.entry_index}"
            )


def _check_origin(
    planner: Planner,
    id_: OriginId,
    divided: DividedOrigin,
    parts: Mapping[tuple[int, bytes], Int64] | None,
) -> Plan:
    if parts is None:
        raise Refused(f"origin {id_}: the run allotted nothing of it")
    plan = planner.plan(id_.point, id_.month, parts)
    if plan.id.revision != id_.revision:
        raise Refused(
            f"origin {id_}: the next to be divided is {plan.id}; an origin is divided once"
        )
    if not plan.same_as(divided):
        raise Refused(
            f"origin {id_}: its lots do not follow from run, readings and divisions as they stand;"
            " match again"
        )
    return plan


def _check_known(plan: Plan, as_of: int) -> None:
    """A run that does not know what was divided before would allot it a second time."""
    if plan.last is not None and plan.last.entry_index >= as_of:
        raise Refused(
            f"origin {plan.id} was divided by entry {plan.last.entry_index} since the run, which"
            f" knows the log up to {as_of}; match again"
        )


def _open(data: bytes, entry: Entry, origin: str) -> Division:
    creates = tuple(lot_entries.lot_ids(entry.statement["creates"]))
    return Division.open(data, place=Place(origin=origin, id=entry.id, creates=creates))


ENTRY_TYPES: Final = (
    EntryType(
        name=rule.DIVIDE,
        members={
            "run": e.HASH,
            "origins": lot_entries.ORIGINS,
            "spends": lot_entries.LOTS_OR_NONE,
            "creates": lot_entries.LOTS,
            "body": e.TREE,
        },
        bodies={"body": tree_kind(MEDIA, _open)},
        signers=operator_signs,
        accept=_accept,
    ),
)
