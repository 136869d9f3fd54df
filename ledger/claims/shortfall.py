"""When a correction takes away what was claimed: which claims are short, what may still be used.

A division gives each Wh to one lot, and a lot is spent once, so claims can't exceed what was
metered when it was divided. Only a later correction can bring them above it. Then

    used_wh ≤ metered_wh + short_wh

holds in a row of `shorts` for each quarter-hour concerned: only a correction raises `short_wh`, and
while it is above 0 that quarter-hour takes no new use. A replacement or withdrawal lowers it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import Connection, insert, select, update

from ledger.claims import store
from ledger.errors import Refused
from ledger.log import store as log_store
from ledger.log.entry import Entry
from ledger.log.store import LogFacts
from ledger.log.types import Bodies, Tx
from ledger.lots import store as lots
from ledger.lots.model import Month, month_of, months_in
from ledger.lots.packed import Int64
from ledger.lots.schema import shorts
from ledger.matching.metered import metered_wh
from ledger.metering import store as metering
from ledger.metering.batches import Readings
from ledger.metering.effective import effective
from ledger.registry import lifecycle, used
from ledger.registry import store as units
from ledger.registry.leaves import BatchId
from ledger.registry.rule import FORM
from ledger.units import QUARTER_HOUR_S, Period, format_instant

_MADE_GOOD: Final = frozenset({lifecycle.CANCEL, lifecycle.WITHDRAW})
Grids = Mapping[tuple[bytes, Month], Int64]  # (point, month): int64[count]


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """A divided quarter-hour that was corrected downward, last by entry `entry_index`."""

    point: bytes
    start_s: int
    entry_index: int
    metered_wh: int
    used_wh: int
    short_wh: int


def rows_of(
    conn: Connection, log_id: int, point: bytes | None = None, month: Month | None = None
) -> list[Short]:
    query = (
        select(shorts).where(shorts.c.log_id == log_id).order_by(shorts.c.start_s, shorts.c.point)
    )
    if point is not None:
        query = query.where(shorts.c.point == point)
    if month is not None:
        query = query.where(
            shorts.c.start_s >= month.start_s, shorts.c.start_s < month.period.end_s
        )
    return [
        Short(
            point=bytes(row.point),
            start_s=row.start_s,
            entry_index=row.entry_index,
            metered_wh=row.metered_wh,
            used_wh=row.used_wh,
            short_wh=row.short_wh,
        )
        for row in conn.execute(query)
    ]


def after_correction(tx: Tx, _entry: Entry, bodies: Bodies) -> None:
    """What a correction, which was just stored, does to what was divided before."""
    readings = bodies["body"]
    assert isinstance(readings, Readings)
    zone_s = tx.log.zone_s
    touched: dict[tuple[bytes, Month], set[int]] = {}
    for block in readings.blocks:
        first_s = block.start_s // QUARTER_HOUR_S * QUARTER_HOUR_S
        for start_s in range(first_s, block.end_s, QUARTER_HOUR_S):
            month = month_of(start_s, zone_s)
            touched.setdefault((block.point, month), set()).add(start_s)
    divided = {point: lots.divided_months(tx.conn, tx.log.log_id, point) for point, _ in touched}
    for (point, month), starts_s in touched.items():
        if month.start_s in divided[point]:
            _note(tx, point, month, starts_s)


def _note(tx: Tx, point: bytes, month: Month, starts_s: set[int]) -> None:
    log_id = tx.log.log_id
    known = metering.current_points(tx.conn, log_id, only={point})[point]
    # In a replay others of the month may be gone; those that count here are not: see below.
    now_wh = metered_wh(tx.conn, tx.log, known, month, gone_as_zero=True)
    left = lots.left_over(tx.conn, lots.Divisions(tx.conn, tx.log), log_id, point, month)
    claimed = store.used_by_claim(tx.conn, log_id, point, month).values()
    issued = used_by_batch(tx.conn, tx.log, point, month).values()
    used_wh = np.sum([np.zeros(month.count, dtype=np.int64), *claimed, *issued], axis=0)
    before = {row.start_s for row in rows_of(tx.conn, log_id, point, month)}
    fresh = []
    for start_s in sorted(starts_s):
        at = lots.position(start_s, month.start_s)
        left_wh, used_here_wh = int(now_wh[at]), int(used_wh[at])
        if start_s not in before and left_wh >= int(left.base_wh[at]):
            continue
        values = {
            "entry_index": tx.index,
            "metered_wh": left_wh,
            "used_wh": used_here_wh,
            "short_wh": max(0, used_here_wh - left_wh),
        }
        if start_s in before:
            _update(tx, point, start_s, values)
        else:
            fresh.append({"log_id": log_id, "point": point, "start_s": start_s, **values})
    if fresh:
        tx.conn.execute(insert(shorts), fresh)


def before_erasure(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    """What a correction left of divided energy, and so what may be used of it, follows from the
    readings that were in force then: these stay. Raises Refused."""
    log_id = tx.log.log_id
    for leaf in entry.statement["batches"]:
        index = log_store.index_of_leaf(tx.conn, log_id, bytes.fromhex(leaf))
        for point, start_s, end_s, _ in metering.spans_of_batch(tx.conn, log_id, index or 0):
            touched = _quarters(start_s, end_s)
            for by, corrected in metering.corrections_in(tx.conn, log_id, point, touched):
                shared = _shared(touched, _quarters(corrected.start_s, corrected.end_s))
                if _limits(tx, point, shared, by) and index in _in_force(tx, point, shared, by):
                    raise Refused(
                        f"the batch of entry {index} can't be erased: by the correction of entry"
                        f" {by}, what may be used of point {point.hex()} from"
                        f" {format_instant(shared.start_s)} follows from it"
                    )


def _quarters(start_s: int, end_s: int) -> Period:
    """The quarter-hours that a span touches."""
    return Period(
        start_s=start_s // QUARTER_HOUR_S * QUARTER_HOUR_S,
        end_s=-(-end_s // QUARTER_HOUR_S) * QUARTER_HOUR_S,
    )


def _shared(one: Period, other: Period) -> Period:
    return Period(start_s=max(one.start_s, other.start_s), end_s=min(one.end_s, other.end_s))


def _limits(tx: Tx, point: bytes, span: Period, by: int) -> bool:
    """Whether something of a point's span was divided before entry `by`."""
    return any(
        row.entry_index < by
        for month in months_in(span, tx.log.zone_s)
        for row in lots.origins_of(tx.conn, tx.log.log_id, point, month)
    )


def _in_force(tx: Tx, point: bytes, span: Period, by: int) -> set[int]:
    """The entries whose readings were in force after entry `by`."""
    items = effective(
        tx.conn,
        tx.log.log_id,
        point,
        start_s=span.start_s,
        end_s=span.end_s,
        as_of=by + 1,
        gone_as_zero=True,
    )
    return {index for item in items for index in np.unique(item.entry_index).tolist()}


def used_by_batch(
    conn: Connection, log: LogFacts, point: bytes, month: Month
) -> dict[BatchId, Int64]:
    """{batch of certificates: int64[count]}: what was issued of a point's month, out of lots that
    were spent for it."""
    rows = {row.lot: row for row in lots.lots_of_origin(conn, log.log_id, point, month.start_s)}
    behind = units.batches_of_lots(conn, log.log_id, rows)
    wrapped = lots.wrapped(conn, log.log_id, FORM, behind)
    divisions = lots.Divisions(conn, log)
    found: dict[BatchId, Int64] = {}
    for lot, batches in behind.items():
        if lot not in wrapped:
            wh = divisions.lot_wh(rows[lot])
            for batch in batches:
                found[batch] = found[batch] + wh if batch in found else wh
    return found


def after_issue(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    """Lots that certificates spend are used, as those of a claim are. Raises Refused where a
    correction has left less."""
    spends = [bytes.fromhex(lot) for lot in entry.statement["spends"]]
    known = lots.lots_by_id(tx.conn, tx.log.log_id, spends)
    divisions = lots.Divisions(tx.conn, tx.log)
    rows = ((known[lot], divisions.lot_wh(known[lot])) for lot in spends)
    change_use(tx, {}, used_grids(rows, tx.log.zone_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortBatch:
    """Certificates that say more than the meters do now: `short_wh` of the lots behind them, of
    which `made_good_wh` were made good since, by units that were withdrawn or cancelled."""

    batch: BatchId
    project: str
    short_wh: int
    made_good_wh: int

    @property
    def open_wh(self) -> int:
        return max(0, self.short_wh - self.made_good_wh)


def short_batches(conn: Connection, log: LogFacts) -> list[ShortBatch]:
    """Batches behind which corrections left too little, by batch."""
    zone_s = log.zone_s
    short_wh: dict[BatchId, int] = {}
    by_month: dict[tuple[bytes, Month], list[Short]] = {}
    for row in rows_of(conn, log.log_id):
        by_month.setdefault((row.point, month_of(row.start_s, zone_s)), []).append(row)
    for (point, month), rows in by_month.items():
        behind, unclaimed_wh = _behind(conn, log, point, month)
        for row in rows:
            at = lots.position(row.start_s, month.start_s)
            missing_wh = max(0, row.used_wh + int(unclaimed_wh[at]) - row.metered_wh)
            for batch, wh in behind.items():
                lost_wh = min(missing_wh, int(wh[at]))
                if lost_wh:
                    short_wh[batch] = short_wh.get(batch, 0) + lost_wh
    batches = units.batches_by_id(conn, log.log_id, short_wh)
    found = []
    for batch, wh_ in sorted(short_wh.items()):
        gone = used.gone_of_code(conn, log.log_id, batch.scheme, batch.code)
        back = sum(len(one.units) for one in gone if one.batch == batch and one.act in _MADE_GOOD)
        row_ = batches[batch]
        found.append(
            ShortBatch(
                batch=batch,
                project=row_.project,
                short_wh=wh_,
                made_good_wh=back * row_.unit_size,
            )
        )
    return found


def _behind(
    conn: Connection, log: LogFacts, point: bytes, month: Month
) -> tuple[dict[BatchId, Int64], Int64]:
    """({batch: int64[count], the energy of all lots behind it}, what of it no claim uses and no
    certificate spends: the certificates that are another form of it say it all the same)."""
    rows = {row.lot: row for row in lots.lots_of_origin(conn, log.log_id, point, month.start_s)}
    divisions = lots.Divisions(conn, log)
    behind = units.batches_of_lots(conn, log.log_id, rows)
    wrapped = lots.wrapped(conn, log.log_id, FORM, behind)
    found: dict[BatchId, Int64] = {}
    unclaimed_wh = np.zeros(month.count, dtype=np.int64)
    for lot, batches in behind.items():
        wh = divisions.lot_wh(rows[lot])
        if lot in wrapped:
            unclaimed_wh += wh
        for batch in batches:
            found[batch] = found[batch] + wh if batch in found else wh
    for used_wh in store.used_of_lots(conn, log.log_id, wrapped, month).values():
        unclaimed_wh -= used_wh
    return found, unclaimed_wh


def _update(tx: Tx, point: bytes, start_s: int, values: Mapping[str, int]) -> None:
    tx.conn.execute(
        update(shorts)
        .where(
            shorts.c.log_id == tx.log.log_id,
            shorts.c.point == point,
            shorts.c.start_s == start_s,
        )
        .values(**values)
    )


def change_use(tx: Tx, before: Grids, after: Grids) -> None:
    """Book a change of use. Raises Refused where it is new use of what is short, or of more than
    was metered."""
    for point, month in sorted({*before, *after}):
        rows = rows_of(tx.conn, tx.log.log_id, point, month)
        for row in rows:
            at = lots.position(row.start_s, month.start_s)
            old_wh, new_wh = _at(before, point, month, at), _at(after, point, month, at)
            if old_wh != new_wh:
                _change(tx, row, old_wh, new_wh)


def _at(grids: Grids, point: bytes, month: Month, position: int) -> int:
    grid = grids.get((point, month))
    return 0 if grid is None else int(grid[position])


def _change(tx: Tx, row: Short, old_wh: int, new_wh: int) -> None:
    used_wh = row.used_wh - old_wh + new_wh
    if new_wh > old_wh and used_wh > row.metered_wh:
        raise Refused(
            f"point {row.point.hex()} at {format_instant(row.start_s)}: a correction (entry"
            f" {row.entry_index}) left {row.metered_wh} Wh, of which others use"
            f" {row.used_wh - old_wh}: {new_wh} Wh can't be used"
        )
    short_wh = min(row.short_wh, max(0, used_wh - row.metered_wh))
    _update(tx, row.point, row.start_s, {"used_wh": used_wh, "short_wh": short_wh})


def require_covered(tx: Tx, grids: Grids) -> None:
    """A claim that has just been made is not short. Raises Refused."""
    for (point, month), wh in grids.items():
        for row in rows_of(tx.conn, tx.log.log_id, point, month):
            if row.short_wh and wh[lots.position(row.start_s, month.start_s)]:
                raise Refused(
                    f"point {point.hex()} at {format_instant(row.start_s)}: {row.used_wh} Wh are"
                    f" claimed, a correction (entry {row.entry_index}) left {row.metered_wh} Wh"
                )


def short_claims(conn: Connection, log: LogFacts) -> dict[bytes, int]:
    """{claim in force that says more than the meters: the first correction that made it so}."""
    zone_s = log.zone_s
    by_month: dict[tuple[bytes, Month], list[Short]] = {}
    for row in rows_of(conn, log.log_id):
        if row.short_wh:
            by_month.setdefault((row.point, month_of(row.start_s, zone_s)), []).append(row)
    found: dict[bytes, int] = {}
    for (point, month), rows in by_month.items():
        for claim, used_wh in store.used_by_claim(conn, log.log_id, point, month).items():
            for row in rows:
                if used_wh[lots.position(row.start_s, month.start_s)]:
                    found[claim] = min(found.get(claim, row.entry_index), row.entry_index)
    return found


def cause_of(conn: Connection, log: LogFacts, claim: bytes, state: str) -> int | None:
    """The correction that a flag of a claim names, by entry index: what left it short first, or
    was the last that concerned it."""
    if state == store.SHORT:
        return short_claims(conn, log).get(claim)
    zone_s = log.zone_s
    by_month: dict[tuple[bytes, Month], list[Short]] = {}
    for row in rows_of(conn, log.log_id):
        by_month.setdefault((row.point, month_of(row.start_s, zone_s)), []).append(row)
    found = [0]
    for (point, month), rows in by_month.items():
        used_wh = store.used_by_claim(conn, log.log_id, point, month).get(claim)
        if used_wh is not None:
            found += [
                row.entry_index
                for row in rows
                if used_wh[lots.position(row.start_s, month.start_s)]
            ]
    return max(found) or None


def owed_flags(conn: Connection, log: LogFacts) -> dict[bytes, str]:
    """{claim in force: the flag that it must be given next}, for those whose last one is wrong."""
    short = set(short_claims(conn, log))
    flags = store.last_flags(conn, log.log_id)
    flagged = {claim for claim, state in flags.items() if state == store.SHORT}
    return {
        claim: store.SHORT if claim in short else store.CURED
        for claim in sorted(short ^ flagged)
        if store.find_claim(conn, log.log_id, claim).in_force
    }


def require_flags(tx: Tx) -> None:
    """Nothing new is used before the log says which claims are short. Raises Refused."""
    owed = owed_flags(tx.conn, tx.log)
    if owed:
        raise Refused(
            f"{len(owed)} claims are short, or are no more, and the log does not say so yet; run:"
            " greenledger claim flag"
        )


def used_grids(
    rows: Iterable[tuple[lots.LotRow, Int64]], zone_s: int
) -> dict[tuple[bytes, Month], Int64]:
    """Sum of what is used of lots, by point and month; each on the grid of its month."""
    found: dict[tuple[bytes, Month], Int64] = {}
    for lot, wh in rows:
        key = lot.point, month_of(lot.month_start_s, zone_s)
        found[key] = found[key] + wh if key in found else wh
    return found
