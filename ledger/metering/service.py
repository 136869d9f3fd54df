"""Registering points and taking readings in: drop repeats, refuse conflicts, build the batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from ledger.db import reading
from ledger.errors import NotFound, Refused
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt, Submission
from ledger.metering import store
from ledger.metering.effective import effective, leaf_hashes_in_force
from ledger.metering.entries import POINT
from ledger.metering.points import Point
from ledger.metering.quality import Quality
from ledger.metering.sealing import Chain, Origin, batches_of
from ledger.metering.series import Series
from ledger.parties.desk import Desk, Draft, fresh_id, seal_json
from ledger.units import format_instant

# Who takes readings in says where they came from.
__all__ = [
    "Origin",
    "Taken",
    "find_point",
    "points_by_name",
    "register_point",
    "take_in",
]


def register_point(desk: Desk, master: Point, *, author: str | None = None) -> Receipt:
    """Register a point, or replace the registration of the point with that name."""
    with reading(desk.engine) as conn:
        known = store.point_of_name(conn, desk.log.log_id, master.name)
        point = known.hex() if known else fresh_id()
        current = store.current_points(conn, desk.log.log_id)
        replaces = current[known].id if known else ""
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


def find_point(conn: Connection, log_id: int, name: str) -> store.Registered:
    """Raises NotFound and lists the names that exist."""
    known = points_by_name(conn, log_id)
    if name not in known:
        raise NotFound(f"no point {name!r}; registered are {', '.join(sorted(known)) or 'none'}")
    return known[name]


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


@dataclass(slots=True)
class _Sorted:
    """Readings sorted into new ones, repeats and corrections, by what is in force."""

    fresh: list[Series] = field(default_factory=list)
    corrections: list[Series] = field(default_factory=list)
    repeats: int = 0


def take_in(
    desk: Desk, series: Iterable[Series], origin: Origin, *, key: SigningKey | None = None
) -> Taken:
    """Store readings of registered points (Series.point is the point's name), all or nothing.

    Identical repeats are dropped and counted. Different values or flags are refused, unless
    `origin.reason` says why they correct what is in force. `key` signs where the author holds its
    own. Raises InvalidInput, NotFound or Refused.
    """
    found = sort_out(desk, series, origin, key=key)
    return found.taken(desk.writer.append_all(found.submissions) if found.submissions else [])


def sort_out(
    desk: Desk, series: Iterable[Series], origin: Origin, *, key: SigningKey | None = None
) -> Taking:
    """What `take_in` would store: repeats dropped, batches sealed and signed. Raises likewise."""
    log_id = desk.log.log_id
    given = list(series)
    with reading(desk.engine) as conn:
        known = store.points_named(conn, log_id, {one.point for one in given})
        found = _Sorted()
        for one in given:
            if one.point not in known:
                find_point(conn, log_id, one.point)
            _sort(conn, log_id, known[one.point].point, one, found, correct=bool(origin.reason))
        last = store.last_batch(conn, log_id, origin.author, origin.source)
        ids = {name: registered.point for name, registered in known.items()}
        corrections = [
            (blocks, b"".join(leaf_hashes_in_force(conn, log_id, desk.log.origin, blocks)))
            for blocks in batches_of(ids, found.corrections)
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


def _sort(
    conn: Connection, log_id: int, point: bytes, one: Series, into: _Sorted, *, correct: bool
) -> None:
    if len(one) == 0:
        return
    start_s, end_s = int(one.start_s[0]), int(one.start_s[-1]) + one.length_s
    held = [
        item.series
        for item in effective(conn, log_id, point, start_s=start_s, end_s=end_s)
        if item.series.length_s == one.length_s
    ]
    if not held:
        into.fresh.append(one)
        return
    _, mine, theirs = np.intersect1d(one.start_s, held[0].start_s, return_indices=True)
    # Quality counts: only as a measured one can a value be matched that was estimated before.
    same = (one.value[mine] == held[0].value[theirs]) & (
        _given(one.quality[mine]) == _given(held[0].quality[theirs])
    )
    into.repeats += int(same.sum())
    different = mine[~same]
    if len(different) and not correct:
        first = int(different[0])
        raise Refused(
            f"point {one.point!r} at {format_instant(int(one.start_s[first]))}:"
            f" {_shown(held[0], int(theirs[~same][0]))} is in force, the new value is"
            f" {_shown(one, first)} ({len(different)} such intervals); give a reason to correct"
            " them"
        )
    fresh = np.ones(len(one), dtype=bool)
    fresh[mine] = False
    into.fresh.append(_pick(one, fresh))
    changed = np.zeros(len(one), dtype=bool)
    changed[different] = True
    into.corrections.append(_pick(one, changed, Quality.CORRECTED))


def _given(quality: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Flags as a sender gives them: CORRECTED is set when the value is stored."""
    return quality & ~np.uint16(Quality.CORRECTED)


def _shown(one: Series, place: int) -> str:
    """`40000 (estimated)`: a value and its flags, which may be all that differs."""
    flags = Quality(int(_given(one.quality[place : place + 1])[0]))
    names = ", ".join(flag.name.lower() for flag in flags if flag.name)
    return f"{int(one.value[place])} ({names})" if names else f"{int(one.value[place])}"


def _pick(one: Series, which: NDArray[np.bool_], flag: int = 0) -> Series:
    return Series(
        point=one.point,
        length_s=one.length_s,
        start_s=one.start_s[which],
        value=one.value[which],
        quality=one.quality[which] | np.uint16(flag),
    )
