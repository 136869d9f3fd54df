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
LOG_BEFORE = type(GRID).from_seed("park.example/before", b"log key of the log before that .")
MEDIA = "application/vnd.greenledger."

# Of what the statement says of its bodies the ledger judges this when it opens them.
NEEDS_BODIES: Final = re.compile(
    r"member (body|manifest|corrects): member (media|size): |corrects has "
    r"|previous is empty exactly|member as_of: 0 is not"
    r"|body has [0-9]+ leaves|it spends no lot"
    r"|both begins and ends in it|it both spends and wraps|is named exactly by|can't end [0-9]"
    r"|the serials are [0-9]+ units|the units .* overlap|the time from .* is empty"
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
    "log.succeed": {
        "origin": "park.example/before",
        "log_vkey": LOG_BEFORE.verify_key.vkey,
        "size": 12,
        "root": "ab" * 32,
        "since": "2026-04",
    },
    "log-key.register": {"log_vkey": LOG.verify_key.vkey},
    "log-key.end": {"log_vkey": LOG.verify_key.vkey, "reason": "its time was over"},
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
    "officer.register": {
        "officer": "0f" * 16,
        "vkey": held_key(f"farm.{'0f' * 16}").verify_key.vkey,
        "custody": "operator",
    },
    "officer.end": {"officer": "0f" * 16, "reason": "Left 离职"},
    "period.state": {
        "party": "farm",
        "period": "2026-02",
        "revision": 3,
        "state": "provisional",
        "reason": "Not yet 未完",
        "body": blob("period+json"),
    },
    "period.restate": {
        "party": "farm",
        "period": "2026",
        "revision": 1,
        "reason": "Late data",
    },
    "party.approval": {"rule": "four-eyes", "reason": "Two people"},
    "point.register": {"point": "11" * 16, "replaces": "22" * 16, "body": blob("point+json")},
    "readings": BATCH,
    "readings.correction": {**BATCH, "corrects": blob("corrects", 32 + 7 * 32)},
    "readings.erase": {
        "batches": ["ab" * 32, "cd" * 32],
        "reason": "Kept long enough 期满",
        "body": blob("erased+json"),
    },
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
        "retires": ["a1" * 16, "a2" * 16],
        "body": {**tree("claim"), "size": 2976},
        "manifest": blob("claim+json"),
    },
    "claim.withdraw": {"claim": "88" * 16, "reason": "Counted elsewhere 别处"},
    "claim.flag": {"claim": "88" * 16, "state": "short", "because": "ab" * 32},
    "scheme.register": {"scheme": "gec", "replaces": "", "body": blob("scheme+json")},
    "project.register": {
        "scheme": "gec",
        "project": "GD-PV_1.b",
        "replaces": "bb" * 16,
        "body": blob("project+json"),
    },
    "unit.issue": {
        "scheme": "gec",
        "state": "active",
        "batches": ["GD-2026.01/0", "GD-2026.01/10", "GD_2026/2"],
        "spends": ["55" * 16],
        "wraps": ["66" * 16],
        "begins": ["c1" * 16, "c2" * 16],
        "body": {**tree("units"), "size": 6},
    },
    "unit.move": {
        "act": "retire",
        "retirement": "a1" * 16,
        "ends": ["c1" * 16, "c2" * 16],
        "begins": ["c3" * 16],
        "body": {**tree("units"), "size": 2},
    },
    "unit.disclose": {
        "retirement": "a1" * 16,
        "scheme": "gec",
        "units": 3,
        "beneficiary": "mill",
        "purpose": "green-power",
        "from": "2026-01-31T16:00:00Z",
        "to": "2026-02-28T16:00:00Z",
        "serials": ["GD-2026.01/0:0-2", "GD-2026.01/10:7-8"],
    },
    "reduction.record": {
        "record": "d1" * 16,
        "scheme": "ccus",
        "project": "well-1",
        "body": blob("reduction+json"),
    },
    "reduction.verify": {"record": "d1" * 16, "body": blob("verification+json")},
    "reduction.reverse": {"scheme": "ccus", "project": "well-1", "body": blob("reversal+json")},
    "record.put": {
        "register": "activity",
        "name": "e1" * 16,
        "replaces": "e2" * 16,
        "body": blob("record+json"),
    },
    "record.end": {
        "register": "factors",
        "name": "cn-grid-2023",
        "replaces": "e3" * 16,
        "reason": "Superseded 已被取代",
    },
    "report.publish": {
        "kind": "inventory",
        "report": "f1" * 16,
        "replaces": "",
        "as_of": 17,
        "body": blob("report+json"),
    },
    "statement.import": {"kind": "gec", "body": blob("statement+json")},
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
    ("readings.erase", "batches"),
    ("unit.issue", "batches"),
    ("unit.issue", "spends"),
    ("unit.issue", "wraps"),
    ("unit.issue", "begins"),
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


BATCHES: Final = (
    *["", "/", "a/", "/0", "a/0", "a/00", "a/01", "a/-1", "a/+1", "a/1 ", " a/1", "a/1\n", "a\n/1"],
    *["a/b/0", "a//0", "a/\u0661", "\uff41/0", "a:0", "A._-9/0", "a b/0", "a/0:1-2", "a", "0"],
    *[f"{'a' * length}/0" for length in (63, 64, 65, 200)],
    *[f"a/{'9' * digits}" for digits in range(1, 30)],
)
SERIALS: Final = (
    *["a/0:0-1", "a/0:1-1", "a/0:2-1", "a/0:-1", "a/0:1-", "a/0:1", "a/0", "a/0:01-2", "a/0:1-02"],
    *["a:0-1", "a/00:0-1", "gec/a/0:0-1", "a/0: 0-1", "a/0:0-1 ", "a/0:0-1\n", "a/0:\u0661-2"],
    *[f"a/0:0-{limit}" for limit in (2**53 - 2, 2**53 - 1, 2**53, 10**16 - 1, 10**16, 10**40)],
    *[f"a/0:{limit}-9007199254740991" for limit in (2**53 - 2, 2**53 - 1, 2**53)],
)


@pytest.mark.parametrize("batch", BATCHES)
def test_batches(batch: str) -> None:
    content = statement("unit.issue") | {"batches": [batch]}
    text = json.dumps(content | {"body": {**tree("units"), "size": 4}}).encode() + b"\n"
    agree(signed_text(text, FARM))


@pytest.mark.parametrize("serial", SERIALS)
def test_serials(serial: str) -> None:
    """With the number of units that a reader of plain `-` would find."""
    first, _, end = serial.rpartition(":")[2].partition("-")
    units = int(end) - int(first) if first.isdigit() and end.isdigit() else 1
    content = statement("unit.disclose") | {"serials": [serial], "units": units}
    agree(signed_text(json.dumps(content).encode() + b"\n", FARM))


TEXTS: Final = (
    ("party.register", "name"),
    ("key.revoke", "reason"),
    ("readings", "source"),
    ("party.register", "party"),
    ("party.register", "id"),
    ("party.register", "at"),
    ("log.genesis", "zone"),
    ("log.genesis", "log_vkey"),
    ("log-key.register", "log_vkey"),
    ("claim.withdraw", "reason"),
    ("claim.flag", "state"),
    ("lot.wrap", "form"),
    ("scheme.register", "scheme"),
    ("project.register", "project"),
    ("unit.issue", "state"),
    ("unit.move", "act"),
    ("unit.move", "retirement"),
    ("unit.disclose", "purpose"),
    ("unit.disclose", "from"),
    ("statement.import", "kind"),
    ("record.put", "register"),
    ("record.end", "name"),
    ("report.publish", "kind"),
)


@pytest.mark.parametrize(
    ("kind", "most"), [("record.put", 4_194_304), ("report.publish", 16_777_216)]
)
def test_how_large_bodies_may_be(kind: str, most: int) -> None:
    good = statement(kind)
    for size in (31, 32, most, most + 1):
        body = {**good["body"], "size": size}
        agree(signed_text(json.dumps(good | {"body": body}).encode() + b"\n", FARM))


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
