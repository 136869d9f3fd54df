"""Granular stamps: the quarter-hours of a lot, bound to the certificate of the same energy.

In mainland China the GEC is the sole proof, so a stamp never stands alone: it is `pending` until
the certificate arrives, and then moves, freezes and ends with it (domain.md §1). Elsewhere, by the
rules of a scheme, a lot is issued as granular certificates of its own; a unit is a Wh then, and
units are numbered in the order of time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import Connection

from ledger.errors import NotFound
from ledger.log.store import LogFacts
from ledger.lots import store as lots
from ledger.lots.packed import Int64
from ledger.lots.schema import wraps
from ledger.registry import store, used
from ledger.registry.leaves import BatchId
from ledger.registry.ranges import SerialRange
from ledger.units import QUARTER_HOUR_S

STAMP: Final = "stamp"
PENDING: Final = "pending"
BOUND: Final = "bound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A stamped lot. `batches`: of the certificates that it is bound to. `units`: {state of their
    units, or the act that ended them: how many}."""

    lot: bytes
    entry_index: int
    wh: int
    state: str
    batches: tuple[BatchId, ...]
    units: Mapping[str, int]


def stamps(conn: Connection, log: LogFacts) -> list[Stamp]:
    """All stamped lots, in log order."""
    query = (
        wraps.select()
        .where(wraps.c.log_id == log.log_id, wraps.c.form == STAMP)
        .order_by(wraps.c.entry_index, wraps.c.lot)
    )
    rows = conn.execute(query).all()
    which = [bytes(row.lot) for row in rows]
    known = lots.lots_by_id(conn, log.log_id, which)
    behind = store.batches_of_lots(conn, log.log_id, which)
    return [
        Stamp(
            lot=lot,
            entry_index=row.entry_index,
            wh=known[lot].wh,
            state=BOUND if lot in behind else PENDING,
            batches=tuple(behind.get(lot, ())),
            units=_units(conn, log.log_id, behind.get(lot, [])),
        )
        for row, lot in zip(rows, which, strict=True)
    ]


def _units(conn: Connection, log_id: int, batches: list[BatchId]) -> dict[str, int]:
    found: dict[str, int] = {}
    for batch in batches:
        for row in store.live_of(conn, log_id, batch.scheme, codes=[batch.code]):
            if row.batch == batch:
                found[row.state] = found.get(row.state, 0) + len(row.units)
        for gone in used.gone_of_code(conn, log_id, batch.scheme, batch.code):
            if gone.batch == batch:
                found[gone.act] = found.get(gone.act, 0) + len(gone.units)
    return dict(sorted(found.items()))


def quarters_of(wh: Int64, units: SerialRange, start_s: int) -> dict[int, int]:
    """{start of a quarter-hour: Wh of it}, of units of 1 Wh numbered in the order of time.

    `wh`: int64[n], the lot's; it begins at `start_s`. Raises NotFound beyond its end.
    """
    ends = np.cumsum(wh)
    if units.end > int(ends[-1]):
        raise NotFound(f"the lot has {int(ends[-1])} Wh; there is no unit {units.end - 1}")
    begins = ends - wh
    taken = np.minimum(ends, units.end) - np.maximum(begins, units.first)
    return {start_s + QUARTER_HOUR_S * int(at): int(taken[at]) for at in np.flatnonzero(taken > 0)}
