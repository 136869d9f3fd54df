"""Partners of PACT's exchange, by our own accounts: who may ask for footprints, and what came.

What partners themselves ask is in `api.routes.pact`.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request
from fastapi.responses import Response
from pydantic import Field

from api.callers import CallerOf, actor_of, own, router_of
from api.media import HEX_16, Cursor, Id, JsonObject, Limit, Model, Page, PartyId, page_of
from api.problems import documented
from api.routes.accounts import require_mine
from api.routes.pact import base_of
from api.service import ServiceOf
from ledger.db import reading, writing
from ledger.errors import NotFound
from ledger.footprint.pact import clients, exchange, mailbox, shelf
from ledger.footprint.pact.clients import ALL, LABEL_MAX, Client, Endpoint
from ledger.footprint.pact.schema import EVENT, URL
from ledger.log.store import load_head
from ledger.records.store import find

router = router_of(prefix="/pact", tags=["footprints"])
ClientPath = Annotated[str, Path(pattern=HEX_16, description="A client's id")]
Https = Annotated[str, Field(pattern=r"^https://[!-~]+$", max_length=URL)]


class EndpointIn(Model):
    """Where a partner takes events, and as whom we come there. `auth`: where it gives tokens, if
    that is another base URL. The secret is kept encrypted."""

    url: Https
    auth: Https | None = None
    client_id: Annotated[str, Field(min_length=1, max_length=EVENT)]
    secret: Annotated[str, Field(min_length=1, max_length=1_000)]


class ClientIn(Model):
    """A partner of an organisation. `products`: records of those that it may see; none: all."""

    party: PartyId
    label: Annotated[str, Field(min_length=1, max_length=LABEL_MAX)]
    products: Annotated[list[Id], Field(max_length=1_000)] = []
    endpoint: EndpointIn | None = None


class ClientShown(Model):
    """A partner. `products`: `*` is all. Times are Unix seconds; 0: not."""

    client_id: str
    party: str
    label: str
    products: list[str]
    endpoint: str
    created_at_s: int
    ended_at_s: int


class NewClient(ClientShown):
    """With its secret, which can't be had again."""

    secret: str


class EventReceived(Model):
    """An event that a partner sent. `answered_at_s`: of a request; 0: not yet."""

    id: str
    client_id: str
    party: str
    kind: str
    source: str
    event: str
    at_s: int
    answered_at_s: int
    data: JsonObject


class FootprintShown(Model):
    """A published footprint as partners get it, or why they can't (`withheld`)."""

    entry: int
    product: str
    withheld: str
    footprint: JsonObject


def _client(one: Client) -> JsonObject:
    return {**one.to_json(), "ended_at_s": one.ended_at_s or 0}


@router.get("/clients", operation_id="pact_client_list")
def list_clients(
    service: ServiceOf, caller: CallerOf, cursor: Cursor = "", limit: Limit = 100
) -> Page[ClientShown]:
    """Partners of your organisations, ended ones too."""
    with reading(service.desk.engine) as conn:
        found = clients.list_clients(conn, caller.parties("pact_client_list"))
    return page_of(
        found,
        lambda one: ClientShown.model_validate(_client(one)),
        key=lambda one: one.client,
        cursor=cursor,
        limit=limit,
    )


@router.post(
    "/clients",
    operation_id="pact_client_create",
    status_code=201,
    responses=documented(404, 409),
)
def create_client(
    body: ClientIn, request: Request, service: ServiceOf, caller: CallerOf
) -> NewClient:
    """Let a partner ask for footprints; its secret is shown this once."""
    require_mine(service, caller, "pact_client_create", body.party)
    at = body.endpoint
    with writing(service.desk.engine) as conn:
        for name in body.products:
            if find(conn, service.log.log_id, "product", name).author != body.party:
                raise NotFound(f"{body.party} has no product {name}")
        made, secret = clients.add(
            conn,
            service.now_s(),
            actor_of(request, caller),
            party=body.party,
            label=body.label,
            products=body.products or [ALL],
            seal_key=service.house.seal_key,
            told=load_head(conn, service.log.log_id).size,
            endpoint=None
            if at is None
            else Endpoint(url=at.url, auth=at.auth or "", client_id=at.client_id, secret=at.secret),
        )
    return NewClient.model_validate({**_client(made), "secret": secret})


@router.post(
    "/clients/{client}/end",
    operation_id="pact_client_end",
    status_code=204,
    responses=documented(404),
)
def end_client(
    client: ClientPath, request: Request, service: ServiceOf, caller: CallerOf
) -> Response:
    """It asks nothing more, and gets nothing more."""
    absent = f"there is no PACT client {client!r} of yours"
    with writing(service.desk.engine) as conn:
        try:
            found = clients.client_of(conn, client)
        except NotFound as error:
            raise NotFound(absent) from error
        own(caller, "pact_client_end", found.party, absent)
        exchange.end_client(conn, service.now_s(), actor_of(request, caller), client)
    return Response(status_code=204)


@router.get("/inbox", operation_id="pact_inbox_list")
def list_inbox(
    service: ServiceOf, caller: CallerOf, cursor: Cursor = "", limit: Limit = 100
) -> Page[EventReceived]:
    """Events that partners of your organisations sent: the last thousand."""
    with reading(service.desk.engine) as conn:
        parties = caller.parties("pact_inbox_list")
        found = mailbox.list_received(conn, parties, limit=mailbox.SHOWN_MAX)
    return page_of(
        found,
        lambda one: EventReceived(
            id=one.id,
            client_id=one.client,
            party=one.party,
            kind=one.kind,
            source=one.source,
            event=one.event,
            at_s=one.at_s,
            answered_at_s=one.answered_at_s or 0,
            data=dict(one.data),
        ),
        key=lambda one: f"{one.at_s:015} {one.id}",
        cursor=cursor,
        limit=limit,
    )


@router.get("/footprints/{party}", operation_id="pact_footprints_list", responses=documented(404))
def list_footprints(
    party: Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,39}$")],
    request: Request,
    service: ServiceOf,
    caller: CallerOf,
    cursor: Cursor = "",
    limit: Limit = 100,
) -> Page[FootprintShown]:
    """What an organisation has published, as partners see it."""
    own(caller, "pact_footprints_list", party, f"there is no party {party!r} of yours")
    with reading(service.desk.engine) as conn:
        size = load_head(conn, service.log.log_id).size
        base = base_of(request, service)
        good = shelf.shown(conn, service.log, party, base, as_of=size)
        kept = shelf.withheld(conn, service.log, party, as_of=size)
    found = [
        *(
            FootprintShown(
                entry=one.entry,
                product=one.product,
                withheld="",
                footprint=one.footprint.to_json(),
            )
            for one in good
        ),
        *(
            FootprintShown(entry=one.entry, product=one.product, withheld=one.why, footprint={})
            for one in kept
        ),
    ]
    return page_of(found, lambda one: one, key=lambda one: one.entry, cursor=cursor, limit=limit)
