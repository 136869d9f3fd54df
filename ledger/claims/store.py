"""Claims in the database, found again."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, insert, select

from ledger.claims.body import ClaimBody, Claimed, parse
from ledger.claims.manifest import Manifest
from ledger.claims.schema import claim_ends, claim_flags, claim_lots, claim_retirements, claims
from ledger.errors import NotFound
from ledger.log import store as log_store
from ledger.lots import store as lots
from ledger.lots.model import Month
from ledger.lots.packed import Int64
from ledger.lots.store import position

REPLACED: Final = "replaced"
WITHDRAWN: Final = "withdrawn"
SHORT: Final = "short"
CURED: Final = "cured"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRow:
    """A claim, how it ended (`""`: in force), and the last flag that it was given (`""`: none)."""

    claim: bytes
    entry_index: int
    author: str
    replaces: bytes
    start_s: int
    end_s: int
    wh: int
    root: str
    manifest: Manifest
    ended: str
    end_index: int | None
    end_reason: str
    flag: str

    @property
    def in_force(self) -> bool:
        return not self.ended


def find_claims(
    conn: Connection,
    log_id: int,
    *which: ColumnElement[bool],
    limit: int | None = None,
    as_of: int | None = None,
) -> list[ClaimRow]:
    """Claims in log order, at most `limit`, as they stood at a log size (now by default); `which`
    narrows them."""
    ended = and_(claim_ends.c.log_id == claims.c.log_id, claim_ends.c.claim == claims.c.claim)
    if as_of is not None:
        ended = and_(ended, claim_ends.c.entry_index < as_of)
        which = (*which, claims.c.entry_index < as_of)
    query = (
        select(
            claims, claim_ends.c.kind, claim_ends.c.entry_index.label("end"), claim_ends.c.reason
        )
        .outerjoin(claim_ends, ended)
        .where(claims.c.log_id == log_id, *which)
        .order_by(claims.c.entry_index)
        .limit(limit)
    )
    flags = last_flags(conn, log_id, as_of)
    return [_claim(row, flags) for row in conn.execute(query)]


def _claim(row: Any, flags: Mapping[bytes, str]) -> ClaimRow:
    return ClaimRow(
        claim=bytes(row.claim),
        entry_index=row.entry_index,
        author=row.author,
        replaces=bytes(row.replaces) if row.replaces is not None else b"",
        start_s=row.start_s,
        end_s=row.end_s,
        wh=row.wh,
        root=row.root,
        manifest=Manifest.from_json(json.loads(row.manifest)),
        ended=row.kind or "",
        end_index=row.end,
        end_reason=row.reason or "",
        flag=flags.get(bytes(row.claim), ""),
    )


def claims_with_certificates(conn: Connection, log_id: int) -> list[ClaimRow]:
    """Claims in force that count Wh of certificates, in log order."""
    counted = (
        select(claim_retirements.c.claim)
        .where(
            claim_retirements.c.log_id == log_id,
            claim_retirements.c.claim == claims.c.claim,
            claim_retirements.c.wh > 0,
        )
        .exists()
    )
    return [row for row in find_claims(conn, log_id, counted) if row.in_force]


def claims_with_id(conn: Connection, log_id: int, claim: bytes) -> list[ClaimRow]:
    """One or none."""
    return find_claims(conn, log_id, claims.c.claim == claim)


def find_claim(conn: Connection, log_id: int, claim: bytes) -> ClaimRow:
    """Raises NotFound."""
    found = claims_with_id(conn, log_id, claim)
    if not found:
        raise NotFound(f"there is no claim {claim.hex()}; see: greenledger claim list")
    return found[0]


def last_flags(conn: Connection, log_id: int, as_of: int | None = None) -> dict[bytes, str]:
    query = (
        select(claim_flags.c.claim, claim_flags.c.state)
        .where(claim_flags.c.log_id == log_id)
        .order_by(claim_flags.c.entry_index)
    )
    if as_of is not None:
        query = query.where(claim_flags.c.entry_index < as_of)
    return {bytes(claim): state for claim, state in conn.execute(query)}


def load_body(conn: Connection, log: log_store.LogFacts, row: ClaimRow) -> ClaimBody:
    entry = log_store.entry_at(conn, log.log_id, row.entry_index)
    return ClaimBody.open(_data(conn, log.log_id, row.root), origin=log.origin, id_=entry.id)


def _data(conn: Connection, log_id: int, root: str) -> bytes:
    data = log_store.load_body(conn, log_id, root)
    if data is None:
        raise NotFound("the body of the claim is not stored here")
    return data


def load_claimed(conn: Connection, log_id: int, root: str) -> tuple[int, dict[bytes, Claimed]]:
    """(start, {lot: what is claimed of it}), without making the tree."""
    _, start_s, _, found = parse(_data(conn, log_id, root))
    return start_s, {one.lot: one for one in found}


def lots_of_claim(conn: Connection, log_id: int, claim: bytes) -> list[bytes]:
    query = (
        select(claim_lots.c.lot)
        .where(claim_lots.c.log_id == log_id, claim_lots.c.claim == claim)
        .order_by(claim_lots.c.lot)
    )
    return [bytes(lot) for lot in conn.execute(query).scalars()]


def claimed_wh(conn: Connection, log_id: int, claim: bytes) -> dict[bytes, int]:
    """{lot of a claim: Wh of it that are claimed}."""
    query = (
        select(claim_lots.c.lot, claim_lots.c.wh)
        .where(claim_lots.c.log_id == log_id, claim_lots.c.claim == claim)
        .order_by(claim_lots.c.lot)
    )
    return {bytes(lot): wh for lot, wh in conn.execute(query)}


def claims_of_lots(
    conn: Connection, log_id: int, which: Iterable[bytes]
) -> dict[bytes, list[bytes]]:
    """{claim in force: its lots among `which`}."""
    found: dict[bytes, list[bytes]] = {}
    for lot in sorted(which):
        query = (
            select(claim_lots.c.claim)
            .outerjoin(
                claim_ends,
                and_(
                    claim_ends.c.log_id == claim_lots.c.log_id,
                    claim_ends.c.claim == claim_lots.c.claim,
                ),
            )
            .where(
                claim_lots.c.log_id == log_id,
                claim_lots.c.lot == lot,
                claim_ends.c.claim.is_(None),
            )
            .order_by(claim_lots.c.claim)
        )
        for claim in conn.execute(query).scalars():
            found.setdefault(bytes(claim), []).append(lot)
    return found


def used_by_claim(conn: Connection, log_id: int, point: bytes, month: Month) -> dict[bytes, Int64]:
    """{claim in force: int64[count]}: what claims use of a point's month, by quarter-hour."""
    known = lots.lots_of_origin(conn, log_id, point, month.start_s)
    return used_of_lots(conn, log_id, [one.lot for one in known], month)


def used_of_lots(
    conn: Connection, log_id: int, which: Iterable[bytes], month: Month
) -> dict[bytes, Int64]:
    """{claim in force: int64[count]}: what claims use of some lots of a month, by quarter-hour."""
    found: dict[bytes, Int64] = {}
    for claim, mine in claims_of_lots(conn, log_id, which).items():
        root = find_claim(conn, log_id, claim).root
        start_s, claimed = load_claimed(conn, log_id, root)
        used_wh = np.zeros(month.count, dtype=np.int64)
        for lot in mine:
            used_wh += on_month(claimed[lot], start_s, month)
        found[claim] = used_wh
    return found


def on_month(claimed: Claimed, start_s: int, month: Month) -> Int64:
    """int64[count]: what is claimed of a lot, on the grid of its month."""
    wh = np.zeros(month.count, dtype=np.int64)
    add_on_grid(wh, month.start_s, claimed, start_s)
    return wh


def add_on_grid(to: Int64, first_s: int, claimed: Claimed, start_s: int) -> None:
    """Add what is claimed of a lot, in a claim from `start_s` on, to quarter-hours from `first_s`
    on, as far as it lies there."""
    first = position(start_s, first_s) + claimed.first
    begin, end = max(first, 0), min(first + len(claimed.wh), len(to))
    if begin < end:
        to[begin:end] += claimed.wh[begin - first : end - first]


def save_claim(conn: Connection, log_id: int, row: ClaimRow, wh_of: Mapping[bytes, int]) -> None:
    """The claim with its lots; what it replaces has ended before, and its lots are spent."""
    conn.execute(
        insert(claims).values(
            log_id=log_id,
            claim=row.claim,
            entry_index=row.entry_index,
            author=row.author,
            replaces=row.replaces or None,
            start_s=row.start_s,
            end_s=row.end_s,
            wh=row.wh,
            root=row.root,
            manifest=json.dumps(row.manifest.to_json(), ensure_ascii=False, sort_keys=True),
        )
    )
    # A claim of retirements alone has no lots.
    if wh_of:
        conn.execute(
            insert(claim_lots),
            [
                {"log_id": log_id, "claim": row.claim, "lot": lot, "wh": wh}
                for lot, wh in wh_of.items()
            ],
        )


def save_retirements(conn: Connection, log_id: int, row: ClaimRow) -> None:
    """The retirements of a claim that has just been saved."""
    wh_of = dict.fromkeys(row.manifest.retirements, 0)
    wh_of |= {one.retirement: one.wh for one in row.manifest.certificates}
    if wh_of:
        conn.execute(
            insert(claim_retirements),
            [
                {"log_id": log_id, "claim": row.claim, "retirement": retirement, "wh": wh}
                for retirement, wh in wh_of.items()
            ],
        )


def retirements_of_claim(conn: Connection, log_id: int, claim: bytes) -> list[bytes]:
    query = (
        select(claim_retirements.c.retirement)
        .where(claim_retirements.c.log_id == log_id, claim_retirements.c.claim == claim)
        .order_by(claim_retirements.c.retirement)
    )
    return [bytes(retirement) for retirement in conn.execute(query).scalars()]


def claims_of_retirements(
    conn: Connection, log_id: int, which: Collection[bytes]
) -> dict[bytes, bytes]:
    """{retirement: the claim that has it, the last of a chain of replacements}, for those that are
    in one."""
    query = (
        select(claim_retirements.c.retirement, claim_retirements.c.claim)
        .join(
            claims,
            and_(
                claims.c.log_id == claim_retirements.c.log_id,
                claims.c.claim == claim_retirements.c.claim,
            ),
        )
        .where(
            claim_retirements.c.log_id == log_id,
            claim_retirements.c.retirement.in_(sorted(which)),
        )
        .order_by(claims.c.entry_index)
    )
    return {bytes(retirement): bytes(claim) for retirement, claim in conn.execute(query)}


def end_claim(
    conn: Connection, log_id: int, claim: bytes, entry_index: int, kind: str, reason: str
) -> None:
    conn.execute(
        insert(claim_ends).values(
            log_id=log_id, claim=claim, entry_index=entry_index, kind=kind, reason=reason
        )
    )


def save_flag(conn: Connection, log_id: int, entry_index: int, claim: bytes, state: str) -> None:
    conn.execute(
        insert(claim_flags).values(log_id=log_id, entry_index=entry_index, claim=claim, state=state)
    )


def chain_of(conn: Connection, log_id: int, row: ClaimRow) -> Sequence[ClaimRow]:
    """The claim and those that it replaces, the newest first."""
    found = [row]
    while found[-1].replaces:
        found.append(find_claim(conn, log_id, found[-1].replaces))
    return found
