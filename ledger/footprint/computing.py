"""A footprint of the log as it stood at a size: what `report.publish` is compared with.

What many footprints share (rules, factors, claims, documents) is read once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

from ledger.accounting import regime
from ledger.accounting.factors import store as factors
from ledger.accounting.factors.library import FactorLibrary
from ledger.accounting.regime import Regime
from ledger.accounting.regime_reading import from_json
from ledger.accounting.registers import document as documents
from ledger.claims.official import official
from ledger.errors import InvalidInput, NotFound, Refused
from ledger.footprint import claimed, product, result
from ledger.footprint.asked import Asked
from ledger.footprint.calculating import calculate
from ledger.footprint.claimed import Held
from ledger.footprint.lines import Book
from ledger.footprint.product import Product
from ledger.log.store import LogFacts
from ledger.log.store import entry_at as load_entry
from ledger.lots.model import span_of
from ledger.parties.store import current_party
from ledger.records import store as records
from ledger.records.store import Record
from ledger.reports.inputs import inputs_of
from ledger.units import format_instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What footprints of one log size, regime and choice of factor sets have in common."""

    log: LogFacts
    as_of: int
    regime: Regime
    regime_entry: int
    library: FactorLibrary
    claims: dict[str, tuple[Held, dict[str, Any], frozenset[int]]] = field(default_factory=dict)
    documents: dict[str, Record] = field(default_factory=dict)

    @classmethod
    def load(
        cls, conn: Connection, log: LogFacts, as_of: int, name: str, sets: Sequence[str] = ()
    ) -> Shared:
        """Raises InvalidInput for a regime or a set that is not in force."""
        try:
            found = records.find(conn, log.log_id, regime.REGISTER, name, as_of=as_of)
        except NotFound as error:
            raise InvalidInput(
                f"no regime {name!r} is in force at log size {as_of}: a figure without a regime"
                " does not exist; register it: greenledger regime register"
            ) from error
        return cls(
            log=log,
            as_of=as_of,
            regime=from_json(name, found.content),
            regime_entry=found.entry_index,
            library=FactorLibrary(
                sets=factors.in_force(conn, log, as_of, sets), ordered=bool(sets)
            ),
        )

    def claim(self, conn: Connection, claim: str) -> tuple[Held, dict[str, Any], frozenset[int]]:
        """A claim, what a report says of it, and the entries that it rests on."""
        if claim not in self.claims:
            held = claimed.find(conn, self.log, claim, as_of=self.as_of)
            standing = official(conn, self.log, held.row, self.as_of)
            said = {
                "from": format_instant(held.row.start_s),
                "to": format_instant(held.row.end_s),
                "status": standing.status,
                "held": [
                    {"id": "-".join(filter(None, kind)), "wh": wh}
                    for kind, wh in held.held_wh.items()
                ],
            }
            self.claims[claim] = held, said, held.entries | frozenset(standing.entries)
        return self.claims[claim]

    def document(self, conn: Connection, name: str) -> Record:
        """Raises NotFound."""
        if name not in self.documents:
            self.documents[name] = records.find(
                conn, self.log.log_id, documents.REGISTER, name, as_of=self.as_of
            )
        return self.documents[name]

    def book(self, asked: Asked, region: str) -> Book:
        return Book(
            library=self.library,
            regime=self.regime,
            region=region or "CN",
            year=asked.year,
            substitutions=asked.substitutions,
        )


_READ: Final[WeakKeyDictionary[Connection, tuple[tuple[object, ...], Shared]]] = WeakKeyDictionary()


def compute(
    conn: Connection, log: LogFacts, about: Mapping[str, Any], as_of: int
) -> dict[str, Any]:
    """The result of a report of kind `footprint`. Raises InvalidInput, Refused or NotFound."""
    asked = Asked.from_json(about)
    return compute_with(conn, _shared(conn, log, as_of, asked), asked)


def _shared(conn: Connection, log: LogFacts, as_of: int, asked: Asked) -> Shared:
    """What was read on this very connection for the footprint before, where that is the same log
    below the same size: those that are published together need it read once."""
    last = load_entry(conn, log.log_id, as_of - 1).leaf_hash
    key = (log.log_id, as_of, last, asked.regime, asked.sets)
    found = _READ.get(conn)
    if found is None or found[0] != key:
        found = key, Shared.load(conn, log, as_of, asked.regime, asked.sets)
        _READ[conn] = found
    return found[1]


def compute_with(
    conn: Connection, shared: Shared, asked: Asked, record: Record | None = None
) -> dict[str, Any]:
    """The same, with what is shared; `record`: the product's, where it was read already."""
    log = shared.log
    if record is None:
        record = records.find(conn, log.log_id, product.REGISTER, asked.product, as_of=shared.as_of)
    of = Product.from_json(record.content)
    period = span_of(asked.period, log.zone_s)
    entries = {record.entry_index, shared.regime_entry}
    claims: dict[str, Mapping[str, Any]] = {}
    for part in asked.parts:
        held, claims[part.claim], resting = shared.claim(conn, part.claim)
        claimed.require_usable(held, as_of=shared.as_of, author=record.author, period=period)
        if part.wh > held.held_wh.get(part.kind, 0):
            raise Refused(
                f"{part.said}: {part.wh} Wh are wanted, the claim holds"
                f" {held.held_wh.get(part.kind, 0)} Wh of that"
            )
        entries |= resting
    entries |= _documents(conn, shared, of, asked.period, record.author)
    found = calculate(of, asked.period, shared.book(asked, of.region), asked.parts)
    entries |= {use["entry"] for line in found.lines for use in line.factors}
    party = current_party(conn, log.log_id, record.author, shared.as_of)
    return {
        "organisation": {"party": record.author, "name": party.name if party else ""},
        "record": {"name": asked.product, "entry": record.entry_index, "hash": record.leaf.hex()},
        "period": {
            "name": asked.period,
            "from": format_instant(period.start_s),
            "to": format_instant(period.end_s),
        },
        "regime": {**shared.regime.heading(), "gwp": shared.regime.gwp},
        **result.to_json(found),
        "claims": result.claims_of(claims),
        "inputs": inputs_of(conn, log.log_id, entries),
    }


def _documents(conn: Connection, shared: Shared, of: Product, period: str, author: str) -> set[int]:
    """Entries of the documents that supplier footprints are taken from. Raises Refused where the
    record is of another file, or of somebody else: what that one is of stays untold."""
    found = set()
    for one in of.activities:
        if one.supplier is None or not one.is_of(period):
            continue
        record = shared.document(conn, one.supplier.document)
        if record.author != author:
            raise Refused(
                f"product {of.label}, activity {one.id}: document {record.name} is not one of"
                f" {author!r}"
            )
        sha256 = record.content["file"]["sha256"]
        if sha256 != one.supplier.sha256:
            raise Refused(
                f"product {of.label}, activity {one.id}: document {record.name} is the file"
                f" {sha256}, not {one.supplier.sha256}"
            )
        found.add(record.entry_index)
    return found
