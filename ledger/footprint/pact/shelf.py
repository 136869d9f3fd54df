"""What an organisation has published: its footprint reports as PACT documents, as of a log size.

A version of a report is a document with an id of its own. It never changes but for becoming
deprecated, once a later version stands in the log or its product is ended (PACT 3.0.3,
"Lifecycle"). So a list as of a log size is the same whenever it is asked for.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from ledger.footprint.pact.document import Place, document_of, product_of
from ledger.footprint.pact.evidence import Evidence
from ledger.footprint.pact.model import ACTIVE, DEPRECATED, ProductFootprint
from ledger.log.store import LogFacts, entry_at
from ledger.records.model import PRODUCT
from ledger.records.store import current
from ledger.reports.model import FOOTPRINT
from ledger.reports.schema import reports
from ledger.reports.store import Version, load, versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A document, the product that it is of, and the entry that published it."""

    footprint: ProductFootprint
    product: str
    entry: int


def id_of(version: Version) -> str:
    """A UUID of version 4, as demanded: of the random 16 bytes that the entry goes by."""
    return str(uuid.UUID(bytes=bytes.fromhex(version.id), version=4))


def shown(
    conn: Connection, log: LogFacts, party: str, base_url: str, *, as_of: int, since: int = 0
) -> list[Shown]:
    """All that the organisation has published from log size `since` on, in the order of the log,
    as it stands at log size `as_of`."""
    series = select(reports.c.report).where(
        reports.c.log_id == log.log_id,
        reports.c.author == party,
        reports.c.kind == FOOTPRINT,
        reports.c.entry_index >= since,
        reports.c.entry_index < as_of,
    )
    in_force = current(conn, log.log_id, PRODUCT, as_of=as_of, author=party)
    found = []
    for report in conn.execute(series.distinct()).scalars():
        known = [
            one
            for one in versions(conn, log.log_id, bytes(report).hex())
            if one.entry_index < as_of
        ]
        for number, version in enumerate(known):
            if version.entry_index >= since:
                found.append(_shown(conn, log, known, number, base_url, in_force))
    return sorted(found, key=lambda one: one.entry)


def _shown(
    conn: Connection,
    log: LogFacts,
    known: Sequence[Version],
    number: int,
    base_url: str,
    in_force: Collection[str],
) -> Shown:
    version, content = known[number], load(conn, log, known[number])
    product = product_of(content)
    entry = entry_at(conn, log.log_id, version.entry_index)
    place = Place(
        id=id_of(version),
        preceding=tuple(id_of(one) for one in known[:number]),
        created=str(entry.statement["at"]),
        status=ACTIVE if version is known[-1] and product in in_force else DEPRECATED,
        evidence=Evidence(
            origin=log.origin,
            vkey=log.log_key.vkey,
            entry=version.entry_index,
            leaf=entry.leaf_hash.hex(),
            body=version.body,
            as_of=version.as_of,
        ),
        base_url=base_url,
    )
    return Shown(
        footprint=document_of(content, place),
        product=product,
        entry=version.entry_index,
    )
