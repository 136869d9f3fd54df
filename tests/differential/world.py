"""What the acts of parties know: a ledger, the chance that drives them, what was accepted."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger.house import ENTRY_TYPES, House
from ledger.log.bodies import Blob, Body, reference
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt, Submission
from ledger.matching.dividing import Plan
from ledger.parties.desk import Draft
from tests.ledgers import Clock, held_key, operator_key, signed, statement

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
    calm: bool = False  # few slips that any entry can suffer from
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
    runs: dict[str, int] = field(default_factory=dict)  # leaf hashes of those that allot something
    lots: list[str] = field(default_factory=list)
    claims: dict[str, str] = field(default_factory=dict)  # their authors, in force or not
    officers: dict[str, list[str]] = field(default_factory=dict)  # of a party, ended or not
    log_keys: list[SigningKey] = field(default_factory=list)  # brought by entries, ended or not
    ended_log_keys: set[str] = field(default_factory=set)
    four_eyes: set[str] = field(default_factory=set)
    periods: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    # The last entry of a record's name, by register and name, and whose it is.
    records: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    corrections: list[str] = field(default_factory=list)
    leaf_hashes: list[str] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)  # of the last division that was planned

    def slips(self, rate: float) -> bool:
        return self.chance.random() < (rate / 8 if self.calm else rate)

    def key(self, party: str) -> SigningKey:
        """Mostly one that may be in force."""
        if party == "operator" and not self.slips(0.1):
            return operator_key(self.house)
        registered = self.keys.get(party, [])
        if registered and not self.slips(0.15):
            return self.chance.choice([registered[-1], *registered])
        return self.chance.choice(KEYS[party])

    def replaces(self, kind: str, name: str) -> str:
        """Mostly the registration in force."""
        if self.chance.random() < 0.8:
            return self.ids.get((kind, name), "")
        return self.chance.choice(["", *self.stale, "ab" * 16])

    def author(self, likely: str) -> str:
        return self.chance.choice(PARTIES) if self.slips(0.2) else likely

    def said(self, kind: str, author: str, /, **members: Any) -> dict[str, Any]:
        """A statement, now and then with a time that is far off or an id that was used."""
        at_s = self.clock.now_s + self.chance.choice([0, 0, 0, -86_400, 299, 300])
        if self.slips(0.12):
            at_s += 301
        found = statement(kind, author, at_s, **members)
        found["id"] = self.chance.randbytes(16).hex()
        if self.stale and self.slips(0.05):
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
    attachments: Sequence[bytes] = ()

    @property
    def submission(self) -> Submission:
        return Submission(
            data=signed(self.said, *self.keys), bodies=self.bodies, attachments=self.attachments
        )


def sealed(world: World, content: Mapping[str, Any], name: str) -> Blob:
    return Blob.seal_json(content, name, salt=world.chance.randbytes(32))


def references(kind: str, bodies: Mapping[str, Body]) -> dict[str, Any]:
    """The members of a statement that commit to its bodies."""
    kinds = ENTRY_TYPES.by_name[kind].bodies
    return {name: reference(body, kinds[name].reference) for name, body in bodies.items()}


def signed_draft(world: World, draft: Draft) -> Act:
    """What a service drafted, signed by its author."""
    said = world.said(draft.type, draft.author, **draft.members)
    said["id"] = draft.id  # which the secrets of bodies are bound to
    said |= references(draft.type, draft.bodies)
    return Act(
        said=said,
        keys=(world.key(draft.author),),
        bodies={name: body.data for name, body in draft.bodies.items()},
        attachments=draft.attachments,
    )


def drawn(world: World) -> str:
    """A random id, of 32 hex digits."""
    return world.chance.randbytes(16).hex()


def remember(world: World, act: Act, receipt: Receipt) -> None:
    """Take an accepted act into the world's memory."""
    said: Any = act.said
    kind = said["type"].partition(".")[0]
    leaf_hash = receipt.entry.leaf_hash.hex()
    if said["type"].endswith(".register") and kind not in ("key", "log-key"):
        world.ids[kind, said[kind]] = said["id"]
    if "sequence" in said:
        world.chains[said["author"], said["source"]] = (said["sequence"] + 1, leaf_hash)
        world.leaves.update(act.leaves)
    if said["type"] == "key.register":
        world.keys.setdefault(said["party"], []).append(act.keys[1])
    if act.owner:
        world.owners[said["point"]] = act.owner
    if said["type"] == "readings.correction":
        world.corrections.append(leaf_hash)
    if said["type"] == "match.run" and said["body"]["size"]:
        world.runs[leaf_hash] = receipt.index
    if said["type"] == "lot.divide":
        world.lots += said["creates"]
    if said["type"] == "officer.register":
        world.officers.setdefault(said["author"], []).append(said["officer"])
    if said["type"] == "party.approval":
        on = said["rule"] == "four-eyes"
        (world.four_eyes.add if on else world.four_eyes.discard)(said["author"])
    if kind == "period":
        after = said.get("state", "provisional"), said["revision"]
        world.periods[said["party"], said["period"]] = after
    if said["type"] == "claim.make":
        world.claims[said["claim"]] = said["author"]
    _remember_log_key(world, act)
    _remember_record(world, said)
    world.leaf_hashes.append(leaf_hash)
    world.stale.append(said["id"])
    world.accepted.append((act.submission, said, act.keys))


def _remember_log_key(world: World, act: Act) -> None:
    if act.said["type"] == "log-key.register":
        world.log_keys.append(act.keys[2])
    if act.said["type"] == "log-key.end":
        world.ended_log_keys.add(act.said["log_vkey"])


def _remember_record(world: World, said: Mapping[str, Any]) -> None:
    if said["type"] in ("record.put", "record.end"):
        world.records[said["register"], said["name"]] = said["id"], said["author"]


def text_of(act: Act) -> str:
    """For messages of failing tests."""
    return json.dumps(act.said, ensure_ascii=False)
