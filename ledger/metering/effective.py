"""The effective series: one value for each point and interval, as of a log size.

A plain reading never overlaps another; a correction takes the place of the reading that it names.
So the effective value of an interval is the one of the latest entry below the log size.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from ledger.errors import Erased
from ledger.log import merkle
from ledger.log.erasing import erased_by
from ledger.metering import store
from ledger.metering.batches import NONCE, Block, leaves_of, nonces
from ledger.metering.series import Series
from ledger.units import format_instant

Int64 = NDArray[np.int64]


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
    gone_as_zero: bool = False,
) -> list[Effective]:
    """Effective readings wholly inside [start_s, end_s), one item for each interval length.

    What the log has erased below that size counts as never read. Raises Erased where something was
    erased since that was in force then; with `gone_as_zero` that has the value 0 instead.
    """
    stored = store.blocks_in(conn, log_id, point, start_s=start_s, end_s=end_s, as_of=as_of)
    by_length: dict[int, list[store.StoredBlock]] = defaultdict(list)
    for found in stored:
        by_length[found.block.length_s].append(found)
    items = (_overlay(point, length_s, some) for length_s, some in sorted(by_length.items()))
    cut = [_inside(item, start_s, end_s) for item in items]
    erased = {found.entry_index for found in stored if found.block.erased}
    if erased:
        known = erased_by(conn, log_id, erased)
        unread = {one for one, by in known.items() if as_of is None or by < as_of}
        cut = [_without(item, unread) for item in cut]
        if not gone_as_zero:
            _require_there(cut, {one: known.get(one) for one in erased - unread})
    return [item for item in cut if len(item.series)]


def _without(item: Effective, entries: Set[int]) -> Effective:
    return _take(item, ~np.isin(item.entry_index, sorted(entries)))


def _require_there(items: Sequence[Effective], gone: Mapping[int, int | None]) -> None:
    for item in items:
        for index in np.unique(item.entry_index).tolist():
            if index not in gone:
                continue
            first_s = int(item.series.start_s[item.entry_index == index][0])
            by = gone[index]
            raise Erased(
                f"point {item.series.point} at {format_instant(first_s)}: the readings of entry"
                f" {index} were erased"
                + (f", by entry {by}" if by is not None else "")
                + "; what follows from them stands on its word, and is not computed again",
                by,
            )


def _overlay(point: bytes, length_s: int, stored: Sequence[store.StoredBlock]) -> Effective:
    # All blocks at once: a year that came one interval at a time has 35,000 of them.
    heads = np.array(
        [
            (found.block.count, found.block.start_s, found.entry_index, found.leaf_offset)
            for found in stored
        ],
        dtype=np.int64,
    )
    counts = heads[:, 0]
    first, entries, leaves = np.repeat(heads[:, 1:], counts, axis=0).T
    place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    starts, leaves = first + place * length_s, leaves + place
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
    return _take(item, (series.start_s >= start_s) & (series.start_s + series.length_s <= end_s))


def _take(item: Effective, keep: NDArray[np.bool_]) -> Effective:
    if keep.all():
        return item
    series = item.series
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


def leaf_hashes_of(conn: Connection, log_id: int, origin: str, item: Effective) -> list[bytes]:
    """Leaf hash of each element of an effective series."""
    hashes = [b""] * len(item.series)
    batches = store.load_batches(conn, log_id, np.unique(item.entry_index).tolist())
    for entry_index, chosen in _groups(item.entry_index):
        for place, leaf in _leaf_hashes(batches[entry_index], origin, [(item, chosen, chosen)]):
            hashes[place] = leaf
    return hashes


def leaf_hashes_in_force(
    conn: Connection, log_id: int, origin: str, blocks: Sequence[Block]
) -> list[bytes | None]:
    """Leaf hash of the effective reading for each interval of `blocks`, which are in order.

    Empty where no reading with that very start and length is in force; None where, in a replay,
    there is one that a later entry erases. Of each batch only the leaves that are wanted are made
    again, whatever the number of blocks.
    """
    hashes: list[bytes | None] = [b""] * sum(block.count for block in blocks)
    by_entry: dict[int, list[tuple[Effective, Int64, Int64]]] = defaultdict(list)
    at = 0
    for point, found in itertools.groupby(blocks, lambda block: block.point):
        mine = list(found)
        start_s = np.concatenate([block.starts_s() for block in mine])
        length_s = np.repeat([block.length_s for block in mine], [block.count for block in mine])
        end_s = mine[-1].end_s
        items = {
            item.series.length_s: item
            for item in effective(
                conn, log_id, point, start_s=int(start_s[0]), end_s=end_s, gone_as_zero=True
            )
        }
        for length, wanted in _groups(length_s):
            if length not in items:
                continue
            item = items[length]
            theirs = np.searchsorted(item.series.start_s, start_s[wanted])
            theirs = np.minimum(theirs, len(item.series) - 1)
            same = item.series.start_s[theirs] == start_s[wanted]
            wanted, theirs = wanted[same], theirs[same]
            for entry_index, chosen in _groups(item.entry_index[theirs]):
                by_entry[entry_index].append((item, theirs[chosen], at + wanted[chosen]))
        at += len(start_s)
    batches = store.load_batches(conn, log_id, sorted(by_entry))
    for entry_index, parts in by_entry.items():
        batch = batches[entry_index]
        if not batch.secret:
            for _, _, places in parts:
                for place in places.tolist():
                    hashes[place] = None
            continue
        for place, leaf in _leaf_hashes(batch, origin, parts):
            hashes[place] = leaf
    return hashes


def _leaf_hashes(
    batch: store.BatchRow, origin: str, parts: Sequence[tuple[Effective, Int64, Int64]]
) -> Iterator[tuple[int, bytes]]:
    """(Place, leaf hash) of readings of one batch: parts are (item, elements of it, places)."""
    count = max(int(item.leaf_index[chosen].max()) for item, chosen, _ in parts) + 1
    nonce = np.frombuffer(nonces(batch.secret, origin, batch.id, count), NONCE)
    for item, chosen, places in parts:
        series = item.series
        rows = leaves_of(
            nonce[item.leaf_index[chosen]],
            bytes.fromhex(series.point),
            series.start_s[chosen],
            series.length_s,
            series.value[chosen],
            series.quality[chosen],
        )
        yield from zip(places.tolist(), merkle.leaf_hashes(rows), strict=True)


def _groups(keys: Int64) -> Iterator[tuple[int, Int64]]:
    """Each value with the places where it stands."""
    order = np.argsort(keys, kind="stable")
    for places in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
        if len(places):
            yield int(keys[places[0]]), places
