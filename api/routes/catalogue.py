"""Schemes, projects, and what official statements say beside what is held here."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field

from api.acting import ActOf
from api.callers import CallerOf, router_of, visible
from api.media import (
    INSTANT,
    PARTY,
    Cursor,
    JsonObject,
    Limit,
    Model,
    Page,
    PartyId,
    PointName,
    Receipts,
    page_of,
)
from api.problems import documented
from api.service import ServiceOf
from ledger.db import reading
from ledger.errors import InvalidInput, NotFound
from ledger.metering import store as metering
from ledger.registry import catalogue
from ledger.registry import service as registry
from ledger.registry.project import REGISTERED, STATES, Project
from ledger.registry.scheme import parse_toml
from ledger.registry.service import ensure_scheme, register_project
from ledger.statements import service as statements
from ledger.statements import store as statement_rows
from ledger.units import Period, parse_instant

router = router_of(tags=["registry"])
_INT64 = 2**63


class SchemeShown(Model):
    """The rules of a scheme, with their source and how sure it is."""

    scheme: str
    entry: int
    rules: JsonObject


@router.get("/schemes", operation_id="schemes_list")
def list_schemes(service: ServiceOf, cursor: Cursor = "", limit: Limit = 100) -> Page[SchemeShown]:
    """Schemes in force."""
    with reading(service.desk.engine) as conn:
        found = list(catalogue.current_schemes(conn, service.log.log_id).values())
    return page_of(
        found,
        lambda one: SchemeShown(
            scheme=one.rules.scheme, entry=one.entry_index, rules=one.rules.to_json()
        ),
        key=lambda one: one.rules.scheme,
        cursor=cursor,
        limit=limit,
    )


class SchemeIn(Model):
    """Rules as TOML: a file of your own, or empty for those that come with the program."""

    scheme: Annotated[str, Field(pattern=PARTY, examples=["gec"])]
    rules: Annotated[str, Field(max_length=100_000)] = ""


@router.post(
    "/schemes", operation_id="scheme_register", status_code=201, responses=documented(404, 409)
)
def register_scheme(body: SchemeIn, act: ActOf) -> Receipts:
    """Register the rules of a scheme, or replace them: they count from their entry on."""
    if not body.rules:
        return act.write(lambda desk: ensure_scheme(desk, body.scheme))
    rules = parse_toml(body.scheme, body.rules, "rules")
    return act.write(lambda desk: registry.register_scheme(desk, rules))


class ProjectIn(Model):
    """A project under a scheme; points by name."""

    scheme: Annotated[str, Field(pattern=PARTY)]
    project: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    owner: PartyId
    plant: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    technology: Annotated[str, Field(max_length=64, examples=["pv"])]
    points: Annotated[list[PointName], Field(max_length=1_000)] = []
    state: Literal[STATES] = REGISTERED  # type: ignore[valid-type]  # the domain's words
    crediting_from: Annotated[str, Field(pattern=rf"{INSTANT}|^$")] = ""
    crediting_to: Annotated[str, Field(pattern=rf"{INSTANT}|^$")] = ""
    inside_ets: bool = False
    old: bool = False


class ProjectShown(Model):
    """A project as registered last; points by id."""

    scheme: str
    project: str
    entry: int
    master: JsonObject


@router.get("/projects", operation_id="projects_list")
def list_projects(
    service: ServiceOf, caller: CallerOf, cursor: Cursor = "", limit: Limit = 100
) -> Page[ProjectShown]:
    """Projects of your organisations."""
    with reading(service.desk.engine) as conn:
        found = list(catalogue.current_projects(conn, service.log.log_id).values())
    return page_of(
        visible(caller, "projects_list", found, lambda one: one.master.owner),
        lambda one: ProjectShown(
            scheme=one.scheme,
            project=one.project,
            entry=one.entry_index,
            master=one.master.to_json(),
        ),
        key=lambda one: f"{one.scheme}/{one.project}",
        cursor=cursor,
        limit=limit,
    )


@router.post(
    "/projects", operation_id="project_register", status_code=201, responses=documented(404, 409)
)
def register(body: ProjectIn, act: ActOf) -> Receipts:
    """Register a project, or its new state; what it bars or freezes follows from its scheme."""
    act.for_party(act.service.log.operator)
    if bool(body.crediting_from) != bool(body.crediting_to):
        raise InvalidInput("a crediting period has both crediting_from and crediting_to")
    with reading(act.service.desk.engine) as conn:
        points = metering.points_named(conn, act.service.log.log_id, body.points)
    for name in body.points:
        if name not in points:
            raise NotFound(f"there is no point {name!r}")
    crediting = None
    if body.crediting_from:
        crediting = Period(
            start_s=parse_instant(body.crediting_from), end_s=parse_instant(body.crediting_to)
        )
    master = Project(
        name=body.name,
        owner=body.owner,
        plant=body.plant,
        technology=body.technology,
        points=tuple(sorted(one.point for one in points.values())),
        state=body.state,
        crediting=crediting,
        inside_ets=body.inside_ets,
        old=body.old,
    )
    return act.write(lambda desk: register_project(desk, body.scheme, body.project, master))


class StatementShown(Model):
    """An imported statement: what it says, as of when."""

    entry: int
    said: JsonObject


@router.get("/statements", operation_id="statements_list")
def list_statements(
    service: ServiceOf, cursor: Cursor = "", limit: Limit = 100
) -> Page[StatementShown]:
    """Statements of official registries that were taken in."""
    with reading(service.desk.engine) as conn:
        found = statement_rows.all_statements(conn, service.log.log_id)
    return page_of(
        found,
        lambda one: StatementShown(entry=one.entry_index, said=one.to_json()),
        key=lambda one: one.entry_index,
        cursor=cursor,
        limit=limit,
    )


@router.get(
    "/statements/{entry}/reconciliation",
    operation_id="reconciliation_show",
    responses=documented(404),
)
def reconcile(service: ServiceOf, entry: Annotated[int, Path(ge=0, lt=_INT64)]) -> JsonObject:
    """A statement beside what is held here: agreements, differences, and what blocks closing."""
    with reading(service.desk.engine) as conn:
        return statements.reconcile(conn, service.log, entry).to_json()
