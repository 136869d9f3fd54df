"""greenledger witness …: cosign checkpoints of others' logs."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.cli.json_option import Json
from ledger.cli.listening import listen
from ledger.cli.output import Output
from ledger.logging_setup import set_up_logging
from ledger.remote import open_source
from ledger.settings import Settings
from ledger.watching.witness_state import OwnKey, WitnessState

witness = typer.Typer(
    help="A witness: cosigns checkpoints of logs that only grow.", no_args_is_help=True
)
State = Annotated[Path, typer.Option(help="Folder of the witness: its keys, and what it cosigned.")]
_DEFAULT = Path("greenledger-witness")


def add_to(app: typer.Typer) -> None:
    app.add_typer(witness, name="witness")


@witness.command("init")
def init(
    name: Annotated[str, typer.Argument(help="Its name: a URL without https://, in your domain.")],
    state: State = _DEFAULT,
    ml_dsa: Annotated[
        bool,
        typer.Option("--ml-dsa", help="A second key, ML-DSA-44, signs beside the first."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a witness and its keys; those who trust it need the keys that are shown."""
    made = WitnessState.create(state, name, ml_dsa=ml_dsa, now_s=_now_s())
    _show_keys(Output(as_json=as_json), made.keys)


@witness.command("add-log")
def add_log(
    vkey: Annotated[
        list[str], typer.Option(help="Key of the log, from a source that you trust; may repeat.")
    ],
    url: Annotated[
        str, typer.Option(help="Where the log is published: http(s)://… or a directory.")
    ] = "",
    audit: Annotated[
        bool,
        typer.Option("--audit", help="Read and judge each entry before; needs --url."),
    ] = False,
    state: State = _DEFAULT,
    as_json: Json = False,
) -> None:
    """Cosign this log from now on; of a known one, trust a further key, or audit it."""
    if url:
        open_source(url).close()
    known = WitnessState(state).add_log(vkey, url, audit=audit)
    out = Output(as_json=as_json)
    out.say(f"{known.origin} is cosigned{', and audited' if known.audit else ''}.")
    out.result(asdict(known))


@witness.command("run")
def run(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65_535)] = 8100,
    state: State = _DEFAULT,
    as_json: Json = False,
) -> None:
    """Answer logs that ask for cosignatures, until Ctrl-C."""
    import uvicorn

    from ledger.watching.impatient import Impatient
    from ledger.watching.server import create_app
    from ledger.watching.witness import Witness

    found = WitnessState(state)
    name, keys = found.name, found.cosigners
    out = Output(as_json=as_json)
    set_up_logging(Settings().log_level)
    answering = Witness(found)
    answering.warm_up()
    listening = listen(host, port)
    config = uvicorn.Config(
        create_app(answering),
        http=Impatient,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
        limit_concurrency=200,
    )
    with listening:
        at = listening.getsockname()
        url = f"http://{f'[{at[0]}]' if ':' in at[0] else at[0]}:{at[1]}"
        out.say(f"{name} cosigns at {url}/add-checkpoint (Ctrl-C stops)")
        out.result({"url": url, "name": name, "vkeys": [key.vkey for key in keys]})
        sys.stdout.flush()
        uvicorn.Server(config).run(sockets=[listening])


@witness.command("show")
def show(state: State = _DEFAULT, as_json: Json = False) -> None:
    """Its keys, its logs, what it cosigned of each, and which it refuses for good."""
    from ledger.watching.server import describe

    found = WitnessState(state)
    out = Output(as_json=as_json)
    out.say(describe(found).rstrip("\n"))
    logs: list[dict[str, Any]] = []
    for log in found.logs():
        known, cosigned, broken = log.known, log.cosigned, log.broken
        logs.append(
            {
                **asdict(known),
                "size": cosigned.size,
                "root": cosigned.root.hex(),
                "time_s": cosigned.time_s,
                "violation": asdict(broken) if broken else None,
                "conflicts": [str(path) for path in log.conflicts],
            }
        )
    out.result({"name": found.name, "keys": [asdict(key) for key in found.keys], "logs": logs})


@witness.command("rotate-key")
def rotate_key(state: State = _DEFAULT, as_json: Json = False) -> None:
    """Make the next keys. It signs with old and new ones, until `end-key` ends the old ones."""
    _show_keys(Output(as_json=as_json), WitnessState(state).rotate(_now_s()))


@witness.command("end-key")
def end_key(
    key: Annotated[str, typer.Argument(help="The key that signs no more: its vkey, or its id.")],
    state: State = _DEFAULT,
    as_json: Json = False,
) -> None:
    """End a key, once those who trust the witness have the next one."""
    ended = WitnessState(state).end(key, _now_s())
    out = Output(as_json=as_json)
    out.say(f"{ended.vkey} signs no more; its private half is removed.")
    out.result(asdict(ended))


def _show_keys(out: Output, keys: list[OwnKey]) -> None:
    for key in keys:
        out.say(key.vkey)
    out.result({"vkeys": [key.vkey for key in keys]})


def _now_s() -> int:
    return int(time.time())
