"""The import itself: table → stamps → cells → values → one series per point.

Each step takes out what it can't accept, with its row and reason; the next sees only the rest. At
the end one rejection refuses the whole file, unless the caller accepts a part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timezone
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.errors import InvalidInput
from ledger.metering.importers import registers
from ledger.metering.importers.cells import Cells, flatten, keep_rows, wanted_columns
from ledger.metering.importers.instants import show_instant, to_instants
from ledger.metering.importers.points import (
    PointRules,
    by_point,
    check_facts,
    in_order,
    to_series,
)
from ledger.metering.importers.profile import Profile
from ledger.metering.importers.report import Imported, Notes, PointFacts, RowsRejected
from ledger.metering.importers.stamps import read_stamps
from ledger.metering.importers.tables import read_table
from ledger.metering.importers.values import Values, read_values, reject_cells
from ledger.metering.quality import Quality
from ledger.metering.series import Series
from ledger.units import zone_offset_s

FUTURE_SLACK_S: Final = 300
Progress = Callable[[int, int], None]


def read_file(
    path: Path,
    profile: Profile,
    *,
    points: Mapping[str, PointFacts],
    zone: timezone,
    now_s: int,
    accept_partial: bool = False,
    progress: Progress | None = None,
) -> Imported:
    """`read_bytes` of a file. Raises InvalidInput also where the file can't be opened."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path.name}: can't be read: {error.strerror}") from error
    return read_bytes(
        data,
        profile,
        name=path.name,
        points=points,
        zone=zone,
        now_s=now_s,
        accept_partial=accept_partial,
        progress=progress,
    )


def read_bytes(
    data: bytes,
    profile: Profile,
    *,
    name: str,
    points: Mapping[str, PointFacts],
    zone: timezone,
    now_s: int,
    accept_partial: bool = False,
    progress: Progress | None = None,
) -> Imported:
    """A file's bytes → series of the points that its profile names.

    `name`: the file's name, for messages and for the pattern in the profile. `points`: name →
    facts, all that the file may speak of. `zone`: park time. `now_s`: the clock, Unix seconds.
    `progress`: called with (rows done, rows in all).

    Raises RowsRejected where rows can't be taken (with `accept_partial` only where none is left)
    and InvalidInput where the file as a whole, or profile and point together, make no sense.
    """
    notes = Notes()
    star = match_name(profile.file.name, name, profile.where)
    table = read_table(data, profile.file, wanted_columns(profile), name=name, notes=notes)
    count = len(table.row)
    table = keep_rows(table, profile.keep_rows, notes)
    report = progress or (lambda _done, _all: None)
    report(count // 4, count)
    stamps = read_stamps(table, profile.time, name=name, notes=notes)
    cells, names = flatten(table, stamps, profile, star=star, points=points, name=name, notes=notes)
    del table, stamps  # a wide file's cells are most of what an import holds in memory
    facts_of = [points[point] for point in names.points]
    for place in np.unique(cells.point).tolist():
        check_facts(names.points[place], facts_of[place], profile, name)
    rules = PointRules(
        profile=profile,
        names=names,
        park_offset_s=zone_offset_s(zone),
        show=lambda instant_s: show_instant(instant_s, zone),
        notes=notes,
    )
    cells = _place_in_time(cells, rules, zone)
    cells = _judge_time(cells, rules, facts_of, now_s)
    report(count // 2, count)
    values = _label_repairs(read_values(cells, names, profile.value, notes), rules)
    report(count * 3 // 4, count)
    values, repeats = in_order(values, rules)
    series: list[Series] = []
    for place, of_point in by_point(values):
        made = to_series(names.points[place], facts_of[place], of_point, rules)
        if made is not None:
            series.append(made)
    report(count, count)
    rejections = notes.rejections()
    if rejections and not (accept_partial and series):
        raise RowsRejected(name, rejections)
    if not series:
        raise InvalidInput(f"{name}: no interval is left by the profile's rules; {_rules(notes)}")
    return Imported(
        series=tuple(sorted(series, key=lambda each: each.point)),
        repairs=notes.repairs(),
        rejections=rejections,
        repeats=repeats,
        rows=count,
        missing=sum(map(_missing, series)),
    )


def match_name(pattern: str, name: str, where: str) -> str:
    """What the `*` of a profile's pattern matches in a file's name. Raises InvalidInput where it
    does not fit; `where` names the profile."""
    if not pattern:
        return ""
    before, _, after = pattern.partition("*")
    literal = "*" not in pattern
    fits = len(name) >= len(before) + len(after)
    if (
        name != pattern
        if literal
        else not (fits and name.startswith(before) and name.endswith(after))
    ):
        raise InvalidInput(f"{name}: the profile {where} is for files named {pattern!r}")
    return "" if literal else name[len(before) : len(name) - len(after)]


def _place_in_time(cells: Cells, rules: PointRules, zone: timezone) -> Cells:
    """Local stamps → starts of intervals in Unix seconds, cut to what the profile keeps."""
    time = rules.profile.time
    instant_s, reasons = to_instants(cells, time, zone)
    good = np.ones(len(cells), dtype=np.bool_)
    good[list(reasons)] = False
    for index, why in reasons.items():
        rules.notes.rejected(cells.row[index], time.columns[0], why)
    start_s = instant_s - (time.interval_s if time.ends else 0) + time.shift_s
    cells = replace(cells, at_s=start_s).take(good)
    inside = _near_range(cells.at_s, rules)
    outside = "outside the range to keep: left out"
    rules.notes.repaired(Quality.MEASURED, outside, cells.row[~inside])
    return cells.take(inside)


def _near_range(start_s: NDArray[np.int64], rules: PointRules) -> NDArray[np.bool_]:
    """Source intervals that can contribute to the range to keep, a register's bounds included."""
    profile = rules.profile
    wall_clock_s = start_s + rules.park_offset_s
    inside = np.ones(len(start_s), dtype=np.bool_)
    # A reading counts for the interval before it as well as for the one after it.
    reach_s = 0 if profile.value.quantity == "register" else profile.time.interval_s
    if profile.keep_from_s is not None:
        inside &= wall_clock_s + reach_s >= profile.keep_from_s + min(1, reach_s)
    if profile.keep_to_s is not None:
        inside &= wall_clock_s <= profile.keep_to_s - min(1, reach_s)
    return inside


def _judge_time(cells: Cells, rules: PointRules, facts_of: list[PointFacts], now_s: int) -> Cells:
    """Rejects what lies in the future, before 1970, or under a meter that was not there."""
    is_register = rules.profile.value.quantity == "register"
    end_s = cells.at_s + (0 if is_register else rules.profile.time.interval_s)
    future = end_s > now_s + FUTURE_SLACK_S
    reject_cells(
        cells,
        rules.names,
        future,
        rules.notes,
        lambda index: (
            f"ends in the future ({rules.show(end_s[index])}, while the clock says"
            f" {rules.show(now_s)})"
        ),
    )
    early = cells.at_s < 0
    reject_cells(cells, rules.names, early, rules.notes, lambda _index: "begins before 1970")
    cells = cells.take(~(future | early))
    wrong = np.zeros(len(cells), dtype=np.bool_)
    for place in np.unique(cells.point[cells.meter >= 0]).tolist():
        meters = facts_of[place].meters
        own = cells.point == place
        in_force = registers.meter_at(meters, cells.at_s)
        numbers = [*(meter.number for meter in meters), ""]
        for index in np.flatnonzero(own).tolist():
            named = rules.names.meters[cells.meter[index]]
            wrong[index] = named != numbers[in_force[index]]
    reject_cells(
        cells,
        rules.names,
        wrong,
        rules.notes,
        lambda index: (
            f"meter {rules.names.meters[cells.meter[index]]!r} was not in force at"
            f" {rules.show(cells.at_s[index])}"
        ),
    )
    return cells.take(~wrong)


def _label_repairs(values: Values, rules: PointRules) -> Values:
    """Flags the readings whose label was moved."""
    cells, time, notes = values.cells, rules.profile.time, rules.notes
    moved = cells.closing
    notes.repaired(Quality.RELABELLED, "stamp d 0:00 closes day d", cells.row[cells.closing])
    if time.shift_s:
        moved = np.ones(len(cells), dtype=np.bool_)
        rule = f"stamps moved by {time.shift_s} s"
        notes.repaired(Quality.RELABELLED, rule, cells.row)
    flags = np.where(moved, Quality.RELABELLED, Quality.MEASURED).astype(np.uint16)
    return replace(values, quality=values.quality | flags)


def _missing(series: Series) -> int:
    span_s = int(series.start_s[-1] - series.start_s[0])
    return span_s // series.length_s + 1 - len(series)


def _rules(notes: Notes) -> str:
    applied = [f"{each.rule} ({each.count})" for each in notes.repairs()]
    return "applied: " + "; ".join(applied) if applied else "nothing was left out"
