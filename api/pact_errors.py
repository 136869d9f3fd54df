"""How a request of PACT's API ends where it does not succeed: {code, message}, or RFC 6749 §5.2.

PACT has its own errors, and demands HTTPS; so its routes are of a class of their own, and no error
of theirs becomes a problem document. Source: WBCSD PACT technical specification 3.0.3, "Error
Handling"; where its older text has other names, those of the schema count.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from api.problems import Problem, status_of
from ledger.errors import LedgerError, NotFound, NotSignedIn, Throttled
from ledger.footprint.pact.clients import TokenExpired

AUTH_PATH: Final = "/auth/token"
_log = structlog.get_logger("api")
_CODES: Final[Mapping[int, str]] = {403: "AccessDenied", 404: "NotFound", 501: "NotImplemented"}
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="greenledger"'}
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")


class Failed(Exception):
    """An answer that is no success. `code`: of PACT, or of RFC 6749 at the token endpoint."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


def is_token_request(request: Request) -> bool:
    return request.url.path.endswith(AUTH_PATH)


def answer(failed: Failed, *, of_token: bool) -> Response:
    body = (
        {"error": failed.code, "error_description": failed.message}
        if of_token
        else {"code": failed.code, "message": failed.message}
    )
    return Response(
        orjson.dumps(body), failed.status, failed.headers, media_type="application/json"
    )


def response_of(path: str, problem: Problem) -> Response:
    """A problem that was found before the route was, in the words that this path has."""
    of_token = path.endswith(AUTH_PATH)
    if not of_token and not path.startswith("/3/"):
        return problem.response()
    return answer(_failed(problem, of_token=of_token), of_token=of_token)


def require_https(request: Request) -> None:
    """TLS, as the proxy in front says; or all on the machine itself. Raises Failed."""
    if request.url.scheme == "https" or _is_local(request):
        return
    code = "invalid_request" if is_token_request(request) else "AccessDenied"
    raise Failed(403, code, "this is answered over HTTPS alone; a credential sent here is spent")


def _is_local(request: Request) -> bool:
    """Both ends: a proxy on this machine that says nothing of TLS names a host of others."""
    named = urlsplit(f"//{request.headers.get('host', '')}").hostname
    try:
        peer = ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    return peer.is_loopback and named in _LOCAL


class PactRoute(APIRoute):
    """Asks for HTTPS first, and answers every error in PACT's words."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                require_https(request)
                return await handle(request)
            except Exception as error:
                of_token = is_token_request(request)
                return answer(_failed(error, of_token=of_token), of_token=of_token)

        return told


def _failed(error: Exception, *, of_token: bool) -> Failed:
    if isinstance(error, Failed):
        return error
    if isinstance(error, HTTPException) and isinstance(error.__cause__, Problem):
        error = error.__cause__
    if isinstance(error, Problem):
        return _of_status(error.status, error.detail, error.headers, of_token=of_token)
    if isinstance(error, TokenExpired):
        return Failed(401, "TokenExpired", str(error), _CHALLENGE)
    if isinstance(error, NotSignedIn):
        if of_token:
            challenge = {"WWW-Authenticate": 'Basic realm="greenledger"'}
            return Failed(401, "invalid_client", str(error), challenge)
        return Failed(401, "BadRequest", str(error), _CHALLENGE)
    if isinstance(error, Throttled):
        wait = {"Retry-After": str(error.retry_after_s)}
        return _of_status(429, str(error), wait, of_token=of_token)
    if isinstance(error, NotFound):
        return Failed(404, "NotFound", str(error))
    if isinstance(error, LedgerError) and status_of(error) < 500:
        return _of_status(400, str(error), {}, of_token=of_token)
    if isinstance(error, RequestValidationError):
        return _of_status(400, "the request is malformed", {}, of_token=of_token)
    _log.error("bug", kind=type(error).__name__, exc_info=error)
    status = status_of(error) if isinstance(error, LedgerError) else 500
    code = "server_error" if of_token else "InternalError"
    return Failed(status, code, "an error of ours, which was logged; try again later")


def _of_status(status: int, message: str, headers: Mapping[str, str], *, of_token: bool) -> Failed:
    code = "invalid_request" if of_token else _CODES.get(status, "BadRequest")
    return Failed(status, code, message, headers)
