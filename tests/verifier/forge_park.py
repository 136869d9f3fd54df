"""A small park with lots and claims (docs/formats.md §3.4 to §9): sun by the quarter-hour, wind by
the hour, a battery, a mill and a shop; a correction with a second revision; claims of three kinds.

``park`` makes the good one; its arguments change one thing each, for those who attack.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.verifier.forge import (
    FARM,
    GRID,
    OPERATOR,
    POINT_CONTENT,
    Key,
    Log,
    json_body,
    leaf,
)
from tests.verifier.forge_claims import Cells, Claim, claim_of
from tests.verifier.forge_evidence import Evidence, Maker
from tests.verifier.forge_lots import (
    Batch,
    Division,
    Lot,
    Origin,
    Value,
    batch_of,
    divide,
    lot,
    month_count,
    month_start,
)
from tests.verifier.forge_units import Desk

MILL = Key(f"{Log().origin}/mill", "mill")
SHOP = Key(f"{Log().origin}/shop", "shop")
MONTH = "2026-02"
START = month_start(MONTH)
SUN, WIND, BATTERY = "a1" * 16, "a2" * 16, "a3" * 16
MILL_POINT, SHOP_POINT = "b1" * 16, "b2" * 16
OWNERS = {SUN: FARM, WIND: FARM, BATTERY: FARM, MILL_POINT: MILL, SHOP_POINT: SHOP}
KINDS = {
    SUN: "generation",
    WIND: "generation",
    BATTERY: "storage-discharge",
    MILL_POINT: "consumption",
    SHOP_POINT: "consumption",
}
SEED = bytes(range(32))

Change = Callable[["LotPark"], object]


def content(point: str, **changes: Any) -> Value:
    owner = OWNERS[point].name.rpartition("/")[2]
    own = {"name": f"point-{point[:2]}", "kind": KINDS[point], "owner": owner, "meters": []}
    return POINT_CONTENT | own | changes


@dataclass
class LotPark:
    """The log while it grows, and what is in it."""

    log: Log = field(default_factory=Log)
    batches: list[Batch] = field(default_factory=list)
    divisions: list[Division] = field(default_factory=list)
    bodies: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    rests: list[int] = field(default_factory=list)
    runs: dict[int, int] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    lots: dict[str, Lot] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    desk: Desk | None = None
    run: int = -1

    def register(self, points: dict[str, Value] | None = None) -> None:
        """Genesis, parties, points, keys: the farm's is a meter's, the grid company endorsed it."""
        log = self.log
        log.time_s = START + 40 * 86_400
        log.genesis()
        log.tick()
        log.party("farm", "generator")
        log.key(FARM, device="meter")
        log.party("grid", "verifier")
        log.key(GRID)
        log.key_act("key.endorse", FARM, author=GRID, claim="sealed")
        log.party("mill", "enterprise")
        log.key(MILL)
        log.party("shop", "enterprise")
        log.key(SHOP, custody="operator")
        self.rests = [i for i in range(len(log.entries)) if i != 1]
        for point, owner in OWNERS.items():
            body = json_body(content(point, **(points or {}).get(point, {})), f"body {point}")
            self.bodies[point] = log.point(author=owner, body=body, point=point), body

    def readings(
        self, author: Key, readings: list[tuple[str, int, int, int, int]], **more: Any
    ) -> Batch:
        """Readings as (point, position or Unix start, length, value, quality)."""
        timed: list[tuple[str, int, int, int, int]] = [
            (point, START + 900 * at if at < 10_000 else at, length, value, quality)
            for point, at, length, value, quality in readings
        ]
        batch = batch_of(self.log, author, timed, **more)
        self.batches.append(batch)
        return batch

    def origin(
        self, point: str, batch: Batch, *, before: Origin | None = None, name: str = ""
    ) -> Origin:
        """What a batch gives, metered as the page says; a revision takes over what was there."""
        metered = dict(before.metered) if before is not None else {}
        sources = dict(before.sources) if before is not None else {}
        parts: dict[int, list[tuple[int, int, int, int]]] = {}
        for place, raw in enumerate(batch.raws):
            start, length, value, quality = struct.unpack(">QIqH", raw[32:])
            if raw[16:32].hex() != point:
                continue
            for second in range(start, start + length, min(length, 900)):
                position = (second - START) // 900
                k, n = (second - start) // 900, max(1, length // 900)
                q, r = divmod(value, n)
                part = q + r * (k + 1) // n - r * k // n
                parts.setdefault(position, []).append((start, place, part, quality))
        for position, found in parts.items():
            found.sort()
            metered[position] = 0 if any(q & 1 for *_, q in found) else sum(f[2] for f in found)
            sources[position] = batch, [place for _, place, _, _ in found]
        revision = 0 if before is None else before.revision + 1
        origin = Origin(point, MONTH, revision, metered, sources, before)
        self.origins[name or f"{point[:2]}/{revision}"] = origin
        return origin

    def lot(self, name: str, origin: Origin, class_: int, holder: str, wh: dict[int, int]) -> Lot:
        self.lots[name] = lot(name, origin, class_, holder, wh)
        return self.lots[name]

    def start_run(self) -> bytes:
        self.log.tick(900)
        self.run = self.log.add(self.log.run_statement(as_of=len(self.log.entries)), OPERATOR)
        return leaf(self.log.entries[self.run])

    def divide(
        self, origins: list[Origin], lots: list[Lot], members: Value | None = None
    ) -> Division:
        run = self.start_run()
        division = divide(self.log, OPERATOR, run, origins, lots, members or {})
        self.divisions.append(division)
        self.runs[division.entry] = self.run
        return division

    def claim(self, name: str, signer: Key, lots: list[str], **given: Any) -> Claim:
        """All that the lots hold, but ``cells`` says otherwise."""
        more: dict[str, Any] = given
        self.log.tick(900)
        inherited = more.get("inherited", ())
        every = [self.lots[one] for one in lots] + [
            one for one in self.lots.values() if one.id in inherited
        ]
        cells: Cells = {}
        classes: dict[int, int] = {}
        for one in every:
            for position, wh in one.wh.items():
                cells.setdefault(position, {})[one.id] = wh
            cover = one.origin[:32] in (MILL_POINT, SHOP_POINT)
            classes[one.supply_class] = classes.get(one.supply_class, 0) + (
                0 if cover else sum(one.wh.values())
            )
        more = {"cells": cells, "by_class": classes, **more}
        points: list[str] = more.pop("points", [MILL_POINT if signer is MILL else SHOP_POINT])
        spends = [self.lots[one] for one in lots]
        claim = claim_of(self.log, signer, name, spends, points=points, **more)
        self.claims[name] = claim
        return claim

    @property
    def maker(self) -> Maker:
        ticks = [i for i, raw in enumerate(self.log.entries) if b'"tick"' in raw]
        return Maker(
            self.log,
            self.divisions,
            self.batches,
            self.rests,
            self.bodies,
            self.runs,
            ticks,
            self.desk,
        )

    def evidence(self, claim: str, level: str = "full", **more: Any) -> Evidence:
        return self.maker.make(self.claims[claim], level, **more)


def readings_of_february(park: LotPark, quality: int = 0) -> dict[str, Batch]:
    """Sun in quarter-hours, wind in hours, battery, shop; the mill's in 300 s at position 41."""
    sun = [(SUN, p, 900, 1000 + p, quality if p == 45 else 0) for p in range(40, 48)]
    wind = [(WIND, 40, 3600, 803, 0), (WIND, 44, 3600, 402, 2)]
    battery = [(BATTERY, p, 900, 150, 0) for p in (46, 47)]
    mill = [(MILL_POINT, p, 900, 900, 0) for p in range(40, 48) if p != 41]
    mill += [(MILL_POINT, START + 41 * 900 + s, 300, 300, 0) for s in (0, 300, 600)]
    shop = [(SHOP_POINT, p, 900, 700, 0) for p in range(40, 48)]
    return {
        "farm": park.readings(FARM, sorted([*sun, *wind, *battery])),
        "mill": park.readings(MILL, mill),
        "shop": park.readings(OPERATOR, shop, source="shop"),
    }


def plan(park: LotPark, batches: dict[str, Batch]) -> tuple[list[Origin], list[Lot]]:
    """The origins of February and what is allotted of them."""
    sun, wind, battery = (park.origin(point, batches["farm"]) for point in (SUN, WIND, BATTERY))
    mill = park.origin(MILL_POINT, batches["mill"])
    shop = park.origin(SHOP_POINT, batches["shop"])
    windy = {p: wind.metered[p] for p in range(40, 48)}
    lots = [
        park.lot("sun-mill", sun, 2, MILL_POINT, dict.fromkeys(range(40, 46), 500)),
        park.lot("sun-shop", sun, 2, SHOP_POINT, dict.fromkeys(range(41, 47), 400)),
        park.lot("wind-mill", wind, 4, MILL_POINT, windy),
        park.lot("battery-mill", battery, 3, MILL_POINT, {46: 120, 47: 100}),
        park.lot("mill-2", mill, 2, MILL_POINT, dict.fromkeys(range(40, 46), 500)),
        park.lot("mill-3", mill, 3, MILL_POINT, {46: 120, 47: 100}),
        park.lot("mill-4", mill, 4, MILL_POINT, dict(windy)),
        park.lot("shop-2", shop, 2, SHOP_POINT, dict.fromkeys(range(41, 47), 400)),
    ]
    return [sun, wind, battery, mill, shop], lots


def correct(park: LotPark) -> tuple[list[Origin], list[Lot]]:
    """Position 42 of the sun goes up by 200 Wh, 43 down by 100 Wh; the mill's readings stay."""
    previous = leaf(park.log.entries[park.batches[0].entry]).hex()
    corrected = park.readings(
        FARM,
        [(SUN, 42, 900, 1242, 0x100), (SUN, 43, 900, 943, 0x100)],
        kind="readings.correction",
        sequence=1,
        previous=previous,
        corrects={
            "hash": "00" * 32,
            "size": 96,
            "media": "application/vnd.greenledger.corrects",
        },
    )
    sun = park.origin(SUN, corrected, before=park.origins["a1/0"])
    mill = park.origin(MILL_POINT, park.batches[1], before=park.origins["b1/0"])
    lots = [
        park.lot("sun-mill-1", sun, 2, MILL_POINT, {42: 190, 43: 30, 44: 50}),
        park.lot("mill-2-1", mill, 2, MILL_POINT, {42: 190, 43: 30, 44: 50}),
    ]
    return [sun, mill], lots


OF_MILL = ["sun-mill", "wind-mill", "battery-mill", "mill-2", "mill-3", "mill-4"]


def february(points: dict[str, Value] | None = None, quality: int = 0) -> LotPark:
    """Up to where something can be divided."""
    park = LotPark()
    park.register(points)
    park.log.tick(900)
    readings_of_february(park, quality)
    return park


def divided(points: dict[str, Value] | None = None, change: Change | None = None) -> LotPark:
    """February, divided once; ``change`` may meddle with ``origins`` and ``lots`` before."""
    park = february(points)
    farm, mill, shop = park.batches
    origins, lots = plan(park, {"farm": farm, "mill": mill, "shop": shop})
    if change is not None:
        change(park)
    park.divide(origins, [one for one in park.lots.values() if one in lots])
    return park


def good() -> LotPark:
    """All: two divisions; a claim of the mill and one of the shop; one that replaces the first."""
    park = divided()
    park.claim("mill", MILL, OF_MILL)
    park.claim("shop", SHOP, ["sun-shop", "shop-2"])
    park.log.tick(900)
    origins, lots = correct(park)
    park.divide(origins, lots)
    first = park.claims["mill"]
    park.claim(
        "mill-again",
        MILL,
        ["sun-mill-1", "mill-2-1"],
        inherited=first.lots,
        replaces=first.name,
    )
    return park


def count() -> int:
    return month_count(MONTH)
