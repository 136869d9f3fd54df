"""Which reports a pack shows, where nobody names them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from ledger.disclosure.asked import SHOWN, Asked
from ledger.disclosure.content import is_of
from ledger.log.store import LogFacts
from ledger.records import store as records
from ledger.reports import store as reports
from ledger.reports.model import INVENTORY


def choose(
    conn: Connection,
    log: LogFacts,
    organisation: str,
    year: str,
    as_of: int,
    *,
    named: Sequence[str] = (),
    regimes: Sequence[str] = (),
) -> Asked:
    """The reports that are `named`; else all published ones about the organisation and the year, or
    a time within it. Without an inventory among them one is drafted, under `regimes` or all that
    are in force; where none is, there can be none. Raises InvalidInput."""
    # What is wrong with what is asked, before anything is looked for.
    Asked.of(organisation, year, named)
    kinds: dict[str, str] = {}
    for version in reports.list_reports(conn, log.log_id, as_of=as_of):
        if version.kind not in SHOWN or (named and version.report not in named):
            continue
        about = reports.load(conn, log, version)["about"]
        of_year = str(about.get("period", "")).startswith(year)
        if named or (of_year and is_of(version, about, organisation)):
            kinds[version.report] = version.kind
    chosen = sorted({*named, *kinds})
    drafts = []
    if INVENTORY not in kinds.values() or regimes:
        known = records.current(conn, log.log_id, "regime", as_of=as_of, author=log.operator)
        if regimes or known:
            asked = {"subject": organisation, "period": year, "regimes": list(regimes)}
            drafts.append((INVENTORY, asked))
    return Asked(organisation=organisation, year=year, reports=tuple(chosen), drafts=tuple(drafts))
