"""The form of an entry: ledger and verifier give the same verdict, whatever is written.

What only the ledger took, anybody with a key could write to make the log unverifiable for ever;
what only the verifier took, an operator could write who forges the log.
"""

from __future__ import annotations

import json
import random
import re
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenledger_verify.entry import MEMBERS
from greenledger_verify.entry import parse_entry as verifier_parse
from greenledger_verify.failure import VerificationError
from ledger.errors import InvalidInput
from ledger.house import ENTRY_TYPES
from ledger.log.entry import parse_entry
from tests.differential.writing import ODD, changed, spoiled, write
from tests.ledgers import FARM, FARM_NEXT, GRID, ORIGIN, held_key, signed_text

OPERATOR = held_key("operator")
LOG = type(GRID).from_seed(ORIGIN, b"log key of the differential test")
MEDIA = "application/vnd.greenledger."

# Of what the statement says of its bodies the ledger judges this when it opens them.
NEEDS_BODIES: Final = re.compile(
    r"member (body|manifest|corrects): member (media|size): |corrects has "
    r"|previous is empty exactly|member as_of: 0 is not"
    r"|body has [0-9]+ leaves|it spends no lot"
    r"|it both spends and wraps|a retirement is named exactly|both begins and ends in it"
    r"|can't end [0-9]+ holdings and begin|the serials are [0-9]+ units|is not a range <code>"
    r"|the units [0-9-]+ and [0-9-]+ of the batch|member purpose: |the time from .* is empty"
)


def blob(name: str, size: int = 40) -> dict[str, Any]:
    return {"hash": "ab" * 32, "size": size, "media": MEDIA + name}


def tree(name: str) -> dict[str, Any]:
    return {"root": "cd" * 32, "size": 7, "media": MEDIA + name}


BATCH: Final = {
    "source": "scada.1",
    "sequence": 1,
    "previous": "ef" * 32,
    "body": tree("readings"),
    "manifest": blob("manifest+json"),
}
OWN: Final[dict[str, dict[str, Any]]] = {
    "log.genesis": {
        "name": "Example Park 示例园区",
        "zone": "+08:00",
        "log_vkey": LOG.verify_key.vkey,
        "vkey": OPERATOR.verify_key.vkey,
    },
    "tick": {},
    "party.register": {
        "party": "farm",
        "name": "Farm 阳光",
        "roles": ["enterprise", "generator"],
        "replaces": "",
    },
    "key.register": {
        "party": "farm",
        "vkey": FARM_NEXT.verify_key.vkey,
        "custody": "owner",
        "device": "meter",
        "replaces": FARM.verify_key.key_id.hex(),
    },
    "key.endorse": {"party": "farm", "vkey": FARM.verify_key.vkey, "claim": "Seen on site"},
    "key.revoke": {"party": "farm", "vkey": FARM.verify_key.vkey, "reason": "Lost"},
    "point.register": {"point": "11" * 16, "replaces": "22" * 16, "body": blob("point+json")},
    "readings": BATCH,
    "readings.correction": {**BATCH, "corrects": blob("corrects", 32 + 7 * 32)},
    "contract.register": {"contract": "33" * 16, "replaces": "", "body": blob("contract+json")},
    "match.run": {
        "policy": "pro-rata/1",
        "as_of": 3,
        "body": tree("allocations"),
        "manifest": blob("run+json"),
    },
    "lot.divide": {
        "run": "12" * 32,
        "origins": [f"{'11' * 16}/2026-02/0", f"{'22' * 16}/2026-02/10"],
        "spends": ["44" * 16],
        "creates": ["55" * 16, "66" * 16, "77" * 16],
        "body": {**tree("division"), "size": 5},
    },
    "lot.wrap": {"form": "gec", "wraps": ["55" * 16, "66" * 16], "body": blob("form+json")},
    "claim.make": {
        "claim": "88" * 16,
        "replaces": "99" * 16,
        "spends": ["55" * 16, "66" * 16],
        "retires": ["cc" * 16, "dd" * 16],
        "body": {**tree("claim"), "size": 2976},
        "manifest": blob("claim+json"),
    },
    "claim.withdraw": {"claim": "88" * 16, "reason": "Counted elsewhere 别处"},
    "claim.flag": {"claim": "88" * 16, "state": "short", "because": "ab" * 32},
    "scheme.register": {"scheme": "gec", "replaces": "", "body": blob("scheme+json")},
    "project.register": {
        "scheme": "gec",
        "project": "Plant_1.a",
        "replaces": "99" * 16,
        "body": blob("project+json"),
    },
    "unit.issue": {
        "scheme": "gec",
        "state": "frozen",
        "batches": ["W-2602/0", "W-2603/10"],
        "spends": ["44" * 16],
        "wraps": ["55" * 16],
        "begins": ["aa" * 16, "bb" * 16],
        "body": {**tree("units"), "size": 5},
    },
    "unit.move": {
        "act": "retire",
        "retirement": "cc" * 16,
        "ends": ["aa" * 16, "bb" * 16],
        "begins": ["ee" * 16],
        "body": {**tree("units"), "size": 2},
    },
    "unit.disclose": {
        "retirement": "cc" * 16,
        "scheme": "gec",
        "units": 7,
        "beneficiary": "mill",
        "purpose": "voluntary",
        "from": "2026-01-01T00:00:00Z",
        "to": "2026-02-01T00:00:00Z",
        "serials": ["W-2602/0:1-4", "W-2602/0:6-10"],
    },
    "reduction.record": {
        "record": "11" * 16,
        "scheme": "ccus",
        "project": "P-1",
        "body": blob("reduction+json"),
    },
    "reduction.verify": {"record": "11" * 16, "body": blob("verification+json")},
    "reduction.reverse": {"scheme": "ccus", "project": "P-1", "body": blob("reversal+json")},
    "statement.import": {"kind": "green-trade", "body": blob("statement+json")},
}


def statement(kind: str) -> dict[str, Any]:
    common = {"type": kind, "id": "00" * 16, "log": ORIGIN, "author": "farm"}
    return {**common, "at": "2026-03-01T00:00:00Z", **OWN[kind]}


def test_every_type_has_a_good_statement() -> None:
    assert set(OWN) == set(MEMBERS) == set(ENTRY_TYPES.by_name)
    for kind in OWN:
        data = signed_text(write(statement(kind), random.Random(0)).encode() + b"\n", FARM)
        assert ledger_says(data) == verifier_says(data) == ""


def ledger_says(data: bytes) -> str:
    """Why the ledger refuses; nothing where it does not. Any other error is a crash."""
    try:
        entry = parse_entry(data)
        ENTRY_TYPES.of_entry(entry).check_statement(entry)
    except InvalidInput as error:
        return str(error) or "?"
    return ""


def verifier_says(data: bytes) -> str:
    try:
        verifier_parse(data)
    except VerificationError as error:
        return str(error) or "?"
    return ""


def agree(data: bytes) -> None:
    ledger, verifier = ledger_says(data), verifier_says(data)
    if not ledger and verifier:
        assert NEEDS_BODIES.search(verifier), f"only the verifier refuses {data!r}: {verifier}"
    assert verifier or not ledger, f"only the ledger refuses {data!r}: {ledger}"
    if not ledger and not verifier:
        entry, other = parse_entry(data), verifier_parse(data)
        assert entry.statement == other.statement
        assert (entry.at_s, entry.leaf_hash) == (other.at_s, other.leaf_hash)
        assert [(s.name, s.key_id, s.blob) for s in entry.signatures] == [
            (s.name, s.key_id, s.signature) for s in other.note.signatures
        ]


@settings(max_examples=600)
@given(kind=st.sampled_from(sorted(OWN)), seed=st.integers(0, 2**32), changes=st.integers(0, 2))
def test_statements(kind: str, seed: int, changes: int) -> None:
    chance = random.Random(seed)
    value: Any = statement(kind)
    for _ in range(changes):
        value = changed(value, chance)
    text = write(value, chance).encode(errors="surrogatepass") + b"\n"
    agree(signed_text(text, FARM))


@settings(max_examples=300)
@given(kind=st.sampled_from(sorted(OWN)), seed=st.integers(0, 2**32), keys=st.integers(0, 3))
def test_notes_of_statements(kind: str, seed: int, keys: int) -> None:
    chance = random.Random(seed)
    text = write(statement(kind), chance).encode() + b"\n"
    agree(spoiled(signed_text(text, *[FARM, GRID, LOG][:keys]), chance))


ORIGINS: Final = (
    *["0000-01/0", "0001-01/0", "1969-12/0", "1970-01/0", "1971-01/0", "9998-12/0", "9999-01/0"],
    *["2026-00/0", "2026-13/0", "2026-1/0", "2026-01/-1", "2026-01/00", "2026-01/01", "2026-01/"],
    *[f"2026-01/{'9' * digits}" for digits in range(1, 30)],
    *["2026-01", "2026-01/0/0", "2026-01/0\n", "2026-01/\u0661", "20260-1/0", "\uff12026-01/0"],
)


@pytest.mark.parametrize("end", ORIGINS)
def test_origins(end: str) -> None:
    for point in ("11" * 16, "AA" * 16, "11" * 15, ""):
        content = statement("lot.divide") | {"origins": [f"{point}/{end}"]}
        text = json.dumps(content | {"body": {**tree("division"), "size": 4}}).encode() + b"\n"
        agree(signed_text(text, FARM))


LISTS: Final = (
    ("lot.divide", "origins"),
    ("lot.divide", "spends"),
    ("lot.divide", "creates"),
    ("lot.wrap", "wraps"),
    ("claim.make", "spends"),
    ("claim.make", "retires"),
    ("unit.issue", "batches"),
    ("unit.issue", "begins"),
    ("unit.issue", "spends"),
    ("unit.issue", "wraps"),
    ("unit.move", "ends"),
    ("unit.move", "begins"),
    ("unit.disclose", "serials"),
)


@pytest.mark.parametrize(("kind", "member"), LISTS)
def test_lists(kind: str, member: str) -> None:
    """Sorted, none twice; what they may hold beside texts is nothing."""
    good = statement(kind)
    one, other = (good[member] + statement("lot.divide")["creates"])[:2]
    wholes: list[Any] = ["", one, {}, 0, [], [[]], [0], [{}], [""], [one, 0], [one, [one]]]
    wholes += [["0" * 32], ["0" * 31 + "1"], ["0" * 32, one], [one.upper()]]
    for value in (*wholes, [one], [other], [one, other], [other, one], [one, one], [one, ""]):
        agree(signed_text(json.dumps(good | {member: value}).encode() + b"\n", FARM))


TEXTS: Final = (
    ("party.register", "name"),
    ("key.revoke", "reason"),
    ("readings", "source"),
    ("party.register", "party"),
    ("party.register", "id"),
    ("party.register", "at"),
    ("log.genesis", "zone"),
    ("log.genesis", "log_vkey"),
    ("claim.withdraw", "reason"),
    ("claim.flag", "state"),
    ("lot.wrap", "form"),
    ("project.register", "scheme"),
    ("project.register", "project"),
    ("unit.move", "act"),
    ("unit.disclose", "purpose"),
)


@pytest.mark.parametrize(("kind", "member"), TEXTS)
def test_each_character_in_each_kind_of_text(kind: str, member: str) -> None:
    """One by one, because Hypothesis would need luck to find the one that two regexes see apart."""
    good = statement(kind)
    signature = signed_text(b"\n", FARM)[1:]
    for code in (*range(0x180), *map(ord, ODD)):
        for value in (chr(code), good[member] + chr(code), chr(code) + good[member][1:]):
            text = json.dumps(good | {member: value}, ensure_ascii=code < 0x20).encode()
            agree(text + b"\n" + signature)


@pytest.mark.parametrize("depth", [6, 7, 8, 9, 60, 3_000, 20_000])
def test_depth(depth: int) -> None:
    text = write(statement("tick"), random.Random(1))
    for begin, end in (("[", "]"), ('{"a":', "}")):
        deep = begin * (depth - 1) + "1" * (begin != "[") + end * (depth - 1)
        agree(signed_text(f'{text[:-1]},"x":{deep}}}\n'.encode(), FARM))


def test_many_members_twice_are_refused_at_once() -> None:
    """In an entry's 64 KiB; in a body there is room for millions."""
    members = ",".join(f'"{n}":1' for n in range(7_000))
    agree(signed_text(f'{{{members},"6999":1}}\n'.encode(), FARM))
