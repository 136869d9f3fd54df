"""Divisions and lots in the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, and_, func, insert, or_, select

from ledger.errors import Corrupt
from ledger.log import store as log_store
from ledger.log.store import LogFacts
from ledger.lots.division import DividedOrigin, Division, Place
from ledger.lots.model import NO_LOT, Month
from ledger.lots.packed import Int64
from ledger.lots.schema import lots, origins, spends, wraps
from ledger.units import QUARTER_HOUR_S, Period

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LotRow:
    """A lot without its quarter-hours. `number`: its place in what entry `entry_index` creates."""

    lot: bytes
    entry_index: int
    number: int
    point: bytes
    month_start_s: int
    revision: int
    supply_class: int
    holder: bytes
    wh: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginRow:
    """A divided origin: place `number` of entry `entry_index`, for the run of `run_index`."""

    point: bytes
    month_start_s: int
    revision: int
    entry_index: int
    number: int
    run_index: int
    remainder: bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeftOver:
    """What the divisions of a point's month left: int64[count] each.

    `base_wh`: metered Wh that they took in. `carried_wh`: what their last remainder lot, which is
    not spent, still has. `last`: the last division, None before the first.
    """

    last: OriginRow | None
    carried: bytes
    base_wh: Int64
    carried_wh: Int64

    @property
    def revision(self) -> int:
        """The one that comes next."""
        return self.last.revision + 1 if self.last else 0

    def fresh_wh(self, metered_wh: Int64) -> Int64:
        """What a division takes in: the increase, or what a correction took away as far as the
        remainder can give it back."""
        fresh_wh: Int64 = np.maximum(metered_wh - self.base_wh, -self.carried_wh)
        return fresh_wh


def load_division(conn: Connection, log: LogFacts, entry_index: int) -> Division:
    """Raises Corrupt where its body is not stored."""
    entry = log_store.entry_at(conn, log.log_id, entry_index)
    data = log_store.load_body(conn, log.log_id, entry.statement["body"]["root"])
    if data is None:
        raise Corrupt(f"the body of the division of entry {entry_index} is not stored here")
    creates = tuple(bytes.fromhex(lot) for lot in entry.statement["creates"])
    roots = conn.execute(
        select(origins.c.outer_root)
        .where(origins.c.log_id == log.log_id, origins.c.entry_index == entry_index)
        .order_by(origins.c.number)
    ).scalars()
    return Division.load(
        data,
        place=Place(origin=log.origin, id=entry.id, creates=creates),
        outer_roots=[bytes(root) for root in roots],
        key=entry.statement["body"]["root"],
    )


class Divisions:
    """Loads divisions, each once."""

    def __init__(self, conn: Connection, log: LogFacts) -> None:
        self._conn = conn
        self._log = log
        self._found: dict[int, Division] = {}

    def at(self, entry_index: int) -> Division:
        if entry_index not in self._found:
            self._found[entry_index] = load_division(self._conn, self._log, entry_index)
        return self._found[entry_index]

    def lot_wh(self, row: LotRow) -> Int64:
        """int64[count]: a lot's Wh on the grid of its month."""
        return self.at(row.entry_index).lot_of(row.number)[1].wh


def _origin(row: Any) -> OriginRow:
    return OriginRow(
        point=bytes(row.point),
        month_start_s=row.month_start_s,
        revision=row.revision,
        entry_index=row.entry_index,
        number=row.number,
        run_index=row.run_index,
        remainder=bytes(row.remainder) if row.remainder is not None else NO_LOT,
    )


def origins_of(
    conn: Connection, log_id: int, point: bytes, month: Month, as_of: int | None = None
) -> list[OriginRow]:
    """The divisions of a point's month, in order."""
    query = (
        select(origins)
        .where(
            origins.c.log_id == log_id,
            origins.c.point == point,
            origins.c.month_start_s == month.start_s,
        )
        .order_by(origins.c.revision)
    )
    if as_of is not None:
        query = query.where(origins.c.entry_index < as_of)
    return [_origin(row) for row in conn.execute(query)]


def left_over(
    conn: Connection,
    divisions: Divisions,
    log_id: int,
    point: bytes,
    month: Month,
    as_of: int | None = None,
) -> LeftOver:
    """What the divisions of a point's month left, as of a log size."""
    found = origins_of(conn, log_id, point, month, as_of)
    nothing = np.zeros(month.count, dtype=np.int64)
    if not found:
        return LeftOver(last=None, carried=NO_LOT, base_wh=nothing, carried_wh=nothing)
    last = found[-1]
    body: DividedOrigin = divisions.at(last.entry_index).origins[last.number]
    carried, carried_wh = NO_LOT, nothing
    if last.remainder != NO_LOT and not spent(conn, log_id, [last.remainder], as_of):
        carried = last.remainder
        carried_wh = next(lot.wh for lot in body.lots if lot.supply_class == 0)
    return LeftOver(
        last=last, carried=carried, base_wh=body.base_wh + body.fresh_wh, carried_wh=carried_wh
    )


def spent(
    conn: Connection, log_id: int, which: Collection[bytes], as_of: int | None = None
) -> dict[bytes, int]:
    """Those of some lots that are spent, and by which entries."""
    found: dict[bytes, int] = {}
    wanted = sorted(which)
    for begin in range(0, len(wanted), _AT_ONCE):
        query = select(spends.c.lot, spends.c.entry_index).where(
            spends.c.log_id == log_id, spends.c.lot.in_(wanted[begin : begin + _AT_ONCE])
        )
        if as_of is not None:
            query = query.where(spends.c.entry_index < as_of)
        rows = conn.execute(query.order_by(spends.c.lot))
        found.update((bytes(lot), index) for lot, index in rows)
    return found


def lot_row(row: Any) -> LotRow:
    return LotRow(
        lot=bytes(row.lot),
        entry_index=row.entry_index,
        number=row.number,
        point=bytes(row.point),
        month_start_s=row.month_start_s,
        revision=row.revision,
        supply_class=row.supply_class,
        holder=bytes(row.holder),
        wh=row.wh,
    )


def all_lots(conn: Connection, log_id: int) -> list[LotRow]:
    """By month, point and class."""
    query = (
        select(lots)
        .where(lots.c.log_id == log_id)
        .order_by(lots.c.month_start_s, lots.c.point, lots.c.supply_class, lots.c.lot)
    )
    return [lot_row(row) for row in conn.execute(query)]


def lots_by_id(conn: Connection, log_id: int, which: Collection[bytes]) -> dict[bytes, LotRow]:
    found: dict[bytes, LotRow] = {}
    wanted = sorted(which)
    for begin in range(0, len(wanted), _AT_ONCE):
        query = select(lots).where(
            lots.c.log_id == log_id, lots.c.lot.in_(wanted[begin : begin + _AT_ONCE])
        )
        rows = conn.execute(query.order_by(lots.c.lot))
        found.update((bytes(row.lot), lot_row(row)) for row in rows)
    return found


def lots_between(conn: Connection, log_id: int, first: bytes, last: bytes) -> list[LotRow]:
    """Lots with ids `first` … `last`, both included, by id."""
    query = (
        select(lots)
        .where(lots.c.log_id == log_id, lots.c.lot.between(first, last))
        .order_by(lots.c.lot)
    )
    return [lot_row(row) for row in conn.execute(query)]


def lots_after(
    conn: Connection, log_id: int, after: bytes, points: Collection[bytes] | None, limit: int
) -> list[LotRow]:
    """At most `limit` lots with ids after `after`, by id; only those made by `points`, or held by
    them, if these are given."""
    query = select(lots).where(lots.c.log_id == log_id, lots.c.lot > after)
    query = query.order_by(lots.c.lot).limit(limit)
    if points is None:
        return [lot_row(row) for row in conn.execute(query)]
    found: dict[bytes, LotRow] = {}
    wanted = sorted(points)
    for begin in range(0, len(wanted), _AT_ONCE):
        some = wanted[begin : begin + _AT_ONCE]
        which = or_(lots.c.point.in_(some), lots.c.holder.in_(some))
        found.update((bytes(row.lot), lot_row(row)) for row in conn.execute(query.where(which)))
    return [row for _, row in sorted(found.items())][:limit]


def unspent_held(conn: Connection, log_id: int, holder: bytes, period: Period) -> list[LotRow]:
    """Lots of supply and of cover that a point holds in a period and nobody has spent, by id."""
    query = (
        select(lots)
        .outerjoin(spends, and_(spends.c.log_id == lots.c.log_id, spends.c.lot == lots.c.lot))
        .where(
            lots.c.log_id == log_id,
            lots.c.holder == holder,
            lots.c.supply_class > 0,
            lots.c.month_start_s >= period.start_s,
            lots.c.month_start_s < period.end_s,
            spends.c.lot.is_(None),
        )
        .order_by(lots.c.lot)
    )
    return [lot_row(row) for row in conn.execute(query)]


def lots_held(conn: Connection, log_id: int, holder: bytes, as_of: int) -> list[LotRow]:
    """All lots that were ever allotted to a point below a log size, by id."""
    query = (
        select(lots)
        .where(lots.c.log_id == log_id, lots.c.holder == holder, lots.c.entry_index < as_of)
        .order_by(lots.c.lot)
    )
    return [lot_row(row) for row in conn.execute(query)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotted:
    """Wh of all lots of a class that an entry made of a point's months for a holder."""

    point: bytes
    supply_class: int
    holder: bytes
    entry_index: int
    wh: int


def allotted(conn: Connection, log_id: int, period: Period, as_of: int) -> list[Allotted]:
    """What was made of the months of a period below a log size, without remainders."""
    key = (lots.c.point, lots.c.supply_class, lots.c.holder, lots.c.entry_index)
    query = (
        select(*key, func.sum(lots.c.wh).label("wh"))
        .where(
            lots.c.log_id == log_id,
            lots.c.month_start_s >= period.start_s,
            lots.c.month_start_s < period.end_s,
            lots.c.supply_class > 0,
            lots.c.entry_index < as_of,
        )
        .group_by(*key)
        .order_by(*key)
    )
    return [
        Allotted(
            point=bytes(row.point),
            supply_class=row.supply_class,
            holder=bytes(row.holder),
            entry_index=row.entry_index,
            wh=int(row.wh),
        )
        for row in conn.execute(query)
    ]


def lots_of_origin(conn: Connection, log_id: int, point: bytes, month_start_s: int) -> list[LotRow]:
    """All lots that a point's month was ever divided into."""
    query = (
        select(lots)
        .where(
            lots.c.log_id == log_id,
            lots.c.point == point,
            lots.c.month_start_s == month_start_s,
        )
        .order_by(lots.c.lot)
    )
    return [lot_row(row) for row in conn.execute(query)]


def divided_runs(conn: Connection, log_id: int, as_of: int | None = None) -> list[int]:
    """Entry indexes of the runs that ended in lots."""
    query = select(origins.c.run_index).where(origins.c.log_id == log_id).distinct()
    if as_of is not None:
        query = query.where(origins.c.entry_index < as_of)
    return sorted(conn.execute(query).scalars())


def divided_months(conn: Connection, log_id: int, point: bytes) -> list[int]:
    """Starts of the months of a point that are divided."""
    query = (
        select(origins.c.month_start_s)
        .where(origins.c.log_id == log_id, origins.c.point == point)
        .distinct()
    )
    return sorted(conn.execute(query).scalars())


def count_lots(conn: Connection, log_id: int) -> tuple[int, int]:
    """How many lots there are, and how many of them are spent."""
    made = conn.execute(select(func.count()).select_from(lots).where(lots.c.log_id == log_id))
    gone = conn.execute(select(func.count()).select_from(spends).where(spends.c.log_id == log_id))
    return made.scalar_one(), gone.scalar_one()


def save_division(
    conn: Connection,
    log_id: int,
    entry_index: int,
    run_index: int,
    found: Sequence[tuple[bytes, int, DividedOrigin]],
    division: Division,
) -> None:
    """`found`: point, revision and content of each origin, in order."""
    conn.execute(
        insert(origins),
        [
            {
                "log_id": log_id,
                "point": point,
                "month_start_s": one.start_s,
                "revision": revision,
                "entry_index": entry_index,
                "number": number,
                "run_index": run_index,
                "remainder": None if one.remainder == NO_LOT else one.remainder,
                "outer_root": division.outer_roots[number],
            }
            for number, (point, revision, one) in enumerate(found)
        ],
    )
    conn.execute(
        insert(lots),
        [
            {
                "log_id": log_id,
                "lot": division.place.creates[lot.number],
                "entry_index": entry_index,
                "number": lot.number,
                "point": point,
                "month_start_s": one.start_s,
                "revision": revision,
                "supply_class": lot.supply_class,
                "holder": lot.holder,
                "wh": int(lot.wh.sum()),
            }
            for point, revision, one in found
            for lot in one.lots
        ],
    )
    save_spends(conn, log_id, entry_index, [one.carried for _, _, one in found])


def save_spends(conn: Connection, log_id: int, entry_index: int, which: Iterable[bytes]) -> None:
    rows = [
        {"log_id": log_id, "lot": lot, "entry_index": entry_index} for lot in which if lot != NO_LOT
    ]
    if rows:
        conn.execute(insert(spends), rows)


def save_wraps(
    conn: Connection, log_id: int, entry_index: int, form: str, which: Sequence[bytes]
) -> None:
    conn.execute(
        insert(wraps),
        [{"log_id": log_id, "lot": lot, "form": form, "entry_index": entry_index} for lot in which],
    )


def wrapped(conn: Connection, log_id: int, form: str, which: Collection[bytes]) -> dict[bytes, int]:
    """Those of some lots that have this form, and by which entries."""
    found: dict[bytes, int] = {}
    wanted = sorted(which)
    for begin in range(0, len(wanted), _AT_ONCE):
        query = select(wraps.c.lot, wraps.c.entry_index).where(
            wraps.c.log_id == log_id,
            wraps.c.form == form,
            wraps.c.lot.in_(wanted[begin : begin + _AT_ONCE]),
        )
        rows = conn.execute(query.order_by(wraps.c.lot))
        found.update((bytes(lot), index) for lot, index in rows)
    return found


def position(start_s: int, month_start_s: int) -> int:
    """Of a quarter-hour in its month."""
    return (start_s - month_start_s) // QUARTER_HOUR_S


def divided_since(conn: Connection, log_id: int, size: int, month_start_s: int) -> set[bytes]:
    """Points whose month was divided by entry `size` or a later one."""
    query = select(origins.c.point).where(
        origins.c.log_id == log_id,
        origins.c.entry_index >= size,
        origins.c.month_start_s == month_start_s,
    )
    return {bytes(point) for point in conn.execute(query).scalars()}
