"""The routes of `/api/v1`, one module for each group of them."""

from typing import Final

from api.routes import (
    catalogue,
    claims,
    health,
    jobs,
    log,
    matching,
    parties,
    points,
    readings,
    units,
)

ROUTERS: Final = (
    health.router,
    log.router,
    parties.router,
    points.router,
    readings.router,
    matching.router,
    *units.ROUTERS,
    catalogue.router,
    claims.router,
    jobs.router,
)
