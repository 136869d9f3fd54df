"""Evidence files taken apart (formats.md §9): head and parts as values, nothing verified yet.

Whatever is wrong with the form makes the file unusable.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, BinaryIO, Final

from greenledger_verify.encoding import decode_base64
from greenledger_verify.evidence_lines import EvidenceLines
from greenledger_verify.failure import VerificationError, unusable
from greenledger_verify.members import (
    Check,
    check_members,
    hash_hex,
    integer,
    list_of,
    object_of,
    one_of,
    or_empty,
    pattern,
    random_id,
    text,
)
from greenledger_verify.packed import integers, items, raw_of, require_increasing

FORMAT: Final = "greenledger-evidence/v1"
LEVELS: Final = ("total", "sampled", "full")
SAMPLES_MAX: Final = 10_000
READING_TAIL_SIZE: Final = 38

ANCHORS_MAX: Final = 3
TOKENS_MAX: Final = 16

_ANY = 2**31
_PLACE_MAX: Final = 2**32 - 1
_B64 = text(0, _ANY)
_HEAD: Final[dict[str, Check]] = {
    "format": one_of(FORMAT),
    "level": one_of(*LEVELS),
    "claim": random_id,
    "checkpoint": text(1, _ANY),
    "anchors": list_of(
        object_of({"checkpoint": text(1, _ANY), "tokens": list_of(_B64), "nodes": _B64})
    ),
    "entries": list_of(object_of({"index": integer(0), "note": text(1, _ANY)})),
    "nodes": _B64,
    "bodies": list_of(object_of({"hash": hash_hex, "base64": _B64})),
    "seed": or_empty(hash_hex),
    "samples": integer(0, SAMPLES_MAX),
}
_CLAIM: Final[dict[str, Check]] = {
    "part": one_of("claim"),
    "secret": or_empty(hash_hex),
    "at": _B64,
    "nonces": _B64,
    "cells": _B64,
    "nodes": _B64,
}
_DIVISION: Final[dict[str, Check]] = {
    "part": one_of("division"),
    "entry": integer(0),
    "leaves": list_of(
        object_of(
            {
                "index": integer(0, _PLACE_MAX),
                "bytes": pattern(r"(?:[0-9a-f]{76}|[0-9a-f]{170})", "hex"),
            }
        )
    ),
    "nodes": _B64,
}
_UNITS: Final[dict[str, Check]] = {
    "part": one_of("units"),
    "entry": integer(0),
    "leaves": list_of(
        object_of(
            {"index": integer(0, _PLACE_MAX), "bytes": pattern(r"(?:[0-9a-f]{2}){16,}", "hex")}
        )
    ),
    "nodes": _B64,
}
_BATCH: Final[dict[str, Check]] = {
    "entry": integer(0),
    "runs": list_of(list_of(integer(0, _PLACE_MAX))),
    "leaves": _B64,
    "nodes": _B64,
}
_LOT: Final[dict[str, Check]] = {
    "index": integer(0, _PLACE_MAX),
    "key": or_empty(hash_hex),
    "nonces": _B64,
    "at": _B64,
    "wh": _B64,
    "paths": _B64,
}
_CELLS: Final[dict[str, Check]] = {
    "part": one_of("cells"),
    "entry": integer(0),
    "origin": integer(0, _PLACE_MAX),
    "at": _B64,
    "books": _B64,
    "sums": _B64,
    "batches": list_of(object_of(_BATCH)),
    "outer": _B64,
    "lots": list_of(object_of(_LOT)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorPart:
    """A checkpoint that was anchored, its time-stamps, and the path from it to the file's."""

    checkpoint: bytes
    tokens: tuple[bytes, ...]
    nodes: list[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    level: str
    claim: str
    checkpoint: bytes
    indexes: tuple[int, ...]
    notes: tuple[bytes, ...]
    nodes: list[bytes]
    bodies: dict[str, bytes]
    seed: bytes
    samples: int
    anchors: tuple[AnchorPart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimPart:
    """``cells`` holds for each opened position of ``at`` (place of the lot, Wh), by place."""

    secret: bytes
    at: tuple[int, ...]
    nonces: list[bytes]
    cells: list[list[tuple[int, int]]]
    nodes: list[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class DivisionPart:
    entry: int
    leaves: dict[int, bytes]
    nodes: list[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsPart:
    """Leaves of a ``unit.issue`` or ``unit.move`` (nonce ‖ JSON) by their place."""

    entry: int
    leaves: dict[int, bytes]
    nodes: list[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOpening:
    entry: int
    places: list[int]
    leaves: list[bytes]
    nodes: list[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class LotOpening:
    index: int
    key: bytes
    nonces: list[bytes]
    at: tuple[int, ...]
    wh: tuple[int, ...]
    paths: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CellsPart:
    entry: int
    origin: int
    at: tuple[int, ...]
    books: list[tuple[int, int]]
    sums: list[bytes]
    batches: list[BatchOpening]
    outer: list[bytes]
    lots: list[LotOpening]


Part = ClaimPart | UnitsPart | DivisionPart | CellsPart


class EvidenceFile:
    """A file as it is read: the head first, then the parts, each once."""

    def __init__(self, file: BinaryIO) -> None:
        self._lines = EvidenceLines(file)
        value = self._lines.head()
        with unusable("line {number}", number=1):
            self.head = _head(value)

    @property
    def line(self) -> int:
        """The line that was read last."""
        return self._lines.number

    def parts(self) -> Iterator[Part]:
        for value in self._lines.parts():
            with unusable("line {number}", number=self.line):
                kind = value.get("part")
                if not isinstance(kind, str) or kind not in _PARTS:
                    raise VerificationError(
                        "{part} is not a kind of part", part=kind if isinstance(kind, str) else "?"
                    )
                part = _PARTS[kind](value)
            yield part


def _head(value: dict[str, Any]) -> Head:
    check_members(value, _HEAD)
    if (value["level"] == "sampled") != bool(value["seed"] and value["samples"]) or (
        bool(value["seed"]) != bool(value["samples"])
    ):
        raise VerificationError("seed and samples stand exactly in a file of the level sampled")
    indexes = tuple(entry["index"] for entry in value["entries"])
    require_increasing("entries", indexes)
    if not indexes:
        raise VerificationError("the file holds no entry")
    bodies: dict[str, bytes] = {}
    for item in value["bodies"]:
        if item["hash"] in bodies:
            raise VerificationError("body {hash} stands twice in the file", hash=item["hash"])
        bodies[item["hash"]] = decode_base64(item["base64"])
    return Head(
        level=value["level"],
        claim=value["claim"],
        checkpoint=value["checkpoint"].encode(),
        indexes=indexes,
        notes=tuple(entry["note"].encode() for entry in value["entries"]),
        nodes=items("nodes", value["nodes"], 32),
        bodies=bodies,
        seed=bytes.fromhex(value["seed"]),
        samples=value["samples"],
        anchors=_anchors(value["anchors"]),
    )


def _anchors(values: list[dict[str, Any]]) -> tuple[AnchorPart, ...]:
    if len(values) > ANCHORS_MAX or any(len(one["tokens"]) > TOKENS_MAX for one in values):
        raise VerificationError("the file has more than 3 anchors, or one of more than 16 tokens")
    return tuple(
        AnchorPart(
            checkpoint=one["checkpoint"].encode(),
            tokens=tuple(raw_of("tokens", token) for token in one["tokens"]),
            nodes=items("nodes", one["nodes"], 32),
        )
        for one in values
    )


def _claim(value: dict[str, Any]) -> ClaimPart:
    check_members(value, _CLAIM)
    at = integers("at", value["at"], "I")
    require_increasing("at", at)
    nonces = items("nonces", value["nonces"], 16)
    if len(nonces) != (0 if value["secret"] else len(at)):
        raise VerificationError("there is not one nonce for each position")
    return ClaimPart(
        secret=bytes.fromhex(value["secret"]),
        at=at,
        nonces=nonces,
        cells=_claim_cells(raw_of("cells", value["cells"]), len(at)),
        nodes=items("nodes", value["nodes"], 40),
    )


def _claim_cells(raw: bytes, positions: int) -> list[list[tuple[int, int]]]:
    cells, offset = [], 0
    for _ in range(positions):
        count = int.from_bytes(raw[offset : offset + 2], "big")
        offset += 2
        end = offset + 10 * count
        if end > len(raw):
            raise VerificationError("the cells end too early")
        cells.append(list(struct.iter_unpack(">HQ", raw[offset:end])))
        offset = end
    if offset != len(raw):
        raise VerificationError("the cells go on after the last position")
    return cells


def _division(value: dict[str, Any]) -> DivisionPart:
    check_members(value, _DIVISION)
    return DivisionPart(
        entry=value["entry"],
        leaves=_leaves(value["leaves"]),
        nodes=items("nodes", value["nodes"], 32),
    )


def _units(value: dict[str, Any]) -> UnitsPart:
    check_members(value, _UNITS)
    return UnitsPart(
        entry=value["entry"],
        leaves=_leaves(value["leaves"]),
        nodes=items("nodes", value["nodes"], 32),
    )


def _leaves(values: list[dict[str, Any]]) -> dict[int, bytes]:
    require_increasing("leaves", [leaf["index"] for leaf in values])
    return {leaf["index"]: bytes.fromhex(leaf["bytes"]) for leaf in values}


def _cells(value: dict[str, Any]) -> CellsPart:
    check_members(value, _CELLS)
    at = integers("at", value["at"], "H")
    require_increasing("at", at)
    if not at:
        raise VerificationError("the part opens no quarter-hour")
    batches = [_batch(batch) for batch in value["batches"]]
    require_increasing("batches", [batch.entry for batch in batches])
    lots = [_lot(lot) for lot in value["lots"]]
    require_increasing("lots", [lot.index for lot in lots])
    return CellsPart(
        entry=value["entry"],
        origin=value["origin"],
        at=at,
        books=_books(value["books"], len(at)),
        sums=items("sums", value["sums"], 32),
        batches=batches,
        outer=items("outer", value["outer"], 32),
        lots=lots,
    )


def _books(value: str, positions: int) -> list[tuple[int, int]]:
    if value == "":
        return [(0, 0)] * positions
    books = list(struct.iter_unpack(">QQ", b"".join(items("books", value, 16))))
    if len(books) != positions or not any(base or carried for base, carried in books):
        raise VerificationError("books are not one for each position, or all are 0")
    return books


def _batch(value: dict[str, Any]) -> BatchOpening:
    leaves = items("leaves", value["leaves"], READING_TAIL_SIZE)
    runs: list[list[int]] = value["runs"]
    if not runs or any(len(run) != 2 or run[1] < 1 for run in runs):
        raise VerificationError("a run is a pair: the first place, and a number of places above 0")
    if any(a[0] + a[1] >= b[0] for a, b in pairwise(runs)):
        raise VerificationError("the runs are not increasing, or two adjoin")
    if sum(count for _, count in runs) != len(leaves):
        raise VerificationError("the runs have not as many places as there are leaves")
    return BatchOpening(
        entry=value["entry"],
        places=[place for first, count in runs for place in range(first, first + count)],
        leaves=leaves,
        nodes=items("nodes", value["nodes"], 32),
    )


def _lot(value: dict[str, Any]) -> LotOpening:
    at = integers("at", value["at"], "H")
    require_increasing("at", at)
    wh = integers("wh", value["wh"], "Q")
    nonces = items("nonces", value["nonces"], 16)
    if not at or len(wh) != len(at) or len(nonces) != (0 if value["key"] else len(at)):
        raise VerificationError("a lot has not one nonce and one wh for each of its positions")
    return LotOpening(
        index=value["index"],
        key=bytes.fromhex(value["key"]),
        nonces=nonces,
        at=at,
        wh=wh,
        paths=raw_of("paths", value["paths"]),
    )


_PARTS: Final[dict[str, Callable[[dict[str, Any]], Part]]] = {
    "claim": _claim,
    "units": _units,
    "division": _division,
    "cells": _cells,
}


def require_seed(value: str) -> bytes:
    """The seed that the verifier names with ``--seed``."""
    with unusable("--seed"):
        hash_hex(value)
    return bytes.fromhex(value)
