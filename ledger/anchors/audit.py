"""Every receipt once more: its place, its digest, and what it vouches for."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from ledger.anchors import cosigning, store, tokens
from ledger.anchors.cosigner import parse_cosigner
from ledger.anchors.schema import states
from ledger.errors import Corrupt, InvalidInput, Unavailable
from ledger.log import publish
from ledger.log import store as log_store
from ledger.log.cosigned import AUTHORITY, WITNESS, anchors, receipts
from ledger.log.notes import parse_note


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """How many receipts hold."""

    tokens: int
    cosignatures: int


def check(conn: Connection, log: log_store.LogFacts) -> Checked:
    """Raises Corrupt with the first receipt that does not hold.

    The last ones could be taken away together with the count in `anchor_states`; that they are
    missing shows where they were published.
    """
    known = _anchors(conn, log)
    rows = conn.execute(select(receipts).order_by(receipts.c.log_id, receipts.c.seq))
    before, seq, used = store.FIRST_DIGEST, 0, set()
    counts = {WITNESS: 0, AUTHORITY: 0}
    for row in rows:
        where = f"table anchor_receipts, row {row.seq}"
        if row.log_id != log.log_id or row.seq != seq or row.anchor not in known:
            raise Corrupt(f"{where}: it is out of place, or row {seq} is missing")
        kind, name, key = known[row.anchor]
        found = store.Received(
            size=row.size, kind=kind, name=name, key=key, at_s=row.at_s, data=bytes(row.data)
        )
        before = store.digest(before, seq, found)
        if before != bytes(row.digest):
            raise Corrupt(f"{where}: it, its anchor, or a row before was changed")
        _verify(conn, log, found, where)
        used.add(row.anchor)
        counts[kind] += 1
        seq += 1
    if used != set(known):
        raise Corrupt(f"table anchors: row {min(set(known) - used)} has no receipt")
    query = select(func.coalesce(func.sum(states.c.received), 0))
    received = int(conn.execute(query.where(states.c.log_id == log.log_id)).scalar_one())
    if received != seq:
        raise Corrupt(f"table anchor_receipts: {received} were received, {seq} are there")
    return Checked(tokens=counts[AUTHORITY], cosignatures=counts[WITNESS])


def _anchors(conn: Connection, log: log_store.LogFacts) -> dict[int, tuple[store.Kind, str, str]]:
    found: dict[int, tuple[store.Kind, str, str]] = {}
    for row in conn.execute(select(anchors).order_by(anchors.c.log_id, anchors.c.anchor)):
        if row.log_id != log.log_id or row.anchor != len(found):
            raise Corrupt(f"table anchors: row {row.anchor} is out of place")
        found[row.anchor] = (row.kind, row.name, row.key)
    return found


def _verify(conn: Connection, log: log_store.LogFacts, found: store.Received, where: str) -> None:
    note = publish.note_at(conn, log, found.size)
    if note is None:
        raise Corrupt(f"{where}: there is no checkpoint of size {found.size}")
    try:
        if found.kind == WITNESS:
            at_s = cosigning.check(found.data, note, parse_cosigner(found.key))
        else:
            at_s = tokens.check(found.data, parse_note(note).text, found.key).at_s
    except (InvalidInput, Unavailable) as error:
        raise Corrupt(f"{where} ({found.kind} {found.name}): {error}") from error
    if at_s != found.at_s:
        raise Corrupt(f"{where}: it is of {at_s}, not of {found.at_s}")
