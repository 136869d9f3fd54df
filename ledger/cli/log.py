"""greenledger init, status, checkpoint, migrate, grant, audit, export."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from ledger import db
from ledger.approvals import store as drafts
from ledger.claims import shortfall
from ledger.claims import store as claims
from ledger.cli import anchors
from ledger.cli.claims import warn_short
from ledger.cli.log_keys import kind_of
from ledger.cli.options import Dir, Json, open_house, settings_of
from ledger.cli.output import Output, park_time, step
from ledger.errors import NotFound
from ledger.house import House
from ledger.log import logkeys, store
from ledger.log.checkpoint import Checkpoint
from ledger.log.publish import latest_checkpoint
from ledger.lots import store as lots
from ledger.metering.store import interval_counts
from ledger.parties.officer_store import approval_of
from ledger.parties.store import all_parties
from ledger.registry import catalogue, lifecycle, used
from ledger.registry import store as registry
from ledger.registry.scheme import Scheme
from ledger.units import format_instant

export = typer.Typer(help="Write static copies: tiles, entries, parquet.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.command("init")(init)
    app.command("status")(status)
    app.command("checkpoint")(checkpoint)
    app.command("migrate")(migrate)
    app.command("grant")(grant)
    app.command("audit")(audit)
    app.add_typer(export, name="export")


def init(
    origin: Annotated[
        str, typer.Option(help="The log's name for good, such as park.example/2026.")
    ],
    name: Annotated[str, typer.Option(help="The operator's name, for people.")] = "Park operator",
    zone: Annotated[str, typer.Option(help="Park time, a fixed offset.")] = "+08:00",
    operator: Annotated[str, typer.Option(help="Party id of the operator.")] = "operator",
    log_vkey: Annotated[
        str, typer.Option(help="Key of the log that the external signer holds.")
    ] = "",
    operator_vkey: Annotated[
        str, typer.Option(help="Key of the operator that the external signer holds.")
    ] = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Begin a log: its keys, its database, its first entry."""
    house = House.init(
        settings_of(directory),
        origin=origin,
        name=name,
        zone=zone,
        operator=operator,
        log_vkey=log_vkey,
        operator_vkey=operator_vkey,
    )
    out = Output(as_json=as_json)
    out.say(f"Log {origin} begun in {house.settings.dir}.")
    out.say(f"Verification key, to be given to every verifier:\n  {house.log.log_key.vkey}")
    out.result({"origin": origin, "dir": str(house.settings.dir), "vkey": house.log.log_key.vkey})


def _four_eyes(conn: Connection, log_id: int) -> dict[str, bool]:
    """{party: whether what can't be undone takes two officers of it}."""
    return {
        one.party: approval_of(conn, log_id, one.party).four_eyes
        for one in all_parties(conn, log_id)
    }


def _eyes_line(eyes: Mapping[str, bool]) -> str:
    on = [party for party, two in eyes.items() if two]
    if not on:
        return "off: one person acts for each party"
    return f"on for {', '.join(on)}; off for {len(eyes) - len(on)} parties"


def status(directory: Dir = None, as_json: Json = False) -> None:
    """What the ledger holds."""
    house = open_house(directory)
    log_id = house.log.log_id
    with db.reading(house.engine) as conn:
        head = store.load_head(conn, log_id)
        log_keys = logkeys.signing_at(conn, house.log, head.size)
        signed = _signed(conn, house)
        counts = interval_counts(conn, log_id)
        made, spent = lots.count_lots(conn, log_id)
        claimed = [row for row in claims.find_claims(conn, log_id) if row.in_force]
        short = shortfall.short_claims(conn, house.log)
        owed = shortfall.owed_flags(conn, house.log)
        units = _units(conn, log_id)
        short_batches = shortfall.short_batches(conn, house.log)
        eyes = _four_eyes(conn, log_id)
        waiting = len(drafts.find_drafts(conn, log_id, state=drafts.PREPARED))
        standing = anchors.standings_of(conn, house, signed)
    intervals = sum(count for _, count in counts)
    out = Output(as_json=as_json)
    lines = {
        "operator": house.log.operator,
        "park time": house.log.zone,
        "entries": f"{head.size:,}",
        "last tick": f"{park_time(head.tick_s, house.log.zone)} ({house.log.zone})",
        "latest checkpoint": (
            f"{signed.size:,} entries, root {signed.root.hex()}" if signed else "none yet"
        ),
        "anchors": anchors.status_line(standing),
        "intervals stored": f"{intervals:,} of {len(counts)} points",
        "lots": f"{made:,} made, {spent:,} of them spent",
        "claims": f"{len(claimed):,} in force, {len(short):,} of them short",
        **_unit_lines(units),
        "four eyes": _eyes_line(eyes)
        + (f"; {waiting} drafts wait for an officer" if waiting else ""),
        "verification key": house.verification_key.vkey,
        "log keys": ", ".join(f"{key.key_id.hex()} ({kind_of(key)})" for key in log_keys),
    }
    out.say(f"Log {house.log.origin}")
    for name, value in lines.items():
        out.say(f"  {name:<18} {value}")
    anchors.warn(out, standing)
    warn_short(out, short_batches)
    if owed:
        out.warn(f"{len(owed)} claims are to be flagged; run: greenledger claim flag")
    out.result(
        {
            "origin": house.log.origin,
            "vkey": house.verification_key.vkey,
            "log_keys": [key.vkey for key in log_keys],
            "log_size": head.size,
            "tick": format_instant(head.tick_s),
            "checkpoint": {"size": signed.size, "root": signed.root.hex()} if signed else None,
            "anchors": standing,
            "intervals": intervals,
            "lots": made,
            "lots_spent": spent,
            "four_eyes": eyes,
            "drafts_waiting": waiting,
            "claims": len(claimed),
            "claims_short": len(short),
            "schemes": [
                {
                    "scheme": rules.scheme,
                    "kind": rules.kind,
                    "status": rules.status,
                    "imported": imported,
                    "held": imported - sum(gone.values()),
                    "retired": gone.get(lifecycle.RETIRE, 0),
                    "gone": gone,
                }
                for rules, imported, gone in units
            ],
        }
    )


_Units = list[tuple[Scheme, int, dict[str, int]]]  # of a scheme: imported, and {act: units gone}


def _units(conn: Connection, log_id: int) -> _Units:
    imported = registry.count_units(conn, log_id)
    gone = used.count_gone(conn, log_id)
    return [
        (one.rules, imported.get(name, (0, 0))[0], gone.get(name, {}))
        for name, one in sorted(catalogue.current_schemes(conn, log_id).items())
    ]


def _unit_lines(units: _Units) -> dict[str, str]:
    """{what: how much}, a line for each scheme that has units."""
    lines = {"schemes": ", ".join(rules.scheme for rules, _, _ in units) or "none yet"}
    for rules, imported, gone in units:
        if imported:
            others = sum(gone.values()) - gone.get(lifecycle.RETIRE, 0)
            lines[f"  {rules.scheme}"] = (
                f"{rules.said(imported - sum(gone.values()))} held,"
                f" {gone.get(lifecycle.RETIRE, 0):,} retired, {others:,} gone otherwise"
            )
    return lines


def _signed(conn: Connection, house: House) -> Checkpoint | None:
    """None where `init` was stopped between the genesis and its checkpoint."""
    try:
        return latest_checkpoint(conn, house.log)[0]
    except NotFound:
        return None


def migrate(directory: Dir = None, as_json: Json = False) -> None:
    """Bring the database to the schema that this version needs; a newer program asks for it."""
    revision = House.migrate(settings_of(directory))
    out = Output(as_json=as_json)
    out.say(f"The database has schema {revision}.")
    out.result({"schema": revision})


def grant(
    role: Annotated[str, typer.Argument(help="A role of PostgreSQL that may log in.")],
    may_erase: Annotated[
        bool, typer.Option("--may-erase", help="It may erase batches too, which it may not else.")
    ] = False,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Let the role that the service runs as add rows, and change none; after each migration."""
    House.grant(settings_of(directory), role, erases=may_erase)
    out = Output(as_json=as_json)
    but = ", but what the log erases" if may_erase else ""
    out.say(f"{role} may append, and change or delete nothing of the ledger{but}.")
    out.result({"role": role, "may_erase": may_erase})


def checkpoint(directory: Dir = None, as_json: Json = False) -> None:
    """Recompute what is stored, and sign its root."""
    house = open_house(directory)
    note = house.checkpoint().decode()
    out = Output(as_json=as_json)
    out.say(note.rstrip())
    out.result({"checkpoint": note})


def audit(directory: Dir = None, as_json: Json = False) -> None:
    """Check every signature, hash, rule and number again, and rebuild every table."""
    out = Output(as_json=as_json)
    house = open_house(directory)
    with out.progress() as bar:
        found = house.audit(step(bar, "audit"))
    out.say(
        f"All holds: {found.entries:,} entries, {found.bodies:,} bodies, {found.checkpoints}"
        f" checkpoints; {found.rows:,} rows of {found.tables} tables rebuilt and equal;"
        f" {found.cosignatures:,} cosignatures and {found.tokens:,} time-stamps."
    )
    if found.erased:
        out.say(
            f"{found.erased:,} bodies were erased by the log. On their word, as nobody can compute"
            f" them again, stand the entries {', '.join(map(str, found.attested)) or 'none'}."
        )
    out.say(f"Root {found.root.hex()}")
    out.result(
        {
            "ok": True,
            "entries": found.entries,
            "bodies": found.bodies,
            "erased": found.erased,
            "attested": list(found.attested),
            "checkpoints": found.checkpoints,
            "rows": found.rows,
            "tokens": found.tokens,
            "cosignatures": found.cosignatures,
            "root": found.root.hex(),
        }
    )


Folder = Annotated[Path, typer.Argument(help="A new folder.")]


@export.command("tiles")
def export_tiles(folder: Folder, directory: Dir = None, as_json: Json = False) -> None:
    """The public log as a static C2SP tile directory: any web server can serve it."""
    house = open_house(directory)
    out = Output(as_json=as_json)
    with out.progress() as bar:
        size = house.export_tiles(folder, step(bar, "tiles"))
    out.say(f"{size:,} entries under the checkpoint in {folder}. Verify with:")
    out.say(f"  greenledger-verify log {folder} --vkey '{house.verification_key.vkey}'")
    out.result({"tiles": str(folder), "log_size": size, "vkey": house.verification_key.vkey})


@export.command("entries")
def export_entries(folder: Folder, directory: Dir = None, as_json: Json = False) -> None:
    """Entries and bodies, private ones included, for `restore`; no accounts, no keys."""
    house = open_house(directory)
    out = Output(as_json=as_json)
    with out.progress() as bar:
        size = house.export_entries(folder, step(bar, "entries"))
    out.say(f"{size:,} entries and their bodies in {folder}. They are private: keep them safe.")
    out.result({"entries": str(folder), "log_size": size})


@export.command("parquet")
def export_readings(
    file: Annotated[Path, typer.Argument(help="A new Parquet file.")],
    point: Annotated[list[str] | None, typer.Option(help="Only this point; repeatable.")] = None,
    as_of: Annotated[int | None, typer.Option(help="As of this log size.")] = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """The effective series, one row for each interval."""
    from ledger.metering.tables import export_parquet  # and pyarrow, which others need not wait for

    house = open_house(directory)
    rows = export_parquet(house.desk, file, names=point or (), as_of=as_of)
    out = Output(as_json=as_json)
    out.say(f"{rows:,} readings in {file}.")
    out.result({"parquet": str(file), "rows": rows})
