"""docs/formats.md agrees with the ledger and with the verifier: types, members, flags, bytes."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import re

from greenledger_verify import bodies as verifier_bodies
from greenledger_verify import cells as verifier_cells
from greenledger_verify import claimtree as verifier_claimtree
from greenledger_verify import divisions as verifier_divisions
from greenledger_verify import entry as verifier_entry
from greenledger_verify import evidence_file as verifier_evidence
from greenledger_verify import leaves as verifier_leaves
from greenledger_verify import officerrules
from greenledger_verify.opening import FORMAT as OPENING_FORMAT
from greenledger_verify.rules import AT_AHEAD_OF_TICK_MAX_S
from greenledger_verify.sumtree import DEPTH_MAX
from ledger import proving
from ledger.claims import body as claim_body
from ledger.claims import evidence, manifest, store
from ledger.db import reading
from ledger.house import ENTRY_TYPES, House
from ledger.log.bodies import SALT_BYTES, Blob
from ledger.log.entry import COMMON, ENTRY_BYTES_MAX, NESTING_MAX, parse_entry
from ledger.log.export import submissions
from ledger.log.service import Submission
from ledger.log.types import FUTURE_S_MAX, _never
from ledger.lots import division, sumtree
from ledger.lots.entries import FORMS
from ledger.lots.service import Form
from ledger.matching import allocations, evaluate
from ledger.matching.contracts import KINDS, Terms
from ledger.matching.missing import MISSING_RULE
from ledger.matching.model import Share, SupplyClass
from ledger.metering import batches
from ledger.metering.points import KINDS as POINT_KINDS
from ledger.metering.points import PARK_SYSTEMS, Meter, Point
from ledger.metering.quality import ALL_FLAGS, Quality
from ledger.registry import lifecycle
from ledger.units import Period
from tests.docs.pages import code_words, read, section, tables

PAGE = read("formats.md")
READING, ALLOCATION = tables(section(PAGE, "3. Inner trees"))[:2]
LOT_LEAVES, OUTER = tables(section(PAGE, "3.4"))[:2]
TYPES, REFERENCES = tables(section(PAGE, "4. Entry types"))[:2]


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
    wanted |= {"officer.register": ["vkey"], "log-key.register": ["log_vkey"]}
    for row in TYPES[1:]:
        (name,) = code_words(row[0])
        assert code_words(row[3]) == wanted.get(name, [])


def test_irreversible_types_are_marked() -> None:
    """With the mark in the table: those of which the ledger asks for two officers."""
    marked = {code_words(row[0])[0] for row in TYPES[1:] if "²" in row[3]}
    assert marked == {
        name for name, type_ in ENTRY_TYPES.by_name.items() if type_.irreversible is not _never
    }
    note = next(line for line in section(PAGE, "4. Entry types").splitlines() if line[:1] == "²")
    assert marked <= set(code_words(note))
    acts = set(code_words(note)) & set(lifecycle.MOVES)
    assert acts == lifecycle.DECIDED_FINAL == set(officerrules._FINAL_ACTS)


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


# Lots and claims


def packed_bytes(text: str) -> int:
    """Sizes as a row writes them: `"O"` ‖ nonce (16) ‖ count u32 …"""
    sizes = {'"': 1, "u8": 1, "u32": 4, "u64": 8}
    total = 0
    for part in text.split("‖"):
        number = re.search(r"\((\d+)\)", part)
        total += int(number[1]) if number else next(sizes[key] for key in sizes if key in part)
    return total


def test_leaves_of_lots() -> None:
    rows = {row[0].split(",")[0]: row for row in LOT_LEAVES[1:]}
    for name, mine, theirs in (
        ("origin", division._ORIGIN_LEAF, verifier_divisions._ORIGIN_SIZE),
        ("lot", division._LOT_LEAF, verifier_divisions._LOT_SIZE),
    ):
        assert f"{mine.size} bytes" in rows[name][0]
        assert packed_bytes(rows[name][1]) == mine.size == theirs
    fields = [(int(row[0]), row[1]) for row in OUTER[1:]]
    assert [name for _, name in fields] == list(division._OUTER.names or ())
    sizes = [division._OUTER[name].itemsize for name in division._OUTER.names or ()]
    assert [size for size, _ in fields] == sizes
    assert sum(sizes) == verifier_cells._OUTER.size
    assert f"leaf `H(00‖{sum(sizes)} bytes)`" in section(PAGE, "3.4")


def test_labels_and_limits_of_lots() -> None:
    lots, claims = section(PAGE, "3.4"), section(PAGE, "3.5")
    assert division.MEDIA in PAGE
    assert claim_body.MEDIA in PAGE
    label = verifier_cells._LOT_NONCES.decode().strip()
    assert f'`"{label}\\n"' in lots
    label = verifier_claimtree._NONCES.decode().strip()
    assert f'`"{label}\\n"' in claims
    assert "(at most 2^20," in claims
    assert claim_body.COUNT_MAX == 2**20
    assert f"levels d (0 to {sumtree.DEPTH_MAX})" in PAGE
    assert sumtree.DEPTH_MAX == DEPTH_MAX
    listed = next(row for row in PAGE.splitlines() if row.startswith("- `lot.wrap`"))
    assert code_words(listed)[2:6] == list(FORMS)


def test_members_of_claims_and_forms() -> None:
    (table,) = tables(section(PAGE, "4.7"))
    named = set(first_words(table))
    assert named == set(manifest._MEMBERS) == set(verifier_bodies.CLAIM)
    by_class = next(row for row in table if row[0] == "`by_class`")
    assert code_words(by_class[1])[:2] == ["class", "wh"]
    fields = {field.name for field in dataclasses.fields(Form)}
    assert fields == set(verifier_bodies.FORM) == set(code_words(section(PAGE, "4.8"))) - {'""'}


def evidence_tables() -> dict[str, list[list[str]]]:
    """§9: the head, and the parts by their kind."""
    head, *parts = tables(section(PAGE, "9. Evidence files").partition("### 9.1")[0])
    found = {code_words(table[0][0])[-1]: table for table in parts if table[0][0] != "line"}
    return {"head": head, **found}


def test_members_of_evidence_are_the_verifiers() -> None:
    verifier = {
        "head": verifier_evidence._HEAD,
        "claim": verifier_evidence._CLAIM,
        "units": verifier_evidence._UNITS,
        "division": verifier_evidence._DIVISION,
        "cells": verifier_evidence._CELLS,
    }
    page = evidence_tables()
    assert set(page) == set(verifier) == {"head", *verifier_evidence._PARTS}
    for name, members in verifier.items():
        assert first_words(page[name]) == list(members), name
    for member, members in (
        ("batches", verifier_evidence._BATCH),
        ("lots", verifier_evidence._LOT),
    ):
        row = next(row for row in page["cells"] if row[0] == f"`{member}`")
        (listed,) = re.findall(r"\{(.*?)\}", row[1])
        assert code_words(listed) == list(members)


def test_members_of_evidence_are_the_ledgers(filled: House) -> None:
    """Of claims of lots and of certificates: each kind of part is there."""
    with reading(filled.engine) as conn:
        claims = [row for row in store.find_claims(conn, 1) if row.in_force]
    filled.checkpoint()
    sample = evidence.Sample(seed=bytes(32), count=3)
    page, kinds = evidence_tables(), set()
    for claim, level in itertools.product(claims, evidence.LEVELS):
        if level == "sampled" and not claim.wh:
            continue  # of nothing there are no samples
        wanted = sample if level == "sampled" else None
        file = b"".join(evidence.lines(filled.desk, claim.claim, level, wanted))
        value = json.loads(file)
        parts = value.pop("parts")
        assert list(value) == first_words(page["head"])
        for part in parts:
            kinds.add(part["part"])
            assert list(part) == first_words(page[part["part"]])
        # And the verifier's reader takes it as it stands.
        found = list(verifier_evidence.EvidenceFile(io.BytesIO(file)).parts())
        assert len(found) == len(parts)
    assert kinds == {*verifier_evidence._PARTS}


def test_numbers_of_evidence() -> None:
    text = section(PAGE, "9. Evidence files")
    assert f"`{evidence.FORMAT}`" in text
    assert evidence.FORMAT == verifier_evidence.FORMAT
    level = next(row for row in evidence_tables()["head"] if row[0] == "`level`")
    assert tuple(code_words(level[1])) == evidence.LEVELS == verifier_evidence.LEVELS
    assert f"1 to {evidence.SAMPLES_MAX:,}" in text
    assert evidence.SAMPLES_MAX == verifier_evidence.SAMPLES_MAX
    assert f"{verifier_evidence.READING_TAIL_SIZE} bytes each, the leaf of §3.1" in text
    assert verifier_evidence.READING_TAIL_SIZE == batches.LEAF_BYTES - batches.POINT_BYTES
    label = verifier_claimtree._SAMPLE.decode().strip()
    assert f'`"{label}\\n"' in text
