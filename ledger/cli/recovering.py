"""greenledger backup, restore."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ledger import db
from ledger.cli.options import Dir, Json, open_house, settings_of
from ledger.cli.output import Output, park_time, step
from ledger.log import succession
from ledger.recovery.backup import backup as back_up
from ledger.recovery.restore import Sources
from ledger.recovery.restore import restore as put_back
from ledger.recovery.succession import succeed
from ledger.settings import Settings
from ledger.units import format_instant


def add_to(app: typer.Typer) -> None:
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder, or one that a backup is in.")],
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Add what is new to a backup, while the service goes on; the first run begins one.

    Entries, bodies, checkpoints, accounts, jobs, and keys as they are sealed; never the
    key-encryption key, without which the keys do not open: keep that elsewhere.
    """
    out = Output(as_json=as_json)
    with out.progress() as bar:
        found = back_up(open_house(directory), folder, step(bar, "backup"))
    out.say(
        f"{found.entries:,} entries added; {folder} has {found.size:,}, with bodies, checkpoints,"
        f" accounts and {found.keys} sealed keys. The key-encryption key is not in it."
    )
    out.say(f"Root {found.root}")
    out.result({"backup": str(folder), **asdict(found)})


def restore(
    folder: Annotated[Path, typer.Argument(help="A backup, or what `export entries` wrote.")],
    tiles: Annotated[
        str, typer.Option(help="Where the log is published (folder or URL): entries since then.")
    ] = "",
    bodies: Annotated[
        list[Path] | None,
        typer.Option(help="With --tiles: a folder or a gateway's outbox with bodies; repeatable."),
    ] = None,
    pin: Annotated[
        list[Path] | None,
        typer.Option(help="A signed checkpoint that must be reached; repeatable."),
    ] = None,
    new_origin: Annotated[
        str, typer.Option(help="Begin a new log of this name, which names the lost one.")
    ] = "",
    log_only: Annotated[
        bool, typer.Option("--log-only", help="No accounts and no keys: needs no key.")
    ] = False,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Replay a backup into an empty database, checking everything again.

    A backup that lies behind what was signed is refused: give --tiles, so that nothing that others
    have seen is missing; or, where that is lost, --new-origin.
    """
    out = Output(as_json=as_json)
    sources = Sources(tiles=tiles, bodies=bodies or (), pins=pin or (), log_only=log_only)
    if new_origin:
        _begin_anew(out, settings_of(directory), folder, new_origin, sources)
        return
    with out.progress() as bar:
        found = put_back(settings_of(directory), folder, step(bar, "restore"), sources)
    out.say(
        f"{found.size:,} entries restored, {found.from_tiles:,} of them from the published tiles;"
        f" {found.rows:,} rows of the service, {found.keys} sealed keys."
    )
    out.say(f"Root {found.root.hex()}")
    out.result({"log_size": found.size, **asdict(found), "root": found.root.hex()})


def _begin_anew(
    out: Output, settings: Settings, folder: Path, origin: str, sources: Sources
) -> None:
    found = succeed(settings, folder, origin, sources)
    old, house = found.follows, found.house
    with db.reading(house.engine) as conn:
        since_s = succession.since_s(conn, house.log.log_id)
    assert since_s is not None
    since = park_time(since_s, house.log.zone)
    out.say(
        f"Log {origin} begun; it follows {old.origin} as of {old.size:,} entries, root"
        f" {old.root.hex()}."
    )
    out.say(f"Verification key, to be given to every verifier:\n  {house.log.log_key.vkey}")
    out.say(
        f"Its accounts begin {since} (park time): nothing of times before is taken. Register anew:"
        f" {', '.join(found.parties) or 'no party'}, their keys, points, contracts, schemes."
    )
    out.result(
        {
            "origin": origin,
            "vkey": house.log.log_key.vkey,
            "follows": {
                "origin": old.origin,
                "log_vkey": old.log_vkey,
                "size": old.size,
                "root": old.root.hex(),
            },
            "since": format_instant(since_s),
            "parties": found.parties,
        }
    )
