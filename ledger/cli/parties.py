"""greenledger party …: organisations and their keys."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from ledger import db
from ledger.cli.options import Dir, Json, open_house, read_key
from ledger.cli.output import Output
from ledger.errors import InvalidInput, NotFound
from ledger.files import write_private
from ledger.log.notes import SigningKey, write_skey
from ledger.parties import store
from ledger.parties.desk import Desk
from ledger.parties.entries import party_key_name

party = typer.Typer(help="Organisations, their roles and keys.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(party, name="party")


@party.command("add")
def add(
    party_id: Annotated[str, typer.Argument(help="Party id: a-z 0-9 -, for good.")],
    name: Annotated[str, typer.Option(help="The organisation's name; no natural person.")],
    role: Annotated[
        list[str],
        typer.Option(help="enterprise, gateway, generator or verifier; give it again for more."),
    ],
    key: Annotated[
        bool, typer.Option("--key/--no-key", help="Make a key that the server holds for it.")
    ] = True,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Register an organisation, or replace its registration."""
    desk = open_house(directory).desk
    receipt = desk.register_party(party_id, name, role)
    with db.reading(desk.engine) as conn:
        has_key = any(
            found.ended_index is None
            for found in store.find_keys(conn, desk.log.log_id, party=party_id)
        )
    vkey = ""
    if key and not has_key:
        made, _ = desk.create_key(party_id)
        vkey = made.vkey
    out = Output(as_json=as_json)
    replaced = bool(receipt.entry.statement["replaces"])
    done = "Replaced the registration of" if replaced else "Registered"
    out.say(f"{done} {party_id} as entry {receipt.index}." + (f" Key: {vkey}" if vkey else ""))
    out.result({"party": party_id, "entry": receipt.index, "vkey": vkey})


@party.command("list")
def list_parties(directory: Dir = None, as_json: Json = False) -> None:
    """Organisations with roles and keys in force."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        found = store.all_parties(conn, house.log.log_id)
        keys = {
            one.party: store.find_keys(conn, house.log.log_id, party=one.party) for one in found
        }
    out = Output(as_json=as_json)
    out.table(
        "Parties",
        ["party", "name", "roles", "keys in force", "entry"],
        [
            [
                one.party,
                one.name,
                ", ".join(sorted(one.roles)),
                ", ".join(
                    f"{key.key.key_id.hex()} ({key.custody})"
                    for key in keys[one.party]
                    if key.ended_index is None
                ),
                one.entry_index,
            ]
            for one in found
        ],
    )
    out.result(
        {
            "parties": [
                {
                    "party": one.party,
                    "name": one.name,
                    "roles": sorted(one.roles),
                    "entry": one.entry_index,
                    "keys": [
                        {
                            "vkey": key.key.vkey,
                            "custody": key.custody,
                            "device": key.device,
                            "entry": key.entry_index,
                            "ended_by": -1 if key.ended_index is None else key.ended_index,
                        }
                        for key in keys[one.party]
                    ],
                }
                for one in found
            ]
        }
    )


@party.command("make-key")
def make_key(
    party_id: Annotated[str, typer.Argument(help="Party id that the key is for.")],
    file: Annotated[Path, typer.Option(help="New file for the private key; keep it safe.")],
    origin: Annotated[str, typer.Option(help="The log's origin.")],
    as_json: Json = False,
) -> None:
    """Make a key for an owner to hold itself; needs no ledger and no network."""
    key = SigningKey.from_seed(party_key_name(origin, party_id), secrets.token_bytes(32))
    write_private(file, (write_skey(key) + "\n").encode())
    out = Output(as_json=as_json)
    out.say(f"Private key in {file}. Public: {key.verify_key.vkey}")
    out.result({"file": str(file), "vkey": key.verify_key.vkey})


@party.command("add-key")
def add_key(
    party_id: str,
    key: Annotated[
        Path | None, typer.Option(help="Private key file, to prove possession; not stored.")
    ] = None,
    vkey: Annotated[
        str, typer.Option(help="Or: of a key that the external signer holds for the party.")
    ] = "",
    device: Annotated[str, typer.Option(help="none, meter or gateway.")] = "none",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Register a key that the party holds itself, or the external signer; the operator introduces
    it."""
    if (key is None) == (not vkey):
        raise InvalidInput("give --key FILE, of a key that the party holds, or --vkey")
    desk = open_house(directory).desk
    if key is not None:
        own = read_key(key)
        registered, receipt = own.verify_key, desk.introduce_key(party_id, own, device=device)
    else:
        registered, receipt = desk.adopt_key(party_id, vkey, device=device)
    with db.reading(desk.engine) as conn:
        keys = store.find_keys(conn, desk.log.log_id, party=party_id)
    out = Output(as_json=as_json)
    out.say(f"Entry {receipt.index}: {party_id} signs with {registered.vkey}")
    for other in keys:
        if other.ended_index is None and other.custody == "operator" and other.key != registered:
            key_id = other.key.key_id.hex()
            out.say(f"The operator still holds key {key_id} for {party_id}. To end that:")
            out.say(f"  greenledger party revoke-key {party_id} {key_id} --reason '…'")
    out.result({"party": party_id, "entry": receipt.index, "vkey": registered.vkey})


@party.command("rotate-key")
def rotate_key(party_id: str, directory: Dir = None, as_json: Json = False) -> None:
    """Replace the key that the server holds for a party by a fresh one."""
    key, receipt = open_house(directory).desk.rotate_key(party_id)
    out = Output(as_json=as_json)
    out.say(f"Entry {receipt.index}: from the next entry on {party_id} signs with {key.vkey}")
    out.result({"party": party_id, "entry": receipt.index, "vkey": key.vkey})


def _find_key(desk: Desk, party_id: str, key_id: str) -> store.Key:
    with db.reading(desk.engine) as conn:
        keys = store.find_keys(conn, desk.log.log_id, party=party_id)
    for found in keys:
        if found.key.key_id.hex() == key_id:
            return found
    known = ", ".join(one.key.key_id.hex() for one in keys)
    raise NotFound(f"party {party_id!r} has no key {key_id}; it has {known or 'none'}")


@party.command("revoke-key")
def revoke_key(
    party_id: str,
    key_id: Annotated[str, typer.Argument(help="The key's id, 8 hex digits.")],
    reason: Annotated[str, typer.Option(help="Why; it stands in the public log.")],
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Revoke a key: it signs nothing any more. The operator signs the entry."""
    desk = open_house(directory).desk
    receipt = desk.revoke_key(_find_key(desk, party_id, key_id), reason)
    out = Output(as_json=as_json)
    out.say(f"Entry {receipt.index}: key {key_id} of {party_id} is revoked.")
    out.result({"party": party_id, "entry": receipt.index, "key_id": key_id})


@party.command("endorse-key")
def endorse_key(
    party_id: str,
    key_id: Annotated[str, typer.Argument(help="The key's id, 8 hex digits.")],
    by: Annotated[str, typer.Option(help="The endorsing party, such as a verification body.")],
    claim: Annotated[str, typer.Option(help="What it vouches for.")],
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Vouch for a key, as a verification body or grid company does for a meter's."""
    desk = open_house(directory).desk
    receipt = desk.endorse_key(_find_key(desk, party_id, key_id), by, claim)
    out = Output(as_json=as_json)
    out.say(f"Entry {receipt.index}: {by} endorses key {key_id} of {party_id}.")
    out.result({"party": party_id, "entry": receipt.index, "key_id": key_id})
