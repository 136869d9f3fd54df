"""Register readings → energy per interval: differences, with rollovers and meter swaps.

A reading is an instant; two readings one interval apart make one interval. Where readings are
farther apart, what flowed between them is known, but not when: those intervals are absent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.errors import InvalidInput
from ledger.metering.importers import decimals
from ledger.metering.importers.decimals import Decimals, Integers
from ledger.metering.importers.report import Meter
from ledger.metering.quality import Quality

# A register that falls has rolled over only if it was in its last tenth and is in its first: any
# other fall is a fault or a swap that nobody registered, and guessing would invent energy.
_TENTH: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Differences:
    """`number` × `per` register units flowed from `start_s` on; `at`: place of the interval's
    second reading. `failed`: (place of the second reading, reason) where nothing can be told."""

    start_s: NDArray[np.int64]
    number: Integers
    per: Fraction
    quality: NDArray[np.uint16]
    at: NDArray[np.int64]
    failed: tuple[tuple[int, str], ...]


def meter_at(meters: Sequence[Meter], instant_s: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of the meter in force at each instant; −1 where there is none."""
    place = np.full(len(instant_s), -1, dtype=np.int64)
    for index, meter in enumerate(meters):
        inside = instant_s >= meter.from_s
        if meter.to_s is not None:
            inside &= instant_s < meter.to_s
        place[inside] = index
    return place


def multipliers(meters: Sequence[Meter]) -> Decimals:
    """CT × PT of each meter, exact. Raises InvalidInput."""
    parsed = decimals.parse([meter.multiplier for meter in meters])
    for index, reason in parsed.bad:
        raise InvalidInput(f"meter {meters[index].number!r}: multiplier {reason}")
    return parsed


def differences(
    instant_s: NDArray[np.int64],
    reading: Decimals,
    *,
    interval_s: int,
    digits: int,
    meters: Sequence[Meter],
    by_meter: bool,
) -> Differences:
    """Readings at strictly increasing instants → energies.

    `digits`: how many the register shows before the point, 0 where that is unknown (then a fall is
    never a rollover). `by_meter`: multiply by the multiplier of the meter in force.
    """
    ends = np.flatnonzero(np.diff(instant_s) == interval_s) + 1
    starts = ends - 1
    number = reading.mantissa[ends] - reading.mantissa[starts]
    quality = np.zeros(len(ends), dtype=np.uint16)
    failed: dict[int, str] = {}
    modulus = 10 ** (digits + reading.places) if digits else 0
    in_force = meter_at(meters, instant_s)
    swapped = in_force[ends] != in_force[starts]
    for place in np.flatnonzero((number < 0) & ~swapped).tolist():
        before, after = (int(reading.mantissa[at[place]]) for at in (starts, ends))
        if modulus and before >= modulus - modulus // _TENTH and after < modulus // _TENTH:
            number = _with(number, place, after + modulus - before)
            quality[place] |= Quality.ROLLOVER
        else:
            failed[place] = (
                f"the register falls from {_shown(before, reading.places)} to"
                f" {_shown(after, reading.places)}: neither a rollover nor a registered swap"
            )
    per = Fraction(1, 10**reading.places)
    if by_meter:
        factors = multipliers(meters)
        for place in np.flatnonzero((in_force[starts] < 0) & ~swapped).tolist():
            failed[place] = "no meter is registered for this time, so its multiplier is unknown"
        of_place = np.maximum(in_force[starts], 0)
        by = factors.mantissa[of_place] if len(meters) else np.ones(len(ends), dtype=np.int64)
        number = decimals.multiply(number, by)
        per /= 10**factors.places
    else:
        factors = Decimals(mantissa=np.ones(len(meters), dtype=np.int64), places=0)
    for place in np.flatnonzero(swapped).tolist():
        first, last = int(in_force[starts[place]]), int(in_force[ends[place]])
        try:
            energy = _over_swap(
                Fraction(int(reading.mantissa[starts[place]]), 10**reading.places),
                Fraction(int(reading.mantissa[ends[place]]), 10**reading.places),
                meters,
                range(first, last + 1),
                factors,
            )
        except InvalidInput as error:
            failed[place] = str(error)
            continue
        # A closing register with more decimals than the file makes a finer common unit.
        exact = energy / per
        if exact.denominator != 1:
            number = decimals.multiply(number, exact.denominator)
            per /= exact.denominator
            exact *= exact.denominator
        number = _with(number, place, int(exact))
        quality[place] |= Quality.SWAPPED
    good = np.array([place not in failed for place in range(len(ends))], dtype=np.bool_)
    return Differences(
        start_s=instant_s[starts][good],
        number=number[good],
        per=per,
        quality=quality[good],
        at=ends[good],
        failed=tuple((int(ends[place]), reason) for place, reason in sorted(failed.items())),
    )


def _with(number: Integers, place: int, value: int) -> Integers:
    if number.dtype != object and abs(value) >= 2**61:
        number = number.astype(object)
    number[place] = value
    return number


def _shown(mantissa: int, places: int) -> str:
    return (
        f"{mantissa // 10**places}.{mantissa % 10**places:0{places}}" if places else f"{mantissa}"
    )


def _over_swap(
    before: Fraction, after: Fraction, meters: Sequence[Meter], chain: range, factors: Decimals
) -> Fraction:
    """Energy of an interval in which the meter changed: each one's part by its own multiplier."""
    if chain.start < 0 or len(chain) < 2:
        raise InvalidInput("no meter is registered for a part of this interval")
    total = Fraction(0)
    for place in chain:
        meter = meters[place]
        if place > chain.start and meters[place - 1].to_s != meter.from_s:
            raise InvalidInput("no meter is registered for a part of this interval")
        opened = before if place == chain.start else _register(meter, meter.opening, "opening")
        closed = after if place == chain.stop - 1 else _register(meter, meter.closing, "closing")
        if closed < opened:
            wrong = "opening" if place == chain.stop - 1 else "closing"
            raise InvalidInput(
                f"the register of meter {meter.number!r} falls around its swap: its {wrong}"
                " register is wrong"
            )
        by = Fraction(int(factors.mantissa[place]), 10**factors.places)
        total += (closed - opened) * by
    return total


def _register(meter: Meter, text: str, which: str) -> Fraction:
    parsed = decimals.parse([text])
    if parsed.bad:
        raise InvalidInput(
            f"meter {meter.number!r} was swapped in this interval, but its {which} register"
            f" {parsed.bad[0][1]}"
        )
    return Fraction(int(parsed.mantissa[0]), 10**parsed.places)
