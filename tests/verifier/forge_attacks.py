"""Attacks on evidence files, for ``break_evidence``: parks and files with one wrong thing each.

In most, the forger is the operator and the claimant together, who hold all keys: log, signatures
and trees are as they should be, only what they say is wrong.
"""

import base64
from collections.abc import Callable
from typing import Any

from tests.verifier import forge
from tests.verifier.forge import FARM, OPERATOR, Log, leaf
from tests.verifier.forge_evidence import Evidence
from tests.verifier.forge_lots import (
    Division,
    Lot,
    Origin,
    Value,
    b64,
    finish_division,
    packed_path,
    shared,
    sum_node,
    u64,
)
from tests.verifier.forge_park import (
    MILL,
    MILL_POINT,
    SHOP_POINT,
    START,
    SUN,
    LotPark,
)


class Small:
    """A park of two readings of the sun, two of the mill, two of the shop, divided once: what most
    attacks begin with. Attributes may be changed before the next stage.
    """

    def __init__(self, points: dict[str, Value] | None = None, log: Log | None = None) -> None:
        self.park = LotPark(log=log or Log())
        self.park.register(points)
        self.park.log.tick(900)
        self.sun_readings = [(SUN, 41, 900, 1000, 0), (SUN, 42, 900, 1100, 0)]
        self.sender = FARM
        self.mill_readings = [(MILL_POINT, p, 900, 600, 0) for p in (41, 42)]

    def read(self) -> "Small":
        park = self.park
        self.farm_batch = park.readings(self.sender, self.sun_readings)
        self.mill_batch = park.readings(MILL, self.mill_readings)
        shop = park.readings(OPERATOR, [(SHOP_POINT, 41, 900, 700, 0)], source="shop")
        self.sun = park.origin(SUN, self.farm_batch)
        self.mill = park.origin(MILL_POINT, self.mill_batch)
        self.shop = park.origin(SHOP_POINT, shop)
        self.lots = {
            "sun-mill": self.lot("sun-mill", self.sun, {41: 500, 42: 500}),
            "sun-shop": self.lot("sun-shop", self.sun, {41: 400}, holder=SHOP_POINT),
            "mill-2": self.lot("mill-2", self.mill, {41: 500, 42: 500}),
            "shop-2": self.lot("shop-2", self.shop, {41: 400}, holder=SHOP_POINT),
        }
        return self

    def lot(
        self,
        name: str,
        origin: Origin,
        wh: dict[int, int],
        *,
        holder: str = MILL_POINT,
        of: int = 2,
    ) -> Lot:
        return self.park.lot(name, origin, of, holder, wh)

    def divide(self, origins: list[Origin] | None = None, **more: Any) -> Division:
        """All lots that no division has created yet; ``names`` overrides the origins' names."""
        every = [one for one in self.park.lots.values() if not one.key]
        if "names" in more:
            more["origins"] = more.pop("names")
        return self.park.divide(origins or [self.sun, self.mill, self.shop], every, more)

    def claim(self, *lots: str, **more: Any) -> "Small":
        self.park.claim(
            "mill", more.pop("signer", MILL), list(lots) or ["sun-mill", "mill-2"], **more
        )
        return self

    def evidence(self, level: str = "full", claim: str = "mill", **more: Any) -> Evidence:
        return self.park.evidence(claim, level, **more)


def small() -> Small:
    return Small().read()


def claimed(change: Callable[[Small], object] | None = None, **more: Any) -> Small:
    """``change`` comes after the readings and before the division."""
    made = Small().read()
    if change is not None:
        change(made)
    made.divide()
    return made.claim(**more)


def changed(
    change: Callable[[Evidence], object], made: Small | None = None, **more: Any
) -> Evidence:
    """A good file, broken as it lies there."""
    evidence = (made or claimed()).evidence(**more)
    change(evidence)
    return evidence


def set_wh(lot: str, wh: dict[int, int]) -> Callable[[Small], object]:
    return lambda made: made.park.lots[lot].wh.update(wh)


def flip(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


def edit(part: Value, member: str, change: Callable[[bytes], bytes]) -> None:
    """Change the packed bytes of a member."""
    part[member] = b64(change(base64.b64decode(part[member])))


# The same Wh twice


def two_divisions() -> Evidence:
    made = small()
    made.divide()
    again = made.park.origin(SUN, made.farm_batch)
    made.lot("sun-again", again, {41: 500})
    cover = made.park.origin(MILL_POINT, made.mill_batch, before=made.mill)
    made.lot("mill-again", cover, {41: 100})
    made.divide([again, cover])
    return made.claim("sun-mill", "mill-2", "sun-again", "mill-again").evidence()


def two_origins_in_one() -> Evidence:
    made = small()
    names = [made.mill.name, made.shop.name, made.sun.name, made.sun.name]
    made.divide(names=sorted(names))
    return made.claim().evidence()


def spent_twice() -> Evidence:
    made = small()
    made.divide()
    park = made.park
    park.claim("first", MILL, ["sun-mill", "mill-2"])
    first = park.claims["first"]
    park.claim("mill", MILL, ["sun-mill"], inherited=[park.lots["mill-2"].id], replaces=first.name)
    return made.evidence(chain=[first.entry])


def spent_before_it_exists() -> Evidence:
    made = small()
    made.claim()
    made.divide()
    return made.evidence()


def inner_node_as_leaf(evidence: Evidence) -> None:
    """The parent of two leaves passed off as the lot's: one level less, with the Wh of both."""
    lot = sun_lot(evidence)

    def cut(raw: bytes) -> bytes:
        depth = raw[0]
        return bytes([depth - 1, raw[1] >> 1, raw[2] >> 1 | 1]) + raw[43:]

    edit(lot, "wh", lambda raw: u64(900) + raw[8:])
    edit(lot, "paths", cut)


def sun_part(evidence: Evidence) -> Value:
    """The cells of the sun: the first part of them, as its point sorts first."""
    return evidence.part("cells", 0)


def sun_lot(evidence: Evidence) -> Value:
    lot: Value = sun_part(evidence)["lots"][0]
    return lot


def overflowing_path(evidence: Evidence) -> None:
    """The first sibling has almost 2^63 Wh."""
    edit(sun_lot(evidence), "paths", lambda raw: raw[:35] + u64(2**63 - 1) + raw[43:])


def sibling_of_nothing(evidence: Evidence) -> None:
    edit(sun_lot(evidence), "paths", lambda raw: raw[:35] + u64(0) + raw[43:])


def chosen_order() -> Evidence:
    """The forger puts the shop's lot to the left, wherever its hash says it goes."""
    made = small()
    park = made.park
    made.mill.with_remainder = True
    division = made.divide()
    lots = [one for one in division.of(made.sun) if one.wh.get(42)]
    first, second = sorted(lots, key=lambda one: one.leaf(42)[0], reverse=True)
    root = sum_node(first.leaf(42), second.leaf(42))
    del park.divisions[-1], park.log.entries[-1]
    division.node_leaves[made.sun.name, 42] = root[0]
    members = {
        "run": leaf(park.log.entries[park.run]).hex(),
        "origins": [origin.name for origin in division.origins],
        "spends": [],
        "creates": [one.id.hex() for one in division.lots],
    }
    written = park.log.statement("lot.divide", "operator", **members)
    written["id"] = division.statement_id
    finish_division(park.log, OPERATOR, division, written)
    park.divisions.append(division)
    park.runs[division.entry] = park.run
    evidence = made.claim().evidence()
    mine = park.lots["sun-mill"]
    other = second if first is mine else first
    path = packed_path([(0 if first is mine else 1, other.leaf(42))])
    lot = sun_lot(evidence)
    raw = base64.b64decode(lot["paths"])
    lot["paths"] = b64(raw[: first_path(raw)] + path)
    return evidence


def first_path(raw: bytes) -> int:
    """Where the first path of the packed ones ends."""
    width = (raw[0] + 7) // 8
    present = int.from_bytes(raw[1 + width : 1 + 2 * width], "little").bit_count()
    return 1 + 2 * width + 40 * present


# Revisions


def revised(change: Callable[[Small, Origin], object] | None = None, **more: Any) -> Small:
    """A correction of the sun: 41 up by 200 Wh, 42 down by 100; then divided again and claimed."""
    made = small()
    made.divide()
    park = made.park
    corrected = park.readings(
        FARM,
        [(SUN, 41, 900, 1200, 0x100), (SUN, 42, 900, 1000, 0x100)],
        kind="readings.correction",
        sequence=1,
        previous=leaf(park.log.entries[made.farm_batch.entry]).hex(),
        corrects={"hash": "00" * 32, "size": 96, "media": forge.MEDIA + "corrects"},
    )
    sun = park.origin(SUN, corrected, before=made.sun)
    mill = park.origin(MILL_POINT, made.mill_batch, before=made.mill)
    made.lot("sun-1", sun, {41: 100, 42: 100})
    made.lot("mill-1", mill, {41: 100, 42: 100})
    if change is not None:
        change(made, sun)
    made.divide([sun, mill], **more)
    return made.claim("sun-1", "mill-1")


def carried_other_lot(made: Small, sun: Origin) -> None:
    """The shop's lot is taken over, as if it had been left over."""
    sun.carried_lot = made.park.lots["sun-shop"].id


def wrong_carried(made: Small, sun: Origin) -> None:
    sun.tamper[41] = {"carried": 500}
    made.park.lots["sun-1"].wh[41] = 100


# Readings


def estimated() -> Evidence:
    made = Small()
    made.sun_readings[0] = (SUN, 41, 900, 1000, 1)
    made.read()
    made.sun.metered[41] = 1000
    made.divide()
    return made.claim().evidence()


def overlapping() -> Evidence:
    made = Small()
    made.sun_readings.append((SUN, 40, 3600, 4000, 0))
    made.read()
    for position in (41, 42):
        made.sun.metered[position] = 1000 if position == 41 else 1100
        made.sun.sources[position] = made.farm_batch, [0 if position == 41 else 1]
    made.sun.metered = {41: 1000, 42: 1100}
    made.sun.sources[41] = made.farm_batch, [0, 2]
    made.sun.tamper[41] = {"reading": leaf(made.farm_batch.raws[0])}
    made.divide()
    return made.claim().evidence()


def not_filled() -> Evidence:
    made = Small()
    made.sun_readings = [(SUN, START + 41 * 900 + s, 300, 333, 0) for s in (0, 300)]
    made.sun_readings.append((SUN, 42, 900, 1100, 0))
    made.read()
    made.divide()
    return made.claim().evidence()


def wrong_length() -> Evidence:
    made = Small()
    made.sun_readings = [(SUN, 41, 1800, 2100, 0)]
    made.read()
    made.sun.sources = {41: (made.farm_batch, [0]), 42: (made.farm_batch, [0])}
    made.sun.metered = {41: 1500, 42: 600}
    made.divide()
    return made.claim().evidence()


def late_batch() -> Evidence:
    """The reading comes to the log after its division: its leaf is known before its entry is."""
    made = small()
    made.divide()
    made.park.log.tick(900)
    again = made.park.readings(FARM, made.sun_readings, sequence=1, previous="11" * 32)
    again.raws[:] = made.farm_batch.raws
    evidence = made.claim().evidence()
    for part in evidence.parts:
        for batch in part.get("batches", []):
            if batch["entry"] == made.farm_batch.entry:
                batch["entry"] = again.entry
    entries = {entry["index"] for entry in evidence.head["entries"]} | {again.entry}
    reprove(evidence, made.park.log, entries)
    return evidence


def negative() -> Evidence:
    made = Small()
    made.sun_readings[0] = (SUN, 41, 900, -5, 0)
    made.read()
    made.sun.metered[41] = 1000
    made.divide()
    return made.claim().evidence()


def reprove(evidence: Evidence, log: Log, entries: set[int]) -> None:
    evidence.head["entries"] = [
        {"index": index, "note": log.entries[index].decode()} for index in sorted(entries)
    ]
    evidence.head["nodes"] = b64(b"".join(shared(log.hashes, entries)))


def without_entries(kind: str) -> Evidence:
    """A good file whose entries of ``kind`` are left out, the rest proven as it should be."""
    made = claimed()
    evidence = made.evidence()
    kept = {
        entry["index"]
        for entry in evidence.head["entries"]
        if f'"type":"{kind}"' not in entry["note"]
    }
    reprove(evidence, made.park.log, kept)
    return evidence
