"""Batches of readings: blocks, the inner tree over single intervals, their bytes.

Pure (docs/formats.md §3.1). A reading's leaf is 54 bytes, so that with its prefix it fills one
SHA-256 block; nonces come from one SHAKE256 stream, so that one interval can be opened alone.
"""

from __future__ import annotations

import hashlib
import itertools
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.errors import InvalidInput
from ledger.log import merkle
from ledger.metering.quality import ALL_FLAGS
from ledger.metering.series import Series
from ledger.units import format_instant

MEDIA: Final = "application/vnd.greenledger.readings"
SECRET_BYTES: Final = 32
POINT_BYTES: Final = 16
NONCE_BYTES: Final = 16
NONCE: Final = np.dtype(f"V{NONCE_BYTES}")
# The year 10000, which no time in this format reaches.
END_S: Final = 253_402_300_800
READINGS_MAX: Final = 500_000

_MAGIC: Final = b"GLR1"
_BLOCK_HEAD: Final = struct.Struct(">16sQII")
_LEAF: Final = np.dtype(
    [
        ("nonce", NONCE),
        ("point", "V16"),
        ("start", ">u8"),
        ("length", ">u4"),
        ("value", ">i8"),
        ("quality", ">u2"),
    ]
)
LEAF_BYTES: Final = _LEAF.itemsize
assert LEAF_BYTES == 54


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """Adjoining intervals of one point: `value` int64[n] and `quality` uint16[n] from `start_s`.

    Of an `erased` one only the times are known: there these are zeros, and nothing is stored.
    """

    point: bytes
    start_s: int
    length_s: int
    value: NDArray[np.int64]
    quality: NDArray[np.uint16]
    erased: bool = False

    @classmethod
    def without_values(cls, point: bytes, *, start_s: int, length_s: int, count: int) -> Block:
        """What is left of a block whose batch was erased."""
        return cls(
            point=point,
            start_s=start_s,
            length_s=length_s,
            value=np.zeros(count, dtype=np.int64),
            quality=np.zeros(count, dtype=np.uint16),
            erased=True,
        )

    @property
    def count(self) -> int:
        return len(self.value)

    @property
    def end_s(self) -> int:
        return self.start_s + self.count * self.length_s

    def starts_s(self) -> NDArray[np.int64]:
        """int64[n]: the start of each interval."""
        return self.start_s + np.arange(self.count, dtype=np.int64) * self.length_s

    def wire_values(self) -> bytes:
        return b"" if self.erased else self.value.astype(">i8").tobytes()

    def wire_quality(self) -> bytes:
        return b"" if self.erased else self.quality.astype(">u2").tobytes()


def nonces(secret: bytes, origin: str, id_: str, count: int) -> bytes:
    """16 bytes for each leaf, from one extendable-output call."""
    seed = b"greenledger/nonce/v1\n" + secret + origin.encode() + b"\n" + id_.encode()
    return hashlib.shake_256(seed).digest(NONCE_BYTES * count)


def leaf_rows(blocks: Sequence[Block], stream: bytes) -> list[bytes]:
    """The 54-byte leaves of all blocks, in order; `stream` holds their nonces."""
    nonce = np.frombuffer(stream, NONCE)
    rows: list[bytes] = []
    for block in blocks:
        rows += leaves_of(
            nonce[len(rows) : len(rows) + block.count],
            block.point,
            block.starts_s(),
            block.length_s,
            block.value,
            block.quality,
        )
    return rows


def leaves_of(
    nonce: NDArray[np.void],
    point: bytes,
    start_s: NDArray[np.int64],
    length_s: int,
    value: NDArray[np.int64],
    quality: NDArray[np.uint16],
) -> list[bytes]:
    """The 54-byte leaves of any intervals of one point and length."""
    leaves = np.empty(len(start_s), dtype=_LEAF)
    leaves["nonce"] = nonce
    leaves["point"] = np.void(point)
    leaves["start"] = start_s
    leaves["length"] = length_s
    leaves["value"] = value
    leaves["quality"] = quality
    found: list[bytes] = leaves.view(f"V{LEAF_BYTES}").tolist()
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """The body of a batch; `key` is the root over its leaves. Made by `seal` or `open`; by `erased`
    where the log erases it: then secret and leaves are gone, and the key is what was signed."""

    secret: bytes = field(repr=False)
    blocks: tuple[Block, ...]
    leaf_hashes: tuple[bytes, ...]
    key: str

    media = MEDIA

    @classmethod
    def seal(cls, blocks: Sequence[Block], *, secret: bytes, origin: str, id_: str) -> Readings:
        """Compute the tree. Raises InvalidInput for blocks out of order or overlapping."""
        check_blocks(blocks)
        count = sum(block.count for block in blocks)
        leaves = merkle.leaf_hashes(leaf_rows(blocks, nonces(secret, origin, id_, count)))
        return cls(secret, tuple(blocks), tuple(leaves), merkle.root(leaves).hex())

    @classmethod
    def open(cls, data: bytes, *, origin: str, id_: str) -> Readings:
        """Raises InvalidInput for malformed bytes."""
        secret, blocks = parse_blocks(data)
        return cls.seal(blocks, secret=secret, origin=origin, id_=id_)

    @classmethod
    def erased(cls, blocks: Sequence[Block], *, key: str) -> Readings:
        """Raises InvalidInput for blocks that no batch can have."""
        check_blocks(blocks)
        return cls(b"", tuple(blocks), (), key)

    @property
    def size(self) -> int:
        return sum(block.count for block in self.blocks)

    @property
    def data(self) -> bytes:
        return encode_blocks(self.secret, self.blocks)


def check_blocks(blocks: Sequence[Block]) -> None:
    """Raises InvalidInput unless blocks are ordered by (point, start), apart, and in range."""
    count = sum(block.count for block in blocks)
    if not 0 < count <= READINGS_MAX:
        raise InvalidInput(f"a batch has 1 to {READINGS_MAX} readings, not {count}")
    for block in blocks:
        if not (0 < block.length_s < 2**32 and block.start_s >= 0 and block.end_s < END_S):
            raise InvalidInput(
                f"block of point {block.point.hex()}: start {block.start_s},"
                f" length {block.length_s} s are out of range"
            )
        if block.count == 0 or len(block.quality) != block.count:
            raise InvalidInput(f"block of point {block.point.hex()}: values and flags differ")
        unknown = int(np.bitwise_or.reduce(block.quality)) & ~ALL_FLAGS
        if unknown:
            raise InvalidInput(f"block of point {block.point.hex()}: unknown flags {unknown:#x}")
    for before, after in itertools.pairwise(blocks):
        if (before.point, before.end_s) > (after.point, after.start_s):
            raise InvalidInput(
                f"blocks of point {after.point.hex()} are out of order or overlap at"
                f" {format_instant(after.start_s)}"
            )


def encode_blocks(secret: bytes, blocks: Sequence[Block]) -> bytes:
    parts = [_MAGIC, secret, struct.pack(">I", len(blocks))]
    for block in blocks:
        parts.append(_BLOCK_HEAD.pack(block.point, block.start_s, block.length_s, block.count))
        parts.append(block.wire_values())
        parts.append(block.wire_quality())
    return b"".join(parts)


def parse_blocks(data: bytes) -> tuple[bytes, list[Block]]:
    """(secret, blocks) of a readings body. Raises InvalidInput where it is malformed or cut off."""
    head = len(_MAGIC) + SECRET_BYTES
    if len(data) < head + 4 or not data.startswith(_MAGIC):
        raise InvalidInput("a readings body begins with GLR1, a secret and the number of blocks")
    (block_count,) = struct.unpack_from(">I", data, head)
    if block_count > READINGS_MAX:
        raise InvalidInput(f"a batch has at most {READINGS_MAX} readings, not {block_count} blocks")
    at = head + 4
    blocks = []
    for number in range(block_count):
        if at + _BLOCK_HEAD.size > len(data):
            raise InvalidInput(
                f"readings body is cut off at byte {at}, in the head of block {number}"
            )
        point, start_s, length_s, count = _BLOCK_HEAD.unpack_from(data, at)
        at += _BLOCK_HEAD.size
        if count == 0:
            raise InvalidInput(f"block {number} of the readings body is empty")
        if at + 10 * count > len(data):
            raise InvalidInput(f"readings body is cut off at byte {at}, in block {number}")
        value, quality = decode_arrays(
            data[at : at + 8 * count], data[at + 8 * count : at + 10 * count]
        )
        blocks.append(
            Block(point=point, start_s=start_s, length_s=length_s, value=value, quality=quality)
        )
        at += 10 * count
    if at != len(data):
        raise InvalidInput(f"readings body has {len(data) - at} bytes too many")
    return data[len(_MAGIC) : head], blocks


def decode_arrays(values: bytes, quality: bytes) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """int64[n] and uint16[n] from their big-endian bytes."""
    return (
        np.frombuffer(values, ">i8").astype(np.int64),
        np.frombuffer(quality, ">u2").astype(np.uint16),
    )


def blocks_of(point: bytes, series: Series) -> list[Block]:
    """Cut a series into runs of adjoining intervals."""
    if len(series) == 0:
        return []
    cuts = np.flatnonzero(np.diff(series.start_s) != series.length_s) + 1
    bounds = [0, *cuts.tolist(), len(series)]
    return [
        Block(
            point=point,
            start_s=int(series.start_s[begin]),
            length_s=series.length_s,
            value=series.value[begin:end],
            quality=series.quality[begin:end],
        )
        for begin, end in itertools.pairwise(bounds)
    ]


def cut(block: Block, most: int) -> list[Block]:
    """The same intervals in blocks of at most `most`: a year of minutes is more than a batch."""
    return [
        Block(
            point=block.point,
            start_s=block.start_s + begin * block.length_s,
            length_s=block.length_s,
            value=block.value[begin : begin + most],
            quality=block.quality[begin : begin + most],
        )
        for begin in range(0, block.count, most)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One reading with what proves it: its leaf bytes, its place, and its path in the batch."""

    leaf: bytes
    index: int
    path: tuple[bytes, ...]


def open_reading(readings: Readings, origin: str, id_: str, index: int) -> Opened:
    """Open leaf `index` of a batch."""
    stream = nonces(readings.secret, origin, id_, index + 1)
    at = 0
    for block in readings.blocks:
        if index < at + block.count:
            break
        at += block.count
    offset = index - at
    single = Block(
        point=block.point,
        start_s=block.start_s + offset * block.length_s,
        length_s=block.length_s,
        value=block.value[offset : offset + 1],
        quality=block.quality[offset : offset + 1],
    )
    (leaf,) = leaf_rows([single], stream[-NONCE_BYTES:])
    path = merkle.path_in(merkle.levels(readings.leaf_hashes), index)
    return Opened(leaf=bytes(leaf), index=index, path=tuple(path))
