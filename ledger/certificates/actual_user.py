"""Certificates that are one energy with lots go to who uses that energy, and to nobody else.

A self-use certificate has at most one transfer, to the actual user (GEC rules 2026, art. 25); that
of a green trade moves with the power (art. 23). So they are retired for these users alone, for each
as many as its lots fill, and don't leave to another registry: else one kWh would be used as a lot
here and as a certificate there (domain invariant 10).
"""

from __future__ import annotations

from collections.abc import Mapping

from ledger.errors import Refused
from ledger.log.entry import Entry
from ledger.log.types import Bodies, Tx
from ledger.lots import store as lots
from ledger.metering import store as metering
from ledger.registry import catalogue, lifecycle, rule, store, used
from ledger.registry.issuing import owners_in, units_body
from ledger.registry.leaves import Act, BatchId
from ledger.registry.moving import act_in
from ledger.registry.scheme import WRAPPED, Scheme


def after_move(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    """Raises Refused where units are given to, or used by, another party than the users of their
    energy."""
    name = entry.statement["act"]
    if name not in lifecycle.GIVING | {lifecycle.RETIRE, lifecycle.EXPORT}:
        return
    body = units_body(bodies)
    act = act_in(entry, body)
    rules = catalogue.find_scheme(tx.conn, tx.log.log_id, act.ended[0].batch.scheme).rules
    if name in lifecycle.GIVING:
        _check_given(tx, rules, act, owners_in(entry, body, 1))
        return
    for batch in sorted({one.batch for one in act.gone if _is_bound(rules, one.class_)}):
        lots_wh = lots_of_users(tx, batch)
        if not lots_wh:
            continue
        if name == lifecycle.EXPORT:
            raise Refused(
                f"units of {batch} are one energy with lots of {', '.join(sorted(lots_wh))}: they"
                " can't leave while these stay"
            )
        _check_retired(tx, rules, batch, act.terms["beneficiary"], lots_wh)


def _is_bound(rules: Scheme, class_: str) -> bool:
    return rules.class_of(class_).lots == WRAPPED


def _check_given(tx: Tx, rules: Scheme, act: Act, owners: Mapping[bytes, str]) -> None:
    before = {(one.batch, one.moves) for one in act.ended}
    for piece in act.begun:
        # What its owner keeps changed hands as often as before.
        given = (piece.batch, piece.moves - 1) in before
        if not given or not _is_bound(rules, piece.class_):
            continue
        users, to = lots_of_users(tx, piece.batch), owners[piece.holding]
        if users and to not in users:
            raise Refused(
                f"units {piece.batch}:{piece.units} are one energy with lots of"
                f" {', '.join(sorted(users))}: they go to the actual user, not to {to!r}"
            )


def _check_retired(
    tx: Tx, rules: Scheme, batch: BatchId, beneficiary: str, lots_wh: Mapping[str, int]
) -> None:
    if beneficiary not in lots_wh:
        raise Refused(
            f"units of {batch} are one energy with lots: they are retired for the actual user,"
            f" {', '.join(sorted(lots_wh))}, not for {beneficiary!r}"
        )
    filled = -(-lots_wh[beneficiary] // rules.unit_size)
    retired = used.retired_units(tx.conn, tx.log.log_id, batch, beneficiary)
    if retired > filled:
        raise Refused(
            f"lots of {beneficiary!r} behind {batch} fill {filled} units, not {retired} that would"
            " then be retired for it"
        )


def lots_of_users(tx: Tx, batch: BatchId) -> dict[str, int]:
    """{owner of points that hold the lots with which a batch is one energy: Wh of these}."""
    behind = store.lots_of_batch(tx.conn, tx.log.log_id, batch)
    wrapped = lots.wrapped(tx.conn, tx.log.log_id, rule.FORM, behind)
    rows = lots.lots_by_id(tx.conn, tx.log.log_id, wrapped)
    known = metering.current_points(tx.conn, tx.log.log_id)
    found: dict[str, int] = {}
    for row in rows.values():
        owner = known[row.holder].master.owner
        found[owner] = found.get(owner, 0) + row.wh
    return found
