"""What meters say of a flow: the readings in force of its points, summed over a period.

A gap would be a leak that nobody sees, so points are read over the whole of the period; and what is
estimated earns nothing: it counts as 0 in what is injected, and in full everywhere else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from sqlalchemy import Connection

from ledger.credits.ccus import INJECTED
from ledger.credits.record import Record
from ledger.errors import Refused
from ledger.metering import store as metering
from ledger.metering.effective import Effective, effective
from ledger.metering.points import Point
from ledger.metering.quality import Quality
from ledger.units import Period, format_instant


def require_metered(
    conn: Connection, log_id: int, record: Record, project_points: Collection[bytes], as_of: int
) -> None:
    """Raises Refused unless metered flows are what their points show, as of a log size."""
    for role, points in record.points.items():
        shown_g = metered_g(conn, log_id, role, points, record.period, project_points, as_of)
        stated_g = record.flows.by_role()[role]
        if shown_g != stated_g:
            raise Refused(
                f"{role} is stated as {stated_g} g; its points show {shown_g} g, by the readings in"
                f" force at log size {as_of}"
            )


def metered_g(
    conn: Connection,
    log_id: int,
    role: str,
    points: Sequence[bytes],
    period: Period,
    project_points: Collection[bytes],
    as_of: int,
) -> int:
    """The mass that points show in a period. Raises Refused where they can't say it."""
    known = metering.current_points(conn, log_id, as_of)
    masters = {point: found.master for point, found in known.items()}
    _check_points(role, points, masters, project_points)
    total_g = 0
    for point in points:
        found = effective(
            conn, log_id, point, start_s=period.start_s, end_s=period.end_s, as_of=as_of
        )
        _require_covered(masters[point].name, found, period)
        total_g += sum(_mass_g(item, role) for item in found)
    return total_g


def _check_points(
    role: str,
    points: Sequence[bytes],
    masters: Mapping[bytes, Point],
    project_points: Collection[bytes],
) -> None:
    for point in points:
        if point not in masters:
            raise Refused(f"{role}: point {point.hex()} is not registered")
        master = masters[point]
        if (master.unit, master.measure) != ("g", "additive"):
            raise Refused(
                f"{role}: point {master.name!r} is {master.measure} in {master.unit}; masses are"
                " additive, in g"
            )
        if point not in project_points:
            raise Refused(f"{role}: point {master.name!r} is none of the project's")
        above = master.parent
        while above:
            parent = bytes.fromhex(above)
            if parent in points:
                raise Refused(
                    f"{role}: point {master.name!r} hangs under {masters[parent].name!r}: one mass"
                    " would be counted twice"
                )
            above = masters[parent].parent if parent in masters else ""


def _require_covered(name: str, found: Sequence[Effective], period: Period) -> None:
    spans = sorted(
        (start_s, start_s + item.series.length_s)
        for item in found
        for start_s in item.series.start_s.tolist()
    )
    at_s = period.start_s
    for start_s, end_s in spans:
        if start_s > at_s:
            break
        at_s = end_s
    if at_s != period.end_s:
        raise Refused(
            f"point {name!r} has no reading at {format_instant(at_s)}; to say what flowed from"
            f" {format_instant(period.start_s)} to {format_instant(period.end_s)} it is read"
            " without a gap, and not across these two"
        )


def _mass_g(item: Effective, role: str) -> int:
    values = item.series.value
    if role == INJECTED:
        values = values[(item.series.quality & np.uint16(Quality.ESTIMATED)) == 0]
    # Python's integers: a sum of many int64 may be more than one holds.
    return sum(values.tolist())
