"""Evidence files: what a claimant hands to whoever wants to check a claim (docs/formats.md §9).

They are written line by line, so that a year does not have to fit into memory. `total` shows the
claim alone; `full` opens all of it; `sampled` opens the quarter-hours that a seed hits, which the
verifier names after the claim was sealed by a checkpoint, so that nobody could prepare for it.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from sqlalchemy import Connection

from ledger.anchors.shown import bracket
from ledger.claims import store
from ledger.claims.body import ClaimBody
from ledger.claims.cells import Opener, Part, Wanted, b64
from ledger.db import reading
from ledger.errors import InvalidInput
from ledger.log import merkle
from ledger.log import store as log_store
from ledger.log.placed import tick_of
from ledger.lots import store as lots
from ledger.lots.model import NO_LOT
from ledger.metering import store as metering
from ledger.metering.batches import NONCE_BYTES
from ledger.parties.desk import Desk
from ledger.proving import Collected
from ledger.registry import chains, used

FORMAT: Final = "greenledger-evidence/v1"
Level = Literal["total", "sampled", "full"]
LEVELS: Final[tuple[Level, ...]] = ("total", "sampled", "full")
SEED_BYTES: Final = 32
SAMPLES_MAX: Final = 10_000
# Finds one false Wh in twenty with 95 %.
SAMPLES: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A seed of 32 bytes that the verifier named, and how many samples it stands for."""

    seed: bytes
    count: int

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            raise InvalidInput(f"a seed has {SEED_BYTES} bytes, this one has {len(self.seed)}")
        if not 0 < self.count <= SAMPLES_MAX:
            raise InvalidInput(f"samples are 1 to {SAMPLES_MAX}, not {self.count}")


def positions(body: ClaimBody, leaf: bytes, sample: Sample) -> list[int]:
    """The quarter-hours that a sample hits, by energy. `leaf`: leaf hash of the claim's entry."""
    ends = np.cumsum(body.wh)
    head = b"greenledger/sample/v1\n" + sample.seed + leaf
    hits = set()
    for number in range(sample.count):
        digest = hashlib.sha256(head + struct.pack(">I", number)).digest()
        at_wh = int.from_bytes(digest, "big") % body.total_wh
        hits.add(int(np.searchsorted(ends, at_wh, side="right")))
    return sorted(hits)


def lines(desk: Desk, claim: bytes, level: Level, sample: Sample | None = None) -> Iterator[bytes]:
    """The evidence file of a claim, line by line, under the latest checkpoint.

    `sample` goes with level `sampled`, and with no other. Raises NotFound where there is no such
    claim, or no checkpoint after it; InvalidInput for a sample that does not fit.
    """
    if (level == "sampled") != (sample is not None):
        raise InvalidInput("a seed belongs to level sampled, and to no other")
    with reading(desk.engine) as conn:
        yield from _Evidence(conn, desk, claim, level, sample).lines()


class _Evidence:
    def __init__(
        self, conn: Connection, desk: Desk, claim: bytes, level: Level, sample: Sample | None
    ) -> None:
        self._conn = conn
        self._desk = desk
        self._level = level
        self._sample = sample
        self._row = store.find_claim(conn, desk.log.log_id, claim)
        self._body = store.load_body(conn, desk.log, self._row)
        self._found = Collected(conn, desk)
        self._opener = Opener(conn, desk.log)
        self._lots = lots.lots_by_id(conn, desk.log.log_id, [one.lot for one in self._body.lots])

    def lines(self) -> Iterator[bytes]:
        found, row = self._found, self._row
        for claim in store.chain_of(self._conn, self._desk.log.log_id, row):
            found.add(claim.entry_index)
        found.open(row.entry_index, "manifest")
        found.add(tick_of(self._conn, self._desk.log.log_id, row.entry_index))
        found.add(0)
        units = self._chains()
        opened = self._opened()
        wanted = self._wanted(opened)
        for one in wanted:
            self._rest(one)
        yield _line(self._head())[:-2] + b',"parts":[\n'
        parts = self._parts(opened, units, wanted)
        last = next(parts)
        for part in parts:
            yield _line(last)[:-1] + b",\n"
            last = part
        yield _line(last)
        yield b"]}\n"

    def _chains(self) -> dict[int, chains.Shown]:
        """{`unit.` entry: what is shown of it}, of all retirements of the claim."""
        conn, log_id = self._conn, self._desk.log.log_id
        found: dict[int, chains.Shown] = {}
        for retirement in self._row.manifest.retirements:
            row = used.find_retirement(conn, log_id, retirement)
            for index, shown in chains.chain_of(conn, log_id, row.entry_index).items():
                known = found.setdefault(index, shown)
                known.holdings |= shown.holdings
                known.batches |= shown.batches
                self._found.open(chains.registration_of(conn, log_id, row.scheme, index))
        for index in found:
            self._found.add(index)
            self._found.add(tick_of(conn, log_id, index))
        return dict(sorted(found.items()))

    def _opened(self) -> list[int]:
        """Positions of the claim that are shown."""
        if self._level == "total" or not self._body.total_wh:
            return []
        if self._sample is not None:
            leaf = self._found.entries[self._row.entry_index].leaf_hash
            return positions(self._body, leaf, self._sample)
        return [int(position) for position in np.flatnonzero(self._body.wh)]

    def _wanted(self, opened: Sequence[int]) -> list[Wanted]:
        """What has to be opened of which divided origins, in the order of the parts."""
        found: dict[tuple[int, int], Wanted] = {}
        cells = self._body.cells
        shown = np.zeros(self._body.count, dtype=np.bool_)
        shown[list(opened)] = True
        mine = shown[cells.position]
        for place, claimed in enumerate(self._body.lots):
            lot = self._lots[claimed.lot]
            at = cells.position[mine & (cells.place == place)]
            offset = lots.position(self._body.start_s, lot.month_start_s)
            self._want(found, lot, {int(position) + offset for position in at})
        return sorted(
            found.values(),
            key=lambda one: (one.origin.entry_index, one.origin.number),
        )

    def _want(
        self, found: dict[tuple[int, int], Wanted], lot: lots.LotRow, where: set[int]
    ) -> None:
        if not where:
            return
        month = self._opener.month_of(lot.month_start_s)
        origins = lots.origins_of(self._conn, self._desk.log.log_id, lot.point, month)
        last = origins[lot.revision]
        one = found.setdefault((last.entry_index, last.number), Wanted(origin=last))
        one.positions |= where
        one.lots.setdefault(lot.number, set()).update(where)
        if self._level == "full":
            one.keys.add(lot.number)
        for before, after in zip(
            reversed(origins[: lot.revision]), reversed(origins[1 : lot.revision + 1]), strict=True
        ):
            one = found.setdefault((before.entry_index, before.number), Wanted(origin=before))
            one.positions |= where
            self._want_carried(one, after, where)

    def _want_carried(self, one: Wanted, after: lots.OriginRow, where: set[int]) -> None:
        """The remainder that the next revision took over, where it has energy."""
        carried = self._opener.divisions.at(after.entry_index).origins[after.number].carried
        if carried == NO_LOT:
            return
        division = self._opener.divisions.at(one.origin.entry_index)
        number = division.place.creates.index(carried)
        wh = division.lot_of(number)[1].wh
        with_energy = {position for position in where if wh[position]}
        if with_energy:
            one.lots.setdefault(number, set()).update(with_energy)

    def _rest(self, one: Wanted) -> None:
        """The entries that an opened origin rests on."""
        found, origin = self._found, one.origin
        found.add(origin.entry_index)
        found.add(origin.run_index)
        for index in self._opener.batches_of(one):
            found.add(index)
        known = metering.current_points(
            self._conn, self._desk.log.log_id, self._row.entry_index, only={origin.point}
        )
        found.open(known[origin.point].entry_index)

    def _head(self) -> dict[str, Any]:
        found = self._found
        order = sorted(found.entries)
        nodes = log_store.present_nodes(self._conn, self._desk.log.log_id)
        path = merkle.shared_path(
            order,
            found.checkpoint.size,
            lambda begin, size: merkle.range_root(begin, size, nodes),
        )
        return {
            "format": FORMAT,
            "level": self._level,
            "claim": self._row.claim.hex(),
            "checkpoint": found.note.decode(),
            "anchors": bracket(self._conn, self._desk.log, self._row.entry_index, found.checkpoint),
            "entries": [
                {"index": index, "note": found.entries[index].data.decode()} for index in order
            ],
            "nodes": b64(b"".join(path)),
            "bodies": found.shown_bodies(),
            "seed": self._sample.seed.hex() if self._sample else "",
            "samples": self._sample.count if self._sample else 0,
        }

    def _parts(
        self,
        opened: Sequence[int],
        units: Mapping[int, chains.Shown],
        wanted: Sequence[Wanted],
    ) -> Iterator[Part]:
        yield self._claim_part(opened)
        for index, shown in units.items():
            yield self._units_part(index, shown)
        for index in sorted({one.origin.entry_index for one in wanted}):
            mine = [one for one in wanted if one.origin.entry_index == index]
            yield self._opener.division(index, mine)
        for one in wanted:
            yield self._opener.cells(one)

    def _units_part(self, index: int, shown: chains.Shown) -> Part:
        body = chains.load_body(self._conn, self._desk.log, index)
        places = chains.places_of(self._conn, self._desk.log.log_id, index, shown)
        return {
            "part": "units",
            "entry": index,
            "leaves": [{"index": place, "bytes": body.leaves[place].hex()} for place in places],
            "nodes": b64(b"".join(chains.shared_path(body, places))),
        }

    def _claim_part(self, opened: Sequence[int]) -> Part:
        body, full = self._body, self._level == "full"
        path = merkle.shared_path(opened, body.count, merkle.subtree_of(body.levels))
        cells = body.cells
        packed = []
        for position in opened:
            part = cells.at(position)
            places, amounts = cells.place[part].tolist(), cells.wh[part].tolist()
            packed.append(struct.pack(">H", len(places)))
            packed += [
                struct.pack(">HQ", place, wh) for place, wh in zip(places, amounts, strict=True)
            ]
        stream = [
            body.nonces[NONCE_BYTES * position : NONCE_BYTES * (position + 1)]
            for position in opened
        ]
        return {
            "part": "claim",
            "secret": body.secret.hex() if full else "",
            "at": b64(struct.pack(f">{len(opened)}I", *opened)),
            "nonces": "" if full else b64(b"".join(stream)),
            "cells": b64(b"".join(packed)),
            "nodes": b64(b"".join(struct.pack(">32sQ", hash_, wh) for hash_, wh in path)),
        }


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
