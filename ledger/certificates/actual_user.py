"""Certificates that are one energy with lots go to who uses that energy, and to nobody else.

A self-use certificate has at most one transfer, to the actual user (GEC rules 2026, art. 25); that
of a green trade moves with the power (art. 23).
"""

from __future__ import annotations

from ledger.errors import Refused
from ledger.log.entry import Entry
from ledger.log.types import Bodies, Tx
from ledger.lots import store as lots
from ledger.metering import store as metering
from ledger.registry import catalogue, lifecycle, rule, store
from ledger.registry.issuing import owners_in, units_body
from ledger.registry.leaves import Act, BatchId
from ledger.registry.moving import act_in
from ledger.registry.scheme import WRAPPED


def after_move(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    """Raises Refused where units are given to another party than the users of their energy."""
    name = entry.statement["act"]
    if name not in lifecycle.GIVING | {lifecycle.RETIRE, lifecycle.EXPORT}:
        return
    body = units_body(bodies)
    act = act_in(entry, body)
    if name not in lifecycle.GIVING:
        _require_used_here(tx, name, act)
        return
    owners = owners_in(entry, body, 1)
    rules = catalogue.find_scheme(tx.conn, tx.log.log_id, act.ended[0].batch.scheme).rules
    before = {(one.batch, one.moves) for one in act.ended}
    for piece in act.begun:
        # What its owner keeps changed hands as often as before.
        given = (piece.batch, piece.moves - 1) in before
        if not given or rules.class_of(piece.class_).lots != WRAPPED:
            continue
        users, to = users_of(tx, piece.batch), owners[piece.holding]
        if users and to not in users:
            raise Refused(
                f"units {piece.batch}:{piece.units} are one energy with lots of"
                f" {', '.join(sorted(users))}: they go to the actual user, not to {to!r}"
            )


def _require_used_here(tx: Tx, name: str, act: Act) -> None:
    """They are retired for who uses their energy, and do not leave: its lots are claimed here."""
    rules = catalogue.find_scheme(tx.conn, tx.log.log_id, act.ended[0].batch.scheme).rules
    for gone in act.gone:
        if rules.class_of(gone.class_).lots != WRAPPED:
            continue
        users = users_of(tx, gone.batch)
        if users and (name == lifecycle.EXPORT or act.terms["beneficiary"] not in users):
            what = "they stay here" if name == lifecycle.EXPORT else "they are retired for them"
            raise Refused(
                f"units {gone.batch}:{gone.units} are one energy with lots of"
                f" {', '.join(sorted(users))}: {what}"
            )


def users_of(tx: Tx, batch: BatchId) -> set[str]:
    """Owners of the points that hold the lots with which a batch is one energy."""
    behind = store.lots_of_batch(tx.conn, tx.log.log_id, batch)
    wrapped = lots.wrapped(tx.conn, tx.log.log_id, rule.FORM, behind)
    rows = lots.lots_by_id(tx.conn, tx.log.log_id, wrapped)
    known = metering.current_points(tx.conn, tx.log.log_id)
    return {known[row.holder].master.owner for row in rows.values()}
