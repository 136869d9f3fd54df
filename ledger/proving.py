"""Proof files for others: tlog-proofs of entries, openings of single readings and allocations.

An opening (docs/formats.md §5) carries the subject, the entries that it rests on (registrations of
the keys that signed, of points and contracts, the genesis), their paths under one checkpoint, and
the leaf with its path in the batch or run. Nothing else of the batch or run is shown.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from ledger.db import reading
from ledger.errors import NotFound
from ledger.log import logkeys, merkle, publish, store
from ledger.log.bodies import Blob, reference
from ledger.log.entry import Entry
from ledger.matching.contracts import current_contracts
from ledger.matching.runs import load_run
from ledger.metering import store as metering_store
from ledger.metering.batches import Opened, Readings, open_reading
from ledger.metering.effective import effective
from ledger.metering.service import find_point
from ledger.parties import officer_store
from ledger.parties import store as party_store
from ledger.parties.desk import Desk
from ledger.units import format_instant

FORMAT = "greenledger-opening/v1"
Opening = dict[str, Any]


def encode(opening: Opening) -> bytes:
    """The one way to write an opening: compact, no needless escape, one line."""
    return json.dumps(opening, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def prove_entry(desk: Desk, index: int) -> bytes:
    """A C2SP tlog-proof with the entry inside, under the latest checkpoint."""
    with reading(desk.engine) as conn:
        return publish.prove_entry(conn, desk.log, index).encode()


def prove_for_merkletools(desk: Desk, index: int) -> dict[str, Any]:
    """The path as merkletools takes it: `validate_proof(proof, target_hash, merkle_root)`.

    Its hash function must be `sha256(0x01 ‖ ·)`; `target_hash` is the RFC 6962 leaf hash.
    """
    with reading(desk.engine) as conn:
        checkpoint, _ = publish.latest_checkpoint(conn, desk.log)
        proof = publish.prove_entry(conn, desk.log, index)
    assert proof.extra is not None
    return {
        "target_hash": merkle.leaf_hash(proof.extra).hex(),
        "merkle_root": checkpoint.root.hex(),
        "proof": _sides(index, checkpoint.size, proof.path),
    }


def _sides(index: int, size: int, path: Sequence[bytes]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    last = size - 1
    rest = iter(path)
    while last > 0:
        if index % 2:
            found.append({"left": next(rest).hex()})
        elif index != last:
            found.append({"right": next(rest).hex()})
        index //= 2
        last //= 2
    return found


def open_entry(desk: Desk, index: int, *, body: bool = False) -> Opening:
    """An entry with what its signatures rest on; with its JSON `body`, where it is to be shown."""
    with reading(desk.engine) as conn:
        opening = _Opening(conn, desk, "entry", index)
        if body:
            opening.rest_on(index)
        return opening.finish()


def open_point_reading(desk: Desk, name: str, start_s: int) -> Opening:
    """The effective reading of a point at an interval's start, without its neighbours."""
    with reading(desk.engine) as conn:
        found = find_point(conn, desk.log.log_id, name)
        length_s = found.master.interval_s or 366 * 86_400
        items = effective(
            conn, desk.log.log_id, found.point, start_s=start_s, end_s=start_s + length_s
        )
        places = [
            (item, place)
            for item in items
            for place, start in enumerate(item.series.start_s.tolist())
            if start == start_s
        ]
        if not places:
            raise NotFound(f"point {name!r} has no reading that starts {format_instant(start_s)}")
        item, place = places[0]
        index = int(item.entry_index[place])
        batch = metering_store.load_batch(conn, desk.log.log_id, index)
        assert batch is not None
        blocks = metering_store.blocks_of_batch(conn, desk.log.log_id, index)
        readings = Readings.seal(blocks, secret=batch.secret, origin=desk.log.origin, id_=batch.id)
        leaf = open_reading(readings, desk.log.origin, batch.id, int(item.leaf_index[place]))
        opening = _Opening(conn, desk, "reading", index, leaf)
        opening.rest_on(found.entry_index)
        return opening.finish()


def open_allocations(desk: Desk, run_index: int, consumer: str, start_s: int) -> list[Opening]:
    """What a run allocated to a consumer in one interval: one opening for each lane.

    Raises NotFound where there is nothing.
    """
    with reading(desk.engine) as conn:
        found = find_point(conn, desk.log.log_id, consumer)
        run = load_run(conn, desk.log, run_index)
        points = metering_store.current_points(conn, desk.log.log_id, run.as_of)
        contracts = current_contracts(conn, desk.log.log_id, run.as_of)
        openings = []
        for index in run.allocations.find(found.point, start_s):
            leaf = run.allocations.reveal(index, origin=desk.log.origin, id_=run.id)
            opening = _Opening(conn, desk, "allocation", run_index, leaf)
            contract, source = leaf.leaf[16:32], leaf.leaf[32:48]
            opening.rest_on(contracts[contract].entry_index)
            opening.rest_on(points[source].entry_index)
            opening.rest_on(points[found.point].entry_index)
            openings.append(opening.finish())
        return openings


class Collected:
    """Entries with all that they rest on, under the latest checkpoint, and bodies to be shown."""

    def __init__(self, conn: Connection, desk: Desk) -> None:
        self._conn = conn
        self._log = desk.log
        self._types = desk.types
        self.checkpoint, self.note = publish.latest_checkpoint(conn, desk.log)
        self.entries: dict[int, Entry] = {}
        self.bodies: dict[str, bytes] = {}
        # By these a verifier knows whose signature the checkpoint needs.
        for index in logkeys.entries_below(conn, desk.log, self.checkpoint.size):
            self.add(index)

    def add(self, index: int) -> Entry:
        """Include an entry, and what its signatures rest on. Raises NotFound after the last
        checkpoint."""
        if index in self.entries:
            return self.entries[index]
        if index >= self.checkpoint.size:
            raise NotFound(
                f"entry {index} is not under the latest checkpoint, which covers"
                f" {self.checkpoint.size} entries; sign one with: greenledger checkpoint"
            )
        entry = store.entry_at(self._conn, self._log.log_id, index)
        self.entries[index] = entry
        for registration in self._registrations(entry, index):
            self.add(registration)
        if self._types.of_entry(entry).irreversible(entry):
            approval = officer_store.approval_of(self._conn, self._log.log_id, entry.author, index)
            if approval.entry_index >= 0:
                self.add(approval.entry_index)
        return entry

    def open(self, index: int, member: str = "body") -> None:
        """Include an entry, and show a body of its that is no tree."""
        entry = self.add(index)
        body = entry.statement.get(member)
        if isinstance(body, dict) and "hash" in body:
            data = store.load_body(self._conn, self._log.log_id, body["hash"])
            if data is not None:
                blob = Blob.open(data, body["media"])
                assert reference(blob, "hash") == body
                self.bodies[blob.key] = data

    def _registrations(self, entry: Entry, index: int) -> Iterable[int]:
        log_id = self._log.log_id
        party = party_store.current_party(self._conn, log_id, entry.author, index + 1)
        if party is not None:
            yield party.entry_index
        for signature in entry.signatures:
            for key in party_store.find_keys(
                self._conn, log_id, name=signature.name, key_id=signature.key_id
            ):
                yield key.entry_index
                for endorsement in party_store.endorsements_of(self._conn, log_id, key):
                    if endorsement < self.checkpoint.size:
                        yield endorsement
            yield from officer_store.registrations_of_name(
                self._conn, log_id, self._log.origin, signature.name
            )

    def shown_bodies(self) -> list[dict[str, str]]:
        return [
            {"hash": key, "base64": base64.b64encode(data).decode()}
            for key, data in sorted(self.bodies.items())
        ]


class _Opening:
    """An opening file: the subject, what it rests on, and the bodies that are shown."""

    def __init__(
        self, conn: Connection, desk: Desk, kind: str, index: int, leaf: Opened | None = None
    ) -> None:
        self._conn = conn
        self._desk = desk
        self._kind = kind
        self._leaf = leaf
        self._subject = index
        self._found = Collected(conn, desk)
        self._found.add(index)

    def rest_on(self, index: int) -> None:
        """Include an entry, and show its JSON body."""
        self._found.open(index)

    def finish(self) -> Opening:
        found, subject = self._found, self._subject
        found.add(0)
        others = sorted(set(found.entries) - {0, subject})
        order = [subject, *others, *([0] if subject else [])]
        paths = publish.inclusion_paths(self._conn, self._desk.log, found.checkpoint.size, order)
        opening: Opening = {
            "format": FORMAT,
            "kind": self._kind,
            "checkpoint": found.note.decode(),
            "entries": [
                {
                    "index": index,
                    "note": found.entries[index].data.decode(),
                    "path": [hash_.hex() for hash_ in path],
                }
                for index, path in zip(order, paths, strict=True)
            ],
            "bodies": found.shown_bodies(),
        }
        if self._leaf is not None:
            opening["leaf"] = {
                "bytes": self._leaf.leaf.hex(),
                "index": self._leaf.index,
                "path": [hash_.hex() for hash_ in self._leaf.path],
            }
        return opening
