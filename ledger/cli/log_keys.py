"""greenledger log-key …: the keys that sign the log's checkpoints."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.cli.options import Dir, Json, open_house
from ledger.cli.output import Output
from ledger.errors import NotFound
from ledger.house import House
from ledger.log.logkeys import LogKey
from ledger.log.notes import ED25519, VerifyKey
from ledger.log.service import Receipt
from ledger.parties import log_key_desk

log_key = typer.Typer(help="Keys that sign the log's checkpoints.", no_args_is_help=True)
Vkey = Annotated[
    str, typer.Option(help="Of a key that the external signer holds (GREENLEDGER_SIGNER).")
]
Reason = Annotated[str, typer.Option(help="Why; it stands in the public log.")]


def add_to(app: typer.Typer) -> None:
    app.add_typer(log_key, name="log-key")


def kind_of(key: VerifyKey) -> str:
    return "Ed25519" if key.kind == ED25519 else "ML-DSA-44"


@log_key.command("list")
def list_keys(directory: Dir = None, as_json: Json = False) -> None:
    """All keys of the log, those that have ended too."""
    found = log_key_desk.all_keys(open_house(directory).desk)
    out = Output(as_json=as_json)
    out.table(
        "Keys of the log",
        ["key", "kind", "registered by entry", "ended by entry", "why"],
        [
            [
                one.key.key_id.hex(),
                kind_of(one.key),
                one.entry_index,
                "in force" if one.ended_index is None else one.ended_index,
                one.end_reason,
            ]
            for one in found
        ],
    )
    for one in found:
        if one.ended_index is None:
            out.say(one.key.vkey)
    out.result({"log_keys": [to_json(one) for one in found]})


def to_json(one: LogKey) -> dict[str, str | int]:
    return {
        "vkey": one.key.vkey,
        "entry": one.entry_index,
        "ended_by": -1 if one.ended_index is None else one.ended_index,
        "reason": one.end_reason,
    }


@log_key.command("register")
def register(
    vkey: Vkey = "",
    post_quantum: Annotated[
        bool, typer.Option("--post-quantum", help="An ML-DSA-44 key, as the log's second one.")
    ] = False,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Bring one more key: it signs every checkpoint from now on, beside the others."""
    house = open_house(directory)
    key, receipt = _bring(house, vkey, post_quantum)
    house.checkpoint()
    out = Output(as_json=as_json)
    out.say(f"Entry {receipt.index}: checkpoints are signed by this key too:\n  {key.vkey}")
    out.say("Publish it where the others are known. When everybody has it, end the old one with:")
    out.say("  greenledger log-key end KEY_ID --reason '…'")
    out.result({"vkey": key.vkey, "entry": receipt.index})


def _bring(house: House, vkey: str, post_quantum: bool) -> tuple[VerifyKey, Receipt]:
    if vkey:
        return log_key_desk.adopt(house.desk, vkey)
    return log_key_desk.create(house.desk, post_quantum=post_quantum)


@log_key.command("end")
def end(
    key_id: Annotated[str, typer.Argument(help="The key's id, 8 hex digits.")],
    reason: Reason,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """End a key: it signs no checkpoint any more. Another Ed25519 key has to be in force."""
    house = open_house(directory)
    ending = _find(house, key_id)
    receipt = _end(house, ending, reason)
    out = Output(as_json=as_json)
    out.say(f"Entry {receipt.index}: key {key_id} signs no checkpoint any more.")
    out.result({"vkey": ending.vkey, "entry": receipt.index})


def _end(house: House, key: VerifyKey, reason: str) -> Receipt:
    """Between two checkpoints: the key owes none, and who looks sees at once that it has ended."""
    house.checkpoint()
    receipt = log_key_desk.end(house.desk, key, reason)
    house.checkpoint()
    return receipt


def _find(house: House, key_id: str) -> VerifyKey:
    keys = [one.key for one in log_key_desk.all_keys(house.desk)]
    for key in keys:
        if key.key_id.hex() == key_id:
            return key
    known = ", ".join(key.key_id.hex() for key in keys)
    raise NotFound(f"the log has no key {key_id!r}; it has {known}")


@log_key.command("rotate")
def rotate(
    reason: Reason,
    vkey: Vkey = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Bring a new key and end the oldest one at once, as when that was stolen."""
    house = open_house(directory)
    old = log_key_desk.signing_key(house.desk)
    key, registered = _bring(house, vkey, post_quantum=False)
    ended = _end(house, old, reason)
    out = Output(as_json=as_json)
    out.say(f"Entries {registered.index} and {ended.index}: checkpoints are signed by")
    out.say(f"  {key.vkey}")
    out.say(f"and by {old.key_id.hex()} no more.")
    out.result({"vkey": key.vkey, "entry": registered.index, "ended": ended.index})
