"""PACT's own API (WBCSD, version 3): tokens, footprints, events. Not below /api/v1, and not asked
with our accounts: a partner has a client id and a secret, and sees what the data owner lets it."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, unquote_plus, urlencode

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from api.callers import address_of
from api.pact_errors import AUTH_PATH, Failed, PactRoute
from api.service import Service, ServiceOf
from ledger.db import reading, writing
from ledger.errors import InvalidInput, NotFound, NotSignedIn
from ledger.footprint.pact import clients, evidence, exchange, mailbox
from ledger.footprint.pact.clients import Client
from ledger.footprint.pact.criteria import Criteria, of_query
from ledger.footprint.pact.events import CREATED, MEDIA, read_event
from ledger.jobs import kinds
from ledger.jobs import service as jobs
from ledger.jobs.model import PARK
from ledger.log.store import load_head

router = APIRouter(route_class=PactRoute, include_in_schema=False)
PAGE_MAX: Final = 100
# Of pagination links: what they are of, so that each gives the same whenever it is called.
AS_OF: Final = "x-greenledger-as-of"
AFTER: Final = "x-greenledger-after"
_NUMBER: Final = re.compile(r"[0-9]{1,15}", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_FORM: Final = "application/x-www-form-urlencoded"
_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def base_of(request: Request, service: Service) -> str:
    """Where partners reach us: as the settings say, else as this request came."""
    if service.settings.pact_url:
        return service.settings.pact_url.rstrip("/")
    return str(request.base_url).rstrip("/")


async def partner_of(request: Request, service: ServiceOf) -> Client:
    """Who asks. Raises NotSignedIn, or TokenExpired."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotSignedIn(f"Authorization is: Bearer, and a token of {AUTH_PATH}")
    engine, now_s = service.desk.engine, service.now_s()
    return await run_in_threadpool(clients.client_of_token, engine, now_s, token.strip())


PartnerOf = Annotated[Client, Depends(partner_of)]


# Tokens


@router.get("/.well-known/openid-configuration")
def openid_configuration(request: Request, service: ServiceOf) -> Response:
    """Where tokens are given (OpenID Connect Discovery 1.0, as far as PACT asks for it)."""
    base = base_of(request, service)
    return _json(
        {
            "issuer": base,
            "token_endpoint": base + AUTH_PATH,
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": ["token"],
        }
    )


@router.post(AUTH_PATH)
async def token(request: Request, service: ServiceOf) -> Response:
    """OAuth 2.0 client credentials (RFC 6749, 4.4)."""
    form = _form(request, await request.body())
    client, secret = _credentials(request, form)
    if form.get("grant_type") != "client_credentials":
        code = "unsupported_grant_type" if form.get("grant_type") else "invalid_request"
        raise Failed(400, code, "grant_type is client_credentials")
    found = await run_in_threadpool(
        clients.sign_in, service.desk.engine, service.now_s(), address_of(request), client, secret
    )
    given = {"access_token": found, "token_type": "Bearer", "expires_in": clients.TOKEN_S}
    return _json(given, _NO_STORE)


def _form(request: Request, body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        pairs = []
    if _media_of(request) != _FORM or not pairs:
        raise Failed(400, "invalid_request", f"the body is a form: {_FORM}")
    if len(dict(pairs)) != len(pairs):
        raise Failed(400, "invalid_request", "a parameter stands twice")
    return dict(pairs)


def _media_of(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _credentials(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """By Basic authentication, or in the body, not by both."""
    header = request.headers.get("authorization", "")
    if not header:
        if "client_id" not in form or "client_secret" not in form:
            raise NotSignedIn("client id and secret come by HTTP Basic authentication")
        return form["client_id"], form["client_secret"]
    if "client_secret" in form:
        raise Failed(400, "invalid_request", "client id and secret come once")
    scheme, _, encoded = header.partition(" ")
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        pair = ""
    client, colon, secret = pair.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise NotSignedIn("client id and secret come by HTTP Basic authentication")
    return unquote_plus(client), unquote_plus(secret)


# Footprints


@router.get("/3/footprints")
@router.get("/3/footprints/")
def list_footprints(request: Request, service: ServiceOf, partner: PartnerOf) -> Response:
    """What matches all criteria, in pages that stay as they are: the log's size stands in the link
    to the next one."""
    pairs = request.query_params.multi_items()
    own = {"limit", AS_OF, AFTER}
    numbers = {name.lower(): value for name, value in pairs if name.lower() in own}
    criteria = [(name, value) for name, value in pairs if name.lower() not in own]
    limit = _number(numbers, "limit")
    found, more = _page(request, service, partner, of_query(criteria), numbers, limit)
    headers = {}
    if more:
        asked = [*criteria, *([("limit", str(limit))] if limit is not None else []), *more]
        url = f"{base_of(request, service)}/3/footprints?{urlencode(asked)}"
        headers["Link"] = f'<{url}>; rel="next"'
    return _json({"data": found}, headers)


def _page(
    request: Request,
    service: Service,
    partner: Client,
    criteria: Criteria,
    numbers: dict[str, str],
    limit: int | None,
) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """The page, and the parameters of the one after it."""
    after = _number(numbers, AFTER)
    with reading(service.desk.engine) as conn:
        size = load_head(conn, service.log.log_id).size
        as_of = min(size, _number(numbers, AS_OF) or size)
        shown = exchange.seen(conn, service.log, partner, base_of(request, service), as_of=as_of)
    matching = [
        one
        for one in shown
        if (after is None or one.entry > after) and criteria.match(one.footprint)
    ]
    most = PAGE_MAX if limit is None else min(limit, PAGE_MAX)
    page = matching[:most]
    last = page[-1].entry if page else -1 if after is None else after
    more = [(AS_OF, str(as_of)), *([(AFTER, str(last))] if last >= 0 else [])]
    return [one.footprint.to_json() for one in page], more if len(matching) > most else []


def _number(numbers: dict[str, str], name: str) -> int | None:
    text = numbers.get(name, "")
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise InvalidInput(f"{name} is a whole number of 0 or more")
    return int(text)


@router.get("/3/footprints/{id_}")
def get_footprint(id_: str, request: Request, service: ServiceOf, partner: PartnerOf) -> Response:
    """One footprint, deprecated or not."""
    if not _UUID.fullmatch(id_):
        raise InvalidInput("the id of a footprint is a UUID")
    with reading(service.desk.engine) as conn:
        size = load_head(conn, service.log.log_id).size
        base = base_of(request, service)
        for one in exchange.of_owner(conn, service.log, partner, base, as_of=size):
            if one.footprint.id == id_.lower():
                if not partner.sees(one.product):
                    raise Failed(403, "AccessDenied", "this footprint is not for you to see")
                return _json({"data": one.footprint.to_json()})
    raise NotFound("there is no such footprint")


# Events


@router.post("/3/events")
async def take_event(request: Request, service: ServiceOf, partner: PartnerOf) -> Response:
    """A CloudEvent in structured mode; what it asks for is answered later, by an event."""
    if _media_of(request) != MEDIA:
        raise InvalidInput(f"Content-Type is {MEDIA}: CloudEvents in structured mode")
    await run_in_threadpool(_take, request, service, partner, await request.body())
    return Response(status_code=200)


def _take(request: Request, service: Service, partner: Client, body: bytes) -> None:
    event = read_event(body)
    if event.kind == CREATED:
        mailbox.require_answerable(partner, event)
    base = base_of(request, service)
    with writing(service.desk.engine) as conn:
        new = mailbox.receive(conn, service.now_s(), partner.client, event, base)
    if new and event.kind == CREATED:
        key = f"{kinds.PACT} {new}"
        job = jobs.submit(service.house, kinds.PACT, {}, party=PARK, account="", key=key)
        service.nudge(job.id)


# Our extension of the data model


@router.get(evidence.SCHEMA_PATH)
def evidence_schema(request: Request, service: ServiceOf) -> Response:
    """Anybody may read what our extension says."""
    found = orjson.dumps(evidence.schema(base_of(request, service)))
    return Response(found, media_type="application/schema+json")


@router.get(evidence.DOCUMENTATION_PATH)
def evidence_documentation() -> Response:
    """The same for people, in short."""
    return Response(evidence.DOCUMENTATION, media_type="text/plain; charset=utf-8")


def _json(value: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(value), 200, headers, media_type="application/json")
