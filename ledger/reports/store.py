"""Reports in the database: the last version of each is in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from ledger.errors import Corrupt, NotFound
from ledger.log.bodies import Blob
from ledger.log.store import LogFacts, load_body
from ledger.reports.model import MEDIA
from ledger.reports.schema import reports


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of a report, by its entry. `report`: its series, 32 hex digits; `number`: as many
    versions stand before it; `body`: hash of what it says, see `load`."""

    report: str
    number: int
    entry_index: int
    id: str
    author: str
    kind: str
    as_of: int
    body: str
    replaces: str


def _version(row: Row[Any]) -> Version:
    return Version(
        report=bytes(row.report).hex(),
        number=row.number,
        entry_index=row.entry_index,
        id=row.id,
        author=row.author,
        kind=row.kind,
        as_of=row.as_of,
        body=bytes(row.body).hex(),
        replaces=row.replaces,
    )


def versions(conn: Connection, log_id: int, report: str) -> list[Version]:
    """All of a report, in order; none where it was never published."""
    query = (
        select(reports)
        .where(reports.c.log_id == log_id, reports.c.report == bytes.fromhex(report))
        .order_by(reports.c.number)
    )
    return [_version(row) for row in conn.execute(query)]


def find_report(
    conn: Connection, log_id: int, report: str, *, number: int | None = None
) -> Version:
    """The version in force, or the one of that number. Raises NotFound."""
    found = versions(conn, log_id, report)
    if number is not None:
        found = [one for one in found if one.number == number]
    if not found:
        which = "" if number is None else f" version {number} of"
        raise NotFound(f"there is no{which} report {report}; see: greenledger report list")
    return found[-1]


def list_reports(
    conn: Connection,
    log_id: int,
    *,
    kind: str | None = None,
    author: str | None = None,
    as_of: int | None = None,
) -> list[Version]:
    """The version in force of each report, below a log size, in order of the log."""
    query = select(reports).where(reports.c.log_id == log_id)
    if kind is not None:
        query = query.where(reports.c.kind == kind)
    if author is not None:
        query = query.where(reports.c.author == author)
    if as_of is not None:
        query = query.where(reports.c.entry_index < as_of)
    rows = conn.execute(query.order_by(reports.c.report, reports.c.number))
    newest = {bytes(row.report): _version(row) for row in rows}
    return sorted(newest.values(), key=lambda one: one.entry_index)


def all_versions(
    conn: Connection, log_id: int, *, kind: str, author: str, as_of: int
) -> list[list[Version]]:
    """Each report of a kind and author with its versions below a log size, in order."""
    query = select(reports).where(
        reports.c.log_id == log_id,
        reports.c.kind == kind,
        reports.c.author == author,
        reports.c.entry_index < as_of,
    )
    found: dict[bytes, list[Version]] = {}
    for row in conn.execute(query.order_by(reports.c.report, reports.c.number)):
        found.setdefault(bytes(row.report), []).append(_version(row))
    return list(found.values())


def load(conn: Connection, log: LogFacts, found: Version) -> dict[str, Any]:
    """What a version says: kind, as_of, about, result, changes."""
    data = load_body(conn, log.log_id, found.body)
    body = None if data is None else Blob.open(data, MEDIA)
    if body is None or body.key != found.body:
        raise Corrupt(
            f"table bodies: {found.body}, of report {found.report}, is missing or another one"
        )
    return body.json()


def save(conn: Connection, log_id: int, before: Version | None, after: Version) -> None:
    conn.execute(
        insert(reports).values(
            log_id=log_id,
            report=bytes.fromhex(after.report),
            number=after.number,
            entry_index=after.entry_index,
            id=after.id,
            author=after.author,
            kind=after.kind,
            as_of=after.as_of,
            body=bytes.fromhex(after.body),
            before_number=None if before is None else before.number,
            before_as_of=0 if before is None else before.as_of,
            replaces=after.replaces,
        )
    )
