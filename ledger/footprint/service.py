"""Registering products, and making and publishing their footprints, one or many at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection

from ledger.accounting.factors.used import Substitution
from ledger.db import reading
from ledger.errors import InvalidInput
from ledger.footprint import claimed, uses
from ledger.footprint.asked import REGIME, Asked, Part
from ledger.footprint.calculating import RANKS, own_electricity_wh
from ledger.footprint.computing import Shared, compute_with
from ledger.footprint.product import REGISTER, Product
from ledger.log.bodies import Blob
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt, Submission
from ledger.log.store import LogFacts, load_head
from ledger.matching.rounding import split
from ledger.parties.desk import Desk, Draft, fresh_id, fresh_salt
from ledger.records import service as records
from ledger.records import store as record_rows
from ledger.records.store import Record
from ledger.reports import store as reports
from ledger.reports.changes import NONE, changes
from ledger.reports.entries import PUBLISH
from ledger.reports.model import FOOTPRINT, MEDIA, encode, plain
from ledger.reports.store import Version

# Published together: who waits for one waits for no more than these.
TOGETHER: Final = 100
_FEW: Final = 10


def register(
    desk: Desk,
    content: Mapping[str, Any],
    *,
    author: str,
    name: str = "",
    key: SigningKey | None = None,
) -> tuple[str, Receipt]:
    """A product, or a new version of it; returns its name. Raises InvalidInput or Refused."""
    Product.from_json(content)
    name = name or fresh_id()
    return name, records.put(desk, REGISTER, name, content, author=author, key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Take of a claim what the products need: all that is left, or `wh` at most."""

    claim: str
    wh: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A footprint that was computed. `report`: the series, of which it is version `number`."""

    asked: Asked
    author: str
    content: Mapping[str, Any]
    report: str
    number: int
    replaces: str
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What all footprints of one making have in common."""

    period: str
    wishes: tuple[Wish, ...] = ()
    regime: str = REGIME
    sets: tuple[str, ...] = ()
    substitutions: tuple[Substitution, ...] = ()


def draft(conn: Connection, log: LogFacts, names: Sequence[str], terms: Terms) -> Iterator[Made]:
    """The footprints of some products at the present size, one after the other.

    What they take of a claim is shared in proportion to the electricity that they used. A product
    and period that has a report gets a new version of it. Raises InvalidInput, Refused, NotFound.
    """
    if len(set(names)) != len(names):
        raise InvalidInput("a product stands twice: it has one footprint for a period")
    size = load_head(conn, log.log_id).size
    shared = Shared.load(conn, log, size, terms.regime, terms.sets)
    rows = _records(conn, log, sorted(names))
    known = known_reports(conn, log, terms.period, {row.name for row in rows})
    parts = _apportion(conn, log, rows, terms, known)
    for row in rows:
        asked = Asked(
            product=row.name,
            period=terms.period,
            regime=terms.regime,
            sets=terms.sets,
            parts=tuple(sorted(parts[row.name])),
            substitutions=terms.substitutions,
        )
        yield _made(conn, shared, row, asked, known.get(row.name))


def _records(conn: Connection, log: LogFacts, names: Sequence[str]) -> list[Record]:
    """Raises NotFound. Of many, all are read at once."""
    if len(names) <= _FEW:
        return [record_rows.find(conn, log.log_id, REGISTER, name) for name in names]
    found = record_rows.current(conn, log.log_id, REGISTER)
    return [
        found[name] if name in found else record_rows.find(conn, log.log_id, REGISTER, name)
        for name in names
    ]


def _made(
    conn: Connection, shared: Shared, row: Record, asked: Asked, before: Version | None
) -> Made:
    about = plain(asked.to_json())
    content = plain(
        {
            "kind": FOOTPRINT,
            "as_of": shared.as_of,
            "about": about,
            "result": compute_with(conn, shared, asked, row),
            "changes": NONE,
        }
    )
    if before is not None:
        was = reports.load(conn, shared.log, before)
        content["changes"] = changes(was, content)
    return Made(
        asked=asked,
        author=row.author,
        content=content,
        report=before.report if before else fresh_id(),
        number=before.number + 1 if before else 0,
        replaces=before.id if before else "",
    )


def publish(
    desk: Desk, found: Sequence[Made], *, key: SigningKey | None = None
) -> Iterator[list[Made]]:
    """Put footprints into the log, some at a time: each group all or none. Raises Refused."""
    for begin in range(0, len(found), TOGETHER):
        group = found[begin : begin + TOGETHER]
        receipts = desk.writer.append_all([_submission(desk, one, key) for one in group])
        yield [replace(one, receipt=receipt) for one, receipt in zip(group, receipts, strict=True)]


def _submission(desk: Desk, one: Made, key: SigningKey | None) -> Submission:
    members = {
        "kind": FOOTPRINT,
        "report": one.report,
        "replaces": one.replaces,
        "as_of": one.content["as_of"],
    }
    body = Blob.seal(encode(one.content), MEDIA, salt=fresh_salt())
    made = Draft(type=PUBLISH, author=one.author, members=members, bodies={"body": body})
    return desk.sign(made, key=key)


def make(
    desk: Desk, name: str, terms: Terms, *, publishes: bool = False, key: SigningKey | None = None
) -> Made:
    """One product's footprint; in the log, where it is published."""
    with reading(desk.engine) as conn:
        found = list(draft(conn, desk.log, [name], terms))
    return next(publish(desk, found, key=key))[0] if publishes else found[0]


def known_reports(
    conn: Connection, log: LogFacts, period: str, names: set[str]
) -> dict[str, Version]:
    """{product: the version in force of its footprint of a period}."""
    found: dict[str, Version] = {}
    for one in reports.list_reports(conn, log.log_id, kind=FOOTPRINT):
        about = reports.load(conn, log, one)["about"]
        if about["period"] == period and about["product"] in names:
            found[about["product"]] = one
    return found


def _apportion(
    conn: Connection,
    log: LogFacts,
    rows: Sequence[Record],
    terms: Terms,
    known: Mapping[str, Version],
) -> dict[str, list[Part]]:
    """{product: what it takes}. In the order of evidence, pro rata to what is not supplied yet."""
    found: dict[str, list[Part]] = {row.name: [] for row in rows}
    if not terms.wishes:
        return found
    needs_wh = {
        row.name: own_electricity_wh(Product.from_json(row.content), terms.period) for row in rows
    }
    offers: list[tuple[int, str, str, str]] = []
    left: dict[tuple[str, str, str], int] = {}
    for wish in terms.wishes:
        held = claimed.find(conn, log, wish.claim)
        chain = uses.taken_wh(conn, log.log_id, held.chain)
        mine = uses.taken_by(conn, log.log_id, held.chain, [one.report for one in known.values()])
        for kind, wh in held.held_wh.items():
            free = wh - chain.get(kind, 0) + mine.get(kind, 0)
            left[(wish.claim, *kind)] = free
            offers.append((RANKS[kind[0]], wish.claim, *kind))
    limits = {wish.claim: wish.wh for wish in terms.wishes}
    for _, claim, supply_class, technology in sorted(offers):
        limit = limits[claim]
        amount = min(left[claim, supply_class, technology], sum(needs_wh.values()))
        amount = max(0, amount if limit is None else min(amount, limit))
        if limit is not None:
            limits[claim] = limit - amount
        for name, wh in zip(needs_wh, split(amount, list(needs_wh.values())), strict=True):
            needs_wh[name] -= wh
            if wh:
                found[name].append(
                    Part(claim=claim, supply_class=supply_class, technology=technology, wh=wh)
                )
    return found
