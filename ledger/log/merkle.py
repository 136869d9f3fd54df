"""RFC 6962 / RFC 9162 §2.1 trees: hashes, roots, inclusion paths, consistency proofs.

Pure. A *node* is addressed by (level, index): the root of the complete subtree over leaves
[index·2^level, (index+1)·2^level). Proofs take a function that fetches nodes, never a database.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

Node = Callable[[int, int], bytes]
T = TypeVar("T")

# Copying a prepared hash object is 1.5 times as fast as a fresh constructor.
_leaf_start = hashlib.sha256(b"\x00").copy
_node_start = hashlib.sha256(b"\x01").copy


def leaf_hash(data: bytes) -> bytes:
    """H(00 ‖ data)."""
    state = _leaf_start()
    state.update(data)
    return state.digest()


def leaf_hashes(items: Iterable[bytes]) -> list[bytes]:
    """Leaf hashes of many items, in order."""
    hashes: list[bytes] = []
    append, start = hashes.append, _leaf_start
    for item in items:
        state = start()
        state.update(item)
        append(state.digest())
    return hashes


def node_hash(left: bytes, right: bytes) -> bytes:
    """H(01 ‖ left ‖ right)."""
    state = _node_start()
    state.update(left + right)
    return state.digest()


def parents(hashes: Sequence[bytes]) -> list[bytes]:
    """The level above: one node for each pair; an odd last hash has no parent yet."""
    above: list[bytes] = []
    append, start = above.append, _node_start
    pairs = iter(hashes)
    for left, right in zip(pairs, pairs, strict=False):
        state = start()
        state.update(left + right)
        append(state.digest())
    return above


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """All levels of the tree over `leaves` (leaf hashes), the last of one hash: the root.

    An odd last hash is carried up unchanged, which is RFC 6962's split at the largest power of two.
    """
    if not leaves:
        return [[EMPTY_ROOT]]
    found = [list(leaves)]
    while len(found[-1]) > 1:
        above = parents(found[-1])
        if len(found[-1]) % 2:
            above.append(found[-1][-1])
        found.append(above)
    return found


def root(leaves: Sequence[bytes]) -> bytes:
    """Merkle tree hash of leaf hashes; holds two levels at a time."""
    if not leaves:
        return EMPTY_ROOT
    level = leaves
    while len(level) > 1:
        above = parents(level)
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


def path_in(tree: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    """Inclusion path of leaf `index` in `levels(leaves)`."""
    assert 0 <= index < len(tree[0])
    path = []
    for level in tree[:-1]:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        index //= 2
    return path


def _split(size: int) -> int:
    """The largest power of two below `size` (size ≥ 2)."""
    return 1 << (size - 1).bit_length() - 1


def range_root(begin: int, size: int, node: Node) -> bytes:
    """Root of the subtree over leaves [begin, begin+size); `begin` is where RFC 6962 puts it."""
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, begin >> level)
    left = _split(size)
    return node_hash(range_root(begin, left, node), range_root(begin + left, size - left, node))


def tree_root(size: int, node: Node) -> bytes:
    return range_root(0, size, node) if size else EMPTY_ROOT


def inclusion_path(index: int, size: int, node: Node) -> list[bytes]:
    """RFC 9162 §2.1.3.1: the path of leaf `index` in the tree of `size` leaves, leaf side first."""
    assert 0 <= index < size
    path: list[bytes] = []
    begin = 0
    while size > 1:
        left = _split(size)
        if index - begin < left:
            path.append(range_root(begin + left, size - left, node))
            size = left
        else:
            path.append(range_root(begin, left, node))
            begin, size = begin + left, size - left
    return path[::-1]


def consistency_path(old_size: int, size: int, node: Node) -> list[bytes]:
    """RFC 9162 §2.1.4.1: proof that the tree of `old_size` leaves begins the tree of `size`."""
    assert 0 < old_size <= size
    path: list[bytes] = []
    begin, whole = 0, True
    while old_size < size:
        left = _split(size)
        if old_size <= left:
            path.append(range_root(begin + left, size - left, node))
            size = left
        else:
            path.append(range_root(begin, left, node))
            begin, old_size, size, whole = begin + left, old_size - left, size - left, False
    if not whole:
        path.append(range_root(begin, size, node))
    return path[::-1]


def shared_path(opened: Sequence[int], size: int, subtree: Callable[[int, int], T]) -> list[T]:
    """One proof for several leaves (docs/formats.md §9): what stands beside them, left to right.

    `opened`: places, increasing. `subtree(begin, size)` gives the root over some leaves, of RFC
    6962's shape, or whatever a tree of that shape has there.
    """
    found: list[T] = []
    todo = [(0, size, 0, len(opened))]
    while todo:
        begin, size, first, last = todo.pop()
        if first == last:
            found.append(subtree(begin, size))
        elif size > 1:
            left = _split(size)
            middle = bisect_left(opened, begin + left, first, last)
            todo.append((begin + left, size - left, middle, last))
            todo.append((begin, left, first, middle))
    return found


def subtree_of(tree: Sequence[Sequence[T]]) -> Callable[[int, int], T]:
    """The subtrees of `levels(leaves)`."""

    def subtree(begin: int, size: int) -> T:
        level = (size - 1).bit_length()
        return tree[level][begin >> level]

    return subtree


class CompactRange:
    """Roots of the complete subtrees of a growing tree, largest first: enough to go on and to
    compute the root. It shares no code with tiles, so that signing a checkpoint checks them."""

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        assert len(hashes) == size.bit_count()
        self.size = size
        self.hashes = list(hashes)

    def append(self, leaf: bytes) -> None:
        carry, size = leaf, self.size
        while size & 1:
            carry = node_hash(self.hashes.pop(), carry)
            size >>= 1
        self.hashes.append(carry)
        self.size += 1

    def root(self) -> bytes:
        if not self.hashes:
            return EMPTY_ROOT
        found = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            found = node_hash(left, found)
        return found
