"""What a point's meter showed in a month, quarter-hour by quarter-hour, and which readings say so.

A division commits to both (docs/formats.md §3.4), so that a lot leads back to signed readings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from ledger.log.store import LogFacts
from ledger.lots.model import Month
from ledger.lots.sumtree import EMPTY, HASH
from ledger.matching.align import align
from ledger.matching.model import Grid, Int64
from ledger.metering.effective import Effective, effective, leaf_hashes_of
from ledger.metering.store import Registered
from ledger.units import QUARTER_HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Metered:
    """`wh`: int64[count], measured Wh, 0 where missing or estimated. `readings`: V32[count]."""

    wh: Int64
    readings: NDArray[np.void]


def month_grid(month: Month) -> Grid:
    return Grid(
        start_s=month.start_s,
        length_s=QUARTER_HOUR_S,
        count=month.count,
        zone_offset_s=month.zone_offset_s,
    )


def metered(
    conn: Connection, log: LogFacts, found: Registered, month: Month, as_of: int | None = None
) -> Metered:
    """The readings in force as of a log size. Raises InvalidInput where they don't fit a grid."""
    grid = month_grid(month)
    items = _items(conn, log, found, grid, as_of)
    readings = np.full(grid.count, np.void(EMPTY), dtype=HASH)
    for item in items:
        hashes = leaf_hashes_of(conn, log.log_id, log.origin, item)
        rows, covering = _covering(grid, item, hashes)
        readings[rows] = covering
    return Metered(wh=_aligned_wh(grid, found, items), readings=readings)


def metered_wh(
    conn: Connection,
    log: LogFacts,
    found: Registered,
    month: Month,
    as_of: int | None = None,
    *,
    gone_as_zero: bool = False,
) -> Int64:
    """int64[count] as `metered` has it, without the readings: their hashes are most of its work.

    `gone_as_zero`: see `effective`.
    """
    grid = month_grid(month)
    return _aligned_wh(grid, found, _items(conn, log, found, grid, as_of, gone_as_zero))


def _items(
    conn: Connection,
    log: LogFacts,
    found: Registered,
    grid: Grid,
    as_of: int | None,
    gone_as_zero: bool = False,
) -> list[Effective]:
    return effective(
        conn,
        log.log_id,
        found.point,
        start_s=grid.start_s,
        end_s=grid.end_s,
        as_of=as_of,
        gone_as_zero=gone_as_zero,
    )


def _aligned_wh(grid: Grid, found: Registered, items: Sequence[Effective]) -> Int64:
    name = found.master.name
    return align(grid, name, [replace(item.series, point=name) for item in items]).wh


def _covering(
    grid: Grid, item: Effective, hashes: Sequence[bytes]
) -> tuple[Int64, NDArray[np.void]]:
    """Rows of the grid, and for each the hash of the reading, or of the readings, that cover it."""
    length_s = item.series.length_s
    row = (item.series.start_s - grid.start_s) // grid.length_s
    if length_s >= grid.length_s:
        parts = length_s // grid.length_s
        rows = (row[:, None] + np.arange(parts)).reshape(-1)
        return rows, np.repeat(np.frombuffer(b"".join(hashes), HASH), parts)
    count = grid.length_s // length_s
    first = np.flatnonzero(np.diff(row, prepend=row[:1] - 1))
    first = first[np.diff(first, append=len(row)) == count]
    joined = [
        hashlib.sha256(b"\x02" + b"".join(hashes[at : at + count])).digest()
        for at in first.tolist()
    ]
    return row[first], np.frombuffer(b"".join(joined), HASH)
