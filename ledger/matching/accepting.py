"""What the log asks of a division: its own plan gives the same, from run, readings and books, to
the Wh.

The plan is much work, so it is made before the lock is taken; under it the log asks only whether
anything has come since that the plan follows from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.errors import Erased, InvalidInput, Outdated, Refused
from ledger.log import entry as e
from ledger.log import store as log_store
from ledger.log.bodies import tree_kind
from ledger.log.entry import Entry
from ledger.log.erasing import erased_since
from ledger.log.types import Beside, Bodies, EntryType, Tx
from ledger.lots import entries as lot_entries
from ledger.lots import rule, store
from ledger.lots.division import MEDIA, DividedOrigin, Division, Place
from ledger.lots.model import NO_LOT, OriginId, parse_origin
from ledger.matching.allocations import Allocations, LaneRow
from ledger.matching.dividing import Plan, Planner, parts_of
from ledger.matching.model import Int64
from ledger.matching.runs import as_of_of, load_lanes
from ledger.metering import store as metering
from ledger.parties.entries import operator_signs


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Checked:
    """Plans that agree with a division, in its order, by a log of `size` entries.

    `points`: whose master data, readings and divisions they follow from.
    """

    size: int
    plans: tuple[Plan, ...]
    points: frozenset[bytes]

    def holds(self, tx: Tx) -> bool:
        """Whether nothing that they follow from has been appended since."""
        return not (
            erased_since(tx.conn, tx.log.log_id, self.size)
            or metering.registered_since(tx.conn, tx.log.log_id, self.size)
            or store.spent(tx.conn, tx.log.log_id, [plan.carried for plan in self.plans])
            or any(
                store.divided_since(tx.conn, tx.log.log_id, self.size, month.start_s) & self.points
                or metering.read_since(tx.conn, tx.log.log_id, self.size, month.period)
                & self.points
                for month in {plan.id.month for plan in self.plans}
            )
        )


def _check(tx: Tx, entry: Entry, bodies: Bodies, beside: Beside) -> _Checked | None:
    """The plans of a division, before the lock; None where its run is not known yet."""
    leaf = bytes.fromhex(entry.statement["run"])
    if leaf in beside:
        allocated = beside[leaf][1]["body"]
        if not isinstance(allocated, Allocations):
            return None
        return _planned(tx, entry, bodies, allocated.lanes)
    index = log_store.index_of_leaf(tx.conn, tx.log.log_id, leaf)
    if index is None:
        return None
    for id_ in _origins(tx, entry):
        _require_first(tx, index, id_)
    return _planned(tx, entry, bodies, load_lanes(tx.conn, tx.log, index))


def _planned(tx: Tx, entry: Entry, bodies: Bodies, lanes: Sequence[LaneRow]) -> _Checked:
    """Raises Refused unless the log, as it stands, divides what the run allotted so."""
    division, ids = _division(bodies), _origins(tx, entry)
    if len(ids) != len(division.origins):
        raise InvalidInput(f"the body divides {len(division.origins)} origins, not {len(ids)}")
    planner = Planner(tx.conn, tx.log)
    allotted = {id_.month: parts_of(lanes, id_.month) for id_ in ids}
    plans = [
        _check_origin(tx, planner, id_, divided, allotted[id_.month].get(id_.point))
        for id_, divided in zip(ids, division.origins, strict=True)
    ]
    points = {id_.point for id_ in ids}.union(*(planner.related(id_.point) for id_ in ids))
    return _Checked(size=tx.index, plans=tuple(plans), points=frozenset(points))


def _division(bodies: Bodies) -> Division:
    division = bodies["body"]
    assert isinstance(division, Division)
    return division


def _origins(tx: Tx, entry: Entry) -> list[OriginId]:
    return [parse_origin(text, tx.log.zone_s) for text in entry.statement["origins"]]


def _accept(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    division = _division(bodies)
    statement = entry.statement
    run_index = _run_of(tx, statement["run"])
    ids = _origins(tx, entry)
    for id_ in ids:
        _require_first(tx, run_index, id_)
    checked = tx.checked
    if not (isinstance(checked, _Checked) and checked.holds(tx)):
        checked = _planned(tx, entry, bodies, load_lanes(tx.conn, tx.log, run_index))
    as_of = as_of_of(tx.conn, tx.log.log_id, run_index)
    for plan in checked.plans:
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
    tx: Tx,
    planner: Planner,
    id_: OriginId,
    divided: DividedOrigin,
    parts: Mapping[tuple[int, bytes], Int64] | None,
) -> Plan:
    if parts is None:
        raise Refused(f"origin {id_}: the run allotted nothing of it")
    try:
        plan = planner.plan(id_.point, id_.month, parts)
    except Erased as error:
        # What its readings were, it says itself; all else still has to follow from that.
        tx.attest(error)
        plan = planner.plan(id_.point, id_.month, parts, stated=divided)
    if plan.id.revision != id_.revision:
        raise Outdated(
            f"origin {id_}: the next to be divided is {plan.id}; an origin is divided once"
        )
    if not plan.same_as(divided):
        raise Outdated(
            f"origin {id_}: its lots do not follow from run, readings and divisions as they stand;"
            " match again"
        )
    return plan


def _check_known(plan: Plan, as_of: int) -> None:
    """A run that does not know what was divided before would allot it a second time."""
    if plan.last is not None and plan.last.entry_index >= as_of:
        raise Outdated(
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
        check=_check,
    ),
)
