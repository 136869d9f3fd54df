"""Bodies of entries that were published and are in no backup: they are looked for in other folders,
and in what gateways keep of what they have sent.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledger.errors import Corrupt, InvalidInput, LedgerError, NotFound
from ledger.log.archive import Bodies
from ledger.log.bodies import Blob
from ledger.log.entry import Entry, parse_entry
from ledger.log.erasing import Kept
from ledger.log.export import kept_in, with_bodies
from ledger.log.types import EntryTypes

OUTBOX: Final = "outbox.sqlite3"
_MISSING_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Found:
    """Folders first, then what lay in gateways' outboxes."""

    folders: Bodies
    sent: dict[str, bytes]

    @classmethod
    def in_(cls, backup: Path, others: Sequence[Path]) -> Found:
        """Raises InvalidInput."""
        outboxes = [one for one in others if one.name == OUTBOX or (one / OUTBOX).is_file()]
        folders = [one for one in others if one not in outboxes]
        sent: dict[str, bytes] = {}
        for one in outboxes:
            sent |= _sent(one if one.name == OUTBOX else one / OUTBOX)
        return cls(Bodies.of(backup, *folders), sent)

    def find(self, key: str, most: int) -> bytes | None:
        found = self.folders.find(key, most)
        return self.sent.get(key) if found is None else found


def _sent(path: Path) -> dict[str, bytes]:
    """{hash or root: bytes} of the batches that a gateway keeps (see `ledger.gateway.outbox`)."""
    found: dict[str, bytes] = {}
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as outbox:
            for (submission,) in outbox.execute("SELECT submission FROM batches"):
                found |= _in_submission(json.loads(submission))
    except (sqlite3.Error, ValueError, KeyError, TypeError, LedgerError) as error:
        raise InvalidInput(f"{path} is no outbox of a gateway: {error}") from error
    return found


def _in_submission(said: dict[str, Any]) -> dict[str, bytes]:
    statement = parse_entry(base64.b64decode(said["entry"])).statement
    found = {}
    for member, data in said["bodies"].items():
        reference = statement[member]
        found[reference.get("root") or reference["hash"]] = base64.b64decode(data)
    for data in said["attachments"]:
        blob = Blob.open(base64.b64decode(data), "")
        found[blob.key] = blob.data
    return found


def require_all(found: Iterable[bytes], types: EntryTypes, bodies: Found, begin: int) -> None:
    """Raises NotFound that names every entry which lacks a body, and the body; before anything is
    written."""
    entries = [(index, _parsed(data, index)) for index, data in enumerate(found, begin)]
    missing, kept = list[str](), dict[bytes, Kept]()
    # The last first: what an entry erases is not looked for in those before it.
    for index, entry in reversed(entries):
        if entry.leaf_hash in kept:
            continue
        lacks = _missing(entry, index, types, bodies)
        missing += [f"entry {index} ({entry.type}): {what}" for what in reversed(lacks)]
        if entry.type in types.erasing and not lacks:
            origin = entry.statement["log"]
            kept |= kept_in([entry.data], types, bodies.find, begin=index, origin=origin)
    missing.reverse()
    if missing:
        shown = "\n  ".join(missing[:_MISSING_SHOWN])
        more = len(missing) - _MISSING_SHOWN
        raise NotFound(
            f"{len(missing)} bodies of published entries are in none of the folders:\n  {shown}"
            + (f"\n  and {more} more" if more > 0 else "")
            + "\nGive what may have them by --bodies: older backups and exports, outboxes of"
            " gateways; parties keep what they have sent. Nothing was written"
        )


def _parsed(data: bytes, index: int) -> Entry:
    try:
        return parse_entry(data)
    except InvalidInput as error:
        raise Corrupt(f"entry {index}: {error}") from error


def _missing(entry: Entry, index: int, types: EntryTypes, bodies: Found) -> list[str]:
    type_ = types.of_entry(entry)
    type_.check_statement(entry)
    missing = [
        f"{member} {entry.statement[member][kind.reference]}"
        for member, kind in type_.bodies.items()
        if bodies.find(entry.statement[member][kind.reference], 1 << 30) is None
    ]
    if missing or not type_.bodies:
        return missing
    asked: list[str] = []

    def note(key: str, most: int) -> bytes | None:
        data = bodies.find(key, most)
        if data is None:
            asked.append(f"attachment {key}")
            return b"\0" * 32
        return data

    origin = entry.statement["log"]
    for _ in with_bodies([entry.data], types, note, {}, begin=index, origin=origin):
        pass
    return asked
