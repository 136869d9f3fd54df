"""greenledger prove: files that others verify without this ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ledger import db, proving
from ledger.cli import remote
from ledger.cli.options import Dir, Json, open_house, park_instant
from ledger.cli.output import Output
from ledger.cli.remote import Server
from ledger.errors import InvalidInput, NotFound
from ledger.house import House
from ledger.log.publish import prove_consistency
from ledger.matching.runs import list_runs

FORMATS = ("tlog-proof", "opening", "merkletools")


def add_to(app: typer.Typer) -> None:
    app.command("prove")(prove)


def prove(
    index: Annotated[int | None, typer.Argument(help="Entry to prove.", show_default=False)] = None,
    reading: Annotated[
        str, typer.Option(help="Open the reading of this point at --at, and nothing else.")
    ] = "",
    allocation: Annotated[
        str, typer.Option(help="Open what a run allocated to this consumer at --at.")
    ] = "",
    at: Annotated[
        str, typer.Option(help="Start of the interval; park time where no offset is given.")
    ] = "",
    run: Annotated[int | None, typer.Option(help="Entry of the run (default: the last).")] = None,
    consistency_from: Annotated[
        int | None, typer.Option(help="Prove that the log of this size begins the present one.")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="For an entry: " + ", ".join(FORMATS) + ".")
    ] = "tlog-proof",
    out_file: Annotated[Path | None, typer.Option("--out", help="Write to this file.")] = None,
    server: Server = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Prove an entry, one reading, one allocation, or that the log has only grown."""
    asked = [index is not None, bool(reading), bool(allocation), consistency_from is not None]
    if sum(asked) != 1:
        raise InvalidInput(
            "give one of: an entry's index, --reading, --allocation, --consistency-from"
        )
    out = Output(as_json=as_json)
    if server:
        remote.require_none(server, dir=directory, reading=reading, allocation=allocation)
        if format_ != FORMATS[0]:
            raise InvalidInput(f"--format {format_} needs the bodies; a server gives {FORMATS[0]}")
        files, vkey = remote.prove(server, index, consistency_from)
        _say(out, files, out_file, vkey, consistency_from is not None, format_)
        return
    house = open_house(directory)
    if index is not None:
        files = [_entry(house, index, format_)]
    elif consistency_from is not None:
        files = [json.dumps(_consistency(house, consistency_from)) + "\n"]
    elif reading:
        files = [_text(proving.open_point_reading(house.desk, reading, _start(house, at)))]
    else:
        found = proving.open_allocations(
            house.desk, _run(house, run), allocation, _start(house, at)
        )
        files = [_text(one) for one in found]
    _say(out, files, out_file, house.verification_key.vkey, consistency_from is not None, format_)


def _say(
    out: Output,
    files: list[str],
    out_file: Path | None,
    vkey: str,
    consistency: bool,
    format_: str,
) -> None:
    names = _write(files, out_file)
    if names:
        out.say("Written: " + ", ".join(names))
        if consistency:
            out.say(f"Verify: greenledger-verify consistency --batch {names[0]}")
            out.say("Compare root1 and root2 with the signed checkpoints that you kept.")
        elif format_ != "merkletools":
            out.say(f"Verify: greenledger-verify proof {names[0]} --vkey '{vkey}'")
    else:
        for text in files:
            out.say(text.rstrip())
    out.result({"files": names, "proofs": files, "vkey": vkey})


def _entry(house: House, index: int, format_: str) -> str:
    if format_ not in FORMATS:
        raise InvalidInput(f"--format is one of {', '.join(FORMATS)}, not {format_!r}")
    if format_ == "opening":
        return _text(proving.open_entry(house.desk, index))
    if format_ == "merkletools":
        return json.dumps(proving.prove_for_merkletools(house.desk, index)) + "\n"
    return proving.prove_entry(house.desk, index).decode()


def _consistency(house: House, old_size: int) -> dict[str, Any]:
    with db.reading(house.engine) as conn:
        return prove_consistency(conn, house.log, old_size)


def _run(house: House, run: int | None) -> int:
    if run is not None:
        return run
    with db.reading(house.engine) as conn:
        found = list_runs(conn, house.log.log_id)
    if not found:
        raise NotFound("no matching run is stored yet; make one with: greenledger match")
    return int(found[-1].entry_index)


def _start(house: House, at: str) -> int:
    if not at:
        raise InvalidInput("--at is missing: the start of the interval, such as 2026-01-01T12:00")
    return park_instant(at, house.log.zone)


def _text(opening: proving.Opening) -> str:
    return proving.encode(opening).decode()


def _write(files: list[str], path: Path | None) -> list[str]:
    if path is None:
        return []
    names = []
    for number, text in enumerate(files):
        name = path if number == 0 else path.with_name(f"{path.stem}-{number + 1}{path.suffix}")
        if name.exists():
            raise InvalidInput(f"{name} exists; give a new file")
        name.write_text(text, encoding="utf-8")
        names.append(str(name))
    return names
