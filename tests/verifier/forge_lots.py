"""A forger's workshop for lots, claims and evidence files, written from docs/formats.md §3.4 to §9.

Everything is as naive as the page reads: whole trees in lists, tries by recursion. The good is made
here; ``tamper`` and arguments that nobody checks make the bad.
"""

import base64
import calendar
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import shake_256
from typing import Any

from tests.verifier.forge import Key, Log, leaf, mth, reference, sha256, split

ZONE_S = 8 * 3600
NONE = bytes(16)
NO_POINT = "00" * 16

Value = dict[str, Any]
Sum = tuple[bytes, int]


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def u64(number: int) -> bytes:
    return struct.pack(">Q", number)


def month_start(month: str) -> int:
    year, number = map(int, month.split("-"))
    return int(datetime(year, number, 1, tzinfo=UTC).timestamp()) - ZONE_S


def month_count(month: str) -> int:
    year, number = map(int, month.split("-"))
    return calendar.monthrange(year, number)[1] * 96


# Trees


def shared(hashes: Sequence[bytes], opened: Iterable[int]) -> list[bytes]:
    """The nodes of a shared path (§9), by walking down."""
    wanted = set(opened)

    def walk(begin: int, size: int) -> list[bytes]:
        if not any(begin <= position < begin + size for position in wanted):
            return [mth(hashes[begin : begin + size])]
        if size == 1:
            return []
        k = split(size)
        return walk(begin, k) + walk(begin + k, size - k)

    return walk(0, len(hashes))


def sum_node(left: Sum, right: Sum) -> Sum:
    wh = left[1] + right[1]
    return sha256(b"N" + left[0] + u64(left[1]) + right[0] + u64(right[1])), wh


def sum_mth(leaves: Sequence[Sum]) -> Sum:
    if len(leaves) == 1:
        return leaves[0]
    if len(leaves) >= 32:
        return _sum_mth_of_many(tuple(leaves))
    k = split(len(leaves))
    return sum_node(sum_mth(leaves[:k]), sum_mth(leaves[k:]))


@lru_cache(512)
def _sum_mth_of_many(leaves: tuple[Sum, ...]) -> Sum:
    """The same; see `forge.mth`."""
    k = split(len(leaves))
    return sum_node(sum_mth(leaves[:k]), sum_mth(leaves[k:]))


def sum_shared(leaves: Sequence[Sum], opened: Iterable[int]) -> list[bytes]:
    wanted = set(opened)

    def walk(begin: int, size: int) -> list[bytes]:
        if not any(begin <= position < begin + size for position in wanted):
            hash_, wh = sum_mth(leaves[begin : begin + size])
            return [hash_ + u64(wh)]
        if size == 1:
            return []
        k = split(size)
        return walk(begin, k) + walk(begin + k, size - k)

    return walk(0, len(leaves))


def bit(hash_: bytes, depth: int) -> int:
    return hash_[depth // 8] >> 7 - depth % 8 & 1


def trie(leaves: Sequence[Sum], depth: int = 0) -> Sum:
    """The sum tree of a quarter-hour (§3.4)."""
    if not leaves:
        return bytes(32), 0
    if len(leaves) == 1:
        return leaves[0]
    left, right = ([one for one in leaves if bit(one[0], depth) == side] for side in (0, 1))
    return sum_node(trie(left, depth + 1), trie(right, depth + 1))


def trie_path(leaves: Sequence[Sum], target: Sum, depth: int = 0) -> list[tuple[int, Sum]]:
    """(side, sibling) from the leaf upward."""
    if len(leaves) == 1:
        return []
    halves = [[one for one in leaves if bit(one[0], depth) == side] for side in (0, 1)]
    side = bit(target[0], depth)
    above = (side, trie(halves[1 - side], depth + 1))
    return [*trie_path(halves[side], target, depth + 1), above]


def packed_path(path: Sequence[tuple[int, Sum]]) -> bytes:
    width = (len(path) + 7) // 8
    sides, presence, siblings = bytearray(width), bytearray(width), b""
    for i, (side, (hash_, wh)) in enumerate(path):
        sides[i // 8] |= side << i % 8
        if wh:
            presence[i // 8] |= 1 << i % 8
            siblings += hash_ + u64(wh)
    return bytes([len(path)]) + bytes(sides) + bytes(presence) + siblings


# Readings


@dataclass
class Batch:
    """Leaves of one batch, as bytes, and its entry."""

    entry: int
    raws: list[bytes]


def batch_of(
    log: Log,
    author: Key,
    readings: Sequence[tuple[str, int, int, int, int]],
    **members: Any,
) -> Batch:
    """Readings as (point, start, length, value, quality)."""
    raws = [
        sha256(f"{log.origin} {log.time_s} {n}".encode())[:16]
        + bytes.fromhex(point)
        + struct.pack(">QIqH", *rest)
        for n, (point, *rest) in enumerate(readings)
    ]
    hashes = [leaf(raw) for raw in raws]
    party = author.name.rpartition("/")[2]
    body = {"root": mth(hashes).hex(), "size": len(raws), "media": MEDIA + "readings"}
    kind = members.pop("kind", "readings")
    common: Value = {
        "source": "m",
        "sequence": 0,
        "previous": "",
        "manifest": reference(bytes(32), "x"),
    }
    common["manifest"]["media"] = MEDIA + "manifest+json"
    statement = log.statement(kind, party, **common | {"body": body} | members)
    return Batch(log.add(statement, author), raws)


MEDIA = "application/vnd.greenledger."


# Divisions


@dataclass
class Lot:
    """``wh`` by position of the month; ``origin`` by its name."""

    id: bytes
    origin: str
    supply_class: int
    holder: str
    wh: dict[int, int]
    key: bytes = b""

    def nonce(self, position: int) -> bytes:
        stream = shake_256(b"greenledger/lot/v1\n" + self.key).digest(16 * (position + 1))
        return stream[16 * position :]

    def leaf(self, position: int) -> Sum:
        wh = self.wh[position]
        return sha256(b"L" + self.nonce(position) + self.id + u64(wh)), wh


def lot(name: str, origin: "Origin", supply_class: int, holder: str, wh: dict[int, int]) -> Lot:
    return Lot(sha256(name.encode())[:16], origin.name, supply_class, holder, wh)


@dataclass
class Origin:
    """What a point's meter showed in a month. ``sources`` are (batch, places) by position.
    ``tamper`` overrides what an outer leaf says: base, carried, fresh, reading, start.
    """

    point: str
    month: str
    revision: int
    metered: dict[int, int]
    sources: dict[int, tuple[Batch, list[int]]]
    before: "Origin | None" = None
    tamper: dict[int, Value] = field(default_factory=dict)
    remainder: Lot | None = None
    carried_lot: bytes = NONE
    with_remainder: bool = True
    trees: dict[int, list[Sum]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.point}/{self.month}/{self.revision}"

    def busy(self) -> set[int]:
        """Where anything may be; elsewhere the book has zeros, and no reading."""
        found = {*self.metered, *self.sources, *self.tamper, *self.trees}
        if self.before is not None:
            found |= self.before.busy()
            if self.before.remainder is not None:
                found |= self.before.remainder.wh.keys()
        return found

    def book(self, position: int) -> tuple[int, int, int]:
        """base, carried, fresh."""
        base = carried = 0
        if self.before is not None:
            old_base, _, old_fresh = self.before.book(position)
            base = old_base + old_fresh
            if self.before.remainder is not None:
                carried = self.before.remainder.wh.get(position, 0)
        changes = self.tamper.get(position, {})
        base, carried = changes.get("base", base), changes.get("carried", carried)
        fresh = max(self.metered.get(position, 0) - base, -carried)
        return base, carried, changes.get("fresh", fresh)

    def reading(self, position: int) -> bytes:
        changes = self.tamper.get(position, {})
        if "reading" in changes:
            found: bytes = changes["reading"]
            return found
        if position not in self.sources:
            return bytes(32)
        batch, places = self.sources[position]
        hashes = [leaf(batch.raws[place]) for place in places]
        return hashes[0] if len(hashes) == 1 else sha256(b"\x02" + b"".join(hashes))


@dataclass
class Division:
    """A ``lot.divide`` with all that stands behind it."""

    origins: list[Origin]
    lots: list[Lot]
    secret: bytes
    entry: int = -1
    statement_id: str = ""
    log_origin: str = ""
    node_leaves: dict[tuple[str, int], bytes] = field(default_factory=dict)
    known: dict[str, list[bytes]] = field(default_factory=dict)

    def stream(self, label: str, size: int) -> bytes:
        text = f"{self.log_origin}\n{self.statement_id}\n{label}".encode()
        return shake_256(b"greenledger/lots/v1\n" + self.secret + text).digest(size)

    def of(self, origin: Origin) -> list[Lot]:
        return [one for one in self.lots if one.origin == origin.name]

    def leaves_at(self, origin: Origin, position: int) -> list[Sum]:
        if position in origin.trees:
            return origin.trees[position]
        return [one.leaf(position) for one in self.of(origin) if one.wh.get(position, 0) > 0]

    def sum_root(self, origin: Origin, position: int) -> bytes:
        if (origin.name, position) in self.node_leaves:
            return self.node_leaves[origin.name, position]
        leaves = self.leaves_at(origin, position)
        if not leaves:
            k = self.origins.index(origin)
            return self.stream(f"empty/{k}", 32 * (position + 1))[32 * position :]
        return trie(leaves)[0]

    def outer(self, origin: Origin) -> list[bytes]:
        """The leaf hashes of the outer tree, computed once."""
        if origin.name not in self.known:
            self.known[origin.name] = self._outer(origin)
        return self.known[origin.name]

    def _outer(self, origin: Origin) -> list[bytes]:
        k = self.origins.index(origin)
        empty = self.stream(f"empty/{k}", 32 * month_count(origin.month))
        start = month_start(origin.month)
        busy = origin.busy() | {at for name, at in self.node_leaves if name == origin.name}
        busy.update(*(one.wh for one in self.of(origin)))
        hashes = []
        for position in range(month_count(origin.month)):
            if position not in busy:
                raw = struct.pack(">Q56x32s", start + 900 * position, empty[32 * position :][:32])
                hashes.append(leaf(raw))
                continue
            base, carried, fresh = origin.book(position)
            changes = origin.tamper.get(position, {})
            used = self.leaves_at(origin, position) or (origin.name, position) in self.node_leaves
            root = self.sum_root(origin, position) if used else empty[32 * position :][:32]
            raw = struct.pack(
                ">Q32sQQq32s",
                changes.get("start", start + 900 * position),
                origin.reading(position),
                base,
                carried,
                fresh,
                root,
            )
            hashes.append(leaf(raw))
        return hashes

    def leaves(self) -> list[bytes]:
        """The bytes of the m + n leaves."""
        names = [origin.name for origin in self.origins]
        nonces = self.stream("leaf", 16 * (len(names) + len(self.lots)))
        found = []
        for k, origin in enumerate(self.origins):
            remainder = NONE if origin.remainder is None else origin.remainder.id
            found.append(
                b"O"
                + nonces[16 * k :][:16]
                + mth(self.outer(origin))
                + struct.pack(">I", month_count(origin.month))
                + origin.carried_lot
                + remainder
            )
        for j, one in enumerate(self.lots, len(names)):
            found.append(
                b"T"
                + nonces[16 * j :][:16]
                + struct.pack(">IB", names.index(one.origin), one.supply_class)
                + bytes.fromhex(one.holder)
            )
        return found


def divide(
    log: Log,
    signer: Key,
    run: bytes,
    origins: Sequence[Origin],
    lots: Sequence[Lot],
    changes: Value,
) -> Division:
    """Write a ``lot.divide``: with a remainder for each origin that leaves something. ``changes``
    are members that stand there instead.
    """
    ordered = sorted(origins, key=lambda origin: origin.name)
    spends = []
    every = list(lots)
    for origin in ordered:
        if origin.before is not None and origin.before.remainder is not None:
            if origin.carried_lot == NONE:
                origin.carried_lot = origin.before.remainder.id
            spends.append(origin.carried_lot.hex())
        left = _left_over(origin, [one for one in every if one.origin == origin.name])
        if left and origin.with_remainder:
            origin.remainder = lot(f"remainder {origin.name}", origin, 0, NO_POINT, left)
            every.append(origin.remainder)
    every.sort(key=lambda one: one.id)
    members = {
        "run": run.hex(),
        "origins": [origin.name for origin in ordered],
        "spends": sorted(spends),
        "creates": [one.id.hex() for one in every],
    } | changes
    statement = log.statement("lot.divide", "operator", **members)
    division = Division(ordered, every, sha256(b"secret" + statement["id"].encode()))
    division.statement_id, division.log_origin = statement["id"], log.origin
    for j, one in enumerate(every):
        one.key = division.stream(f"lot/{j}", 32)
    return finish_division(log, signer, division, statement)


def finish_division(log: Log, signer: Key, division: Division, statement: Value) -> Division:
    division.known.clear()
    leaves = division.leaves()
    body = {
        "root": mth([leaf(raw) for raw in leaves]).hex(),
        "size": len(leaves),
        "media": MEDIA + "division",
    }
    division.entry = log.add(statement | {"body": body}, signer)
    return division


def _left_over(origin: Origin, lots: Sequence[Lot]) -> dict[int, int]:
    left = {}
    before = set() if origin.before is None else set(origin.before.metered)
    for position in sorted(set(origin.metered) | before):
        _, carried, fresh = origin.book(position)
        used = sum(one.wh.get(position, 0) for one in lots)
        if carried + fresh > used:
            left[position] = carried + fresh - used
    return left
