"""Stamps of cells → Unix seconds: zones, offsets, the source grid, and the clock repair."""

from __future__ import annotations

from datetime import UTC, datetime
from datetime import timezone as fixed_zone
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ledger.metering.importers import times, zones
from ledger.metering.importers.cells import Cells
from ledger.metering.importers.profile import TimeRules
from ledger.units import parse_zone, zone_offset_s

Reasons = dict[int, str]


def to_instants(
    cells: Cells, rules: TimeRules, park: fixed_zone
) -> tuple[NDArray[np.int64], Reasons]:
    """(Unix seconds int64[n] of each stamp before any shift, index → why a stamp is none)."""
    reasons: Reasons = {}
    for index in np.flatnonzero(cells.at_s % rules.interval_s).tolist():
        at = times.show_s(cells.at_s[index])
        reasons[index] = f"time {at} is not on the grid of {rules.interval_s // 60} min"
    iana = rules.zone not in ("park", "file") and rules.zone[:1] not in "+-"
    if cells.offset_s is not None:
        instant_s = cells.at_s - cells.offset_s
        if rules.zone != "file":
            expected_s = (
                _offsets_at(instant_s, ZoneInfo(rules.zone))
                if iana
                else np.full(len(cells), _fixed_s(rules.zone, park))
            )
            for index in np.flatnonzero(cells.offset_s != expected_s).tolist():
                reasons[index] = (
                    f"mixed zones: the stamp says {_show_offset(cells.offset_s[index])},"
                    f" but zone {rules.zone!r} has {_show_offset(expected_s[index])} then"
                )
        return instant_s, reasons
    if iana:
        instant_s, failed = zones.to_utc(
            cells.at_s,
            ZoneInfo(rules.zone),
            by_order=rules.ambiguous_by_order,
            point=cells.point,
        )
        for index, why in failed.items():
            reasons.setdefault(index, f"time {times.show_s(cells.at_s[index])} {why}")
        return instant_s, reasons
    return cells.at_s - _fixed_s(rules.zone, park), reasons


def _fixed_s(zone: str, park: fixed_zone) -> int:
    return zone_offset_s(park if zone == "park" else parse_zone(zone))


def _offsets_at(instant_s: NDArray[np.int64], zone: ZoneInfo) -> NDArray[np.int64]:
    """The zone's offset at each instant; asked once for each quarter of an hour."""
    quarters, place = np.unique(instant_s // 900, return_inverse=True)
    offsets = []
    for quarter in quarters.tolist():
        offset = datetime.fromtimestamp(quarter * 900, UTC).astimezone(zone).utcoffset()
        assert offset is not None
        offsets.append(int(offset.total_seconds()))
    return np.array(offsets, dtype=np.int64)[place]


def _show_offset(seconds: int) -> str:
    hours, minutes = divmod(abs(int(seconds)) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02}:{minutes:02}"


def show_instant(unix_s: int, park: fixed_zone) -> str:
    """`2018-01-01 00:15 +08:00`, for messages."""
    offset_s = zone_offset_s(park)
    return f"{times.show_s(int(unix_s) + offset_s)} {_show_offset(offset_s)}"
