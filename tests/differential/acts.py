"""What parties try, good and bad: each act gives an entry that its author signed, with bodies.

Nothing here asks whether an act is allowed: ledger and verifier are asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ledger.log.bodies import reference
from ledger.log.notes import SigningKey
from ledger.units import format_instant
from tests.differential.acts_claims import flag, make_claim, withdraw
from tests.differential.acts_log_keys import end_log_key, register_log_key
from tests.differential.acts_lots import divide, empty_run, run, wrap
from tests.differential.acts_metering import correct, erase, send_readings
from tests.differential.acts_officers import end_officer, register_officer, set_approval
from tests.differential.acts_periods import restate_period, step_period
from tests.differential.acts_records import end_record, publish_report, put_record
from tests.differential.acts_units import (
    disclose,
    issue,
    move,
    record,
    register_project,
    register_scheme,
    reverse,
    statement,
    verify,
)
from tests.differential.world import KEYS, PARTIES, POINTS, ROLES, Act, World, sealed
from tests.ledgers import DAY_S


def register_party(world: World) -> Act:
    party, author = world.chance.choice(PARTIES), world.author("operator")
    roles = sorted(world.chance.sample(ROLES, world.chance.choice([1, 1, 2])))
    if world.chance.random() < 0.7:
        roles = [role for role in roles if role != "park-operator"] or ["verifier"]
        roles = ["park-operator", *roles] if party == "operator" else roles
    members = {"party": party, "name": f"{party} 园区", "roles": sorted(roles)}
    replaces = world.replaces("party", party)
    said = world.said("party.register", author, **members, replaces=replaces)
    return Act(said=said, keys=(world.key(author),))


def register_key(world: World) -> Act:
    party = world.chance.choice(PARTIES)
    author = world.author(world.chance.choice(["operator", "operator", party]))
    new = world.chance.choice(KEYS[party])
    if world.chance.random() < 0.1:
        # The same public key under another name.
        new = SigningKey(name=new.name, private_key=world.chance.choice(KEYS["grid"]).private_key)
    replaced = world.chance.choice(["", "", world.key(party).verify_key.key_id.hex(), "00" * 4])
    said = world.said(
        "key.register",
        author,
        party=party,
        vkey=new.verify_key.vkey,
        # The server must hold a key of the operator, or it could write no tick any more.
        custody="owner" if party == "operator" else world.chance.choice(["owner", "operator"]),
        device=world.chance.choice(["none", "meter", "gateway"]),
        replaces=replaced,
    )
    possession = new if world.chance.random() < 0.9 else world.chance.choice(KEYS["mill"])
    return Act(said=said, keys=(world.key(author), possession))


def about_key(world: World) -> Act:
    """Endorse or revoke."""
    party = world.chance.choice(PARTIES)
    endorses = world.chance.random() < 0.6
    kind, word = ("key.endorse", "claim") if endorses else ("key.revoke", "reason")
    author = world.author("grid" if endorses else party)
    vkey = world.key(party).verify_key.vkey
    said = world.said(kind, author, party=party, vkey=vkey, **{word: "because"})
    return Act(said=said, keys=(world.key(author),))


def register_point(world: World) -> Act:
    number = world.chance.choice([0, 0, *range(len(POINTS))])
    owner = world.chance.choice(["farm", "farm", "mill", "mill", "mill", "ghost"])
    if number == 0 and world.chance.random() < 0.8:
        owner = "farm"
    content: dict[str, Any] = {
        "name": f"point-{number if world.chance.random() < 0.9 else 0}",
        "kind": "generation" if number == 0 else "consumption",
        "technology": "",
        "park_system": "energy",
        "owner": owner,
        "parent": world.chance.choice(["", "", "", *POINTS]),
        "region": world.chance.choice(["", "44"]),
        "capacity": 0,
        "capacity_unit": "",
        "unit": "Wh",
        "measure": "additive",
        "interval_s": world.chance.choice([900, 900, 900, 3600, 600]),
        "meters": [],
    }
    author = world.author(owner)
    body = sealed(world, content, "point")
    replaces = world.replaces("point", POINTS[number])
    members = {"point": POINTS[number], "replaces": replaces, "body": reference(body, "hash")}
    said = world.said("point.register", author, **members)
    return Act(said=said, keys=(world.key(author),), bodies={"body": body.data}, owner=owner)


def register_contract(world: World) -> Act:
    contract = world.chance.choice(["c1" * 16, "c2" * 16])
    seller = world.owners.get(POINTS[0], "farm") if world.chance.random() < 0.9 else "mill"
    share = world.chance.choice([0, 0, 0, 500_000, 2_000_000])
    consumers = sorted(set(world.owners) - {POINTS[0]})[:2] or POINTS[1:3]
    content = {
        "name": world.chance.choice(["one", "two"]),
        "kind": world.chance.choice(
            ["self-use", "storage", "direct-supply", "green-trade", "green-trade"]
        ),
        "seller": seller,
        "sources": [POINTS[0]],
        "consumers": [{"point": point, "share_ppm": share} for point in consumers],
        "from": format_instant(DAY_S),
        "to": format_instant(DAY_S + 86_400),
        "region": world.chance.choice(["", "44"]),
        "limit_wh": world.chance.choice([0, 100]),
    }
    author = world.author(seller)
    body = sealed(world, content, "contract")
    replaces = world.replaces("contract", contract)
    members = {"contract": contract, "replaces": replaces, "body": reference(body, "hash")}
    said = world.said("contract.register", author, **members)
    return Act(said=said, keys=(world.key(author),), bodies={"body": body.data})


def again(world: World) -> Act:
    """An accepted statement, changed in one member, or signed by others."""
    if not world.accepted:
        return register_party(world)
    old, said, keys = world.chance.choice(world.accepted)
    changed = dict(said)
    way = world.chance.randrange(5)
    if way == 0:
        changed["author"] = world.chance.choice(PARTIES)
    elif way == 1:
        changed["id"] = world.chance.randbytes(16).hex()
    elif way == 2:
        changed["at"] = format_instant(world.clock.now_s - 1)
    elif way == 3:
        keys = world.chance.choice([(*keys, keys[0]), keys[::-1], keys[:1], (world.key("mill"),)])
    else:
        changed["log"] = "park.example/other"
    bodies = {name: body for name, body in old.bodies.items() if isinstance(body, bytes)}
    return Act(said=changed, keys=keys, bodies=bodies, attachments=old.attachments)


def forged_tick(world: World) -> Act:
    author = world.author("operator")
    return Act(said=world.said("tick", author), keys=(world.key(author),))


ACTS: tuple[Callable[[World], Act], ...] = (
    *[register_party] * 3,
    *[register_key] * 5,
    *[about_key] * 3,
    *[register_point] * 4,
    *[register_contract] * 2,
    *[register_log_key] * 3,
    *[end_log_key] * 2,
    *[register_officer] * 5,
    *[end_officer] * 2,
    *[set_approval] * 3,
    *[step_period] * 8,
    *[restate_period] * 2,
    *[put_record] * 4,
    *[end_record] * 2,
    *[publish_report] * 3,
    *[send_readings] * 5,
    erase,
    empty_run,
    *[again] * 2,
    forged_tick,
)
# Where a park was founded, that something can be matched in.
PARK_ACTS: tuple[Callable[[World], Act], ...] = (
    *ACTS,
    *[correct] * 2,
    *[run] * 6,
    *[divide] * 14,
    *[wrap] * 5,
    *[make_claim] * 12,
    *[withdraw] * 4,
    *[flag] * 18,
)
# Where there are schemes, projects and units too.
REGISTRY_ACTS: tuple[Callable[[World], Act], ...] = (
    *[register_scheme] * 2,
    *[register_project] * 4,
    *[issue] * 5,
    *[move] * 20,
    *[disclose] * 4,
    *[record] * 4,
    *[verify] * 4,
    *[reverse] * 4,
    *[statement] * 3,
    *[run] * 3,
    *[divide] * 5,
    *[make_claim] * 6,
    *[withdraw] * 2,
    *[register_officer] * 4,
    *[end_officer] * 1,
    *[set_approval] * 2,
    *[step_period] * 4,
    restate_period,
    erase,
    flag,
    again,
)
