"""Checking proofs of others: RFC 9162 §2.1.3.2 and §2.1.4.2. Pure; no tree is at hand here."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.errors import InvalidInput
from ledger.log.merkle import node_hash


def root_of_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that an inclusion path gives. Raises InvalidInput for a path of the wrong length."""
    if not 0 <= index < size:
        raise InvalidInput(f"entry {index} is not in a tree of {size}")
    place, last, found = index, size - 1, leaf
    for hash_ in path:
        if last == 0:
            raise InvalidInput(f"the path of entry {index} of {size} is too long")
        if place % 2 or place == last:
            found = node_hash(hash_, found)
            while place and not place % 2:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, hash_)
        place, last = place >> 1, last >> 1
    if last:
        raise InvalidInput(f"the path of entry {index} of {size} is too short")
    return found


def is_consistent(
    old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether the tree of `size` begins with that of `old_size`, by this path."""
    if not 0 < old_size <= size:
        return False
    if old_size == size:
        return not path and old_root == root
    hashes = list(path)
    if not old_size & (old_size - 1):
        hashes.insert(0, old_root)
    if not hashes:
        return False
    place, last = old_size - 1, size - 1
    while place % 2:
        place, last = place >> 1, last >> 1
    before = after = hashes[0]
    for hash_ in hashes[1:]:
        if last == 0:
            return False
        if place % 2 or place == last:
            before, after = node_hash(hash_, before), node_hash(hash_, after)
            while place and not place % 2:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, hash_)
        place, last = place >> 1, last >> 1
    return last == 0 and before == old_root and after == root
