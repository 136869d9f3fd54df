"""greenledger account key …: API keys of accounts."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ledger import db
from ledger.access import service
from ledger.access.keys import DAY_S
from ledger.access.roles import Role
from ledger.access.service import MACHINE, ApiKey
from ledger.cli.options import Dir, Json, open_house
from ledger.cli.output import Output, park_date

key = typer.Typer(help="API keys: for programs, until a day.", no_args_is_help=True)


def add_to(account: typer.Typer) -> None:
    account.add_typer(key, name="key")


@key.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Account that the key acts for.")],
    party: Annotated[str, typer.Option(help="Organisation that the key is for.")],
    role: Annotated[
        list[Role], typer.Option(help="A role that the account covers; give it again for more.")
    ],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="An operation (see: account rules), or the beginning of some with *."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="Until it expires.")] = 90,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Make an API key and show it, once."""
    house = open_house(directory)
    now_s = house.desk.clock_s()
    with db.writing(house.engine) as conn:
        token, made = service.create_api_key(
            conn,
            now_s,
            MACHINE,
            account=service.account_named(conn, name).account,
            party=party,
            roles=role,
            operator=house.log.operator,
            expires_at_s=now_s + days * DAY_S,
            scopes=scope or ["*"],
            label=label,
        )
    out = Output(as_json=as_json)
    out.say(f"API key {made.key}, until {park_date(made.expires_at_s, house.log.zone)}.")
    out.say("It is shown once, and stored nowhere:")
    out.say(f"  {token}")
    out.result({**_as_json(made, name), "token": token})


@key.command("list")
def list_keys(
    name: Annotated[str, typer.Option("--account", help="Of one account.")] = "",
    party: Annotated[str, typer.Option(help="Of one organisation.")] = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """API keys, ended ones too."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        found = service.list_api_keys(
            conn,
            frozenset({party}) if party else None,
            account=service.account_named(conn, name).account if name else None,
        )
        names = {one.account: one.name for one in service.list_accounts(conn)}
    now_s, zone = house.desk.clock_s(), house.log.zone
    out = Output(as_json=as_json)
    out.table(
        "API keys",
        ["key", "account", "party", "roles", "scopes", "label", "until", "last used", "state"],
        [
            [
                one.key,
                names[one.account],
                one.party,
                ", ".join(sorted(one.roles)),
                ", ".join(sorted(one.scopes)),
                one.label,
                park_date(one.expires_at_s, zone),
                park_date(one.seen_at_s, zone) if one.seen_at_s else "–",
                _state(one, now_s),
            ]
            for one in found
        ],
    )
    out.result({"keys": [_as_json(one, names[one.account]) for one in found]})


def _state(one: ApiKey, now_s: int) -> str:
    if one.revoked_at_s is not None:
        return "revoked"
    return "in force" if now_s < one.expires_at_s else "expired"


def _as_json(one: ApiKey, name: str) -> dict[str, Any]:
    return {
        "key": one.key,
        "account": one.account,
        "name": name,
        "party": one.party,
        "roles": sorted(one.roles),
        "scopes": sorted(one.scopes),
        "label": one.label,
        "created_at_s": one.created_at_s,
        "seen_at_s": one.seen_at_s,
        "expires_at_s": one.expires_at_s,
        "revoked": one.revoked_at_s is not None,
    }


@key.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's public name, 32 hex digits.")],
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """End an API key for good."""
    house = open_house(directory)
    with db.writing(house.engine) as conn:
        service.revoke_api_key(conn, house.desk.clock_s(), MACHINE, key_id)
    out = Output(as_json=as_json)
    out.say(f"API key {key_id} opens nothing any more.")
    out.result({"key": key_id, "revoked": True})
