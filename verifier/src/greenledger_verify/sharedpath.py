"""Shared paths (formats.md §9): several leaves of one tree proven together, and sum trees proven
the same way.

The walk goes down the tree's shape, left before right. Where no opened leaf lies in a subtree, the
next node of the path is its root. So a tree shape, a set of positions and the nodes fit in one way
only, and the nodes must be used up.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final

from greenledger_verify.failure import VerificationError
from greenledger_verify.merkle import EMPTY_ROOT, node_hash

WH_END: Final = 2**63


def verify_shared_path(
    positions: Sequence[int],
    leaf_hashes: Sequence[bytes],
    size: int,
    nodes: Sequence[bytes],
    root: bytes,
) -> None:
    """The leaves with ``leaf_hashes`` stand at ``positions`` (increasing) of the RFC 6962 tree of
    ``size`` leaves under ``root``.

    1. The positions lie in the tree.
    2. The walk gives the root.
    3. All nodes are used up.
    """
    # 1
    if len(positions) != len(leaf_hashes) or (positions and positions[-1] >= size):
        raise VerificationError("a position is not in a tree of {size} leaves", size=size)
    # 2
    waiting = iter(nodes)

    def walk(begin: int, width: int, low: int, high: int) -> bytes:
        if low == high:
            return next(waiting)
        if width == 1:
            return leaf_hashes[low]
        half = _split(width)
        middle = bisect_left(positions, begin + half, low, high)
        left = walk(begin, half, low, middle)
        return node_hash(left, walk(begin + half, width - half, middle, high))

    try:
        reached = walk(0, size, 0, len(positions)) if size else EMPTY_ROOT
    except StopIteration:
        raise VerificationError(
            "the shared path has too few nodes: {given}", given=len(nodes)
        ) from None
    # 3
    _require_used_up(waiting, nodes)
    if reached != root:
        raise VerificationError(
            "the leaves and their shared path lead to the root {reached}, not to {root}",
            reached=reached,
            root=root,
        )


def sum_node(left: tuple[bytes, int], right: tuple[bytes, int]) -> tuple[bytes, int]:
    """Hash and Wh of an inner node of a sum tree; what reaches 2^63 overflows."""
    wh = left[1] + right[1]
    if wh >= WH_END:
        raise VerificationError("the sum tree overflows: a node has {wh} Wh", wh=wh)
    return (
        sha256(
            b"N" + left[0] + left[1].to_bytes(8, "big") + right[0] + right[1].to_bytes(8, "big")
        ).digest(),
        wh,
    )


def walk_sums(
    positions: Sequence[int],
    leaves: Sequence[tuple[bytes, int]],
    size: int,
    nodes: Sequence[bytes],
) -> tuple[bytes, int, list[int]]:
    """Root hash, total Wh, and the Wh before each opened position, of a sum tree of ``size`` > 0
    leaves. A node of the path is hash ‖ u64 Wh.
    """
    if positions and positions[-1] >= size:
        raise VerificationError("a position is not in a tree of {size} leaves", size=size)
    waiting = iter(nodes)
    before: list[int] = []
    passed_wh = 0

    def walk(begin: int, width: int, low: int, high: int) -> tuple[bytes, int]:
        nonlocal passed_wh
        if low == high:
            raw = next(waiting)
            reached = raw[:32], int.from_bytes(raw[32:], "big")
        elif width == 1:
            reached = leaves[low]
            before.append(passed_wh)
        else:
            half = _split(width)
            middle = bisect_left(positions, begin + half, low, high)
            left = walk(begin, half, low, middle)
            return sum_node(left, walk(begin + half, width - half, middle, high))
        if reached[1] >= WH_END:
            raise VerificationError("the sum tree overflows: a node has {wh} Wh", wh=reached[1])
        passed_wh += reached[1]
        return reached

    try:
        root, total_wh = walk(0, size, 0, len(positions))
    except StopIteration:
        raise VerificationError(
            "the shared path has too few nodes: {given}", given=len(nodes)
        ) from None
    _require_used_up(waiting, nodes)
    return root, total_wh, before


def _split(width: int) -> int:
    """The largest power of two below ``width``."""
    return 1 << (width - 1).bit_length() - 1


def _require_used_up(waiting: Iterator[bytes], nodes: Sequence[bytes]) -> None:
    rest = len(list(waiting))
    if rest:
        raise VerificationError(
            "the shared path has {given} nodes, {rest} more than it needs",
            given=len(nodes),
            rest=rest,
        )
