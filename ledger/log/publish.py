"""Checkpoints: recompute what is stored, record the root, fsync the high-water record, sign.

At most one root per (origin, size): the database has it as a key, the high-water record remembers
it away from the database, and nothing is ever signed below or beside either.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from ledger.db import writing
from ledger.errors import Corrupt, NotFound, Unavailable
from ledger.log import merkle, store, tiles
from ledger.log.checkpoint import Checkpoint, TlogProof, open_checkpoint
from ledger.log.notes import SigningKey, VerifyKey, sign_note


class HighWater:
    """The largest checkpoint ever prepared for signing, in a file of its own for each log key."""

    def __init__(self, folder: Path, key: VerifyKey) -> None:
        self._path = folder / f"{key.key_id.hex()}-{key.public_key.hex()[:16]}.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One signer at a time, over all processes."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def read(self) -> Checkpoint | None:
        if not self._path.exists():
            return None
        record = json.loads(self._path.read_text())
        return Checkpoint(
            origin=record["origin"], size=record["size"], root=bytes.fromhex(record["root"])
        )

    def write(self, checkpoint: Checkpoint) -> None:
        """On disk, and renamed in one step, when this returns."""
        record = {
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": checkpoint.root.hex(),
        }
        fresh = self._path.with_suffix(".new")
        with fresh.open("w") as file:
            json.dump(record, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        descriptor = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verified:
    """A size whose root was recomputed from the stored entries."""

    checkpoint: Checkpoint
    range: merkle.CompactRange


def check_high_water(conn: Connection, log: store.LogFacts, record: Checkpoint | None) -> None:
    """Raises Corrupt or Unavailable where the database lies behind or beside the record."""
    if record is None:
        return
    edge = store.load_head(conn, log.log_id).edge
    if edge.size < record.size:
        raise Unavailable(
            f"the database holds {edge.size} entries, but a checkpoint of {record.size} was"
            " prepared before: this is an old copy. Restore the missing entries; nothing is signed"
        )
    root = merkle.tree_root(record.size, store.nodes(conn, log.log_id, edge))
    if root != record.root:
        raise Corrupt(
            f"the log's root at size {record.size} is {root.hex()}, the high-water record says"
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


def sign_checkpoint(
    engine: Engine, log: store.LogFacts, key: SigningKey, high_water: HighWater
) -> bytes:
    """The signed checkpoint of the present size; signs nothing new where there is one."""
    with high_water.locked():
        return _sign_locked(engine, log, key, high_water)


def _sign_locked(
    engine: Engine, log: store.LogFacts, key: SigningKey, high_water: HighWater
) -> bytes:
    with writing(engine) as conn:
        check_high_water(conn, log, high_water.read())
        verified = _recompute(conn, log)
        _record_root(conn, log, verified)
    record = high_water.read()
    if record is None or record.size < verified.checkpoint.size:
        high_water.write(verified.checkpoint)
    note = sign_note(verified.checkpoint.text, key)
    open_checkpoint(note, log.log_key)
    with writing(engine) as conn:
        _record_note(conn, log, verified.checkpoint.size, note)
    return note


def _recompute(conn: Connection, log: store.LogFacts) -> _Verified:
    """Re-read the entries since the last recorded root and compare with the tiles."""
    edge = store.load_head(conn, log.log_id).edge
    last = conn.execute(
        select(store.checkpoint_roots)
        .where(store.checkpoint_roots.c.log_id == log.log_id)
        .order_by(store.checkpoint_roots.c.size.desc())
        .limit(1)
    ).one_or_none()
    range_ = merkle.CompactRange()
    if last is not None:
        hashes = tiles.split_hashes(bytes(last.range)) if last.size else []
        range_ = merkle.CompactRange(last.size, hashes)
        if range_.root() != bytes(last.root):
            raise Corrupt(f"the recorded right edge at size {last.size} does not give its root")
    for index, data in store.entry_range(conn, log.log_id, range_.size, edge.size):
        if index != range_.size:
            raise Corrupt(f"entry {range_.size} is missing")
        range_.append(merkle.leaf_hash(data))
    tree_root = merkle.tree_root(edge.size, store.nodes(conn, log.log_id, edge))
    if range_.size != edge.size or range_.root() != tree_root:
        raise Corrupt(
            f"the stored entries give root {range_.root().hex()} at size {range_.size},"
            f" the tiles {tree_root.hex()} at size {edge.size}"
        )
    checkpoint = Checkpoint(origin=log.origin, size=range_.size, root=range_.root())
    return _Verified(checkpoint=checkpoint, range=range_)


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
                log_id=log.log_id, size=size, root=root, range=b"".join(verified.range.hashes)
            )
        )
    elif bytes(recorded) != root:
        raise Corrupt(f"two roots at size {size}: recorded {bytes(recorded).hex()}, {root.hex()}")


def _record_note(conn: Connection, log: store.LogFacts, size: int, note: bytes) -> None:
    recorded = conn.execute(
        select(store.checkpoint_notes.c.note).where(
            store.checkpoint_notes.c.log_id == log.log_id, store.checkpoint_notes.c.size == size
        )
    ).scalar_one_or_none()
    if recorded is None:
        conn.execute(insert(store.checkpoint_notes).values(log_id=log.log_id, size=size, note=note))


def latest_checkpoint(conn: Connection, log: store.LogFacts) -> tuple[Checkpoint, bytes]:
    """The largest signed checkpoint, verified, and its note. Raises NotFound before the first."""
    note = latest_note(conn, log.log_id)
    if note is None:
        raise NotFound(f"log {log.origin} has no signed checkpoint yet")
    return open_checkpoint(note, log.log_key), note


def inclusion_paths(
    conn: Connection, log: store.LogFacts, size: int, indexes: Sequence[int]
) -> list[list[bytes]]:
    """Paths of several entries in the tree of `size`, sharing the tiles that they read."""
    nodes = store.nodes(conn, log.log_id, store.load_head(conn, log.log_id).edge)
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
    nodes = store.nodes(conn, log.log_id, store.load_head(conn, log.log_id).edge)
    return {
        "size1": old_size,
        "size2": checkpoint.size,
        "root1": merkle.tree_root(old_size, nodes).hex(),
        "root2": checkpoint.root.hex(),
        "path": [
            hash_.hex() for hash_ in merkle.consistency_path(old_size, checkpoint.size, nodes)
        ],
    }
