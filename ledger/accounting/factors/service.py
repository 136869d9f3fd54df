"""Publishing sets of factors, and what a new version means for what was published with an old one.

A published report stays as it is: it names the factors that it was made with, by entry and hash.
What a new draft of it would say is shown beside it, and publishing that is its author's decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ledger.accounting.factors import files, store
from ledger.accounting.factors.comparing import Change, compare
from ledger.accounting.factors.model import REGISTER, FactorSet
from ledger.db import reading
from ledger.errors import LedgerError, NotFound
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt
from ledger.log.store import LogFacts
from ledger.parties.desk import Desk
from ledger.records import service as records
from ledger.records import store as record_rows
from ledger.records.store import Record
from ledger.reports import store as reports
from ledger.reports.entries import Computes
from ledger.reports.service import draft
from ledger.reports.store import Version


def publish(
    desk: Desk,
    name: str,
    content: FactorSet,
    *,
    author: str = "",
    key: SigningKey | None = None,
) -> Receipt | None:
    """Put a set in force, or a new version of it; None where it is in force as it stands.

    `author`: the operator where it is empty. Raises InvalidInput or Refused.
    """
    written = content.to_json()
    with reading(desk.engine) as conn:
        known = record_rows.current(conn, desk.log.log_id, REGISTER).get(name)
    if known is not None and dict(known.content) == written:
        return None
    return records.put(desk, REGISTER, name, written, author=author or desk.log.operator, key=key)


def ensure(desk: Desk, names: Sequence[str] = ()) -> list[str]:
    """Publish those sets that came with the program (all, or the named ones) and were never put
    here; returns their names. Raises NotFound, or Refused where another one took a name."""
    put = sorted(records.never_put(desk, REGISTER, set(names or files.shipped_sets())))
    for name in put:
        publish(desk, name, files.shipped(name))
    return put


def history(conn: Connection, log: LogFacts, name: str) -> list[Record]:
    """All versions and ends of a set, in order. Raises NotFound where it was never put."""
    found = record_rows.history(conn, log.log_id, REGISTER, name)
    if not found:
        raise NotFound(f"there is no set of factors {name!r}; see: greenledger factor list")
    return found


def diff(
    conn: Connection, log: LogFacts, name: str, before: int = 0, after: int = 0
) -> tuple[Record | None, Record, list[Change]]:
    """What differs between two versions (from 1 on); 0: the last one, and the one before it.

    Raises NotFound for a version that there is not.
    """
    found = history(conn, log, name)
    last = after or len(found)
    first = before or last - 1
    for number in (last, first):
        if not (0 if number == first else 1) <= number <= len(found):
            raise NotFound(f"set {name!r} has versions 1 to {len(found)}, not {number}")
    old, new = (found[first - 1] if first else None), found[last - 1]
    return old, new, compare(_content(old), _content(new))


def _content(record: Record | None) -> FactorSet | None:
    """None of an end, too."""
    if record is None or record.act != record_rows.PUT:
        return None
    return store.published(record).content


def affected_reports(conn: Connection, log: LogFacts, name: str) -> list[Version]:
    """Published reports, as they are in force, that rest on a version of the set which is not."""
    found = history(conn, log, name)
    there = {one.entry_index for one in found}
    in_force = {found[-1].entry_index} if found[-1].act == record_rows.PUT else set()
    old = there - in_force
    return [one for one in reports.list_reports(conn, log.log_id) if _rests_on(conn, log, one, old)]


def _rests_on(conn: Connection, log: LogFacts, report: Version, entries: set[int]) -> bool:
    result = reports.load(conn, log, report)["result"]
    return any(one["entry"] in entries for one in result["inputs"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Redraft:
    """What a new draft of a published report says beside it; or why there can be none."""

    report: Version
    changes: Mapping[str, Any]
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "report": self.report.report,
            "kind": self.report.kind,
            "author": self.report.author,
            "entry": self.report.entry_index,
            "lines": list(self.changes.get("lines", [])),
            "because": list(self.changes.get("because", [])),
            "error": self.error,
        }


def redraft(conn: Connection, log: LogFacts, computes: Computes, report: Version) -> Redraft:
    """A draft of what was asked then, of the log as it is now, compared with what is published."""
    about = reports.load(conn, log, report)["about"]
    try:
        found = draft(conn, log, computes, report.kind, about, report=report.report)
    except LedgerError as error:
        return Redraft(report=report, changes={}, error=str(error))
    return Redraft(report=report, changes=found["changes"])
