"""Acts that may need two officers: the options of who prepares, and what a draft says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy import Connection

from ledger import db
from ledger.approvals import store
from ledger.approvals.service import carry_out
from ledger.approvals.store import Draft, Person
from ledger.cli.options import one_of_id, read_key
from ledger.cli.output import Output
from ledger.errors import InvalidInput
from ledger.house import House
from ledger.parties.desk import Desk
from ledger.parties.officer_store import Officer, find_officers
from ledger.units import format_instant

T = TypeVar("T")
As = Annotated[
    str,
    typer.Option(
        "--as", help="Officer who prepares it, where four eyes are the rule: id, or its beginning."
    ),
]
OfficerKey = Annotated[
    Path | None,
    typer.Option("--officer-key", help="Private key file of an officer who holds their own key."),
]
PREFIX_MIN = 4


def find_officer(conn: Connection, house: House, text: str) -> Officer:
    """An officer by the beginning of its id, or by its label. Raises InvalidInput or NotFound."""
    log = house.log
    known = find_officers(conn, log.log_id, log.origin)
    labels = store.people(conn, log.log_id)
    found = [one for one in known if one.officer in labels and labels[one.officer].label == text]
    if not found:
        if len(text) < PREFIX_MIN:
            raise InvalidInput(f"{text!r} is too short for an officer: give {PREFIX_MIN} digits")
        found = [one for one in known if one.officer.hex().startswith(text.lower())]
    return one_of_id(found, text, "officer", "greenledger officer list")


def person(house: House, text: str) -> Person:
    with db.reading(house.engine) as conn:
        return Person(officer=find_officer(conn, house, text).officer)


def carried(
    out: Output,
    house: House,
    act: Callable[[Desk], T],
    *,
    officer: str,
    officer_key: Path | None,
    summary: Mapping[str, Any],
) -> T | None:
    """Do it; or, where two are needed, prepare a draft and say what is next: then None."""
    done = carry_out(
        house.desk,
        act,
        by=person(house, officer) if officer else None,
        key=read_key(officer_key) if officer_key else None,
        summary=summary,
    )
    if not isinstance(done, Draft):
        return done
    short = done.draft.hex()[:12]
    out.say(
        f"Draft {done.draft.hex()} ({done.kind}) of {done.party} is prepared; nothing is in the log"
        f" yet. Another officer approves it until {format_instant(done.expires_at_s)}:"
    )
    out.say(f"  greenledger draft show {short}")
    out.say(f"  greenledger draft approve {short} --as OFFICER")
    out.result({"draft": draft_json(done)})
    return None


def draft_json(draft: Draft) -> dict[str, Any]:
    decider = draft.decider
    return {
        "draft": draft.draft.hex(),
        "party": draft.party,
        "kind": draft.kind,
        "state": draft.state,
        "summary": dict(draft.summary),
        "preparer": draft.preparer.officer.hex(),
        "prepared_at": format_instant(draft.prepared_at_s),
        "expires_at": format_instant(draft.expires_at_s),
        "decider": "" if decider is None else decider.officer.hex(),
        "decided_at": "" if draft.decided_at_s is None else format_instant(draft.decided_at_s),
        "reason": draft.reason,
        "entry": draft.entry_index,
    }
