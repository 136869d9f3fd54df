"""A disclosure as a report: the hashes of the files that the log recomputes before it takes it.

What stands in JSON and CSV files follows from the log, to the byte. What does not (the PDF and the
workbook, which fonts and libraries change; evidence files, which stand under a checkpoint of their
own, and prove themselves) is the author's word, by hash, in `about`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from ledger.disclosure.asked import Asked
from ledger.disclosure.content import Content, gather
from ledger.disclosure.csv_file import write_csv
from ledger.disclosure.views import tables_of
from ledger.errors import Refused
from ledger.log.entry import Entry
from ledger.log.store import LogFacts
from ledger.log.types import Bodies, Tx, blob
from ledger.reports.entries import Computes
from ledger.reports.inputs import inputs_of
from ledger.reports.model import DISCLOSURE, Compute, encode


def files_of(content: Content) -> dict[str, bytes]:
    """{name: bytes} of all that the log recomputes, in order of names."""
    found = {name: encode(said) + b"\n" for name, said in content.documents.items()}
    found |= {f"csv/{table.name}.csv": write_csv(table) for table in tables_of(content)}
    return dict(sorted(found.items()))


def named(name: str, data: bytes) -> dict[str, Any]:
    """A file as a report names it."""
    return {"id": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def disclosure(computes: Computes) -> Compute:
    """`computes`: how the reports that a pack shows are computed, where they are drafts."""

    def compute(
        conn: Connection, log: LogFacts, about: Mapping[str, Any], as_of: int
    ) -> dict[str, Any]:
        content = gather(conn, log, Asked.from_json(about), as_of, computes)
        return {
            "files": [named(name, data) for name, data in files_of(content).items()],
            "inputs": inputs_of(conn, log.log_id, content.inputs),
        }

    return compute


def before_publish(_tx: Tx, entry: Entry, bodies: Bodies) -> None:
    """An organisation discloses its own year, and nobody else's. Raises Refused."""
    if entry.statement["kind"] != DISCLOSURE:
        return
    about = blob(bodies, "body").json().get("about")
    organisation = about.get("organisation") if isinstance(about, dict) else None
    if organisation != entry.author:
        raise Refused(f"{entry.author} can't disclose for {organisation!r}, only for itself")
