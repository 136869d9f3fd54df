"""Four eyes: officers, the rule, and drafts that one prepared and another decides.

Where an organisation acts with four eyes, a request for an act that can't be undone is answered 202
with a draft; its approval writes what was asked for.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import Connection

from api.acting import Act, ActOf
from api.callers import CallerOf, own, router_of, visible
from api.media import (
    HEX_16,
    Cursor,
    Id,
    JsonObject,
    Limit,
    Model,
    Page,
    PartyId,
    Receipts,
    Words,
    page_of,
)
from api.problems import Problem, documented
from api.routes.parties import PartyPath
from api.service import Service, ServiceOf
from ledger.access import service as access
from ledger.access.caller import Caller
from ledger.approvals import officers, service, store
from ledger.approvals.store import Known, Person
from ledger.db import reading
from ledger.errors import NotFound
from ledger.parties.desk import Desk
from ledger.parties.officer_store import Officer, approval_of, find_officers

router = router_of(tags=["four eyes"])
DraftPath = Annotated[str, Path(pattern=HEX_16, description="The draft's id")]
OfficerPath = Annotated[str, Path(pattern=HEX_16, description="The officer's random id")]


class OfficerShown(Model):
    """Somebody who prepares or approves. The log has the id alone; `account` is the service's."""

    officer: str
    party: str
    vkey: str
    custody: str
    entry: int
    ended: int
    account: str
    label: str


class OfficerIn(Model):
    """An account that is to act as an officer of a party; the server makes and holds its key."""

    party: PartyId
    account: Id
    label: Annotated[str, Field(max_length=200)] = ""


class ReasonIn(Model):
    """Why."""

    reason: Annotated[Words, Field(min_length=1)]


class RuleIn(ReasonIn):
    """`four-eyes`: two officers sign what can't be undone; `none`: the party alone."""

    rule: Literal["four-eyes", "none"]


class DraftShown(Model):
    """An act that one officer prepared, and what became of it. Times are Unix seconds; 0: not."""

    draft: str
    party: str
    kind: str
    state: Literal["prepared", "approved", "rejected", "stale", "expired"]
    summary: JsonObject
    prepared_by: str
    prepared_at_s: int
    expires_at_s: int
    decided_by: str
    decided_at_s: int
    reason: str
    entry: int


class DraftDetail(DraftShown):
    """With what is signed: each entry and its bodies. `texts`: what an own key signs, in order."""

    contents: list[JsonObject]
    texts: list[str]


class ApprovalIn(Model):
    """Empty, or signature lines over `texts`, made by an officer who holds the key."""

    signatures: Annotated[list[Annotated[str, Field(max_length=400)]], Field(max_length=1_000)] = []


def _officer(one: Officer, known: dict[bytes, Known]) -> OfficerShown:
    person = known.get(one.officer)
    return OfficerShown(
        officer=one.officer.hex(),
        party=one.party,
        vkey=one.key.vkey,
        custody=one.custody,
        entry=one.entry_index,
        ended=one.ended_index or 0,
        account=person.account if person else "",
        label=person.label if person else "",
    )


def _members(one: store.Draft) -> JsonObject:
    return {
        "draft": one.draft.hex(),
        "party": one.party,
        "kind": one.kind,
        "state": one.state,
        "summary": dict(one.summary),
        "prepared_by": one.preparer.officer.hex(),
        "prepared_at_s": one.prepared_at_s,
        "expires_at_s": one.expires_at_s,
        "decided_by": one.decider.officer.hex() if one.decider else "",
        "decided_at_s": one.decided_at_s or 0,
        "reason": one.reason,
        "entry": one.entry_index or 0,
    }


@router.get("/officers", operation_id="officer_list")
def list_officers(
    service_: ServiceOf, caller: CallerOf, cursor: Cursor = "", limit: Limit = 100
) -> Page[OfficerShown]:
    """Officers of your organisations, ended ones too."""
    log = service_.log
    with reading(service_.desk.engine) as conn:
        found = list(find_officers(conn, log.log_id, log.origin))
        known = store.people(conn, log.log_id)
    return page_of(
        visible(caller, "officer_list", found, lambda one: one.party),
        lambda one: _officer(one, known),
        key=lambda one: one.entry_index,
        cursor=cursor,
        limit=limit,
    )


@router.post(
    "/officers", operation_id="officer_add", status_code=201, responses=documented(404, 409)
)
def add_officer(body: OfficerIn, act: ActOf) -> Receipts:
    """Register an account as an officer of its organisation."""
    act.for_party(body.party)
    with reading(act.service.desk.engine) as conn:
        access.account_of(conn, body.account, frozenset({body.party}))
    known = Known(account=body.account, label=body.label)
    return act.write(lambda desk: officers.add(desk, body.party, known))


@router.post(
    "/officers/{officer}/end",
    operation_id="officer_end",
    status_code=201,
    responses=documented(404, 409),
)
def end_officer(officer: OfficerPath, body: ReasonIn, act: ActOf) -> Receipts:
    """From the next entry on the officer signs nothing."""
    absent = f"there is no officer {officer} of yours"
    with reading(act.service.desk.engine) as conn:
        try:
            found = officers.find(conn, act.service.desk, bytes.fromhex(officer))
        except NotFound as error:
            raise NotFound(absent) from error
    act.for_party(found.party, absent)
    return act.write(lambda desk: officers.end(desk, found.officer, body.reason))


class RuleShown(Model):
    """How an organisation's acts that can't be undone are approved."""

    party: str
    rule: Literal["four-eyes", "none"]


@router.get("/parties/{party}/approval", operation_id="four_eyes_show")
def show_rule(service_: ServiceOf, party: PartyPath) -> RuleShown:
    """Whether an organisation acts with four eyes; public in the log."""
    with reading(service_.desk.engine) as conn:
        found = approval_of(conn, service_.log.log_id, party)
    return RuleShown(party=party, rule="four-eyes" if found.four_eyes else "none")


@router.post(
    "/parties/{party}/approval",
    operation_id="four_eyes_set",
    status_code=201,
    responses=documented(404, 409),
)
def set_rule(party: PartyPath, body: RuleIn, act: ActOf) -> Receipts:
    """Begin or end four eyes; ending it needs two officers itself."""
    act.for_party(party)
    return act.write(lambda desk: officers.set_rule(desk, party, body.rule, body.reason))


@router.get("/drafts", operation_id="drafts_list")
def list_drafts(
    service_: ServiceOf, caller: CallerOf, cursor: Cursor = "", limit: Limit = 100
) -> Page[DraftShown]:
    """Drafts of your organisations, and what became of them."""
    with reading(service_.desk.engine) as conn:
        found = store.find_drafts(conn, service_.log.log_id)
    return page_of(
        visible(caller, "drafts_list", found, lambda one: one.party),
        lambda one: DraftShown(**_members(one)),
        key=lambda one: f"{one.prepared_at_s:012} {one.draft.hex()}",
        cursor=cursor,
        limit=limit,
    )


def _find(
    conn: Connection, service_: Service, caller: Caller, operation: str, draft: str
) -> store.Draft:
    absent = f"there is no draft {draft} of yours"
    try:
        found, _ = store.load_draft(conn, service_.log.log_id, bytes.fromhex(draft))
    except NotFound as error:
        raise NotFound(absent) from error
    own(caller, operation, found.party, absent)
    return found


@router.get("/drafts/{draft}", operation_id="draft_show", responses=documented(404))
def show_draft(service_: ServiceOf, caller: CallerOf, draft: DraftPath) -> DraftDetail:
    """What a draft would put into the log: this is what is approved, not the summary."""
    with reading(service_.desk.engine) as conn:
        found = _find(conn, service_, caller, "draft_show", draft)
        contents = service.contents(conn, service_.desk, found.draft)
        texts = service.texts(conn, service_.desk, found.draft)
    return DraftDetail(
        **_members(found), contents=contents, texts=[text.decode() for text in texts]
    )


def _decider(act: Act, draft: str) -> tuple[store.Draft, Person]:
    """The draft, and the officer that the caller is. Raises NotFound or Problem."""
    with reading(act.service.desk.engine) as conn:
        found = _find(conn, act.service, act.caller, act.operation, draft)
    person = act.person(found.party)
    if person is None:
        raise Problem(403, f"your account is no officer of {found.party}: an admin adds it")
    return found, person


@router.post(
    "/drafts/{draft}/approval",
    operation_id="draft_approve",
    status_code=201,
    responses=documented(404, 409),
)
def approve(draft: DraftPath, body: ApprovalIn, act: ActOf) -> Receipts:
    """Sign as the second officer, and write it. 409 where the ledger has moved on: prepare anew."""
    found, person = _decider(act, draft)
    lines = [line.encode() for line in body.signatures]

    def do(desk: Desk) -> object:
        if lines:
            return service.approve_with_signature(desk, found.draft, person, lines)
        return service.approve(desk, found.draft, person)

    return act.write(do)


@router.post(
    "/drafts/{draft}/rejection",
    operation_id="draft_reject",
    status_code=204,
    responses=documented(404, 409),
)
def reject(draft: DraftPath, body: ReasonIn, act: ActOf) -> Response:
    """Send a draft back with a reason, which its preparer reads."""
    found, person = _decider(act, draft)
    service.reject(act.service.desk, found.draft, person, body.reason)
    return Response(status_code=204)
