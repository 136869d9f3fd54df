"""The body of a matching run: one leaf for each interval and lane with an allocation.

Pure (docs/formats.md §3.2). Leaves are opened one by one, so that a consumer can show a quarter of
an hour to somebody without showing its load curve.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.errors import InvalidInput, NotFound
from ledger.log import merkle
from ledger.matching.model import Grid, Lane, SupplyClass
from ledger.metering.batches import END_S, NONCE_BYTES, SECRET_BYTES, Opened, nonces

MEDIA: Final = "application/vnd.greenledger.allocations"
_MAGIC: Final = b"GLA1"
_LANE_HEAD: Final = struct.Struct(">16s16s16sBQII")
_LEAF: Final = np.dtype(
    [
        ("nonce", "V16"),
        ("contract", "V16"),
        ("source", "V16"),
        ("consumer", "V16"),
        ("start", ">u8"),
        ("length", ">u4"),
        ("wh", ">i8"),
        ("class", "u1"),
        ("lane", ">u8"),
    ]
)
LEAF_BYTES: Final = _LEAF.itemsize
assert LEAF_BYTES == 93


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LaneRow:
    """One lane on its grid: `wh` int64[n] from `start_s`, zeros included."""

    contract: bytes
    source: bytes
    consumer: bytes
    supply_class: int
    start_s: int
    length_s: int
    wh: NDArray[np.int64]

    @property
    def order(self) -> tuple[int, bytes, bytes, bytes]:
        return self.supply_class, self.contract, self.source, self.consumer


def lane_rows(lanes: Sequence[Lane], grid: Grid) -> list[LaneRow]:
    """The lanes of a result, in the order of the format."""
    rows = [
        LaneRow(
            contract=bytes.fromhex(lane.contract),
            source=bytes.fromhex(lane.source),
            consumer=bytes.fromhex(lane.consumer),
            supply_class=int(lane.supply_class),
            start_s=grid.start_s,
            length_s=grid.length_s,
            wh=lane.wh,
        )
        for lane in lanes
    ]
    return sorted(rows, key=lambda row: row.order)


def _leaf_chunks(lanes: Sequence[LaneRow], stream: bytes) -> Iterator[list[bytes]]:
    at = 0
    for number, lane in enumerate(lanes):
        places = np.flatnonzero(lane.wh)
        end = at + len(places) * NONCE_BYTES
        yield _leaves(lane, number, places, stream[at:end])
        at = end


def _leaves(lane: LaneRow, number: int, places: NDArray[np.int64], stream: bytes) -> list[bytes]:
    """The 93-byte leaves of some intervals of a lane; `stream` holds their nonces."""
    leaves = np.empty(len(places), dtype=_LEAF)
    leaves["nonce"] = np.frombuffer(stream, "V16", len(places))
    leaves["contract"] = np.void(lane.contract)
    leaves["source"] = np.void(lane.source)
    leaves["consumer"] = np.void(lane.consumer)
    leaves["start"] = lane.start_s + places * lane.length_s
    leaves["length"] = lane.length_s
    leaves["wh"] = lane.wh[places]
    leaves["class"] = lane.supply_class
    leaves["lane"] = number
    found: list[bytes] = leaves.view(f"V{LEAF_BYTES}").tolist()
    return found


def count_leaves(lanes: Sequence[LaneRow]) -> int:
    return sum(int(np.count_nonzero(lane.wh)) for lane in lanes)


@dataclass(frozen=True, slots=True, eq=False)
class Allocations:
    """The body of a run; `key` is the root over its leaves. Made by `seal` or `open` only."""

    secret: bytes = field(repr=False)
    lanes: tuple[LaneRow, ...]
    leaf_hashes: tuple[bytes, ...]
    key: str

    media = MEDIA

    @classmethod
    def seal(cls, lanes: Sequence[LaneRow], *, secret: bytes, origin: str, id_: str) -> Allocations:
        """Compute the tree. Raises InvalidInput for lanes out of order or negative energy."""
        check_lanes(lanes)
        stream = nonces(secret, origin, id_, count_leaves(lanes))
        hashes: list[bytes] = []
        for chunk in _leaf_chunks(lanes, stream):
            hashes += merkle.leaf_hashes(chunk)
        return cls(secret, tuple(lanes), tuple(hashes), merkle.root(hashes).hex())

    @classmethod
    def open(cls, data: bytes, *, origin: str, id_: str) -> Allocations:
        """Raises InvalidInput for malformed bytes."""
        secret, lanes = parse_lanes(data)
        return cls.seal(lanes, secret=secret, origin=origin, id_=id_)

    @property
    def size(self) -> int:
        return len(self.leaf_hashes)

    @property
    def data(self) -> bytes:
        parts = [_MAGIC, self.secret, struct.pack(">I", len(self.lanes))]
        for lane in self.lanes:
            parts.append(
                _LANE_HEAD.pack(
                    lane.contract,
                    lane.source,
                    lane.consumer,
                    lane.supply_class,
                    lane.start_s,
                    lane.length_s,
                    len(lane.wh),
                )
            )
            parts.append(lane.wh.astype(">i8").tobytes())
        return b"".join(parts)

    def same_as(self, lanes: Sequence[LaneRow]) -> bool:
        """Whether these are exactly the given lanes, as far as the root commits to them.

        A body is kept by its root, and all runs that allocate nothing have one root: the body that
        is found again may be another such run's, with lanes of another period.
        """
        if self.size == 0 and count_leaves(lanes) == 0:
            return True
        return len(self.lanes) == len(lanes) and all(
            (mine.order, mine.start_s, mine.length_s)
            == (other.order, other.start_s, other.length_s)
            and np.array_equal(mine.wh, other.wh)
            for mine, other in zip(self.lanes, lanes, strict=True)
        )

    def find(self, consumer: bytes, start_s: int) -> list[int]:
        """Leaf numbers of a consumer's allocations in the interval that starts at `start_s`."""
        found, at = [], 0
        for lane in self.lanes:
            places = np.flatnonzero(lane.wh)
            if lane.consumer == consumer:
                starts = lane.start_s + places * lane.length_s
                found += [at + int(place) for place in np.flatnonzero(starts == start_s)]
            at += len(places)
        if not found:
            raise NotFound(f"the run allocates nothing to point {consumer.hex()} at that interval")
        return found

    def reveal(self, index: int, *, origin: str, id_: str) -> Opened:
        """Open leaf `index`."""
        nonce = nonces(self.secret, origin, id_, index + 1)[-NONCE_BYTES:]
        number, place = self._locate(index)
        (leaf,) = _leaves(self.lanes[number], number, np.array([place]), nonce)
        path = merkle.path_in(merkle.levels(self.leaf_hashes), index)
        return Opened(leaf=leaf, index=index, path=tuple(path))

    def _locate(self, index: int) -> tuple[int, int]:
        """Lane, and interval in it, of leaf `index`."""
        at = 0
        for number, lane in enumerate(self.lanes):
            places = np.flatnonzero(lane.wh)
            if index < at + len(places):
                return number, int(places[index - at])
            at += len(places)
        raise NotFound(f"the run has {at} allocations, none with number {index}")


def check_lanes(lanes: Sequence[LaneRow]) -> None:
    """Raises InvalidInput unless lanes are strictly ordered, of a known class, and not negative."""
    orders = [lane.order for lane in lanes]
    if orders != sorted(set(orders)):
        raise InvalidInput("lanes are not strictly ordered by (class, contract, source, consumer)")
    known = {int(one) for one in SupplyClass}
    for lane in lanes:
        if lane.supply_class not in known:
            raise InvalidInput(f"unknown supply class {lane.supply_class}")
        if len(lane.wh) == 0 or int(lane.wh.min()) < 0 or lane.length_s == 0:
            raise InvalidInput(f"lane to {lane.consumer.hex()} is empty or negative")
        if lane.start_s < 0 or lane.start_s + len(lane.wh) * lane.length_s >= END_S:
            raise InvalidInput(f"lane to {lane.consumer.hex()} does not end before the year 10000")


def parse_lanes(data: bytes) -> tuple[bytes, list[LaneRow]]:
    """(secret, lanes) of an allocations body. Raises InvalidInput where it is malformed."""
    head = len(_MAGIC) + SECRET_BYTES
    if len(data) < head + 4 or not data.startswith(_MAGIC):
        raise InvalidInput("an allocations body begins with GLA1, a secret and the number of lanes")
    (count,) = struct.unpack_from(">I", data, head)
    at = head + 4
    lanes = []
    for number in range(count):
        if at + _LANE_HEAD.size > len(data):
            raise InvalidInput(f"allocations body is cut off in the head of lane {number}")
        contract, source, consumer, class_, start_s, length_s, size = _LANE_HEAD.unpack_from(
            data, at
        )
        at += _LANE_HEAD.size
        if at + 8 * size > len(data):
            raise InvalidInput(f"allocations body is cut off in lane {number}")
        wh = np.frombuffer(data, ">i8", size, at).astype(np.int64)
        at += 8 * size
        lanes.append(
            LaneRow(
                contract=contract,
                source=source,
                consumer=consumer,
                supply_class=class_,
                start_s=start_s,
                length_s=length_s,
                wh=wh,
            )
        )
    if at != len(data):
        raise InvalidInput(f"allocations body has {len(data) - at} bytes too many")
    return data[len(_MAGIC) : head], lanes
