"""greenledger officer …, four-eyes …: who prepares and approves for a party."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from ledger import db
from ledger.approvals import officers, store
from ledger.approvals.store import Known
from ledger.cli.approving import As, OfficerKey, carried, find_officer
from ledger.cli.options import Dir, HeldKey, Json, open_house, read_key
from ledger.cli.output import Output
from ledger.errors import InvalidInput
from ledger.files import write_private
from ledger.log.notes import SigningKey, write_skey
from ledger.parties.officer_store import (
    FOUR_EYES,
    NONE,
    approval_of,
    find_officers,
    officer_key_name,
)

officer = typer.Typer(
    help="Officers: people who prepare and approve, in the log by a random id alone.",
    no_args_is_help=True,
)
four_eyes = typer.Typer(
    help="Four eyes: whether what can't be undone takes two officers.", no_args_is_help=True
)
PartyId = Annotated[str, typer.Argument(help="Party id.")]
Reason = Annotated[str, typer.Option(help="Why; it stands in the public log.")]
ID_DIGITS = 32


def add_to(app: typer.Typer) -> None:
    app.add_typer(officer, name="officer")
    app.add_typer(four_eyes, name="four-eyes")


@officer.command("add")
def add(
    party: PartyId,
    label: Annotated[
        str, typer.Option(help="What you call this person; stays here, in no log.")
    ] = "",
    account: Annotated[str, typer.Option(help="The person's account; stays here.")] = "",
    own: Annotated[
        Path | None,
        typer.Option("--own", help="Private key file of the officer's own; not stored."),
    ] = None,
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Name somebody who prepares and approves for a party. The server holds their key, or --own."""
    house = open_house(directory)
    signing = read_key(own) if own else None
    added = officers.add(
        house.desk,
        party,
        Known(account=account, label=label),
        officer=_id_in(signing, house.log.origin, party) if signing else None,
        own=signing,
        key=read_key(key) if key else None,
    )
    out = Output(as_json=as_json)
    out.say(f"Officer {added.officer.hex()} of {party} is entry {added.receipt.index}.")
    out.result(
        {
            "officer": added.officer.hex(),
            "party": party,
            "vkey": added.key.vkey,
            "entry": added.receipt.index,
        }
    )


def _id_in(key: SigningKey, origin: str, party: str) -> bytes:
    id_ = key.name.removeprefix(f"{origin}/{party}.")
    if len(id_) != ID_DIGITS or id_.strip("0123456789abcdef"):
        raise InvalidInput(
            f"the key is named {key.name!r}, not {origin}/{party}.<32 hex digits>; make one with:"
            " greenledger officer make-key"
        )
    return bytes.fromhex(id_)


@officer.command("make-key")
def make_key(
    party: PartyId,
    file: Annotated[Path, typer.Option(help="New file for the private key; keep it safe.")],
    origin: Annotated[str, typer.Option(help="The log's origin.")],
    as_json: Json = False,
) -> None:
    """Make an id and a key for an officer to hold; needs no ledger and no network."""
    id_ = officers.fresh_officer()
    name = officer_key_name(origin, party, id_)
    key = SigningKey.from_seed(name, secrets.token_bytes(32))
    write_private(file, (write_skey(key) + "\n").encode())
    out = Output(as_json=as_json)
    out.say(f"Private key in {file}. Public: {key.verify_key.vkey}")
    out.result({"file": str(file), "officer": id_.hex(), "vkey": key.verify_key.vkey})


@officer.command("list")
def list_officers(
    party: Annotated[str, typer.Option(help="Of this party alone.")] = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Officers, in force or ended, and which parties have four eyes."""
    house = open_house(directory)
    log_id = house.log.log_id
    with db.reading(house.engine) as conn:
        found = find_officers(conn, log_id, house.log.origin, party=party or None)
        known = store.people(conn, log_id)
        rules = {one.party: approval_of(conn, log_id, one.party).rule for one in found}
    out = Output(as_json=as_json)
    out.table(
        "Officers",
        ["officer", "party", "label", "key held by", "state", ">entry"],
        [
            [
                one.officer.hex()[:12],
                one.party,
                known.get(one.officer, Known()).label or "–",
                "the server" if one.custody == "operator" else "the officer",
                "in force" if one.in_force else f"ended by entry {one.ended_index}",
                one.entry_index,
            ]
            for one in found
        ],
    )
    on = sorted(name for name, rule in rules.items() if rule == FOUR_EYES)
    out.say(f"Four eyes are the rule of: {', '.join(on) or 'nobody'}.")
    out.result(
        {
            "officers": [
                {
                    "officer": one.officer.hex(),
                    "party": one.party,
                    "label": known.get(one.officer, Known()).label,
                    "account": known.get(one.officer, Known()).account,
                    "vkey": one.key.vkey,
                    "custody": one.custody,
                    "entry": one.entry_index,
                    "ended_by": one.ended_index,
                    "end_reason": one.end_reason,
                }
                for one in found
            ],
            "four_eyes": on,
        }
    )


@officer.command("end")
def end(
    officer_id: Annotated[str, typer.Argument(help="The officer's id, or its beginning.")],
    reason: Reason,
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """End an officer: it signs nothing any more."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        found = find_officer(conn, house, officer_id)
    receipt = officers.end(house.desk, found.officer, reason, key=read_key(key) if key else None)
    out = Output(as_json=as_json)
    out.say(f"Entry {receipt.index}: officer {found.officer.hex()} of {found.party} has ended.")
    out.result({"officer": found.officer.hex(), "party": found.party, "entry": receipt.index})


@four_eyes.command("on")
def switch_on(
    party: PartyId,
    reason: Reason = "two people for what can't be undone",
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """From now on what can't be undone takes two officers of the party, of which it has two."""
    _switch(party, FOUR_EYES, reason, key, directory, as_json=as_json)


@four_eyes.command("off")
def switch_off(
    party: PartyId,
    reason: Reason,
    officer: As = "",
    officer_key: OfficerKey = None,
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """End that; two officers are needed for this too. Reports say that one person acted."""
    _switch(party, NONE, reason, key, directory, officer, officer_key, as_json=as_json)


def _switch(
    party: str,
    rule: str,
    reason: str,
    key: Path | None,
    directory: Path | None,
    officer: str = "",
    officer_key: Path | None = None,
    *,
    as_json: bool,
) -> None:
    house, out = open_house(directory), Output(as_json=as_json)
    signing = read_key(key) if key else None
    receipt = carried(
        out,
        house,
        lambda desk: officers.set_rule(desk, party, rule, reason, key=signing),
        officer=officer,
        officer_key=officer_key,
        summary={"party": party, "rule": rule, "reason": reason},
    )
    if receipt is not None:
        out.say(f"Entry {receipt.index}: the rule of approval of {party} is {rule}.")
        out.result({"party": party, "rule": rule, "entry": receipt.index})
