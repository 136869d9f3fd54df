"""The Celery application, as the settings say.

Redis may lose everything: a message is a nudge with a job's id, sent after the commit, and what is
pending is found in the database. There is no result backend: results are rows of jobs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

from ledger.errors import Unavailable
from ledger.settings import Settings

log: Final = structlog.get_logger(__name__)
RUN: Final = "greenledger.run"
SWEEP: Final = "greenledger.sweep"
QUEUE: Final = "greenledger"
# Whoever has time takes what is oldest in the database; older messages say nothing more.
_NUDGE_LASTS_S: Final = 60


def make_app(settings: Settings) -> Celery:
    """Raises Unavailable where no Redis is named."""
    url = settings.redis_url.get_secret_value()
    if not url:
        raise Unavailable(
            "no Redis is named, so jobs run in the process that serves; for workers set"
            " GREENLEDGER_REDIS_URL, such as redis://localhost:6379/0"
        )
    app = Celery("greenledger", broker=url, set_as_current=False)
    app.conf.update(
        task_default_queue=QUEUE,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        # A worker that is killed has not acknowledged: the message comes again, to another.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        broker_transport_options={
            "visibility_timeout": 3600,
            "unacked_restore_interval": 1,
            # Who nudges waits no longer than this for Redis: the sweep does it again.
            "socket_connect_timeout": 2,
            "socket_timeout": 30,
        },
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # A job goes on while Redis is away: its lease is in the database.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        beat_scheduler="celery.beat:Scheduler",
        beat_max_loop_interval=5,
        timezone="UTC",
    )
    return app


def nudging(app: Celery) -> Callable[[str], None]:
    """A function that tells workers of a job by its id, after the commit; it never raises, since
    the sweep finds what nobody was told of."""

    def nudge(id_: str) -> None:
        try:
            app.send_task(RUN, args=[id_], retry=False, expires=_NUDGE_LASTS_S)
        except OperationalError as error:
            log.warning("workers could not be told", job=id_, error=type(error).__name__)

    return nudge
