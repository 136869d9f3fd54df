"""An operator who holds all keys of a log, and publishes whatever he likes: honest histories,
forks, entries that break the rules."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.db import reading
from ledger.house import House
from ledger.log import merkle, store, tiles
from ledger.log.checkpoint import Checkpoint
from ledger.log.notes import SigningKey, sign_note
from ledger.parties.desk import custodial_key
from tests.ledgers import ORIGIN, party_statement, signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """`entries`: a history that keeps the rules; `log_key` signs checkpoints, `key` is the
    operator's own, `mill_key` a party's that the server holds (None: no such party)."""

    entries: Sequence[bytes]
    log_key: SigningKey
    key: SigningKey
    mill_key: SigningKey | None = None

    @classmethod
    def of(cls, house: House, holder: str = "") -> Operator:
        with reading(house.engine) as conn:
            size = store.load_head(conn, 1).size
            entries = [data for _, data in store.entry_range(conn, 1, 0, size)]
            key, mill_key = (
                custodial_key(conn, house.desk.keystore, house.log, party) if party else None
                for party in ("operator", holder)
            )
        log_key = house.desk.keystore.get(house.log.log_key)
        assert isinstance(key, SigningKey)
        assert isinstance(log_key, SigningKey)
        assert mill_key is None or isinstance(mill_key, SigningKey)
        return cls(entries=entries, log_key=log_key, key=key, mill_key=mill_key)

    @property
    def vkey(self) -> str:
        return self.log_key.verify_key.vkey

    def party(self, name: str) -> bytes:
        """One more entry that keeps the rules; the same bytes for the same name."""
        random = hashlib.sha256(name.encode()).hexdigest()[:32]
        return signed(party_statement(name, id=random), self.key)

    def parties(self, prefix: str, count: int) -> list[bytes]:
        return [self.party(f"{prefix}-{n}") for n in range(count)]

    def grown(self, prefix: str, count: int) -> list[bytes]:
        """The history, and more that only histories of the same `prefix` share."""
        return [*self.entries, *self.parties(prefix, count)]

    def note(self, entries: Sequence[bytes], key: SigningKey | None = None) -> bytes:
        root = merkle.root(merkle.leaf_hashes(entries))
        text = Checkpoint(origin=ORIGIN, size=len(entries), root=root).text
        return sign_note(text, key or self.log_key)

    def publish(self, folder: Path, entries: Sequence[bytes], note: bytes = b"") -> None:
        """A C2SP tile directory in the place of the one before."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        edge, full = tiles.extend(tiles.EMPTY_EDGE, merkle.leaf_hashes(entries))
        for number in range(-(-len(entries) // tiles.WIDTH)):
            found = entries[number * tiles.WIDTH : (number + 1) * tiles.WIDTH]
            width = len(found) % tiles.WIDTH
            _write(folder / tiles.entries_path(number, width), tiles.bundle(found))
        for tile in full:
            _write(folder / tiles.tile_path(tile.level, tile.number), tile.hashes)
        for level, pending in enumerate(edge.pending):
            if pending:
                number = (edge.size >> (8 * level)) // tiles.WIDTH
                path = tiles.tile_path(level, number, len(pending))
                _write(folder / path, b"".join(pending))
        _write(folder / "checkpoint", note or self.note(entries))

    def request(self, entries: Sequence[bytes], old: int, **changes: Any) -> bytes:
        """The body of add-checkpoint for this history."""
        leaves = merkle.leaf_hashes(entries)
        levels = merkle.levels(leaves)
        path: list[bytes] = []
        if 0 < old <= len(leaves):
            path = merkle.consistency_path(old, len(leaves), lambda n, i: levels[n][i])
        return request(old, changes.get("path", path), changes.get("note") or self.note(entries))

    def spend_again(self) -> bytes:
        """A claim that spends what a claim of the history has spent, by the same author."""
        for raw in self.entries:
            text = raw.partition(b"\n\n")[0]
            statement = json.loads(text)
            if statement["type"] == "claim.make" and statement["spends"]:
                statement |= {"id": "1" * 32, "claim": "2" * 32, "replaces": ""}
                assert self.mill_key is not None
                return signed(statement, self.mill_key)
        raise AssertionError("the history holds no claim")

    def skip_a_batch(self) -> bytes:
        """Readings of the mill that leave out a number of their chain."""
        last = {}
        for raw in self.entries:
            statement = json.loads(raw.partition(b"\n\n")[0])
            if statement["type"] == "readings" and statement["author"] == "mill":
                last = statement
        assert self.mill_key is not None
        changes = {"id": "3" * 32, "sequence": last["sequence"] + 2, "previous": "4" * 64}
        return signed(last | changes, self.mill_key)


def request(old: int, path: Sequence[bytes], note: bytes) -> bytes:
    lines = [f"old {old}", *(base64.b64encode(one).decode() for one in path)]
    return "\n".join(lines).encode() + b"\n\n" + note


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
