"""greenledger pact …: footprints to customers and from suppliers, by WBCSD's PACT version 3."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ledger import db
from ledger.cli import pact_clients
from ledger.cli.options import Dir, HeldKey, Json, open_house, read_key
from ledger.cli.output import Output, counted, park_time
from ledger.errors import InvalidInput, NotFound
from ledger.files import new_private, read_regular
from ledger.footprint.pact import importing, mailbox, shelf
from ledger.footprint.pact.clients import Endpoint, check_url
from ledger.footprint.pact.model import CarbonFootprint
from ledger.footprint.pact.partner import Partner
from ledger.footprint.pact.reading import (
    DOCUMENT_BYTES_MAX,
    SupplierFootprint,
    read,
    write,
    write_json,
)
from ledger.house import House
from ledger.log.store import load_head
from ledger.parties.desk import fresh_id
from ledger.records import service as records

pact = typer.Typer(
    help="PACT: product footprints to customers and from suppliers, as WBCSD's version 3 has them.",
    no_args_is_help=True,
)
_BASE: Final = "https://greenledger.invalid"
Party = Annotated[str, typer.Option(help="Whose document it becomes; without: the operator's.")]


def add_to(app: typer.Typer) -> None:
    pact_clients.add_to(pact)
    app.add_typer(pact, name="pact")


# To customers


@pact.command("list")
def list_documents(
    party: Annotated[str, typer.Option(help="The organisation whose footprints they are.")],
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Published footprints as customers get them, and those that they can't get, and why."""
    house, out = open_house(directory), Output(as_json=as_json)
    with db.reading(house.engine) as conn:
        size = load_head(conn, house.log.log_id).size
        found = shelf.shown(conn, house.log, party, _base(house), as_of=size)
        kept = shelf.withheld(conn, house.log, party, as_of=size)
    out.table(
        f"Footprints of {party}",
        ["id", "product", "status", "kg CO2e", "for", ">entry"],
        [
            [
                one.footprint.id,
                one.footprint.product_name_company,
                one.footprint.status,
                one.footprint.pcf.pcf_excluding_biogenic_uptake,
                _unit(one.footprint.pcf),
                str(one.entry),
            ]
            for one in found
        ],
    )
    for one in kept:
        out.say(f"Entry {one.entry}, product {one.product[:12]}: not for customers: {one.why}")
    out.result(
        {
            "footprints": [{"entry": one.entry, **one.footprint.to_json()} for one in found],
            "withheld": [
                {"entry": one.entry, "product": one.product, "why": one.why} for one in kept
            ],
        }
    )


@pact.command("export")
def export(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The footprint's id, a UUID.")],
    party: Annotated[str, typer.Option(help="The organisation whose footprint it is.")],
    file: Annotated[Path, typer.Option("--out", help="A new file.")],
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Write a footprint to a file, for who has no PACT service."""
    house, out = open_house(directory), Output(as_json=as_json)
    with db.reading(house.engine) as conn:
        size = load_head(conn, house.log.log_id).size
        found = shelf.shown(conn, house.log, party, _base(house), as_of=size)
    for one in found:
        if one.footprint.id == id_.lower():
            _save(file, write(one.footprint))
            out.say(f"Footprint {one.footprint.id} is in {file}.")
            out.result({"id": one.footprint.id, "file": str(file)})
            return
    raise NotFound(f"{party} has published no footprint {id_}; see: greenledger pact list")


def _unit(pcf: CarbonFootprint) -> str:
    return f"{pcf.declared_unit_amount} {pcf.declared_unit_of_measurement}"


def _base(house: House) -> str:
    return house.settings.pact_url.rstrip("/") or _BASE


# From suppliers


@pact.command("import")
def import_document(
    file: Annotated[Path, typer.Argument(help="A PACT footprint as JSON; keep it.")],
    party: Party = "",
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Put a supplier's footprint in the log by its hash, and show how a bill takes it."""
    house, out = open_house(directory), Output(as_json=as_json)
    found = read(_load(file))
    said = _put(house, found, file.name, party, key)
    _say(out, said)
    out.result(said)


@pact.command("fetch")
def fetch(
    url: Annotated[str, typer.Argument(help="The host's base URL, before /3/footprints.")],
    client_id: Annotated[str, typer.Option(help="As whom we come there.")],
    secret_file: Annotated[Path, typer.Option(help="A file with the secret for it.")],
    folder: Annotated[Path, typer.Option("--out", help="Where the files go; it is made.")],
    auth: Annotated[str, typer.Option(help="Base URL for tokens, where it is another one.")] = "",
    product: Annotated[list[str] | None, typer.Option(help="A product's URN; again: or.")] = None,
    status: Annotated[str, typer.Option(help="Active or Deprecated; without: both.")] = "Active",
    put: Annotated[bool, typer.Option("--import", help="Put them in the log, too.")] = False,
    party: Party = "",
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Get footprints from a supplier's host, each as a file."""
    out = Output(as_json=as_json)
    at = Endpoint(
        url=check_url(url, "URL"),
        auth=check_url(auth, "--auth") if auth else "",
        client_id=client_id,
        secret=pact_clients.read_secret(secret_file),
    )
    criteria = [("productId", one) for one in product or []]
    criteria += [("status", status)] if status else []
    house = open_house(directory) if put else None
    folder.mkdir(parents=True, exist_ok=True)
    listed = []
    for one in Partner(at).footprints(criteria):
        data = write_json(one)
        found = read(data)
        file = folder / f"{found.footprint.id.lower()}.json"
        _save(file, data)
        said = _put(house, found, file.name, party, key) if house else _figures(found)
        listed.append({"file": str(file), **said})
        _say(out, said)
    out.say(f"{counted(len(listed), 'footprint')} in {folder}.")
    out.result({"footprints": listed})


def _load(file: Path) -> bytes:
    data = read_regular(file, DOCUMENT_BYTES_MAX)
    if data is None:
        raise NotFound(f"no file {file}")
    return data


def _save(file: Path, data: bytes) -> None:
    """A new file; one that is there already stays, and has to be the same. Raises InvalidInput."""
    if not file.exists() or _load(file) != data:
        with new_private(file) as new:
            new.write(data)


def _put(
    house: House, found: SupplierFootprint, file_name: str, party: str, key: Path | None
) -> dict[str, Any]:
    name = fresh_id()
    content = importing.document_of(found, organisation=party, file_name=file_name)
    receipt = records.put(
        house.desk,
        "document",
        name,
        content.to_json(),
        author=party or house.log.operator,
        key=read_key(key) if key else None,
    )
    return {
        "document": name,
        "entry": receipt.index,
        **_figures(found),
        "supplier": importing.supplier_of(found, name),
    }


def _figures(found: SupplierFootprint) -> dict[str, Any]:
    return {"sha256": found.sha256, "figures": found.figures(), "remarks": list(found.remarks)}


def _say(out: Output, said: dict[str, Any]) -> None:
    figures = said["figures"]
    out.say(
        f"{figures['product']} of {figures['company']}: {figures['pcf_excluding_biogenic_uptake']}"
        f" kg CO2e for {figures['amount']} {figures['unit']}, {figures['status']}"
    )
    for one in said["remarks"]:
        out.say(f"  remark: {one}")
    if "document" in said:
        out.say(f"  document {said['document']}, entry {said['entry']}, SHA-256 {said['sha256']}")
    supplier = said.get("supplier")
    if supplier:
        members = ", ".join(f'"{name}": "{value}"' for name, value in supplier.items())
        out.say(f'  in a bill of activities: "supplier": {{{members}}}')


# Events


@pact.command("inbox")
def inbox(
    party: Annotated[str, typer.Option(help="Of partners of this organisation alone.")] = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Events that partners sent: requests, answers, publications."""
    house, out = open_house(directory), Output(as_json=as_json)
    with db.reading(house.engine) as conn:
        found = mailbox.list_received(conn, {party} if party else None)
    out.table(
        "Events that came",
        ["event", "kind", "from", "for", "at", "answered"],
        [
            [
                one.id[:12],
                one.kind,
                one.label,
                one.party,
                park_time(one.at_s, house.log.zone),
                park_time(one.answered_at_s, house.log.zone) if one.answered_at_s else "–",
            ]
            for one in found
        ],
    )
    out.result({"events": [one.to_json() for one in found]})


@pact.command("take")
def take(
    event: Annotated[str, typer.Argument(help="An event of the inbox, 32 hex digits.")],
    folder: Annotated[Path, typer.Option("--out", help="Where the files go; it is made.")],
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Write the footprints of an answer that came to files, to be imported."""
    house, out = open_house(directory), Output(as_json=as_json)
    with db.reading(house.engine) as conn:
        found = mailbox.received(conn, event)
    if found.kind != "fulfilled":
        raise InvalidInput(f"event {event} is {found.kind}: only what was fulfilled has footprints")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for one in found.data["pfs"]:
        data = write_json(one)
        file = folder / f"{read(data).footprint.id.lower()}.json"
        _save(file, data)
        written.append(str(file))
    out.say(f"{counted(len(written), 'footprint')} in {folder}.")
    out.result({"files": written})
