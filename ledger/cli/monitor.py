"""greenledger monitor: follow a log from outside."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.json_option import Json
from ledger.cli.output import Output
from ledger.errors import InvalidInput
from ledger.remote import open_source
from ledger.units import format_instant
from ledger.watching.monitor import MAX_AGE_S, Monitor, Visit, Wanted
from ledger.watching.notes import read_log_keys, read_witness_keys
from ledger.watching.published import PublishedLog

_EVERY_S = 300


def add_to(app: typer.Typer) -> None:
    app.command("monitor")(monitor)


def monitor(
    url: Annotated[
        str, typer.Argument(help="Where the log is published: http(s)://… or a directory.")
    ],
    vkey: Annotated[
        list[str], typer.Option(help="Key of the log, from a source that you trust; may repeat.")
    ],
    state: Annotated[
        Path, typer.Option(help="Folder for what was seen; one for each log. It is made.")
    ],
    once: Annotated[
        bool, typer.Option("--once", help="One visit; exit code 1 where there is an alarm.")
    ] = False,
    every: Annotated[int, typer.Option(help="Seconds between visits.", min=1)] = _EVERY_S,
    max_age: Annotated[
        int, typer.Option(help="Seconds after which a log that shows nothing new is stale.", min=1)
    ] = MAX_AGE_S,
    silent: Annotated[
        int, typer.Option(help="Seconds after which a source without a batch is a gap.", min=0)
    ] = 0,
    witness: Annotated[
        list[str] | None, typer.Option(help="Key of a witness that you trust; may repeat.")
    ] = None,
    quorum: Annotated[
        int, typer.Option(help="How many of them must have cosigned the checkpoint.", min=0)
    ] = 0,
    compare: Annotated[
        list[str] | None,
        typer.Option(
            help="Address or file of a checkpoint of this log that others have; may repeat."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Follow a log from outside, and raise an alarm where it breaks its word."""
    wanted = Wanted(
        keys=read_log_keys(vkey),
        witnesses=read_witness_keys(witness or []),
        quorum=quorum,
        max_age_s=max_age,
        silent_s=silent,
        compare=compare or [],
    )
    if quorum > len({key.name for key in wanted.witnesses}):
        raise InvalidInput(f"--quorum {quorum}: give as many witnesses (--witness)")
    out = Output(as_json=as_json)
    with closing(PublishedLog(open_source(url))) as log:
        watching = Monitor(state, log, wanted)
        while True:
            visit = watching.visit(int(time.time()))
            _say(out, visit, all_=once)
            if once:
                raise typer.Exit(1 if visit.alarms else 0)
            time.sleep(every)


def _say(out: Output, visit: Visit, *, all_: bool) -> None:
    for one in visit.alarms if all_ else visit.began:
        out.say(f"ALARM {one.kind}: {one.message} (since {format_instant(one.since_s)})")
    for one in visit.ended:
        out.say(f"over: {one.kind}: {one.message}")
    verdict = f"{len(visit.alarms)} alarms" if visit.alarms else "no alarm"
    fresh = format_instant(visit.fresh_s) if visit.fresh_s else "never"
    out.say(
        f"{visit.origin}: {visit.size:,} entries, {visit.judged:,} keep the rules,"
        f" current as of {fresh}, {len(visit.cosigned)} witnesses: {verdict}"
    )
    out.result(visit.shown())
