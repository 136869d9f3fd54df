"""Erasing batches: values, flags, secrets and files go for good; what was signed about them stays.

An entry `readings.erase` names the batches. Its private body keeps what bookkeeping needs: which
intervals of which points they had, so that no other value is ever sent for these. From that entry
on the ledger goes on as if the readings had never been sent. What was computed from them before
stands on its word: a replay takes it so, and says which entries these are (docs/formats.md §4.14).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from ledger.db import reading
from ledger.errors import InvalidInput, NotFound, Refused
from ledger.log import entry as e
from ledger.log import store as log_store
from ledger.log.bodies import blob_kind, json_media
from ledger.log.entry import Entry, Member
from ledger.log.erasing import ERASE as ERASE
from ledger.log.erasing import Kept, erase, erased_by, require_may_erase, uses_of
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt
from ledger.log.types import Bodies, EntryType, Tx
from ledger.metering import store
from ledger.metering.batches import READINGS_MAX, Block
from ledger.metering.entries import blob
from ledger.parties.desk import Desk, Draft, seal_json
from ledger.parties.entries import author_signs
from ledger.units import format_instant, parse_instant

NAME: Final = "erased"
BATCHES_MAX: Final = 500
MEDIA: Final = json_media(NAME)
_LIST: Final = Member(expected="an array", check=lambda value: isinstance(value, list))
_BATCH: Final = {"batch": e.HASH, "file": e.HASH_OR_NONE, "blocks": _LIST}
_BLOCK: Final = {"point": e.ID, "from": e.INSTANT, "length_s": e.COUNT, "count": e.COUNT}


def _are_batches(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 0 < len(value) <= BATCHES_MAX
        and all(e.HASH.check(one) for one in value)
        and value == sorted(set(value))
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Erasing:
    """A batch as an erasure keeps it. `file`: hash of the salted file that it came from, or ""."""

    batch: bytes
    file: str
    blocks: tuple[Block, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "batch": self.batch.hex(),
            "file": self.file,
            "blocks": [
                {
                    "point": block.point.hex(),
                    "from": format_instant(block.start_s),
                    "length_s": block.length_s,
                    "count": block.count,
                }
                for block in self.blocks
            ],
        }

    @classmethod
    def from_json(cls, found: Any) -> Erasing:
        """Raises InvalidInput."""
        e.check_members(_object(found), _BATCH)
        return cls(
            batch=bytes.fromhex(found["batch"]),
            file=found["file"],
            blocks=tuple(_block(one) for one in found["blocks"]),
        )


def _object(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise InvalidInput("what an erasure keeps of a batch, or a block of it, is an object")
    return found


def _block(found: Any) -> Block:
    e.check_members(_object(found), _BLOCK)
    if found["count"] > READINGS_MAX:
        raise InvalidInput(f"a batch has at most {READINGS_MAX} readings")
    return Block.without_values(
        bytes.fromhex(found["point"]),
        start_s=parse_instant(found["from"]),
        length_s=found["length_s"],
        count=found["count"],
    )


def _kept(bodies: Bodies) -> list[Erasing]:
    found = blob(bodies, "body").json()
    e.check_members(found, {"batches": _LIST})
    return [Erasing.from_json(one) for one in found["batches"]]


def _keeps(bodies: Bodies) -> Mapping[bytes, Kept]:
    return {
        one.batch: Kept(names=(one.file,) if one.file else (), body=one.blocks)
        for one in _kept(bodies)
    }


def _accept(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    kept = _kept(bodies)
    if [one.batch.hex() for one in kept] != entry.statement["batches"]:
        raise InvalidInput(
            "the body keeps what is left of the very batches that it erases, in order"
        )
    indices = [_require_erasable(tx, entry, one) for one in kept]
    require_may_erase(tx.conn)
    erase(tx.conn, tx.log.log_id, indices, tx.index)
    store.erase_values(tx.conn, tx.log.log_id, indices)


def _require_erasable(tx: Tx, entry: Entry, one: Erasing) -> int:
    """The batch's entry. Raises Refused, or InvalidInput where something else is kept of it."""
    log_id = tx.log.log_id
    index = log_store.index_of_leaf(tx.conn, log_id, one.batch)
    batch = store.load_batch(tx.conn, log_id, index) if index is not None else None
    if index is None or batch is None:
        raise Refused(f"{one.batch.hex()} is no batch of readings in this log")
    if entry.author not in (batch.author, tx.log.operator):
        raise Refused(
            f"the batch of entry {index} is erased by its author {batch.author!r} or the operator,"
            f" not by {entry.author!r}"
        )
    by = erased_by(tx.conn, log_id, [index])
    if by:
        raise Refused(f"the batch of entry {index} was erased before, by entry {by[index]}")
    if spans_of(one.blocks) != store.spans_of_batch(tx.conn, log_id, index):
        raise InvalidInput(f"entry {index} has other intervals than the erasure keeps of it")
    if file_of(tx.conn, log_id, index) != one.file:
        raise InvalidInput(f"entry {index} came from another file than the erasure says")
    return index


def spans_of(blocks: Sequence[Block]) -> list[store.Span]:
    return [(one.point, one.start_s, one.end_s, one.length_s) for one in blocks]


def file_of(conn: Connection, log_id: int, index: int) -> str:
    """The hash of the salted file that a batch came from, or ""."""
    statement = log_store.entry_at(conn, log_id, index).statement
    bodies = {statement[name]["hash"] for name in ("manifest", "corrects") if name in statement}
    return "".join(uses_of(conn, log_id, index) - bodies)


ENTRY_TYPES: Final = (
    EntryType(
        name=ERASE,
        members={
            "batches": Member(
                expected=f"a sorted array of 1 to {BATCHES_MAX} leaf hashes, none twice",
                check=_are_batches,
            ),
            "reason": e.REASON,
            "body": e.BLOB,
        },
        bodies={"body": blob_kind(MEDIA)},
        signers=author_signs,
        accept=_accept,
        irreversible=lambda _entry: True,
        keeps=_keeps,
    ),
)


# What the command does


def find_batches(
    conn: Connection,
    log_id: int,
    *,
    entries: Sequence[int] = (),
    author: str = "",
    source: str = "",
    before_s: int | None = None,
) -> list[store.BatchRow]:
    """The batches of these entries; or those of a source that are not erased, as far as all of
    their readings end by a time. Raises NotFound."""
    rows = store.batch_rows(conn, log_id, log_store.load_head(conn, log_id).size)
    if entries:
        known = {row.entry_index: row for row in rows}
        for index in entries:
            if index not in known:
                raise NotFound(f"entry {index} is no batch of readings")
        return [known[index] for index in sorted(set(entries))]
    found = [
        row for row in rows if row.secret and row.source == source and author in ("", row.author)
    ]
    if before_s is not None:
        ends = store.batch_ends(conn, log_id, [row.entry_index for row in found])
        found = [row for row in found if ends[row.entry_index] <= before_s]
    if not found:
        raise NotFound(f"source {source!r} has no batch, or none that ends in time, to erase")
    return found


def erase_batches(
    desk: Desk,
    indices: Sequence[int],
    reason: str,
    *,
    author: str = "",
    key: SigningKey | None = None,
) -> Receipt:
    """Erase the batches of these entries for good. Raises InvalidInput, NotFound or Refused.

    `author`: the operator by default; else the author of all of them. `key` is its own.
    """
    log_id = desk.log.log_id
    with reading(desk.engine) as conn:
        rows = find_batches(conn, log_id, entries=indices)
        kept = [
            Erasing(
                batch=row.leaf_hash,
                file=file_of(conn, log_id, row.entry_index),
                blocks=tuple(store.times_of_batch(conn, log_id, row.entry_index)),
            )
            for row in sorted(rows, key=lambda row: row.leaf_hash)
        ]
    draft = Draft(
        type=ERASE,
        author=author or desk.log.operator,
        members={"batches": [one.batch.hex() for one in kept], "reason": reason},
        bodies={"body": seal_json({"batches": [one.to_json() for one in kept]}, NAME)},
    )
    return desk.writer.append(desk.sign(draft, key=key))
