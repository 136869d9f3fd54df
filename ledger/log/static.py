"""The public log as static files (C2SP tlog-tiles): which files there are, and what is in them."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from ledger.errors import Corrupt
from ledger.log import merkle, store, tiles
from ledger.log.checkpoint import Checkpoint

Progress = Callable[[int, int], None]
# Where a file goes: its name below the folder, and its bytes.
Put = Callable[[str, bytes], None]


def write_tiles(
    conn: Connection,
    log: store.LogFacts,
    begin: int,
    checkpoint: Checkpoint,
    put: Put,
    progress: Progress,
) -> None:
    """All tiles and bundles of a checkpoint that those of size `begin` lack; lowest level first.

    Hashes are computed from the entries on the way. Raises Corrupt where they do not give the
    checkpoint's root: what was put is not to be published then.
    """
    at = begin - begin % tiles.WIDTH
    edge, range_ = _right_edge(conn, log, at)
    bundles = range(at // tiles.WIDTH, -(-checkpoint.size // tiles.WIDTH))
    for number in bundles:
        end = min(at + tiles.WIDTH, checkpoint.size)
        found = [data for _, data in store.entry_range(conn, log.log_id, at, end)]
        if len(found) != end - at:
            raise Corrupt(f"the log holds {len(found)} of the entries {at} to {end - 1}")
        put(tiles.entries_path(number, (end - at) % tiles.WIDTH), tiles.bundle(found))
        leaves = merkle.leaf_hashes(found)
        edge, full = tiles.extend(edge, leaves)
        for leaf in leaves:
            range_.append(leaf)
        for tile in full:
            put(tiles.tile_path(tile.level, tile.number), tile.hashes)
        at = end
        progress(number + 1, bundles.stop)
    for level, pending in enumerate(edge.pending):
        if pending:
            number = (edge.size >> (8 * level)) // tiles.WIDTH
            put(tiles.tile_path(level, number, len(pending)), b"".join(pending))
    if range_.root() != checkpoint.root:
        raise Corrupt(
            f"the stored entries give root {range_.root().hex()} at size {checkpoint.size}, the"
            f" checkpoint signs {checkpoint.root.hex()}: nothing of it is to be published"
        )


def _right_edge(
    conn: Connection, log: store.LogFacts, size: int
) -> tuple[tiles.Edge, merkle.CompactRange]:
    """Of the tree at a size, from the stored tiles."""
    node = store.present_nodes(conn, log.log_id)
    pending = []
    for level in range((size.bit_length() + 7) // 8):
        end = size >> 8 * level
        pending.append(
            tuple(node(8 * level, index) for index in range(end - end % tiles.WIDTH, end))
        )
    hashes, offset = [], 0
    for bit in range(size.bit_length() - 1, -1, -1):
        if size >> bit & 1:
            hashes.append(node(bit, offset >> bit))
            offset += 1 << bit
    return tiles.Edge(size=size, pending=tuple(pending)), merkle.CompactRange(size, hashes)
