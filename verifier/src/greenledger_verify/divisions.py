"""Divisions (formats.md §3.4): which origin and which lots a ``lot.divide`` commits to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from greenledger_verify.evidence_file import DivisionPart
from greenledger_verify.evidence_head import Evidence
from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.leaves import SUPPLY_CLASSES
from greenledger_verify.members import parse_origin
from greenledger_verify.merkle import leaf_hash
from greenledger_verify.sharedpath import verify_shared_path

NO_LOT: Final = bytes(16)

_ORIGIN_SIZE: Final = 85
_LOT_SIZE: Final = 38


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginLeaf:
    """An origin with the outer tree of its quarter-hours; lots are 16 bytes, zeros where none."""

    name: str
    point: str
    month: str
    revision: int
    outer_root: bytes
    count: int
    carried: bytes
    remainder: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LotLeaf:
    """A created lot; ``supply_class`` and ``holder`` are 0 of a remainder."""

    lot: bytes
    origin: int
    supply_class: int
    holder: bytes


@dataclass(slots=True, kw_only=True)
class Division:
    """The opened leaves of one division, and which of them something has asked for."""

    entry: int
    origins: Mapping[int, OriginLeaf]
    lots: Mapping[int, LotLeaf]
    used: set[int] = field(default_factory=set)


def verify_division(part: DivisionPart, evidence: Evidence) -> Division:
    """The leaves of a division are what its entry commits to.

    1. The entry is a ``lot.divide``, whose run is in the file, before it.
    2. The leaves are in the tree of the entry.
    3. Each is of the kind that its place says, and its lots are among those of the entry.
    """
    with locate("division of entry {index}", index=part.entry):
        # 1
        entry = evidence.entry(part.entry, "lot.divide")
        _require_run(entry.text("run"), part.entry, evidence)
        # 2
        body = entry.reference("body")
        size, root = body["size"], body["root"]
        assert isinstance(size, int)
        assert isinstance(root, str)
        if not part.leaves:
            raise VerificationError("none of its leaves is opened")
        verify_shared_path(
            list(part.leaves),
            [leaf_hash(raw) for raw in part.leaves.values()],
            size,
            part.nodes,
            bytes.fromhex(root),
        )
        # 3
        names, created = entry.texts("origins"), entry.texts("creates")
        origins, lots = {}, {}
        for place, raw in part.leaves.items():
            with locate("leaf {index}", index=place):
                if place < len(names):
                    origins[place] = _origin(raw, names[place], created, entry.texts("spends"))
                else:
                    lots[place - len(names)] = _lot(raw, created[place - len(names)], len(names))
    return Division(entry=part.entry, origins=origins, lots=lots)


def _require_run(run: str, before: int, evidence: Evidence) -> None:
    for index, entry in evidence.entries.items():
        if entry.type == "match.run" and index < before and entry.leaf_hash.hex() == run:
            return
    raise VerificationError("its run {run} is not in the file before it", run=run)


def _origin(raw: bytes, name: str, creates: list[str], spends: list[str]) -> OriginLeaf:
    if len(raw) != _ORIGIN_SIZE or raw[:1] != b"O":
        raise VerificationError("it is not the leaf of an origin")
    point, month, revision = parse_origin(name)
    carried, remainder = raw[53:69], raw[69:85]
    if carried != NO_LOT and carried.hex() not in spends:
        raise VerificationError(
            "the carried lot {lot} is not among those that the entry spends", lot=carried
        )
    if remainder != NO_LOT and remainder.hex() not in creates:
        raise VerificationError(
            "the remainder lot {lot} is not among those that the entry creates", lot=remainder
        )
    return OriginLeaf(
        name=name,
        point=point,
        month=month,
        revision=revision,
        outer_root=raw[17:49],
        count=int.from_bytes(raw[49:53], "big"),
        carried=carried,
        remainder=remainder,
    )


def _lot(raw: bytes, lot: str, origins: int) -> LotLeaf:
    if len(raw) != _LOT_SIZE or raw[:1] != b"T":
        raise VerificationError("it is not the leaf of a lot")
    leaf = LotLeaf(
        lot=bytes.fromhex(lot),
        origin=int.from_bytes(raw[17:21], "big"),
        supply_class=raw[21],
        holder=raw[22:38],
    )
    if leaf.origin >= origins:
        raise VerificationError("its origin {origin} is none of the entry", origin=leaf.origin)
    if leaf.supply_class > len(SUPPLY_CLASSES):
        raise VerificationError("{number} is not a supply class", number=leaf.supply_class)
    if (leaf.supply_class == 0) != (leaf.holder == NO_LOT):
        raise VerificationError("only a remainder has neither class nor holder")
    return leaf
