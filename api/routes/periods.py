"""Reporting periods: open → provisional → submitted → approved → closed; late data restates."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field

from api.acting import ActOf
from api.callers import CallerOf, own, router_of, visible
from api.media import Cursor, JsonObject, Limit, Model, Page, Receipts, Words, page_of
from api.problems import documented
from api.routes.parties import PartyPath
from api.service import ServiceOf
from ledger.db import reading
from ledger.parties.desk import Desk
from ledger.periods import service, store
from ledger.periods.model import STEPS, Standing

router = router_of(prefix="/periods", tags=["periods"])
Name = Annotated[str, Path(pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2]))?$", examples=["2026-03"])]


class PeriodShown(Model):
    """Where a period is. `entry`: its last step; -1 where nothing was said of it."""

    party: str
    period: str
    state: Literal["open", "provisional", "submitted", "approved", "closed"]
    revision: int
    entry: int


class PeriodDetail(PeriodShown):
    """With how it got there, what it lacks, and what keeps it from being closed."""

    steps: list[JsonObject]
    report: JsonObject
    blocking: list[str]


class StepIn(Model):
    """The state to go to; `reason` where it goes back."""

    state: Literal["provisional", "submitted", "approved", "closed"]
    reason: Words = ""


class RestatementIn(Model):
    """Why a closed period is opened again, at the next revision."""

    reason: Annotated[Words, Field(min_length=1)]


def _members(now: Standing) -> JsonObject:
    return {
        "party": now.party,
        "period": now.period,
        "state": now.state,
        "revision": now.revision,
        "entry": now.entry_index,
    }


@router.get("", operation_id="periods_list")
def list_periods(
    service_: ServiceOf, caller: CallerOf, cursor: Cursor = "", limit: Limit = 100
) -> Page[PeriodShown]:
    """Periods of your organisations of which anything was said."""
    with reading(service_.desk.engine) as conn:
        found = store.all_periods(conn, service_.log.log_id)
    return page_of(
        visible(caller, "periods_list", found, lambda now: now.party),
        lambda now: PeriodShown(**_members(now)),
        key=lambda now: f"{now.party} {now.period}",
        cursor=cursor,
        limit=limit,
    )


@router.get("/{party}/{period}", operation_id="period_show", responses=documented(404))
def show(service_: ServiceOf, caller: CallerOf, party: PartyPath, period: Name) -> PeriodDetail:
    """Where a period is, and all that its closing would list."""
    own(caller, "period_show", party, f"there is no party {party!r} that you act for")
    with reading(service_.desk.engine) as conn:
        found = service.look(conn, service_.log, party, period)
    return PeriodDetail(
        **_members(found.standing),
        steps=[
            {
                "entry": step.standing.entry_index,
                "state": step.standing.state,
                "revision": step.standing.revision,
                "four_eyes": step.four_eyes,
                "report": step.report,
                "reason": step.reason,
            }
            for step in found.steps
        ],
        report=found.report.to_json(),
        blocking=found.report.blocking,
    )


@router.post(
    "/{party}/{period}/steps",
    operation_id="period_advance",
    status_code=201,
    responses=documented(404, 409),
)
def advance(party: PartyPath, period: Name, body: StepIn, act: ActOf) -> Receipts:
    """Make a step. The park manager may approve and send back what was submitted."""
    act.for_party(party)
    with reading(act.service.desk.engine) as conn:
        now = store.standing(conn, act.service.log, party, period)
    by_operator = (
        STEPS.get((now.state, body.state), False)
        and act.caller.operator in act.caller.roles
        and party not in act.caller.roles
    )
    author = act.service.log.operator if by_operator else ""

    def do(desk: Desk) -> object:
        return service.advance(desk, party, period, body.state, reason=body.reason, author=author)

    return act.write(do)


@router.post(
    "/{party}/{period}/restatement",
    operation_id="period_restate",
    status_code=201,
    responses=documented(404, 409),
)
def restate(party: PartyPath, period: Name, body: RestatementIn, act: ActOf) -> Receipts:
    """Open the next revision of a closed period; the closing before stays in the log."""
    act.for_party(party)
    return act.write(lambda desk: service.restate(desk, party, period, body.reason))
