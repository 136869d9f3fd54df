"""The effective series: one value for each point and interval, as of a log size.

A plain reading never overlaps another; a correction takes the place of the reading that it names.
So the effective value of an interval is the one of the latest entry below the log size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from ledger.log import merkle
from ledger.metering import store
from ledger.metering.batches import leaf_rows, nonces
from ledger.metering.series import Series

LeafHashes = dict[int, list[bytes]]  # by entry


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Effective:
    """A point's effective series, and for each element the entry and leaf it stands in."""

    series: Series
    entry_index: NDArray[np.int64]
    leaf_index: NDArray[np.int64]


def effective(
    conn: Connection,
    log_id: int,
    point: bytes,
    *,
    start_s: int,
    end_s: int,
    as_of: int | None = None,
) -> list[Effective]:
    """Effective readings wholly inside [start_s, end_s), one item for each interval length."""
    stored = store.blocks_in(conn, log_id, point, start_s=start_s, end_s=end_s, as_of=as_of)
    lengths = sorted({found.block.length_s for found in stored})
    items = (
        _overlay(point, length_s, [one for one in stored if one.block.length_s == length_s])
        for length_s in lengths
    )
    cut = (_inside(item, start_s, end_s) for item in items)
    return [item for item in cut if len(item.series)]


def _overlay(point: bytes, length_s: int, stored: Sequence[store.StoredBlock]) -> Effective:
    starts = np.concatenate([store.starts_of(found.block) for found in stored])
    entries = np.concatenate(
        [np.full(found.block.count, found.entry_index, dtype=np.int64) for found in stored]
    )
    leaves = np.concatenate(
        [found.leaf_offset + np.arange(found.block.count, dtype=np.int64) for found in stored]
    )
    order = np.lexsort((entries, starts))
    # Of equal starts the last in this order is the latest entry.
    ordered = starts[order]
    last = np.append(ordered[1:] != ordered[:-1], True)
    chosen = order[last]
    return Effective(
        series=Series(
            point=point.hex(),
            length_s=length_s,
            start_s=starts[chosen],
            value=np.concatenate([found.block.value for found in stored])[chosen],
            quality=np.concatenate([found.block.quality for found in stored])[chosen],
        ),
        entry_index=entries[chosen],
        leaf_index=leaves[chosen],
    )


def _inside(item: Effective, start_s: int, end_s: int) -> Effective:
    series = item.series
    keep = (series.start_s >= start_s) & (series.start_s + series.length_s <= end_s)
    if keep.all():
        return item
    return Effective(
        series=Series(
            point=series.point,
            length_s=series.length_s,
            start_s=series.start_s[keep],
            value=series.value[keep],
            quality=series.quality[keep],
        ),
        entry_index=item.entry_index[keep],
        leaf_index=item.leaf_index[keep],
    )


def leaf_hashes_in_force(
    conn: Connection,
    log_id: int,
    origin: str,
    point: bytes,
    length_s: int,
    starts_s: Iterable[int],
    hashes: LeafHashes | None = None,
) -> dict[int, bytes]:
    """Leaf hash of the effective reading at each start; starts without a reading are left out.

    `hashes` keeps the leaf hashes of batches from one call to the next.
    """
    known = {} if hashes is None else hashes
    wanted = sorted(starts_s)
    found: dict[int, bytes] = {}
    items = effective(conn, log_id, point, start_s=wanted[0], end_s=wanted[-1] + length_s)
    for item in items:
        if item.series.length_s != length_s:
            continue
        places = np.flatnonzero(np.isin(item.series.start_s, wanted))
        for entry_index in np.unique(item.entry_index[places]).tolist():
            here = places[item.entry_index[places] == entry_index]
            if entry_index not in known:
                known[entry_index] = _leaf_hashes(conn, log_id, origin, entry_index)
            leaves = (known[entry_index][leaf] for leaf in item.leaf_index[here].tolist())
            found.update(zip(item.series.start_s[here].tolist(), leaves, strict=True))
    return found


def _leaf_hashes(conn: Connection, log_id: int, origin: str, entry_index: int) -> list[bytes]:
    batch = store.load_batch(conn, log_id, entry_index)
    assert batch is not None
    blocks = store.blocks_of_batch(conn, log_id, entry_index)
    count = sum(block.count for block in blocks)
    return merkle.leaf_hashes(leaf_rows(blocks, nonces(batch.secret, origin, batch.id, count)))
