"""C2SP tlog-tiles: paths, the growing right edge, and nodes read from tiles.

A tile of level L holds up to 256 hashes, each the root of a complete subtree of 256^L leaves. A
full tile never changes; the *edge* holds the hashes of the one partial tile of each level.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from ledger.errors import InvalidInput
from ledger.log import merkle

WIDTH: Final = 256
TILE_BYTES: Final = WIDTH * merkle.HASH_SIZE


def number_path(number: int, width: int = 0) -> str:
    """`1234067` → `x001/x234/067`, with `.p/<width>` for a partial tile (width 1–255)."""
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.append(f"x{number % 1000:03d}")
    return "/".join(reversed(groups)) + (f".p/{width}" if width else "")


def tile_path(level: int, number: int, width: int = 0) -> str:
    return f"tile/{level}/{number_path(number, width)}"


def entries_path(number: int, width: int = 0) -> str:
    return f"tile/entries/{number_path(number, width)}"


def bundle(entries: Sequence[bytes]) -> bytes:
    """Entry bundle: u16 length ‖ entry, for each. An entry has at most 65,535 bytes."""
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def read_bundle(file: BinaryIO, end: int | None = None) -> Iterator[bytes]:
    """The entries of a bundle, one at a time; up to byte `end`, where one is given. Raises
    InvalidInput where it is cut off."""
    at = count = 0
    while at != end and (head := file.read(2)):
        if len(head) < 2:
            raise InvalidInput(f"entry bundle is cut off at byte {at}, in a length")
        (length,) = struct.unpack(">H", head)
        at += 2
        entry = file.read(length)
        if len(entry) < length or (end is not None and at + length > end):
            raise InvalidInput(f"entry bundle is cut off in entry {count}, at byte {at}")
        yield entry
        at += length
        count += 1


def split_hashes(data: bytes) -> list[bytes]:
    """The hashes of a tile's bytes. Raises InvalidInput for a broken length."""
    if not data or len(data) % merkle.HASH_SIZE or len(data) > TILE_BYTES:
        raise InvalidInput(f"a tile of {len(data)} bytes is not 1 to 256 hashes of 32 bytes")
    size = merkle.HASH_SIZE
    return [data[at : at + size] for at in range(0, len(data), size)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A full tile: 256 hashes, and the root over them (a hash of the level above)."""

    level: int
    number: int
    hashes: bytes
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """The right edge of a tree: for each tile level, the hashes of its partial tile (0–255)."""

    size: int
    pending: tuple[tuple[bytes, ...], ...]

    def encode(self) -> bytes:
        counts = struct.pack(f">B{len(self.pending)}B", len(self.pending), *map(len, self.pending))
        return counts + b"".join(b"".join(level) for level in self.pending)

    @classmethod
    def decode(cls, size: int, data: bytes) -> Edge:
        """Raises InvalidInput unless `data` has exactly the hashes that a tree of `size` needs."""
        counts = [(size >> 8 * level) % WIDTH for level in range((size.bit_length() + 7) // 8)]
        head = bytes([len(counts), *counts])
        hashes = data[len(head) :]
        if size < 0 or data[: len(head)] != head or len(hashes) != sum(counts) * merkle.HASH_SIZE:
            raise InvalidInput(f"the right edge ({len(data)} bytes) is not that of {size} leaves")
        pending = []
        for count in counts:
            row, hashes = hashes[: count * merkle.HASH_SIZE], hashes[count * merkle.HASH_SIZE :]
            pending.append(tuple(split_hashes(row)) if count else ())
        return cls(size=size, pending=tuple(pending))


EMPTY_EDGE: Final = Edge(size=0, pending=())


def extend(edge: Edge, leaves: Sequence[bytes]) -> tuple[Edge, list[Tile]]:
    """Append leaf hashes: the new edge, and the tiles that became full, lowest level first."""
    size = edge.size + len(leaves)
    full: list[Tile] = []
    pending: list[tuple[bytes, ...]] = []
    rising: Sequence[bytes] = leaves
    level = 0
    while rising or level < len(edge.pending):
        waiting = [*(edge.pending[level] if level < len(edge.pending) else ()), *rising]
        first = (edge.size >> (8 * level)) // WIDTH
        count = len(waiting) // WIDTH
        row = waiting[: count * WIDTH]
        while len(row) > count:
            row = merkle.parents(row)
        for offset, root in enumerate(row):
            hashes = b"".join(waiting[offset * WIDTH : (offset + 1) * WIDTH])
            full.append(Tile(level=level, number=first + offset, hashes=hashes, root=root))
        pending.append(tuple(waiting[count * WIDTH :]))
        rising = row
        level += 1
    return Edge(size=size, pending=tuple(pending)), full


class TileNodes:
    """Nodes of a tree of `edge.size` leaves, from full tiles (fetched) and the edge (given).

    Callable as merkle.Node. `fetch(level, number)` gives the 8,192 bytes of a full tile.
    Rows computed inside a tile are kept while the object lives.
    """

    def __init__(self, edge: Edge, fetch: Callable[[int, int], bytes]) -> None:
        self._edge = edge
        self._fetch = fetch
        self._rows: dict[tuple[int, int], list[list[bytes]]] = {}

    def __call__(self, level: int, index: int) -> bytes:
        tile_level, height = divmod(level, 8)
        number, offset = divmod(index, WIDTH >> height)
        if offset == 0 and height == 0 and (tile_level, number) not in self._rows:
            # A tile's first hash alone is often all that a proof needs from it.
            return self._hashes(tile_level, number)[: merkle.HASH_SIZE]
        rows = self._rows.get((tile_level, number))
        if rows is None:
            rows = [split_hashes(self._hashes(tile_level, number))]
            self._rows[tile_level, number] = rows
        while len(rows) <= height:
            rows.append(merkle.parents(rows[-1]))
        return rows[height][offset]

    def tile(self, level: int, number: int, width: int) -> bytes:
        """The first `width` hashes of a tile, as C2SP tlog-tiles serves it; they must be there."""
        return self._hashes(level, number)[: width * merkle.HASH_SIZE]

    def _hashes(self, level: int, number: int) -> bytes:
        if number < (self._edge.size >> (8 * level)) // WIDTH:
            return self._fetch(level, number)
        return b"".join(self._edge.pending[level])
