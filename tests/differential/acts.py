"""What parties try, good and bad: each act gives an entry that its author signed, with bodies.

Nothing here asks whether an act is allowed: ledger and verifier are asked.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ledger.house import House
from ledger.log.bodies import Blob, reference
from ledger.log.notes import SigningKey
from ledger.log.service import Submission
from ledger.matching.allocations import Allocations
from ledger.matching.missing import MISSING_RULE
from ledger.metering.batches import Block, Readings
from ledger.units import format_instant
from tests.ledgers import (
    DAY_S,
    ORIGIN,
    QUARTER_S,
    Clock,
    held_key,
    operator_key,
    signed,
    statement,
)

PARTIES = ("operator", "farm", "mill", "grid", "ghost")
ROLES = ("enterprise", "gateway", "generator", "park-operator", "verifier")
KEYS = {party: [held_key(party, str(n)) for n in range(3)] for party in PARTIES}
POINTS = [f"{number:032x}" for number in range(1, 5)]
EMPTY_MANIFEST: Mapping[str, Any] = {
    "file": {},
    "profile": "",
    "reason": "",
    "repairs": [],
    "rejections": [],
    "repeats": 0,
}


@dataclass
class World:
    """One ledger, the chance that drives it, and what has been accepted so far."""

    house: House
    clock: Clock
    chance: random.Random
    ids: dict[tuple[str, str], str] = field(default_factory=dict)  # registrations in force
    stale: list[str] = field(default_factory=list)
    chains: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    leaves: dict[tuple[str, int], str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    keys: dict[str, list[SigningKey]] = field(default_factory=dict)  # registered, ended or not
    accepted: list[tuple[Submission, Mapping[str, Any], tuple[SigningKey, ...]]] = field(
        default_factory=list
    )
    size: int = 1

    def key(self, party: str) -> SigningKey:
        """Mostly one that may be in force."""
        if party == "operator" and self.chance.random() < 0.9:
            return operator_key(self.house)
        registered = self.keys.get(party, [])
        if registered and self.chance.random() < 0.85:
            return self.chance.choice([registered[-1], *registered])
        return self.chance.choice(KEYS[party])

    def replaces(self, kind: str, name: str) -> str:
        """Mostly the registration in force."""
        if self.chance.random() < 0.8:
            return self.ids.get((kind, name), "")
        return self.chance.choice(["", *self.stale, "ab" * 16])

    def author(self, likely: str) -> str:
        return likely if self.chance.random() < 0.8 else self.chance.choice(PARTIES)

    def said(self, kind: str, author: str, **members: Any) -> dict[str, Any]:
        """A statement, now and then with a time that is far off or an id that was used."""
        at_s = self.clock.now_s + self.chance.choice([0, 0, 0, 0, -86_400, 299, 300, 301])
        found = statement(kind, author, at_s, **members)
        found["id"] = self.chance.randbytes(16).hex()
        if self.stale and self.chance.random() < 0.05:
            found["id"] = self.chance.choice(self.stale)
        return found


@dataclass(frozen=True, kw_only=True)
class Act:
    """An entry to be tried."""

    said: Mapping[str, Any]
    keys: tuple[SigningKey, ...]
    bodies: Mapping[str, bytes] = field(default_factory=dict)
    leaves: Mapping[tuple[str, int], str] = field(default_factory=dict)
    owner: str = ""

    @property
    def submission(self) -> Submission:
        return Submission(data=signed(self.said, *self.keys), bodies=self.bodies)


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


def sealed(world: World, content: Mapping[str, Any], name: str) -> Blob:
    return Blob.seal_json(content, name, salt=world.chance.randbytes(32))


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
        "kind": world.chance.choice(["self-use", "direct-supply", "green-trade", "green-trade"]),
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


def send_readings(world: World) -> Act:
    author = world.author(world.chance.choice(["farm", "mill", "operator"]))
    source = world.chance.choice(["a", "b"])
    sequence, previous = world.chains.get((author, source), (0, ""))
    if world.chance.random() < 0.1:
        sequence, previous = world.chance.choice([(0, ""), (sequence + 1, previous), (1, "0" * 64)])
    known = [point for point, owner in world.owners.items() if author in (owner, "operator")]
    points = known[: world.chance.choice([1, 2])] or [world.chance.choice(POINTS)]
    blocks = [_block(world, point) for point in sorted(points)]
    correction = bool(world.leaves) and world.chance.random() < 0.4
    if correction:
        blocks = [_same_block(world, block) for block in blocks]
    said = world.said("readings.correction" if correction else "readings", author)
    body = Readings.seal(
        blocks, secret=world.chance.randbytes(32), origin=ORIGIN, id_=str(said["id"])
    )
    manifest = sealed(world, EMPTY_MANIFEST, "manifest")
    said |= {"source": source, "sequence": sequence, "previous": previous}
    said |= {"body": reference(body, "root"), "manifest": reference(manifest, "hash")}
    bodies = {"body": body.data, "manifest": manifest.data}
    starts = [
        (block.point.hex(), block.start_s + n * block.length_s)
        for block in blocks
        for n in range(block.count)
    ]
    if correction:
        content = b"".join(bytes.fromhex(world.leaves.get(one, "00" * 32)) for one in starts)
        if world.chance.random() < 0.1:
            content = bytes(len(content))
        corrects = Blob.seal(
            content, "application/vnd.greenledger.corrects", salt=world.chance.randbytes(32)
        )
        said["corrects"] = reference(corrects, "hash")
        bodies["corrects"] = corrects.data
    leaves = dict(zip(starts, (leaf.hex() for leaf in body.leaf_hashes), strict=True))
    return Act(said=said, keys=(world.key(author),), bodies=bodies, leaves=leaves)


def _block(world: World, point: str) -> Block:
    count = world.chance.choice([1, 4, 8])
    start_s = DAY_S + QUARTER_S * world.chance.randrange(0, 48, 4)
    if world.chance.random() < 0.05:
        start_s = world.chance.choice([DAY_S + 1, world.clock.now_s, 2**37, 0])
    value = [world.chance.choice([0, 7, 1_000]) for _ in range(count)]
    if world.chance.random() < 0.05:
        value[0] = world.chance.choice([-1, 2**62])
    return Block(
        point=bytes.fromhex(point),
        start_s=start_s,
        length_s=world.chance.choice([QUARTER_S] * 9 + [3600]),
        value=np.array(value, dtype=np.int64),
        quality=np.zeros(count, dtype=np.uint16),
    )


def _same_block(world: World, block: Block) -> Block:
    """One interval that stands already, where there is one."""
    held = [start for point, start in world.leaves if point == block.point.hex()]
    if not held:
        return block
    return Block(
        point=block.point,
        start_s=world.chance.choice(held),
        length_s=block.length_s,
        value=block.value[:1],
        quality=block.quality[:1],
    )


def run(world: World) -> Act:
    """A run that allocates nothing, which is right where no contract matches anything."""
    author = world.author("operator")
    said = world.said("match.run", author)
    as_of = world.chance.choice([0, 1, 1, world.size, world.size, world.size + 1, world.size + 5])
    body = Allocations.seal([], secret=world.chance.randbytes(32), origin=ORIGIN, id_=said["id"])
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
            "matched_wh": dict.fromkeys(("quarter_hour", "hour", "day", "month", "year"), 0),
        },
    }
    manifest = sealed(world, content, "run")
    said |= {"policy": "pro-rata/1", "as_of": as_of}
    said |= {"body": reference(body, "root"), "manifest": reference(manifest, "hash")}
    bodies = {"body": body.data, "manifest": manifest.data}
    return Act(said=said, keys=(world.key(author),), bodies=bodies)


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
    return Act(said=changed, keys=keys, bodies=bodies)


def forged_tick(world: World) -> Act:
    author = world.author("operator")
    return Act(said=world.said("tick", author), keys=(world.key(author),))


ACTS: tuple[Callable[[World], Act], ...] = (
    *[register_party] * 3,
    *[register_key] * 5,
    *[about_key] * 3,
    *[register_point] * 4,
    *[register_contract] * 2,
    *[send_readings] * 5,
    run,
    *[again] * 2,
    forged_tick,
)


def remember(world: World, act: Act, leaf_hash: str) -> None:
    """Take an accepted act into the world's memory."""
    said: Any = act.said
    kind = said["type"].partition(".")[0]
    if "replaces" in said and kind != "key":
        world.ids[kind, said[kind]] = said["id"]
    if kind == "readings":
        world.chains[said["author"], said["source"]] = (said["sequence"] + 1, leaf_hash)
        world.leaves.update(act.leaves)
    if said["type"] == "key.register":
        world.keys.setdefault(said["party"], []).append(act.keys[1])
    if act.owner:
        world.owners[said["point"]] = act.owner
    world.stale.append(said["id"])
    world.accepted.append((act.submission, said, act.keys))


def text_of(act: Act) -> str:
    """For messages of failing tests."""
    return json.dumps(act.said, ensure_ascii=False)
