"""Activity records as facts: amounts of a period, as records say them or meters show them.

A record whose time reaches beyond the period counts in proportion to time, exactly, and says so;
one that a point meters counts what the point shows in the period.
"""

from __future__ import annotations

from fractions import Fraction

from ledger.accounting.facts import ActivityFact
from ledger.accounting.loading.view import View
from ledger.accounting.registers.activity import REGISTER, Activity, metered
from ledger.errors import Refused
from ledger.records import store as records
from ledger.records.store import Record
from ledger.units import Period, format_instant


def activities_of(view: View, organisation: str | None = None) -> list[ActivityFact]:
    """Of one organisation ("": the park), or of all; by entry.

    Raises Refused where a point has not been read over the whole time that an activity is of.
    """
    author = None if organisation is None else organisation or view.log.operator
    found = records.current(view.conn, view.log.log_id, REGISTER, as_of=view.as_of, author=author)
    facts = []
    for row in sorted(found.values(), key=lambda one: one.entry_index):
        activity = Activity.from_json(row.content)
        if organisation is not None and activity.organisation != organisation:
            continue
        if view.period.overlaps(activity.period):
            view.use(row.entry_index)
            facts.append(_fact(view, row, activity, activity.within in found))
    return facts


def _fact(view: View, row: Record, activity: Activity, is_within: bool) -> ActivityFact:
    inside = Period(
        start_s=max(activity.period.start_s, view.period.start_s),
        end_s=min(activity.period.end_s, view.period.end_s),
    )
    note = activity.note
    if activity.metered:
        quantity = _metered(view, row.name, activity, inside)
    else:
        share = Fraction(inside.length_s, activity.period.length_s)
        quantity = Fraction(activity.quantity) * share
        if share != 1:
            said = (
                f"{share.numerator}/{share.denominator} of {activity.quantity} {activity.unit} of"
                f" {format_instant(activity.period.start_s)} –"
                f" {format_instant(activity.period.end_s)}, by time"
            )
            note = f"{note}; {said}" if note else said
    return ActivityFact(
        record=row.name,
        organisation=activity.organisation,
        category=activity.category,
        item=activity.item,
        quantity=quantity,
        unit=activity.unit,
        period=inside,
        direction=activity.direction,
        park_system=activity.park_system,
        point=activity.point,
        counterparty=activity.counterparty,
        # What contained it may have been ended since: then it counts by itself.
        within=activity.within if is_within else "",
        biogenic=activity.biogenic,
        nonfossil=activity.nonfossil,
        factor=activity.factor,
        documents=activity.documents,
        note=note,
        entry_index=row.entry_index,
    )


def _metered(view: View, name: str, activity: Activity, inside: Period) -> Fraction:
    master = view.points[bytes.fromhex(activity.point)].master
    series = view.reader.series(master.name, inside)
    spans = sorted(
        (start_s, start_s + one.length_s) for one in series for start_s in one.start_s.tolist()
    )
    at_s = inside.start_s
    for start_s, end_s in spans:
        if start_s != at_s:
            break
        at_s = end_s
    if at_s != inside.end_s:
        raise Refused(
            f"activity {name}: point {master.name!r} has no reading at {format_instant(at_s)}; to"
            f" say what it metered from {format_instant(inside.start_s)} to"
            f" {format_instant(inside.end_s)} it is read without a gap: import what is missing, or"
            " put an activity for the gap, with its quantity, and end this one before it"
        )
    total = sum(sum(one.value.tolist()) for one in series)
    return metered(total, master.unit, activity.unit)
