"""Values of all points → one series per point: order, repeats, registers, multipliers, shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.errors import InvalidInput
from ledger.metering.importers import decimals, registers, shape
from ledger.metering.importers.cells import Names
from ledger.metering.importers.decimals import Decimals
from ledger.metering.importers.profile import Profile, ValueRules
from ledger.metering.importers.report import Notes, PointFacts
from ledger.metering.importers.shape import Readings, Slots
from ledger.metering.importers.values import Values, reject_cells
from ledger.metering.quality import Quality
from ledger.metering.series import Series

# In base units: a petawatt-hour in one interval. It keeps every sum of parts within int64.
VALUE_MOST: Final = 10**15
# What enters a park's balance has a direction of its own, so a negative value is an error there.
_MAY_BE_NEGATIVE: Final = ("other", "billed")

ShowInstant = Callable[[int], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRules:
    """What the steps of this module need besides the values. `show`: an instant for a message."""

    profile: Profile
    names: Names
    park_offset_s: int
    show: ShowInstant
    notes: Notes


def check_facts(point: str, facts: PointFacts, profile: Profile, name: str) -> None:
    """Raises InvalidInput where the profile does not fit the point."""
    value = profile.value
    if value.base_unit != facts.unit:
        raise InvalidInput(
            f"{name}: the profile's unit {value.unit!r} gives {value.base_unit}, but point"
            f" {point!r} is registered in {facts.unit}"
        )
    if (value.quantity == "gauge") != (facts.measure == "gauge"):
        raise InvalidInput(
            f"{name}: the profile's quantity is {value.quantity!r}, but point {point!r} is"
            f" registered as {facts.measure}"
        )
    if profile.target_s != facts.interval_s:
        raise InvalidInput(
            f"{name}: the profile gives intervals of {profile.target_s} s, but point {point!r} is"
            f" registered with {facts.interval_s} s; [target] interval can change them"
        )
    gauge = facts.measure == "gauge"
    if value.negative == "keep" and not gauge and facts.kind not in _MAY_BE_NEGATIVE:
        raise InvalidInput(
            f"{name}: negative = 'keep', but point {point!r} is of kind {facts.kind!r}, whose"
            " values can't be negative; use 'reject' or 'clip'"
        )
    if value.by_meter and not facts.meters:
        raise InvalidInput(
            f"{name}: multiplier = 'meter', but point {point!r} has no meter data; register it or"
            " use multiplier = 'none'"
        )


def in_order(values: Values, rules: PointRules) -> tuple[Values, int]:
    """Values by (point, time) without repeats, and how many identical ones were dropped.

    Rejects values that contradict each other and intervals that overlap; notes rows out of order.
    """
    _note_steps_back(values, rules)
    cells = values.cells
    order = np.lexsort((cells.row, cells.at_s, cells.point))
    if not np.array_equal(order, np.arange(len(order))):
        values = values.take_at(order)
    values, repeats = _drop_repeats(values, rules)
    cells = values.cells
    step_s = np.diff(cells.at_s)
    near = (np.diff(cells.point) == 0) & (step_s < rules.profile.time.interval_s)
    overlapping = np.concatenate((np.zeros(min(1, len(cells)), dtype=np.bool_), near))
    reject_cells(
        cells,
        rules.names,
        overlapping,
        rules.notes,
        lambda index: f"the interval overlaps that of row {cells.row[index - 1]}",
    )
    return values.take(~overlapping), repeats


def _note_steps_back(values: Values, rules: PointRules) -> None:
    """Sorting is harmless, but a step back at every midnight means that stamps are misread."""
    cells = values.cells
    order = np.argsort(cells.point, kind="stable")
    at_s, point = cells.at_s[order], cells.point[order]
    back = np.flatnonzero((np.diff(at_s) < 0) & (np.diff(point) == 0)) + 1
    rule = "row steps back in time: sorted"
    rules.notes.repaired(Quality.MEASURED, rule, cells.row[order][back])


def _drop_repeats(values: Values, rules: PointRules) -> tuple[Values, int]:
    cells = values.cells
    same = (np.diff(cells.point) == 0) & (np.diff(cells.at_s) == 0)
    if not same.any():
        return values, 0
    keep = np.ones(len(cells), dtype=np.bool_)
    repeats = 0
    firsts = np.flatnonzero(np.diff(same.astype(np.int8), prepend=0) == 1)
    for first in firsts.tolist():
        last = first + 1
        while last < len(same) and same[last]:
            last += 1
        run = range(first, last + 1)
        if all(values.number[index] == values.number[first] for index in run):
            keep[first + 1 : last + 1] = False
            repeats += last - first
            continue
        keep[first : last + 1] = False
        for index in run:
            other = next(i for i in run if values.number[i] != values.number[index])
            column = rules.names.columns[cells.column[index]]
            rules.notes.rejected(
                cells.row[index],
                column,
                f"{cells.text[index]!r} for {rules.show(cells.at_s[index])}, but row"
                f" {cells.row[other]} says {cells.text[other]!r} for the same interval",
            )
    return values.take(keep), repeats


def by_point(values: Values) -> Iterator[tuple[int, Values]]:
    """Values in order → (place of the point, its values)."""
    present, firsts = np.unique(values.cells.point, return_index=True)
    bounds = [*firsts.tolist(), len(values.cells)]
    for place, point in enumerate(present.tolist()):
        yield point, values.take_at(np.arange(bounds[place], bounds[place + 1]))


def to_series(point: str, facts: PointFacts, values: Values, rules: PointRules) -> Series | None:
    """One point's values, in order → its series; None where no interval is left."""
    profile, notes = rules.profile, rules.notes
    readings = (_from_register if profile.value.quantity == "register" else _from_values)(
        point, facts, values, rules
    )
    readings = _within_limit(readings, rules)
    slots = _reshape(readings, facts, rules)
    notes.repaired(Quality.MEASURED, "a slot touches a missing row: absent", slots.lost)
    keep = _kept(slots.start_s, rules)
    if not keep.any():
        return None
    return Series(
        point=point,
        length_s=profile.target_s,
        start_s=slots.start_s[keep],
        value=slots.value[keep].astype(np.int64),
        quality=slots.quality[keep],
    )


def _from_values(point: str, facts: PointFacts, values: Values, rules: PointRules) -> Readings:
    number, per = values.number, rules.profile.value.factor / 10**values.places
    if rules.profile.value.by_meter:
        in_force = registers.meter_at(facts.meters, values.cells.at_s)
        reject_cells(
            values.cells,
            rules.names,
            in_force < 0,
            rules.notes,
            lambda index: f"point {point!r} has no meter at {rules.show(values.cells.at_s[index])}",
        )
        values, in_force = values.take(in_force >= 0), in_force[in_force >= 0]
        factors = registers.multipliers(facts.meters)
        number = decimals.multiply(values.number, factors.mantissa[in_force])
        per /= 10**factors.places
    return Readings(
        start_s=values.cells.at_s,
        length_s=rules.profile.time.interval_s,
        number=number,
        per=per,
        quality=values.quality,
        row=values.cells.row,
        column=values.cells.column,
    )


def _from_register(_point: str, facts: PointFacts, values: Values, rules: PointRules) -> Readings:
    value: ValueRules = rules.profile.value
    cells, notes = values.cells, rules.notes
    found = registers.differences(
        cells.at_s,
        Decimals(mantissa=values.number, places=values.places),
        interval_s=rules.profile.time.interval_s,
        digits=value.register_digits,
        meters=facts.meters,
        by_meter=value.by_meter,
    )
    for place, reason in found.failed:
        notes.rejected(cells.row[place], rules.names.columns[cells.column[place]], reason)
    row = cells.row[found.at]
    for flag, rule in (
        (Quality.ROLLOVER, "the register rolled over"),
        (Quality.SWAPPED, "the meter was swapped: both registers added"),
    ):
        notes.repaired(flag, rule, row[(found.quality & flag) != 0])
    return Readings(
        start_s=found.start_s,
        length_s=rules.profile.time.interval_s,
        number=found.number,
        per=found.per * value.factor,
        # An interval is as doubtful as either of the readings that bound it.
        quality=found.quality | values.quality[found.at] | values.quality[found.at - 1],
        row=row,
        column=cells.column[found.at],
    )


def _within_limit(readings: Readings, rules: PointRules) -> Readings:
    most = VALUE_MOST * readings.per.denominator // abs(readings.per.numerator)
    if decimals.peak(readings.number) <= most:
        return readings
    too_large = np.asarray(abs(readings.number) > most, dtype=np.bool_)
    reason = f"more than {VALUE_MOST} {rules.profile.value.base_unit} in one interval"
    for index in np.flatnonzero(too_large).tolist():
        column = rules.names.columns[readings.column[index]]
        rules.notes.rejected(readings.row[index], column, reason)
    return replace(
        readings,
        start_s=readings.start_s[~too_large],
        number=readings.number[~too_large],
        quality=readings.quality[~too_large],
        row=readings.row[~too_large],
        column=readings.column[~too_large],
    )


def _reshape(readings: Readings, facts: PointFacts, rules: PointRules) -> Slots:
    profile, notes = rules.profile, rules.notes
    target_s, gauge = profile.target_s, facts.measure == "gauge"
    aligned = shape.on_grid(readings.start_s, target_s, rules.park_offset_s)
    if profile.spread:
        if not aligned:
            raise InvalidInput(
                f"{profile.where}: the stamps are not on the park's grid of {target_s} s, so they"
                " can't be spread over it"
            )
        slots = shape.spread(readings, target_s, gauge=gauge)
        rule = f"{readings.length_s} s spread evenly over parts of {target_s} s"
        notes.repaired(Quality.PROFILED, rule, slots.used)
    elif target_s == readings.length_s and aligned:
        slots = shape.keep_shape(readings)
    else:
        slots = shape.resample(readings, target_s, park_offset_s=rules.park_offset_s, gauge=gauge)
        rule = f"{target_s} s composed from {readings.length_s} s by overlap"
        notes.repaired(Quality.RESAMPLED, rule, slots.used)
    return slots


def _kept(start_s: NDArray[np.int64], rules: PointRules) -> NDArray[np.bool_]:
    wall_clock_s = start_s + rules.park_offset_s
    keep = np.ones(len(start_s), dtype=np.bool_)
    if rules.profile.keep_from_s is not None:
        keep &= wall_clock_s >= rules.profile.keep_from_s
    if rules.profile.keep_to_s is not None:
        keep &= wall_clock_s < rules.profile.keep_to_s
    return keep
