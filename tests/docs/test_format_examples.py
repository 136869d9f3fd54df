"""docs/formats.md §8: the examples, read by the ledger and by the verifier."""

from __future__ import annotations

import hashlib
import re
import struct

import numpy as np
import pytest

from greenledger_verify import cells as verifier_cells
from greenledger_verify import claimtree as verifier_claimtree
from greenledger_verify import divisions as verifier_divisions
from greenledger_verify import entry as verifier_entry
from greenledger_verify import leaves as verifier_leaves
from greenledger_verify import unitleaves as verifier_unitleaves
from greenledger_verify.checkpoint import verify_checkpoint
from greenledger_verify.merkle import leaf_hash
from greenledger_verify.rules import apply
from greenledger_verify.sharedpath import verify_shared_path, walk_sums
from greenledger_verify.state import State
from greenledger_verify.sumtree import climb, lot_leaf
from greenledger_verify.trust import Trust, trust_of
from ledger.claims import body as claim_body
from ledger.house import ENTRY_TYPES
from ledger.log import merkle
from ledger.log.checkpoint import open_checkpoint
from ledger.log.entry import parse_entry
from ledger.log.notes import SigningKey
from ledger.lots import division
from ledger.matching import allocations
from ledger.metering import batches
from ledger.registry.body import UnitsBody
from ledger.registry.leaves import Act, Batch, owner_of
from ledger.registry.ranges import SerialRange
from tests.docs.pages import read, section

PAGE = read("formats.md")
ORIGIN = "park.example/2026"
SECRET = bytes(range(32))
ID = "f0e0d0c0b0a090807060504030201000"
# The two lots of the division: one that is held, and the remainder.
LOTS = (b"\3" * 16, b"\4" * 16)


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
    state = State(origin=ORIGIN, complete=True)
    apply(state, theirs, 0)
    assert state.log_keys.present() == list(trust().keys_of(ORIGIN))
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


def test_the_example_of_a_division(examples: list[str]) -> None:
    """By the ledger: the body has this root and these leaves."""
    lines = [bytes.fromhex(line) for line in examples[4].split()]
    leaves, root, body = lines[:3], lines[7], lines[8]
    place = division.Place(origin=ORIGIN, id=ID, creates=LOTS)
    found = division.Division.open(body, place=place)
    assert found.data == body
    assert (found.key, found.leaves) == (root.hex(), leaves)
    assert [found.secrets.lot_key(number) for number in range(2)] == lines[5:7]
    (origin,) = found.origins
    read = [leaf_hash(bytes.fromhex(line)) for line in examples[2].split()[:2]]
    assert [reading.tobytes() for reading in origin.readings] == read
    assert found.outer_roots == (leaves[0][17:49],)
    run = allocations.Allocations.open(bytes.fromhex(examples[3].split()[2]), origin=ORIGIN, id_=ID)
    assert np.array_equal(origin.lots[0].wh, run.lanes[0].wh)


def test_the_example_of_a_division_for_the_verifier(examples: list[str]) -> None:
    """From the readings' leaf hashes to the root, lot by lot."""
    lines = [bytes.fromhex(line) for line in examples[4].split()]
    leaves, outer, keys, root = lines[:3], lines[3:5], lines[5:7], lines[7]
    name = "000102030405060708090a0b0c0d0e0f/2026-01/0"
    origin = verifier_divisions._origin(leaves[0], name, [lot.hex() for lot in LOTS], [])
    assert (origin.count, origin.carried, origin.remainder) == (2, bytes(16), LOTS[1])
    held = [verifier_divisions._lot(leaves[1 + j], LOTS[j].hex(), 1) for j in range(2)]
    assert [(one.supply_class, one.holder) for one in held] == [(2, b"\2" * 16), (0, bytes(16))]
    verify_shared_path(range(3), [leaf_hash(leaf) for leaf in leaves], 3, [], root)
    verify_shared_path((0, 1), [leaf_hash(leaf) for leaf in outer], 2, [], origin.outer_root)
    amounts = {0: {1: 30_000}, 1: {0: 40_000, 1: 14_500}}
    hashes = {
        (lot, at): lot_leaf(nonces_of(keys[lot])[at], LOTS[lot], wh)
        for lot, by_place in amounts.items()
        for at, wh in by_place.items()
    }
    for at, leaf in enumerate(outer):
        start_s, reading, base, carried, fresh, sum_root = verifier_cells._OUTER.unpack(leaf)
        assert start_s == 0x6955B900 + 900 * at
        assert reading == leaf_hash(bytes.fromhex(examples[2].split()[at]))
        assert (base, carried, fresh) == (0, 0, (40_000, 44_500)[at])
        here = {lot: wh[at] for lot, wh in amounts.items() if at in wh}
        for lot, wh in here.items():
            beside = [(hashes[other, at], here[other]) for other in here if other != lot]
            path = path_beside(hashes[lot, at], beside)
            assert climb(hashes[lot, at], wh, path, 0) == (sum_root, fresh, len(path))


def nonces_of(key: bytes) -> list[bytes]:
    stream = hashlib.shake_256(verifier_cells._LOT_NONCES + key).digest(32)
    return [stream[:16], stream[16:]]


def path_beside(leaf: bytes, beside: list[tuple[bytes, int]]) -> bytes:
    """A path as §9 writes it, to one other leaf or to none: down to the first bit that differs."""
    if not beside:
        return bytes([0])
    ((other, wh),) = beside
    mine, theirs = (f"{int.from_bytes(each, 'big'):0256b}" for each in (leaf, other))
    depth = 1 + next(bit for bit in range(256) if mine[bit] != theirs[bit])
    assert depth <= 8
    sides = sum(1 << i for i in range(depth) if mine[depth - 1 - i] == "1")
    return bytes([depth, sides, 1]) + struct.pack(">32sQ", other, wh)


def test_the_example_of_a_claim(examples: list[str]) -> None:
    first, second, root, body = (bytes.fromhex(line) for line in examples[5].split())
    found = claim_body.ClaimBody.open(body, origin=ORIGIN, id_=ID)
    assert (found.key, found.size, found.total_wh) == (root.hex(), 2, 30_000)
    assert found.data == body
    hashes = [hashlib.sha256(leaf).digest() for leaf in (first, second)]
    assert [hash_ for hash_, _ in found.levels[0]] == hashes
    cells = [(b"\3" * 16, 30_000), (b"\5" * 16, 30_000)]
    written = b"".join(lot + wh.to_bytes(8, "big") for lot, wh in cells)
    leaves = [
        verifier_claimtree._leaf(0, first[1:17], 0, b""),
        verifier_claimtree._leaf(1, second[1:17], 60_000, written),
    ]
    assert [hash_ for hash_, _ in leaves] == hashes
    reached, total_wh, before = walk_sums((0, 1), leaves, 2, [])
    assert (total_wh, before) == (30_000, [0, 0])
    assert hashlib.sha256(b"C" + reached + total_wh.to_bytes(8, "big")).digest() == root


def units_example(text: str) -> tuple[UnitsBody, list[bytes]]:
    """The body of an example about units, and its leaves as they are printed."""
    *printed, root, data = text.splitlines()
    found = UnitsBody.open(bytes.fromhex(data), origin=ORIGIN, id_=ID)
    assert (found.data.hex(), found.key) == (data, root)
    leaves = [
        bytes.fromhex(nonce) + json.encode()
        for nonce, _, json in (line.partition(" ") for line in printed)
    ]
    assert list(found.leaves) == leaves
    hashes = [leaf_hash(leaf) for leaf in leaves]
    verify_shared_path(range(len(leaves)), hashes, len(leaves), [], bytes.fromhex(root))
    return found, leaves


def test_the_example_of_an_issue(examples: list[str]) -> None:
    found, leaves = units_example(examples[6])
    mine, theirs = Batch.from_json(found.json(0)), verifier_unitleaves.batch_leaf(leaves[0])
    assert (str(mine.id), mine.units) == ("gec/GD-2026/0", SerialRange(first=0, end=3))
    assert (theirs.name, theirs.first, theirs.end) == ("gec/GD-2026/0", 0, 3)
    assert [one.holding.hex() for one in mine.holdings] == ["06" * 16]
    assert [one.holding for one in theirs.holdings] == ["06" * 16]
    assert owner_of(found.json(1), "06" * 16) == "mill"
    assert verifier_unitleaves.owner_leaf(leaves[1]) == ("06" * 16, "mill")


def test_the_example_of_a_retirement(examples: list[str]) -> None:
    found, leaves = units_example(examples[7])
    mine = Act.from_json("retire", found.json(0))
    theirs = verifier_unitleaves.act_leaf(leaves[0], "retire")
    assert [one.to_json() for one in mine.gone] == [
        {"batch": "gec/GD-2026/0", "class": "ordinary", "first": 0, "end": 2}
    ]
    assert theirs.gone == (("gec/GD-2026/0", "ordinary", 0, 2),)
    assert [*theirs.begun] == ["07" * 16] == [one.holding.hex() for one in mine.begun]
    # What the example before it began is what this one ends.
    before = verifier_unitleaves.batch_leaf(units_example(examples[6])[1][0])
    assert [*theirs.ended.values()] == [*before.holdings]
    assert verifier_unitleaves.owner_leaf(leaves[1]) == ("07" * 16, "mill")
