"""A park in which something can be matched: two consumers buy what one roof generates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ledger.log.bodies import Blob, reference
from ledger.metering.batches import Block
from ledger.units import format_instant
from tests.differential.acts_metering import batch
from tests.differential.world import POINTS, Act, World, sealed
from tests.ledgers import DAY_S, QUARTER_S, operator_key, statement


def found_park(world: World) -> Iterator[Act]:
    """Acts that are all good, one after the other."""
    for number, owner in enumerate(("farm", "mill", "mill")):
        yield _point(world, number, owner)
    yield _contract(world)
    yield _readings(world)


def _point(world: World, number: int, owner: str) -> Act:
    content: dict[str, Any] = {
        "name": f"point-{number}",
        "kind": "consumption" if number else "generation",
        "technology": "",
        "park_system": "energy",
        "owner": owner,
        "parent": "",
        "region": "44",
        "capacity": 0,
        "capacity_unit": "",
        "unit": "Wh",
        "measure": "additive",
        "interval_s": 900,
        "meters": [],
    }
    said = _said(world, "point.register", point=POINTS[number], replaces="")
    return _act(world, said, sealed(world, content, "point"), owner)


def _contract(world: World) -> Act:
    content = {
        "name": "one",
        "kind": "green-trade",
        "seller": "farm",
        "sources": POINTS[:1],
        "consumers": [{"point": point, "share_ppm": 0} for point in POINTS[1:3]],
        "from": format_instant(DAY_S),
        "to": format_instant(DAY_S + 86_400),
        "region": "",
        "limit_wh": world.chance.choice([0, 0, 0, 5_000]),
    }
    said = _said(world, "contract.register", contract="c1" * 16, replaces="")
    return _act(world, said, sealed(world, content, "contract"))


def _readings(world: World) -> Act:
    blocks = [
        Block(
            point=bytes.fromhex(point),
            start_s=DAY_S,
            length_s=QUARTER_S,
            value=np.array([world.chance.choice([0, 300, 1_000]) for _ in range(8)]),
            quality=np.zeros(8, dtype=np.uint16),
        )
        for point in POINTS[:3]
    ]
    said = _said(world, "readings", source="founding", sequence=0, previous="")
    return batch(world, said, operator_key(world.house), blocks)


def _said(world: World, kind: str, **members: Any) -> dict[str, Any]:
    return statement(kind, "operator", world.clock.now_s, **members)


def _act(world: World, said: dict[str, Any], body: Blob, owner: str = "") -> Act:
    return Act(
        said=said | {"body": reference(body, "hash")},
        keys=(operator_key(world.house),),
        bodies={"body": body.data},
        owner=owner,
    )
