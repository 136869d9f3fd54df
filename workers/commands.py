"""The processes that `greenledger worker` and `greenledger beat` are."""

from __future__ import annotations

from typing import Any

from celery import Celery, signals

from ledger.house import House
from ledger.logging_setup import set_up_logging
from ledger.settings import Settings
from workers.app import make_app
from workers.schedule import schedule
from workers.tasks import register


def _app(settings: Settings) -> Celery:
    app = make_app(settings)
    register(app, settings)
    schedule(app, settings)
    set_up_logging(settings.log_level)
    # Celery leaves the loggers alone where somebody else sets them up.
    signals.setup_logging.connect(_is_set_up)
    return app


def _is_set_up(**_: Any) -> None:
    """Logging is as `set_up_logging` says."""


def work(settings: Settings, *, concurrency: int, beat: bool) -> int:
    """Do jobs until a signal comes; returns the exit code. Raises Unavailable as `House.open`."""
    app = _app(settings)
    # Here, where it can be said to whoever starts it, rather than once for each job.
    House.open(settings).engine.dispose()
    worker = app.Worker(
        pool="prefork",
        concurrency=concurrency,
        beat=beat,
        quiet=True,
        without_gossip=True,
        without_mingle=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def beat(settings: Settings) -> None:
    """Send what is due until a signal comes."""
    _app(settings).Beat(quiet=True).run()
