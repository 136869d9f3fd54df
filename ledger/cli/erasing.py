"""greenledger erase: values of batches of readings go for good; what was signed of them stays."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger import db
from ledger.claims.resting import Resting, resting_on
from ledger.cli.approving import As, OfficerKey, carried
from ledger.cli.options import Dir, Json, open_house, park_instant, read_key
from ledger.cli.output import Output, counted
from ledger.errors import InvalidInput
from ledger.house import House
from ledger.metering import erasing
from ledger.metering.store import BatchRow


def add_to(app: typer.Typer) -> None:
    app.command("erase")(erase)


def erase(
    entries: Annotated[
        list[int] | None, typer.Argument(help="Entries of the batches (greenledger prove, runs).")
    ] = None,
    source: Annotated[str, typer.Option(help="Instead: batches of this source.")] = "",
    before: Annotated[
        str, typer.Option(help="With --source: those whose readings all end by this time.")
    ] = "",
    reason: Annotated[str, typer.Option(help="Why; it stands in the public log.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what rests on them, and erase nothing.")
    ] = False,
    sweep: Annotated[
        bool,
        typer.Option("--sweep", help="Clean the database's files of what was erased before."),
    ] = False,
    author: Annotated[
        str, typer.Option(help="Party that signs: of its own batches; the operator by default.")
    ] = "",
    key: Annotated[
        Path | None, typer.Option(help="Private key file of an author that holds its own key.")
    ] = None,
    officer: As = "",
    officer_key: OfficerKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Erase batches of readings for good: values, flags, secrets and files; proofs stay valid."""
    house, out = open_house(directory), Output(as_json=as_json)
    if sweep:
        out.result({"swept": _sweep(out, house)})
        return
    rows, left, resting = _chosen(house, entries or [], source, author, before)
    found = {"batches": [row.entry_index for row in rows], **resting.to_json()}
    _say(out, rows, left, resting)
    if dry_run:
        out.result({**found, "left": left, "entry": None})
        return
    if not reason:
        raise InvalidInput("--reason: say why; it stands in the public log (or --dry-run)")
    receipt = carried(
        out,
        house,
        lambda desk: erasing.erase_batches(
            desk, found["batches"], reason, author=author, key=read_key(key) if key else None
        ),
        officer=officer,
        officer_key=officer_key,
        summary={"batches": found["batches"], "points": found["points"], "reason": reason},
    )
    if receipt is None:
        return
    out.say(f"Entry {receipt.index}: {counted(len(rows), 'batch')} erased.")
    swept = _sweep(out, house)
    out.result({**found, "left": left, "entry": receipt.index, "swept": swept})


def _chosen(
    house: House, entries: list[int], source: str, author: str, before: str
) -> tuple[list[BatchRow], int, Resting]:
    """The batches, how many more there are, and what rests on these."""
    if bool(entries) == bool(source) or (before and not source):
        raise InvalidInput("name the entries of batches, or --source NAME [--before TIME]")
    before_s = park_instant(before, house.log.zone) if before else None
    with db.reading(house.engine) as conn:
        rows = erasing.find_batches(
            conn,
            house.log.log_id,
            entries=entries,
            source=source,
            author=author if source else "",
            before_s=before_s,
        )
        now = rows[: erasing.BATCHES_MAX]
        return now, len(rows) - len(now), resting_on(conn, house.log, now)


def _say(out: Output, rows: list[BatchRow], left: int, found: Resting) -> None:
    out.say(
        f"{counted(len(rows), 'batch')} with {found.readings:,} readings of"
        f" {', '.join(found.points)}."
        + (f" {left} more fit: run it again for these." if left else "")
    )
    for what, entries in (("Runs", found.runs), ("Divisions", found.divisions)):
        if entries:
            out.say(
                f"{what} that stand on their word then: entries {', '.join(map(str, entries))}."
            )
    if found.claims:
        out.say(
            "Claims of which no new evidence of level full or sampled can be made: "
            + ", ".join(claim.hex()[:12] for claim in found.claims)
            + ". Make it first."
        )
    if found.undivided:
        out.say(
            "Not divided into lots yet, and never will be: "
            + ", ".join(f"{name} {month}" for name, month in found.undivided)
            + "."
        )
    if found.files_with:
        out.say(
            "A file that they came from stays as long as other batches of it do: entries "
            + ", ".join(map(str, found.files_with))
            + "."
        )


def _sweep(out: Output, house: House) -> bool:
    swept = db.sweep(house.engine)
    if house.engine.dialect.name == "postgresql":
        out.say(
            "PostgreSQL keeps the old rows until its owner runs: VACUUM FULL blocks, batches,"
            " bodies; and write-ahead logs, replicas and backups until they are gone."
        )
    elif not swept:
        out.say(
            "Somebody reads the database: its write-ahead log is not cut yet. Then run: greenledger"
            " erase --sweep"
        )
    return swept
