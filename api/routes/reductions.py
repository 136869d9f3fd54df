"""Captured CO2 and settled green trades: recorded by the park, verified by another party."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field

from api.acting import ActOf
from api.callers import CallerOf, router_of
from api.media import (
    HEX_16,
    MONTH,
    PARTY,
    Cursor,
    Instant,
    JsonObject,
    Limit,
    Model,
    Page,
    PartyId,
    PointName,
    Receipts,
    Words,
    page_of,
)
from api.problems import documented
from api.routes.units import Code, HexHash
from api.service import ServiceOf
from ledger.certificates import settlement
from ledger.credits import service as credits_
from ledger.credits import store
from ledger.credits.ccus import ROLES
from ledger.credits.record import AT_SOURCE, CREDITED
from ledger.credits.store import ProjectKey
from ledger.db import reading
from ledger.lots.model import parse_month
from ledger.registry import catalogue
from ledger.units import Period, parse_instant

router = router_of(tags=["reductions"])
RecordPath = Annotated[str, Path(pattern=HEX_16, description="The record's id")]
Role = Literal[ROLES]  # type: ignore[valid-type]  # the domain's words
Grams = Annotated[int, Field(ge=0, lt=2**62)]
WattHours = Annotated[int, Field(ge=0, lt=2**62)]
Scheme = Annotated[str, Field(pattern=PARTY)]


class RecordIn(Model):
    """A monitoring period of captured CO2: each flow is metered by points, or stated in g.

    What neither names is nothing only where `others_none` says so. The mass balance has to close
    within `tolerance_g`.
    """

    scheme: Scheme = "internal"
    project: Code
    start: Annotated[Instant, Field(alias="from")]
    end: Annotated[Instant, Field(alias="to")]
    points: Annotated[dict[Role, list[PointName]], Field(max_length=20)] = {}
    mass_g: Annotated[dict[Role, Grams], Field(max_length=20)] = {}
    others_none: bool = False
    tolerance_g: Grams = 0
    biogenic_ppm: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    treatment: Literal[CREDITED, AT_SOURCE] = CREDITED  # type: ignore[valid-type]


class VerificationIn(Model):
    """What another party found; `document`: SHA-256 of its report."""

    verifier: PartyId
    finding: Annotated[Words, Field(min_length=1)]
    confirmed: bool = True
    document: HexHash = ""


class ReversalIn(Model):
    """Stored CO2 that escaped, and when."""

    scheme: Scheme = "internal"
    project: Code
    mass_g: Annotated[int, Field(ge=1, lt=2**62)]
    at: Instant
    reason: Annotated[Words, Field(min_length=1)]


class SettlementIn(Model):
    """A month of a green trade, as settled; `contract` is its name. The least of three counts."""

    contract: PointName
    month: Annotated[str, Field(pattern=MONTH, examples=["2026-01"])]
    buyer: PartyId
    contract_wh: WattHours
    generation_wh: WattHours
    consumption_wh: WattHours
    scheme: Scheme = "gec"
    document: HexHash = ""


class RecordShown(Model):
    """A record, and how it stands."""

    record: str
    entry: int
    scheme: str
    project: str
    state: str
    verifier: str
    content: JsonObject
    verification: JsonObject | None


@router.get("/credits/records", operation_id="credits_record_list")
def list_records(
    service: ServiceOf, caller: CallerOf, cursor: Cursor = "", limit: Limit = 100
) -> Page[RecordShown]:
    """Records of your organisations' projects, and those that they verified."""
    mine = caller.parties("credits_record_list")
    with reading(service.desk.engine) as conn:
        owners = {
            (one.scheme, one.project): one.master.owner
            for one in catalogue.current_projects(conn, service.log.log_id).values()
        }
        rows = store.find_records(conn, service.log.log_id)

    def concerns(row: store.RecordRow) -> bool:
        parties = {owners[row.key.scheme, row.key.project], row.author, row.verifier}
        return mine is None or not parties.isdisjoint(mine)

    return page_of(
        [row for row in rows if concerns(row)],
        lambda row: RecordShown(
            record=row.record.hex(),
            entry=row.entry_index,
            scheme=row.key.scheme,
            project=row.key.project,
            state=row.state,
            verifier=row.verifier,
            content=row.content.to_json(),
            verification=row.verification.to_json() if row.verification else None,
        ),
        key=lambda row: row.entry_index,
        cursor=cursor,
        limit=limit,
    )


@router.post(
    "/credits/records",
    operation_id="credits_record",
    status_code=201,
    responses=documented(404, 409),
)
def record(body: RecordIn, act: ActOf) -> Receipts:
    """Record a monitoring period; metered flows are summed from the readings in force."""
    act.for_party(act.service.log.operator)
    named = {*body.points, *body.mass_g}
    nothing = {role: 0 for role in ROLES if body.others_none and role not in named}
    found = credits_.Monitored(
        key=ProjectKey(scheme=body.scheme, project=body.project),
        period=Period(start_s=parse_instant(body.start), end_s=parse_instant(body.end)),
        points=body.points,
        mass_g=body.mass_g | nothing,
        tolerance_g=body.tolerance_g,
        biogenic_ppm=body.biogenic_ppm,
        treatment=body.treatment,
    )
    return act.write(
        lambda desk: credits_.record_reduction(desk, found),
        lambda made: {"record": made.record.hex(), **made.content.to_json()},
    )


@router.post(
    "/credits/records/{record}/verification",
    operation_id="credits_verify",
    status_code=201,
    responses=documented(404, 409),
)
def verify(record: RecordPath, body: VerificationIn, act: ActOf) -> Receipts:
    """Confirm or reject a record, as a verifier; what it is credited with follows."""
    act.for_party(body.verifier)
    return act.write(
        lambda desk: credits_.verify_reduction(
            desk,
            bytes.fromhex(record),
            body.verifier,
            body.finding,
            confirmed=body.confirmed,
            document=body.document,
        )
    )


@router.post(
    "/credits/records/{record}/issue",
    operation_id="credits_issue_record",
    status_code=201,
    responses=documented(404, 409),
)
def issue_record(record: RecordPath, act: ActOf) -> Receipts:
    """Issue the units of a confirmed record to its project's owner."""
    act.for_party(act.service.log.operator)
    return act.write(lambda desk: credits_.issue_record(desk, bytes.fromhex(record)))


@router.post(
    "/credits/reversals",
    operation_id="credits_reverse",
    status_code=201,
    responses=documented(404, 409),
)
def reverse(body: ReversalIn, act: ActOf) -> Receipts:
    """Write down that stored CO2 escaped: the buffer meets it first, later records the rest."""
    act.for_party(act.service.log.operator)
    key = ProjectKey(scheme=body.scheme, project=body.project)
    at_s = parse_instant(body.at)
    return act.write(lambda desk: credits_.reverse(desk, key, body.mass_g, at_s, body.reason))


@router.post(
    "/certificates/settlements",
    operation_id="certificates_settle",
    status_code=201,
    responses=documented(404, 409),
)
def settle(body: SettlementIn, act: ActOf) -> Receipts:
    """Settle a month of a green trade: the certificates move with the power, to its buyer."""
    act.for_party(act.service.log.operator)
    found = settlement.Settlement(
        contract=body.contract,
        month=parse_month(body.month, act.service.log.zone_s),
        buyer=body.buyer,
        contract_wh=body.contract_wh,
        generation_wh=body.generation_wh,
        consumption_wh=body.consumption_wh,
        document=body.document,
    )
    return act.write(
        lambda desk: settlement.settle(desk, found, body.scheme),
        lambda _receipt: {"settled_wh": found.settled_wh},
    )
