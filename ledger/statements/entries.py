"""The entry type of statements, and the rules that it keeps (docs/formats.md §4.12)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from ledger.errors import InvalidInput, Refused
from ledger.log import entry as e
from ledger.log import store as log_store
from ledger.log.bodies import Blob, blob_kind, json_media
from ledger.log.entry import Entry
from ledger.log.types import Bodies, EntryType, Tx
from ledger.metering.entries import blob
from ledger.metering.sealing import FILE_MEDIA
from ledger.parties.entries import operator_signs
from ledger.registry import catalogue
from ledger.registry.scheme import CERTIFICATE, Scheme
from ledger.statements import store
from ledger.statements.model import CREDITS, GREEN_TRADE, KINDS, NAME, Statement
from ledger.units import parse_zone

IMPORT: Final = "statement.import"


def _accept(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    kind = entry.statement["kind"]
    said = Statement.from_json(blob(bodies, "body").json())
    today = datetime.fromtimestamp(tx.tick_s, UTC).astimezone(parse_zone(tx.log.zone)).date()
    if said.as_of > today:
        raise Refused(
            f"the statement is as of {said.as_of}, after the log's time: in the park it is {today}"
        )
    _check_rows(kind, said, catalogue.find_scheme(tx.conn, tx.log.log_id, said.scheme).rules)
    document = _document(tx, said)
    earlier = store.last_of_file(tx.conn, tx.log.log_id, document)
    if earlier and earlier.reading == said.reading(kind):
        raise Refused(
            f"file {said.file.name!r} (SHA-256 {document.hex()}) was imported before, with the very"
            f" same rows, by entry {earlier.entry_index}: a statement is imported once"
        )
    store.save_statement(tx.conn, tx.log.log_id, tx.index, kind, said, document)


def _check_rows(kind: str, said: Statement, rules: Scheme) -> None:
    """Rows are of the kind of the statement, and of classes of its scheme."""
    if (kind == CREDITS) != (rules.kind != CERTIFICATE):
        raise InvalidInput(
            f"a statement of kind {kind} is not about scheme {rules.scheme}, of kind {rules.kind}"
        )
    for row in said.rows:
        if row.class_ and row.class_ not in rules.classes:
            raise InvalidInput(
                f"row {row.row}: scheme {rules.scheme} has no class {row.class_!r}; it has"
                f" {', '.join(sorted(rules.classes))}"
            )
        if not row.units and kind != GREEN_TRADE:
            raise InvalidInput(
                f"row {row.row} gives energy alone; of a statement of kind {kind} it has units"
            )


def _document(tx: Tx, said: Statement) -> bytes:
    """SHA-256 of the file as it was received."""
    data = log_store.load_body(tx.conn, tx.log.log_id, said.file.hash)
    # The log takes an entry with all its attachments, or not at all.
    assert data is not None
    content = Blob.open(data, FILE_MEDIA).content
    if len(content) != said.file.size:
        raise InvalidInput(
            f"the file has {len(content)} bytes, the statement says {said.file.size}"
        )
    return hashlib.sha256(content).digest()


def _file_of(bodies: Bodies) -> Sequence[str]:
    """The original file that the body names."""
    file = blob(bodies, "body").json().get("file")
    if not isinstance(file, dict) or not e.HASH.check(file.get("hash")):
        raise InvalidInput("statement: file.hash is the hash of the salted file, 64 hex digits")
    return (str(file["hash"]),)


ENTRY_TYPES: Final = (
    EntryType(
        name=IMPORT,
        members={"kind": e.one_of(*KINDS), "body": e.BLOB},
        bodies={"body": blob_kind(json_media(NAME))},
        attachments=_file_of,
        signers=operator_signs,
        accept=_accept,
    ),
)
