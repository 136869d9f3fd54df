"""greenledger record …: typed data that parties put into the log, version after version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ledger import db
from ledger.cli.object_file import read_object
from ledger.cli.options import Dir, HeldKey, Json, open_house, read_key
from ledger.cli.output import Output
from ledger.errors import NotFound
from ledger.parties.desk import fresh_id
from ledger.records import service, store
from ledger.records.model import PRIVATE, REGISTERS
from ledger.records.store import PUT, Record

records = typer.Typer(
    help="Records: factors, regimes, activities, documents, products, under names.",
    no_args_is_help=True,
)
Register = Annotated[str, typer.Option(help="One of " + ", ".join(REGISTERS) + ".")]
Name = Annotated[str, typer.Option(help="The record's name.")]


def add_to(app: typer.Typer) -> None:
    app.add_typer(records, name="record")


def _json(record: Record) -> dict[str, Any]:
    return {
        "register": record.register,
        "name": record.name,
        "author": record.author,
        "entry": record.entry_index,
        "id": record.id,
        "hash": record.leaf.hex(),
        "act": record.act,
        "reason": record.reason,
        "content": dict(record.content),
    }


@records.command("put")
def put(
    file: Annotated[Path, typer.Argument(help="What it says, TOML or JSON; decimals as text.")],
    register: Register,
    author: Annotated[str, typer.Option(help="Party that puts it; the name is its own then.")],
    name: Annotated[
        str,
        typer.Option(
            help="The record's name; without: the file's, in a private register a random one."
        ),
    ] = "",
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Put a record into a register, or a new version of it; the one before stays in the log."""
    house, out = open_house(directory), Output(as_json=as_json)
    content = read_object(file)
    chosen = name or (fresh_id() if register in PRIVATE else file.stem)
    signing = read_key(key) if key else None
    receipt = service.put(house.desk, register, chosen, content, author=author, key=signing)
    done = "replaced" if receipt.entry.statement["replaces"] else "put"
    out.say(f"Entry {receipt.index}: {register} {chosen} {done}, in force from now on.")
    out.result({"register": register, "name": chosen, "entry": receipt.index})


@records.command("list")
def list_records(
    register: Annotated[str, typer.Option(help="Of this register alone.")] = "",
    author: Annotated[str, typer.Option(help="Of this party alone.")] = "",
    as_of: Annotated[
        int | None, typer.Option("--as-of", help="In force below this log size.")
    ] = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Records in force."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        found = [
            one
            for each in ([register] if register else REGISTERS)
            for one in store.current(
                conn, house.log.log_id, each, as_of=as_of, author=author or None
            ).values()
        ]
    out = Output(as_json=as_json)
    out.table(
        "Records",
        ["register", "name", "author", ">entry", "title"],
        [[one.register, one.name, one.author, str(one.entry_index), _title(one)] for one in found],
    )
    out.result({"records": [_json(one) for one in found]})


def _title(record: Record) -> str:
    """What a record calls itself, where it does."""
    said = record.content.get("title", record.content.get("name", ""))
    words = said.values() if isinstance(said, dict) else [said]
    return " · ".join(word for word in words if isinstance(word, str))


@records.command("show")
def show(register: Register, name: Name, directory: Dir = None, as_json: Json = False) -> None:
    """What a record says, and all versions of it."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        found = store.history(conn, house.log.log_id, register, name)
    if not found:
        raise NotFound(f"register {register} has no record {name!r}")
    out, last = Output(as_json=as_json), found[-1]
    state = "in force" if last.act == PUT else f"ended: {last.reason}"
    out.say(f"{register} {name}, of {last.author}: {state}.")
    out.table(
        "Versions",
        [">entry", "act", "reason"],
        [[str(one.entry_index), one.act, one.reason or "–"] for one in found],
    )
    newest = [one for one in found if one.act == PUT][-1]
    _say_content(out, newest.content, "")
    out.result({**_json(last), "versions": [_json(one) for one in found]})


def _say_content(out: Output, value: Any, path: str) -> None:
    """A line for each value, by its path."""
    if isinstance(value, dict) or (isinstance(value, list) and value):
        named = value.items() if isinstance(value, dict) else enumerate(value)
        for name, one in named:
            _say_content(out, one, f"{path}.{name}" if path else str(name))
    else:
        out.say(f"{path}: {value}")


@records.command("end")
def end(
    register: Register,
    name: Name,
    reason: Annotated[str, typer.Option(help="Why; it stands in the public log.")],
    author: Annotated[str, typer.Option(help="Party whose record it is (default: its own).")] = "",
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Take a record out of force; what was computed with it stays, and it may be put again."""
    house, out = open_house(directory), Output(as_json=as_json)
    with db.reading(house.engine) as conn:
        of = author or store.find(conn, house.log.log_id, register, name).author
    signing = read_key(key) if key else None
    receipt = service.end(house.desk, register, name, reason, author=of, key=signing)
    out.say(f"Entry {receipt.index}: {register} {name} is in force no more.")
    out.result({"register": register, "name": name, "entry": receipt.index})
