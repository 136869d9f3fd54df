"""Errors as RFC 9457 problem documents: one table from our tree of errors to HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from ledger.errors import (
    Corrupt,
    InvalidInput,
    LedgerError,
    NotFound,
    NotSignedIn,
    Refused,
    Throttled,
    Unavailable,
)

MEDIA: Final = "application/problem+json"
_TYPES: Final = "urn:greenledger:problem:"
# What the domain raises; it knows no HTTP.
STATUS: Final[Mapping[type[LedgerError], int]] = {
    InvalidInput: 422,
    Refused: 409,
    NotFound: 404,
    Corrupt: 500,
    NotSignedIn: 401,
    Throttled: 429,
    Unavailable: 503,
}
# On every answer: see api.limits, and `_bug` below.
SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "Strict-Transport-Security": "max-age=31536000",
}
_RETRY_S: Final = 2
_SAID: Final[Mapping[int, str]] = {
    HTTPStatus.BAD_REQUEST: "the body is no JSON text in UTF-8",
    HTTPStatus.NOT_FOUND: "there is nothing at this path; /api/v1/openapi.json lists all paths",
    HTTPStatus.METHOD_NOT_ALLOWED: "this path takes another verb; /api/v1/openapi.json says which",
}
_log = structlog.get_logger("api")


class Problem(Exception):
    """An answer that is no success, decided at the edge (authentication, limits, ETags)."""

    def __init__(
        self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more

    def response(self) -> Response:
        return _response(self.status, self.detail, self.headers, **self.more)


class ProblemDocument(BaseModel):
    """RFC 9457. `detail` says what was wrong, where, and what would be right."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=[f"{_TYPES}409"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    detail: str = Field(examples=["lot 0f… is spent already, by entry 41"])


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses=`: the problems that a route answers with, beside those of every route."""
    return {status: _documented(status) for status in statuses}


def documented_json(status: int) -> dict[str, Any]:
    """As in the OpenAPI document itself."""
    return {str(status): _documented(status)}


def _documented(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {"description": HTTPStatus(status).phrase, "content": {MEDIA: {"schema": schema}}}


def _response(status: int, detail: str, headers: Mapping[str, str], **more: Any) -> Response:
    body = {
        "type": f"{_TYPES}{status}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }
    return Response(orjson.dumps(body), status, headers, media_type=MEDIA)


def status_of(error: LedgerError) -> int:
    return next(STATUS[each] for each in type(error).__mro__ if each in STATUS)


def add_to(app: FastAPI) -> None:
    """Every error that a request can end in becomes a problem document."""

    @app.exception_handler(Problem)
    def _problem(_request: Request, error: Problem) -> Response:
        return error.response()

    @app.exception_handler(LedgerError)
    def _ledger(_request: Request, error: LedgerError) -> Response:
        status = status_of(error)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("unavailable", error=str(error), kind=type(error).__name__)
        headers = {}
        if isinstance(error, Throttled):
            headers = {"Retry-After": str(error.retry_after_s)}
        elif isinstance(error, Unavailable):
            headers = {"Retry-After": str(_RETRY_S)}
        return _response(status, str(error), headers)

    @app.exception_handler(RequestValidationError)
    def _invalid(_request: Request, error: RequestValidationError) -> Response:
        # Neither input nor context: what was sent may be a secret.
        found = [{"where": _where(one["loc"]), "what": one["msg"]} for one in error.errors()]
        first = found[0]
        return _response(422, f"{first['where']}: {first['what']}", {}, errors=found)

    @app.exception_handler(HTTPException)
    def _http(_request: Request, error: HTTPException) -> Response:
        if isinstance(error.__cause__, Problem):  # raised while FastAPI read the body
            return error.__cause__.response()
        # Where FastAPI's own words say nothing of what would be right.
        detail = _SAID.get(error.status_code, str(error.detail))
        return _response(error.status_code, detail, error.headers or {})

    @app.exception_handler(Exception)
    def _bug(_request: Request, error: Exception) -> Response:
        _log.error("bug", kind=type(error).__name__, exc_info=error)
        # Made outside of all middleware, which would have secured it.
        headers = {**SECURITY_HEADERS, "Cache-Control": "no-store"}
        said = "an error of ours, which was logged; nothing was half-written"
        return _response(500, said, headers)


def _where(location: Sequence[Any]) -> str:
    return ".".join(map(str, location))
