"""The keys of the log: brought and ended by whoever likes to, signed by some of them."""

from __future__ import annotations

import hashlib

from ledger.log.notes import SigningKey
from tests.differential.world import KEYS, Act, World
from tests.ledgers import ORIGIN, in_memory

# Number 0 is the one that the genesis names.
LOG_KEYS = [
    SigningKey.from_seed(ORIGIN, hashlib.sha256(f"log key {number}".encode()).digest())
    for number in range(1, 7)
]


def _first(world: World) -> SigningKey:
    return in_memory(world.house.desk.keystore.get(world.house.log.log_key))


def _all(world: World) -> list[SigningKey]:
    return [_first(world), *LOG_KEYS]


def _oldest(world: World, but: SigningKey | None = None) -> SigningKey:
    """Mostly who has to sign."""
    if world.slips(0.1):
        return world.chance.choice([*_all(world), KEYS["mill"][0]])
    ended = world.ended_log_keys
    in_force = [
        key
        for key in (_first(world), *world.log_keys)
        if key.verify_key.vkey not in ended and (but is None or key.verify_key != but.verify_key)
    ]
    return in_force[0] if in_force else _first(world)


def register_log_key(world: World) -> Act:
    new = world.chance.choice(LOG_KEYS)
    fresh = [key for key in LOG_KEYS if key not in world.log_keys]
    if fresh and not world.slips(0.15):
        new = world.chance.choice(fresh)
    if world.slips(0.1):
        # A public key that signs, or may come to sign, for a party.
        new = SigningKey(name=ORIGIN, private_key=world.chance.choice(KEYS["mill"]).private_key)
    if world.slips(0.05):
        new = SigningKey(name=f"{ORIGIN}/log", private_key=new.private_key)
    author = world.author("operator")
    said = world.said("log-key.register", author, log_vkey=new.verify_key.vkey)
    possession = world.chance.choice(LOG_KEYS) if world.slips(0.1) else new
    return Act(said=said, keys=(world.key(author), _oldest(world), possession))


def end_log_key(world: World) -> Act:
    known = [_first(world), *world.log_keys]
    key = world.chance.choice(known if not world.slips(0.1) else LOG_KEYS)
    author = world.author("operator")
    said = world.said(
        "log-key.end", author, log_vkey=key.verify_key.vkey, reason="its time was over"
    )
    return Act(said=said, keys=(world.key(author), _oldest(world, key)))
