"""greenledger worker, beat: processes that do jobs where a Redis is named."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from ledger.cli.options import Dir, settings_of

LogLines = Annotated[bool, typer.Option("--json", help="Log lines are JSON, with it or without.")]


def add_to(app: typer.Typer) -> None:
    app.command("worker")(worker)
    app.command("beat")(beat)


def worker(
    concurrency: Annotated[
        int, typer.Option(min=1, help="Jobs done at once (default: one for each core).")
    ] = os.cpu_count() or 1,
    with_beat: Annotated[
        bool, typer.Option("--beat", help="Also send what is due, as greenledger beat does.")
    ] = False,
    directory: Dir = None,
    as_json: LogLines = False,
) -> None:
    """Do jobs that the server was asked for, until stopped.

    GREENLEDGER_REDIS_URL names the Redis. One that is killed loses nothing: another begins its job
    anew once its lease has run out.
    """
    del as_json
    # Celery takes its time to load, and no other command needs it.
    from workers.commands import work

    raise typer.Exit(work(settings_of(directory), concurrency=concurrency, beat=with_beat))


def beat(directory: Dir = None, as_json: LogLines = False) -> None:
    """Send workers what is due: checkpoints, expiry, audit, and jobs that were left behind.

    More than one does no harm.
    """
    del as_json
    from workers.commands import beat as run_beat

    run_beat(settings_of(directory))
