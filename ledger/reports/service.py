"""Drafting reports, and publishing them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from ledger.db import reading
from ledger.errors import InvalidInput
from ledger.log.bodies import Blob
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt
from ledger.log.store import LogFacts, load_head
from ledger.parties.desk import Desk, Draft, fresh_id, fresh_salt
from ledger.reports import store
from ledger.reports.changes import NONE, changes
from ledger.reports.entries import PUBLISH, Computes, compute_of
from ledger.reports.model import MEDIA, encode, plain

__all__ = ["changes", "draft", "publish"]


def draft(
    conn: Connection,
    log: LogFacts,
    computes: Computes,
    kind: str,
    about: Mapping[str, Any],
    *,
    as_of: int | None = None,
    report: str = "",
) -> dict[str, Any]:
    """What a report would say at a log size (the present one), in full; nothing is published.

    `report`: the one whose version in force it is compared with. Raises InvalidInput, Refused,
    Erased, and NotFound where there is no such report.
    """
    size = load_head(conn, log.log_id).size
    at = size if as_of is None else as_of
    if not 0 < at <= size:
        raise InvalidInput(f"as_of is {at}; the log has {size} entries, and a report knows one")
    asked = plain(about)
    result = compute_of(computes, kind)(conn, log, asked, at)
    found = plain({"kind": kind, "as_of": at, "about": asked, "result": result, "changes": NONE})
    if report:
        before = store.find_report(conn, log.log_id, report)
        found["changes"] = changes(store.load(conn, log, before), found)
    return found


def publish(
    desk: Desk,
    computes: Computes,
    kind: str,
    about: Mapping[str, Any],
    *,
    author: str,
    as_of: int | None = None,
    report: str = "",
    key: SigningKey | None = None,
) -> Receipt:
    """Publish a report, or a new version of `report`. Raises what `draft` does."""
    with reading(desk.engine) as conn:
        content = draft(conn, desk.log, computes, kind, about, as_of=as_of, report=report)
        replaces = store.find_report(conn, desk.log.log_id, report).id if report else ""
    members = {
        "kind": kind,
        "report": report or fresh_id(),
        "replaces": replaces,
        "as_of": content["as_of"],
    }
    body = Blob.seal(encode(content), MEDIA, salt=fresh_salt())
    made = Draft(type=PUBLISH, author=author, members=members, bodies={"body": body})
    if key is None:
        return desk.append(made)
    return desk.writer.append(desk.sign(made, key=key))
