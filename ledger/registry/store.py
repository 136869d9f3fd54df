"""Schemes, projects, batches and holdings in the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, select

from ledger.registry.leaves import Batch, BatchId, Piece
from ledger.registry.ranges import SerialRange
from ledger.registry.schema import (
    batch_lots,
    batches,
    energy_bars,
    gone_units,
    holding_ends,
    holdings,
)
from ledger.units import Period

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """A batch without its holdings. `number`: its place in the entry."""

    id: BatchId
    entry_index: int
    number: int
    units: SerialRange
    period: Period
    expires_s: int | None
    project: str
    record: bytes
    unit_size: int
    metered: bool
    eligible_wh: int
    carried_wh: int
    left_wh: int

    def is_over(self, at_s: int) -> bool:
        """Whether its units are valid no more."""
        return self.expires_s is not None and self.expires_s <= at_s


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingRow:
    """A holding. `number`: its place in what the entry begins. `ended`: by which act, `""` where it
    is live; `end_index`: by which entry."""

    holding: bytes
    entry_index: int
    number: int
    batch: BatchId
    class_: str
    units: SerialRange
    owner: str
    state: str
    moves: int
    moves_max: int
    ended: str
    end_index: int | None

    @property
    def live(self) -> bool:
        return not self.ended

    @property
    def piece(self) -> Piece:
        return Piece(
            holding=self.holding,
            batch=self.batch,
            class_=self.class_,
            moves=self.moves,
            units=self.units,
        )


# Batches


def _batch(row: Any) -> BatchRow:
    return BatchRow(
        id=BatchId(scheme=row.scheme, code=row.code, revision=row.revision),
        entry_index=row.entry_index,
        number=row.number,
        units=SerialRange(first=row.first_unit, end=row.end_unit),
        period=Period(start_s=row.start_s, end_s=row.end_s),
        expires_s=row.expires_s,
        project=row.project,
        record=bytes(row.record) if row.record is not None else b"",
        unit_size=row.unit_size,
        metered=bool(row.metered),
        eligible_wh=row.eligible_wh,
        carried_wh=row.carried_wh,
        left_wh=row.left_wh,
    )


def find_batches(conn: Connection, log_id: int, *which: ColumnElement[bool]) -> list[BatchRow]:
    """In log order; `which` narrows them."""
    query = (
        select(batches)
        .where(batches.c.log_id == log_id, *which)
        .order_by(batches.c.entry_index, batches.c.number)
    )
    return [_batch(row) for row in conn.execute(query)]


def batches_until(conn: Connection, log_id: int, scheme: str, end_s: int) -> list[BatchRow]:
    """Batches of a time that ends then or before."""
    return find_batches(conn, log_id, batches.c.scheme == scheme, batches.c.end_s <= end_s)


def batches_of_code(conn: Connection, log_id: int, scheme: str, code: str) -> list[BatchRow]:
    """All revisions, in order."""
    return find_batches(conn, log_id, batches.c.scheme == scheme, batches.c.code == code)


def batches_by_id(
    conn: Connection, log_id: int, which: Collection[BatchId]
) -> dict[BatchId, BatchRow]:
    found: dict[BatchId, BatchRow] = {}
    for scheme in sorted({one.scheme for one in which}):
        codes = {one.code for one in which if one.scheme == scheme}
        for rows in batches_of_codes(conn, log_id, scheme, codes).values():
            found.update((row.id, row) for row in rows if row.id in which)
    return found


def batches_of_codes(
    conn: Connection, log_id: int, scheme: str, codes: Collection[str]
) -> dict[str, list[BatchRow]]:
    """{code: all its revisions, in order}."""
    found: dict[str, list[BatchRow]] = {}
    wanted = sorted(codes)
    some = select(batches.c.code).where(batches.c.log_id == log_id, batches.c.scheme == scheme)
    if conn.execute(some.limit(1)).first() is None:
        return found
    for begin in range(0, len(wanted), _AT_ONCE):
        part = wanted[begin : begin + _AT_ONCE]
        for row in find_batches(conn, log_id, batches.c.scheme == scheme, batches.c.code.in_(part)):
            found.setdefault(row.id.code, []).append(row)
    return found


def last_left_wh(conn: Connection, log_id: int, scheme: str, project: str, class_: str) -> int:
    """What the project's metered batches of a class so far left over."""
    query = (
        select(batches.c.left_wh)
        .where(
            batches.c.log_id == log_id,
            batches.c.scheme == scheme,
            batches.c.project == project,
            batches.c["class"] == class_,
            batches.c.metered == 1,
        )
        .order_by(batches.c.entry_index.desc(), batches.c.number.desc())
        .limit(1)
    )
    return conn.execute(query).scalar_one_or_none() or 0


def lots_of_batch(conn: Connection, log_id: int, batch: BatchId) -> list[bytes]:
    query = (
        select(batch_lots.c.lot)
        .where(
            batch_lots.c.log_id == log_id,
            batch_lots.c.scheme == batch.scheme,
            batch_lots.c.code == batch.code,
            batch_lots.c.revision == batch.revision,
        )
        .order_by(batch_lots.c.lot)
    )
    return [bytes(lot) for lot in conn.execute(query).scalars()]


def batches_of_lots(
    conn: Connection, log_id: int, which: Collection[bytes], as_of: int | None = None
) -> dict[bytes, list[BatchId]]:
    """{lot: the batches that it stands behind, as of a log size}, for those of `which` that do."""
    found: dict[bytes, list[BatchId]] = {}
    wanted = sorted(which)
    for begin in range(0, len(wanted), _AT_ONCE):
        query = select(batch_lots).where(
            batch_lots.c.log_id == log_id,
            batch_lots.c.lot.in_(wanted[begin : begin + _AT_ONCE]),
        )
        if as_of is not None:
            query = query.where(
                exists().where(
                    batches.c.log_id == batch_lots.c.log_id,
                    batches.c.scheme == batch_lots.c.scheme,
                    batches.c.code == batch_lots.c.code,
                    batches.c.revision == batch_lots.c.revision,
                    batches.c.entry_index < as_of,
                )
            )
        for row in conn.execute(query.order_by(batch_lots.c.lot, batch_lots.c.scheme)):
            found.setdefault(bytes(row.lot), []).append(
                BatchId(scheme=row.scheme, code=row.code, revision=row.revision)
            )
    return found


def save_batches(
    conn: Connection,
    log_id: int,
    entry_index: int,
    found: Sequence[tuple[Batch, bool]],
    unit_size: int,
) -> None:
    """`found`: each batch, and whether it is metered here. Lots must stand already."""
    conn.execute(
        insert(batches),
        [
            {
                "log_id": log_id,
                "scheme": one.id.scheme,
                "code": one.id.code,
                "revision": one.id.revision,
                "entry_index": entry_index,
                "number": number,
                "first_unit": one.units.first,
                "end_unit": one.units.end,
                "start_s": one.period.start_s,
                "end_s": one.period.end_s,
                "expires_s": one.expires_s,
                "project": one.project,
                "record": bytes.fromhex(one.record) if one.record else None,
                "class": one.class_ if metered else "",
                "unit_size": unit_size,
                "metered": int(metered),
                "eligible_wh": one.eligible_wh,
                "carried_wh": one.carried_wh,
                "left_wh": one.left_wh,
            }
            for number, (one, metered) in enumerate(found)
        ],
    )
    rows = [
        {
            "log_id": log_id,
            "lot": lot,
            "scheme": one.id.scheme,
            "code": one.id.code,
            "revision": one.id.revision,
        }
        for one, _ in found
        for lot in one.lots
    ]
    if rows:
        conn.execute(insert(batch_lots), rows)


# Holdings


def _holding(row: Any) -> HoldingRow:
    return HoldingRow(
        holding=bytes(row.holding),
        entry_index=row.entry_index,
        number=row.number,
        batch=BatchId(scheme=row.scheme, code=row.code, revision=row.revision),
        class_=row._mapping["class"],
        units=SerialRange(first=row.first_unit, end=row.end_unit),
        owner=row.owner,
        state=row.state,
        moves=row.moves,
        moves_max=row.moves_max,
        ended=row.act or "",
        end_index=row.end_index,
    )


_HOLDINGS: Final = select(
    holdings, holding_ends.c.act, holding_ends.c.entry_index.label("end_index")
).outerjoin(
    holding_ends,
    and_(
        holding_ends.c.log_id == holdings.c.log_id,
        holding_ends.c.holding == holdings.c.holding,
    ),
)


def find_holdings(
    conn: Connection, log_id: int, *which: ColumnElement[bool], live: bool = False
) -> list[HoldingRow]:
    """By batch and first unit; `which` narrows them, `live` to those that have not ended."""
    query = _HOLDINGS.where(holdings.c.log_id == log_id, *which).order_by(
        holdings.c.scheme,
        holdings.c.code,
        holdings.c.first_unit,
        holdings.c.entry_index,
        holdings.c.number,
    )
    if live:
        query = query.where(holding_ends.c.holding.is_(None))
    return [_holding(row) for row in conn.execute(query)]


def live_page(
    conn: Connection, log_id: int, *which: ColumnElement[bool], after: bytes, limit: int
) -> list[HoldingRow]:
    """At most `limit` live holdings with ids after `after`, by id; `which` narrows them."""
    query = _HOLDINGS.where(
        holdings.c.log_id == log_id,
        holdings.c.holding > after,
        holding_ends.c.holding.is_(None),
        *which,
    )
    return [_holding(row) for row in conn.execute(query.order_by(holdings.c.holding).limit(limit))]


def begun(conn: Connection, log_id: int, which: Collection[bytes]) -> dict[bytes, int]:
    """{holding: the entry that began it}, for those of `which` that are there."""
    found: dict[bytes, int] = {}
    wanted = sorted(which)
    for begin in range(0, len(wanted), _AT_ONCE):
        query = select(holdings.c.holding, holdings.c.entry_index).where(
            holdings.c.log_id == log_id, holdings.c.holding.in_(wanted[begin : begin + _AT_ONCE])
        )
        rows = conn.execute(query.order_by(holdings.c.holding))
        found.update((bytes(holding), index) for holding, index in rows)
    return found


def holdings_by_id(
    conn: Connection, log_id: int, which: Collection[bytes]
) -> dict[bytes, HoldingRow]:
    found: dict[bytes, HoldingRow] = {}
    wanted = sorted(which)
    for begin in range(0, len(wanted), _AT_ONCE):
        part = wanted[begin : begin + _AT_ONCE]
        rows = find_holdings(conn, log_id, holdings.c.holding.in_(part))
        found.update((row.holding, row) for row in rows)
    return found


def live_of_code(conn: Connection, log_id: int, scheme: str, code: str) -> list[HoldingRow]:
    return find_holdings(
        conn, log_id, holdings.c.scheme == scheme, holdings.c.code == code, live=True
    )


def live_of(
    conn: Connection, log_id: int, scheme: str, owner: str = "", codes: Collection[str] = ()
) -> list[HoldingRow]:
    """Live holdings of a scheme, of one owner or of all, of some codes or of all."""
    which = [holdings.c.scheme == scheme]
    if owner:
        which.append(holdings.c.owner == owner)
    if codes:
        which.append(holdings.c.code.in_(sorted(codes)))
    return find_holdings(conn, log_id, *which, live=True)


def live_due(conn: Connection, log_id: int, at_s: int) -> list[HoldingRow]:
    """Live holdings of units whose validity is over."""
    due = (
        select(batches.c.code)
        .where(
            batches.c.log_id == log_id,
            batches.c.scheme == holdings.c.scheme,
            batches.c.code == holdings.c.code,
            batches.c.revision == holdings.c.revision,
            batches.c.expires_s <= at_s,
        )
        .exists()
    )
    return find_holdings(conn, log_id, due, live=True)


def after(row: HoldingRow, count: int) -> HoldingRow:
    """A holding without its first units, as a plan goes on with it."""
    rest = SerialRange(first=row.units.first + count, end=row.units.end)
    return replace(row, units=rest)


def begun_by(conn: Connection, log_id: int, entry_index: int) -> list[HoldingRow]:
    """What an entry began, in its order."""
    found = find_holdings(conn, log_id, holdings.c.entry_index == entry_index)
    return sorted(found, key=lambda row: row.number)


def ended_by(conn: Connection, log_id: int, entry_index: int) -> list[HoldingRow]:
    return find_holdings(conn, log_id, holding_ends.c.entry_index == entry_index)


def save_holdings(
    conn: Connection,
    log_id: int,
    entry_index: int,
    found: Iterable[tuple[Piece, str, int]],
    state: str,
) -> None:
    """`found`: each holding, its owner, and its class's `moves_max`, in the entry's order."""
    rows = [
        {
            "log_id": log_id,
            "holding": piece.holding,
            "entry_index": entry_index,
            "number": number,
            "scheme": piece.batch.scheme,
            "code": piece.batch.code,
            "revision": piece.batch.revision,
            "class": piece.class_,
            "first_unit": piece.units.first,
            "end_unit": piece.units.end,
            "owner": owner,
            "state": state,
            "moves": piece.moves,
            "moves_max": moves_max,
        }
        for number, (piece, owner, moves_max) in enumerate(found)
    ]
    if rows:
        conn.execute(insert(holdings), rows)


def end_holdings(
    conn: Connection, log_id: int, entry_index: int, which: Sequence[bytes], act: str, tick_s: int
) -> None:
    conn.execute(
        insert(holding_ends),
        [
            {
                "log_id": log_id,
                "holding": holding,
                "entry_index": entry_index,
                "act": act,
                "tick_s": tick_s,
            }
            for holding in which
        ],
    )


# Energy that went into reductions


def barred_months(
    conn: Connection, log_id: int, points: Collection[bytes]
) -> dict[tuple[bytes, int], int]:
    """{(point, start of month): the entry that took its energy for a reduction}."""
    query = (
        select(energy_bars)
        .where(energy_bars.c.log_id == log_id, energy_bars.c.point.in_(sorted(points)))
        .order_by(energy_bars.c.point, energy_bars.c.month_start_s)
    )
    return {(bytes(row.point), row.month_start_s): row.entry_index for row in conn.execute(query)}


def save_bars(
    conn: Connection,
    log_id: int,
    entry_index: int,
    scheme: str,
    months: Collection[tuple[bytes, int]],
) -> None:
    if months:
        conn.execute(
            insert(energy_bars),
            [
                {
                    "log_id": log_id,
                    "point": point,
                    "month_start_s": start_s,
                    "entry_index": entry_index,
                    "scheme": scheme,
                }
                for point, start_s in sorted(months)
            ],
        )


def count_units(conn: Connection, log_id: int) -> Mapping[str, tuple[int, int]]:
    """{scheme: (units imported, units that are gone)}."""
    made = (
        select(batches.c.scheme, func.sum(batches.c.end_unit - batches.c.first_unit))
        .where(batches.c.log_id == log_id)
        .group_by(batches.c.scheme)
        .order_by(batches.c.scheme)
    )
    lost = (
        select(gone_units.c.scheme, func.sum(gone_units.c.end_unit - gone_units.c.first_unit))
        .where(gone_units.c.log_id == log_id)
        .group_by(gone_units.c.scheme)
    )
    gone = {scheme: int(units) for scheme, units in conn.execute(lost)}
    return {scheme: (int(units), gone.get(scheme, 0)) for scheme, units in conn.execute(made)}
