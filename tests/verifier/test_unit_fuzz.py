"""Evidence of certificates and credits spoiled at random; and entries on units read quickly."""

import json
import random
from functools import cache
from typing import Any

import pytest

from greenledger_verify.entry import parse_entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.quick import read_quickly
from tests.verifier.forge import OPERATOR, note
from tests.verifier.forge_certified import certified, credited, simple
from tests.verifier.forge_evidence import Evidence
from tests.verifier.test_evidence_fuzz import (
    refused,
    spoiled_bytes,
    spoiled_value,
    verified,
    with_spoiled_value,
)
from tests.verifier.test_unit_evidence import again
from tests.verifier.unit_writer import H, Units


@cache
def files() -> list[Evidence]:
    return [simple().evidence(), again("full", certified()), credited().evidence()]


def test_unspoiled() -> None:
    for evidence in files():
        verified(evidence.raw())


@pytest.mark.parametrize("chunk", range(2))
def test_any_bytes(chunk: int) -> None:
    for seed in range(60 * chunk, 60 * (chunk + 1)):
        raw = files()[seed % 3].raw()
        broken = spoiled_bytes(raw, random.Random(seed))
        if broken != raw:
            refused(broken, seed)


@pytest.mark.parametrize("chunk", range(2))
def test_any_value(chunk: int) -> None:
    for seed in range(60 * chunk, 60 * (chunk + 1)):
        raw = with_spoiled_value(files()[seed % 3], seed)
        if raw:
            refused(raw, seed)


def test_parts_shuffled() -> None:
    for seed in range(60):
        good = files()[seed % 2]
        parts = list(good.parts)
        random.Random(seed).shuffle(parts)
        if parts != good.parts:
            refused(Evidence(good.head, parts).raw(), seed)


def test_parts_of_two_files() -> None:
    one, other = files()[0], files()[1]
    for number in range(len(one.parts)):
        for part in other.parts:
            parts = list(one.parts)
            if parts[number] != part:
                parts[number] = part
                refused(Evidence(one.head, parts).raw(), number)


@cache
def entries() -> list[bytes]:
    """One of each type that the scan reads, and some more."""
    w = Units()
    w.move("transfer", [H[0]], [H[10]])
    w.retire("e" * 32, [H[1]], [])
    w.disclose("e" * 32)
    w.certified("a" * 32, ["e" * 32])
    w.record("b" * 32)
    w.verify("b" * 32)
    words = (b'"scheme.', b'"project.', b'"unit.', b'"claim.', b'"reduction.')
    return [raw for raw in w.log.entries if any(word in raw for word in words)]


def test_each_type_is_read_quickly() -> None:
    found = {read_quickly(raw).type for raw in entries()}  # type: ignore[union-attr]
    assert found == {
        "scheme.register",
        "project.register",
        "unit.issue",
        "unit.move",
        "unit.disclose",
        "claim.make",
        "reduction.record",
        "reduction.verify",
    }


@pytest.mark.parametrize("seed", range(150))
def test_what_is_read_quickly_is_what_is_read(seed: int) -> None:
    """The scan's quick reader says the same as the strict one, or leaves it to that: whether bytes
    are spoiled, or values.
    """
    chance = random.Random(seed)
    raw = chance.choice(entries())
    statement: dict[str, Any] = json.loads(raw.partition(b"\n")[0])
    name = chance.choice(sorted(statement))
    statement[name] = spoiled_value(statement[name], chance)
    text = json.dumps(statement, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    for broken in (raw, spoiled_bytes(raw, chance), note(text, OPERATOR)):
        quick = read_quickly(broken)
        try:
            strict = parse_entry(broken)
        except VerificationError:
            continue
        if quick is not None:
            assert quick.type == strict.type
            assert all(quick.statement[m] == value for m, value in strict.statement.items())


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ('"retirement":"' + "e" * 32, '"retirement":"'),
        ('"act":"transfer","retirement":"', '"act":"transfer","retirement":"' + "e" * 32),
        ('"act":"transfer"', '"act":"sell"'),
        ('"act":"transfer"', '"act":"split"'),
        ('"act":"transfer"', '"act":"merge"'),
        ('"ends":["', '"ends":[1,"'),
        ('"begins":["', '"begins":["A'),
        ('"batches":["w/0"]', '"batches":["w/00"]'),
        ('"batches":["w/0"]', '"batches":[]'),
        ('"batches":["w/0"]', '"batches":["w/0","v/0"]'),
        ('"state":"active"', '"state":"activ"'),
        ('"retires":["', '"retires":"["'),
        ('"record":"', '"record":"b'),
        ('"scheme":"ccus","project":"P-1","body"', '"scheme":"ccus","project":"P 1","body"'),
        ('"replaces":"","scheme":"gec"', '"replaces":"","scheme":"GEC"'),
        ('"spends":[],"wraps":[]', f'"spends":["{"a" * 32}"],"wraps":["{"a" * 32}"]'),
    ],
)
def test_what_is_out_of_the_ordinary_is_not_read_quickly(good: str, bad: str) -> None:
    text = next(raw.decode() for raw in entries() if good in raw.decode())
    assert read_quickly(text.encode()) is not None
    assert read_quickly(text.replace(good, bad, 1).encode()) is None
