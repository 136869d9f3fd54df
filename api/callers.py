"""Who calls, and whether the table lets them: one dependency for every route.

A route is known by its operation id; `ledger.access.table.RULES` says who may call it. An
organisation's data stands behind `Caller.may_for`: where existence is private, what is another's
does not exist (404).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from fastapi.routing import APIRoute

from api.problems import Problem
from api.service import Service, service_of
from ledger.access.caller import ANYBODY, Caller, in_scope
from ledger.access.events import Actor
from ledger.access.roles import Reach
from ledger.access.service import caller_of_token, needs_touch, touch
from ledger.access.table import RULES, Rule
from ledger.db import reading, writing
from ledger.errors import NotFound, NotSignedIn

SESSION_COOKIE: Final = "greenledger_session"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="greenledger"'}


def operation_of(request: Request) -> str:
    """The operation id of the route that was found."""
    route = request.scope.get("route")
    return str(getattr(route, "operation_id", None) or "")


async def caller_of(request: Request) -> Caller:
    """Who calls, as the route found before it read the body."""
    found = request.state.caller
    assert isinstance(found, Caller)
    return found


class _Route(APIRoute):
    """Asks who calls before the body is read: nobody's is parsed."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            request.state.caller = await _checked(request, await service_of(request))
            return await handle(request)

        return checked


def router_of(**given: Any) -> APIRouter:
    """A router whose routes all ask who calls."""
    return APIRouter(route_class=_Route, **given)


async def _checked(request: Request, service: Service) -> Caller:
    """The caller, once its credential was checked and the table lets it. Raises Problem."""
    operation = operation_of(request)
    rule = RULES[operation]
    token = token_of(request)
    # Without a credential there is nothing to ask the database for, nor a thread to wait for.
    caller = await run_in_threadpool(_identified, token, service) if token else ANYBODY
    if rule.reach is Reach.PUBLIC:
        return caller
    if caller is ANYBODY:
        raise Problem(401, "this needs a session or an API key", headers=_CHALLENGE)
    if not caller.may(operation):
        raise Problem(403, f"{operation} {_lacking(caller, operation, rule)}")
    return caller


def _lacking(caller: Caller, operation: str, rule: Rule) -> str:
    """What the caller would need, and is without."""
    if rule.by_person and caller.via != "session":
        return "is for people who have signed in, not for API keys"
    if not in_scope(caller.scopes, operation):
        return f"is in none of the key's scopes: {', '.join(sorted(caller.scopes))}"
    where = " in the park's own organisation" if rule.reach is Reach.PARK else ""
    return f"takes one of the roles {', '.join(sorted(rule.roles))}{where}, which you do not have"


def token_of(request: Request) -> str:
    """The credential that came with a request, or `""`. Raises Problem."""
    header = request.headers.get("authorization", "")
    if header:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Problem(401, "Authorization is: Bearer, and a token", headers=_CHALLENGE)
        return token.strip()
    token = request.cookies.get(SESSION_COOKIE, "")
    if token:
        _check_same_site(request)
    return token


def address_of(request: Request) -> str:
    """Where a request came from: the peer, or what a trusted proxy said (uvicorn's setting)."""
    return request.client.host if request.client else ""


def actor_of(request: Request, caller: Caller) -> Actor:
    """Who acts, for the trail."""
    return Actor(account=caller.account, key=caller.key, address=address_of(request))


def _identified(token: str, service: Service) -> Caller:
    try:
        with reading(service.desk.engine) as conn:
            found = caller_of_token(conn, token, service.now_s(), service.log.operator)
    except NotSignedIn as error:
        raise Problem(401, str(error), headers=_CHALLENGE) from error
    if needs_touch(found, service.now_s()):
        with writing(service.desk.engine) as conn:
            touch(conn, token, service.now_s())
    return found


def _check_same_site(request: Request) -> None:
    """A browser sends the cookie by itself, also where another site asks it to."""
    if request.method in _SAFE:
        return
    origin = request.headers.get("origin", "")
    if origin and origin.split("://", 1)[-1] == request.headers.get("host", ""):
        return
    raise Problem(403, "a request with a session's cookie has to come from this site")


CallerOf = Annotated[Caller, Depends(caller_of)]
Found = TypeVar("Found")


def own(caller: Caller, request_operation: str, party: str, what: str) -> None:
    """Raises NotFound where what is asked for is another organisation's."""
    if not caller.may_for(request_operation, party):
        raise NotFound(what)


def visible(
    caller: Caller, operation: str, rows: list[Found], party: Callable[[Found], str]
) -> list[Found]:
    """The rows of organisations that the caller may see."""
    parties = caller.parties(operation)
    return rows if parties is None else [row for row in rows if party(row) in parties]


def security_of(operation: str) -> list[dict[str, list[str]]]:
    """What the OpenAPI document says that a call needs."""
    return [] if RULES[operation].reach is Reach.PUBLIC else [{"token": []}]


def check_table(routers: Sequence[APIRouter]) -> None:
    """Raises AssertionError for a route that the table does not name: nobody decided on it."""
    routes = [route for router in routers for route in router.routes]
    operations = [each.operation_id for each in routes if isinstance(each, APIRoute)]
    assert len(operations) == len(routes), "every route is one of FastAPI's, of a router of ours"
    missing = [each for each in operations if each not in RULES]
    assert not missing, f"ledger/access/table.py names no rule for {missing}"
    assert all(isinstance(each, _Route) for each in routes), "a router is made by router_of"
    assert len(set(operations)) == len(operations), "an operation id is used twice"
