"""The three layouts of a table → one flat list of cells, each with its point and stamp."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import compress
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ledger.errors import InvalidInput
from ledger.metering.importers import times
from ledger.metering.importers.profile import (
    ColumnsLayout,
    LongLayout,
    Naming,
    Profile,
    TimeRules,
    WideLayout,
)
from ledger.metering.importers.report import Notes, PointFacts, listed, nearest
from ledger.metering.importers.stamps import Stamps
from ledger.metering.importers.tables import Table, as_label
from ledger.metering.quality import Quality
from ledger.units import DAY_S


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """n cells as arrays. `column`, `point`, `meter`: places in the lists of `Names` (meter −1: the
    file does not name one). `at_s`: local seconds of the stamp; once the reader knows the zone,
    Unix seconds of the interval's start (of a register: of the reading). `text`: object[n] of str.
    """

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    point: NDArray[np.int64]
    meter: NDArray[np.int64]
    at_s: NDArray[np.int64]
    offset_s: NDArray[np.int64] | None
    closing: NDArray[np.bool_]
    text: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.row)

    def take(self, keep: NDArray[np.bool_]) -> Self:
        """The cells where the mask is true."""
        return self if keep.all() else self.take_at(np.flatnonzero(keep))

    def take_at(self, places: NDArray[np.int64]) -> Self:
        chosen = {
            field.name: array[places]
            for field in fields(self)
            if (array := getattr(self, field.name)) is not None
        }
        return replace(self, **chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    columns: Sequence[str]
    points: Sequence[str]
    meters: Sequence[str]


def wanted_columns(profile: Profile) -> list[str]:
    """The columns that the profile needs, in its order."""
    layout = profile.layout
    wanted = [*profile.time.columns, *profile.keep_rows]
    if isinstance(layout, ColumnsLayout):
        return [*wanted, *layout.points]
    if layout.naming.column:
        wanted.append(layout.naming.column)
    if isinstance(layout, LongLayout):
        return [*wanted, layout.value_column]
    if layout.complete_column:
        wanted.append(layout.complete_column)
    return [*wanted, *layout.columns]


def as_texts(cells: Sequence[Any]) -> list[str]:
    """Cells → texts of their numbers; of a float the shortest that gives the same float."""
    kinds = set(map(type, cells))
    if kinds == {str}:
        return list(map(str.strip, cells))
    if kinds == {float}:
        return list(map(repr, cells))
    return [
        "" if cell is None else cell.strip() if isinstance(cell, str) else str(cell)
        for cell in cells
    ]


def flatten(
    table: Table,
    stamps: Stamps,
    profile: Profile,
    *,
    star: str,
    points: Mapping[str, PointFacts],
    name: str,
    notes: Notes,
) -> tuple[Cells, Names]:
    """All cells of rows with a stamp. `star`: what the `*` of the file's name matched.

    Raises InvalidInput where the profile names a point that is not in `points`; a row that does so
    is rejected in `notes`.
    """
    usable: NDArray[np.bool_] = stamps.local_s != times.BAD
    layout = profile.layout
    if isinstance(layout, ColumnsLayout):
        return _flatten_columns(table, stamps, usable, layout, star, points, name)
    of_row, meter_of_row, point_names, meter_names = _name_rows(
        table, usable, layout.naming, star, points, name, notes
    )
    usable &= of_row >= 0
    if isinstance(layout, LongLayout):
        at = np.flatnonzero(usable)
        column_names: Sequence[str] = [layout.value_column]
        texts = as_texts(table.columns[layout.value_column])
        cells = _cells(table, stamps, at, texts=_boxed(texts)[at])
    else:
        at = np.flatnonzero(usable)
        column_names = layout.columns
        cells = _flatten_wide(table, stamps, at, layout, profile.time, notes)
        at = np.searchsorted(table.row, cells.row)
    named = replace(cells, point=of_row[at], meter=meter_of_row[at])
    return named, Names(columns=column_names, points=point_names, meters=meter_names)


def keep_rows(table: Table, rules: Mapping[str, str], notes: Notes) -> Table:
    """The rows in which each column of `rules` holds its value; the others are noted."""
    for column, value in rules.items():
        same = np.array([as_label(cell) == value for cell in table.columns[column]], dtype=np.bool_)
        rule = f"row left out, since its {column!r} is not {value!r}"
        notes.repaired(Quality.MEASURED, rule, table.row[~same])
        table = Table(
            columns={
                name: list(compress(cells, same.tolist())) for name, cells in table.columns.items()
            },
            row=table.row[same],
        )
    return table


def _boxed(texts: Sequence[str]) -> NDArray[np.object_]:
    boxed = np.empty(len(texts), dtype=object)
    boxed[:] = texts
    return boxed


def _cells(
    table: Table, stamps: Stamps, at: NDArray[np.int64], *, texts: NDArray[np.object_]
) -> Cells:
    """One cell for each of the rows `at`, as column 0 of point 0."""
    return Cells(
        row=table.row[at],
        column=np.zeros(len(at), dtype=np.int64),
        point=np.zeros(len(at), dtype=np.int64),
        meter=np.full(len(at), -1, dtype=np.int64),
        at_s=stamps.local_s[at],
        offset_s=None if stamps.offset_s is None else stamps.offset_s[at],
        closing=stamps.closing[at],
        text=texts,
    )


def known_point(point: str, points: Mapping[str, PointFacts], name: str) -> str:
    if point not in points:
        raise InvalidInput(
            f"{name}: the profile names point {point!r}, which is not registered"
            f"{nearest(point, points)} (points: {listed(sorted(points))})"
        )
    return point


def _flatten_columns(
    table: Table,
    stamps: Stamps,
    usable: NDArray[np.bool_],
    layout: ColumnsLayout,
    star: str,
    points: Mapping[str, PointFacts],
    name: str,
) -> tuple[Cells, Names]:
    names = [known_point(each.replace("*", star), points, name) for each in layout.points.values()]
    at = np.flatnonzero(usable)
    texts = [_boxed(as_texts(table.columns[column]))[at] for column in layout.points]
    count = len(texts)
    cells = _cells(table, stamps, np.tile(at, count), texts=np.concatenate(texts))
    number = np.repeat(np.arange(count), len(at))
    return (
        replace(cells, column=number, point=number),
        Names(columns=list(layout.points), points=names, meters=()),
    )


def _flatten_wide(
    table: Table,
    stamps: Stamps,
    at: NDArray[np.int64],
    layout: WideLayout,
    rules: TimeRules,
    notes: Notes,
) -> Cells:
    """Cells in the order of rows, then columns; those that the bit string denies are left out."""
    present = np.ones((len(at), len(layout.columns)), dtype=np.bool_)
    # A spreadsheet's date cell may hide a time, which would move the whole day.
    hours = stamps.local_s[at] % DAY_S != 0
    for index in at[hours].tolist():
        reason = f"date {times.show_s(stamps.local_s[index])} has a time of day"
        notes.rejected(table.row[index], rules.columns[0], reason)
    present[hours] = False
    if layout.complete_column:
        for place, index in enumerate(at.tolist()):
            if hours[place]:
                continue
            bits = as_label(table.columns[layout.complete_column][index])
            if len(bits) != len(layout.columns):
                reason = f"has {len(bits)} characters, but there are {len(layout.columns)} columns"
                notes.rejected(table.row[index], layout.complete_column, reason)
                present[place] = False
            else:
                present[place] = [bit == layout.complete_mark for bit in bits]
                absent = np.count_nonzero(~present[place])
                rule = f"marked as not collected in {layout.complete_column!r}: left out"
                notes.repaired(Quality.MEASURED, rule, np.repeat(table.row[index], absent))
    texts = np.empty((len(at), len(layout.columns)), dtype=object)
    for place, column in enumerate(layout.columns):
        texts[:, place] = _boxed(as_texts(table.columns[column]))[at]
    in_row, in_column = np.nonzero(present)
    cells = _cells(table, stamps, at[in_row], texts=texts[in_row, in_column])
    at_s = cells.at_s + layout.first_s + in_column * rules.interval_s
    return replace(cells, column=in_column, at_s=at_s)


def _name_rows(
    table: Table,
    usable: NDArray[np.bool_],
    naming: Naming,
    star: str,
    points: Mapping[str, PointFacts],
    name: str,
    notes: Notes,
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str], list[str]]:
    """Per row the place of its point (−1: rejected) and of its meter, and the two lists."""
    meter = np.full(len(table.row), -1, dtype=np.int64)
    if not naming.column:
        point = known_point(naming.point.replace("*", star), points, name)
        return np.zeros(len(table.row), dtype=np.int64), meter, [point], []
    point_names = sorted(points)
    place = {each: index for index, each in enumerate(point_names)}
    labels = [as_label(cell) for cell in table.columns[naming.column]]
    meter_names = sorted(set(labels)) if naming.by_meter else []
    meter_place = {each: index for index, each in enumerate(meter_names)}
    of_label: dict[str, int | str] = {}
    for label in set(labels):
        found = _find_point(label, naming, star, points)
        of_label[label] = place.get(found, -1) if found in place else found
    of_row = np.full(len(labels), -1, dtype=np.int64)
    for index in np.flatnonzero(usable).tolist():
        found_place = of_label[labels[index]]
        if isinstance(found_place, str):
            notes.rejected(table.row[index], naming.column, found_place)
            continue
        of_row[index] = found_place
        if naming.by_meter:
            meter[index] = meter_place[labels[index]]
    return of_row, meter, point_names, meter_names


def _find_point(label: str, naming: Naming, star: str, points: Mapping[str, PointFacts]) -> str:
    """The point of a label, or the reason why there is none (which is no point's name)."""
    if not label:
        return "names no point"
    if label in naming.names:
        point = naming.names[label].replace("*", star)
        return point if point in points else f"unknown point {point!r}{nearest(point, points)}"
    if not naming.by_meter:
        return label if label in points else f"unknown point {label!r}{nearest(label, points)}"
    numbers = {meter.number: name for name, facts in points.items() for meter in facts.meters}
    owners = [
        name
        for name, facts in points.items()
        if any(meter.number == label for meter in facts.meters)
    ]
    if len(owners) > 1:
        return f"meter {label!r} is registered at more than one point: {listed(sorted(owners))}"
    return owners[0] if owners else f"unknown meter {label!r}{nearest(label, numbers)}"
