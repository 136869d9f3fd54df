"""What an organisation has published: its footprint reports as PACT documents, as of a log size.

A version of a report is a document with an id of its own. It never changes but for becoming
deprecated, once a later version stands in the log, its product is ended (PACT 3.0.3, "Lifecycle"),
or a claim that its electricity is of has ended: its energy may be another footprint's since. So a
list as of a log size is the same whenever it is asked for.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.errors import InvalidInput
from ledger.footprint.pact.document import Place, document_of, product_of
from ledger.footprint.pact.evidence import Evidence
from ledger.footprint.pact.model import ACTIVE, DEPRECATED, ProductFootprint
from ledger.footprint.uses import ended_under
from ledger.log.store import LogFacts, entry_at
from ledger.records.model import PRODUCT
from ledger.records.store import current
from ledger.reports.model import FOOTPRINT
from ledger.reports.store import Version, all_versions, load


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A document, the product that it is of, and the entry that published it."""

    footprint: ProductFootprint
    product: str
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A report that makes no PACT document, and why: what its product's record lacks."""

    product: str
    entry: int
    why: str


def id_of(version: Version) -> str:
    """A UUID of version 4, as demanded: of the random 16 bytes that the entry goes by."""
    return str(uuid.UUID(bytes=bytes.fromhex(version.id), version=4))


def shown(
    conn: Connection, log: LogFacts, party: str, base_url: str, *, as_of: int, since: int = 0
) -> list[Shown]:
    """All that the organisation has published from log size `since` on, in the order of the log,
    as it stands at log size `as_of`."""
    found = _every(conn, log, party, base_url, as_of=as_of, since=since)
    return sorted((one for one in found if isinstance(one, Shown)), key=lambda one: one.entry)


def withheld(conn: Connection, log: LogFacts, party: str, *, as_of: int) -> list[Withheld]:
    """What it has published, and partners can't be given."""
    found = _every(conn, log, party, "https://greenledger.invalid", as_of=as_of, since=0)
    return sorted((one for one in found if isinstance(one, Withheld)), key=lambda one: one.entry)


def _every(
    conn: Connection, log: LogFacts, party: str, base_url: str, *, as_of: int, since: int
) -> Iterator[Shown | Withheld]:
    in_force = current(conn, log.log_id, PRODUCT, as_of=as_of, author=party)
    ended = ended_under(conn, log.log_id, as_of=as_of)
    for known in all_versions(conn, log.log_id, kind=FOOTPRINT, author=party, as_of=as_of):
        last = known[-1]
        standing = () if (last.report, last.number) in ended else in_force
        for number, version in enumerate(known):
            if version.entry_index >= since:
                yield _examined(conn, log, known[: number + 1], base_url, standing, last)


def _examined(
    conn: Connection,
    log: LogFacts,
    known: Sequence[Version],
    base_url: str,
    in_force: Collection[str],
    last: Version,
) -> Shown | Withheld:
    """The last of the versions `known`; `last` is the one in force. `in_force`: products whose
    last version is valid."""
    *before, version = known
    content = load(conn, log, version)
    product = product_of(content)
    entry = entry_at(conn, log.log_id, version.entry_index)
    place = Place(
        id=id_of(version),
        preceding=tuple(map(id_of, before)),
        created=str(entry.statement["at"]),
        status=ACTIVE if version is last and product in in_force else DEPRECATED,
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
    try:
        footprint = document_of(content, place)
    except InvalidInput as error:
        return Withheld(product=product, entry=version.entry_index, why=str(error))
    return Shown(footprint=footprint, product=product, entry=version.entry_index)
