"""What beat sends: the sweep alone, which asks for all else that is due (`ledger.jobs.schedule`).

So two beats do no harm: what the clock asks for is a job with its time as its key.
"""

from __future__ import annotations

from celery import Celery

from ledger.settings import Settings
from workers.app import SWEEP


def schedule(app: Celery, settings: Settings) -> None:
    """Give an application its schedule."""
    every_s = settings.job_sweep_every_s
    app.conf.beat_schedule = {
        "sweep": {
            "task": SWEEP,
            "schedule": every_s,
            # Sweeps that nobody had time for need not be caught up with.
            "options": {"expires": max(every_s, 1.0)},
        }
    }
