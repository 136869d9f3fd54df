"""Sealing a run's divisions piece by piece: a few sources or consumers of a month at a time.

Nearly all the work of a run is to hash the readings of its origins and to grow their sum trees.
That of one origin needs no other's: so a run is evaluated once, and numbered; then each piece is
a pure function of the log below the run's `as_of` and of its own bytes, wherever it is done; and
the pieces join in the order of the run.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from sqlalchemy import Connection

from ledger.errors import Corrupt, InvalidInput
from ledger.log.store import LogFacts
from ledger.lots.division import (
    DividedOrigin,
    Division,
    Place,
    outer_root,
    read_origin,
    write_origin,
)
from ledger.lots.model import LOT_BYTES, Month, month_of
from ledger.lots.packed import Bytes
from ledger.lots.sumtree import HASH
from ledger.matching.dividing import Numbered
from ledger.matching.metered import metered
from ledger.metering import store as metering
from ledger.metering.batches import POINT_BYTES

# Origins of a piece: a month of one takes some 15 ms, and a piece costs two commits.
ORIGINS_AT_ONCE: Final = 8
_HEAD: Final = struct.Struct(">Q32s32sII")
_DIGEST_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """Origins of one division, from number `first` on, by a log of `as_of` entries. Their readings
    are not known yet."""

    as_of: int
    first: int
    place: Place
    secret: bytes = field(repr=False)
    points: tuple[bytes, ...]
    origins: tuple[DividedOrigin, ...]

    @property
    def data(self) -> bytes:
        head = _HEAD.pack(
            self.as_of,
            self.place.id.encode(),
            self.secret,
            self.first,
            len(self.place.creates),
        )
        parts = [head, *self.place.creates, struct.pack(">I", len(self.origins))]
        for point, one in zip(self.points, self.origins, strict=True):
            parts += [point, *write_origin(one)]
        # Half of it are zeros, for readings.
        return zlib.compress(b"".join(parts), level=1)

    @classmethod
    def parse(cls, data: bytes, *, origin: str) -> Piece:
        """`origin`: the log's. Raises InvalidInput."""
        try:
            body = Bytes(zlib.decompress(data), "piece of a division")
        except zlib.error as error:
            raise InvalidInput(f"a piece of a division does not unpack: {error}") from error
        as_of, id_, secret, first, count = _HEAD.unpack(body.take(_HEAD.size))
        creates = tuple(body.take(LOT_BYTES) for _ in range(count))
        points, origins = [], []
        for _ in range(body.integer(4)):
            points.append(body.take(POINT_BYTES))
            origins.append(read_origin(body))
        body.end()
        return cls(
            as_of=as_of,
            first=first,
            place=Place(origin=origin, id=id_.decode(), creates=creates),
            secret=secret,
            points=tuple(points),
            origins=tuple(origins),
        )


def pieces_of(numbered: Sequence[Numbered], as_of: int) -> Iterator[Piece]:
    """A run's divisions in pieces, in their order."""
    for one in numbered:
        for first in range(0, len(one.origins), ORIGINS_AT_ONCE):
            part = slice(first, first + ORIGINS_AT_ONCE)
            yield Piece(
                as_of=as_of,
                first=first,
                place=one.place,
                secret=one.secret,
                points=tuple(plan.id.point for plan in one.plans[part]),
                origins=one.origins[part],
            )


def seal_piece(conn: Connection, log: LogFacts, data: bytes) -> bytes:
    """What comes of a piece: for each origin the hashes of its readings and its outer root, behind
    a digest over both that only who has the piece can make."""
    piece = Piece.parse(data, origin=log.origin)
    known = metering.current_points(conn, log.log_id, piece.as_of, only=set(piece.points))
    parts = []
    for k, (point, one) in enumerate(zip(piece.points, piece.origins, strict=True)):
        month = _month(log, one)
        shown = metered(conn, log, known[point], month, piece.as_of)
        full = replace(one, readings=shown.readings)
        root = outer_root(full, piece.first + k, secret=piece.secret, place=piece.place)
        parts.append(shown.readings.tobytes() + root)
    result = b"".join(parts)
    return _digest(piece, data, result) + result


def _month(log: LogFacts, one: DividedOrigin) -> Month:
    return month_of(one.start_s, log.zone_s)


def _digest(piece: Piece, data: bytes, result: bytes) -> bytes:
    return hmac.digest(piece.secret, hashlib.sha256(data).digest() + result, "sha256")


def join_pieces(
    numbered: Sequence[Numbered], pieces: Sequence[Piece], outputs: Sequence[bytes]
) -> list[tuple[Numbered, Division]]:
    """The divisions of a run, from what came of its pieces. Raises Corrupt where that is not what
    was made of them."""
    origins: dict[str, list[DividedOrigin]] = {one.place.id: [] for one in numbered}
    roots: dict[str, list[bytes]] = {one.place.id: [] for one in numbered}
    for piece, output in zip(pieces, outputs, strict=True):
        for one, readings, root in _results(piece, output):
            origins[piece.place.id].append(
                replace(one, readings=np.frombuffer(readings, dtype=HASH))
            )
            roots[piece.place.id].append(root)
    return [
        (
            one,
            Division.join(
                origins[one.place.id], roots[one.place.id], secret=one.secret, place=one.place
            ),
        )
        for one in numbered
    ]


def _results(piece: Piece, output: bytes) -> Iterator[tuple[DividedOrigin, bytes, bytes]]:
    said, result = output[:_DIGEST_BYTES], output[_DIGEST_BYTES:]
    if not hmac.compare_digest(said, _digest(piece, piece.data, result)):
        raise Corrupt(f"a stored piece of division {piece.place.id} is not what was computed")
    body = Bytes(result, "result of a piece")
    for one in piece.origins:
        yield one, body.take(HASH.itemsize * one.count), body.take(HASH.itemsize)
    body.end()
