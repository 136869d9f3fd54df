"""Claims, and the evidence files that show them to others."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field
from sqlalchemy import Connection

from api.acting import Act, ActOf
from api.callers import CallerOf, own, router_of
from api.media import (
    HEX_16,
    Cursor,
    Id,
    Instant,
    JsonObject,
    Limit,
    Model,
    Page,
    PointName,
    Receipts,
    Words,
    after_entry,
    page_found,
)
from api.problems import documented
from api.service import Service, ServiceOf
from ledger.access.caller import Caller
from ledger.claims import official, shortfall, store
from ledger.claims import service as claims
from ledger.claims.schema import claims as claim_rows
from ledger.db import reading
from ledger.errors import NotFound
from ledger.metering import store as metering
from ledger.units import Period, parse_instant

router = router_of(prefix="/claims", tags=["claims"])
ClaimPath = Annotated[str, Path(pattern=HEX_16, description="The claim's id")]


class ClaimIn(Model):
    """All that the points hold in the period and have not claimed yet, and retirements."""

    points: Annotated[list[PointName], Field(min_length=1, max_length=1_000)]
    start: Annotated[Instant, Field(alias="from")]
    end: Annotated[Instant, Field(alias="to")]
    retirements: Annotated[list[Id], Field(max_length=1_000)] = []


class ReplacementIn(Model):
    """Why a claim is made anew, for those who are shown it."""

    reason: Annotated[Words, Field(min_length=1)]
    retirements: Annotated[list[Id], Field(max_length=1_000)] = []


class WithdrawalIn(Model):
    """Why a claim is taken back; public."""

    reason: Annotated[Words, Field(min_length=1)]


class ClaimShown(Model):
    """A claim and how it stands: in force, short, replaced or withdrawn."""

    claim: str
    entry: int
    consumer: str
    state: Literal["in force", "short", "replaced", "withdrawn"]
    replaces: str
    ended_by: int
    end_reason: str
    manifest: JsonObject


class ClaimDetail(ClaimShown):
    """With its official status: pending until a statement confirms what it rests on."""

    official: JsonObject


def _members(row: store.ClaimRow, short: dict[bytes, int]) -> JsonObject:
    return {
        "claim": row.claim.hex(),
        "entry": row.entry_index,
        "consumer": row.author,
        "state": row.ended or ("short" if row.claim in short else "in force"),
        "replaces": row.replaces.hex(),
        "ended_by": row.end_index or 0,
        "end_reason": row.end_reason,
        "manifest": row.manifest.to_json(),
    }


@router.get("", operation_id="claims_list")
def list_claims(
    service: ServiceOf, caller: CallerOf, cursor: Cursor = "", limit: Limit = 100
) -> Page[ClaimShown]:
    """Claims of your organisations."""
    mine = caller.parties("claims_list")
    with reading(service.desk.engine) as conn:
        rows = store.find_claims(
            conn,
            service.log.log_id,
            claim_rows.c.entry_index > after_entry(cursor),
            *([claim_rows.c.author.in_(sorted(mine))] if mine is not None else []),
            limit=limit + 1,
        )
        short = shortfall.short_claims(conn, service.log)
    return page_found(
        rows,
        lambda row: ClaimShown(**_members(row, short)),
        key=lambda row: row.entry_index,
        limit=limit,
    )


def find(
    conn: Connection, service: Service, caller: Caller, operation: str, claim: str
) -> store.ClaimRow:
    """A claim of the caller's. Raises NotFound."""
    absent = f"there is no claim {claim} of yours"
    try:
        row = store.find_claim(conn, service.log.log_id, bytes.fromhex(claim))
    except NotFound as error:
        raise NotFound(absent) from error
    own(caller, operation, row.author, absent)
    return row


@router.get("/{claim}", operation_id="claim_show", responses=documented(404))
def show(service: ServiceOf, caller: CallerOf, claim: ClaimPath) -> ClaimDetail:
    """A claim, with its official status."""
    with reading(service.desk.engine) as conn:
        row = find(conn, service, caller, "claim_show", claim)
        short = shortfall.short_claims(conn, service.log)
        status = official.official(conn, service.log, row).to_json()
    return ClaimDetail(**_members(row, short), official=status)


@router.post("", operation_id="claim_make", status_code=201, responses=documented(404, 409))
def make(body: ClaimIn, act: ActOf) -> Receipts:
    """Claim what points of one owner hold in a period; it is spent by that."""
    _require_own_points(act, body.points)
    period = Period(start_s=parse_instant(body.start), end_s=parse_instant(body.end))
    which = [bytes.fromhex(one) for one in body.retirements]

    return act.write(lambda desk: claims.make(desk, body.points, period, retirements=which), _made)


def _made(found: claims.ClaimReport) -> JsonObject:
    return {"claim": found.claim.hex(), "lots": found.lots, **found.manifest.to_json()}


def _require_own_points(act: Act, names: list[str]) -> None:
    with reading(act.service.desk.engine) as conn:
        known = metering.points_named(conn, act.service.log.log_id, names)
    for name in names:
        absent = f"there is no point {name!r} of yours"
        if name not in known:
            raise NotFound(absent)
        act.for_party(known[name].master.owner, absent)


@router.post(
    "/{claim}/replacement",
    operation_id="claim_replace",
    status_code=201,
    responses=documented(404, 409),
)
def replace(claim: ClaimPath, body: ReplacementIn, act: ActOf) -> Receipts:
    """Claim anew what the same lots allow now, and what the points hold since."""
    row = _own(act, claim)
    which = [bytes.fromhex(one) for one in body.retirements]
    return act.write(
        lambda desk: claims.replace(desk, row.claim, body.reason, retirements=which), _made
    )


@router.post(
    "/{claim}/withdrawal",
    operation_id="claim_withdraw",
    status_code=201,
    responses=documented(404, 409),
)
def withdraw(claim: ClaimPath, body: WithdrawalIn, act: ActOf) -> Receipts:
    """Take a claim back for good. Its lots stay spent."""
    row = _own(act, claim)
    return act.write(lambda desk: claims.withdraw(desk, row.claim, body.reason))


def _own(act: Act, claim: str) -> store.ClaimRow:
    with reading(act.service.desk.engine) as conn:
        return find(conn, act.service, act.caller, act.operation, claim)
