"""greenledger account …: who uses the service, on the machine itself. Nobody has to sign in here:
who may run these commands has the database anyway."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from ledger import db
from ledger.access import service
from ledger.access.passwords import NONE, Hashed
from ledger.access.roles import Role
from ledger.access.service import MACHINE, Account
from ledger.access.table import RULES
from ledger.cli.options import Dir, Json, open_house
from ledger.cli.output import Output, park_time
from ledger.errors import InvalidInput, NotFound
from ledger.house import House
from ledger.parties import store as parties

account = typer.Typer(help="People and programs that use the service.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The account's name.")]
Party = Annotated[str, typer.Option(help="Organisation; the operator's is the whole park.")]
OneRole = Annotated[
    Role, typer.Option(help="viewer, preparer, approver, admin, or the operator's auditor.")
]
PasswordFile = Annotated[
    str, typer.Option(help="File with the password in its first line; - is standard input.")
]


def add_to(app: typer.Typer) -> None:
    app.add_typer(account, name="account")


def _password(file: str) -> str:
    """From a file, or asked for twice at a terminal. Raises InvalidInput or NotFound."""
    if file == "-":
        return sys.stdin.readline().rstrip("\r\n")
    if file:
        path = Path(file)
        if not path.is_file():
            raise NotFound(f"no file {path}")
        lines = path.read_text(encoding="utf-8").splitlines()
        return lines[0] if lines else ""
    if not sys.stdin.isatty():
        raise InvalidInput("there is no terminal to ask for a password: use --password-file")
    asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return asked


def _hashed(file: str) -> Hashed:
    return service.Passwords().hash(_password(file))


def _require_party(house: House, party: str) -> None:
    with db.reading(house.engine) as conn:
        if parties.current_party(conn, house.log.log_id, party) is None:
            raise NotFound(f"no party {party!r} is registered; see: greenledger party list")


@account.command("create")
def create(
    name: Annotated[str, typer.Argument(help="a-z 0-9 . _ @ + -, such as an e-mail address.")],
    party: Annotated[str, typer.Option(help="Organisation where it has roles.")] = "",
    role: Annotated[
        list[Role] | None, typer.Option(help="A role there; give it again for more.")
    ] = None,
    password_file: PasswordFile = "",
    password: Annotated[
        bool,
        typer.Option(
            "--password/--no-password", help="Without: for API keys, or a provider's identities."
        ),
    ] = True,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Make an account; the first is an admin of the operator's organisation."""
    house = open_house(directory)
    roles = role or []
    if bool(party) != bool(roles):
        raise InvalidInput("--party and --role belong together")
    if party:
        _require_party(house, party)
    hashed = _hashed(password_file) if password else NONE
    now_s, operator = house.desk.clock_s(), house.log.operator
    with db.writing(house.engine) as conn:
        made = service.create_account(conn, now_s, MACHINE, name, hashed)
        for one in roles:
            service.grant(conn, now_s, MACHINE, made, party, one, operator)
    out = Output(as_json=as_json)
    where = f", {', '.join(sorted(set(roles)))} of {party}" if party else ""
    out.say(f"Account {name}{where}: {made}")
    out.result({"account": made, "name": name, "party": party, "roles": sorted(set(roles))})


@account.command("list")
def list_accounts(directory: Dir = None, as_json: Json = False) -> None:
    """Accounts and their roles."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        found = service.list_accounts(conn)
    out = Output(as_json=as_json)
    out.table(
        "Accounts",
        ["account", "roles", "signs in by", "state"],
        [
            [
                one.name,
                "; ".join(f"{party}: {', '.join(sorted(held))}" for party, held in _roles(one)),
                ", ".join(_ways(one)) or "–",
                "enabled" if one.disabled_at_s is None else "disabled",
            ]
            for one in found
        ],
    )
    out.result({"accounts": [_as_json(one) for one in found]})


def _roles(one: Account) -> list[tuple[str, frozenset[Role]]]:
    return sorted(one.roles.items())


def _ways(one: Account) -> list[str]:
    ways = []
    if one.has_password:
        ways.append("password and code" if one.has_totp else "password")
    return ways + [issuer for issuer, _ in one.identities]


def _as_json(one: Account) -> dict[str, Any]:
    return {
        "account": one.account,
        "name": one.name,
        "roles": {party: sorted(held) for party, held in _roles(one)},
        "password": one.has_password,
        "totp": one.has_totp,
        "identities": [
            {"issuer": issuer, "subject": subject} for issuer, subject in one.identities
        ],
        "enabled": one.disabled_at_s is None,
    }


def _done(house: House, name: str, as_json: bool, said: str) -> None:
    with db.reading(house.engine) as conn:
        found = service.account_named(conn, name)
    out = Output(as_json=as_json)
    out.say(said)
    out.result(_as_json(found))


@contextmanager
def _changing(house: House, name: str) -> Iterator[tuple[Connection, int, str]]:
    """The transaction that changes an account, the time, and the account's id."""
    with db.writing(house.engine) as conn:
        yield conn, house.desk.clock_s(), service.account_named(conn, name).account


@account.command("grant")
def grant(
    name: Name, party: Party, role: OneRole, directory: Dir = None, as_json: Json = False
) -> None:
    """Give an account a role in an organisation."""
    house = open_house(directory)
    _require_party(house, party)
    with _changing(house, name) as (conn, now_s, found):
        service.grant(conn, now_s, MACHINE, found, party, role, house.log.operator)
    _done(house, name, as_json, f"{name} is {role} of {party}.")


@account.command("revoke")
def revoke(
    name: Name, party: Party, role: OneRole, directory: Dir = None, as_json: Json = False
) -> None:
    """Take a role away; API keys of the account lose it too."""
    house = open_house(directory)
    with _changing(house, name) as (conn, now_s, found):
        service.revoke(conn, now_s, MACHINE, found, party, role, house.log.operator)
    _done(house, name, as_json, f"{name} is no {role} of {party} any more.")


@account.command("disable")
def disable(name: Name, directory: Dir = None, as_json: Json = False) -> None:
    """Let an account in no more; its sessions end, its API keys open nothing."""
    house = open_house(directory)
    with _changing(house, name) as (conn, now_s, found):
        service.disable_account(conn, now_s, MACHINE, found, house.log.operator)
    _done(house, name, as_json, f"{name} is disabled.")


@account.command("enable")
def enable(name: Name, directory: Dir = None, as_json: Json = False) -> None:
    """Let a disabled account in again, with the roles and API keys that it had."""
    house = open_house(directory)
    with _changing(house, name) as (conn, now_s, found):
        service.enable_account(conn, now_s, MACHINE, found)
    _done(house, name, as_json, f"{name} is enabled.")


@account.command("set-password")
def set_password(
    name: Name, password_file: PasswordFile = "", directory: Dir = None, as_json: Json = False
) -> None:
    """Set a new password; sessions of the account end."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        service.account_named(conn, name)  # before anybody is asked for a password
    hashed = _hashed(password_file)
    with _changing(house, name) as (conn, now_s, found):
        service.set_password(conn, now_s, MACHINE, found, hashed)
    _done(house, name, as_json, f"{name} has a new password.")


@account.command("reset-totp")
def reset_totp(name: Name, directory: Dir = None, as_json: Json = False) -> None:
    """Take a lost second factor away: the password alone lets in until a new one is set up."""
    house = open_house(directory)
    with _changing(house, name) as (conn, now_s, found):
        service.reset_totp(conn, now_s, MACHINE, found)
    _done(house, name, as_json, f"{name} signs in without a code.")


@account.command("link")
def link(
    name: Name,
    issuer: Annotated[str, typer.Option(help="The OpenID provider, as it calls itself.")],
    subject: Annotated[str, typer.Option(help="What it calls the person (sub).")],
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Let whom an OpenID provider calls so sign in as this account."""
    house = open_house(directory)
    with _changing(house, name) as (conn, now_s, found):
        service.link_identity(conn, now_s, MACHINE, found, issuer, subject)
    _done(house, name, as_json, f"{subject} of {issuer} signs in as {name}.")


@account.command("unlink")
def unlink(
    name: Name,
    issuer: Annotated[str, typer.Option(help="The OpenID provider.")],
    subject: Annotated[str, typer.Option(help="What it calls the person (sub).")],
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """End that an OpenID identity signs in as this account; its sessions end."""
    house = open_house(directory)
    with _changing(house, name) as (conn, now_s, found):
        service.unlink_identity(conn, now_s, MACHINE, found, issuer, subject)
    _done(house, name, as_json, f"{subject} of {issuer} signs in as {name} no more.")


@account.command("rules")
def rules(as_json: Json = False) -> None:
    """Who may do what: the table that the service goes by."""
    out = Output(as_json=as_json)
    out.table(
        "Who may do what",
        ["operation", "reach", *Role, "by a person"],
        [
            [
                operation,
                rule.reach,
                *("×" if role in rule.roles else "" for role in Role),
                "×" if rule.by_person else "",
            ]
            for operation, rule in RULES.items()
        ],
    )
    out.result(
        {
            "rules": {
                operation: {
                    "reach": rule.reach,
                    "roles": sorted(rule.roles),
                    "by_person": rule.by_person,
                }
                for operation, rule in RULES.items()
            }
        }
    )


@account.command("events")
def events(
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 100,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """The trail: who signed in, failed, granted, made or revoked what."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        found = service.list_events(conn, None, limit=limit)
        names = {one.account: one.name for one in service.list_accounts(conn)}
    out = Output(as_json=as_json)
    out.table(
        "Access",
        ["number", "time", "what", "by", "from", "account", "party", "role"],
        [
            [
                one.number,
                park_time(one.at_s, house.log.zone),
                one.kind,
                names.get(one.actor.account, "–"),
                one.actor.address or "–",
                names.get(one.account, ""),
                one.party,
                one.role,
            ]
            for one in found
        ],
    )
    out.result(
        {
            "events": [
                {
                    "number": one.number,
                    "at_s": one.at_s,
                    "kind": one.kind,
                    "actor": one.actor.account,
                    "actor_key": one.actor.key,
                    "address": one.actor.address,
                    "account": one.account,
                    "party": one.party,
                    "role": one.role,
                    "key": one.key,
                }
                for one in found
            ]
        }
    )
