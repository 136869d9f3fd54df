"""Reports: computed from the log as of a size, and published as entries that recompute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import Field

from api.acting import ActOf
from api.callers import CallerOf, own, router_of, visible
from api.media import (
    HEX_16,
    PARTY,
    Cursor,
    Id,
    JsonObject,
    Limit,
    Model,
    Page,
    PartyId,
    Receipts,
    page_of,
)
from api.problems import documented
from api.service import Service, ServiceOf
from ledger.access.caller import Caller
from ledger.db import reading
from ledger.errors import NotFound
from ledger.house import COMPUTES
from ledger.records import store as records
from ledger.reports import service, store
from ledger.reports.entries import subjects_of
from ledger.reports.store import Version

router = router_of(prefix="/reports", tags=["reports"])
Kind = Literal["inventory", "balance", "scorecard", "footprint", "disclosure"]
Report = Annotated[str, Path(pattern=HEX_16, description="A report's id, of all its versions")]
_SIZE_MAX = 2**53


class ReportShown(Model):
    """A version of a report: its `kind`, whose it is, the log size that it knows."""

    report: str
    version: int
    kind: Kind
    author: str
    entry: int
    as_of: int


class ReportDetail(ReportShown):
    """With what was asked, what came out, and what changed since the version before."""

    about: JsonObject
    result: JsonObject
    changes: JsonObject


class ReportDrafted(Model):
    """What a report would say; nothing of it is in the log."""

    kind: Kind
    as_of: int
    about: JsonObject
    result: JsonObject
    changes: JsonObject


class ReportIn(Model):
    """What is asked. `as_of`: a log size; 0 is the present one. `report`: the one that this is a
    new version of. `author`: the party that publishes, where you act for more than one."""

    kind: Kind
    about: JsonObject
    as_of: Annotated[int, Field(ge=0, lt=_SIZE_MAX)] = 0
    report: Id | Literal[""] = ""
    author: PartyId | Literal[""] = ""


def _members(one: Version) -> JsonObject:
    return {
        "report": one.report,
        "version": one.number,
        "kind": one.kind,
        "author": one.author,
        "entry": one.entry_index,
        "as_of": one.as_of,
    }


@router.get("", operation_id="reports_list")
def list_reports(
    service_: ServiceOf,
    caller: CallerOf,
    kind: Annotated[Kind | Literal[""], Query()] = "",
    author: Annotated[str, Query(pattern=rf"{PARTY}|^$")] = "",
    cursor: Cursor = "",
    limit: Limit = 100,
) -> Page[ReportShown]:
    """The version in force of each report of your organisations."""
    with reading(service_.desk.engine) as conn:
        found = store.list_reports(
            conn, service_.log.log_id, kind=kind or None, author=author or None
        )
    return page_of(
        visible(caller, "reports_list", found, lambda one: one.author),
        lambda one: ReportShown(**_members(one)),
        key=lambda one: one.entry_index,
        cursor=cursor,
        limit=limit,
    )


@router.get("/{report}", operation_id="report_show", responses=documented(404))
def show(
    service_: ServiceOf,
    caller: CallerOf,
    report: Report,
    version: Annotated[int | None, Query(ge=0, lt=_SIZE_MAX)] = None,
) -> ReportDetail:
    """A report as published: the version in force, or an earlier one."""
    with reading(service_.desk.engine) as conn:
        found = store.find_report(conn, service_.log.log_id, report, number=version)
        own(caller, "report_show", found.author, f"there is no report {report} of yours")
        said = store.load(conn, service_.log, found)
    parts = {name: said[name] for name in ("about", "result", "changes")}
    return ReportDetail(**_members(found), **parts)


@router.post("/draft", operation_id="report_draft", responses=documented(404, 409))
def draft(service_: ServiceOf, caller: CallerOf, body: ReportIn) -> ReportDrafted:
    """Compute a report, and publish nothing."""
    _require_own(service_, caller, "report_draft", body)
    with reading(service_.desk.engine, long=True) as conn:
        found = service.draft(
            conn,
            service_.log,
            COMPUTES,
            body.kind,
            body.about,
            as_of=body.as_of or None,
            report=body.report,
        )
    return ReportDrafted(**found)


@router.post("", operation_id="report_publish", status_code=201, responses=documented(404, 409))
def publish(body: ReportIn, act: ActOf) -> Receipts:
    """Compute a report and publish it, or a new version of it: the log computes it once more."""
    author = act.own_party(body.author)
    _require_own(act.service, act.caller, act.operation, body)
    return act.write(
        lambda desk: service.publish(
            desk,
            COMPUTES,
            body.kind,
            body.about,
            author=author,
            as_of=body.as_of or None,
            report=body.report,
        )
    )


def _require_own(service_: Service, caller: Caller, operation: str, body: ReportIn) -> None:
    """Raises NotFound where a report would tell of another organisation, or replace its report."""
    with reading(service_.desk.engine) as conn:
        log_id, operator = service_.log.log_id, service_.log.operator
        whose = _whose(conn, log_id, body.about, operator)
        if body.report:
            whose.add(store.find_report(conn, log_id, body.report).author)
    for party in sorted(whose):
        own(caller, operation, party, "a report tells of organisations that you act for")


def _whose(conn: Any, log_id: int, about: Mapping[str, Any], operator: str) -> set[str]:
    """Whom it asks for by name, or by product, and so what it would draft on the way; the park's
    is the operator's."""
    found = subjects_of(about)
    name = about.get("product")
    if isinstance(name, str) and name:
        known = records.history(conn, log_id, "product", name)
        if not known:
            raise NotFound(f"there is no product {name[:64]!r} of yours")
        found.add(known[0].author)
    found = found or {operator}
    for one in about.get("drafts") or ():
        if isinstance(one, dict) and isinstance(one.get("about"), dict):
            found |= _whose(conn, log_id, one["about"], operator)
    return found
