"""Registering points and taking readings in: drop repeats, refuse conflicts, build the batches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from ledger.db import reading
from ledger.errors import NotFound, Refused
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt, Submission
from ledger.metering import store
from ledger.metering.batches import Block
from ledger.metering.effective import effective, leaf_hashes_in_force
from ledger.metering.entries import POINT
from ledger.metering.points import Point
from ledger.metering.sealing import Chain, Origin, batches_of
from ledger.metering.series import Series
from ledger.metering.sorting import Sorted
from ledger.parties.desk import Desk, Draft, fresh_id, seal_json, signed_anew

# Who takes readings in says where they came from.
__all__ = [
    "Origin",
    "Taken",
    "find_point",
    "find_points",
    "points_by_name",
    "register_point",
    "take_in",
]


def register_point(
    desk: Desk, master: Point, *, author: str | None = None, current: str | None = None
) -> Receipt:
    """Register a point, or replace the registration of the point with that name.

    `current`: the registration that is to be replaced, `""` where the name has to be free. Raises
    Refused where another one is in force.
    """
    with reading(desk.engine) as conn:
        known = store.point_of_name(conn, desk.log.log_id, master.name)
        point = known.hex() if known else fresh_id()
        registered = store.current_points(conn, desk.log.log_id)
        replaces = registered[known].id if known else ""
    if current is not None and replaces != current:
        raise Refused(
            f"the name {master.name!r} is taken, or its point was replaced meanwhile: read it"
            " again, or choose another"
        )
    return desk.append(
        Draft(
            type=POINT,
            author=author or desk.log.operator,
            members={"point": point, "replaces": replaces},
            bodies={"body": seal_json(master.to_json(), "point")},
        )
    )


def points_by_name(conn: Connection, log_id: int) -> dict[str, store.Registered]:
    return {found.master.name: found for found in store.current_points(conn, log_id).values()}


def find_points(conn: Connection, log_id: int, names: Collection[str]) -> list[store.Registered]:
    """In the order of their names as given. Raises NotFound, and names no other: who asks over
    HTTP is not told what others have."""
    known = store.points_named(conn, log_id, set(names))
    for name in names:
        if name not in known:
            raise NotFound(f"no point {name!r} is registered; see: greenledger point list")
    return [known[name] for name in names]


def find_point(conn: Connection, log_id: int, name: str) -> store.Registered:
    """Raises NotFound."""
    (found,) = find_points(conn, log_id, [name])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a set of readings."""

    receipts: Sequence[Receipt]
    stored: int
    repeats: int
    corrected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """Readings sorted out: the batches to store, signed, and what else there was."""

    submissions: Sequence[Submission]
    stored: int
    repeats: int
    corrected: int

    def taken(self, receipts: Sequence[Receipt]) -> Taken:
        return Taken(
            receipts=receipts, stored=self.stored, repeats=self.repeats, corrected=self.corrected
        )


def take_in(
    desk: Desk, series: Iterable[Series], origin: Origin, *, key: SigningKey | None = None
) -> Taken:
    """Store readings of registered points (Series.point is the point's name), all or nothing.

    Identical repeats are dropped and counted. Different values or flags are refused, unless
    `origin.reason` says why they correct what is in force. `key` signs where the author holds its
    own. Raises InvalidInput, NotFound or Refused.
    """
    given = list(series)

    def append() -> Taken:
        found = sort_out(desk, given, origin, key=key)
        return found.taken(desk.writer.append_all(found.submissions) if found.submissions else [])

    return append() if key is not None else signed_anew(append)


def sort_out(
    desk: Desk, series: Iterable[Series], origin: Origin, *, key: SigningKey | None = None
) -> Taking:
    """What `take_in` would store: repeats dropped, batches sealed and signed. Raises likewise."""
    log_id = desk.log.log_id
    given = list(series)
    with reading(desk.engine) as conn:
        names = list(dict.fromkeys(one.point for one in given))
        known = dict(zip(names, find_points(conn, log_id, names), strict=True))
        ids = {name: registered.point for name, registered in known.items()}
        ends = store.ends_of(conn, log_id, ids.values())
        found = Sorted(correct=bool(origin.reason))
        for one in given:
            point = ids[one.point]
            # What comes in the order of time, as it mostly does, meets nothing.
            behind = len(one) == 0 or int(one.start_s[0]) >= ends.get(point, 0)
            found.add(one, None if behind else _in_force(conn, log_id, point, one))
        last = store.last_batch(conn, log_id, origin.author, origin.source)
        corrections = [
            (blocks, _leaves(conn, desk, blocks)) for blocks in batches_of(ids, found.corrections)
        ]
    chain = Chain(
        log=desk.log.origin,
        origin=origin,
        sign=partial(desk.sign, key=key),
        repeats=found.repeats,
        sequence=last.sequence + 1 if last else 0,
        previous=last.leaf_hash.hex() if last else "",
    )
    for blocks in batches_of(ids, found.fresh):
        chain.add(blocks)
    for blocks, corrects in corrections:
        chain.add(blocks, corrects)
    return Taking(
        submissions=chain.submissions,
        stored=sum(len(one) for one in found.fresh),
        repeats=found.repeats + origin.repeats,
        corrected=sum(len(one) for one in found.corrections),
    )


def _leaves(conn: Connection, desk: Desk, blocks: Sequence[Block]) -> bytes:
    """What a correction of these intervals replaces."""
    found = leaf_hashes_in_force(conn, desk.log.log_id, desk.log.origin, blocks)
    return b"".join(leaf or b"" for leaf in found)


def _in_force(conn: Connection, log_id: int, point: bytes, one: Series) -> Series | None:
    """What the log has of the point in the time of a series, in intervals of its length."""
    start_s, end_s = int(one.start_s[0]), int(one.start_s[-1]) + one.length_s
    for item in effective(conn, log_id, point, start_s=start_s, end_s=end_s):
        if item.series.length_s == one.length_s:
            return item.series
    return None
