"""Leaves of inner trees (formats.md §3): one reading in 54 bytes, one allocation in 93."""

import struct
from dataclasses import dataclass
from typing import Final

from greenledger_verify.failure import VerificationError
from greenledger_verify.text import Text, say

READING_SIZE: Final = 54
ALLOCATION_SIZE: Final = 93

_READING = struct.Struct(">16s16sQIqH")
_ALLOCATION = struct.Struct(">16s16s16s16sQIqBQ")
_TIME_END_S: Final = 253_402_300_800  # the year 10000, where the form of §1 ends

QUALITY: Final = (
    say("estimated: not measured, filled by a stated rule"),
    say("profiled: spread from a longer interval"),
    say("resampled: composed from other intervals by overlap"),
    say("clipped: a negative value was set to 0, as the import profile says"),
    say("relabelled: the interval's label was repaired"),
    say("rollover: the register rolled over"),
    say("swapped: the meter was swapped within the interval"),
    say("suspect: accepted, but doubtful"),
    say("corrected: replaces an earlier value"),
    say("late: arrived after its period had closed"),
)
SUPPLY_CLASSES: Final = (
    say("self-use"),
    say("direct supply"),
    say("storage"),
    say("green trade"),
    say("time-stamped certificate"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A metered value in the point's base unit, over ``length_s`` seconds from ``start_s``
    (Unix).
    """

    point: str
    start_s: int
    length_s: int
    value: int
    quality: tuple[Text, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """``energy_wh`` of the point ``source`` that a run gave to the point ``consumer`` under
    ``contract``.
    """

    contract: str
    source: str
    consumer: str
    start_s: int
    length_s: int
    energy_wh: int
    supply_class: Text
    lane: int


def parse_reading(raw: bytes) -> Reading:
    """The fields of §3.1; only the quality bits of §3.3 may be set."""
    _require_size(raw, READING_SIZE)
    _, point, start_s, length_s, value, quality = _READING.unpack(raw)
    _require_interval(start_s, length_s)
    if quality >> len(QUALITY):
        raise VerificationError("unknown quality flags {flags}", flags=hex(quality))
    flags = tuple(text for bit, text in enumerate(QUALITY) if quality >> bit & 1)
    return Reading(
        point=point.hex(), start_s=start_s, length_s=length_s, value=value, quality=flags
    )


def parse_allocation(raw: bytes) -> Allocation:
    """The fields of §3.2; an allocation is above 0 and of a known supply class."""
    _require_size(raw, ALLOCATION_SIZE)
    _, contract, source, consumer, start_s, length_s, wh, number, lane = _ALLOCATION.unpack(raw)
    _require_interval(start_s, length_s)
    if wh <= 0:
        raise VerificationError("an allocation is above 0 Wh, this one is {wh}", wh=wh)
    if not 1 <= number <= len(SUPPLY_CLASSES):
        raise VerificationError("{number} is not a supply class", number=number)
    return Allocation(
        contract=contract.hex(),
        source=source.hex(),
        consumer=consumer.hex(),
        start_s=start_s,
        length_s=length_s,
        energy_wh=wh,
        supply_class=SUPPLY_CLASSES[number - 1],
        lane=lane,
    )


def _require_size(raw: bytes, size_bytes: int) -> None:
    if len(raw) != size_bytes:
        raise VerificationError(
            "the leaf has {given} bytes, not {expected}", given=len(raw), expected=size_bytes
        )


def _require_interval(start_s: int, length_s: int) -> None:
    if length_s == 0 or start_s + length_s >= _TIME_END_S:
        raise VerificationError(
            "the interval from {start} over {length} s is not one", start=start_s, length=length_s
        )
