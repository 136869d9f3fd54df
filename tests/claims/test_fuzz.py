"""Evidence that the ledger made, spoiled at random: refused in words, whatever was changed.

The verifier's own tests spoil files of an independent forge; here are those that claimants get.
Nothing that differs in a byte is accepted, but for what says the same: bodies in another order, or
a seed and a number of samples that hit the same, which stand for what the verifier asked.
"""

from __future__ import annotations

import base64
import copy
import io
import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from greenledger_verify.explain_evidence import judge_evidence
from greenledger_verify.failure import VerificationError
from greenledger_verify.report import Report
from greenledger_verify.trust import Trust, trust_of
from ledger.claims import service as claims
from ledger.claims.evidence import Sample
from ledger.matching.service import run_matching
from ledger.metering.service import Origin, take_in
from tests.claims.parks import DAY, ROOF, SEED, evidence_of, park_template, parse, write
from tests.ledgers import DAY_S, QUARTER_S, begun_template, copy_ledger, open_house, series

__all__ = ["begun_template", "park_template"]

CHUNKS = 2
BYTES_A_CHUNK, VALUES_A_CHUNK = 150, 120
Files = tuple[list[bytes], Trust]


@pytest.fixture(scope="session")
def files(park_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Of each level one; and a claim of two revisions that replaces another one."""
    house = open_house(copy_ledger(park_template, tmp_path_factory.mktemp("fuzz") / "data"))
    run_matching(house.desk, DAY)
    saw, till = (claims.make(house.desk, [name], DAY).claim for name in ("saw", "till"))
    sample = Sample(seed=SEED, count=5)
    made = [evidence_of(house, saw), evidence_of(house, till, "sampled", sample)]
    made.append(evidence_of(house, till, "total"))
    more = series("roof", [ROOF[5] + 300], start_s=DAY_S + 5 * QUARTER_S)
    take_in(house.desk, [more], Origin(source="roof", author="farm", reason="read again"))
    run_matching(house.desk, DAY)
    again = claims.replace(house.desk, saw, "there is more now").claim
    made.append(evidence_of(house, again))
    house.engine.dispose()
    return made, trust_of([house.log.log_key.vkey])


def test_unspoiled(files: Files) -> None:
    made, trust = files
    for raw in made:
        judge_evidence(io.BytesIO(raw), None, None, trust, Report())
        assert write(parse(raw)) == raw, "the tests write files as the ledger does"
    assert b"/2026-02/1" in made[3], "there is a second revision"


def verdict(raw: bytes, trust: Trust) -> str:
    """Why it is refused, in both languages; nothing where it is accepted. It never crashes."""
    try:
        judge_evidence(io.BytesIO(raw), None, None, trust, Report())
    except VerificationError as error:
        return f"{error.render('en')} / {error.render('zh')}"
    return ""


# Bytes


def spoiled(raw: bytes, chance: random.Random) -> bytes:
    at, size = chance.randrange(len(raw)), chance.randrange(1, 40)
    kind = chance.randrange(8)
    if kind <= 2:
        return raw[:at] + bytes([raw[at] ^ 1 << chance.randrange(8)]) + raw[at + 1 :]
    if kind == 3:
        return raw[:at] + bytes([chance.randrange(256)]) + raw[at:]
    if kind == 4:
        return raw[:at] + raw[at + size :]
    if kind == 5:
        return raw[: at + size] + raw[at:]
    if kind == 6:
        other = chance.randrange(len(raw))
        return raw[:at] + raw[other : other + size] + raw[at + size :]
    return raw[:at] if chance.random() < 0.5 else raw + raw[at : at + size]


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_any_byte(files: Files, chunk: int) -> None:
    made, trust = files
    for seed in range(BYTES_A_CHUNK * chunk, BYTES_A_CHUNK * (chunk + 1)):
        chance = random.Random(seed)
        good = made[seed % len(made)]
        bad = spoiled(good, chance)
        assert verdict(bad, trust) or says_the_same(good, bad), seed


def says_the_same(good: bytes, bad: bytes) -> bool:
    """Whether nothing but the seed, the number of samples and the order of bodies differs."""
    try:
        one, other = parse(good), parse(bad)
        for file in (one, other):
            file["seed"], file["samples"] = "", 0
            file["bodies"].sort(key=lambda body: body["hash"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return one == other


# Values


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict | list):
        for name in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[name], (*path, name))


def another(value: Any, chance: random.Random) -> Any:
    """Something near, which has the right form more often than not."""
    if isinstance(value, int):
        return value + chance.choice([1, -1, 2, 256, 2**32, 2**63])
    if isinstance(value, dict):
        found = dict(value)
        found.pop(chance.choice(sorted(found)))
        return found
    if isinstance(value, list):
        found_list = list(value)
        if not value:
            return [0]
        kind, at = chance.randrange(3), chance.randrange(len(value))
        if kind == 0:
            del found_list[at]
        elif kind == 1:
            found_list.insert(at, copy.deepcopy(chance.choice(value)))
        else:
            found_list.reverse()
        return found_list
    return another_text(value, chance)


def another_text(text: str, chance: random.Random) -> str:
    """Of packed bytes: a bit, an integer, a cut, two pieces changed over."""
    is_hex = len(text) in (32, 64, 76, 170) and not set(text) - set("0123456789abcdef")
    try:
        raw = bytes.fromhex(text) if is_hex else base64.b64decode(text, validate=True)
    except ValueError:
        at = chance.randrange(len(text))
        return text[:at] + chance.choice(["", "0", "\u00e9", "\\", text[at:]]) + text[at + 1 :]
    if not raw:
        return base64.b64encode(bytes(chance.choice([1, 2, 8, 16, 32, 40]))).decode()
    step = chance.choice([1, 2, 8, 16, 32, 40])
    at = chance.randrange(len(raw)) // step * step
    piece = raw[at : at + step]
    bad = chance.choice(
        [
            raw[:at] + bytes([raw[at] ^ 1 << chance.randrange(8)]) + raw[at + 1 :],
            raw[:at] + raw[at + step :],
            raw[:at] + piece + raw[at:],
            raw[:at] + bytes(len(piece)) + raw[at + step :],
            raw[at:] + raw[:at],
            raw[: at + step] + raw[at + step :][::-1],
        ]
    )
    return bad.hex() if is_hex else base64.b64encode(bad).decode()


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_any_value(files: Files, chunk: int) -> None:
    made, trust = files
    for seed in range(VALUES_A_CHUNK * chunk, VALUES_A_CHUNK * (chunk + 1)):
        chance = random.Random(seed)
        good = made[seed % len(made)]
        file = parse(good)
        path = chance.choice([one for one in places(file) if one[-1] not in ("seed", "samples")])
        holder: Any = file
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = another(holder[path[-1]], chance)
        if "parts" not in file:
            continue
        bad = write(file)
        assert verdict(bad, trust) or says_the_same(good, bad), (seed, path)


def test_parts_of_one_file_in_another(files: Files) -> None:
    """Parts in the place of others, of the same file or another one; and heads changed over."""
    made, trust = files
    parsed = [parse(raw) for raw in made]
    for seed in range(200):
        chance = random.Random(seed)
        one, other = chance.choice(parsed), chance.choice(parsed)
        parts = list(one["parts"])
        at, part = chance.randrange(len(parts)), chance.choice(other["parts"])
        if parts[at] != part:
            parts[at] = part
            assert verdict(write({**one, "parts": parts}), trust), seed
    for one, other in itertools.permutations(parsed, 2):
        assert verdict(write({**other, "parts": one["parts"]}), trust)
