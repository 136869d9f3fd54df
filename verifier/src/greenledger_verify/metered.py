"""What the meter showed in a quarter-hour (formats.md §3.4), from readings proven in their batches.

A reading of a quarter-hour counts as it is, a longer one by its part (§7 spreads it), shorter ones
by their sum; one that is flagged estimated counts nothing. Two readings for one time are no
evidence.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Final

from greenledger_verify.entry import Entry
from greenledger_verify.evidence_file import BatchOpening
from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.leaves import QUALITY
from greenledger_verify.merkle import leaf_hash
from greenledger_verify.months import QUARTER_S
from greenledger_verify.sharedpath import WH_END, verify_shared_path

NO_READING: Final = bytes(32)

_TAIL = struct.Struct(">QIqH")
_NONCE_SIZE: Final = 16
_LONG_S: Final = (QUARTER_S, 1800, 3600)
_ESTIMATED: Final = 1
_TIME_END_S: Final = 253_402_300_800


@dataclass(frozen=True, slots=True)
class OpenedReading:
    """A reading whose leaf is in the batch of entry ``batch``."""

    start_s: int
    length_s: int
    value: int
    quality: int
    hash: bytes
    batch: int


@dataclass(frozen=True, slots=True)
class Metered:
    """What a quarter-hour's readings give: the hash that the outer leaf holds, the Wh, the
    batches.
    """

    hash: bytes
    wh: int
    batches: tuple[int, ...]


NOTHING_METERED: Final = Metered(NO_READING, 0, ())


def open_readings(
    point: bytes, openings: Sequence[BatchOpening], batches: Mapping[int, Entry]
) -> list[OpenedReading]:
    """The readings of ``point``, each in the tree that its batch commits to; in order of time,
    none over another one.
    """
    found: list[OpenedReading] = []
    for opening in openings:
        with locate("batch of entry {index}", index=opening.entry):
            found += _open_batch(point, opening, batches[opening.entry])
    found.sort(key=lambda reading: reading.start_s)
    for one, following in pairwise(found):
        if one.start_s + one.length_s > following.start_s:
            raise VerificationError(
                "two readings of the point lie over each other, at {one} and {other} (Unix "
                "seconds): they are no evidence",
                one=one.start_s,
                other=following.start_s,
            )
    return found


def _open_batch(point: bytes, opening: BatchOpening, batch: Entry) -> Iterator[OpenedReading]:
    leaves = [raw[:_NONCE_SIZE] + point + raw[_NONCE_SIZE:] for raw in opening.leaves]
    hashes = [leaf_hash(leaf) for leaf in leaves]
    body = batch.reference("body")
    size, root = body["size"], body["root"]
    assert isinstance(size, int)
    assert isinstance(root, str)
    verify_shared_path(opening.places, hashes, size, opening.nodes, bytes.fromhex(root))
    for raw, hash_ in zip(opening.leaves, hashes, strict=True):
        start_s, length_s, value, quality = _TAIL.unpack_from(raw, _NONCE_SIZE)
        if quality >> len(QUALITY):
            raise VerificationError("unknown quality flags {flags}", flags=hex(quality))
        if length_s == 0 or start_s + length_s >= _TIME_END_S:
            raise VerificationError(
                "the interval from {start} over {length} s is not one",
                start=start_s,
                length=length_s,
            )
        if value < 0:
            raise VerificationError("the reading is below 0: {value}", value=value)
        yield OpenedReading(start_s, length_s, value, quality, hash_, opening.entry)


def metered_quarters(readings: Sequence[OpenedReading], starts_s: set[int]) -> dict[int, Metered]:
    """What the readings give to the quarter-hours that begin at ``starts_s``, by their begin. Each
    reading covers one of them at least.
    """
    quarters: dict[int, Metered] = {}
    shorter: dict[int, list[OpenedReading]] = {}
    for reading in readings:
        if reading.length_s in _LONG_S and not reading.start_s % QUARTER_S:
            covered = _spread(reading)
        elif reading.length_s < QUARTER_S and not QUARTER_S % reading.length_s:
            quarter_s = reading.start_s - reading.start_s % QUARTER_S
            shorter.setdefault(quarter_s, []).append(reading)
            covered = {quarter_s: NOTHING_METERED}
        else:
            raise VerificationError(
                "a reading of {length} s at {start} (Unix seconds) does not go on quarter-hours",
                length=reading.length_s,
                start=reading.start_s,
            )
        if starts_s.isdisjoint(covered):
            raise VerificationError(
                "the reading at {start} (Unix seconds) covers no opened quarter-hour",
                start=reading.start_s,
            )
        if reading.length_s >= QUARTER_S:
            quarters.update(covered)
    for quarter_s, parts in shorter.items():
        if quarter_s in quarters:
            raise VerificationError(
                "readings of two lengths in the quarter-hour at {start} (Unix seconds)",
                start=quarter_s,
            )
        quarters[quarter_s] = _sum(quarter_s, parts)
    return quarters


def _spread(reading: OpenedReading) -> dict[int, Metered]:
    """formats.md §7: of v = q·n + r, quarter k gets q + ⌊r(k+1)/n⌋ − ⌊rk/n⌋."""
    batches = (reading.batch,)
    value = 0 if reading.quality & _ESTIMATED else reading.value
    if reading.length_s == QUARTER_S:
        return {reading.start_s: Metered(reading.hash, value, batches)}
    number = reading.length_s // QUARTER_S
    each, rest = divmod(value, number)
    return {
        reading.start_s + QUARTER_S * k: Metered(
            reading.hash, each + rest * (k + 1) // number - rest * k // number, batches
        )
        for k in range(number)
    }


def _sum(quarter_s: int, parts: Sequence[OpenedReading]) -> Metered:
    """Shorter readings, in order of time, that fill the quarter-hour."""
    length_s = parts[0].length_s
    starts = [part.start_s for part in parts]
    if starts != list(range(quarter_s, quarter_s + QUARTER_S, length_s)) or any(
        part.length_s != length_s for part in parts
    ):
        raise VerificationError(
            "the readings do not fill the quarter-hour at {start} (Unix seconds) with one length",
            start=quarter_s,
        )
    estimated = any(part.quality & _ESTIMATED for part in parts)
    wh = 0 if estimated else sum(part.value for part in parts)
    if wh >= WH_END:
        raise VerificationError("the readings overflow: {wh} Wh", wh=wh)
    digest = sha256(b"\x02" + b"".join(part.hash for part in parts)).digest()
    return Metered(digest, wh, tuple({part.batch: None for part in parts}))
