"""The routes of `/api/v1`, one module for each group of them."""

from typing import Final

from api.routes import (
    accounts,
    approvals,
    catalogue,
    claims,
    erasures,
    factors,
    health,
    jobs,
    keys,
    log,
    matching,
    parties,
    periods,
    points,
    readings,
    records,
    reductions,
    reports,
    sessions,
    units,
)

ROUTERS: Final = (
    health.router,
    sessions.router,
    accounts.router,
    keys.router,
    log.router,
    parties.router,
    points.router,
    readings.router,
    erasures.router,
    matching.router,
    reductions.router,
    *units.ROUTERS,
    catalogue.router,
    factors.router,
    claims.router,
    jobs.router,
    approvals.router,
    periods.router,
    records.router,
    reports.router,
)
