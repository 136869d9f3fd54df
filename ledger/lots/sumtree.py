"""Sum trees of many quarter-hours at once (docs/formats.md §3.4). Pure.

In each quarter-hour the lots with energy are the leaves of a binary trie over their own hashes, and
each node carries the Wh below it. So two leaves can't stand for the same Wh, all accepted leaves
together can't exceed the root, and nobody chooses which lot stands beside which.

All quarter-hours of a month grow together, from the deepest level up, in arrays: a hash is the only
thing that is computed one by one.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.errors import InvalidInput

Int64 = NDArray[np.int64]
Hashes = NDArray[np.void]  # of 32 bytes each

HASH: Final = np.dtype("V32")
EMPTY: Final = bytes(32)
# Leaves that agree in this many bits are no accident.
DEPTH_MAX: Final = 64
_LEAF: Final = np.dtype([("tag", "S1"), ("nonce", "V16"), ("lot", "V16"), ("wh", ">u8")])
_NODE: Final = np.dtype(
    [("tag", "S1"), ("left", HASH), ("left_wh", ">u8"), ("right", HASH), ("right_wh", ">u8")]
)
_SIBLING: Final = struct.Struct(">32sQ")


def _hash_rows(rows: NDArray[np.void]) -> Hashes:
    """SHA-256 of each row's bytes."""
    sha256 = hashlib.sha256
    found = b"".join([sha256(row).digest() for row in rows.view(f"V{rows.itemsize}").tolist()])
    return np.frombuffer(found, HASH)


def leaf_hashes(lot: bytes, nonce: NDArray[np.void], wh: Int64) -> Hashes:
    """H("L" ‖ nonce ‖ lot ‖ wh) for each element; `nonce` is V16[n], `wh` int64[n], above 0."""
    rows = np.empty(len(wh), dtype=_LEAF)
    rows["tag"] = b"L"
    rows["nonce"] = nonce
    rows["lot"] = np.void(lot)
    rows["wh"] = wh
    return _hash_rows(rows)


def node_hashes(left: Hashes, left_wh: Int64, right: Hashes, right_wh: Int64) -> Hashes:
    """H("N" ‖ left ‖ its Wh ‖ right ‖ its Wh) for each pair."""
    rows = np.empty(len(left), dtype=_NODE)
    rows["tag"] = b"N"
    rows["left"], rows["left_wh"] = left, left_wh
    rows["right"], rows["right_wh"] = right, right_wh
    return _hash_rows(rows)


@dataclass(frozen=True, slots=True, eq=False)
class Roots:
    """`position`: int64[r], those with a leaf, increasing. `root`: V32[r]. `wh`: int64[r].

    `paths`: for each target that was asked for, its path as §9 writes it.
    """

    position: Int64
    root: Hashes
    wh: Int64
    paths: tuple[bytes, ...] = ()


def grow(position: Int64, leaf: Hashes, wh: Int64, targets: Sequence[int] = ()) -> Roots:
    """The trees of all positions.

    `position`: int64[m]; `leaf`: V32[m], leaf hashes; `wh`: int64[m], above 0; in any order.
    `targets`: places in these arrays. Raises InvalidInput where two hashes agree in 64 bits.
    """
    key = leaf.view(">u8").reshape(-1, 4)[:, 0].astype(np.uint64)
    order = np.lexsort((key, position))
    forest = _Forest(position[order], key[order], leaf[order], wh[order])
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    watch = _Watch(place[np.asarray(targets, dtype=np.int64)]) if len(targets) else None
    for depth in range(forest.deepest, -1, -1):
        forest.join(depth, watch)
    first = forest.first_of_position()
    return Roots(
        forest.position[first],
        forest.hash[first],
        forest.wh[first],
        watch.paths() if watch else (),
    )


class _Forest:
    """Subtrees over sorted leaves; one is known by its first leaf, and by its last.

    `shared[i]`: how many leading bits the hashes of leaves i and i + 1 share; −1 where they are of
    different positions.
    """

    def __init__(self, position: Int64, key: NDArray[np.uint64], leaf: Hashes, wh: Int64) -> None:
        self.position = position
        self.key = key
        self.hash = leaf.copy()
        self.wh = wh.astype(np.int64)
        self.shared = _shared_bits(position, key)
        self.deepest = int(self.shared.max(initial=-1))
        if self.deepest >= DEPTH_MAX:
            raise InvalidInput("two leaves of a sum tree share 64 bits of their hashes")
        self.first = np.arange(len(key))  # of the subtree that ends at a leaf
        self.last = np.arange(len(key))  # of the subtree that begins at a leaf
        self.raised: Int64 = np.empty(0, dtype=np.int64)  # subtrees with several leaves

    def join(self, depth: int, watch: _Watch | None) -> None:
        """Make all nodes of one depth: of two subtrees, or of one that has several leaves."""
        seam = np.flatnonzero(self.shared == depth)
        left, right = self.first[seam], seam + 1
        paired = np.zeros(len(self.key), dtype=np.bool_)
        paired[left] = paired[right] = True
        alone = self.raised[~paired[self.raised]]
        if watch:
            watch.note(self, depth, left, right, alone)
        self._raise(alone, depth)
        self.hash[left] = node_hashes(
            self.hash[left], self.wh[left], self.hash[right], self.wh[right]
        )
        self.wh[left] += self.wh[right]
        end = self.last[right]
        self.last[left], self.first[end] = end, left
        self.raised = np.concatenate([alone, left])

    def is_right(self, subtree: Int64, depth: int) -> NDArray[np.bool_]:
        shift = np.uint64(DEPTH_MAX - 1 - depth)
        return ((self.key[subtree] >> shift) & np.uint64(1)).astype(np.bool_)

    def _raise(self, alone: Int64, depth: int) -> None:
        nothing, none_wh = np.zeros(len(alone), dtype=HASH), np.zeros(len(alone), dtype=np.int64)
        right = self.is_right(alone, depth)
        mine, mine_wh = self.hash[alone], self.wh[alone]
        self.hash[alone] = node_hashes(
            np.where(right, nothing, mine),
            np.where(right, none_wh, mine_wh),
            np.where(right, mine, nothing),
            np.where(right, mine_wh, none_wh),
        )

    def first_of_position(self) -> Int64:
        return np.flatnonzero(np.diff(self.position, prepend=-1))


def _shared_bits(position: Int64, key: NDArray[np.uint64]) -> Int64:
    differing = key[:-1] ^ key[1:]
    high = (differing >> np.uint64(32)).astype(np.float64)
    low = (differing & np.uint64(0xFFFF_FFFF)).astype(np.float64)
    # frexp of an integer below 2^53 is its bit length, exactly.
    length = np.where(high > 0, np.frexp(high)[1] + 32, np.frexp(low)[1]).astype(np.int64)
    return np.where(position[:-1] == position[1:], DEPTH_MAX - length, -1)


class _Watch:
    """Follows some leaves upward, and keeps what stands beside them at each level."""

    def __init__(self, targets: Int64) -> None:
        self._count = len(targets)
        self._subtree = targets.copy()
        self._levels: list[tuple[Int64, NDArray[np.bool_], Hashes, Int64]] = []

    def note(self, forest: _Forest, depth: int, left: Int64, right: Int64, alone: Int64) -> None:
        beside = np.full(len(forest.key), -1, dtype=np.int64)
        beside[left], beside[right] = right, left
        side = np.zeros(len(forest.key), dtype=np.bool_)
        side[right] = True
        moved = np.zeros(len(forest.key), dtype=np.bool_)
        moved[left] = moved[right] = moved[alone] = True
        side[alone] = forest.is_right(alone, depth)
        who = np.flatnonzero(moved[self._subtree])
        mine = self._subtree[who]
        other = beside[mine]
        wh = np.where(other >= 0, forest.wh[other], 0)
        self._levels.append((who, side[mine], forest.hash[other], wh))
        joined = (other >= 0) & side[mine]
        self._subtree[who[joined]] = other[joined]

    def paths(self) -> tuple[bytes, ...]:
        sides: list[list[bool]] = [[] for _ in range(self._count)]
        siblings: list[list[tuple[bytes, int]]] = [[] for _ in range(self._count)]
        for who, side, hashes, wh in self._levels:
            for target, right, hash_, size_wh in zip(
                who.tolist(), side.tolist(), hashes.tolist(), wh.tolist(), strict=True
            ):
                sides[target].append(right)
                siblings[target].append((hash_, size_wh))
        return tuple(map(_write_path, sides, siblings))


def _write_path(sides: Sequence[bool], siblings: Sequence[tuple[bytes, int]]) -> bytes:
    width = -(-len(sides) // 8)
    right = sum(1 << level for level, side in enumerate(sides) if side)
    present = sum(1 << level for level, (_, wh) in enumerate(siblings) if wh)
    return b"".join(
        [
            bytes([len(sides)]),
            right.to_bytes(width, "little"),
            present.to_bytes(width, "little"),
            *(_SIBLING.pack(hash_, wh) for hash_, wh in siblings if wh),
        ]
    )
