"""API keys of organisations, and the trail of who changed what."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request
from fastapi.responses import Response
from pydantic import Field

from api.callers import CallerOf, actor_of, router_of
from api.media import Cursor, Limit, Model, Page, PartyId, page_of
from api.problems import documented
from api.routes.accounts import require_mine
from api.service import ServiceOf
from ledger.access import service as access
from ledger.access.keys import DAY_S, LABEL_MAX, LIFE_S_MAX
from ledger.access.roles import Role
from ledger.db import reading, writing
from ledger.errors import NotFound

router = router_of(tags=["accounts"])
KeyPath = Annotated[str, Path(pattern=r"^[0-9a-zA-Z_-]{1,64}$", description="A key's public name")]
_YEAR_S = 365 * DAY_S


class KeyIn(Model):
    """An API key of your own account, for programs of one organisation.

    `scopes`: operations, or beginnings of some with a star (`points_*`); `*` is all that its roles
    allow.
    """

    party: PartyId
    roles: Annotated[list[Annotated[Role, Field(strict=False)]], Field(min_length=1, max_length=6)]
    scopes: Annotated[
        list[Annotated[str, Field(pattern=r"^[a-z_]{0,60}\*?$", min_length=1)]],
        Field(min_length=1, max_length=100),
    ] = ["*"]
    label: Annotated[str, Field(max_length=LABEL_MAX)] = ""
    expires_in_s: Annotated[int, Field(ge=60, le=LIFE_S_MAX)] = _YEAR_S


class KeyShown(Model):
    """An API key without its token. Times are Unix seconds; 0: not."""

    key: str
    account: str
    party: str
    label: str
    roles: list[Role]
    scopes: list[str]
    created_at_s: int
    seen_at_s: int
    expires_at_s: int
    revoked_at_s: int


class NewKey(KeyShown):
    """With its token, which can't be had again."""

    token: str


class EventShown(Model):
    """Who did what, when and from where."""

    number: int
    at_s: int
    kind: str
    by: str
    by_key: str
    address: str
    account: str
    party: str
    role: str
    key: str


def _key(one: access.ApiKey) -> dict[str, object]:
    return {
        "key": one.key,
        "account": one.account,
        "party": one.party,
        "label": one.label,
        "roles": sorted(one.roles),
        "scopes": sorted(one.scopes),
        "created_at_s": one.created_at_s,
        "seen_at_s": one.seen_at_s,
        "expires_at_s": one.expires_at_s,
        "revoked_at_s": one.revoked_at_s or 0,
    }


@router.get("/api-keys", operation_id="api_key_list")
def list_keys(
    service: ServiceOf, caller: CallerOf, cursor: Cursor = "", limit: Limit = 100
) -> Page[KeyShown]:
    """API keys of your organisations, ended ones too."""
    with reading(service.desk.engine) as conn:
        found = access.list_api_keys(conn, caller.parties("api_key_list"))
    return page_of(
        found,
        lambda one: KeyShown.model_validate(_key(one)),
        key=lambda one: one.key,
        cursor=cursor,
        limit=limit,
    )


@router.post(
    "/api-keys", operation_id="api_key_create", status_code=201, responses=documented(404, 409)
)
def create_key(body: KeyIn, request: Request, service: ServiceOf, caller: CallerOf) -> NewKey:
    """An API key; its token is shown this once."""
    require_mine(service, caller, "api_key_create", body.party)
    with writing(service.desk.engine) as conn:
        token, made = access.create_api_key(
            conn,
            service.now_s(),
            actor_of(request, caller),
            account=caller.account,
            party=body.party,
            roles=body.roles,
            operator=service.log.operator,
            expires_at_s=service.now_s() + body.expires_in_s,
            scopes=body.scopes,
            label=body.label,
        )
    return NewKey.model_validate({**_key(made), "token": token})


@router.post(
    "/api-keys/{key}/revocation",
    operation_id="api_key_revoke",
    status_code=204,
    responses=documented(404),
)
def revoke_key(key: KeyPath, request: Request, service: ServiceOf, caller: CallerOf) -> Response:
    """It opens nothing any more."""
    absent = f"there is no API key {key!r} of yours"
    with writing(service.desk.engine) as conn:
        try:
            found = access.api_key(conn, key)
        except NotFound as error:
            raise NotFound(absent) from error
        if not caller.may_for("api_key_revoke", found.party):
            raise NotFound(absent)
        access.revoke_api_key(conn, service.now_s(), actor_of(request, caller), key)
    return Response(status_code=204)


@router.get("/access-events", operation_id="access_events")
def list_events(
    service: ServiceOf,
    caller: CallerOf,
    cursor: Annotated[
        str, Query(pattern=r"^[0-9]{0,18}$", description="`next` of the page before")
    ] = "",
    limit: Limit = 100,
) -> Page[EventShown]:
    """The append-only trail: sign-ins, failures, roles, keys; the newest first."""
    with reading(service.desk.engine) as conn:
        found = access.list_events(
            conn,
            caller.parties("access_events"),
            before=int(cursor) if cursor else None,
            limit=limit,
        )
    return Page(
        items=[
            EventShown(
                number=one.number,
                at_s=one.at_s,
                kind=one.kind,
                by=one.actor.account,
                by_key=one.actor.key,
                address=one.actor.address,
                account=one.account,
                party=one.party,
                role=one.role,
                key=one.key,
            )
            for one in found
        ],
        next=str(found[-1].number) if len(found) == limit else "",
    )
