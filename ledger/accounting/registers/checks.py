"""What an activity or a document has to be before it is stored (docs/accounting.md).

It is its author's own, or the park's by the operator; what it names (point, member, containing
activity, documents) is there, and is the author's where it is somebody's; the meter's unit converts
to the activity's; and no second activity counts what the same meter, one above or one below it,
counts for the same item and time already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ledger.accounting.registers import activity as activities
from ledger.accounting.registers import document as documents
from ledger.accounting.registers.activity import Activity, metered
from ledger.accounting.registers.document import Document
from ledger.errors import InvalidInput, NotFound, Refused
from ledger.log.entry import Entry
from ledger.log.types import Bodies, Tx
from ledger.metering import store as metering
from ledger.metering.points import Point
from ledger.parties.entries import require_party
from ledger.records import store as records
from ledger.records.entries import content_of
from ledger.units import format_instant

# What a part has in common with the activity that contains it.
_SHARED: Final = ("organisation", "category", "item", "direction")
Masters = Mapping[str, Point]


def before_put(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    """Raises InvalidInput or Refused. Other registers are not looked at."""
    said = entry.statement
    if said["register"] == activities.REGISTER:
        activity = Activity.from_json(content_of(tx))
        require_activity(tx, entry.author, said["name"], activity)
        _require_same_organisation(tx, said, activity)
    elif said["register"] == documents.REGISTER:
        _require_own(tx, entry.author, Document.from_json(content_of(tx)).organisation)


def require_activity(tx: Tx, author: str, name: str, activity: Activity) -> None:
    """What the log asks of an activity that an author puts under a name. Raises as above."""
    _require_own(tx, author, activity.organisation)
    if activity.counterparty:
        require_party(tx, activity.counterparty)
    for document in activity.documents:
        _find(tx, author, documents.REGISTER, document, "documents")
    if activity.within:
        _require_whole(tx, author, name, activity)
    if activity.point:
        _require_point(tx, name, activity)


def _require_own(tx: Tx, author: str, organisation: str) -> None:
    if author != (organisation or tx.log.operator):
        whose = f"of {organisation!r}" if organisation else "of the park as a whole"
        raise Refused(
            f"what is {whose} is put by {organisation or tx.log.operator!r}, not by {author!r}"
        )


def _require_same_organisation(tx: Tx, said: Mapping[str, Any], activity: Activity) -> None:
    """Else a new version would take its figures from one to another, and nobody see it."""
    if not said["replaces"]:
        return
    before = records.history(tx.conn, tx.log.log_id, said["register"], said["name"])[-1]
    was = before.content.get("organisation", activity.organisation)
    if was != activity.organisation:
        raise Refused(
            f"activity {said['name']} is of {was or 'the park'!r}; end it, and put another one"
        )


def _require_whole(tx: Tx, author: str, name: str, activity: Activity) -> None:
    if activity.within == name:
        raise InvalidInput("within: an activity does not contain itself")
    row = _find(tx, author, activities.REGISTER, activity.within, "within")
    above = Activity.from_json(row.content)
    if above.within:
        raise Refused(
            f"within: activity {activity.within} is itself within {above.within}; name that one"
        )
    for member in _SHARED:
        if getattr(above, member) != getattr(activity, member):
            raise Refused(
                f"within: activity {activity.within} has {member} {getattr(above, member)!r}, this"
                f" one {getattr(activity, member)!r}: a part is of the same kind as its whole"
            )
    if not above.period.contains(activity.period):
        raise Refused(
            f"within: activity {activity.within} is of {format_instant(above.period.start_s)} –"
            f" {format_instant(above.period.end_s)}, this one is not inside of that"
        )


def _find(tx: Tx, author: str, register: str, name: str, member: str) -> records.Record:
    """A record of the author's in force. Raises Refused."""
    try:
        found = records.find(tx.conn, tx.log.log_id, register, name)
    except NotFound:
        raise Refused(f"{member}: there is no {register} {name} in force") from None
    if found.author != author:
        raise Refused(f"{member}: {register} {name} is not one of {author!r}")
    return found


def _require_point(tx: Tx, name: str, activity: Activity) -> None:
    # Of a meter its neighbours matter too.
    only = None if activity.metered else {bytes.fromhex(activity.point)}
    found = metering.current_points(tx.conn, tx.log.log_id, only=only)
    masters = {point.hex(): one.master for point, one in found.items()}
    master = masters.get(activity.point)
    if master is None:
        raise Refused(f"point {activity.point} is not registered")
    if activity.organisation and master.owner != activity.organisation:
        raise Refused(f"point {activity.point} is not one of {activity.organisation!r}")
    if not activity.metered:
        return
    if master.measure != "additive":
        raise InvalidInput(
            f"point {master.name!r} is a gauge in {master.unit}: what it shows does not add up to a"
            " quantity"
        )
    metered(0, master.unit, activity.unit)
    _require_once(tx, name, activity, masters)


def _require_once(tx: Tx, name: str, activity: Activity, masters: Masters) -> None:
    """No meter, nor one above or below it, counts twice (invariant 13)."""
    mine = _above(activity.point, masters)
    for known, row in records.current(tx.conn, tx.log.log_id, activities.REGISTER).items():
        other = Activity.from_json(row.content)
        if (
            known == name
            or not other.metered
            or (other.category, other.item) != (activity.category, activity.item)
            or other.direction != activity.direction
            or not other.period.overlaps(activity.period)
        ):
            continue
        if other.point in mine or activity.point in _above(other.point, masters):
            raise Refused(
                f"activity {known} counts point {masters[other.point].name!r} for an overlapping"
                f" time: {masters[activity.point].name!r} is the same meter, or one above or below"
                " it, and would count the same amount twice"
            )


def _above(point: str, masters: Masters) -> set[str]:
    """A point and what it hangs under, up to the top."""
    found: set[str] = set()
    while point and point not in found:
        found.add(point)
        point = masters[point].parent if point in masters else ""
    return found
