"""A storage is the charge point and the discharge point that hang under one parent. Pure.

The parent is a point of kind `other` in Wh, with the storage's name. What leaves a storage as green
is judged by what went in (guideline 7.1.7), so each discharge needs to know its charge.
"""

from __future__ import annotations

from collections.abc import Iterable

from ledger.errors import Refused
from ledger.metering.points import Point, fits_grid


def charge_of(discharge: Point, points: Iterable[tuple[str, Point]]) -> str:
    """The id of the storage's charge point; `points`: (id, point) of all. Raises Refused."""
    known = dict(points)
    parent = known.get(discharge.parent)
    if parent is None or parent.kind != "other" or parent.unit != "Wh":
        raise Refused(
            f"{discharge.name!r} hangs under no storage: give it and its storage-charge point one"
            " parent of kind other in Wh"
        )
    found = {
        kind: [
            id_
            for id_, one in known.items()
            if one.parent == discharge.parent and one.kind == kind and one.unit == "Wh"
        ]
        for kind in ("storage-charge", "storage-discharge")
    }
    for kind, ids in found.items():
        if len(ids) != 1:
            raise Refused(
                f"storage {parent.name!r} has {len(ids)} points of kind {kind}: exactly one tells"
                " what went in, and one what came out"
            )
    return found["storage-charge"][0]


def require_measurable(point: Point) -> None:
    """Energy of a storage is additive, in intervals that a run can use, or Refused."""
    if point.measure != "additive" or not fits_grid(point):
        raise Refused(
            f"{point.name!r} is {point.measure} in intervals of {point.interval_s} s: a storage is"
            " additive, in 1800, 3600 or a divisor of 900 s"
        )
