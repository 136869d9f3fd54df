"""A victim's neighbours, who put together all that they have: the log, and their own evidence."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from ledger.claims import service as claims
from ledger.claims.evidence import Sample
from ledger.db import reading
from ledger.house import House
from ledger.log.store import load_head
from ledger.lots import store as lots
from ledger.lots.division import Division
from ledger.lots.store import LotRow
from ledger.matching import dividing
from ledger.matching.dividing import Plan
from ledger.matching.evaluate import evaluate
from ledger.matching.service import Agreement, register_contract, run_matching
from ledger.metering.points import Point
from ledger.metering.service import Origin, register_point, take_in
from ledger.units import Period
from tests.claims.parks import FIRST, evidence_of, parse, point_of
from tests.ledgers import (
    DAY_S,
    QUARTER_S,
    begin,
    curve,
    no_progress,
    series,
)

VICTIM = "secret-saw"
OTHERS = {"till": "shop", "oven": "bakery", "lamp": "street"}
PLENTY, SHORT, ALONE, ALONE_SHORT = range(8), range(8, 16), range(16, 20), range(20, 24)
COUNT = 24
DAY = Period(start_s=DAY_S, end_s=DAY_S + COUNT * QUARTER_S)
# Wh so large that none is met by chance.
LARGE = 5 * 10**8


def consumed(seed: int, base: int) -> list[int]:
    return [base + wh for wh in curve(seed, COUNT, base)]


def fill(house: House) -> None:
    desk = house.desk
    for party in ("farm", "mill", *OTHERS.values()):
        role = "generator" if party == "farm" else "enterprise"
        desk.register_party(party, party.title(), [role])
        desk.create_key(party)
    owners = {"roof": "farm", VICTIM: "mill", **OTHERS}
    wants = {name: consumed(seed, LARGE) for seed, name in enumerate([VICTIM, *OTHERS])}
    for name in OTHERS:
        wants[name][ALONE.start :] = [0] * (COUNT - ALONE.start)
    shares = {**dict.fromkeys(PLENTY, 1.5), **dict.fromkeys(SHORT, 0.4)}
    shares |= {**dict.fromkeys(ALONE, 1.5), **dict.fromkeys(ALONE_SHORT, 0.4)}
    wants["roof"] = [
        int(sum(wants[name][at] for name in (VICTIM, *OTHERS)) * shares[at]) for at in range(COUNT)
    ]
    for name, owner in owners.items():
        kind = "generation" if name == "roof" else "consumption"
        register_point(desk, Point(name=name, kind=kind, owner=owner, region="320500"))
        take_in(desk, [series(name, wants[name])], Origin(source=f"of-{owner}", author=owner))
    register_contract(
        desk,
        Agreement(
            name="secret-contract",
            kind="direct-supply",
            seller="farm",
            sources=["roof"],
            consumers=dict.fromkeys((VICTIM, *OTHERS), 0),
            period=DAY,
        ),
    )


def planned(house: House) -> list[Plan]:
    """What the run to come will divide."""
    with reading(house.engine) as conn:
        found = evaluate(conn, house.log, DAY, load_head(conn, 1).size)
        (plans,) = dividing.plan_run(conn, house.log, found.lanes, DAY)
    return plans


@dataclass(frozen=True, kw_only=True)
class World:
    """What all others hold (`files`, by point and level; `tiles`), and the truth beside it."""

    house: House
    tiles: bytes
    files: dict[tuple[str, str], bytes]
    division: Division
    lots: list[LotRow]
    plans: list[Plan]

    def parts(self, point: str, level: str, kind: str) -> list[dict[str, Any]]:
        found = parse(self.files[point, level])["parts"]
        return [part for part in found if part["part"] == kind]

    def supply(self, holder: str) -> LotRow:
        """The lot of the roof that a consumer holds; `""`: the remainder."""
        roof = point_of(self.house, "roof")
        who = point_of(self.house, holder) if holder else bytes(16)
        return next(lot for lot in self.lots if (lot.point, lot.holder) == (roof, who))

    def wh(self, lot: LotRow) -> list[int]:
        """By quarter-hour of the day."""
        found: list[int] = self.division.lot_of(lot.number)[1].wh.tolist()
        return found[FIRST : FIRST + COUNT]

    def truth(self, at: int) -> dict[str, int]:
        """What the roof's lots have in a quarter-hour."""
        return {who: self.wh(self.supply(who))[at] for who in (VICTIM, *OTHERS, "")}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("privacy")
    house = begin(folder / "data")
    fill(house)
    plans = planned(house)
    run_matching(house.desk, DAY)
    made = {name: claims.make(house.desk, [name], DAY).claim for name in (VICTIM, *OTHERS)}
    files = {}
    for name in OTHERS:
        files[name, "full"] = evidence_of(house, made[name])
        for number in range(3):
            sample = Sample(seed=bytes([number]) * 32, count=40)
            files[name, f"sampled {number}"] = evidence_of(house, made[name], "sampled", sample)
    house.export_tiles(folder / "tiles", no_progress)
    tiles = b"\n".join(
        path.read_bytes() for path in sorted((folder / "tiles").rglob("*")) if path.is_file()
    )
    with reading(house.engine) as conn:
        found = lots.all_lots(conn, 1)
        (index,) = {lot.entry_index for lot in found}
        division = lots.load_division(conn, house.log, index)
    yield World(house=house, tiles=tiles, files=files, division=division, lots=found, plans=plans)
    house.engine.dispose()


@dataclass(frozen=True)
class Shown:
    """A lot of another consumer in a quarter-hour: its Wh and the (side, hash, Wh) up its path."""

    wh: int
    siblings: list[tuple[bool, bytes, int]]


def shown_lots(world: World, point: str, level: str = "full") -> dict[int, Shown]:
    """By quarter-hour of the day, from the part of the roof."""
    (lot,) = roof_part(world, point, level)["lots"]
    return shown_in(lot)


def shown_in(lot: dict[str, Any]) -> dict[int, Shown]:
    raw, offset, found = base64.b64decode(lot["paths"]), 0, {}
    at = np.frombuffer(base64.b64decode(lot["at"]), ">u2").tolist()
    wh = np.frombuffer(base64.b64decode(lot["wh"]), ">u8").tolist()
    for position, own_wh in zip(at, wh, strict=True):
        levels = raw[offset]
        width = -(-levels // 8)
        bits = [
            int.from_bytes(raw[offset + 1 + width * k : offset + 1 + width * (k + 1)], "little")
            for k in range(2)
        ]
        offset += 1 + 2 * width
        siblings = []
        for step in range(levels):
            if bits[1] >> step & 1:
                sibling = raw[offset : offset + 32], int.from_bytes(raw[offset + 32 : offset + 40])
                siblings.append((bool(bits[0] >> step & 1), *sibling))
                offset += 40
        found[position - FIRST] = Shown(own_wh, siblings)
    return found


def roof_part(world: World, point: str, level: str) -> dict[str, Any]:
    """The part whose lot is divided from the roof."""
    supply = world.supply(point)
    (part,) = (
        part
        for part in world.parts(point, level, "cells")
        if [lot["index"] for lot in part["lots"]] == [supply.number]
    )
    return part


def readings_shown(world: World, point: str) -> dict[int, int]:
    """The roof's readings, by quarter-hour of the day, from one file."""
    return readings_in(roof_part(world, point, "full"))


def consumption_shown(world: World, point: str) -> dict[int, int]:
    """The claimant's own."""
    roof = roof_part(world, point, "full")
    (cover,) = (part for part in world.parts(point, "full", "cells") if part != roof)
    return readings_in(cover)


def readings_in(part: dict[str, Any]) -> dict[int, int]:
    found = {}
    for batch in part["batches"]:
        raw = base64.b64decode(batch["leaves"])
        for place in range(0, len(raw), 38):
            start_s = int.from_bytes(raw[place + 16 : place + 24])
            found[(start_s - DAY_S) // QUARTER_S] = int.from_bytes(raw[place + 28 : place + 36])
    return found
