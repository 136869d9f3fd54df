"""Whether the service lives, whether it can serve, and what it has counted."""

from __future__ import annotations

from typing import Literal

from fastapi import Request
from fastapi.responses import Response

from api.callers import router_of
from api.media import TEXT, Model
from api.problems import documented
from api.service import ServiceOf
from ledger import schema
from ledger.db import reading
from ledger.log import publish, store

router = router_of(tags=["service"])


class Health(Model):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(Model):
    """The database answers, has this program's schema, and its latest checkpoint verifies."""

    status: Literal["ready"] = "ready"
    schema_name: str
    size: int
    checkpoint_size: int


@router.get("/health", operation_id="health")
async def health() -> Health:
    """Liveness: no database is asked, no thread waited for."""
    return Health()


@router.get("/ready", operation_id="ready", responses=documented(503))
def ready(service: ServiceOf) -> Ready:
    """Readiness: 503 while the service can't serve."""
    with reading(service.desk.engine) as conn:
        schema.check(conn)
        size = store.load_head(conn, service.log.log_id).size
        checkpoint, _ = publish.latest_checkpoint(conn, service.log)
    return Ready(schema_name=schema.newest(), size=size, checkpoint_size=checkpoint.size)


@router.get(
    "/metrics",
    operation_id="metrics",
    response_class=Response,
    responses=TEXT,
)
def metrics(request: Request) -> Response:
    """Prometheus metrics of this process."""
    return Response(request.app.state.metrics.text(), media_type="text/plain; version=0.0.4")
