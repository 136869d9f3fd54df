"""Checkpoints: recompute what is stored, record the root, fsync the high-water record, sign.

A checkpoint is signed by all keys of the log that are in force at its size, or not at all.

At most one root per (origin, size): the database has it as a key, the high-water record remembers
it away from the database, and nothing is ever signed below or beside either.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from ledger import files
from ledger.db import lock, writing
from ledger.errors import Corrupt, NotFound, Unavailable
from ledger.log import logkeys, merkle, store, tiles
from ledger.log.checkpoint import Checkpoint, TlogProof
from ledger.log.cosigned import cosigned
from ledger.log.logkeys import open_own
from ledger.log.notes import Signer, VerifyKey, sign_note

# Who signs for a key of the log; raises NotFound for a key that is not at hand.
SignerOf = Callable[[VerifyKey], Signer]


class HighWater:
    """The largest checkpoint ever prepared for signing, in a file that is called after the log's
    first key, which it keeps when keys change."""

    def __init__(self, folder: Path, key: VerifyKey) -> None:
        self._path = folder / f"{key.key_id.hex()}-{key.public_key.hex()[:16]}.json"
        self._origin = key.name

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One signer at a time, over all processes."""
        files.make_private_folder(self._path.parent)
        with self._path.with_suffix(".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def read(self) -> Checkpoint | None:
        """Raises Corrupt for records that `write` did not write for this log and key."""
        for path in sorted(self._path.parent.glob("*.json")):
            if path != self._path and _decode(path).origin == self._origin:
                raise Corrupt(
                    f"{path} is the high-water record of the same log under another key: the"
                    " database is another one, or its log key was changed"
                )
        if not self._path.exists():
            return None
        found = _decode(self._path)
        if found.origin != self._origin:
            raise Corrupt(f"high-water record {self._path} is of {found.origin}, another log")
        return found

    def write(self, checkpoint: Checkpoint) -> None:
        """On disk when this returns; a crash leaves the old record or the new one."""
        files.replace(self._path, _encode(checkpoint))


def _encode(checkpoint: Checkpoint) -> bytes:
    return json.dumps(
        {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()}
    ).encode()


def _decode(path: Path) -> Checkpoint:
    data = path.read_bytes()
    try:
        record = json.loads(data)
        root = bytes.fromhex(record["root"])
        found = Checkpoint(origin=record["origin"], size=int(record["size"]), root=root)
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(f"high-water record {path} is broken: {error}") from error
    if _encode(found) != data:
        raise Corrupt(f"high-water record {path} was changed: it is not as it was written")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verified:
    """A size whose root was recomputed from the stored entries, and its right edge."""

    checkpoint: Checkpoint
    range: bytes


def check_high_water(
    conn: Connection,
    log: store.LogFacts,
    record: Checkpoint | None,
    *,
    was: str = "prepared before",
    says: str = "the high-water record says",
) -> None:
    """Raises Corrupt or Unavailable where the database lies behind or beside the record.

    `was`, `says`: where the record is from, for the message.
    """
    if record is None:
        return
    edge = store.load_head(conn, log.log_id).edge
    if edge.size < record.size:
        raise Unavailable(
            f"the database holds {edge.size} entries, but a checkpoint of {record.size} was"
            f" {was}: this is an old copy, and nothing is signed. Move it away, and"
            " restore into an empty database: greenledger restore BACKUP --tiles FOLDER-OR-URL"
            " (docs/recovery.md)"
        )
    root = merkle.tree_root(record.size, store.nodes(conn, log.log_id, edge))
    if root != record.root:
        raise Corrupt(
            f"the log's root at size {record.size} is {root.hex()}, {says}"
            f" {record.root.hex()}: the history was changed. Nothing is signed"
        )


def latest_note(conn: Connection, log_id: int) -> bytes | None:
    """The checkpoint note of the largest signed size."""
    found = conn.execute(
        select(store.checkpoint_notes.c.note)
        .where(store.checkpoint_notes.c.log_id == log_id)
        .order_by(store.checkpoint_notes.c.size.desc())
        .limit(1)
    ).scalar_one_or_none()
    return None if found is None else bytes(found)


# What else was seen of the log outside of its database: raises Corrupt or Unavailable where the
# database lies behind or beside that.
Seen = Callable[[Connection], None]


def _nothing_seen(_conn: Connection) -> None:
    """For logs that nothing outside has seen."""


def sign_checkpoint(
    engine: Engine,
    log: store.LogFacts,
    signer_of: SignerOf,
    high_water: HighWater,
    seen: Seen = _nothing_seen,
) -> bytes:
    """The signed checkpoint of the present size; signs nothing new where there is one.

    Raises Unavailable where a key of the log that has to sign is not at hand.
    """
    with high_water.locked():
        return _sign_locked(engine, log, signer_of, high_water, seen)


def _sign_locked(
    engine: Engine,
    log: store.LogFacts,
    signer_of: SignerOf,
    high_water: HighWater,
    seen: Seen,
) -> bytes:
    # Signers on other machines do not see this one's file lock.
    alone = f"checkpoints of log {log.log_id}"
    with writing(engine, long=True) as conn:
        lock(conn, alone)
        record = high_water.read()
        check_high_water(conn, log, record)
        seen(conn)
        verified = _recompute(conn, log, record)
        keys = logkeys.load(conn, log)
        signed = {one.checkpoint.size: note_at(conn, log, one.checkpoint.size) for one in verified}
        # Before anything is recorded: all who are to sign, or nobody.
        signers = {
            size: _signers(keys, size, signer_of) for size, note in signed.items() if note is None
        }
        for one in verified:
            _record_root(conn, log, one)
    # More than one where a crash left a root without its note: it gets the note that it would have
    # had, in order, each behind its own high-water record.
    for one in verified:
        size = one.checkpoint.size
        if record is None or record.size < size:
            high_water.write(one.checkpoint)
        note = signed[size] or sign_note(one.checkpoint.text, *signers[size])
        open_own(note, log, keys)
        with writing(engine) as conn:
            lock(conn, alone)
            _record_note(conn, log, size, note)
    return note


def _signers(keys: Sequence[logkeys.LogKey], size: int, signer_of: SignerOf) -> list[Signer]:
    """Raises Unavailable with the key that is not at hand."""
    found = []
    for key in logkeys.signing(keys, size):
        try:
            found.append(signer_of(key))
        except NotFound as error:
            raise Unavailable(
                f"a checkpoint of size {size} is signed by the log's key {key.key_id.hex()} too,"
                f" which is not at hand: {error}. Nothing is signed"
            ) from error
    return found


def _recompute(
    conn: Connection, log: store.LogFacts, record: Checkpoint | None
) -> Sequence[_Verified]:
    """Re-read the entries since the high-water record, and compare with roots and tiles.

    What the database says of itself is no place to begin: the record lies away from it. Returns
    the sizes with a root that were passed, the present one last.
    """
    edge = store.load_head(conn, log.log_id).edge
    tree_root = merkle.tree_root(edge.size, store.nodes(conn, log.log_id, edge))
    roots = store.recorded_roots(conn, log.log_id)
    roots.setdefault(edge.size, tree_root)
    if record is not None:
        roots[record.size] = record.root
    range_ = _range_at(conn, log, record)
    verified = [_verify(log, range_, roots)] if range_.size else []
    for index, data in store.entry_range(conn, log.log_id, range_.size, edge.size):
        if index != range_.size:
            raise Corrupt(f"entry {range_.size} is missing. Nothing is signed")
        range_.append(merkle.leaf_hash(data))
        if range_.size in roots:
            verified.append(_verify(log, range_, roots))
    if range_.size != edge.size or range_.root() != tree_root:
        raise Corrupt(
            f"the stored entries give root {range_.root().hex()} at size {range_.size},"
            f" the tiles {tree_root.hex()} at size {edge.size}. Nothing is signed"
        )
    return verified


def _verify(
    log: store.LogFacts, range_: merkle.CompactRange, roots: Mapping[int, bytes]
) -> _Verified:
    found = Checkpoint(origin=log.origin, size=range_.size, root=range_.root())
    if found.root != roots[found.size]:
        raise Corrupt(
            f"the stored entries give root {found.root.hex()} at size {found.size}, the tiles or"
            f" the record {roots[found.size].hex()}: the history was changed. Nothing is signed"
        )
    return _Verified(checkpoint=found, range=b"".join(range_.hashes))


def _range_at(
    conn: Connection, log: store.LogFacts, record: Checkpoint | None
) -> merkle.CompactRange:
    """The right edge recorded at the high-water mark; an empty one where there is none."""
    if record is not None:
        row = conn.execute(
            select(store.checkpoint_roots).where(
                store.checkpoint_roots.c.log_id == log.log_id,
                store.checkpoint_roots.c.size == record.size,
            )
        ).one_or_none()
        if row is not None:
            return recorded_range(row.size, bytes(row.root), bytes(row.range))
    return merkle.CompactRange()


def recorded_range(size: int, root: bytes, data: bytes) -> merkle.CompactRange:
    """The right edge that was recorded with a root. Raises Corrupt where it does not give it."""
    where = f"table checkpoint_roots, size {size}"
    hashes = tiles.split_hashes(data) if data and not len(data) % merkle.HASH_SIZE else []
    if size <= 0 or len(hashes) != size.bit_count():
        raise Corrupt(f"{where}: a range of {len(data)} bytes is not that of such a tree")
    range_ = merkle.CompactRange(size, hashes)
    if range_.root() != root:
        raise Corrupt(f"{where}: the range does not give the root")
    return range_


def _record_root(conn: Connection, log: store.LogFacts, verified: _Verified) -> None:
    size, root = verified.checkpoint.size, verified.checkpoint.root
    recorded = conn.execute(
        select(store.checkpoint_roots.c.root).where(
            store.checkpoint_roots.c.log_id == log.log_id, store.checkpoint_roots.c.size == size
        )
    ).scalar_one_or_none()
    if recorded is None:
        conn.execute(
            insert(store.checkpoint_roots).values(
                log_id=log.log_id, size=size, root=root, range=verified.range
            )
        )
    elif bytes(recorded) != root:
        raise Corrupt(f"two roots at size {size}: recorded {bytes(recorded).hex()}, {root.hex()}")


def note_at(conn: Connection, log: store.LogFacts, size: int) -> bytes | None:
    """The checkpoint note of a size, as the log itself signed it."""
    found = conn.execute(
        select(store.checkpoint_notes.c.note).where(
            store.checkpoint_notes.c.log_id == log.log_id, store.checkpoint_notes.c.size == size
        )
    ).scalar_one_or_none()
    return None if found is None else bytes(found)


def _record_note(conn: Connection, log: store.LogFacts, size: int, note: bytes) -> None:
    if note_at(conn, log, size) is None:
        conn.execute(insert(store.checkpoint_notes).values(log_id=log.log_id, size=size, note=note))


def latest_checkpoint(conn: Connection, log: store.LogFacts) -> tuple[Checkpoint, bytes]:
    """The largest signed checkpoint, verified, and its cosigned note, as it is handed out.

    Raises NotFound before the first.
    """
    note = latest_note(conn, log.log_id)
    if note is None:
        raise NotFound(f"log {log.origin} has no signed checkpoint yet")
    checkpoint = open_own(note, log, logkeys.load(conn, log))
    return checkpoint, cosigned(conn, log.log_id, checkpoint.size, note)


def inclusion_paths(
    conn: Connection, log: store.LogFacts, size: int, indexes: Sequence[int]
) -> list[list[bytes]]:
    """Paths of several entries in the tree of `size`, sharing the tiles that they read."""
    nodes = store.present_nodes(conn, log.log_id)
    return [merkle.inclusion_path(index, size, nodes) for index in indexes]


def prove_entry(conn: Connection, log: store.LogFacts, index: int) -> TlogProof:
    """A tlog-proof of entry `index` under the latest checkpoint, with the entry inside."""
    checkpoint, note = latest_checkpoint(conn, log)
    if not 0 <= index < checkpoint.size:
        raise NotFound(
            f"entry {index} is not under the latest checkpoint, which covers"
            f" {checkpoint.size} entries"
        )
    (path,) = inclusion_paths(conn, log, checkpoint.size, [index])
    entry = store.entry_data(conn, log.log_id, index)
    return TlogProof(index=index, path=tuple(path), checkpoint=note, extra=entry)


def prove_consistency(conn: Connection, log: store.LogFacts, old_size: int) -> dict[str, Any]:
    """RFC 9162 consistency proof from an earlier size to the latest checkpoint.

    Members as `greenledger-verify consistency --batch` takes them. Raises NotFound.
    """
    checkpoint, _ = latest_checkpoint(conn, log)
    if not 0 < old_size <= checkpoint.size:
        raise NotFound(f"size {old_size}: it is 1 to {checkpoint.size}, the latest checkpoint's")
    nodes = store.present_nodes(conn, log.log_id)
    return {
        "size1": old_size,
        "size2": checkpoint.size,
        "root1": merkle.tree_root(old_size, nodes).hex(),
        "root2": checkpoint.root.hex(),
        "path": [
            hash_.hex() for hash_ in merkle.consistency_path(old_size, checkpoint.size, nodes)
        ],
    }
