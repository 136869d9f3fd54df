"""Claims, their withdrawal and their flags, good and bad."""

from __future__ import annotations

from typing import Any

from ledger.claims import shortfall, store
from ledger.claims.offers import Offers
from ledger.claims.service import _because, _draft
from ledger.db import reading
from ledger.errors import LedgerError
from ledger.lots import store as lots
from ledger.parties.desk import Draft
from ledger.units import Period
from tests.differential.acts_lots import divide, other_lots
from tests.differential.acts_metering import correct
from tests.differential.acts_units import retirements
from tests.differential.world import POINTS, Act, World, drawn, signed_draft
from tests.ledgers import DAY_S

_DAY = Period(start_s=DAY_S, end_s=DAY_S + 86_400)


def make_claim(world: World) -> Act:
    """What points hold, or what a claim holds that is replaced."""
    chance = world.chance
    if not world.lots and not retirements(world):
        return divide(world)
    author = chance.choice(["mill", "mill", "mill", "farm"])
    mine = [point for point, owner in world.owners.items() if owner == author]
    points = chance.sample(mine, chance.randint(1, len(mine))) if mine else POINTS[1:2]
    replaced = ""
    if world.claims and chance.random() < 0.5:
        replaced = chance.choice([*list(world.claims)[-1:] * 3, *world.claims])
    try:
        draft = _drafted(world, author, [bytes.fromhex(one) for one in points], replaced)
    except LedgerError:
        return divide(world)
    act = signed_draft(world, draft)
    return act if chance.random() < 0.6 else _with_other_members(world, act)


def _drafted(world: World, author: str, points: list[bytes], replaces: str) -> Draft:
    """As the service would draft it, if it let everybody; now and then with a lot of others."""
    house, claim = world.house, bytes.fromhex(replaces)
    retired = [row.retirement for row in retirements(world)]
    with reading(house.engine) as conn:
        old = store.claims_with_id(conn, house.log.log_id, claim) if claim else []
        offers = Offers(conn, house.log, _DAY, replaced=old[0] if old else None)
        if old and world.chance.random() < 0.9:
            author, points = old[0].author, list(old[0].manifest.points)
        spends = offers.unspent(points)
        held = store.lots_of_claim(conn, house.log.log_id, claim) if old else []
        inherited = list(lots.lots_by_id(conn, house.log.log_id, held).values())
        if world.lots and world.chance.random() < 0.15:
            lot = bytes.fromhex(world.chance.choice(world.lots))
            if lot not in {row.lot for row in (*spends, *inherited)}:
                row = lots.lots_by_id(conn, house.log.log_id, [lot])[lot]
                spends += [row] if row.supply_class else []
        draft, _ = _draft(
            conn,
            house.log,
            author=author,
            points=points,
            period=_DAY,
            offers=offers.balanced([*inherited, *spends]),
            retires=world.chance.sample(retired, min(len(retired), world.chance.choice([0, 1, 2]))),
            spends=[row.lot for row in spends],
            replaces=claim,
            reason="because" if replaces else "",
        )
    return draft


def _with_other_members(world: World, act: Act) -> Act:
    chance = world.chance
    changed: dict[str, Any] = dict(act.said)
    member = chance.choice(
        ["author", "claim", "replaces", "replaces", "spends", "spends", "retires", "body"]
    )
    if member == "author":
        changed["author"] = chance.choice(["mill", "farm", "operator"])
    elif member == "claim":
        changed["claim"] = chance.choice([*world.claims, "ab" * 16])
    elif member == "replaces":
        changed["replaces"] = chance.choice([*world.claims, "ab" * 16, ""])
    elif member == "spends":
        changed["spends"] = chance.choice([other_lots(world, changed["spends"]), []])
    elif member == "retires":
        known = [row.retirement.hex() for row in retirements(world)]
        changed["retires"] = sorted({chance.choice([*known, drawn(world)]), *changed["retires"]})
    else:
        changed["body"] = changed["body"] | {"size": chance.choice([1, 2**20, 2**20 + 1])}
    return Act(said=changed, keys=(world.key(changed["author"]),), bodies=act.bodies)


def withdraw(world: World) -> Act:
    if not world.claims:
        return make_claim(world)
    claim = world.chance.choice([*world.claims, "ab" * 16])
    author = world.author(world.chance.choice(["operator", world.claims.get(claim, "mill")]))
    said = world.said("claim.withdraw", author, claim=claim, reason="counted elsewhere")
    return Act(said=said, keys=(world.key(author),))


def flag(world: World) -> Act:
    """One that is owed, where one is; else, mostly, a correction by which one may be."""
    chance, house = world.chance, world.house
    if not world.claims:
        return make_claim(world)
    members = {
        "claim": chance.choice([*world.claims, "ab" * 16]),
        "state": chance.choice(["short", "cured"]),
        "because": chance.choice([*world.corrections, *world.corrections, *world.leaf_hashes]),
    }
    with reading(house.engine) as conn:
        owed = shortfall.owed_flags(conn, house.log)
        if owed and chance.random() < 0.9:
            claim = chance.choice(sorted(owed))
            because = _because(conn, house.log, claim, owed[claim])
            members = {"claim": claim.hex(), "state": owed[claim], "because": because.hex()}
    if not owed and chance.random() < 0.6:
        return correct(world)
    author = world.author("operator")
    return Act(said=world.said("claim.flag", author, **members), keys=(world.key(author),))
