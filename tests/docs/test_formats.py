"""docs/formats.md agrees with the ledger and with the verifier: types, members, flags, bytes."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from greenledger_verify import bodies as verifier_bodies
from greenledger_verify import entry as verifier_entry
from greenledger_verify import leaves as verifier_leaves
from greenledger_verify.checkpoint import verify_checkpoint
from greenledger_verify.merkle import leaf_hash
from greenledger_verify.opening import FORMAT as OPENING_FORMAT
from greenledger_verify.rules import AT_AHEAD_OF_TICK_MAX_S, apply
from greenledger_verify.state import State
from greenledger_verify.trust import Trust, trust_of
from ledger import proving
from ledger.db import reading
from ledger.house import ENTRY_TYPES, House
from ledger.log import merkle
from ledger.log.bodies import SALT_BYTES, Blob
from ledger.log.checkpoint import open_checkpoint
from ledger.log.entry import COMMON, ENTRY_BYTES_MAX, NESTING_MAX, parse_entry
from ledger.log.export import submissions
from ledger.log.notes import SigningKey
from ledger.log.service import Submission
from ledger.log.types import FUTURE_S_MAX
from ledger.matching import allocations, evaluate
from ledger.matching.contracts import KINDS, Terms
from ledger.matching.missing import MISSING_RULE
from ledger.matching.model import Share, SupplyClass
from ledger.metering import batches
from ledger.metering.points import KINDS as POINT_KINDS
from ledger.metering.points import PARK_SYSTEMS, Meter, Point
from ledger.metering.quality import ALL_FLAGS, Quality
from ledger.units import Period
from tests.docs.pages import code_words, read, section, tables

PAGE = read("formats.md")
READING, ALLOCATION = tables(section(PAGE, "3. Inner trees"))[:2]
TYPES, REFERENCES = tables(section(PAGE, "4. Entry types"))[:2]
ORIGIN = "park.example/2026"
SECRET = bytes(range(32))
ID = "f0e0d0c0b0a090807060504030201000"


def first_words(table: list[list[str]]) -> list[str]:
    """The code words of a table's first column."""
    return [word for row in table[1:] for word in code_words(row[0])]


def public_members() -> dict[str, set[str]]:
    """Type → its own members, as the table says them; "the same" means those of the row before."""
    found: dict[str, set[str]] = {}
    before: set[str] = set()
    for row in TYPES[1:]:
        (name,) = code_words(row[0])
        own = set(code_words(row[1]))
        before = own | before if row[1].startswith("the same") else own
        found[name] = before
    return found


def test_the_table_of_types_is_the_ledgers_and_the_verifiers() -> None:
    page = public_members()
    ledger = {name: set(type_.members) for name, type_ in ENTRY_TYPES.by_name.items()}
    verifier = {name: set(members) for name, members in verifier_entry.MEMBERS.items()}
    assert page == ledger
    assert page == verifier


def test_the_common_members_are_named() -> None:
    text = section(PAGE, "1. Entry")
    listed = text[text.index("Common members") :].split("\n- ")[0]
    assert set(COMMON) <= set(code_words(listed))


def test_the_table_of_references_is_the_ledgers() -> None:
    page = {
        (type_, member): (kind, media)
        for row in REFERENCES[1:]
        for type_ in code_words(row[0])
        for member, kind, media in [tuple(code_words(" ".join(row[1:])))]
    }
    ledger = {
        (name, member): (kind.reference, kind.media)
        for name, type_ in ENTRY_TYPES.by_name.items()
        for member, kind in type_.bodies.items()
    }
    assert page == ledger


def test_second_signatures_stand_in_the_table() -> None:
    wanted = {"log.genesis": ["vkey", "log_vkey"], "key.register": ["vkey"]}
    for row in TYPES[1:]:
        (name,) = code_words(row[0])
        assert code_words(row[3]) == wanted.get(name, [])


def test_quality_flags() -> None:
    (table,) = tables(section(PAGE, "3.3"))
    page = {1 << int(row[0]): row[1] for row in table[1:]}
    assert page == {int(flag): str(flag.name).lower() for flag in Quality}
    assert sum(page) == ALL_FLAGS
    verifier = [text.render("en").split(":")[0] for text in verifier_leaves.QUALITY]
    assert list(page.values()) == verifier


def test_leaf_sizes_and_fields() -> None:
    for table, dtype, verifier_size in (
        (READING, batches._LEAF, verifier_leaves.READING_SIZE),
        (ALLOCATION, allocations._LEAF, verifier_leaves.ALLOCATION_SIZE),
    ):
        fields = [(int(row[0]), row[1]) for row in table[1:]]
        assert sum(size for size, _ in fields) == dtype.itemsize == verifier_size
        assert [name for _, name in fields] == list(dtype.names or ())
        assert [size for size, _ in fields] == [dtype[name].itemsize for name in dtype.names or ()]
    text = section(PAGE, "3. Inner trees")
    assert f"reading = {batches.LEAF_BYTES} bytes" in text
    assert f"allocation = {allocations.LEAF_BYTES} bytes" in text


def test_supply_classes() -> None:
    text = section(PAGE, "3.2")
    for kind, class_ in KINDS.items():
        assert re.search(rf"`{kind}`[^`]* {int(class_)}\b", text), kind
    listed = next(row[2] for row in ALLOCATION if row[1] == "class")
    numbers = [int(number) for number in re.findall(r"(\d) [a-z]", listed)]
    assert numbers == [int(class_) for class_ in SupplyClass]
    assert len(numbers) == len(verifier_leaves.SUPPLY_CLASSES)


def test_limits() -> None:
    statement = section(PAGE, "1. Entry")
    assert f"{ENTRY_BYTES_MAX:,} bytes" in statement
    assert verifier_entry.ENTRY_SIZE_MAX == ENTRY_BYTES_MAX
    assert re.search(rf"nesting at\s+most {NESTING_MAX}\b", statement)
    assert re.search(rf"at most\s+{FUTURE_S_MAX} s after the tick", PAGE)
    assert AT_AHEAD_OF_TICK_MAX_S == FUTURE_S_MAX
    assert f"{SALT_BYTES} fresh random bytes" in section(PAGE, "2. Body reference")
    assert f"1 to {batches.READINGS_MAX:,} readings" in section(PAGE, "3.1")


def test_point_contract_and_run_members() -> None:
    point = Point(name="roof", kind="generation", owner="sunny")
    text = section(PAGE, "4.2")
    (table,) = tables(text)
    assert set(first_words(table)) == set(point.to_json()) == set(verifier_bodies.POINT)
    meter = text[text.index("A meter:") :]
    fields = {field.name.rstrip("_") for field in dataclasses.fields(Meter)}
    assert fields <= set(code_words(meter))
    assert fields == set(verifier_bodies._METER)
    named = {row[0]: set(code_words(row[1])) for row in table}
    assert set(POINT_KINDS) == named["`kind`"]
    assert set(PARK_SYSTEMS) == named["`park_system`"]


def test_contract_and_run_members() -> None:
    (table,) = tables(section(PAGE, "4.4"))
    terms = Terms(
        name="roof-to-mill",
        kind="self-use",
        seller="sunny",
        sources=("00" * 16,),
        consumers=(Share(point="01" * 16),),
        period=Period(start_s=0, end_s=900),
    )
    assert set(first_words(table)) == set(terms.to_json()) == set(verifier_bodies.CONTRACT)
    share = next(row[1] for row in table if row[0] == "`consumers`")
    assert code_words(share)[:2] == list(terms.to_json()["consumers"][0])


def test_members_of_manifests(filled: House) -> None:
    manifests = {
        entry.type: blob
        for submission in submissions_of(filled)
        for entry in [parse_entry(submission.data)]
        for blob in [submission.bodies.get("manifest")]
        if isinstance(blob, Blob)
    }
    (table,) = tables(section(PAGE, "4.3"))
    assert set(first_words(table)) == set(manifests["readings"].json())
    named = set(code_words(section(PAGE, "4.5")))
    run = manifests["match.run"].json()
    assert {*run, *run["totals"], *run["totals"]["matched_wh"]} <= named


def submissions_of(house: House) -> list[Submission]:
    with reading(house.engine) as conn:
        return list(submissions(conn, house.log, ENTRY_TYPES))


def test_numbers_of_a_run() -> None:
    text = section(PAGE, "7. Policy")
    assert PAGE.count(f"`{evaluate.POLICY}`") >= 3
    assert f"`{MISSING_RULE.split(' ', 1)[0]}`" in text
    assert re.search(rf"widened by {evaluate._AROUND_S // 86_400} days", text)


def test_files() -> None:
    text = section(PAGE, "5. Proof files")
    assert f"`{proving.FORMAT}`" in text
    assert proving.FORMAT == OPENING_FORMAT


# §8: the examples, read by both


@pytest.fixture(scope="module")
def examples() -> list[str]:
    return re.findall(r"^```\n(.*?)^```", section(PAGE, "8. Examples"), re.MULTILINE | re.DOTALL)


def log_key() -> SigningKey:
    return SigningKey.from_seed(ORIGIN, bytes(range(32, 64)))


def trust() -> Trust:
    return trust_of([log_key().verify_key.vkey])


def test_the_example_of_an_entry(examples: list[str]) -> None:
    raw = examples[0].encode()
    mine = parse_entry(raw)
    ENTRY_TYPES.of_entry(mine).check_statement(mine)
    operator = SigningKey.from_seed(f"{ORIGIN}/operator", bytes(range(32)))
    for key, signature in zip((operator, log_key()), mine.signatures, strict=True):
        assert key.verify_key.verify(mine.text, signature.blob)
    theirs = verifier_entry.parse_entry(raw)
    (key_,) = trust().keys_of(ORIGIN)
    apply(State(origin=ORIGIN, log_key=key_, complete=True), theirs, 0)
    assert mine.leaf_hash.hex() in section(PAGE, "8. Examples")
    assert mine.leaf_hash == leaf_hash(raw)


def test_the_example_of_a_checkpoint(examples: list[str]) -> None:
    raw = examples[1].encode()
    mine = open_checkpoint(raw, log_key().verify_key)
    theirs = verify_checkpoint(raw, trust()).checkpoint
    assert (mine.origin, mine.size, mine.root) == (theirs.origin, theirs.size, theirs.root)
    assert mine.root == parse_entry(examples[0].encode()).leaf_hash


def test_the_example_of_a_batch(examples: list[str]) -> None:
    *leaves, root, body = examples[2].split()
    found = batches.Readings.open(bytes.fromhex(body), origin=ORIGIN, id_=ID)
    assert found.secret == SECRET
    assert found.key == root
    rows = batches.leaf_rows(found.blocks, batches.nonces(SECRET, ORIGIN, ID, 2))
    assert [bytes(row).hex() for row in rows] == leaves
    assert merkle.root([leaf_hash(bytes.fromhex(leaf)) for leaf in leaves]).hex() == root
    first, second = (verifier_leaves.parse_reading(bytes.fromhex(leaf)) for leaf in leaves)
    assert (first.value, second.value, second.start_s - first.start_s) == (40_000, 44_500, 900)
    assert (len(first.quality), len(second.quality)) == (0, 1)


def test_the_example_of_a_run(examples: list[str]) -> None:
    leaf, root, body = examples[3].split()
    found = allocations.Allocations.open(bytes.fromhex(body), origin=ORIGIN, id_=ID)
    assert (found.key, found.size) == (root, 1)
    assert np.array_equal(found.lanes[0].wh, [0, 30_000])
    assert found.reveal(0, origin=ORIGIN, id_=ID).leaf.hex() == leaf
    assert leaf_hash(bytes.fromhex(leaf)).hex() == root
    assert verifier_leaves.parse_allocation(bytes.fromhex(leaf)).energy_wh == 30_000
