"""The application: routes, limits, metrics, and how errors look, put together over one house."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import Depends, FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.openapi.utils import get_openapi

from api import callers, problems
from api.limits import Limits, Rates
from api.metrics import Measured, Metrics
from api.routes import ROUTERS, pact
from api.service import Service
from ledger.access.passwords import Passwords
from ledger.house import House
from ledger.jobs.inprocess import Runner
from ledger.settings import Settings

BASE: Final = "/api/v1"
_DESCRIPTION: Final = """
An append-only, signed ledger of green power and carbon credits. Whatever is written is an entry of
a public log (C2SP tlog-tiles under `/log`), which anybody verifies without this service.

Errors are RFC 9457 problem documents. A request that writes takes an `Idempotency-Key`: sent again
with it, it writes nothing and gives the same answer. Lists are read in pages by `cursor`.
"""


def create_app(
    house: House,
    *,
    nudge: Callable[[str], None] | None = None,
    passwords: Passwords | None = None,
) -> FastAPI:
    """The API over an open house, which stays the caller's to close.

    `nudge` tells workers of a job; without it the process does its jobs itself.
    """
    settings = house.settings
    runner = Runner(house)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if nudge is None:
            runner.start()
        yield
        if nudge is None:
            await run_in_threadpool(runner.stop)

    app = FastAPI(
        lifespan=lifespan,
        title="greenledger",
        version="1",
        description=_DESCRIPTION,
        openapi_url=f"{BASE}/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses=problems.documented(400, 401, 403, 413, 415, 422, 429, 503),
        redirect_slashes=False,
    )
    app.state.service = Service(
        house=house, nudge=nudge or runner.nudge, passwords=passwords or Passwords()
    )
    app.state.streams = Counter()  # by account
    metrics = Metrics(house)
    app.state.metrics = metrics
    for router in ROUTERS:
        app.include_router(router, prefix=BASE, dependencies=[Depends(callers.caller_of)])
    app.include_router(pact.router)  # its own paths, callers and errors
    problems.add_to(app)
    app.add_middleware(
        Limits,
        body_bytes_max=settings.body_bytes_max,
        rates=Rates(per_s=settings.requests_per_s, burst=settings.requests_burst),
    )
    app.add_middleware(Measured, metrics=metrics)
    callers.check_table(ROUTERS)
    _document(app)
    return app


def nudge_of(settings: Settings) -> Callable[[str], None] | None:
    """How workers are told of a job; None where no Redis is named, and jobs run in process."""
    if not settings.redis_url.get_secret_value():
        return None
    from workers.app import make_app, nudging  # Celery takes its time to load

    return nudging(make_app(settings))


def _document(app: FastAPI) -> None:
    """The OpenAPI document: credentials, problem documents instead of FastAPI's own errors."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            schemas = found["components"]["schemas"]
            schemas.pop("HTTPValidationError", None)
            schemas.pop("ValidationError", None)
            schemas["ProblemDocument"] = problems.ProblemDocument.model_json_schema()
            found["components"]["securitySchemes"] = {
                "token": {"type": "http", "scheme": "bearer", "description": "gls_… or glk_…"}
            }
            for path in found["paths"].values():
                for operation in path.values():
                    operation["security"] = callers.security_of(operation["operationId"])
                    operation["responses"].update(problems.documented_json(422))
                    _document_drafts(operation["responses"])
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it


def _document_drafts(responses: dict[str, Any]) -> None:
    """An act that needs two officers is prepared instead."""
    content = responses.get("201", {}).get("content", {})
    if content.get("application/json", {}).get("schema", {}).get("$ref", "").endswith("/Receipts"):
        responses["202"] = {
            "description": "Prepared: another officer approves the draft",
            "content": content,
        }
