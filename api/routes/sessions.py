"""Signing in and out, and what people keep of themselves: password and second factor."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from api.callers import SESSION_COOKIE, CallerOf, actor_of, address_of, router_of, token_of
from api.media import Model
from api.problems import Problem, documented
from api.service import Service, ServiceOf
from ledger.access import oidc
from ledger.access import service as access
from ledger.access.roles import Role
from ledger.db import writing
from ledger.errors import NotFound

router = router_of(tags=["session"])
_STATE_COOKIE: Final = "greenledger_oidc"
Password = Annotated[str, Field(min_length=1, max_length=1_000)]
Code = Annotated[str, Field(max_length=64, pattern=r"^[0-9A-Za-z-]*$")]


class LoginIn(Model):
    """Name and password; `code` where a second factor is set up."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    password: Password
    code: Code = ""


class Session(Model):
    """A session's token: `Authorization: Bearer gls_…`. Browsers have it as a cookie too."""

    token: str


class Myself(Model):
    """Who the caller is, and its roles by organisation."""

    account: str
    name: str
    via: Literal["none", "session", "key"]
    operator: str
    roles: dict[str, list[Role]]
    scopes: list[str]


class PasswordIn(Model):
    """Every session ends by it."""

    old: Password
    new: Password


class CodeIn(Model):
    """A code of the authenticator, or a recovery code where it says so."""

    code: Annotated[str, Field(min_length=6, max_length=64, pattern=r"^[0-9A-Za-z-]+$")]


class Enrolment(Model):
    """What the authenticator app takes; it counts once a code of it was given."""

    secret: str
    uri: str


class Recovery(Model):
    """Codes that let in once each where the authenticator is lost; shown this once."""

    codes: list[str]


@router.post("/session", operation_id="login", status_code=201, responses=documented(401, 429))
def login(body: LoginIn, request: Request, response: Response, service: ServiceOf) -> Session:
    """Sign in. Failures slow further attempts down, by name and by address."""
    token = access.login(
        service.desk.engine,
        service.passwords,
        service.house.seal_key,
        service.now_s(),
        address_of(request),
        body.name,
        body.password,
        body.code,
    )
    _set_cookie(request, response, token)
    return Session(token=token)


def _set_cookie(request: Request, response: Response, token: str) -> None:
    response.set_cookie(
        SESSION_COOKIE,
        token,
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="strict",
        path="/",
    )


@router.delete("/session", operation_id="logout", status_code=204)
def logout(request: Request, service: ServiceOf, caller: CallerOf) -> Response:
    """End this session."""
    del caller
    with writing(service.desk.engine) as conn:
        access.logout(conn, service.now_s(), address_of(request), token_of(request))
    response = Response(status_code=204)
    response.delete_cookie(SESSION_COOKIE, path="/")
    return response


@router.get("/me", operation_id="whoami")
def whoami(caller: CallerOf) -> Myself:
    """Who the caller is."""
    return Myself(
        account=caller.account,
        name=caller.name,
        via=caller.via,
        operator=caller.operator,
        roles={party: sorted(held) for party, held in caller.roles.items()},
        scopes=sorted(caller.scopes),
    )


@router.post(
    "/me/password", operation_id="password_change", status_code=204, responses=documented(409)
)
def change_password(
    body: PasswordIn, request: Request, service: ServiceOf, caller: CallerOf
) -> Response:
    """A new password; sign in anew with it."""
    access.change_password(
        service.desk.engine,
        service.passwords,
        service.now_s(),
        actor_of(request, caller),
        body.old,
        body.new,
    )
    return Response(status_code=204)


@router.post("/me/totp", operation_id="totp_enrol", status_code=201, responses=documented(409))
def enrol(request: Request, service: ServiceOf, caller: CallerOf) -> Enrolment:
    """Begin to set up a second factor (RFC 6238)."""
    with writing(service.desk.engine) as conn:
        secret, uri = access.enrol_totp(
            conn,
            service.house.seal_key,
            service.now_s(),
            actor_of(request, caller),
            caller.account,
            service.log.origin,
        )
    return Enrolment(secret=secret, uri=uri)


@router.post(
    "/me/totp/confirmation",
    operation_id="totp_confirm",
    status_code=201,
    responses=documented(409),
)
def confirm(body: CodeIn, request: Request, service: ServiceOf, caller: CallerOf) -> Recovery:
    """From now on a code is asked for. The recovery codes are shown this once."""
    with writing(service.desk.engine) as conn:
        codes = access.confirm_totp(
            conn,
            service.house.seal_key,
            service.now_s(),
            actor_of(request, caller),
            caller.account,
            body.code,
        )
    return Recovery(codes=list(codes))


@router.post(
    "/me/totp/removal", operation_id="totp_remove", status_code=204, responses=documented(409)
)
def remove(body: CodeIn, request: Request, service: ServiceOf, caller: CallerOf) -> Response:
    """No second factor any more; takes a code, or a recovery code."""
    access.remove_totp(
        service.desk.engine,
        service.house.seal_key,
        service.now_s(),
        actor_of(request, caller),
        caller.account,
        body.code,
    )
    return Response(status_code=204)


# At an OpenID provider


def _provider(service: Service) -> oidc.Provider:
    found = oidc.Provider.of(service.settings)
    if found is None:
        raise NotFound("no OpenID provider is set up here")
    return found


@router.get(
    "/oidc/login",
    operation_id="oidc_begin",
    status_code=302,
    response_class=RedirectResponse,
    responses=documented(404),
)
def oidc_login(request: Request, service: ServiceOf) -> RedirectResponse:
    """To the provider, to sign in there."""
    provider = _provider(service)
    with oidc.make_client() as http:
        begun = oidc.begin(
            service.desk.engine, http, provider, service.house.seal_key, service.now_s()
        )
    response = RedirectResponse(begun.url, status_code=302)
    response.set_cookie(
        _STATE_COOKIE,
        begun.state,
        max_age=oidc.LOGIN_S,
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax",
        path="/",
    )
    return response


@router.get("/oidc/callback", operation_id="oidc_finish", responses=documented(401, 404))
async def oidc_callback(
    request: Request,
    response: Response,
    service: ServiceOf,
    state: Annotated[str, Query(max_length=200)],
    code: Annotated[str, Query(max_length=4_000)] = "",
    iss: Annotated[str, Query(max_length=500)] = "",
) -> Session:
    """Back from the provider: a session, if the identity is linked to an account."""
    provider = _provider(service)
    cookie = request.cookies.get(_STATE_COOKIE, "")
    if not code:
        raise Problem(401, "the provider gave no code: it did not let you in")

    def finish() -> str:
        with oidc.make_client() as http:
            return oidc.finish(
                service.desk.engine,
                http,
                provider,
                service.house.seal_key,
                service.now_s(),
                address_of(request),
                oidc.Answer(cookie=cookie, state=state, code=code, issuer=iss),
            )

    token = await run_in_threadpool(finish)
    _set_cookie(request, response, token)
    response.delete_cookie(_STATE_COOKIE, path="/")
    return Session(token=token)
