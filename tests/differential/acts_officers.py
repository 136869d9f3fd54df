"""Officers, rules of approval, and who signs beside the author where four eyes are the rule."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator

from ledger.log.notes import SigningKey
from tests.differential.world import PARTIES, Act, World, drawn
from tests.ledgers import ORIGIN, operator_key, statement

FINAL = ("retire", "export", "withdraw", "cancel")


def officer_key(party: str, officer: str) -> SigningKey:
    name = f"{ORIGIN}/{party}.{officer}"
    return SigningKey.from_seed(name, hashlib.sha256(officer.encode()).digest())


def register_officer(world: World) -> Act:
    party = world.chance.choice(["mill", "mill", "operator", "farm", "ghost"])
    officer = drawn(world)
    known = [one for of_party in world.officers.values() for one in of_party]
    if known and world.slips(0.15):
        officer = world.chance.choice(known)
    key = officer_key(party if not world.slips(0.1) else "mill", officer)
    if world.slips(0.1):
        # A key that signs for somebody else already.
        other = world.chance.choice([world.key("mill"), officer_key("mill", drawn(world))])
        key = SigningKey(name=key.name, private_key=other.private_key)
    said = world.said(
        "officer.register",
        party,
        officer=officer,
        vkey=key.verify_key.vkey,
        custody=world.chance.choice(["owner", "operator"]),
    )
    possession = officer_key(party, drawn(world)) if world.slips(0.1) else key
    return Act(said=said, keys=(world.key(party), possession))


def found_officers(world: World) -> Iterator[Act]:
    """Often, four eyes from the beginning: acts that are all good."""
    for party in ("mill", "operator") if world.chance.random() < 0.4 else ():
        key = operator_key(world.house) if party == "operator" else world.keys[party][0]
        for _ in range(3):
            new = officer_key(party, drawn(world))
            members = {
                "officer": new.name[-32:],
                "vkey": new.verify_key.vkey,
                "custody": "owner",
            }
            said = statement("officer.register", party, world.clock.now_s, **members)
            yield Act(said=said, keys=(key, new))
        rule = {"rule": "four-eyes", "reason": "because"}
        yield Act(said=statement("party.approval", party, world.clock.now_s, **rule), keys=(key,))


def end_officer(world: World) -> Act:
    party = world.chance.choice(["mill", "operator", *PARTIES])
    known = world.officers.get(party, [])
    officer = world.chance.choice([*known[:1], *known[-1:]]) if known else drawn(world)
    author = world.author(world.chance.choice([party, party, "operator"]))
    said = world.said("officer.end", author, officer=officer, reason="left")
    return Act(said=said, keys=(world.key(author),))


def set_approval(world: World) -> Act:
    party = world.chance.choice(["mill", "mill", "operator", "farm", "ghost"])
    on = party in world.four_eyes
    rule = "none" if on != world.slips(0.15) else "four-eyes"
    said = world.said("party.approval", party, rule=rule, reason="because")
    return Act(said=said, keys=(world.key(party),))


def with_officers(world: World, act: Act) -> Act:
    """The act with the signatures of two officers, mostly where they are needed."""
    said = act.said
    irreversible = (
        said["type"] in ("claim.make", "claim.withdraw", "unit.disclose", "period.restate")
        or (said["type"] == "period.state" and said["state"] == "closed")
        or (said["type"] == "scheme.register" and said["replaces"] != "")
        or (said["type"] == "unit.move" and said["act"] in FINAL)
        or (said["type"] == "party.approval" and said["rule"] == "none")
    )
    needed = irreversible and said["author"] in world.four_eyes
    if len(act.keys) > 1 or needed == world.slips(0.05):
        return act
    party = said["author"] if not world.slips(0.1) else world.chance.choice(PARTIES)
    known = world.officers.get(party, [])
    # Some of them have ended.
    pool = known[-3:] if len(known) > 1 else [*known, drawn(world), drawn(world)]
    pair = world.chance.sample(pool, 2)
    if world.slips(0.1):
        pair = world.chance.choice([pair[:1], [pair[0], pair[0]], [*pair, pair[0]]])
    signing = tuple(officer_key(party, officer) for officer in pair)
    return dataclasses.replace(act, keys=(*act.keys, *signing))
