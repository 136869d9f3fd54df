"""Where units of a retirement came from: each entry back to the import, and what of it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from ledger.log import merkle
from ledger.log import store as log_store
from ledger.log.store import LogFacts
from ledger.registry import rule, store
from ledger.registry.body import UnitsBody
from ledger.registry.leaves import BatchId
from ledger.registry.schema import schemes


@dataclass(slots=True, kw_only=True)
class Shown:
    """What is shown of a `unit.` entry: these holdings' owners, and these batches of an issue."""

    issue: bool
    holdings: set[bytes] = field(default_factory=set)
    batches: set[BatchId] = field(default_factory=set)


def chain_of(conn: Connection, log_id: int, retired_by: int) -> dict[int, Shown]:
    """{entry: what is shown of it}, from the entry that retired units back to their imports, all
    earlier revisions of their codes among them."""
    found = {retired_by: Shown(issue=False)}
    todo = [retired_by]
    while todo:
        for row in store.ended_by(conn, log_id, todo.pop()):
            issued = is_issue(conn, log_id, row.entry_index)
            if row.entry_index not in found:
                found[row.entry_index] = Shown(issue=issued)
                if not issued:
                    todo.append(row.entry_index)
            found[row.entry_index].holdings.add(row.holding)
            if issued:
                _show_batches(conn, log_id, found, row.batch)
    return found


def _show_batches(conn: Connection, log_id: int, found: dict[int, Shown], batch: BatchId) -> None:
    for one in store.batches_of_code(conn, log_id, batch.scheme, batch.code):
        if one.id.revision <= batch.revision:
            found.setdefault(one.entry_index, Shown(issue=True)).batches.add(one.id)


def is_issue(conn: Connection, log_id: int, entry_index: int) -> bool:
    return log_store.entry_at(conn, log_id, entry_index).type == rule.ISSUE


def registration_of(conn: Connection, log_id: int, scheme: str, entry_index: int) -> int:
    """The entry of a scheme's registration that is in force at an entry."""
    query = (
        select(schemes.c.entry_index)
        .where(
            schemes.c.log_id == log_id,
            schemes.c.scheme == scheme,
            schemes.c.entry_index < entry_index,
        )
        .order_by(schemes.c.entry_index.desc())
        .limit(1)
    )
    return int(conn.execute(query).scalar_one())


def load_body(conn: Connection, log: LogFacts, entry_index: int) -> UnitsBody:
    entry = log_store.entry_at(conn, log.log_id, entry_index)
    data = log_store.load_body(conn, log.log_id, entry.statement["body"]["root"])
    assert data is not None
    return UnitsBody.open(data, origin=log.origin, id_=entry.id)


def places_of(conn: Connection, log_id: int, entry_index: int, shown: Shown) -> list[int]:
    """Which leaves of an entry's body are shown."""
    statement = log_store.entry_at(conn, log_id, entry_index).statement
    first, found = 1, {0}
    if shown.issue:
        names = {one.short for one in shown.batches}
        first = len(statement["batches"])
        found = {place for place, name in enumerate(statement["batches"]) if name in names}
    holdings = {holding.hex() for holding in shown.holdings}
    found |= {first + place for place, name in enumerate(statement["begins"]) if name in holdings}
    return sorted(found)


def shared_path(body: UnitsBody, places: Sequence[int]) -> list[bytes]:
    """What else is needed to prove these leaves together (docs/formats.md §9)."""
    tree = merkle.levels(merkle.leaf_hashes(body.leaves))
    return merkle.shared_path(places, body.size, merkle.subtree_of(tree))
