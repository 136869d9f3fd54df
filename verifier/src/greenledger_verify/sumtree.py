"""The sum tree of one quarter-hour (formats.md §3.4): a lot's path to the root, and the Wh there.

It is a trie over the leaf hashes, so that nobody chooses the order of lots; every node carries the
Wh below it, so that the lots of a tree can't be worth more than its root says.
"""

from hashlib import sha256
from typing import Final

from greenledger_verify.failure import VerificationError
from greenledger_verify.sharedpath import WH_END

DEPTH_MAX: Final = 64

_EMPTY: Final = bytes(40)
_NODE_SIZE: Final = 40


def lot_leaf(nonce: bytes, lot: bytes, wh: int) -> bytes:
    """``H("L"‖nonce‖lot‖u64 wh)``."""
    return sha256(b"L" + nonce + lot + wh.to_bytes(8, "big")).digest()


def climb(leaf: bytes, wh: int, raw: bytes, offset: int) -> tuple[bytes, int, int]:
    """From a leaf of ``wh`` along the path at ``offset`` of ``raw``. Returns root hash, its Wh, and
    where the path ends.

    1. The depth is 64 at most, and the path is all there.
    2. Its sides are the first bits of the leaf hash; the leaf's own sibling is there.
    3. Climb: an absent sibling is empty, a present one has more than 0 Wh, no sum reaches 2^63.
    """
    # 1
    depth = raw[offset] if offset < len(raw) else 0
    width = depth + 7 >> 3
    at = offset + 1 + 2 * width
    if offset >= len(raw) or at > len(raw) or depth > DEPTH_MAX:
        raise VerificationError("the paths end too early, or one is deeper than 64 levels")
    sides = int.from_bytes(raw[offset + 1 : offset + 1 + width], "little")
    present = int.from_bytes(raw[offset + 1 + width : at], "little")
    # 2
    if sides != int.from_bytes(leaf[:8], "big") >> DEPTH_MAX - depth:
        raise VerificationError(
            "the sides of the path are not those of the leaf's hash: the order of leaves was chosen"
        )
    if present >> depth or (depth and not present & 1):
        raise VerificationError(
            "the path has unused bits, or says that the sibling of the leaf is empty"
        )
    # 3
    node = leaf + wh.to_bytes(8, "big")
    for _ in range(depth):
        sibling = _EMPTY
        if present & 1:
            sibling = raw[at : at + _NODE_SIZE]
            at += _NODE_SIZE
            sibling_wh = int.from_bytes(sibling[32:], "big")
            if not sibling_wh or at > len(raw):
                raise VerificationError("a sibling of the path is cut off, or has 0 Wh")
            wh += sibling_wh
            if wh >= WH_END:
                raise VerificationError("the sum tree overflows: a node has {wh} Wh", wh=wh)
        pair = sibling + node if sides & 1 else node + sibling
        node = sha256(b"N" + pair).digest() + wh.to_bytes(8, "big")
        sides >>= 1
        present >>= 1
    return node[:32], wh, at
