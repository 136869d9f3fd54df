"""Registering standards, looking at a scorecard, and publishing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from ledger.accounting.loading.view import View
from ledger.db import reading
from ledger.errors import InvalidInput, NotFound
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt
from ledger.log.store import LogFacts, load_head
from ledger.lots.model import span_of
from ledger.parties.desk import Desk
from ledger.records import service as records
from ledger.records import store as rows
from ledger.reports import service as reports
from ledger.reports import store as published
from ledger.reports.entries import Computes
from ledger.scorecard import catalogue
from ledger.scorecard.asked import Asked
from ledger.scorecard.entries import require_known
from ledger.scorecard.scoring import KIND, judge, scorecard
from ledger.scorecard.standard import REGISTER, Standard


def register(
    desk: Desk, name: str, standard: Standard, *, author: str = "", key: SigningKey | None = None
) -> Receipt:
    """Put a standard in force, or a new version of it. `author`: the operator where it is empty.
    Raises InvalidInput or Refused."""
    require_known(standard)
    return records.put(
        desk, REGISTER, name, standard.to_json(), author=author or desk.log.operator, key=key
    )


def ensure(desk: Desk, name: str) -> Receipt | None:
    """Register a standard that came with the program, where none of its name was ever put. Raises
    NotFound where there is none either way, or Refused where another party took the name."""
    if not records.never_put(desk, REGISTER, [name]):
        return None
    return register(desk, name, catalogue.shipped(name))


def look(
    conn: Connection, log: LogFacts, about: Mapping[str, Any], as_of: int | None = None
) -> dict[str, Any]:
    """A draft: {"as_of", "about", "result"}. A standard that is in no register, but came with the
    program, is good enough to look at. Raises as `scoring.scorecard`."""
    size = load_head(conn, log.log_id).size
    at = size if as_of is None else as_of
    if not 0 < at <= size:
        raise InvalidInput(f"as_of is {at}; the log has {size} entries, and a scorecard knows one")
    asked = Asked.from_json(about)
    in_force = rows.current(conn, log.log_id, REGISTER, as_of=at)
    if asked.standard in in_force:
        result = scorecard(conn, log, about, at)
    elif asked.standard in catalogue.shipped_standards():
        view = View(conn, log, span_of(asked.period, log.zone_s), at)
        nowhere = {"author": "", "entry": "", "hash": ""}
        result = judge(view, asked, catalogue.shipped(asked.standard), nowhere)
    else:
        known = ", ".join(sorted({*in_force, *catalogue.shipped_standards()}))
        raise NotFound(
            f"there is no standard {asked.standard!r} at log size {at}; there are {known}; to add"
            " one: greenledger scorecard register NAME --file standard.toml"
        )
    return {"kind": KIND, "as_of": at, "about": asked.to_json(), "result": result}


def publish(
    desk: Desk,
    computes: Computes,
    about: Mapping[str, Any],
    *,
    author: str = "",
    as_of: int | None = None,
    key: SigningKey | None = None,
) -> Receipt:
    """Publish a scorecard: a new version where its author has one of the same standard and period.
    Raises as `reports.service.publish`."""
    asked = Asked.from_json(about).to_json()
    by = author or desk.log.operator
    with reading(desk.engine) as conn:
        series = _series(conn, desk.log, by, asked)
    return reports.publish(
        desk, computes, KIND, asked, author=by, as_of=as_of, report=series, key=key
    )


def _series(conn: Connection, log: LogFacts, author: str, asked: Mapping[str, Any]) -> str:
    same = ("standard", "period")
    for one in published.list_reports(conn, log.log_id, kind=KIND, author=author):
        about = published.load(conn, log, one)["about"]
        if all(about.get(name) == asked[name] for name in same):
            return one.report
    return ""
