"""greenledger draft …: acts that one officer prepared and another decides."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from sqlalchemy import Connection

from ledger import db
from ledger.approvals import service, store
from ledger.approvals.store import Draft
from ledger.cli.approving import OfficerKey, draft_json, person
from ledger.cli.options import Dir, Json, id_span, one_of_id, open_house, read_key
from ledger.cli.output import Output, park_time
from ledger.house import House

draft = typer.Typer(
    help="Drafts: what one officer prepared, for another to approve or to send back.",
    no_args_is_help=True,
)
DraftId = Annotated[str, typer.Argument(help="The draft's id, or enough of its beginning.")]
Decides = Annotated[str, typer.Option("--as", help="Officer who decides: id, or its beginning.")]


def add_to(app: typer.Typer) -> None:
    app.add_typer(draft, name="draft")


def _find(conn: Connection, house: House, text: str) -> Draft:
    first, last = id_span(text, "draft")
    found = store.drafts_between(conn, house.log.log_id, first, last)
    return one_of_id(found, text, "draft", "greenledger draft list")


@draft.command("list")
def list_drafts(
    party: Annotated[str, typer.Option(help="Of this party alone.")] = "",
    state: Annotated[str, typer.Option(help="One of " + ", ".join(store.STATES) + ".")] = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Drafts, with what became of them."""
    house = open_house(directory)
    service.expire_due(house.desk)
    with db.reading(house.engine) as conn:
        found = store.find_drafts(conn, house.log.log_id, party=party or None, state=state or None)
    out = Output(as_json=as_json)
    out.table(
        "Drafts",
        ["draft", "party", "act", "state", "prepared by", "prepared", "why"],
        [
            [
                one.draft.hex()[:12],
                one.party,
                one.kind,
                one.state,
                one.preparer.officer.hex()[:12],
                park_time(one.prepared_at_s, house.log.zone),
                one.reason or "–",
            ]
            for one in found
        ],
    )
    out.result({"drafts": [draft_json(one) for one in found]})


@draft.command("show")
def show(draft_id: DraftId, directory: Dir = None, as_json: Json = False) -> None:
    """What a draft would put into the log: its entries and bodies, and what its preparer says."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        found = _find(conn, house, draft_id)
        contents = service.contents(conn, house.desk, found.draft)
    out = Output(as_json=as_json)
    out.say(f"Draft {found.draft.hex()} of {found.party}: {found.kind}, {found.state}")
    out.say(f"Prepared by {found.preparer.officer.hex()}, who says:")
    out.say(json.dumps(dict(found.summary), ensure_ascii=False, indent=2))
    out.say("What is signed:")
    for one in contents:
        out.say(json.dumps(one, ensure_ascii=False, indent=2))
    out.result({**draft_json(found), "contents": contents})


@draft.command("approve")
def approve(
    draft_id: DraftId,
    officer: Decides,
    officer_key: OfficerKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Sign a draft as the second officer, and append it."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        found = _find(conn, house, draft_id)
    receipts = service.approve(
        house.desk,
        found.draft,
        person(house, officer),
        key=read_key(officer_key) if officer_key else None,
    )
    out = Output(as_json=as_json)
    entries = [receipt.index for receipt in receipts]
    out.say(
        f"Approved: {found.kind} of {found.party} is"
        f" {'entry' if len(entries) == 1 else 'entries'} {', '.join(map(str, entries))}."
    )
    last = receipts[-1].entry.statement
    names = {name: last[name] for name in ("claim", "retirement", "period") if last.get(name)}
    for name, value in names.items():
        out.say(f"  {name}: {value}")
    out.result({"draft": found.draft.hex(), "state": store.APPROVED, "entries": entries, **names})


@draft.command("reject")
def reject(
    draft_id: DraftId,
    officer: Decides,
    reason: Annotated[str, typer.Option(help="Why, for who prepared it; in no log.")],
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Send a draft back with a reason. Its preparer may take it back so."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        found = _find(conn, house, draft_id)
    done = service.reject(house.desk, found.draft, person(house, officer), reason)
    out = Output(as_json=as_json)
    out.say(f"Sent back: {done.kind} of {done.party}: {done.reason}")
    out.result(draft_json(done))
