"""The stamp of each row: local seconds, and its own offset where the file gives one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ledger.errors import InvalidInput
from ledger.metering.importers import times
from ledger.metering.importers.profile import TimeRules
from ledger.metering.importers.report import Notes
from ledger.metering.importers.tables import Table, as_label
from ledger.units import DAY_S


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stamps:
    """`local_s`: int64[n], times.BAD where the row was rejected. `closing`: bool[n], whether the
    stamp `d 0:00` was moved to the end of day d. `offset_s`: int64[n], seconds ahead of UTC that
    the file gives with the stamp, or None where it gives none."""

    local_s: NDArray[np.int64]
    closing: NDArray[np.bool_]
    offset_s: NDArray[np.int64] | None


def read_stamps(table: Table, rules: TimeRules, *, name: str, notes: Notes) -> Stamps:
    """Rejects, in `notes`, each row whose stamp can't be read."""
    columns = [table.columns[column] for column in rules.columns]
    title = rules.columns[0]
    natives = [_native_places(cells) for cells in columns]
    offset_s: NDArray[np.int64] | None = None
    if any(natives):
        _refuse_mixture(table, rules, columns, natives, name)
        local_s, offset_s = _read_native(columns)
        if offset_s is not None:
            _check_annotation(columns[0], rules.zone, title, name)
        elif rules.zone == "file":
            raise InvalidInput(f"{name}: zone = 'file', but column {title!r} carries no zone")
        reason = "is no date and time of whole seconds"
        reasons: dict[int, str] = {}
        texts = [" ".join(as_label(cell) for cell in cells) for cells in zip(*columns, strict=True)]
    else:
        texts = _join(columns)
        if not rules.format:
            raise InvalidInput(f"{name}: column {title!r} holds text, so [time] needs a format")
        reason = f"does not fit the format {rules.format!r}"
        local_s, offset_s, reasons = _read_texts(texts, rules, table.row)
    for index in np.flatnonzero(local_s == times.BAD).tolist():
        text = texts[index].strip()
        why = reasons.get(index, reason)
        if text and "%z" not in rules.format and times.carries_offset(text):
            why = "carries an offset, but the profile's format has no %z"
        notes.rejected(table.row[index], title, f"time {text!r} {why}" if text else "has no time")
    return _close_days(local_s, offset_s, rules)


def _close_days(
    local_s: NDArray[np.int64], offset_s: NDArray[np.int64] | None, rules: TimeRules
) -> Stamps:
    closing = np.zeros(len(local_s), dtype=np.bool_)
    if rules.day_closing:
        closing = (local_s != times.BAD) & (local_s % DAY_S == 0)
        local_s = np.where(closing, local_s + DAY_S, local_s)
    return Stamps(local_s=local_s, closing=closing, offset_s=offset_s)


def _join(columns: Sequence[Sequence[Any]]) -> list[str]:
    cleaned = [
        list(map(str.strip, cells))
        if all(type(cell) is str for cell in cells)
        else list(map(as_label, cells))
        for cells in columns
    ]
    return cleaned[0] if len(cleaned) == 1 else list(map(" ".join, zip(*cleaned, strict=True)))


def _native_places(cells: Sequence[Any]) -> bool:
    kinds = set(map(type, cells))
    return any(issubclass(kind, date | time | timedelta) for kind in kinds)


def _refuse_mixture(
    table: Table,
    rules: TimeRules,
    columns: Sequence[Sequence[Any]],
    natives: Sequence[bool],
    name: str,
) -> None:
    """A spreadsheet that guesses dates turns 01/02 into one (maybe the wrong one) and leaves 13/02
    as text. Such a column can't be trusted, not even where it looks right."""
    for column, cells, native in zip(rules.columns, columns, natives, strict=True):
        text = next((i for i, cell in enumerate(cells) if isinstance(cell, str) and cell), None)
        if native and text is not None:
            raise InvalidInput(
                f"{name}: column {column!r} mixes dates and text (row {table.row[text]}:"
                f" {cells[text]!r}): a spreadsheet has probably converted a part of it"
            )
        if not native and text is not None:
            raise InvalidInput(f"{name}: columns {rules.columns} mix dates and text")


def _read_native(
    columns: Sequence[Sequence[Any]],
) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    local_s = times.read_native(columns[0])
    for cells in columns[1:]:
        of_day = np.array([times.native_time_s(cell) for cell in cells], dtype=np.int64)
        bad = (local_s == times.BAD) | (of_day == times.BAD)
        local_s = np.where(bad, times.BAD, local_s + of_day)
    offsets = [cell.utcoffset() if isinstance(cell, datetime) else None for cell in columns[0]]
    if not any(offset is not None for offset in offsets):
        return local_s, None
    seconds = [int(each.total_seconds()) if each is not None else 0 for each in offsets]
    return local_s, np.array(seconds, dtype=np.int64)


def _check_annotation(cells: Sequence[Any], zone: str, title: str, name: str) -> None:
    """Stamps that carry a zone are instants; a profile that says another clock contradicts them."""
    carried = next(str(c.tzinfo) for c in cells if isinstance(c, datetime) and c.tzinfo)
    if zone not in ("file", carried):
        raise InvalidInput(
            f"{name}: mixed zones: column {title!r} carries zone {carried!r}, but the profile says"
            f" {zone!r}; zone = 'file' takes what the file carries"
        )


def _read_texts(
    texts: Sequence[str], rules: TimeRules, row: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64] | None, dict[int, str]]:
    """Local seconds, offsets, and index → why, where there is more to say than "does not fit"."""
    allow_24 = not rules.day_closing  # both would move the same midnight
    if not rules.format.endswith("%z"):
        return times.read_texts(texts, rules.format, allow_24=allow_24), None, {}
    stamp_format = rules.format.removesuffix("%z").rstrip()
    rests, offsets = times.split_offsets(texts)
    local_s = times.read_texts(rests, stamp_format, allow_24=allow_24)
    reasons: dict[int, str] = {}
    for index, offset in enumerate(offsets):
        if offset is None:
            local_s[index] = times.BAD
            reasons[index] = "carries no offset, but the profile's format has %z"
    offset_s = np.array([offset or 0 for offset in offsets], dtype=np.int64)
    good = np.flatnonzero(local_s != times.BAD)
    if rules.zone == "file" and len(good):
        first = good[0]
        # A zone's summer time is no mixture, but then the profile names the zone.
        for index in good[offset_s[good] != offset_s[first]].tolist():
            local_s[index] = times.BAD
            reasons[index] = f"mixes zones: row {row[first]} has another offset ({texts[first]!r})"
    return local_s, offset_s, reasons
