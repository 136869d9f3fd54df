"""greenledger gateway: from MQTT to signed batches in the log."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.options import Json
from ledger.cli.output import Output
from ledger.errors import Unavailable
from ledger.gateway import run
from ledger.gateway.config import read_config
from ledger.logging_setup import set_up_logging
from ledger.settings import Settings


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
        set_up_logging(Settings().log_level)
        # It would log each request; what is in the outbox says more.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        run.run(found)
