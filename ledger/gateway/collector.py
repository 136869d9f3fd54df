"""From items to readings of registered points, and when they are due. Pure.

Rules of the room (docs/gateway.md):

- The first value of a point and interval counts. The same again is a repeat, dropped and counted;
  another one is a conflict and is not taken: corrections are acts of people, with a reason.
- Order does not matter: registers are differenced with their neighbours, whichever came first.
- A reading that ends more than 300 s after the gateway's clock, or began longer ago than it
  remembers, is not taken: one of the clocks is far off.
- A window closes `grace_s` after its end; what comes later goes with the next one. Being late by a
  window changes nothing in the reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, Literal

import numpy as np

from ledger.client import PointInfo
from ledger.errors import InvalidInput, Refused
from ledger.gateway.messages import Interval, Quantity, Register
from ledger.log.types import FUTURE_S_MAX
from ledger.metering.batches import Block
from ledger.metering.importers import decimals, registers
from ledger.metering.importing import facts_of
from ledger.metering.points import Point
from ledger.metering.quality import Quality
from ledger.metering.rules import check_readings
from ledger.units import BASE_UNITS, format_instant

# In base units, as of files: every sum of parts stays within int64.
VALUE_MOST: Final = 10**15
Verdict = Literal["fresh", "repeat", "conflict"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A value of a point (16 bytes) and interval, in the point's base unit."""

    point: bytes
    start_s: int
    length_s: int
    value: int
    quality: int

    @property
    def end_s(self) -> int:
        return self.start_s + self.length_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the register of a point showed at `at_s`: `number` as decimal text of `unit`."""

    point: bytes
    at_s: int
    number: str
    unit: str
    digits: int
    quality: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a gateway takes, by its clock. `snap_s`: how far from its instant a register may have
    been read. `memory_s`: how long repeats are recognised, and so how old a reading may be."""

    window_s: int = 900
    grace_s: int = 30
    snap_s: int = 60
    memory_s: int = 40 * 86_400


class UnknownPoint(InvalidInput):
    """No point of that name or meter is registered, as far as the gateway knows."""


@dataclass(frozen=True, slots=True)
class Points:
    """The registered points as a server told them, by name, by id and by meter number."""

    by_name: Mapping[str, PointInfo]
    zone_s: int
    by_id: Mapping[bytes, PointInfo] = field(init=False)
    by_meter: Mapping[str, tuple[PointInfo, ...]] = field(init=False)

    def __post_init__(self) -> None:
        by_meter: dict[str, tuple[PointInfo, ...]] = {}
        for info in self.by_name.values():
            for number in {_digits(meter.number) for meter in info.master.meters}:
                by_meter[number] = (*by_meter.get(number, ()), info)
        by_id = {bytes.fromhex(info.point): info for info in self.by_name.values()}
        object.__setattr__(self, "by_id", by_id)
        object.__setattr__(self, "by_meter", by_meter)

    def named(self, name: str) -> PointInfo:
        """Raises UnknownPoint."""
        if name not in self.by_name:
            raise UnknownPoint(f"no point {name[:64]!r} is registered")
        return self.by_name[name]

    def of_meter(self, number: str, at_s: int) -> PointInfo:
        """The point that the meter measures at that time. Raises UnknownPoint."""
        for info in self.by_meter.get(_digits(number), ()):
            if _has_meter(info.master, number, at_s):
                return info
        raise UnknownPoint(
            f"no point has meter {number[:64]!r} at {format_instant(at_s)}; register it with the"
            " point, with the time from which it measures"
        )


def _digits(number: str) -> str:
    """A meter's number without leading zeros: an address has 12 digits, a plate often fewer."""
    return number.lstrip("0") or "0"


def _has_meter(master: Point, number: str, at_s: int) -> bool:
    return any(
        _digits(meter.number) == _digits(number)
        and meter.period.start_s <= at_s < meter.period.end_s
        for meter in master.meters
    )


def reading_of(item: Interval, points: Points, now_s: int, limits: Limits) -> Reading:
    """Raises InvalidInput or Refused for what the log would not take."""
    info = points.named(item.point)
    master = _regular(info.master)
    found = Reading(
        point=bytes.fromhex(info.point),
        start_s=item.start_s,
        length_s=item.length_s or master.interval_s,
        value=_in_base_unit(item.value, master),
        quality=item.quality,
    )
    return _checked(found, master, points.zone_s, now_s, limits)


def shown_of(item: Register, points: Points, now_s: int, limits: Limits) -> Shown:
    """A register's reading, on the grid of its point. Raises InvalidInput or Refused."""
    info = points.named(item.point) if item.point else points.of_meter(item.meter, item.at_s)
    master = _regular(info.master)
    if item.point and item.meter and master.meters:
        near = (item.at_s - limits.snap_s, item.at_s, item.at_s + limits.snap_s)
        if not any(_has_meter(master, item.meter, at_s) for at_s in near):
            raise InvalidInput(
                f"the frame is of meter {item.meter}, which point {master.name!r} does not have at"
                f" {format_instant(item.at_s)}"
            )
    if master.measure != "additive":
        raise InvalidInput(f"point {master.name!r} is a gauge; a register adds up")
    if BASE_UNITS[item.value.unit][0] != master.unit:
        raise InvalidInput(
            f"the register is in {item.value.unit}, point {master.name!r} in {master.unit}"
        )
    if item.value.number < 0:
        raise InvalidInput("a register is not negative")
    if item.digits and item.value.number >= 10**item.digits:
        raise InvalidInput(f"{item.value.number} does not fit a register of {item.digits} digits")
    at_s = _snapped(item.at_s, master, points.zone_s, limits.snap_s)
    _check_clock(at_s, at_s, now_s, limits)
    moved = Quality.RELABELLED if at_s != item.at_s else Quality.MEASURED
    return Shown(
        point=bytes.fromhex(info.point),
        at_s=at_s,
        number=f"{item.value.number:f}",
        unit=item.value.unit,
        digits=item.digits,
        quality=item.quality | int(moved),
    )


def difference(before: Shown, after: Shown, points: Points, now_s: int, limits: Limits) -> Reading:
    """What flowed between two registers of a point, one interval apart.

    By the importers' own rules for rollover, swap and multiplier. Raises InvalidInput or Refused.
    """
    master = points.by_id[before.point].master
    if before.unit != after.unit:
        raise InvalidInput(f"one register is in {before.unit}, the next in {after.unit}")
    meters = facts_of(master).meters
    found = registers.differences(
        np.array([before.at_s, after.at_s], dtype=np.int64),
        decimals.parse([before.number, after.number]),
        interval_s=master.interval_s,
        digits=after.digits,
        meters=meters,
        by_meter=bool(meters),
    )
    if found.failed:
        raise InvalidInput(found.failed[0][1])
    exact = found.per * int(found.number[0]) * int(BASE_UNITS[after.unit][1])
    value = round(exact)  # of a Fraction: exactly, half to even
    return _checked(
        Reading(
            point=before.point,
            start_s=before.at_s,
            length_s=master.interval_s,
            value=value,
            quality=int(found.quality[0]) | before.quality | after.quality,
        ),
        master,
        points.zone_s,
        now_s,
        limits,
    )


def judge(held: Reading | None, new: Reading) -> Verdict:
    """What a reading is, beside the one that is held for its point and start."""
    if held is None:
        return "fresh"
    return "repeat" if held == new else "conflict"


def due_s(end_s: int, now_s: int, limits: Limits) -> int:
    """When a reading that came at `now_s` goes out: as its window closes, or the next that does."""
    from_s = max(end_s, now_s - limits.grace_s)
    return -(-from_s // limits.window_s) * limits.window_s + limits.grace_s


def _regular(master: Point) -> Point:
    if not master.interval_s:
        raise InvalidInput(
            f"point {master.name!r} has no interval of its own (bills); import its readings"
        )
    return master


def _in_base_unit(value: Quantity, master: Point) -> int:
    base, factor = BASE_UNITS[value.unit] if value.unit else (master.unit, Decimal(1))
    if base != master.unit:
        raise InvalidInput(f"the value is in {value.unit}, point {master.name!r} in {master.unit}")
    return int((value.number * factor).to_integral_value(ROUND_HALF_EVEN))


def _checked(found: Reading, master: Point, zone_s: int, now_s: int, limits: Limits) -> Reading:
    _check_clock(found.start_s, found.end_s, now_s, limits)
    if abs(found.value) > VALUE_MOST:
        raise Refused(f"more than {VALUE_MOST} {master.unit} in one interval")
    block = Block(
        point=found.point,
        start_s=found.start_s,
        length_s=found.length_s,
        value=np.array([found.value], dtype=np.int64),
        quality=np.array([found.quality], dtype=np.uint16),
    )
    check_readings(master, block, zone_s)
    return found


def _check_clock(start_s: int, end_s: int, now_s: int, limits: Limits) -> None:
    if end_s > now_s + FUTURE_S_MAX:
        raise Refused(
            f"it ends {format_instant(end_s)}, the gateway's clock is at {format_instant(now_s)}:"
            " one of the clocks is far off"
        )
    if start_s < now_s - limits.memory_s:
        raise Refused(
            f"it is of {format_instant(start_s)}, older than the {limits.memory_s // 86_400} days"
            " that the gateway remembers; import it from a file"
        )


def _snapped(at_s: int, master: Point, zone_s: int, snap_s: int) -> int:
    """The instant of the point's grid that is meant. Raises InvalidInput."""
    step_s = min(master.interval_s, 3600)
    off_s = (at_s + zone_s + step_s // 2) % step_s - step_s // 2
    if abs(off_s) > min(snap_s, (step_s - 1) // 2):
        raise InvalidInput(
            f"the register was read {abs(off_s)} s off the grid of {step_s} s of point"
            f" {master.name!r}; {snap_s} s are allowed"
        )
    return at_s - off_s
