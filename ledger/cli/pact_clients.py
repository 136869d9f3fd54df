"""greenledger pact client …: partners that may ask for footprints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from ledger import db
from ledger.access.service import MACHINE
from ledger.cli.options import Dir, Json, open_house
from ledger.cli.output import Output, park_date
from ledger.errors import InvalidInput, NotFound
from ledger.footprint.pact import clients, exchange, mailbox
from ledger.footprint.pact.clients import ALL, Endpoint
from ledger.log.store import load_head
from ledger.parties.store import current_party
from ledger.records.store import find

client = typer.Typer(
    help="Partners: who may ask an organisation for footprints.", no_args_is_help=True
)
_SECRET_MAX: Final = 4_096


def add_to(pact: typer.Typer) -> None:
    pact.add_typer(client, name="client")


def read_secret(file: Path) -> str:
    """The secret in a file, without the line's end. Raises NotFound or InvalidInput."""
    if not file.is_file():
        raise NotFound(f"no file {file}")
    data = file.read_bytes()[: _SECRET_MAX + 1]
    try:
        found = data.decode("utf-8").strip()
    except UnicodeDecodeError:
        found = ""
    if not found or len(data) > _SECRET_MAX or not found.isprintable():
        raise InvalidInput(f"{file} holds no secret: one line of printable characters")
    return found


@client.command("add")
def add(
    label: Annotated[str, typer.Argument(help="Who it is.")],
    party: Annotated[str, typer.Option(help="The organisation whose footprints it may see.")],
    product: Annotated[
        list[str] | None,
        typer.Option(help="A product's record, 32 hex digits; again for more; without: all."),
    ] = None,
    endpoint: Annotated[
        str, typer.Option(help="Base URL where it takes events; without: it gets none.")
    ] = "",
    auth: Annotated[str, typer.Option(help="Its base URL for tokens, where it is another.")] = "",
    client_id: Annotated[str, typer.Option(help="As whom we come there.")] = "",
    secret_file: Annotated[
        Path | None, typer.Option(help="A file with the secret that it gave us.")
    ] = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Let a partner ask for footprints; its secret is shown once."""
    house, out = open_house(directory), Output(as_json=as_json)
    if bool(endpoint) != bool(client_id and secret_file):
        raise InvalidInput("--endpoint, --client-id and --secret-file come together, or not at all")
    at = None
    if endpoint and secret_file:
        secret_there = read_secret(secret_file)
        at = Endpoint(url=endpoint, auth=auth, client_id=client_id, secret=secret_there)
    with db.writing(house.engine) as conn:
        size = load_head(conn, house.log.log_id).size
        if current_party(conn, house.log.log_id, party, size) is None:
            raise NotFound(f"there is no party {party!r}; see: greenledger party list")
        for name in product or []:
            if find(conn, house.log.log_id, "product", name).author != party:
                raise NotFound(f"{party} has no product {name}; see: greenledger product list")
        made, secret = clients.add(
            conn,
            house.desk.clock_s(),
            MACHINE,
            party=party,
            label=label,
            products=product or [ALL],
            seal_key=house.seal_key,
            told=size,
            endpoint=at,
        )
    out.say(f"Client {made.client} may see {'all' if not product else len(product)} of {party}.")
    out.say("Its secret is shown once, and stored nowhere:")
    out.say(f"  {secret}")
    out.result({**made.to_json(), "secret": secret})


@client.command("list")
def list_clients(
    party: Annotated[str, typer.Option(help="Of one organisation.")] = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Partners, ended ones too, and whether what was sent to them arrived."""
    house, out = open_house(directory), Output(as_json=as_json)
    with db.reading(house.engine) as conn:
        found = clients.list_clients(conn, {party} if party else None)
        waiting = {
            one.client: [
                going
                for going in mailbox.list_going(conn, one.client)
                if going.ended_at_s is None and going.error
            ]
            for one in found
        }
    out.table(
        "PACT clients",
        ["client", "label", "of", "products", "endpoint", "since", "state"],
        [
            [
                one.client,
                one.label,
                one.party,
                "all" if ALL in one.products else str(len(one.products)),
                one.endpoint or "–",
                park_date(one.created_at_s, house.log.zone),
                "in force" if one.ended_at_s is None else "ended",
            ]
            for one in found
        ],
    )
    for one in found:
        for going in waiting[one.client]:
            out.say(f"{one.label}: event {going.id} is tried again: {going.error}")
    out.result(
        {
            "clients": [
                {
                    **one.to_json(),
                    "failing": [
                        {"event": going.id, "attempts": going.attempts, "error": going.error}
                        for going in waiting[one.client]
                    ],
                }
                for one in found
            ]
        }
    )


@client.command("end")
def end(
    client_id: Annotated[str, typer.Argument(help="The client's id, 32 hex digits.")],
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Let a partner ask no more; its tokens open nothing from now on."""
    house, out = open_house(directory), Output(as_json=as_json)
    with db.writing(house.engine) as conn:
        exchange.end_client(conn, house.desk.clock_s(), MACHINE, client_id)
    out.say(f"Client {client_id} gets nothing more.")
    out.result({"client_id": client_id, "ended": True})
