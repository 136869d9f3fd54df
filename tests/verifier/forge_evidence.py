"""A forger's workshop for evidence files, written from docs/formats.md §9.

``Evidence`` is a file as Python values: a head and parts, to be broken and written.
"""

import base64
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.verifier.forge import Log, leaf, sha256
from tests.verifier.forge_claims import Claim
from tests.verifier.forge_lots import (
    Batch,
    Division,
    Lot,
    Origin,
    Value,
    b64,
    packed_path,
    shared,
    sum_shared,
    trie_path,
    u64,
)
from tests.verifier.forge_units import Desk


@dataclass
class Evidence:
    """A file as values; ``raw`` writes it in the one way."""

    head: Value
    parts: list[Value]

    def raw(self) -> bytes:
        lines = [_written(self.head)[:-1] + ',"parts":[']
        lines += [_written(part) + "," for part in self.parts]
        lines[-1] = lines[-1].removesuffix(",") if self.parts else lines[-1]
        return ("\n".join([*lines, "]}"]) + "\n").encode(errors="backslashreplace")

    def part(self, kind: str, number: int = 0) -> Value:
        return [part for part in self.parts if part["part"] == kind][number]

    def unpack(self, part: Value, member: str) -> bytes:
        return base64.b64decode(part[member])


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass
class Maker:
    """What evidence is made from: a log, the divisions and batches in it, and master data.
    ``rests`` are the entries that all files hold.
    """

    log: Log
    divisions: list[Division]
    batches: list[Batch]
    rests: list[int]
    bodies: dict[str, tuple[int, bytes]]
    runs: dict[int, int]
    ticks: list[int] = field(default_factory=list)
    desk: Desk | None = None

    def division_of(self, lot: bytes) -> tuple[Division, Lot]:
        for division in self.divisions:
            for one in division.lots:
                if one.id == lot:
                    return division, one
        raise KeyError(lot)

    def origin(self, division: Division, name: str) -> Origin:
        return next(one for one in division.origins if one.name == name)

    def owner(self, origin: Origin) -> Division:
        return next(division for division in self.divisions if origin in division.origins)

    def make(
        self,
        claim: Claim,
        level: str,
        *,
        chain: Sequence[int] = (),
        seed: bytes = b"",
        samples: int = 0,
        positions: Sequence[int] | None = None,
    ) -> Evidence:
        """``positions`` overrides which quarter-hours are opened."""
        opened = sorted(p for p, cells in claim.cells.items() if cells and claim.wh(p))
        if level == "total":
            opened = []
        if level == "sampled":
            opened = sampled(self.log, claim, seed, samples)
        if positions is not None:
            opened = list(positions)
        needed = self._needed(claim, opened)
        entries = {*self.rests, claim.entry, *chain}
        entries.add(self._tick_before(claim.entry))
        parts = [claim_part(claim, opened, level)]
        bodies = [claim.manifest]
        if self.desk is not None:
            units = self.desk.chain(claim.retires)
            registrations = self.desk.registrations(units)
            entries |= {*units, *registrations, *map(self._tick_before, units)}
            parts += self.desk.parts(units)
            bodies += registrations.values()
        if level != "total":
            divisions = sorted(
                {id(d): d for d, *_ in needed.values()}.values(), key=lambda d: d.entry
            )
            parts += [self._division_part(division, needed) for division in divisions]
            for division, origin, lots, at_ in sorted(
                needed.values(), key=lambda one: (one[0].entry, one[0].origins.index(one[1]))
            ):
                batches = self._used_batches(origin, at_)
                parts.append(cells_part(claim, division, origin, lots, at_, batches, level))
                entries |= {division.entry, self.runs[division.entry]}
                entries |= {batch.entry for batch, _ in batches}
                registration, body = self.bodies[origin.point]
                entries.add(registration)
                bodies.append(body)
        return Evidence(self._head(claim, level, entries, bodies, seed, samples), parts)

    def _tick_before(self, entry: int) -> int:
        return max([tick for tick in self.ticks if tick < entry], default=0)

    def _head(
        self,
        claim: Claim,
        level: str,
        entries: set[int],
        bodies: list[bytes],
        seed: bytes,
        samples: int,
    ) -> Value:
        unique = {sha256(body).hex(): body for body in bodies}
        return {
            "format": "greenledger-evidence/v1",
            "level": level,
            "claim": claim.name,
            "checkpoint": self.log.checkpoint().decode(),
            "entries": [
                {"index": index, "note": self.log.entries[index].decode()}
                for index in sorted(entries)
            ],
            "nodes": b64(b"".join(shared(self.log.hashes, entries))),
            "bodies": [{"hash": name, "base64": b64(body)} for name, body in unique.items()],
            "seed": seed.hex(),
            "samples": samples,
            "anchors": [],
        }

    def _needed(
        self, claim: Claim, opened: Sequence[int]
    ) -> dict[str, tuple[Division, Origin, dict[bytes, set[int]], set[int]]]:
        """By origin: its division, the opened positions of each lot, and all opened positions."""
        needed: dict[str, tuple[Division, Origin, dict[bytes, set[int]], set[int]]] = {}

        def ask(division: Division, origin: Origin, position: int, lot: bytes | None) -> None:
            _, _, lots, at_ = needed.setdefault(origin.name, (division, origin, {}, set()))
            at_.add(position)
            if lot is not None:
                lots.setdefault(lot, set()).add(position)
            before = origin.before
            if before is not None:
                left = before.remainder
                has = left is not None and left.wh.get(position, 0) > 0
                ask(
                    self.owner(before),
                    before,
                    position,
                    left.id if left is not None and has else None,
                )

        for position in opened:
            for id_ in claim.cells.get(position, {}):
                division, one = self.division_of(id_)
                origin = self.origin(division, one.origin)
                ask(division, origin, position - claim.offset(origin.month), id_)
        return needed

    def _division_part(
        self,
        division: Division,
        needed: dict[str, tuple[Division, Origin, dict[bytes, set[int]], set[int]]],
    ) -> Value:
        places = set()
        for one, origin, lots, _ in needed.values():
            if one is division:
                places.add(division.origins.index(origin))
                places |= {
                    len(division.origins) + j
                    for j, lot in enumerate(division.lots)
                    if lot.id in lots
                }
        return division_part(division, places)

    def _used_batches(self, origin: Origin, at_: set[int]) -> list[tuple[Batch, list[int]]]:
        used: dict[int, set[int]] = {}
        for position in at_:
            if position in origin.sources:
                batch, places = origin.sources[position]
                used.setdefault(batch.entry, set()).update(places)
        by_entry = {batch.entry: batch for batch in self.batches}
        return [(by_entry[entry], sorted(places)) for entry, places in sorted(used.items())]


def sampled(log: Log, claim: Claim, seed: bytes, samples: int) -> list[int]:
    """The positions that the samples hit (§9)."""
    hit = set()
    for number in range(samples):
        text = b"greenledger/sample/v1\n" + seed + leaf(log.entries[claim.entry])
        at_wh = int.from_bytes(sha256(text + struct.pack(">I", number)), "big") % claim.total
        for position in sorted(claim.cells):
            if at_wh < claim.wh(position):
                hit.add(position)
                break
            at_wh -= claim.wh(position)
    return sorted(hit)


def claim_part(claim: Claim, opened: Sequence[int], level: str) -> Value:
    cells = b""
    for position in opened:
        places = sorted(
            (claim.lots.index(lot), wh) for lot, wh in claim.cells.get(position, {}).items()
        )
        cells += struct.pack(">H", len(places))
        cells += b"".join(struct.pack(">HQ", place, wh) for place, wh in places)
    full = level == "full"
    return {
        "part": "claim",
        "secret": claim.secret.hex() if full else "",
        "at": b64(b"".join(struct.pack(">I", position) for position in opened)),
        "nonces": "" if full else b64(b"".join(claim.nonce(p) for p in opened)),
        "cells": b64(cells),
        "nodes": b64(b"".join(sum_shared(claim.leaves(), opened))),
    }


def division_part(division: Division, places: set[int]) -> Value:
    leaves = division.leaves()
    return {
        "part": "division",
        "entry": division.entry,
        "leaves": [{"index": place, "bytes": leaves[place].hex()} for place in sorted(places)],
        "nodes": b64(b"".join(shared([leaf(raw) for raw in leaves], places))),
    }


def batch_opening(batch: Batch, places: Sequence[int]) -> Value:
    runs: list[list[int]] = []
    for place in places:
        if runs and sum(runs[-1]) == place:
            runs[-1][1] += 1
        else:
            runs.append([place, 1])
    raws = [batch.raws[place] for place in places]
    return {
        "entry": batch.entry,
        "runs": runs,
        "leaves": b64(b"".join(raw[:16] + raw[32:] for raw in raws)),
        "nodes": b64(b"".join(shared([leaf(raw) for raw in batch.raws], places))),
    }


def lot_opening(
    claim: Claim, division: Division, origin: Origin, one: Lot, at_: Sequence[int], level: str
) -> Value:
    with_key = level == "full" and one.id in claim.lots
    return {
        "index": division.lots.index(one),
        "key": one.key.hex() if with_key else "",
        "nonces": "" if with_key else b64(b"".join(one.nonce(position) for position in at_)),
        "at": b64(struct.pack(f">{len(at_)}H", *at_)),
        "wh": b64(b"".join(u64(one.wh[position]) for position in at_)),
        "paths": b64(
            b"".join(
                packed_path(trie_path(division.leaves_at(origin, position), one.leaf(position)))
                for position in at_
            )
        ),
    }


def cells_part(
    claim: Claim,
    division: Division,
    origin: Origin,
    lots: dict[bytes, set[int]],
    opened: set[int],
    batches: Sequence[tuple[Batch, Sequence[int]]],
    level: str,
) -> Value:
    at_ = sorted(opened)
    books = [origin.book(position)[:2] for position in at_]
    with_lot = set().union(*lots.values()) if lots else set()
    return {
        "part": "cells",
        "entry": division.entry,
        "origin": division.origins.index(origin),
        "at": b64(struct.pack(f">{len(at_)}H", *at_)),
        "books": b64(b"".join(u64(base) + u64(carried) for base, carried in books))
        if any(base or carried for base, carried in books)
        else "",
        "sums": b64(b"".join(division.sum_root(origin, p) for p in at_ if p not in with_lot)),
        "batches": [batch_opening(batch, places) for batch, places in batches],
        "outer": b64(b"".join(shared(division.outer(origin), at_))),
        "lots": [
            lot_opening(claim, division, origin, one, sorted(lots[one.id]), level)
            for one in division.lots
            if one.id in lots
        ],
    }
