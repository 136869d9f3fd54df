"""Green trades settle by the month: the certificate moves with the power (GEC rules 2026, art. 23).

What is settled is the least of what the contract names, what was generated and what was consumed
(domain.md §1: unverified); where points are metered here, the log compares with their readings.
Certificates are whole; a contract's remainder below one waits for its next month.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from ledger.certificates.schema import settlements
from ledger.db import reading
from ledger.errors import Erased, InvalidInput, NotFound, Refused
from ledger.log.entry import Entry
from ledger.log.service import Receipt
from ledger.log.types import Bodies, Tx
from ledger.lots import store as lots
from ledger.lots.model import Month
from ledger.matching.contracts import Registered, Terms, current_contracts
from ledger.matching.metered import metered_wh
from ledger.metering import store as metering
from ledger.metering.effective import effective
from ledger.parties.desk import Desk
from ledger.registry import catalogue, lifecycle, store
from ledger.registry.acting import chosen_of, move_draft
from ledger.registry.choosing import Chosen, Selection
from ledger.registry.issuing import owners_in, units_body
from ledger.registry.leaves import Act
from ledger.registry.moving import act_in
from ledger.units import Period

GREEN_TRADE = "green-trade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A month of a green-trade contract, as settled: `contract` is its name."""

    contract: str
    month: Month
    buyer: str
    contract_wh: int
    generation_wh: int
    consumption_wh: int
    document: str = ""

    @property
    def settled_wh(self) -> int:
        return min(self.contract_wh, self.generation_wh, self.consumption_wh)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledRow:
    """A settled month of a contract and buyer."""

    contract: bytes
    month_start_s: int
    buyer: str
    entry_index: int
    settled_wh: int
    units: int
    unit_size: int


def settle(desk: Desk, found: Settlement, scheme: str = "gec") -> Receipt:
    """Move as many whole certificates of the seller to the buyer as were settled.

    Raises NotFound for an unknown contract, or where the seller holds too few; InvalidInput or
    Refused as the log does.
    """
    with reading(desk.engine) as conn:
        contract = contract_named(conn, desk.log.log_id, found.contract)
        rules = catalogue.find_scheme(conn, desk.log.log_id, scheme).rules
        _require_unsettled(conn, desk.log.log_id, contract.contract, found.month, found.buyer)
        open_wh = left_wh(conn, desk.log.log_id, contract.contract, found.buyer)
        batches = store.batches_until(conn, desk.log.log_id, scheme, found.month.period.end_s)
    units = (open_wh + found.settled_wh) // rules.unit_size
    if not units:
        raise InvalidInput(
            f"{found.settled_wh} Wh settled and {open_wh} Wh left before are less than one"
            f" certificate: settle it together with the next month"
        )
    chosen = _of_the_month(desk, contract.terms.seller, scheme, batches, found.month, units)
    terms = {
        "contract": contract.contract.hex(),
        "month": str(found.month),
        "contract_wh": found.contract_wh,
        "generation_wh": found.generation_wh,
        "consumption_wh": found.consumption_wh,
        "settled_wh": found.settled_wh,
        "document": found.document,
    }
    draft = move_draft(
        desk, lifecycle.SETTLE, desk.log.operator, chosen, terms=terms, to=found.buyer
    )
    return desk.append(draft)


def _of_the_month(
    desk: Desk,
    seller: str,
    scheme: str,
    batches: Sequence[store.BatchRow],
    month: Month,
    units: int,
) -> Chosen:
    """The seller's certificates of a month; where these are too few, of months before as well.

    Raises NotFound where none was imported, Refused where all are too few.
    """
    mine = sorted({one.id.code for one in batches if one.period == month.period})
    if not mine:
        raise NotFound(f"no certificate of {month} was imported: they are issued first")
    known = sorted({one.id.code for one in batches})

    def choose(codes: Sequence[str]) -> Chosen:
        some = Selection(scheme=scheme, serials=codes, count=units, class_=GREEN_TRADE)
        return chosen_of(desk, seller, some, lifecycle.SETTLE, some=True)

    try:
        return choose(mine)
    except Refused:
        return choose(known)


def _require_unsettled(
    conn: Connection, log_id: int, contract: bytes, month: Month, buyer: str
) -> None:
    """Raises Refused where a month of a contract was settled with a buyer before."""
    before = conn.execute(
        select(settlements.c.entry_index).where(
            settlements.c.log_id == log_id,
            settlements.c.contract == contract,
            settlements.c.month_start_s == month.start_s,
            settlements.c.buyer == buyer,
        )
    ).scalar_one_or_none()
    if before is not None:
        raise Refused(f"{month} of this contract was settled with {buyer!r} by entry {before}")


def contract_named(conn: Connection, log_id: int, name: str) -> Registered:
    """Raises NotFound."""
    known = {one.terms.name: one for one in current_contracts(conn, log_id).values()}
    if name not in known:
        raise NotFound(
            f"there is no contract {name!r}; there are: {', '.join(sorted(known)) or 'none'}"
        )
    return known[name]


def find_settlements(conn: Connection, log_id: int) -> list[SettledRow]:
    """In log order."""
    query = (
        select(settlements)
        .where(settlements.c.log_id == log_id)
        .order_by(settlements.c.entry_index)
    )
    return [
        SettledRow(
            contract=bytes(row.contract),
            month_start_s=row.month_start_s,
            buyer=row.buyer,
            entry_index=row.entry_index,
            settled_wh=row.settled_wh,
            units=row.units,
            unit_size=row.unit_size,
        )
        for row in conn.execute(query)
    ]


def left_wh(conn: Connection, log_id: int, contract: bytes, buyer: str) -> int:
    """What a contract's settled months left below a certificate."""
    query = select(
        func.sum(settlements.c.settled_wh - settlements.c.units * settlements.c.unit_size)
    ).where(
        settlements.c.log_id == log_id,
        settlements.c.contract == contract,
        settlements.c.buyer == buyer,
    )
    return int(conn.execute(query).scalar_one() or 0)


def after_move(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    """What a settlement has to keep beside the rules of all moves. Raises Refused."""
    if entry.statement["act"] != lifecycle.SETTLE:
        return
    body = units_body(bodies)
    act = act_in(entry, body)
    contract = current_contracts(tx.conn, tx.log.log_id).get(bytes.fromhex(act.terms["contract"]))
    if contract is None:
        raise Refused(f"contract {act.terms['contract']} is not registered")
    terms = contract.terms
    month = _month(tx, act)
    buyer, units = _given(act, owners_in(entry, body, 1), terms)
    if terms.kind != GREEN_TRADE:
        raise Refused(f"contract {terms.name!r} is of kind {terms.kind}: green trades settle")
    if not terms.period.overlaps(month.period):
        raise Refused(f"contract {terms.name!r} is not in force in {month}")
    _check_batches(tx, act, terms, month)
    _check_wh(tx, act, terms, month, buyer)
    _save(tx, act, contract.contract, month, buyer, units)


def _month(tx: Tx, act: Act) -> Month:
    year, month = map(int, act.terms["month"].split("-"))
    if not 1971 <= year < 9999:
        raise InvalidInput(f"month {act.terms['month']} is not in the years 1971 to 9998")
    found = Month(year=year, month=month, zone_offset_s=tx.log.zone_s)
    if found.period.end_s > tx.tick_s:
        raise Refused(f"{found} is not over: a month is settled after its end")
    return found


def _given(act: Act, owners: dict[bytes, str], terms: Terms) -> tuple[str, int]:
    """The buyer, and how many units it gets. Raises Refused."""
    given = [one for one in act.begun if owners[one.holding] != terms.seller]
    buyers = sorted({owners[one.holding] for one in given})
    if len(buyers) != 1:
        raise Refused(f"a settlement is with one buyer, not with {', '.join(buyers) or 'none'}")
    return buyers[0], sum(len(one.units) for one in given)


def _check_batches(tx: Tx, act: Act, terms: Terms, month: Month) -> None:
    ids = {one.batch for one in act.ended}
    projects = catalogue.current_projects(tx.conn, tx.log.log_id)
    for batch in store.batches_by_id(tx.conn, tx.log.log_id, ids).values():
        # What earlier months left below a certificate is settled with this one, and may be theirs.
        if batch.period.end_s > month.period.end_s:
            raise Refused(f"batch {batch.id} is of a later month than {month}, which is settled")
        found = projects.get((batch.id.scheme, batch.project))
        points = {point.hex() for point in found.master.points} if found else set()
        if not points and _have_lots(tx, terms.sources, batch.period):
            raise Refused(
                f"batch {batch.id} has no lots behind it, but the sources of contract"
                f" {terms.name!r} have some of its time: settle certificates that are issued for"
                " these, or one kWh would be a lot here and a certificate there"
            )
        if points and not points & set(terms.sources):
            raise Refused(f"batch {batch.id} is of no source of contract {terms.name!r}")
    rows = store.holdings_by_id(tx.conn, tx.log.log_id, [one.holding for one in act.ended])
    for row in rows.values():
        if row.owner != terms.seller:
            raise Refused(
                f"holding {row.holding.hex()} belongs to {row.owner!r}, not to the seller"
                f" {terms.seller!r}"
            )


def _have_lots(tx: Tx, points: Sequence[str], period: Period) -> bool:
    """Whether some of these points were divided in months that begin in a period."""
    return any(
        period.start_s <= month_s < period.end_s
        for point in points
        for month_s in lots.divided_months(tx.conn, tx.log.log_id, bytes.fromhex(point))
    )


def _check_wh(tx: Tx, act: Act, terms: Terms, month: Month, buyer: str) -> None:
    said = act.terms
    least_wh = min(said["contract_wh"], said["generation_wh"], said["consumption_wh"])
    if said["settled_wh"] != least_wh:
        raise Refused(
            f"settled are {said['settled_wh']} Wh; the least of contract, generation and"
            f" consumption is {least_wh} Wh"
        )
    known = metering.current_points(tx.conn, tx.log.log_id)
    mine = [
        share.point
        for share in terms.consumers
        if known[bytes.fromhex(share.point)].master.owner == buyer
    ]
    if not mine:
        raise Refused(f"{buyer!r} owns no consumption point of contract {terms.name!r}")
    for what, points in (("generation_wh", terms.sources), ("consumption_wh", tuple(mine))):
        measured_wh = _measured_wh(tx, known, points, month)
        _require_settled_once(tx, known, act, terms, month, what)
        if measured_wh is not None and said[what] > measured_wh:
            raise Refused(
                f"{what} is {said[what]} Wh; the meters of contract {terms.name!r} show"
                f" {measured_wh} Wh in {month}"
            )


def _require_settled_once(
    tx: Tx,
    known: dict[bytes, metering.Registered],
    act: Act,
    terms: Terms,
    month: Month,
    what: str,
) -> None:
    """All contracts that share a source, or a consumer, together settle no more of a month than
    their meters show. Raises Refused."""
    contracts = current_contracts(tx.conn, tx.log.log_id)
    points, settled_wh, others = set(_points_of(terms, what)), act.terms["settled_wh"], 0
    mine = frozenset(points)
    for row in find_settlements(tx.conn, tx.log.log_id):
        theirs = _points_of(contracts[row.contract].terms, what)
        if row.month_start_s == month.start_s and mine & set(theirs):
            points |= set(theirs)
            settled_wh += row.settled_wh
            others += 1
    measured_wh = _measured_wh(tx, known, tuple(sorted(points)), month) if others else None
    if measured_wh is not None and settled_wh > measured_wh:
        raise Refused(
            f"contract {terms.name!r} and {others} settlements with the same points would settle"
            f" {settled_wh} Wh in {month}; their meters show {measured_wh} Wh ({what})"
        )


def _points_of(terms: Terms, what: str) -> tuple[str, ...]:
    if what == "generation_wh":
        return tuple(terms.sources)
    return tuple(share.point for share in terms.consumers)


def _measured_wh(
    tx: Tx, known: dict[bytes, metering.Registered], points: tuple[str, ...], month: Month
) -> int | None:
    """What some points measured in a month; None where one of them has no reading in it. Raises
    Refused where it had some, and they are erased: that must not be a way around its meter."""
    start_s, end_s = month.start_s, month.period.end_s
    total_wh = 0
    try:
        for point in points:
            one = known[bytes.fromhex(point)]
            if not effective(tx.conn, tx.log.log_id, one.point, start_s=start_s, end_s=end_s):
                if metering.has_erased(tx.conn, tx.log.log_id, one.point, month.period):
                    raise Refused(f"the readings of {one.master.name!r} in {month} were erased")
                return None
            total_wh += int(metered_wh(tx.conn, tx.log, one, month).sum())
    except Erased as error:
        tx.attest(error)
        return None
    return total_wh


def _save(tx: Tx, act: Act, contract: bytes, month: Month, buyer: str, units: int) -> None:
    scheme = act.ended[0].batch.scheme
    unit_size = catalogue.find_scheme(tx.conn, tx.log.log_id, scheme).rules.unit_size
    _require_unsettled(tx.conn, tx.log.log_id, contract, month, buyer)
    room_wh = left_wh(tx.conn, tx.log.log_id, contract, buyer) + act.terms["settled_wh"]
    if units * unit_size > room_wh:
        raise Refused(
            f"{units} certificates are {units * unit_size} Wh; settled and left from before are"
            f" {room_wh} Wh"
        )
    tx.conn.execute(
        insert(settlements).values(
            log_id=tx.log.log_id,
            contract=contract,
            month_start_s=month.start_s,
            buyer=buyer,
            entry_index=tx.index,
            contract_wh=act.terms["contract_wh"],
            generation_wh=act.terms["generation_wh"],
            consumption_wh=act.terms["consumption_wh"],
            settled_wh=act.terms["settled_wh"],
            units=units,
            unit_size=unit_size,
        )
    )
