"""Entry types of records (docs/formats.md §4.15).

A name is its first author's: nobody else replaces or ends it. `replaces` names the last entry of
that name, so that two who write at once don't overwrite each other. What a record of a register
says is checked by the room whose register it is, before it is stored here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ledger.errors import Refused
from ledger.log import entry as e
from ledger.log.bodies import blob_kind
from ledger.log.entry import Entry, Member
from ledger.log.types import Beside, Bodies, EntryType, Tx, blob
from ledger.parties.entries import author_signs
from ledger.records import store
from ledger.records.model import BODY_BYTES_MAX, REGISTERS, SLUG, require_name

PUT: Final = "record.put"
END: Final = "record.end"
_BODY: Final = e.blob_up_to(BODY_BYTES_MAX)
_MEMBERS: Final[Mapping[str, Member]] = {
    "register": e.one_of(*REGISTERS),
    "name": SLUG,
    "replaces": e.ID_OR_NONE,
}


def _check_put(_tx: Tx, entry: Entry, bodies: Bodies, _beside: Beside) -> Mapping[str, Any]:
    """What is right of any record, before a room above looks; the content, see `content_of`."""
    require_name(entry.statement["register"], entry.statement["name"])
    return blob(bodies, "body").json()


def content_of(tx: Tx) -> Mapping[str, Any]:
    """Of a record that is being put: what its room above checks."""
    assert isinstance(tx.checked, dict)
    return tx.checked


def _before(tx: Tx, entry: Entry) -> store.Last | None:
    """The last row of the name, which the entry follows. Raises Refused."""
    said = entry.statement
    found = store.last(tx.conn, tx.log.log_id, said["register"], said["name"])
    what = f"{said['register']} {said['name']}"
    if found is not None and found.author != entry.author:
        raise Refused(f"{what} is a record of {found.author!r}, not of {entry.author!r}")
    there = "" if found is None else found.id
    if said["replaces"] != there:
        raise Refused(f"{what}: replaces is {said['replaces']!r}, its last entry is {there!r}")
    return found


def _row(tx: Tx, entry: Entry, **of_act: Any) -> dict[str, Any]:
    return {
        "register": entry.statement["register"],
        "name": entry.statement["name"],
        "entry_index": tx.index,
        "id": entry.id,
        "author": entry.author,
        **of_act,
    }


def _accept_put(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    before = _before(tx, entry)
    body = bytes.fromhex(blob(bodies, "body").key)
    row = _row(tx, entry, act=store.PUT, body=body, reason="")
    store.save(tx.conn, tx.log.log_id, before, row)


def _accept_end(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    before = _before(tx, entry)
    if before is None or not before.in_force:
        raise Refused(
            f"{entry.statement['register']} {entry.statement['name']} is not in force: there is"
            " nothing to end"
        )
    row = _row(tx, entry, act=store.END, body=None, reason=entry.statement["reason"])
    store.save(tx.conn, tx.log.log_id, before, row)


ENTRY_TYPES: Final = (
    EntryType(
        name=PUT,
        members={**_MEMBERS, "body": _BODY},
        bodies={"body": blob_kind(store.MEDIA)},
        signers=author_signs,
        check=_check_put,
        accept=_accept_put,
    ),
    EntryType(
        name=END,
        members={**_MEMBERS, "reason": e.REASON},
        signers=author_signs,
        accept=_accept_end,
    ),
)
