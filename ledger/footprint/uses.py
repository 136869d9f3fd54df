"""Footprints apportion a use: what those in force take of a claim never exceeds what it holds.

Counted for each class and technology, over all claims that replaced each other, since they stand on
the same energy (domain invariant 10). A new version of a footprint lets go of what the one before
took. What rests on a claim that has ended stays as it was published, and is shown as such.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, select

from ledger.claims.schema import claim_ends
from ledger.claims.store import REPLACED
from ledger.errors import InvalidInput, Refused
from ledger.footprint import claimed, product
from ledger.footprint.asked import Asked, Part
from ledger.footprint.claimed import Held, Kind
from ledger.footprint.schema import footprint_uses
from ledger.log.entry import Entry
from ledger.log.types import Bodies, Tx, blob
from ledger.records import store as records
from ledger.reports.model import FOOTPRINT
from ledger.reports.schema import reports

# A database takes only so many values at once.
_AT_ONCE: Final = 500
_later = reports.alias("later")


def _in_force() -> ColumnElement[bool]:
    """No later version of the report stands in the log."""
    return ~exists().where(
        _later.c.log_id == footprint_uses.c.log_id,
        _later.c.report == footprint_uses.c.report,
        _later.c.number > footprint_uses.c.number,
    )


def taken_wh(conn: Connection, log_id: int, chain: bytes) -> dict[Kind, int]:
    """{(class, technology): Wh} that footprints in force take of a chain's energy."""
    return _taken(conn, log_id, chain)


def taken_by(
    conn: Connection, log_id: int, chain: bytes, which: Collection[str]
) -> dict[Kind, int]:
    """The same, of some reports alone: what new versions of them let go of."""
    found: dict[Kind, int] = {}
    given = [bytes.fromhex(report) for report in which]
    for begin in range(0, len(given), _AT_ONCE):
        some = footprint_uses.c.report.in_(given[begin : begin + _AT_ONCE])
        for kind, wh in _taken(conn, log_id, chain, some).items():
            found[kind] = found.get(kind, 0) + wh
    return found


def _taken(
    conn: Connection, log_id: int, chain: bytes, *more: ColumnElement[bool]
) -> dict[Kind, int]:
    uses = footprint_uses.c
    query = (
        select(uses.supply_class, uses.technology, func.sum(uses.wh))
        .where(uses.log_id == log_id, uses.chain == chain, _in_force(), *more)
        .group_by(uses.supply_class, uses.technology)
    )
    return {(row[0], row[1]): int(row[2]) for row in conn.execute(query)}


def left_wh(conn: Connection, log_id: int, held: Held) -> dict[Kind, int]:
    """{(class, technology): Wh above 0} of a claim that no footprint in force takes yet."""
    taken = taken_wh(conn, log_id, held.chain)
    left = {kind: wh - taken.get(kind, 0) for kind, wh in held.held_wh.items()}
    return {kind: wh for kind, wh in left.items() if wh > 0}


def require_held(part: Part, held: Held, taken: Mapping[Kind, int]) -> None:
    """Raises Refused where a claim has not that much, or where others have taken it."""
    there = held.held_wh.get(part.kind, 0)
    others = taken.get(part.kind, 0)
    if part.wh + others <= there:
        return
    if not there:
        known = ", ".join(" ".join(filter(None, kind)) for kind in held.held_wh) or "nothing"
        raise Refused(f"{part.said}: the claim holds none of that; it holds {known}")
    raise Refused(
        f"{part.said}: {part.wh} Wh are wanted, the claim holds {there} Wh, of which footprints in"
        f" force take {others} Wh: {max(0, there - others)} Wh are left"
    )


def before_publish(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    """Whose product it is, before anything of it is computed: what the log refuses to another one,
    it does not tell. Raises InvalidInput or Refused."""
    if entry.statement["kind"] != FOOTPRINT:
        return
    about = blob(bodies, "body").json().get("about")
    if not isinstance(about, dict):
        raise InvalidInput("about is no object")
    _require_author(tx, entry, Asked.from_json(about))


def after_publish(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    """What a footprint takes, once its report is stored. Raises Refused."""
    if entry.statement["kind"] != FOOTPRINT:
        return
    content = blob(bodies, "body").json()
    asked = Asked.from_json(content["about"])
    rows = []
    for claim in dict.fromkeys(part.claim for part in asked.parts):
        held = claimed.find(tx.conn, tx.log, claim)
        if not held.row.in_force:
            raise Refused(
                f"{held.said} was {held.row.ended} by entry {held.row.end_index}: a footprint that"
                " is published rests on claims in force"
            )
        taken = taken_wh(tx.conn, tx.log.log_id, held.chain)
        for part in asked.parts:
            if part.claim == claim:
                require_held(part, held, taken)
                rows.append(_row(part, held))
    if rows:
        report = bytes.fromhex(entry.statement["report"])
        number = _number(tx, report)
        of = {"log_id": tx.log.log_id, "report": report, "number": number}
        tx.conn.execute(insert(footprint_uses), [{**of, **row} for row in rows])


def _require_author(tx: Tx, entry: Entry, asked: Asked) -> None:
    # A name is its first author's, always.
    found = records.last(tx.conn, tx.log.log_id, product.REGISTER, asked.product)
    if found is None or entry.author not in (found.author, tx.log.operator):
        whose = "nobody" if found is None else repr(found.author)
        raise Refused(
            f"product {asked.product} is of {whose}: {entry.author!r} publishes no footprint of it"
        )


def _number(tx: Tx, report: bytes) -> int:
    query = select(func.max(reports.c.number)).where(
        reports.c.log_id == tx.log.log_id, reports.c.report == report
    )
    return int(tx.conn.execute(query).scalar_one())


def _row(part: Part, held: Held) -> dict[str, Any]:
    return {
        "claim": held.row.claim,
        "supply_class": part.supply_class,
        "technology": part.technology,
        "chain": held.chain,
        "wh": part.wh,
        "held_wh": held.held_wh[part.kind],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A claim that a published footprint rests on, and that has ended since. `reason`: of one that
    was replaced, the claim that did."""

    report: str
    claim: str
    kind: str
    entry_index: int
    reason: str

    @property
    def said(self) -> str:
        why = f"claim {self.reason}" if self.kind == REPLACED else self.reason
        return f"rests on claim {self.claim}, {self.kind} by entry {self.entry_index}: {why}"


def ended_under(
    conn: Connection,
    log_id: int,
    which: Collection[tuple[str, int]] | None = None,
    *,
    as_of: int | None = None,
) -> dict[tuple[str, int], list[Ended]]:
    """{(report, version): the ended claims that it rests on}, of those that rest on any; as it
    stood below a log size."""
    uses = footprint_uses.c
    query = (
        select(
            uses.report,
            uses.number,
            claim_ends.c.claim,
            claim_ends.c.kind,
            claim_ends.c.entry_index,
            claim_ends.c.reason,
        )
        .join(
            claim_ends,
            and_(claim_ends.c.log_id == uses.log_id, claim_ends.c.claim == uses.claim),
        )
        .where(uses.log_id == log_id)
        .distinct()
        .order_by(claim_ends.c.entry_index)
    )
    if as_of is not None:
        query = query.where(claim_ends.c.entry_index < as_of)
    found: dict[tuple[str, int], list[Ended]] = {}
    for row in conn.execute(query):
        place = bytes(row.report).hex(), row.number
        if which is None or place in which:
            found.setdefault(place, []).append(
                Ended(
                    report=place[0],
                    claim=bytes(row.claim).hex(),
                    kind=row.kind,
                    entry_index=row.entry_index,
                    reason=row.reason,
                )
            )
    return found
