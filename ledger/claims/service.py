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

from ledger.claims import shortfall, store
from ledger.claims.body import ClaimBody, Claimed
from ledger.claims.manifest import NAME, Manifest
from ledger.db import reading
from ledger.errors import NotFound, Refused
from ledger.log import store as log_store
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt
from ledger.log.store import LogFacts
from ledger.lots import rule
from ledger.lots import store as lots
from ledger.lots.model import SUPPLY_KINDS, Month, month_of
from ledger.lots.packed import Int64
from ledger.matching.evaluate import consumption
from ledger.metering import store as metering
from ledger.metering.batches import SECRET_BYTES
from ledger.metering.service import find_point
from ledger.parties.desk import Desk, Draft, fresh_id, seal_json
from ledger.units import QUARTER_HOUR_S, Period, parse_zone, zone_offset_s


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimReport:
    """A claim just made."""

    claim: bytes
    receipt: Receipt
    manifest: Manifest
    lots: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Offer:
    """A lot as a claim may use it: `wh`, int64[n] on the claim's grid."""

    lot: lots.LotRow
    supply: bool
    wh: Int64


def make(
    desk: Desk, points: Sequence[str], period: Period, *, key: SigningKey | None = None
) -> ClaimReport:
    """Claim all that points (by name, of one owner) hold in a period and have not claimed yet.

    `key` signs where the owner holds its own. Raises NotFound where they hold nothing; InvalidInput
    or Refused as the log does.
    """
    with reading(desk.engine) as conn:
        found = [find_point(conn, desk.log.log_id, name) for name in dict.fromkeys(points)]
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
        offers = _Offers(conn, desk.log, period)
        held = offers.unspent([one.point for one in found])
        if not held:
            raise _nothing_held(conn, desk.log, found, period)
        draft, manifest = _draft(
            conn,
            desk.log,
            author=found[0].master.owner,
            points=[one.point for one in found],
            period=period,
            offers=held,
            spends=[one.lot.lot for one in held],
        )
    return _report(desk.writer.append(desk.sign(draft, key=key)), manifest, len(held))


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


def replace(desk: Desk, claim: bytes, reason: str, *, key: SigningKey | None = None) -> ClaimReport:
    """Claim anew what an earlier claim's lots allow now, and what its points hold since."""
    with reading(desk.engine) as conn:
        old = store.find_claim(conn, desk.log.log_id, claim)
        manifest = old.manifest
        offers = _Offers(conn, desk.log, manifest.period, replaced=old)
        inherited = store.lots_of_claim(conn, desk.log.log_id, claim)
        fresh = offers.unspent(manifest.points)
        draft, manifest = _draft(
            conn,
            desk.log,
            author=old.author,
            points=manifest.points,
            period=manifest.period,
            offers=[*offers.of(inherited), *fresh],
            spends=[one.lot.lot for one in fresh],
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
    if state == store.SHORT:
        index = shortfall.short_claims(conn, log)[claim]
    else:
        index = max(row.entry_index for row in shortfall.rows_of(conn, log.log_id))
    return log_store.leaf_at(conn, log.log_id, index)


class _Offers:
    """What lots offer to a claim of a period: what they have, less what a correction took away."""

    def __init__(
        self,
        conn: Connection,
        log: LogFacts,
        period: Period,
        replaced: store.ClaimRow | None = None,
    ) -> None:
        self._conn = conn
        self._log = log
        self._period = period
        self._zone_s = zone_offset_s(parse_zone(log.zone))
        self._divisions = lots.Divisions(conn, log)
        self._kinds = {
            point: found.master.kind
            for point, found in metering.current_points(conn, log.log_id).items()
        }
        self._allowed: dict[tuple[bytes, Month], dict[int, int]] = {}
        self._replaced = replaced

    def unspent(self, points: Collection[bytes]) -> list[_Offer]:
        """Of lots that points hold in the months of the period, by id."""
        whole = Period(
            start_s=month_of(self._period.start_s, self._zone_s).start_s, end_s=self._period.end_s
        )
        rows = [
            row
            for point in points
            for row in lots.unspent_held(self._conn, self._log.log_id, point, whole)
        ]
        return [self._offer(row) for row in sorted(rows, key=lambda row: row.lot)]

    def of(self, which: Sequence[bytes]) -> list[_Offer]:
        known = lots.lots_by_id(self._conn, self._log.log_id, which)
        return [self._offer(known[lot]) for lot in which]

    def _offer(self, row: lots.LotRow) -> _Offer:
        month = month_of(row.month_start_s, self._zone_s)
        wh = self._divisions.lot_wh(row).copy()
        allowed = self._allowed_of(row.point, month)
        for position, left_wh in allowed.items():
            wh[position] = min(int(wh[position]), left_wh)
            allowed[position] = left_wh - int(wh[position])
        return _Offer(
            lot=row, supply=self._kinds[row.point] in SUPPLY_KINDS, wh=self._cut(wh, month)
        )

    def _allowed_of(self, point: bytes, month: Month) -> dict[int, int]:
        """What the claim may use where a correction was, which its lots of a month share."""
        if (point, month) not in self._allowed:
            allowed = shortfall.allowed_wh(self._conn, self._log.log_id, point, month)
            if self._replaced and allowed:
                self._give_back(point, month, allowed)
            self._allowed[point, month] = allowed
        return self._allowed[point, month]

    def _give_back(self, point: bytes, month: Month, allowed: dict[int, int]) -> None:
        """The claim that is replaced uses nothing any more."""
        assert self._replaced is not None
        used = store.used_by_claim(self._conn, self._log.log_id, point, month)
        mine = used.get(self._replaced.claim)
        for row in shortfall.rows_of(self._conn, self._log.log_id, point, month):
            at = lots.position(row.start_s, month.start_s)
            used_wh = row.used_wh - (0 if mine is None else int(mine[at]))
            allowed[at] = max(0, row.metered_wh - used_wh)

    def _cut(self, wh: Int64, month: Month) -> Int64:
        """From the grid of a month to the claim's."""
        count = self._period.length_s // QUARTER_HOUR_S
        found = np.zeros(count, dtype=np.int64)
        offset = lots.position(month.start_s, self._period.start_s)
        begin, end = max(offset, 0), min(offset + len(wh), count)
        if begin < end:
            found[begin:end] = wh[begin - offset : end - offset]
        if int(found.sum()) != int(wh.sum()):
            raise Refused(
                f"a lot of {month} has energy outside of the claim's period: lots are claimed"
                " whole, so claim the whole month, or as much of it as was matched"
            )
        return found


def _balance(offers: Sequence[_Offer]) -> list[_Offer]:
    """The same, cut so that supply and cover are equal: by holder, class and quarter-hour."""
    groups: dict[tuple[bytes, int], list[_Offer]] = {}
    for one in offers:
        groups.setdefault((one.lot.holder, one.lot.supply_class), []).append(one)
    found = []
    for group in groups.values():
        sides = [[one for one in group if one.supply is side] for side in (True, False)]
        both_wh = np.minimum(*(_sum([one.wh for one in side], group[0].wh) for side in sides))
        for side in sides:
            found += _up_to(side, both_wh)
    return found


def _sum(arrays: Sequence[Int64], like: Int64) -> Int64:
    total = np.zeros_like(like)
    for array in arrays:
        total += array
    return total


def _up_to(side: Sequence[_Offer], limit_wh: Int64) -> list[_Offer]:
    left_wh = limit_wh.copy()
    found = []
    for one in side:
        wh = np.minimum(one.wh, left_wh)
        left_wh -= wh
        found.append(_Offer(lot=one.lot, supply=one.supply, wh=wh))
    return found


def _draft(
    conn: Connection,
    log: LogFacts,
    *,
    author: str,
    points: Collection[bytes],
    period: Period,
    offers: Sequence[_Offer],
    spends: Sequence[bytes],
    replaces: bytes = b"",
    reason: str = "",
) -> tuple[Draft, Manifest]:
    balanced = sorted(_balance(offers), key=lambda one: one.lot.lot)
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
    manifest = _manifest(conn, log, author, points, period, by_class, reason)
    draft = Draft(
        type=rule.MAKE,
        id=id_,
        author=author,
        members={
            "claim": fresh_id(),
            "replaces": replaces.hex(),
            "spends": sorted(lot.hex() for lot in spends),
        },
        bodies={"body": body, "manifest": seal_json(manifest.to_json(), NAME)},
    )
    return draft, manifest


def _claimed(one: _Offer) -> Claimed:
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
    by_class_wh: Mapping[int, int],
    reason: str,
) -> Manifest:
    as_of = log_store.load_head(conn, log.log_id).size
    filled = consumption(conn, log, period, as_of, frozenset(points)).values()
    estimated_wh = sum(
        int(one.demand.estimated_wh.sum()) for one in filled if one.demand.estimated_wh is not None
    )
    return Manifest(
        consumer=author,
        points=tuple(sorted(points)),
        period=period,
        as_of=as_of,
        by_class_wh=dict(sorted(by_class_wh.items())),
        consumption_wh=sum(int(one.demand.wh.sum()) for one in filled) + estimated_wh,
        estimated_wh=estimated_wh,
        reason=reason,
    )


def _report(receipt: Receipt, manifest: Manifest, count: int) -> ClaimReport:
    claim = bytes.fromhex(receipt.entry.statement["claim"])
    return ClaimReport(claim=claim, receipt=receipt, manifest=manifest, lots=count)
