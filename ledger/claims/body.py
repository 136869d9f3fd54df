"""The body of a claim: Wh by quarter-hour and lot under a sum tree (docs/formats.md §3.5). Pure.

A quarter-hour has one leaf at its own position, so that nothing is counted twice; each node carries
the Wh below it, so that a sample can be drawn by energy.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from ledger.errors import InvalidInput
from ledger.lots.model import LOT_BYTES
from ledger.lots.packed import Bytes, Int64, pack
from ledger.metering.batches import END_S, NONCE_BYTES, SECRET_BYTES

MEDIA: Final = "application/vnd.greenledger.claim"
# Of quarter-hours: almost thirty years of them.
COUNT_MAX: Final = 2**20
_MAGIC: Final = b"GLC1"
_CELL: Final = np.dtype([("lot", "V16"), ("wh", ">u8")])
_HASH_WH: Final = struct.Struct(">32sQ")

Node = tuple[bytes, int]  # hash, Wh


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Claimed:
    """What is claimed of one lot: `wh`, int64[n], from position `first` of the claim on."""

    lot: bytes
    first: int
    wh: Int64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """All cells above 0, by position, then by lot. `ends`: where those of each position end.

    `place`: int64[m], of the cell's lot in the claim's list. `wh`: int64[m].
    """

    position: Int64
    place: Int64
    wh: Int64
    ends: Int64

    def at(self, position: int) -> slice:
        begin = int(self.ends[position - 1]) if position else 0
        return slice(begin, int(self.ends[position]))


@dataclass(frozen=True, kw_only=True, eq=False)
class ClaimBody:
    """A claim's body; `key` is the root. Made by `seal` or `open` only.

    `lots`: all lots of the claim, sorted. `wh`: int64[count], of supply, by quarter-hour.
    """

    secret: bytes = field(repr=False)
    origin: str
    id: str
    start_s: int
    count: int
    lots: tuple[Claimed, ...]
    wh: Int64
    root: Node
    key: str

    media = MEDIA

    @classmethod
    def seal(
        cls,
        lots: Sequence[Claimed],
        *,
        start_s: int,
        count: int,
        secret: bytes,
        origin: str,
        id_: str,
    ) -> ClaimBody:
        """Compute the tree. `lots` of supply and of cover, each with its half of the energy.

        Raises InvalidInput where the cells of a quarter-hour are not two equal halves.
        """
        _check(lots, start_s, count)
        cells = _cells(lots, count)
        total_wh = _sums(cells)
        if (total_wh % 2).any():
            raise InvalidInput("a claim covers what it supplies: its cells are two equal halves")
        wh = total_wh // 2
        leaves = _leaf_hashes(lots, cells, wh, nonces(secret, origin, id_, count))
        root = _levels(leaves, wh)[-1][0]
        return cls(
            secret=secret,
            origin=origin,
            id=id_,
            start_s=start_s,
            count=count,
            lots=tuple(lots),
            wh=wh,
            root=root,
            key=root_hash(root).hex(),
        )

    @classmethod
    def open(cls, data: bytes, *, origin: str, id_: str) -> ClaimBody:
        """Raises InvalidInput for malformed bytes."""
        secret, start_s, count, lots = parse(data)
        return cls.seal(lots, start_s=start_s, count=count, secret=secret, origin=origin, id_=id_)

    @property
    def size(self) -> int:
        return self.count

    @property
    def total_wh(self) -> int:
        return self.root[1]

    @property
    def data(self) -> bytes:
        parts = [_MAGIC, self.secret, struct.pack(">QII", self.start_s, self.count, len(self.lots))]
        for one in self.lots:
            parts.append(struct.pack(">16sII", one.lot, one.first, len(one.wh)))
            parts.append(pack(one.wh))
        return b"".join(parts)

    @cached_property
    def cells(self) -> Cells:
        return _cells(self.lots, self.count)

    @cached_property
    def nonces(self) -> bytes:
        return nonces(self.secret, self.origin, self.id, self.count)

    @cached_property
    def levels(self) -> list[list[Node]]:
        """All levels of the sum tree, the leaves first."""
        leaves = _leaf_hashes(self.lots, self.cells, self.wh, self.nonces)
        return _levels(leaves, self.wh)


def parse(data: bytes) -> tuple[bytes, int, int, list[Claimed]]:
    """(secret, start, count, lots) of a body. Raises InvalidInput."""
    body = Bytes(data, "claim's body")
    if body.take(len(_MAGIC)) != _MAGIC:
        raise InvalidInput("a claim's body begins with GLC1")
    secret, start_s, count = body.take(SECRET_BYTES), body.integer(8), body.integer(4)
    lots = []
    for _ in range(body.integer(4)):
        lot, first, length = body.take(LOT_BYTES), body.integer(4), body.integer(4)
        lots.append(Claimed(lot=lot, first=first, wh=body.array(length)))
    body.end()
    return secret, start_s, count, lots


def nonces(secret: bytes, origin: str, id_: str, count: int) -> bytes:
    """16 bytes for each quarter-hour."""
    seed = b"greenledger/claim/v1\n" + secret + origin.encode() + b"\n" + id_.encode()
    return hashlib.shake_256(seed).digest(NONCE_BYTES * count)


def root_hash(root: Node) -> bytes:
    """H("C" ‖ hash ‖ Wh): the total is part of what is signed."""
    return hashlib.sha256(b"C" + _HASH_WH.pack(*root)).digest()


def _check(lots: Sequence[Claimed], start_s: int, count: int) -> None:
    if not 0 < count <= COUNT_MAX or not 0 <= start_s < END_S:
        raise InvalidInput(f"a claim of {count} quarter-hours from {start_s} s is none")
    ids = [one.lot for one in lots]
    if ids != sorted(set(ids)):
        raise InvalidInput("the lots of a claim are sorted, none twice")
    for one in lots:
        if one.first + len(one.wh) > count or int(one.wh.min(initial=0)) < 0:
            raise InvalidInput(f"lot {one.lot.hex()}: its cells are negative, or past the period")


def _cells(lots: Sequence[Claimed], count: int) -> Cells:
    nothing = np.empty(0, dtype=np.int64)
    positions, places, amounts = [nothing], [nothing], [nothing]
    for place, one in enumerate(lots):
        at = np.flatnonzero(one.wh)
        positions.append(one.first + at)
        places.append(np.full(len(at), place, dtype=np.int64))
        amounts.append(one.wh[at])
    position = np.concatenate(positions)
    order = np.argsort(position, kind="stable")  # lots are in order already
    ends = np.cumsum(np.bincount(position, minlength=count))
    return Cells(
        position=position[order],
        place=np.concatenate(places)[order],
        wh=np.concatenate(amounts)[order],
        ends=ends,
    )


def _sums(cells: Cells) -> Int64:
    """int64[count]: Σ of all cells. Raises InvalidInput where that overflows."""
    until = np.concatenate([[0], np.cumsum(cells.wh)])
    if (until[1:] < until[:-1]).any():
        raise InvalidInput("the cells of a claim overflow")
    edges = np.concatenate([[0], cells.ends])
    sums: Int64 = np.diff(until[edges])
    return sums


def _leaf_hashes(lots: Sequence[Claimed], cells: Cells, wh: Int64, stream: bytes) -> list[bytes]:
    """H("I" ‖ nonce ‖ wh ‖ cells) for each quarter-hour."""
    rows = np.empty(len(cells.wh), dtype=_CELL)
    ids = np.array([np.void(one.lot) for one in lots], dtype="V16")
    if len(rows):
        rows["lot"] = ids[cells.place]
    rows["wh"] = cells.wh
    written = rows.tobytes()
    size, sha256, found, begin = _CELL.itemsize, hashlib.sha256, [], 0
    for position, (end, amount_wh) in enumerate(
        zip((cells.ends * size).tolist(), wh.tolist(), strict=True)
    ):
        nonce = stream[NONCE_BYTES * position : NONCE_BYTES * (position + 1)]
        found.append(
            sha256(b"I" + nonce + amount_wh.to_bytes(8, "big") + written[begin:end]).digest()
        )
        begin = end
    return found


def _levels(leaves: Sequence[bytes], wh: Int64) -> list[list[Node]]:
    """RFC 6962's shape: an odd last node is carried up."""
    level: list[Node] = list(zip(leaves, wh.tolist(), strict=True))
    found = [level]
    while len(level) > 1:
        above = [_join(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
        if len(level) % 2:
            above.append(level[-1])
        found.append(above)
        level = above
    return found


def _join(left: Node, right: Node) -> Node:
    hash_ = hashlib.sha256(b"N" + _HASH_WH.pack(*left) + _HASH_WH.pack(*right)).digest()
    return hash_, left[1] + right[1]
