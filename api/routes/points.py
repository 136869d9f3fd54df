"""Metering points and their master data. What belongs to others does not exist for the caller."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Header, Request
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import Connection

from api.acting import Act, ActOf
from api.callers import CallerOf, own, router_of, visible
from api.media import (
    Cursor,
    Limit,
    Model,
    Page,
    PartyId,
    PointName,
    PointPath,
    Receipts,
    page_of,
    tagged,
)
from api.problems import Problem, documented
from api.service import ServiceOf
from ledger.db import reading
from ledger.errors import NotFound, Refused
from ledger.metering import store
from ledger.metering.points import KINDS, MEASURES, PARK_SYSTEMS, UNITS, Meter, Point
from ledger.metering.service import points_by_name, register_point
from ledger.parties.desk import Desk

router = router_of(prefix="/points", tags=["points"])
Text64 = Annotated[str, Field(max_length=64)]


class MeterIn(Model):
    """The meter at a point for a time; empty texts are not stated."""

    number: Annotated[str, Field(min_length=1, max_length=64, examples=["000123456789"])]
    from_: Annotated[str, Field(alias="from", examples=["2025-01-01T00:00:00Z"])]
    to: Text64 = ""
    multiplier: Text64 = "1"
    accuracy: Text64 = ""
    calibrated: Text64 = ""
    calibration_expires: Text64 = ""
    opening: Text64 = ""
    closing: Text64 = ""


class PointIn(Model):
    """Master data of a point; `parent` is the name of the point that it lies under."""

    name: PointName
    kind: Literal[KINDS]  # type: ignore[valid-type]  # the same words as the domain
    owner: PartyId
    unit: Literal[UNITS] = "Wh"  # type: ignore[valid-type]
    measure: Literal[MEASURES] = "additive"  # type: ignore[valid-type]
    interval_s: Annotated[int, Field(ge=0, le=366 * 86_400)] = 900
    park_system: Literal[PARK_SYSTEMS] = "energy"  # type: ignore[valid-type]
    technology: Annotated[str, Field(max_length=200, examples=["pv"])] = ""
    parent: Annotated[str, Field(max_length=64)] = ""
    region: Annotated[str, Field(pattern=r"^[0-9]{0,12}$", examples=["320500"])] = ""
    capacity: Annotated[int, Field(ge=0, lt=2**63)] = 0
    capacity_unit: Literal["", "W", "Wh"] = ""
    meters: Annotated[list[MeterIn], Field(max_length=1_000)] = []


class PointShown(Model):
    """A point as registered last. `id` names that registration; it is its ETag too."""

    point: str
    id: str
    entry: int
    name: str
    kind: str
    owner: str
    unit: str
    measure: str
    interval_s: int
    park_system: str
    technology: str
    parent: str
    region: str
    capacity: int
    capacity_unit: str
    meters: list[dict[str, str]]


def _shown(one: store.Registered) -> PointShown:
    return PointShown(
        point=one.point.hex(), id=one.id, entry=one.entry_index, **one.master.to_json()
    )


@router.get("", operation_id="points_list")
def list_points(
    service: ServiceOf, caller: CallerOf, cursor: Cursor = "", limit: Limit = 100
) -> Page[PointShown]:
    """Points of your organisations; of all for the park manager."""
    with reading(service.desk.engine) as conn:
        found = list(points_by_name(conn, service.log.log_id).values())
    mine = visible(caller, "points_list", found, lambda one: one.master.owner)
    return page_of(mine, _shown, key=lambda one: one.master.name, cursor=cursor, limit=limit)


@router.get(
    "/{name}",
    operation_id="point_show",
    response_model=PointShown,
    responses=documented(404),
)
def show(request: Request, service: ServiceOf, caller: CallerOf, name: PointPath) -> Response:
    """A point, with the ETag that replacing it takes."""
    absent = f"there is no point {name!r} of yours"
    with reading(service.desk.engine) as conn:
        found = store.points_named(conn, service.log.log_id, {name}).get(name)
    if found is None:
        raise NotFound(absent)
    own(caller, "point_show", found.master.owner, absent)
    return tagged(request, _shown(found).model_dump(), found.id)


@router.post("", operation_id="point_register", status_code=201, responses=documented(404, 409))
def register(body: PointIn, act: ActOf) -> Receipts:
    """Register a new point."""
    return _register(body, act, current="")


@router.put(
    "/{name}",
    operation_id="point_replace",
    status_code=201,
    responses=documented(404, 409, 412, 428),
)
def replace(
    name: PointPath,
    body: PointIn,
    act: ActOf,
    if_match: Annotated[str, Header(alias="If-Match", max_length=100)] = "",
) -> Receipts:
    """Replace the master data of a point; `If-Match` is the ETag that it was read with."""
    if name != body.name:
        raise Problem(422, f"the path names {name!r}, the body {body.name!r}: a name stays")
    if not if_match:
        raise Problem(428, "say what is replaced: If-Match with the ETag of GET")
    return _register(body, act, current=if_match.strip('"'))


def _register(body: PointIn, act: Act, *, current: str) -> Receipts:
    act.for_party(body.owner)
    with reading(act.service.desk.engine) as conn:
        parent = _parent(conn, act, body.parent)
    members = body.model_dump(exclude={"meters", "parent"})
    meters = tuple(Meter(**one.model_dump()) for one in body.meters)
    master = Point(**members, parent=parent, meters=meters)

    def do(desk: Desk) -> object:
        with reading(desk.engine) as conn:
            known = store.points_named(conn, desk.log.log_id, {body.name}).get(body.name)
        _check_current(act, body.name, known, current)
        # By name, and signed by the operator: only what was looked at is replaced.
        return register_point(desk, master, current=known.id if known else "")

    return act.write(do)


def _check_current(act: Act, name: str, known: store.Registered | None, current: str) -> None:
    """What is registered is what the caller takes for it: nothing, or what its ETag says."""
    if not current:
        if known is not None:
            raise Refused(f"point {name!r} is registered; replace it with PUT")
        return
    absent = f"there is no point {name!r} of yours"
    if known is None:
        raise NotFound(absent)
    act.for_party(known.master.owner, absent)
    if known.id != current:
        raise Problem(412, "the point was replaced since you read it; read it again")


def _parent(conn: Connection, act: Act, name: str) -> str:
    if not name:
        return ""
    found = store.points_named(conn, act.service.log.log_id, {name}).get(name)
    if found is None or not act.caller.may_for("points_list", found.master.owner):
        raise NotFound(f"parent: there is no point {name!r} of yours")
    return found.point.hex()
