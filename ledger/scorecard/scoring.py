"""How a scorecard is computed: the log as it stood at a size, judged clause by clause.

A function of the log below `as_of` and of what is asked. It is judged when the period ends, or by
the log's own time where that is earlier: what expired by then is a gap again, whatever the clock of
who looks at it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from ledger.accounting.facts import PARK
from ledger.accounting.loading.view import View
from ledger.log.placed import time_at
from ledger.log.store import LogFacts
from ledger.lots.model import span_of
from ledger.records import store as records
from ledger.scorecard import answers
from ledger.scorecard.answers import Answer
from ledger.scorecard.asked import Asked
from ledger.scorecard.evidence import Evidence, by_clause
from ledger.scorecard.figures.known import FIGURES
from ledger.scorecard.loading.recorded import documents_of
from ledger.scorecard.loading.situation import load
from ledger.scorecard.standard import REGISTER, Standard
from ledger.units import format_instant

KIND: Final = "scorecard"


def scorecard(
    conn: Connection, log: LogFacts, about: Mapping[str, Any], as_of: int
) -> dict[str, Any]:
    """The result of a report. Raises InvalidInput, NotFound where the standard is not in force, or
    Erased."""
    asked = Asked.from_json(about)
    record = records.find(conn, log.log_id, REGISTER, asked.standard, as_of=as_of)
    heading = {"author": record.author, "entry": record.entry_index, "hash": record.leaf.hex()}
    view = View(conn, log, span_of(asked.period, log.zone_s), as_of)
    view.use(record.entry_index)
    return judge(view, asked, Standard.from_json(record.content), heading)


def judge(
    view: View, asked: Asked, standard: Standard, heading: Mapping[str, Any]
) -> dict[str, Any]:
    """`heading`: who put the standard in force, and where."""
    at_s = min(view.period.end_s - 1, time_at(view.conn, view.log.log_id, view.as_of - 1))
    wanted = {one.figure for one in standard.clauses} | {
        each.figure for one in standard.clauses for each in one.applies
    }
    held = load(view, asked, wanted & set(FIGURES), at_s)
    figures = {name: known.compute(held) for name, known in FIGURES.items() if name in wanted}
    documents = documents_of(view)
    of_clause = by_clause(asked.standard, documents)
    found = [
        answers.answer(one, figures, of_clause.get(one.id, ()), at_s) for one in standard.clauses
    ]
    return {
        "standard": {
            "name": asked.standard,
            "title": standard.title.to_json(),
            "source": standard.source,
            "status": standard.status,
            "issued": standard.issued,
            **heading,
        },
        "subject": PARK,
        "name": view.log.name,
        "period": asked.period,
        "from": format_instant(view.period.start_s),
        "to": format_instant(view.period.end_s),
        "judged_at": format_instant(at_s),
        "direct_region": held.region,
        "regimes": [{"id": role, "regime": name} for role, name in sorted(asked.regimes.items())],
        "sections": [
            {"id": number, "title": title.to_json()} for number, title in standard.sections.items()
        ],
        "clauses": [
            {**one.to_json(at_s), "section": standard.section_of(one.clause.clause)}
            for one in found
        ],
        "summary": answers.summary(found),
        "notes": [{"clause": clause, **text.to_json()} for clause, text in standard.notes],
        "unanswerable": _unanswerable(asked.standard, found, documents),
        "inputs": view.inputs(),
    }


def _unanswerable(
    standard: str, found: list[Answer], documents: list[Evidence]
) -> list[dict[str, str]]:
    """Documents that name a clause which the standard does not have."""
    known = {one.clause.id for one in found}
    return [
        {"id": one.record, "clause": clause}
        for one in documents
        for of, clause in sorted(one.about)
        if of == standard and clause not in known
    ]
