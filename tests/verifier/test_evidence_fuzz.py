"""Evidence files spoiled at random: never accepted, never another exception than a refusal."""

import base64
import copy
import io
import random
from functools import cache
from typing import Any

import pytest

from greenledger_verify.entry import parse_entry
from greenledger_verify.explain_evidence import judge_evidence
from greenledger_verify.failure import VerificationError
from greenledger_verify.quick import read_quickly
from greenledger_verify.report import Report
from greenledger_verify.trust import trust_of
from tests.verifier.forge import LOG
from tests.verifier.forge_attacks import claimed, revised
from tests.verifier.forge_evidence import Evidence
from tests.verifier.forge_park import SEED

TRUST = trust_of([LOG.vkey])


@cache
def files() -> list[Evidence]:
    """A seed or a number of samples may be changed so that it hits the same: those are left out."""
    return [
        claimed().evidence(),
        revised().evidence(),
        claimed().evidence("total"),
        claimed().evidence("sampled", seed=SEED, samples=40),
    ]


def refused(raw: bytes, seed: int) -> None:
    with pytest.raises(VerificationError) as caught:
        judge_evidence(io.BytesIO(raw), None, None, TRUST, Report())
    assert caught.value.render("en"), seed
    assert caught.value.render("zh"), seed


def verified(raw: bytes) -> None:
    judge_evidence(io.BytesIO(raw), None, None, TRUST, Report())


def test_unspoiled() -> None:
    for evidence in files():
        verified(evidence.raw())


def spoiled_bytes(raw: bytes, chance: random.Random) -> bytes:
    at, other = chance.randrange(len(raw)), chance.randrange(len(raw))
    kind = chance.randrange(6)
    if kind <= 1:
        return raw[:at] + bytes([raw[at] ^ 1 << chance.randrange(8)]) + raw[at + 1 :]
    if kind == 2:
        return raw[:at] + chance.choice((b"0", b'"', b"\n", b"]", b"\x00", b"A")) + raw[at:]
    if kind == 3:
        return raw[:at] + raw[at + chance.randrange(1, 50) :]
    if kind == 4:
        return raw[:at]
    first, last = sorted((at, other))
    return raw[:last] + raw[first:]


@pytest.mark.parametrize("chunk", range(3))
def test_any_bytes(chunk: int) -> None:
    for seed in range(150 * chunk, 150 * (chunk + 1)):
        chance = random.Random(seed)
        raw = files()[seed % 3].raw()
        broken = spoiled_bytes(raw, chance)
        if broken != raw:
            refused(broken, seed)


def spoiled_value(value: Any, chance: random.Random) -> Any:
    """Another value of the same kind, which is well-formed more often than not."""
    if isinstance(value, int):
        return max(0, value + chance.choice((-1, 1, 2, 1000)))
    if isinstance(value, list):
        longer = list(value)
        kind = chance.randrange(3)
        if kind == 0 and longer:
            del longer[chance.randrange(len(longer))]
        elif kind == 1 and longer:
            longer.append(longer[chance.randrange(len(longer))])
        else:
            chance.shuffle(longer)
        return longer
    return spoiled_text(str(value), chance)


def spoiled_text(text: str, chance: random.Random) -> str:
    try:
        raw = base64.b64decode(text, validate=True) if len(text) % 64 else bytes.fromhex(text)
    except ValueError:
        raw = b""
    if not raw:
        return text + chance.choice(("A", "AAAA", "00", "\n"))
    at = chance.randrange(len(raw))
    broken = {
        0: raw[:at] + bytes([raw[at] ^ 1 << chance.randrange(8)]) + raw[at + 1 :],
        1: raw[:-8],
        2: raw + raw[:16],
        3: raw[16:] + raw[:16],
        4: raw[: len(raw) // 2],
    }[chance.randrange(5)]
    return base64.b64encode(broken).decode() if len(text) % 64 else broken.hex()


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for name, member in value.items():
            found += places(member, (*path, name))
    if isinstance(value, list):
        for number, member in enumerate(value):
            found += places(member, (*path, number))
    return found


@pytest.mark.parametrize("chunk", range(3))
def test_any_value(chunk: int) -> None:
    for seed in range(100 * chunk, 100 * (chunk + 1)):
        raw = with_spoiled_value(files()[seed % 4], seed)
        if raw:
            refused(raw, seed)


def _sorted(evidence: Evidence) -> list[str]:
    return sorted(body["hash"] for body in evidence.head["bodies"])


def with_spoiled_value(good: Evidence, seed: int) -> bytes:
    """Nothing where the change came to nothing: bodies stand in any order."""
    chance = random.Random(seed)
    evidence = copy.deepcopy(good)
    root = {"head": evidence.head, "parts": evidence.parts}
    path = chance.choice([p for p in places(root) if p[-1] not in ("seed", "samples")])
    if isinstance(path[-1], str) and path[0] == "head" and len(path) == 1:
        return b""
    holder: Any = root
    for step in path[:-1]:
        holder = holder[step]
    if isinstance(holder[path[-1]], dict):
        del holder[path[-1]]
    else:
        holder[path[-1]] = spoiled_value(holder[path[-1]], chance)
    evidence.head, evidence.parts = root.get("head", {}), root["parts"]  # type: ignore[assignment]
    if path == ("head", "bodies") and _sorted(evidence) == _sorted(good):
        return b""
    raw = evidence.raw()
    return raw if raw != good.raw() else b""


def test_parts_shuffled() -> None:
    for seed in range(60):
        chance = random.Random(seed)
        good = files()[seed % 2]
        parts = list(good.parts)
        chance.shuffle(parts)
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


@pytest.mark.parametrize("seed", range(300))
def test_what_is_read_quickly_is_what_is_read(seed: int) -> None:
    """The scan's quick reader says the same as the strict one, or leaves it to that."""
    chance = random.Random(seed)
    entries = [
        entry["note"].encode()
        for entry in files()[1].head["entries"]
        if '"lot.' in entry["note"] or '"claim.' in entry["note"]
    ]
    raw = chance.choice(entries)
    for broken in (raw, spoiled_bytes(raw, chance)):
        quick = read_quickly(broken)
        try:
            strict = parse_entry(broken)
        except VerificationError:
            assert quick is not None or broken != raw
            continue
        if quick is None:
            continue
        assert quick.type == strict.type
        for member, value in strict.statement.items():
            assert quick.statement[member] == value


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ('"spends":["', '"spends":["00000000000000000000000000000000,'),
        ('"spends":[', '"spends":[1,'),
        ('"spends":[', '"spends":{},"x":['),
        ('"type":"claim.make"', '"type":"claim.make","type":"tick"'),
        ('"type":"claim.make"', '"type":"claim\\u002emake"'),
        ('"type":"claim.make"', '"type":["claim.make"]'),
        ('"claim":"', '"claim":"A'),
        ('{"type"', '[{"type"'),
    ],
)
def test_what_is_out_of_the_ordinary_is_not_read_quickly(good: str, bad: str) -> None:
    note = files()[1].head["entries"][-1]["note"]
    assert read_quickly(note.encode()) is not None
    assert good in note
    assert read_quickly(note.replace(good, bad, 1).encode()) is None
