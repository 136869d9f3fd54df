"""Reports, products, units, stored CO2 and documents, as of a log size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import func, select

from ledger.accounting.loading.reductions import ccus_of
from ledger.accounting.loading.view import View
from ledger.accounting.registers import document as documents
from ledger.accounting.registers.document import Document
from ledger.log import store as log_store
from ledger.parties import store as parties
from ledger.records import store as records
from ledger.registry.schema import batches, gone_units, holding_ends, holdings
from ledger.reports import store as reports
from ledger.reports.model import BALANCE, DISCLOSURE, FOOTPRINT, INVENTORY
from ledger.scorecard.evidence import Evidence, Stated
from ledger.scorecard.situation import Published, Stored, Units

ENTERPRISE = "enterprise"
PRODUCT = "product"


def enterprises_of(view: View) -> list[str]:
    """Organisations of that role that own a point of consumption."""
    leaves = view.reader.leaves("consumption")
    owners = {view.reader.points[name].master.owner for name in leaves}
    found = []
    for owner in sorted(owners):
        party = parties.current_party(view.conn, view.log.log_id, owner, view.as_of)
        if party is not None and ENTERPRISE in party.roles:
            view.use(party.entry_index)
            found.append(owner)
    return found


def reports_of(view: View) -> Iterator[Published]:
    """Inventories, balances, footprints and packs in force."""
    for row in reports.list_reports(view.conn, view.log.log_id, as_of=view.as_of):
        if row.kind not in (INVENTORY, BALANCE, FOOTPRINT, DISCLOSURE):
            continue
        said = reports.load(view.conn, view.log, row)
        view.use(row.entry_index)
        yield Published(
            kind=row.kind,
            report=row.report,
            subject=_subject(row.kind, said["about"], said["result"]),
            period=str(said["about"].get("period", said["about"].get("year", ""))),
            regimes=tuple(sorted(_ids(said["result"].get("regimes")))),
            author=row.author,
            entry_index=row.entry_index,
            hash=log_store.leaf_at(view.conn, view.log.log_id, row.entry_index).hex(),
        )


def _subject(kind: str, about: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """What a report is of: a product, an organisation, or the park."""
    name = {FOOTPRINT: "product", DISCLOSURE: "organisation"}.get(kind, "subject")
    return str(about.get(name, result.get(name, "")))


def _ids(found: Any) -> list[str]:
    return [str(one["id"]) for one in found] if isinstance(found, list) else []


def products_of(view: View) -> list[str]:
    found = records.current(view.conn, view.log.log_id, PRODUCT, as_of=view.as_of)
    view.use(*(one.entry_index for one in found.values()))
    return list(found)


def units_of(view: View) -> list[Units]:
    """Of each scheme: what was issued, what is held, what is gone."""
    log_id, as_of = view.log.log_id, view.as_of
    ended = select(holding_ends.c.holding).where(
        holding_ends.c.log_id == log_id, holding_ends.c.entry_index < as_of
    )
    counts: dict[str, dict[str, int]] = {}
    for name, table, more in (
        ("issued", batches, ()),
        ("held", holdings, (holdings.c.holding.not_in(ended),)),
        ("gone", gone_units, ()),
    ):
        query = (
            select(table.c.scheme, func.sum(table.c.end_unit - table.c.first_unit))
            .where(table.c.log_id == log_id, table.c.entry_index < as_of, *more)
            .group_by(table.c.scheme)
        )
        for scheme, units in view.conn.execute(query):
            counts.setdefault(scheme, {})[name] = int(units)
    return [
        Units(
            scheme=scheme,
            issued=of.get("issued", 0),
            held=of.get("held", 0),
            gone=of.get("gone", 0),
        )
        for scheme, of in sorted(counts.items())
    ]


def stored_of(view: View) -> list[Stored]:
    return [
        Stored(record=one.record, stored_g=one.stored_g, net_g=one.net_g)
        for one in ccus_of(view)
        if not one.reversed_g
    ]


def documents_of(view: View) -> list[Evidence]:
    """All documents in force that are about a clause."""
    found = records.current(view.conn, view.log.log_id, documents.REGISTER, as_of=view.as_of)
    roles: dict[str, tuple[str, ...]] = {}
    evidence = []
    for row in found.values():
        document = Document.from_json(row.content)
        if not document.about:
            continue
        if row.author not in roles:
            party = parties.current_party(view.conn, view.log.log_id, row.author, view.as_of)
            roles[row.author] = tuple(sorted(party.roles)) if party else ()
            view.use(*([party.entry_index] if party else []))
        view.use(row.entry_index)
        stated = document.figure
        evidence.append(
            Evidence(
                record=row.name,
                entry_index=row.entry_index,
                hash=row.leaf.hex(),
                author=row.author,
                roles=roles[row.author],
                title=document.title,
                sha256=document.file.sha256,
                issuer=document.issuer,
                about=frozenset((one["standard"], one["clause"]) for one in document.about),
                statement=document.statement,
                valid_from_s=document.issued_s
                if document.valid_from_s is None
                else document.valid_from_s,
                valid_until_s=document.valid_until_s,
                figure=Stated(**stated) if stated else None,
            )
        )
    return evidence
