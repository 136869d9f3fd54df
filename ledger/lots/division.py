"""The body of a division: origins cut into lots, quarter-hour by quarter-hour (§3.4). Pure.

Secrets come from one stream for each purpose, so that a lot can be opened for a whole month with
one key, and any quarter-hour of it alone.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.errors import InvalidInput
from ledger.log import merkle
from ledger.lots import sumtree
from ledger.lots.model import LOT_BYTES, NO_LOT, REMAINDER
from ledger.lots.packed import Bytes, Int64, pack
from ledger.metering.batches import END_S, NONCE, NONCE_BYTES, POINT_BYTES, SECRET_BYTES
from ledger.units import QUARTER_HOUR_S

MEDIA: Final = "application/vnd.greenledger.division"
# A month has 2,976 at most; a body that claims more is none.
COUNT_MAX: Final = 3_000
_MAGIC: Final = b"GLD1"
_ORIGIN_LEAF: Final = struct.Struct(">c16s32sI16s16s")
_LOT_LEAF: Final = struct.Struct(">c16sIB16s")
_OUTER: Final = np.dtype(
    [
        ("start", ">u8"),
        ("reading", sumtree.HASH),
        ("base", ">u8"),
        ("carried", ">u8"),
        ("fresh", ">i8"),
        ("sum", sumtree.HASH),
    ]
)
assert _OUTER.itemsize == 96


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DividedLot:
    """A lot of an origin: `number`, its place in the entry's `creates`; `wh`, int64[count]."""

    number: int
    supply_class: int
    holder: bytes
    wh: Int64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DividedOrigin:
    """What one origin of a division is made of, on the grid of its month, from `start_s` on.

    `readings`: V32[count]. `base_wh`, `carried_wh`, `fresh_wh`: int64[count]. `carried`: the lot
    taken over; `remainder`: the lot left over; `NO_LOT` where there is none.
    """

    start_s: int
    carried: bytes
    remainder: bytes
    readings: NDArray[np.void]
    base_wh: Int64
    carried_wh: Int64
    fresh_wh: Int64
    lots: tuple[DividedLot, ...]

    @property
    def count(self) -> int:
        return len(self.fresh_wh)

    @property
    def pool_wh(self) -> Int64:
        """int64[count]: what the lots share."""
        return self.carried_wh + self.fresh_wh


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a division stands: the log and the entry's id, which its secrets are bound to, and the
    lots that the entry creates, which its leaves go by."""

    origin: str
    id: str
    creates: tuple[bytes, ...]


class Secrets:
    """The streams of §3.4."""

    def __init__(self, secret: bytes, place: Place) -> None:
        self._head = (
            b"greenledger/lots/v1\n" + secret + place.origin.encode() + b"\n" + place.id.encode()
        )

    def _stream(self, label: str, size: int) -> bytes:
        return hashlib.shake_256(self._head + b"\n" + label.encode()).digest(size)

    def leaves(self, count: int) -> bytes:
        return self._stream("leaf", NONCE_BYTES * count)

    def lot_key(self, number: int) -> bytes:
        return self._stream(f"lot/{number}", SECRET_BYTES)

    def lot_nonces(self, number: int, count: int) -> NDArray[np.void]:
        return lot_nonces(self.lot_key(number), count)

    def empty_sums(self, number: int, count: int) -> NDArray[np.void]:
        return np.frombuffer(self._stream(f"empty/{number}", 32 * count), sumtree.HASH)


def lot_nonces(key: bytes, count: int) -> NDArray[np.void]:
    """V16[count]: a lot's nonces, one for each position of its month."""
    stream = hashlib.shake_256(b"greenledger/lot/v1\n" + key).digest(NONCE_BYTES * count)
    return np.frombuffer(stream, NONCE)


@dataclass(frozen=True, kw_only=True, eq=False)
class Division:
    """A division's body; `key` is the root. Made by `seal` or `open`, which compute it, or by
    `load` from what was accepted before, with the roots that were computed then."""

    secret: bytes = field(repr=False)
    place: Place
    origins: tuple[DividedOrigin, ...]
    outer_roots: tuple[bytes, ...]
    key: str

    media = MEDIA

    @classmethod
    def seal(cls, origins: Sequence[DividedOrigin], *, secret: bytes, place: Place) -> Division:
        """Compute the tree. Raises InvalidInput where the lots don't share the pool exactly."""
        _check(origins, place)
        secrets = Secrets(secret, place)
        roots = [_outer_root(one, k, place, secrets) for k, one in enumerate(origins)]
        return cls._of(origins, roots, secret, place)

    @classmethod
    def join(
        cls,
        origins: Sequence[DividedOrigin],
        roots: Sequence[bytes],
        *,
        secret: bytes,
        place: Place,
    ) -> Division:
        """Compute the tree over the `outer_root` of each origin. Raises as `seal` does."""
        _check(origins, place)
        return cls._of(origins, roots, secret, place)

    @classmethod
    def _of(
        cls,
        origins: Sequence[DividedOrigin],
        roots: Sequence[bytes],
        secret: bytes,
        place: Place,
    ) -> Division:
        secrets = Secrets(secret, place)
        leaves = merkle.leaf_hashes(_leaves(origins, roots, secrets, place))
        return cls(
            secret=secret,
            place=place,
            origins=tuple(origins),
            outer_roots=tuple(roots),
            key=merkle.root(leaves).hex(),
        )

    @classmethod
    def open(cls, data: bytes, *, place: Place) -> Division:
        """Raises InvalidInput for malformed bytes."""
        secret, origins = parse(data)
        return cls.seal(origins, secret=secret, place=place)

    @classmethod
    def load(cls, data: bytes, *, place: Place, outer_roots: Sequence[bytes], key: str) -> Division:
        secret, origins = parse(data)
        return cls(
            secret=secret,
            place=place,
            origins=tuple(origins),
            outer_roots=tuple(outer_roots),
            key=key,
        )

    @property
    def size(self) -> int:
        return len(self.origins) + len(self.place.creates)

    @property
    def data(self) -> bytes:
        parts = [_MAGIC, self.secret, struct.pack(">I", len(self.origins))]
        for one in self.origins:
            parts += write_origin(one)
        return b"".join(parts)

    @cached_property
    def secrets(self) -> Secrets:
        return Secrets(self.secret, self.place)

    @cached_property
    def leaves(self) -> list[bytes]:
        """The leaves of the body's tree: origins, then lots."""
        return _leaves(self.origins, self.outer_roots, self.secrets, self.place)

    def lot_of(self, number: int) -> tuple[int, DividedLot]:
        """Lot `number` of `creates`, and the place of its origin."""
        return next(
            (k, lot)
            for k, one in enumerate(self.origins)
            for lot in one.lots
            if lot.number == number
        )

    def open_origin(
        self, k: int, wanted: Mapping[int, Int64]
    ) -> tuple[list[bytes], NDArray[np.void], dict[int, list[bytes]]]:
        """Origin `k` with some lots opened: `wanted`, {number: int64[n] positions with energy}.

        Returns the leaf hashes of the outer tree, V32[count] sum roots, and for each lot its paths.
        """
        one = self.origins[k]
        sums = self.secrets.empty_sums(k, one.count).copy()
        position, hashes, wh, begins = _cells(one, self.place, self.secrets)
        targets: list[int] = []
        for number, at in wanted.items():
            lot = self.lot_of(number)[1]
            targets += (begins[number] + np.searchsorted(np.flatnonzero(lot.wh), at)).tolist()
        paths: tuple[bytes, ...] = ()
        if len(position):
            grown = sumtree.grow(position, hashes, wh, targets)
            sums[grown.position], paths = grown.root, grown.paths
        found, at_path = {}, 0
        for number, at in wanted.items():
            found[number] = list(paths[at_path : at_path + len(at)])
            at_path += len(at)
        return _outer_leaves(one, sums), sums, found


def _check(origins: Sequence[DividedOrigin], place: Place) -> None:
    if NO_LOT in place.creates:
        raise InvalidInput("sixteen zeros is the id of no lot")
    numbers = sorted(lot.number for one in origins for lot in one.lots)
    if numbers != list(range(len(place.creates))):
        raise InvalidInput("the division's lots are not those that its entry creates, one for one")
    for one in origins:
        _check_origin(one, place)


def _check_origin(one: DividedOrigin, place: Place) -> None:
    if not 0 < one.count <= COUNT_MAX or not 0 <= one.start_s < END_S:
        raise InvalidInput(f"an origin has {one.count} quarter-hours, not those of a month")
    if int(one.base_wh.min()) < 0 or int(one.carried_wh.min()) < 0:
        raise InvalidInput("a division is of energy of 0 Wh or more")
    if one.carried == NO_LOT and one.carried_wh.any():
        raise InvalidInput("energy is carried over, but no lot that it comes from")
    total = np.zeros(one.count, dtype=np.int64)
    for lot in one.lots:
        if int(lot.wh.min()) < 0 or not lot.wh.any():
            raise InvalidInput(f"lot {lot.number} is empty or negative")
        if (lot.supply_class == REMAINDER) != (place.creates[lot.number] == one.remainder):
            raise InvalidInput(f"lot {lot.number}: the remainder, and no other lot, is of class 0")
        total += lot.wh
        if int(total.min()) < 0:
            raise InvalidInput("the lots of a quarter-hour overflow")
    mine = {place.creates[lot.number] for lot in one.lots}
    if one.remainder not in {*mine, NO_LOT}:
        raise InvalidInput("the remainder of an origin is not among its lots")
    if [lot.number for lot in one.lots] != sorted(lot.number for lot in one.lots):
        raise InvalidInput("the lots of an origin are not in order")
    if not np.array_equal(total, one.pool_wh):
        row = int(np.argmax(total != one.pool_wh))
        raise InvalidInput(
            f"the lots of quarter-hour {row} are {int(total[row])} Wh, there are"
            f" {int(one.pool_wh[row])} Wh to divide"
        )


def _cells(
    one: DividedOrigin, place: Place, secrets: Secrets
) -> tuple[Int64, NDArray[np.void], Int64, dict[int, int]]:
    """Position, leaf hash and Wh of all leaves of all sum trees, lot by lot; and where those of
    each lot begin."""
    positions: list[Int64] = [np.empty(0, dtype=np.int64)]
    hashes: list[NDArray[np.void]] = [np.empty(0, dtype=sumtree.HASH)]
    amounts: list[Int64] = [np.empty(0, dtype=np.int64)]
    begins, count = {}, 0
    for lot in one.lots:
        at = np.flatnonzero(lot.wh)
        begins[lot.number] = count
        count += len(at)
        nonce = secrets.lot_nonces(lot.number, one.count)[at]
        positions.append(at)
        hashes.append(sumtree.leaf_hashes(place.creates[lot.number], nonce, lot.wh[at]))
        amounts.append(lot.wh[at])
    return np.concatenate(positions), np.concatenate(hashes), np.concatenate(amounts), begins


def _sums(one: DividedOrigin, k: int, place: Place, secrets: Secrets) -> NDArray[np.void]:
    """V32[count]: the root of the sum tree of each position."""
    sums = secrets.empty_sums(k, one.count).copy()
    if one.lots:
        position, hashes, wh, _ = _cells(one, place, secrets)
        grown = sumtree.grow(position, hashes, wh)
        sums[grown.position] = grown.root
    return sums


def outer_root(one: DividedOrigin, k: int, *, secret: bytes, place: Place) -> bytes:
    """Root of the outer tree of origin `k` of a division: nearly all the work of sealing it, and
    done for one origin without the others. Raises InvalidInput where the origin does not add up."""
    _check_origin(one, place)
    return _outer_root(one, k, place, Secrets(secret, place))


def _outer_root(one: DividedOrigin, k: int, place: Place, secrets: Secrets) -> bytes:
    return merkle.root(_outer_leaves(one, _sums(one, k, place, secrets)))


def _outer_leaves(one: DividedOrigin, sums: NDArray[np.void]) -> list[bytes]:
    rows = np.empty(one.count, dtype=_OUTER)
    rows["start"] = one.start_s + QUARTER_HOUR_S * np.arange(one.count)
    rows["reading"] = one.readings
    rows["base"] = one.base_wh
    rows["carried"] = one.carried_wh
    rows["fresh"] = one.fresh_wh
    rows["sum"] = sums
    return merkle.leaf_hashes(rows.view(f"V{_OUTER.itemsize}").tolist())


def _leaves(
    origins: Sequence[DividedOrigin], roots: Sequence[bytes], secrets: Secrets, place: Place
) -> list[bytes]:
    count = len(origins) + len(place.creates)
    stream = secrets.leaves(count)
    nonce = [stream[NONCE_BYTES * i : NONCE_BYTES * (i + 1)] for i in range(count)]
    found = [b""] * count
    for k, (one, root) in enumerate(zip(origins, roots, strict=True)):
        found[k] = _ORIGIN_LEAF.pack(b"O", nonce[k], root, one.count, one.carried, one.remainder)
        for lot in one.lots:
            i = len(origins) + lot.number
            found[i] = _LOT_LEAF.pack(b"T", nonce[i], k, lot.supply_class, lot.holder)
    return found


def parse(data: bytes) -> tuple[bytes, list[DividedOrigin]]:
    """(secret, origins) of a body. Raises InvalidInput."""
    body = Bytes(data, "division's body")
    if body.take(len(_MAGIC)) != _MAGIC:
        raise InvalidInput("a division's body begins with GLD1")
    secret = body.take(SECRET_BYTES)
    origins = [read_origin(body) for _ in range(body.integer(4))]
    body.end()
    return secret, origins


def write_origin(one: DividedOrigin) -> list[bytes]:
    """An origin as it stands in a body, in parts."""
    parts = [
        struct.pack(">QI", one.start_s, one.count),
        one.carried,
        one.remainder,
        one.readings.tobytes(),
        pack(one.base_wh),
        pack(one.carried_wh),
        pack(one.fresh_wh),
        struct.pack(">I", len(one.lots)),
    ]
    for lot in one.lots:
        parts += [struct.pack(">IB16s", lot.number, lot.supply_class, lot.holder), pack(lot.wh)]
    return parts


def read_origin(body: Bytes) -> DividedOrigin:
    """The next origin of a body. Raises InvalidInput."""
    start_s, count = body.integer(8), body.integer(4)
    if count > COUNT_MAX:
        raise InvalidInput(f"an origin has {count} quarter-hours, not those of a month")
    carried, remainder = body.take(LOT_BYTES), body.take(LOT_BYTES)
    readings = np.frombuffer(body.take(32 * count), sumtree.HASH)
    base_wh, carried_wh, fresh_wh = (body.array(count) for _ in range(3))
    lots = tuple(_parse_lot(body, count) for _ in range(body.integer(4)))
    return DividedOrigin(
        start_s=start_s,
        carried=carried,
        remainder=remainder,
        readings=readings,
        base_wh=base_wh,
        carried_wh=carried_wh,
        fresh_wh=fresh_wh,
        lots=lots,
    )


def _parse_lot(body: Bytes, count: int) -> DividedLot:
    number, supply_class = body.integer(4), body.integer(1)
    return DividedLot(
        number=number,
        supply_class=supply_class,
        holder=body.take(POINT_BYTES),
        wh=body.array(count),
    )
