"""Openings and evidence: what is spoiled is refused, or says exactly the same."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Sequence
from typing import Any

from greenledger_verify.explain_evidence import judge_evidence
from greenledger_verify.report import Report
from tests.fuzz import mutate
from tests.fuzz.engine import Target
from tests.fuzz.signed import TRUST, theirs, verifies, without_strangers
from tests.verifier import forge
from tests.verifier.forge_attacks import claimed, revised
from tests.verifier.forge_certified import credited, simple
from tests.verifier.forge_park import SEED


def opening_inputs() -> list[bytes]:
    park = forge.park()
    return [
        forge.written(one)
        for one in (park.reading_opening(3), park.allocation_opening(), park.reading_opening(0))
    ]


def opening_mutate(raw: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    way = chance.random()
    if way < 0.3:
        return mutate.text(raw, others, chance)
    root = json.loads(raw)
    for _ in range(chance.choice((1, 1, 2))):
        root = mutate.value(root, chance)
    return mutate.compact(root) + b"\n"


def opening_judge(data: bytes) -> bool:
    if not verifies(data):
        return False
    assert any(shows_no_more(data, good) for good in OPENING.inputs), "an opening that nobody made"
    return True


def shows_no_more(data: bytes, good: bytes) -> bool:
    """The same subject, leaf and checkpoint; of the entries that it rests on, and of the bodies,
    some may be left out, in any order: nobody can know of an endorsement that is not shown."""
    mine, whole = (json.loads(one) for one in (data, good))
    for one in (mine, whole):
        one["checkpoint"] = without_strangers(one["checkpoint"].encode()).decode()
    less = all(one in whole[name] for name in ("entries", "bodies") for one in mine[name])
    same = all(mine.get(name) == whole.get(name) for name in ("kind", "checkpoint", "leaf"))
    return less and same and mine["entries"][0] == whole["entries"][0]


def evidence_inputs() -> list[bytes]:
    """Of each level one; of two revisions; with certificates and with credits."""
    made = [
        claimed().evidence(),
        revised().evidence(),
        claimed().evidence("total"),
        claimed().evidence("sampled", seed=SEED, samples=40),
        simple().evidence(),
        credited().evidence(),
    ]
    return [one.raw() for one in made]


def evidence_mutate(raw: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """A line's values changed and written as the format wants it; lines changed over, or taken
    from another file; or bytes."""
    way = chance.random()
    if way < 0.2:
        return mutate.text(raw, others, chance)
    found = raw.split(b"\n")
    if way < 0.3:
        parts = found[1:-2]
        other = chance.choice(others).split(b"\n")[1:-2]
        parts[chance.randrange(len(parts))] = chance.choice((*parts, *other))
        return _with_commas(found[0], parts)
    at = chance.choice((0, chance.randrange(len(found) - 2)))
    if at == 0:
        root = json.loads(found[0].removesuffix(b',"parts":[') + b"}")
    else:
        root = json.loads(found[at].removesuffix(b","))
    root = mutate.value(root, chance)
    if not isinstance(root, dict):
        return mutate.text(raw, others, chance)
    if at == 0:
        found[0] = mutate.compact(root)[:-1] + b',"parts":['
    else:
        found[at] = mutate.compact(root) + (b"," if found[at].endswith(b",") else b"")
    return b"\n".join(found)


def _with_commas(head: bytes, parts: Sequence[bytes]) -> bytes:
    return head + b"\n" + b",\n".join(one.removesuffix(b",") for one in parts) + b"\n]}\n"


def evidence_judge(data: bytes) -> bool:
    def judged() -> bool:
        judge_evidence(io.BytesIO(data), None, None, TRUST, Report())
        return True

    if not theirs(judged):
        return False
    assert plain_evidence(data) in wanted_evidence(), "evidence that nobody made"
    return True


def plain_evidence(data: bytes) -> str:
    """Without what stands for the verifier's own question (a seed and a number of samples that hit
    the same positions), signatures by strangers, and the order of bodies."""
    head, _, parts = data.partition(b"\n")
    value: dict[str, Any] = json.loads(head.removesuffix(b',"parts":[') + b"}")
    if value["level"] == "sampled":
        value["seed"] = value["samples"] = ""
    value["checkpoint"] = without_strangers(value["checkpoint"].encode()).decode()
    value["bodies"].sort(key=lambda one: str(one["hash"]))
    return json.dumps(value, sort_keys=True) + parts.decode()


_WANTED: set[str] = set()


def wanted_evidence() -> set[str]:
    if not _WANTED:
        _WANTED.update(map(plain_evidence, EVIDENCE.inputs))
    return _WANTED


OPENING = Target(
    name="opening", corpus=opening_inputs, judge=opening_judge, mutate=opening_mutate, share=50
)
EVIDENCE = Target(
    name="evidence", corpus=evidence_inputs, judge=evidence_judge, mutate=evidence_mutate, share=60
)

TARGETS = (OPENING, EVIDENCE)
