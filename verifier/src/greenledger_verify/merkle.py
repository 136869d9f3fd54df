"""Merkle trees over SHA-256 as in RFC 6962 and RFC 9162 §2.1: hashes, roots, and the verification
of proofs.

Leaf ``H(00‖entry)``, node ``H(01‖left‖right)``: the prefix keeps an inner node from passing as an
entry.
Hashes are 32 bytes. ``index`` counts from 0; ``size`` is a number of leaves, below 2^63.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from greenledger_verify.failure import VerificationError

HASH_SIZE: Final = 32
SIZE_MAX: Final = 2**63 - 1
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

_LEAF = hashlib.sha256(b"\x00")
_NODE = hashlib.sha256(b"\x01")


def leaf_hash(entry: bytes) -> bytes:
    """``H(00‖entry)``."""
    state = _LEAF.copy()
    state.update(entry)
    return state.digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """``H(01‖left‖right)``."""
    state = _NODE.copy()
    state.update(left + right)
    return state.digest()


def tree_root(leaf_hashes: Iterable[bytes]) -> bytes:
    """Root over leaf hashes in order; the root of no leaf is ``H()``."""
    level = list(leaf_hashes)
    while len(level) > 1:
        last_without_sibling = [level.pop()] if len(level) % 2 else []
        level = [node_hash(a, b) for a, b in zip(level[::2], level[1::2], strict=True)]
        level += last_without_sibling
    return level[0] if level else EMPTY_ROOT


class CompactRange:
    """Roots of the perfect subtrees that a growing tree consists of, largest first: its right
    edge.
    """

    def __init__(self) -> None:
        self.size = 0
        self._subtrees: list[tuple[int, bytes]] = []

    def append(self, subtree_root: bytes, leaves: int = 1) -> None:
        """Add a perfect subtree of ``leaves`` (a power of two that divides the size so far)."""
        assert leaves & (leaves - 1) == 0
        assert self.size % leaves == 0
        self.size += leaves
        while self._subtrees and self._subtrees[-1][0] == leaves:
            subtree_root = node_hash(self._subtrees.pop()[1], subtree_root)
            leaves *= 2
        self._subtrees.append((leaves, subtree_root))

    def append_all(self, leaf_hashes: Sequence[bytes]) -> None:
        """Add leaves one after the other."""
        for one in leaf_hashes:
            self.append(one)

    def copy(self) -> "CompactRange":
        other = CompactRange()
        other.size, other._subtrees = self.size, list(self._subtrees)
        return other

    def root(self) -> bytes:
        if not self._subtrees:
            return EMPTY_ROOT
        root = self._subtrees[-1][1]
        for _, left in reversed(self._subtrees[:-1]):
            root = node_hash(left, root)
        return root


def verify_inclusion(
    *, leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """RFC 9162 §2.1.3.2: the leaf with ``leaf_hash`` stands at ``index`` in the tree of ``size``
    leaves with ``root``.

    1. The index lies in the tree, and every hash has 32 bytes.
    2. Climb from the leaf: each hash of the path is the sibling on the left or on the right, as the
       index says.
    3. The path is used up exactly at the top, and the hash reached is the root.
    """
    # 1
    _require_hashes(path, leaf_hash, root)
    if not 0 <= index < size <= SIZE_MAX:
        raise VerificationError(
            "index {index} is not in a tree of {size} leaves", index=index, size=size
        )
    # 2
    position, last, current = index, size - 1, leaf_hash
    for sibling in path:
        if last == 0:
            raise VerificationError(
                "the path has {given} hashes, more than leaf {index} of {size} needs",
                given=len(path),
                index=index,
                size=size,
            )
        if position & 1 or position == last:
            current = node_hash(sibling, current)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        position, last = position >> 1, last >> 1
    # 3
    if last != 0:
        raise VerificationError(
            "the path has {given} hashes, fewer than leaf {index} of {size} needs",
            given=len(path),
            index=index,
            size=size,
        )
    if current != root:
        raise VerificationError(
            "leaf {index} and its path lead to the root {reached}, not to {root}",
            index=index,
            reached=current,
            root=root,
        )


def verify_consistency(
    *, size1: int, size2: int, root1: bytes, root2: bytes, path: Sequence[bytes]
) -> None:
    """RFC 9162 §2.1.4.2: the tree of ``size1`` leaves with ``root1`` is the beginning of the tree
    of ``size2`` with ``root2``.

    1. Sizes are in order and not 0: every tree extends the empty one, so such a proof shows nothing
       and is refused (as the published vectors do; a C2SP witness accepts it with an empty path).
    2. Equal sizes: no path, equal roots. Nothing is hashed, so any equal roots will do.
    3. Where the smaller tree is one perfect subtree of the larger, its root begins the path unsaid.
    4. Climb with two hashes: every sibling counts for the new root, those on the left also for the
       old one.
    5. Both roots are reached, with the path used up exactly at the top.
    """
    # 1
    if size1 == 0:
        raise VerificationError("size 0 is the beginning of every tree: there is nothing to prove")
    if not 0 < size1 <= size2 <= SIZE_MAX:
        raise VerificationError(
            "a tree of {size2} leaves can't extend one of {size1}", size1=size1, size2=size2
        )
    # 2
    if size1 == size2:
        return _require_same_tree(root1, root2, path)
    # 3
    _require_hashes(path, root1, root2)
    if not path:
        raise VerificationError(
            "the path is empty, but the sizes {size1} and {size2} differ", size1=size1, size2=size2
        )
    hashes = [root1, *path] if size1 & (size1 - 1) == 0 else list(path)
    # 4
    position, last = size1 - 1, size2 - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise VerificationError(
                "the path has {given} hashes, more than sizes {size1} and {size2} need",
                given=len(path),
                size1=size1,
                size2=size2,
            )
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    # 5
    if last != 0:
        raise VerificationError(
            "the path has {given} hashes, fewer than sizes {size1} and {size2} need",
            given=len(path),
            size1=size1,
            size2=size2,
        )
    _require_root(old, root1, size1)
    _require_root(new, root2, size2)
    return None


def _require_hashes(path: Sequence[bytes], *others: bytes) -> None:
    for value in (*others, *path):
        if len(value) != HASH_SIZE:
            raise VerificationError("a hash has 32 bytes, this one has {given}", given=len(value))


def _require_same_tree(root1: bytes, root2: bytes, path: Sequence[bytes]) -> None:
    if path:
        raise VerificationError(
            "the sizes are equal, so the path must be empty; it has {given} hashes", given=len(path)
        )
    if root1 != root2:
        raise VerificationError(
            "two roots for one size: {root1} and {root2}", root1=root1, root2=root2
        )


def _require_root(reached: bytes, root: bytes, size: int) -> None:
    if reached != root:
        raise VerificationError(
            "the path leads to the root {reached} at size {size}, not to {root}",
            reached=reached,
            size=size,
            root=root,
        )
