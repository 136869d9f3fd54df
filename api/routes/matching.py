"""Contracts, matching runs, and the lots that they end in."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field

from api.acting import Act, ActOf
from api.callers import CallerOf, router_of
from api.media import (
    HEX_16,
    Cursor,
    Instant,
    JsonObject,
    Limit,
    Model,
    Page,
    PartyId,
    PointName,
    Receipts,
    after_entry,
    after_id,
    page_found,
    page_of,
)
from api.problems import documented
from api.service import ServiceOf
from ledger.claims.life import lot_life
from ledger.db import reading
from ledger.errors import NotFound
from ledger.lots import store as lots
from ledger.matching import contracts, runs
from ledger.matching.model import POLICIES
from ledger.matching.service import Agreement, register_contract
from ledger.metering import store as metering
from ledger.units import Period, format_instant, parse_instant

router = router_of(tags=["matching"])
CONTRACT_KINDS = tuple(contracts.KINDS)
_INT64 = 2**63


class ConsumerShare(Model):
    """A consumption point; `share_ppm` 0 is by demand."""

    point: PointName
    share_ppm: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class ContractIn(Model):
    """Who supplies whom, from when to when; points by name. `limit_wh` 0 is none."""

    name: PointName
    kind: Literal[CONTRACT_KINDS]  # type: ignore[valid-type]  # the domain's words
    seller: PartyId
    sources: Annotated[list[PointName], Field(min_length=1, max_length=1_000)]
    consumers: Annotated[list[ConsumerShare], Field(min_length=1, max_length=1_000)]
    start: Annotated[Instant, Field(alias="from")]
    end: Annotated[Instant, Field(alias="to")]
    region: Annotated[str, Field(pattern=r"^[0-9]{0,12}$")] = ""
    limit_wh: Annotated[int, Field(ge=0, lt=_INT64)] = 0


class ContractShown(Model):
    """A contract in force; points by id."""

    contract: str
    id: str
    entry: int
    terms: JsonObject


@router.get("/contracts", operation_id="contracts_list")
def list_contracts(
    service: ServiceOf, caller: CallerOf, cursor: Cursor = "", limit: Limit = 100
) -> Page[ContractShown]:
    """Contracts that one of your organisations sells or buys by."""
    with reading(service.desk.engine) as conn:
        found = list(contracts.current_contracts(conn, service.log.log_id).values())
        owners = {
            point.hex(): one.master.owner
            for point, one in metering.current_points(conn, service.log.log_id).items()
        }
    mine = caller.parties("contracts_list")

    def concerns(one: contracts.Registered) -> bool:
        parties = {one.terms.seller, *(owners[share.point] for share in one.terms.consumers)}
        return mine is None or not parties.isdisjoint(mine)

    return page_of(
        [one for one in found if concerns(one)],
        lambda one: ContractShown(
            contract=one.contract.hex(),
            id=one.id,
            entry=one.entry_index,
            terms=one.terms.to_json(),
        ),
        key=lambda one: one.terms.name,
        cursor=cursor,
        limit=limit,
    )


@router.post(
    "/contracts",
    operation_id="contract_register",
    status_code=201,
    responses=documented(404, 409),
)
def register(body: ContractIn, act: ActOf) -> Receipts:
    """Register a contract for its seller, or replace the one with that name.

    The operator signs it.
    """
    act.for_party(body.seller)
    _require_points(body, act)
    agreement = Agreement(
        name=body.name,
        kind=body.kind,
        seller=body.seller,
        sources=body.sources,
        consumers={share.point: share.share_ppm for share in body.consumers},
        period=Period(start_s=parse_instant(body.start), end_s=parse_instant(body.end)),
        region=body.region,
        limit_wh=body.limit_wh,
    )

    def mine(seller: str) -> bool:
        return act.caller.may_for(act.operation, seller)

    return act.write(lambda desk: register_contract(desk, agreement, may_replace=mine))


def _require_points(body: ContractIn, act: Act) -> None:
    """Sources are the seller's; of others' points, nothing is said but that they consume."""
    consumers = [share.point for share in body.consumers]
    with reading(act.service.desk.engine) as conn:
        known = metering.points_named(conn, act.service.log.log_id, {*body.sources, *consumers})
    for name in body.sources:
        absent = f"there is no point {name!r} of yours"
        if name not in known:
            raise NotFound(absent)
        act.for_party(known[name].master.owner, absent)
    for name in consumers:
        master = known[name].master if name in known else None
        if master is None or not (
            act.caller.may_for(act.operation, master.owner)
            or (master.kind == "consumption" and master.unit == "Wh")
        ):
            raise NotFound(f"there is no consumption point {name!r}")


@router.get("/policies", operation_id="policies")
def policies() -> list[str]:
    """Policies that a run may be made by."""
    return list(POLICIES)


class RunShown(Model):
    """A matching run in the log."""

    run: int
    policy: str
    start: str
    end: str
    as_of: int


@router.get("/runs", operation_id="runs_list")
def list_runs(service: ServiceOf, cursor: Cursor = "", limit: Limit = 100) -> Page[RunShown]:
    """Runs in the log; what they allotted to others is not shown."""
    with reading(service.desk.engine) as conn:
        found = runs.list_runs(conn, service.log.log_id, after=after_entry(cursor), limit=limit + 1)
    return page_found(
        found,
        lambda one: RunShown(
            run=one.entry_index,
            policy=one.policy,
            start=format_instant(one.start_s),
            end=format_instant(one.end_s),
            as_of=one.as_of,
        ),
        key=lambda one: int(one.entry_index),
        limit=limit,
    )


class Lane(Model):
    """What a run allotted from one source to one consumer."""

    source: str
    consumer: str
    supply_class: int
    contract: str
    wh: int


class RunDetail(Model):
    """A run's lanes that concern your points; its totals only for the park manager."""

    run: int
    lanes: list[Lane]
    manifest: JsonObject


@router.get("/runs/{run}", operation_id="run_show", responses=documented(404))
def show_run(
    service: ServiceOf, caller: CallerOf, run: Annotated[int, Path(ge=0, lt=_INT64)]
) -> RunDetail:
    """What a run allotted to your points and from them."""
    mine = caller.parties("run_show")
    with reading(service.desk.engine) as conn:
        lanes = runs.load_lanes(conn, service.log, run)
        points = metering.current_points(conn, service.log.log_id)
        manifest = runs.load_manifest(conn, service.log, run) if mine is None else {}
    names = {point: one.master for point, one in points.items()}
    return RunDetail(
        run=run,
        lanes=[
            Lane(
                source=names[lane.source].name,
                consumer=names[lane.consumer].name,
                supply_class=int(lane.supply_class),
                contract=lane.contract.hex(),
                wh=int(lane.wh.sum()),
            )
            for lane in lanes
            if mine is None
            or not {names[p].owner for p in (lane.source, lane.consumer)}.isdisjoint(mine)
        ],
        manifest=manifest,
    )


class LotShown(Model):
    """A lot: whose it is, of what month, and whether it is spent (entry; 0 while it is not)."""

    lot: str
    point: str
    holder: str
    supply_class: int
    month: str
    wh: int
    entry: int
    spent: int


@router.get("/lots", operation_id="lots_list")
def list_lots(
    service: ServiceOf, caller: CallerOf, cursor: Cursor = "", limit: Limit = 100
) -> Page[LotShown]:
    """Lots that your organisations hold, or that came from their points; in the order of ids."""
    mine = caller.parties("lots_list")
    with reading(service.desk.engine) as conn:
        points = metering.current_points(conn, service.log.log_id)
        which = [point for point, one in points.items() if mine is None or one.master.owner in mine]
        rows = lots.lots_after(
            conn,
            service.log.log_id,
            after_id(cursor),
            None if mine is None else which,
            limit + 1,
        )
        spent = lots.spent(conn, service.log.log_id, [row.lot for row in rows])
    names = {point: one.master.name for point, one in points.items()}
    return page_found(
        rows,
        lambda row: LotShown(
            lot=row.lot.hex(),
            point=names[row.point],
            holder=names.get(row.holder, ""),
            supply_class=row.supply_class,
            month=format_instant(row.month_start_s),
            wh=row.wh,
            entry=row.entry_index,
            spent=spent.get(row.lot, 0),
        ),
        key=lambda row: row.lot.hex(),
        limit=limit,
    )


@router.get("/lots/{lot}", operation_id="lot_trace", responses=documented(404))
def trace_lot(
    service: ServiceOf, caller: CallerOf, lot: Annotated[str, Path(pattern=HEX_16)]
) -> JsonObject:
    """A lot's life: readings (of your points), run, division, what wraps it, what spent it."""
    absent = f"there is no lot {lot} of yours"
    with reading(service.desk.engine) as conn:
        row = lots.lots_by_id(conn, service.log.log_id, [bytes.fromhex(lot)]).get(
            bytes.fromhex(lot)
        )
        if row is None:
            raise NotFound(absent)
        points = metering.current_points(conn, service.log.log_id, only=[row.point, row.holder])
        owners = [points[each].master.owner for each in (row.point, row.holder) if each in points]
        if not any(caller.may_for("lot_trace", owner) for owner in owners):
            raise NotFound(absent)
        found = lot_life(conn, service.log, row.lot).to_json()
    # A consumer's lot comes of a plant whose month as a whole is the plant's own.
    if not caller.may_for("lot_trace", points[row.point].master.owner):
        found["readings"] = []
    return found
