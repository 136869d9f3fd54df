"""Claiming: gather the lots that points hold, balance supply and cover, sign and append.

Replacing and withdrawing are entries too; so are the flags that tell everybody which claims a
correction left short.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from ledger.claims import retired, shortfall, store, together
from ledger.claims.body import ClaimBody, Claimed
from ledger.claims.manifest import NAME, Manifest
from ledger.claims.offers import Offer, Offers
from ledger.db import reading
from ledger.errors import NotFound, Refused
from ledger.log import store as log_store
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt
from ledger.log.store import LogFacts
from ledger.lots import rule
from ledger.lots import store as lots
from ledger.matching.evaluate import consumption
from ledger.metering import store as metering
from ledger.metering.batches import SECRET_BYTES
from ledger.metering.service import find_points
from ledger.parties.desk import Desk, Draft, fresh_id, seal_json
from ledger.registry import used
from ledger.units import QUARTER_HOUR_S, Period


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimReport:
    """A claim just made."""

    claim: bytes
    receipt: Receipt
    manifest: Manifest
    lots: int


def make(
    desk: Desk,
    points: Sequence[str],
    period: Period,
    *,
    retirements: Sequence[bytes] = (),
    key: SigningKey | None = None,
) -> ClaimReport:
    """Claim all that points (by name, of one owner) hold in a period and have not claimed yet.

    `retirements`: of certificates and credits, for this owner and time. `key` signs where the owner
    holds its own. Raises NotFound where there is nothing to claim; InvalidInput or Refused as the
    log does.
    """
    with reading(desk.engine) as conn:
        found = find_points(conn, desk.log.log_id, list(dict.fromkeys(points)))
        _check_points(found)
        offers = Offers(conn, desk.log, period)
        held = offers.unspent([one.point for one in found])
        if not held and not retirements:
            raise _nothing_held(conn, desk.log, found, period)
        draft, manifest = _draft(
            conn,
            desk.log,
            author=found[0].master.owner,
            points=[one.point for one in found],
            period=period,
            offers=offers.balanced(held),
            spends=[row.lot for row in held],
            retires=retirements,
        )
    return _report(desk.writer.append(desk.sign(draft, key=key)), manifest, len(held))


def _check_points(found: Sequence[metering.Registered]) -> None:
    """Before anything is drafted: consumers' points, of one owner. Raises Refused."""
    for one in found:
        if one.master.kind != "consumption":
            raise Refused(
                f"point {one.master.name!r} is of kind {one.master.kind}: consumers claim"
            )
        if one.master.owner != found[0].master.owner:
            raise Refused(
                f"point {one.master.name!r} belongs to {one.master.owner!r}:"
                f" {found[0].master.owner!r} can't claim it"
            )


def _nothing_held(
    conn: Connection,
    log: LogFacts,
    found: Sequence[metering.Registered],
    period: Period,
) -> Refused | NotFound:
    """Claimed before, or never matched: which of the two, since people ask that first."""
    names = ", ".join(one.master.name for one in found)
    points = {one.point for one in found}
    earlier = [
        row
        for row in store.find_claims(conn, log.log_id)
        if row.manifest.period.overlaps(period)
        and points & set(row.manifest.points)
        # One that is replaced left its lots to another one of this list.
        and row.ended != store.REPLACED
    ]
    if earlier:
        said = ", ".join(
            f"claim {row.claim.hex()} (entry {row.entry_index}"
            + (", withdrawn: its lots stay spent)" if row.ended else ")")
            for row in earlier
        )
        return Refused(
            f"the energy of {names} in this period was claimed before, by {said}: a kWh is claimed"
            " once"
        )
    return NotFound(
        f"there is no lot of {names} in this period; lots are made by: greenledger match"
    )


def replace(
    desk: Desk,
    claim: bytes,
    reason: str,
    *,
    retirements: Sequence[bytes] = (),
    key: SigningKey | None = None,
) -> ClaimReport:
    """Claim anew what an earlier claim's lots and retirements allow now, what its points hold
    since, and further retirements."""
    with reading(desk.engine) as conn:
        old = store.find_claim(conn, desk.log.log_id, claim)
        manifest = old.manifest
        offers = Offers(conn, desk.log, manifest.period, replaced=old)
        inherited = lots.lots_by_id(
            conn, desk.log.log_id, store.lots_of_claim(conn, desk.log.log_id, claim)
        )
        fresh = offers.unspent(manifest.points)
        draft, manifest = _draft(
            conn,
            desk.log,
            author=old.author,
            points=manifest.points,
            period=manifest.period,
            offers=offers.balanced([*inherited.values(), *fresh]),
            spends=[row.lot for row in fresh],
            retires=retirements,
            replaces=claim,
            reason=reason,
        )
    receipt = desk.writer.append(desk.sign(draft, key=key))
    return _report(receipt, manifest, len(inherited) + len(fresh))


def withdraw(desk: Desk, claim: bytes, reason: str, *, key: SigningKey | None = None) -> Receipt:
    """Take a claim back for good; its lots stay spent."""
    with reading(desk.engine) as conn:
        author = store.find_claim(conn, desk.log.log_id, claim).author
    members = {"claim": claim.hex(), "reason": reason}
    draft = Draft(type=rule.WITHDRAW, author=author, members=members)
    return desk.writer.append(desk.sign(draft, key=key))


def flag(desk: Desk) -> list[Receipt]:
    """Write the flags that are owed: which claims are short, and which are no more."""
    with reading(desk.engine) as conn:
        owed = shortfall.owed_flags(conn, desk.log)
        because = {claim: _because(conn, desk.log, claim, owed[claim]) for claim in owed}
    drafts = [
        Draft(
            type=rule.FLAG,
            author=desk.log.operator,
            members={"claim": claim.hex(), "state": state, "because": because[claim].hex()},
        )
        for claim, state in sorted(owed.items())
    ]
    return desk.writer.append_all([desk.sign(draft) for draft in drafts]) if drafts else []


def _because(conn: Connection, log: LogFacts, claim: bytes, state: str) -> bytes:
    """Leaf hash of the correction that made a claim short, or of the last that concerns it."""
    index = shortfall.cause_of(conn, log, claim, state)
    assert index is not None
    return log_store.leaf_at(conn, log.log_id, index)


def _draft(
    conn: Connection,
    log: LogFacts,
    *,
    author: str,
    points: Collection[bytes],
    period: Period,
    offers: Sequence[Offer],
    spends: Sequence[bytes],
    retires: Sequence[bytes],
    replaces: bytes = b"",
    reason: str = "",
) -> tuple[Draft, Manifest]:
    balanced = sorted(offers, key=lambda one: one.lot.lot)
    id_ = fresh_id()
    body = ClaimBody.seal(
        [_claimed(one) for one in balanced],
        start_s=period.start_s,
        count=period.length_s // QUARTER_HOUR_S,
        secret=secrets.token_bytes(SECRET_BYTES),
        origin=log.origin,
        id_=id_,
    )
    by_class: dict[int, int] = {}
    for one in balanced:
        if one.supply and one.wh.any():
            class_ = one.lot.supply_class
            by_class[class_] = by_class.get(class_, 0) + int(one.wh.sum())
    inherited = store.retirements_of_claim(conn, log.log_id, replaces) if replaces else []
    manifest = _manifest(
        conn,
        log,
        author,
        points,
        period,
        body,
        by_class,
        sorted({*retires, *inherited}),
        replaces,
        reason,
    )
    draft = Draft(
        type=rule.MAKE,
        id=id_,
        author=author,
        members={
            "claim": fresh_id(),
            "replaces": replaces.hex(),
            "spends": sorted(lot.hex() for lot in spends),
            "retires": sorted({retirement.hex() for retirement in retires}),
        },
        bodies={"body": body, "manifest": seal_json(manifest.to_json(), NAME)},
    )
    return draft, manifest


def _claimed(one: Offer) -> Claimed:
    """From its first quarter-hour with energy to its last."""
    places = np.flatnonzero(one.wh)
    if not len(places):
        return Claimed(lot=one.lot.lot, first=0, wh=np.empty(0, dtype=np.int64))
    first, last = int(places[0]), int(places[-1])
    return Claimed(lot=one.lot.lot, first=first, wh=one.wh[first : last + 1])


def _manifest(
    conn: Connection,
    log: LogFacts,
    author: str,
    points: Collection[bytes],
    period: Period,
    body: ClaimBody,
    by_class_wh: Mapping[int, int],
    retirements: Sequence[bytes],
    replaces: bytes,
    reason: str,
) -> Manifest:
    as_of = log_store.load_head(conn, log.log_id).size
    filled = consumption(conn, log, period, as_of, frozenset(points)).values()
    consumed_wh, estimated_wh = together.consumed(filled, period)
    rows = [used.find_retirement(conn, log.log_id, retirement) for retirement in retirements]
    residual, others = together.left(
        conn, log, frozenset(points), period, consumed_wh - body.wh, replaces
    )
    certificates, credits_ = retired.settle(conn, log.log_id, rows, residual, others)
    return Manifest(
        consumer=author,
        points=tuple(sorted(points)),
        period=period,
        as_of=as_of,
        by_class_wh=dict(sorted(by_class_wh.items())),
        consumption_wh=int(consumed_wh.sum()),
        estimated_wh=estimated_wh,
        certificates=certificates,
        credits=credits_,
        reason=reason,
    )


def _report(receipt: Receipt, manifest: Manifest, count: int) -> ClaimReport:
    claim = bytes.fromhex(receipt.entry.statement["claim"])
    return ClaimReport(claim=claim, receipt=receipt, manifest=manifest, lots=count)
