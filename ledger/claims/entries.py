"""Entry types of claims, and the rules that they keep (docs/formats.md §4.1, §4.7).

The log accepts a claim only if its lots are held by the claimant's points and are spent by nobody,
if supply and cover are equal in each quarter-hour and class, and if its figures follow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from ledger.claims import retired, shortfall, store, together
from ledger.claims.body import MEDIA, ClaimBody, Claimed
from ledger.claims.manifest import NAME, Manifest
from ledger.errors import Erased, InvalidInput, Refused
from ledger.log import entry as e
from ledger.log import store as log_store
from ledger.log.bodies import blob_kind, json_media, tree_kind
from ledger.log.entry import Entry
from ledger.log.types import Bodies, EntryType, Tx
from ledger.lots import entries as lot_entries
from ledger.lots import rule
from ledger.lots import store as lots
from ledger.lots.model import SUPPLY_KINDS, month_of
from ledger.lots.packed import Int64
from ledger.matching.evaluate import consumption
from ledger.metering import store as metering
from ledger.metering.entries import CORRECTION, blob
from ledger.parties.entries import author_signs, operator_signs
from ledger.registry import exclusive
from ledger.units import QUARTER_HOUR_S


def _accept_make(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    statement, body = entry.statement, bodies["body"]
    assert isinstance(body, ClaimBody)
    manifest = Manifest.from_json(blob(bodies, "manifest").json())
    claim = bytes.fromhex(statement["claim"])
    _require_new(tx, claim)
    shortfall.require_flags(tx)
    replaced = _replaced(tx, entry, statement["replaces"])
    if bool(manifest.reason) != bool(replaced):
        raise InvalidInput("a reason stands exactly where a claim replaces another one")
    _check_points(tx, entry, manifest)
    spends = lot_entries.lot_ids(statement["spends"])
    retires = lot_entries.lot_ids(statement["retires"])
    if not spends and not retires and replaced is None:
        raise InvalidInput("a claim spends a lot, has a retirement, or replaces a claim")
    known = lot_entries.require_unspent(tx, spends)
    if replaced is not None:
        inherited = store.lots_of_claim(tx.conn, tx.log.log_id, replaced.claim)
        known |= lots.lots_by_id(tx.conn, tx.log.log_id, inherited)
    exclusive.require_unbarred(tx, [known[lot] for lot in spends])
    _check_body(tx, body, manifest, known)
    _check_figures(tx, manifest)
    _check_retirements(tx, retires, replaced, manifest, body)
    _book(tx, replaced, claim, body, known)
    lots.save_spends(tx.conn, tx.log.log_id, tx.index, spends)
    row = store.ClaimRow(
        claim=claim,
        entry_index=tx.index,
        author=entry.author,
        replaces=replaced.claim if replaced else b"",
        start_s=manifest.period.start_s,
        end_s=manifest.period.end_s,
        wh=body.total_wh,
        root=body.key,
        manifest=manifest,
        ended="",
        end_index=None,
        end_reason="",
        flag="",
    )
    store.save_claim(tx.conn, tx.log.log_id, row, {one.lot: int(one.wh.sum()) for one in body.lots})
    store.save_retirements(tx.conn, tx.log.log_id, row)


def _require_new(tx: Tx, claim: bytes) -> None:
    if store.claims_with_id(tx.conn, tx.log.log_id, claim):
        raise Refused(f"claim {claim.hex()} was made before; take a fresh random id")


def _in_force(tx: Tx, text: str) -> store.ClaimRow:
    found = store.claims_with_id(tx.conn, tx.log.log_id, bytes.fromhex(text))
    if not found:
        raise Refused(f"claim {text} was never made")
    if not found[0].in_force:
        raise Refused(
            f"claim {text} is in force no more: {found[0].ended} by entry {found[0].end_index}"
        )
    return found[0]


def _replaced(tx: Tx, entry: Entry, replaces: str) -> store.ClaimRow | None:
    if not replaces:
        return None
    found = _in_force(tx, replaces)
    if found.author != entry.author:
        raise Refused(f"claim {replaces} is replaced by its author {found.author!r} alone")
    return found


def _check_points(tx: Tx, entry: Entry, manifest: Manifest) -> None:
    if manifest.consumer != entry.author:
        raise InvalidInput(f"consumer is {manifest.consumer!r}, the author {entry.author!r}")
    known = metering.current_points(tx.conn, tx.log.log_id, only=manifest.points)
    for point in manifest.points:
        if point not in known:
            raise Refused(f"point {point.hex()} is not registered")
        master = known[point].master
        if (master.kind, master.unit) != ("consumption", "Wh"):
            raise Refused(f"point {master.name!r} is of kind {master.kind}: consumers claim")
        if master.owner != entry.author:
            raise Refused(
                f"point {master.name!r} belongs to {master.owner!r}: {entry.author!r} can't claim"
                " for it"
            )


def _check_body(
    tx: Tx, body: ClaimBody, manifest: Manifest, known: Mapping[bytes, lots.LotRow]
) -> None:
    period = manifest.period
    if (body.start_s, body.count * QUARTER_HOUR_S) != (period.start_s, period.length_s):
        raise InvalidInput("the claim's body and manifest are of different periods")
    if [one.lot for one in body.lots] != sorted(known):
        raise InvalidInput("the claim's body is not about the lots that it spends or takes over")
    kinds = {
        point: found.master.kind
        for point, found in metering.current_points(tx.conn, tx.log.log_id).items()
    }
    divisions = lots.Divisions(tx.conn, tx.log)
    halves: dict[bool, dict[int, Int64]] = {True: {}, False: {}}
    for claimed in body.lots:
        lot = known[claimed.lot]
        supply = kinds[lot.point] in SUPPLY_KINDS
        if lot.holder not in manifest.points:
            raise Refused(f"lot {lot.lot.hex()} is held by no point of the claim")
        wh = _on_claim(claimed, body.count)
        _check_within(body, claimed, lot, divisions)
        half = halves[supply]
        half[lot.supply_class] = half.get(lot.supply_class, 0) + wh
    _check_halves(halves, manifest)


def _on_claim(claimed: Claimed, count: int) -> Int64:
    wh = np.zeros(count, dtype=np.int64)
    wh[claimed.first : claimed.first + len(claimed.wh)] = claimed.wh
    return wh


def _check_within(
    body: ClaimBody, claimed: Claimed, lot: lots.LotRow, divisions: lots.Divisions
) -> None:
    """No cell is more than the lot has there, and the lot has nothing outside of the period."""
    lot_wh = divisions.lot_wh(lot)
    first = lots.position(body.start_s, lot.month_start_s)
    inside = np.zeros(len(lot_wh), dtype=np.bool_)
    inside[max(first, 0) : max(first + body.count, 0)] = True
    if lot_wh[~inside].any():
        raise Refused(f"lot {lot.lot.hex()} has energy outside of the claim's period")
    all_wh = np.zeros(body.count, dtype=np.int64)
    rows = np.flatnonzero(inside)
    all_wh[rows - first] = lot_wh[rows]
    wh = _on_claim(claimed, body.count)
    if (wh > all_wh).any():
        row = int(np.argmax(wh > all_wh))
        raise Refused(
            f"lot {lot.lot.hex()}: {int(wh[row])} Wh are claimed in quarter-hour {row}, it has"
            f" {int(all_wh[row])} Wh"
        )


def _check_halves(halves: Mapping[bool, Mapping[int, Int64]], manifest: Manifest) -> None:
    supply, cover = halves[True], halves[False]
    for class_ in sorted({*supply, *cover}):
        mine, theirs = supply.get(class_), cover.get(class_)
        if mine is None or theirs is None or not np.array_equal(mine, theirs):
            raise Refused(
                f"class {class_}: what the claim supplies is not what it covers, quarter-hour by"
                " quarter-hour"
            )
    by_class = {class_: int(wh.sum()) for class_, wh in sorted(supply.items()) if wh.any()}
    if by_class != dict(manifest.by_class_wh):
        raise InvalidInput(f"the claim's lots give {by_class} Wh by class, its manifest others")


def _check_figures(tx: Tx, manifest: Manifest) -> None:
    if not 0 < manifest.as_of <= tx.index:
        raise Refused(f"as_of is {manifest.as_of}; it is 1 to {tx.index}")
    try:
        found = consumption(
            tx.conn, tx.log, manifest.period, manifest.as_of, frozenset(manifest.points)
        )
    except Erased as error:
        tx.attest(error)
        return
    consumed_wh, estimated_wh = together.consumed(found.values(), manifest.period)
    stated = manifest.consumption_wh, manifest.estimated_wh
    if stated != (int(consumed_wh.sum()), estimated_wh):
        raise Refused(
            f"the points consumed {int(consumed_wh.sum())} Wh, of it {estimated_wh} Wh"
            f" estimated; the claim says {stated[0]} and {stated[1]} Wh"
        )


def _check_retirements(
    tx: Tx,
    retires: Sequence[bytes],
    replaced: store.ClaimRow | None,
    manifest: Manifest,
    body: ClaimBody,
) -> None:
    log_id = tx.log.log_id
    for retirement, claim in store.claims_of_retirements(tx.conn, log_id, retires).items():
        raise Refused(
            f"retirement {retirement.hex()} is in claim {claim.hex()} already: a certificate is"
            " for one consumer and time"
        )
    inherited = store.retirements_of_claim(tx.conn, log_id, replaced.claim) if replaced else []
    try:
        together.require(
            tx.conn,
            tx.log,
            manifest,
            body.wh,
            as_of=tx.index,
            replaced=replaced.claim if replaced else b"",
        )
    except Erased as error:
        tx.attest(error)
    retired.require(
        tx.conn,
        log_id,
        manifest,
        sorted([*retires, *inherited]),
        [one.lot for one in body.lots],
    )


def _book(
    tx: Tx,
    replaced: store.ClaimRow | None,
    claim: bytes,
    body: ClaimBody,
    known: Mapping[bytes, lots.LotRow],
) -> None:
    """Change the use of what corrections limit, and end what is replaced."""
    before = grids_of(tx, replaced) if replaced else {}
    after = _grids(tx, body.start_s, body.lots, known)
    if replaced:
        store.end_claim(
            tx.conn, tx.log.log_id, replaced.claim, tx.index, store.REPLACED, claim.hex()
        )
    shortfall.change_use(tx, before, after)
    shortfall.require_covered(tx, after)


def grids_of(tx: Tx, row: store.ClaimRow) -> shortfall.Grids:
    """What a claim uses, by point and month."""
    start_s, claimed = store.load_claimed(tx.conn, tx.log.log_id, row.root)
    known = lots.lots_by_id(tx.conn, tx.log.log_id, claimed)
    return _grids(tx, start_s, list(claimed.values()), known)


def _grids(
    tx: Tx, start_s: int, claimed: Sequence[Claimed], known: Mapping[bytes, lots.LotRow]
) -> shortfall.Grids:
    zone_s = tx.log.zone_s
    return shortfall.used_grids(
        (
            (
                known[one.lot],
                store.on_month(one, start_s, month_of(known[one.lot].month_start_s, zone_s)),
            )
            for one in claimed
        ),
        zone_s,
    )


def _accept_withdrawal(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    row = _in_force(tx, entry.statement["claim"])
    if entry.author not in (row.author, tx.log.operator):
        raise Refused(
            f"claim {row.claim.hex()} is withdrawn by its author {row.author!r} or the operator"
        )
    before = grids_of(tx, row)
    store.end_claim(
        tx.conn,
        tx.log.log_id,
        row.claim,
        tx.index,
        store.WITHDRAWN,
        entry.statement["reason"],
    )
    shortfall.change_use(tx, before, {})


def _accept_flag(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    row = _in_force(tx, entry.statement["claim"])
    owed = shortfall.owed_flags(tx.conn, tx.log).get(row.claim)
    if owed != entry.statement["state"]:
        raise Refused(
            f"claim {row.claim.hex()} is to be flagged {owed or 'not at all'}, not"
            f" {entry.statement['state']}"
        )
    index = log_store.index_of_leaf(
        tx.conn, tx.log.log_id, bytes.fromhex(entry.statement["because"])
    )
    if index is None or log_store.entry_at(tx.conn, tx.log.log_id, index).type != CORRECTION:
        raise Refused(f"because names {entry.statement['because']}, which is no correction here")
    cause = shortfall.cause_of(tx.conn, tx.log, row.claim, entry.statement["state"])
    if index != cause:
        raise Refused(f"because names entry {index}; what concerns the claim is entry {cause}")
    store.save_flag(tx.conn, tx.log.log_id, tx.index, row.claim, entry.statement["state"])


ENTRY_TYPES: Final = (
    EntryType(
        name=rule.MAKE,
        members={
            "claim": e.ID,
            "replaces": e.ID_OR_NONE,
            "spends": lot_entries.LOTS_OR_NONE,
            "retires": e.sorted_ids("retirements"),
            "body": e.TREE,
            "manifest": e.BLOB,
        },
        bodies={
            "body": tree_kind(
                MEDIA,
                lambda data, entry, origin: ClaimBody.open(data, origin=origin, id_=entry.id),
            ),
            "manifest": blob_kind(json_media(NAME)),
        },
        signers=author_signs,
        accept=_accept_make,
        irreversible=lambda _entry: True,
    ),
    EntryType(
        name=rule.WITHDRAW,
        members={"claim": e.ID, "reason": e.REASON},
        signers=author_signs,
        accept=_accept_withdrawal,
        irreversible=lambda _entry: True,
    ),
    EntryType(
        name=rule.FLAG,
        members={
            "claim": e.ID,
            "state": e.one_of(store.SHORT, store.CURED),
            "because": e.HASH,
        },
        signers=operator_signs,
        accept=_accept_flag,
    ),
)
