"""The routes of `/api/v1`, one module for each group of them."""

from typing import Final

from api.routes import health, log, readings

ROUTERS: Final = (health.router, log.router, readings.router)
