"""Runs, divisions of what they allotted, and wraps, good and bad."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ledger.db import reading
from ledger.errors import LedgerError
from ledger.lots.division import Division, Place
from ledger.lots.entries import FORMS
from ledger.lots.model import NO_LOT
from ledger.matching.allocations import Allocations
from ledger.matching.dividing import Plan, _divided, plan_run
from ledger.matching.evaluate import evaluate
from ledger.matching.missing import MISSING_RULE
from ledger.matching.runs import load_run
from ledger.units import Period, format_instant
from tests.differential.world import Act, World, references, sealed
from tests.ledgers import DAY_S, ORIGIN, QUARTER_S


def empty_run(world: World) -> Act:
    """A run that allocates nothing, which is right where no contract matches anything."""
    as_of = world.chance.choice([0, 1, 1, world.size, world.size, world.size + 1, world.size + 5])
    content = {
        "from": format_instant(DAY_S),
        "to": format_instant(DAY_S + 3600),
        "interval_s": 900,
        "inputs": [],
        "left_out": [],
        "missing": MISSING_RULE,
        "totals": {
            "generation_wh": 0,
            "consumption_wh": 0,
            "estimated_wh": 0,
            "earlier_wh": 0,
            "matched_wh": dict.fromkeys(("quarter_hour", "hour", "day", "month", "year"), 0),
        },
    }
    said = world.said("match.run", world.author("operator"), policy="pro-rata/1", as_of=as_of)
    body = Allocations.seal([], secret=world.chance.randbytes(32), origin=ORIGIN, id_=said["id"])
    return with_bodies(world, said, {"body": body, "manifest": sealed(world, content, "run")})


def run(world: World) -> Act:
    """What the readings give, as somebody says."""
    chance = world.chance
    start_s = DAY_S + QUARTER_S * chance.choice([0, 0, 0, 4])
    period = Period(start_s=start_s, end_s=start_s + QUARTER_S * chance.choice([4, 8, 48]))
    policy = chance.choice(["pro-rata/1", "maximal/1"])
    try:
        with reading(world.house.engine) as conn:
            found = evaluate(conn, world.house.log, period, world.size, policy=policy)
    except LedgerError:
        return empty_run(world)
    manifest, lanes = found.manifest(), found.lanes
    members: dict[str, Any] = {"policy": policy, "as_of": world.size}
    way = chance.randrange(12)
    if way == 0:
        manifest["totals"]["generation_wh"] += 1
    elif way == 1 and lanes:
        lanes[0] = replace(lanes[0], wh=lanes[0].wh + 1)
    elif way == 2:
        members["as_of"] += chance.choice([-1, 1])
    said = world.said("match.run", world.author("operator"), **members)
    body = Allocations.seal(lanes, secret=chance.randbytes(32), origin=ORIGIN, id_=said["id"])
    return with_bodies(world, said, {"body": body, "manifest": sealed(world, manifest, "run")})


def with_bodies(world: World, said: dict[str, Any], bodies: Mapping[str, Any]) -> Act:
    """The statement, if need be with what it says of its bodies, signed by its author."""
    said = {**references(said["type"], bodies), **said}
    data = {name: body.data for name, body in bodies.items()}
    return Act(said=said, keys=(world.key(said["author"]),), bodies=data)


def divide(world: World) -> Act:
    """Of a run, of which perhaps something is divided already, some origins."""
    if not world.runs:
        return run(world)
    leaf = world.chance.choice([*list(world.runs)[-1:] * 9, *world.runs])
    plans = _plans(world, world.runs[leaf])
    if not plans:
        return run(world)
    if world.chance.random() < 0.3:
        plans = world.chance.sample(plans, world.chance.randint(1, len(plans)))
    plans.sort(key=lambda plan: str(plan.id))
    said = world.said("lot.divide", world.author("operator"), run=leaf)
    if world.chance.random() < 0.5:
        return _division(world, said, plans)
    way = world.chance.choice([_with_other_lots, _with_other_wh, _with_other_members])
    return way(world, said, plans)


def _plans(world: World, index: int) -> list[Plan]:
    """What is to be divided now; where that can't be any more, what once was to be."""
    try:
        with reading(world.house.engine) as conn:
            found = load_run(conn, world.house.log, index)
            lanes = found.allocations.lanes
            groups = plan_run(conn, world.house.log, lanes, found.period)
            world.plans = [plan for group in groups for plan in group]
    except LedgerError:
        if world.chance.random() < 0.8:
            return []
    return list(world.plans)


def _division(
    world: World,
    said: dict[str, Any],
    plans: Sequence[Plan],
    ids: Sequence[Sequence[bytes]] = (),
) -> Act:
    """The entry that divides as planned; what `said` holds already stays."""
    ids = ids or _fresh_lots(world, plans)
    creates = sorted(lot for mine in ids for lot in mine)
    number_of = {lot: number for number, lot in enumerate(creates)}
    body = Division.seal(
        [_divided(plan, mine, number_of) for plan, mine in zip(plans, ids, strict=True)],
        secret=world.chance.randbytes(32),
        place=Place(origin=ORIGIN, id=said["id"], creates=tuple(creates)),
    )
    members = {
        "origins": [str(plan.id) for plan in plans],
        "spends": sorted(plan.carried.hex() for plan in plans if plan.carried != NO_LOT),
        "creates": [lot.hex() for lot in creates],
    }
    return with_bodies(world, members | said, {"body": body})


def _fresh_lots(world: World, plans: Sequence[Plan]) -> list[list[bytes]]:
    return [[world.chance.randbytes(16) for _ in range(plan.lots)] for plan in plans]


def _with_other_lots(world: World, said: dict[str, Any], plans: Sequence[Plan]) -> Act:
    """One that was created before, where there is one."""
    ids = _fresh_lots(world, plans)
    if world.lots:
        ids[0][0] = bytes.fromhex(world.chance.choice(world.lots))
    return _division(world, said, plans, ids)


def _with_other_wh(world: World, said: dict[str, Any], plans: Sequence[Plan]) -> Act:
    """Adding up, yet not what was metered, or not what was allotted."""
    first, chance = plans[0], world.chance
    more = first.fresh_wh * 0
    more[chance.randrange(len(more))] = chance.choice([1, 1_000])
    other = replace(first, fresh_wh=first.fresh_wh + more, remainder_wh=first.remainder_wh + more)
    if chance.random() < 0.5:
        parts = list(first.parts)
        parts[0] = replace(parts[0], wh=parts[0].wh + more)
        other = replace(first, fresh_wh=first.fresh_wh + more, parts=tuple(parts))
    if chance.random() < 0.2:
        other = replace(other, carried=bytes.fromhex(chance.choice([*world.lots, "ab" * 16])))
    return _division(world, said, [other, *plans[1:]])


def _with_other_members(world: World, said: dict[str, Any], plans: Sequence[Plan]) -> Act:
    """A good body, under a statement that says something else."""
    act = _division(world, said, plans)
    changed: dict[str, Any] = dict(act.said)
    member = world.chance.choice(["origins", "origins", "spends", "creates", "run", "body"])
    if member == "run":
        changed["run"] = world.chance.choice([*world.leaf_hashes, *world.runs, "ab" * 32])
    elif member == "body":
        changed["body"] = changed["body"] | {"root": "cd" * 32}
    elif member == "origins":
        changed["origins"] = _other_origins(world, changed["origins"])
    else:
        changed[member] = other_lots(world, changed[member])
    return Act(said=changed, keys=act.keys, bodies=act.bodies)


def _other_origins(world: World, origins: Sequence[str]) -> list[str]:
    head, _, revision = origins[0].rpartition("/")
    point, month = head.split("/")
    other_point = world.chance.choice([*world.owners, "ff" * 16])
    return world.chance.choice(
        [
            [f"{head}/{int(revision) + 1}", *origins[1:]],
            [f"{head}/{max(int(revision) - 1, 0)}", *origins[1:]],
            [f"{point}/2026-01/{revision}", *origins[1:]],
            sorted({f"{other_point}/{month}/{revision}", *origins[1:]}),
            list(origins[::-1]),
            [origins[0], *origins],
            list(origins[1:]),
        ]
    )


def other_lot(world: World) -> str:
    return world.chance.choice([*world.lots, "00" * 16, world.chance.randbytes(16).hex()])


def other_lots(world: World, lots: Sequence[str]) -> list[str]:
    """One more, one less, another one; or the same, in another order, or twice."""
    return world.chance.choice(
        [
            sorted({*lots, other_lot(world)}),
            sorted({*lots[1:], other_lot(world)}),
            list(lots[1:]),
            list(lots[::-1]),
            [*lots[:1], *lots],
        ]
    )


def wrap(world: World) -> Act:
    """An instrument for some lots; forms are few, so that soon each lot has each."""
    count = world.chance.choice([1, 1, 2])
    lots = sorted({other_lot(world) for _ in range(count)})
    if world.lots and world.chance.random() < 0.7:
        lots = sorted(world.chance.sample(world.lots, min(count, len(world.lots))))
    if world.chance.random() < 0.1:
        lots = other_lots(world, lots)
    form = world.chance.choice(["gec", "gec", *FORMS, "gold"])
    content = {"issuer": "绿证", "number": "1", "document": ""}
    if world.chance.random() < 0.1:
        content["document"] = "x"
    said = world.said("lot.wrap", world.author("operator"), form=form, wraps=lots)
    return with_bodies(world, said, {"body": sealed(world, content, "form")})
