"""Log lines of a service: one JSON object each, on standard error.

What is logged has names and numbers; no params, no values of readings, no keys. A traceback is of
file, line and message, without the variables that were in scope.
"""

from __future__ import annotations

import logging
import sys
from typing import Final

import structlog

_TIME: Final = structlog.processors.TimeStamper(fmt="iso", utc=True)
# They say each message that comes and each sweep that goes; our own lines say what became of it.
_TALKATIVE: Final = (
    "alembic.runtime.migration",
    "celery.app.trace",
    "celery.beat",
    "celery.worker.strategy",
)
_SHARED: Final[tuple[structlog.typing.Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    _TIME,
    structlog.processors.format_exc_info,
)


def set_up_logging(level: str) -> None:
    """Once for a process: ours and other libraries' lines alike. `level`: `info`, `warning`, …"""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
