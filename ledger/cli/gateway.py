"""greenledger gateway: from MQTT to signed batches in the log."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer

from ledger.cli.options import Json
from ledger.cli.output import Output
from ledger.errors import Unavailable
from ledger.gateway import run
from ledger.gateway.config import read_config


def add_to(app: typer.Typer) -> None:
    app.command("gateway")(gateway)


def gateway(
    config: Annotated[Path, typer.Option(help="gateway.toml; docs/gateway.md says what is in it.")],
    status: Annotated[
        bool, typer.Option("--status", help="Say what the outbox holds, and fail unless it runs.")
    ] = False,
    retry_quarantine: Annotated[
        bool,
        typer.Option("--retry-quarantine", help="Let readings that were set aside wait again."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Collect readings from MQTT, and keep them until the log proves that it has them."""
    found = read_config(config)
    out = Output(as_json=as_json)
    if retry_quarantine:
        count = run.retry_quarantine(found)
        out.say(f"{count} readings wait again.")
        out.result({"readings": count})
    elif status:
        state = run.status(found, run.now_s())
        for name, count in sorted(state["counts"].items()):
            out.say(f"{name}: {count:,}")
        out.result(state)
        if not state["alive"]:
            raise Unavailable("the gateway does not run, or hangs")
    else:
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        )
        run.run(found)
