"""greenledger serve: the HTTP API of a data directory."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from ledger import db
from ledger.access import service as access
from ledger.access.roles import MEMBER_ROLES
from ledger.cli.listening import listen
from ledger.cli.options import Dir, Json, open_house
from ledger.cli.output import Output
from ledger.errors import InvalidInput
from ledger.house import House
from ledger.logging_setup import set_up_logging
from ledger.settings import Settings

_ORIGIN: Final = "greenledger.localhost"
_FIRST: Final = "admin"
_LOCAL: Final = ("127.0.0.1", "::1", "localhost")


def add_to(app: typer.Typer) -> None:
    app.command("serve")(serve)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65_535)] = 8000,
    proxy: Annotated[
        str, typer.Option(help="Addresses of proxies whose X-Forwarded-For counts.")
    ] = "127.0.0.1",
    new: Annotated[
        bool, typer.Option("--new", help="Where there is no ledger: begin one to try things out.")
    ] = False,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Serve the API under /api/v1 until Ctrl-C.

    Where nobody can sign in yet, an account `admin` with all roles is made, and its password is
    shown once.
    """
    # They take their time to load, and no other command needs them.
    import uvicorn

    from api.app import create_app, nudge_of

    if new and host not in _LOCAL:
        raise InvalidInput("--new begins a ledger to try things out: with --host 127.0.0.1 alone")
    if new:
        _begin(directory)
    house = open_house(directory)
    out = Output(as_json=as_json)
    # Before anything is said: what is told to be served takes connections, and nobody else's port.
    listening = listen(host, port)
    password = _first_account(house)
    if password:
        out.say(f"Nobody could sign in yet. Made account {_FIRST}, with the password")
        out.say(f"  {password}")
    set_up_logging(house.settings.log_level)
    config = uvicorn.Config(
        create_app(house, nudge=nudge_of(house.settings)),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        proxy_headers=True,
        forwarded_allow_ips=proxy,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    server = uvicorn.Server(config)
    with listening:
        at = listening.getsockname()
        name = f"[{at[0]}]" if ":" in at[0] else at[0]
        url = f"http://{name}:{at[1]}/api/v1"
        out.say(f"{house.log.origin} is served at {url} (Ctrl-C stops)")
        out.say(f"What it can do: docs/api.md, and {url}/openapi.json")
        out.result({"url": url, "origin": house.log.origin, "first_password": password})
        sys.stdout.flush()
        server.run(sockets=[listening])
    house.engine.dispose()


def _begin(directory: Path | None) -> None:
    settings = Settings(dir=directory) if directory else Settings()
    if not settings.database_url and not settings.database_file.exists():
        House.init(settings, origin=_ORIGIN, name="A park to try things out").engine.dispose()


def _first_account(house: House) -> str:
    """The password of the account that was made, or `""` where there are accounts."""
    with db.reading(house.engine) as conn:
        if access.list_accounts(conn):
            return ""
    password = secrets.token_urlsafe(18)
    hashed = access.Passwords().hash(password)
    now_s = house.desk.clock_s()
    with db.writing(house.engine) as conn:
        made = access.create_account(conn, now_s, access.MACHINE, _FIRST, hashed)
        for role in sorted(MEMBER_ROLES):
            operator = house.log.operator
            access.grant(conn, now_s, access.MACHINE, made, operator, role, operator)
    return password
