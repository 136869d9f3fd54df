"""Opening files and tlog-proofs: good ones pass and say what they mean, broken ones are refused."""

import base64
import copy
import random
from collections.abc import Callable
from typing import Any

import pytest

from greenledger_verify.explain import explain_opening
from greenledger_verify.failure import UnusableInput, VerificationError
from greenledger_verify.opening import parse_opening, verify_opening
from greenledger_verify.proof import Subject, verify_proof_file
from greenledger_verify.report import Report
from greenledger_verify.trust import trust_of
from tests.verifier import forge
from tests.verifier.forge import (
    FARM,
    FARM_NEXT,
    GRID,
    LOG,
    METER,
    OPERATOR,
    READINGS,
    Log,
    written,
)

TRUST = trust_of([LOG.vkey])
PARK = forge.park()
Value = dict[str, Any]


def verify(value: Value | bytes, *, trust: Any = TRUST, subject: Subject | None = None) -> Report:
    raw = value if isinstance(value, bytes) else written(value)
    report = Report()
    verify_proof_file(raw, subject or Subject(), trust, report)
    return report


def words(texts: list[Any]) -> str:
    return "\n".join(map(str, texts))


def refused(value: Value | bytes, rule: str, step: str = "") -> None:
    with pytest.raises(VerificationError, match=rule) as caught:
        verify(value)
    assert not isinstance(caught.value, UnusableInput)
    assert step in str(caught.value.step)


# Good files


def test_reading() -> None:
    report = verify(PARK.reading_opening(3))
    assert len(report.steps) == 7
    said = words(report.established)
    assert "The log park.example/log had" in said
    assert "technology pv, park system energy, owned by farm" in said
    assert "2026-01-01T00:45:00Z to 2026-01-01T01:00:00Z" in said
    assert "UTC+08:00: 2026-01-01 08:45:00 to 2026-01-01 09:00:00" in said
    assert "Value: 1,003 Wh." in said
    assert "Quality: profiled" in said
    assert "Quality: late" in said
    assert "meter-signed" in said
    assert "grid vouches for the signing key" in said
    open_points = words(report.not_established)
    assert "replaced or revoked before" in open_points
    assert "meter told the truth" in open_points
    assert "no independent witness" in open_points


def test_every_reading() -> None:
    for index in range(len(READINGS.leaves)):
        assert f"Value: {1000 + index:,} Wh." in words(
            verify(PARK.reading_opening(index)).established
        )


def test_reading_without_master_data() -> None:
    opening = PARK.log.opening(
        "reading", [PARK.batch, PARK.farm_key, PARK.farm, 0], leaf=READINGS.opened(0)
    )
    report = verify(opening)
    assert "Value: 1,000 base units of the point" in words(report.established)
    assert "its master data are not opened" in words(report.not_established)
    assert "no endorsement is in the file" in words(report.not_established)


@pytest.mark.parametrize(
    ("custody", "device", "endorser", "provenance"),
    [
        ("owner", "meter", "grid", "meter-signed"),
        ("operator", "gateway", "grid", "gateway-signed"),
        ("owner", "meter", "", "party import"),
        ("operator", "gateway", "", "operator custody"),
        ("owner", "none", "grid", "party import"),
        ("operator", "none", "", "operator custody"),
    ],
)
def test_provenance(custody: str, device: str, endorser: str, provenance: str) -> None:
    """Anybody can call its key a meter's: without the word of another, that is nothing."""
    log = forge.registered(Log())
    key = log.key(METER, custody=custody, device=device)
    endorsed = [log.key_act("key.endorse", METER, author=GRID, claim="seen")] if endorser else []
    batch = log.add(log.readings_statement(READINGS), METER)
    grid = [5, 4] if endorser else []
    opening = log.opening("reading", [batch, *endorsed, *grid, key, 2, 0], leaf=READINGS.opened(0))
    assert f"Provenance: {provenance}" in words(verify(opening).established)


def test_reading_by_the_operator() -> None:
    log = forge.registered(Log())
    batch = log.add(log.readings_statement(READINGS, author="operator"), OPERATOR)
    opening = log.opening("reading", [batch, 0], leaf=READINGS.opened(0))
    assert "operator custody" in words(verify(opening).established)


def test_allocation() -> None:
    said = words(verify(PARK.allocation_opening()).established)
    assert "Matching by pro-rata/1 gave 250 Wh" in said
    assert "direct supply" in said


def test_entry() -> None:
    report = verify(PARK.entry_opening())
    assert "is point.register by farm (farm Ltd)" in words(report.established)
    report = verify(PARK.log.opening("entry", [0]))
    assert "is log.genesis by operator (Test park)" in words(report.established)


def test_a_rotated_key() -> None:
    log = forge.registered(Log())
    key = log.key(FARM_NEXT, author=FARM, replaces=FARM.id)
    batch = log.add(log.readings_statement(READINGS), FARM_NEXT)
    verify(log.opening("reading", [batch, key, 3, 2, 0], leaf=READINGS.opened(0)))


def test_witness_lines() -> None:
    opening = PARK.reading_opening()
    line = forge.WITNESS.cosignature_line(PARK.log.checkpoint_text(), forge.START)
    cosigned = opening | {"checkpoint": opening["checkpoint"] + line.decode()}
    trust = trust_of([LOG.vkey, forge.WITNESS.vkey_of(4)])
    said = words(verify(cosigned, trust=trust).established)
    assert "The witness witness.example cosigned this checkpoint at 2026-01-01T00:00:00Z." in said
    report = verify(opening, trust=trust)
    assert "the witness witness.example has seen" in words(report.not_established)
    assert "no independent witness" in words(verify(cosigned).not_established)


# Broken files: the change, what the message names, in which step


def changed(change: Callable[[Value], object]) -> Value:
    value = copy.deepcopy(PARK.reading_opening())
    change(value)
    return value


def set_leaf(value: Value, raw: bytes) -> None:
    """Another leaf, committed to by a batch of the farm's own: only its content is wrong."""
    inner = forge.Inner([raw])
    log = forge.registered(Log())
    batch = log.add(log.readings_statement(inner), FARM)
    value.clear()
    value.update(log.opening("reading", [batch, 3, 2, 0], leaf=inner.opened(0)))


def set_inner_node(value: Value) -> None:
    value["leaf"].update(bytes=(READINGS.hashes[0] + READINGS.hashes[1]).hex())


def set_checkpoint(value: Value, log: Log, size: int | None = None) -> None:
    value["checkpoint"] = log.checkpoint(size).decode()


def path_of(value: Value) -> list[str]:
    path: list[str] = value["entries"][1]["path"]
    return path


def change_seal(value: Value) -> None:
    entry = value["entries"][2]
    entry["note"] = entry["note"].replace("4711", "4712")


def lengthen_body(value: Value) -> None:
    value["bodies"][0]["base64"] = base64.b64encode(forge.POINT_BODY + b" ").decode()


def add_body(value: Value) -> None:
    value["bodies"].append({"hash": forge.sha256(b"x").hex(), "base64": "eA=="})


def other_log() -> Log:
    return forge.registered(Log(log_key=forge.Key(forge.ORIGIN, "another log key")))


BROKEN: list[tuple[str, Callable[[Value], object], str, str]] = [
    (
        "other log's checkpoint",
        lambda v: set_checkpoint(v, other_log()),
        "no signature by a key you trust",
        "checkpoint",
    ),
    (
        "older checkpoint",
        lambda v: set_checkpoint(v, PARK.log, 5),
        "is not in a tree of 5",
        "in that log",
    ),
    (
        "index",
        lambda v: v["entries"][0].update(index=1),
        "entry 1: leaf 1 and its path lead",
        "in that log",
    ),
    ("path", lambda v: path_of(v).pop(), "fewer than leaf", "in that log"),
    ("longer path", lambda v: path_of(v).append("00" * 32), "more than leaf", "in that log"),
    ("note", change_seal, "lead to the root", "in that log"),
    ("no genesis", lambda v: v["entries"].pop(), "is entry 4, not the genesis", "genesis"),
    (
        "genesis first",
        lambda v: v["entries"].insert(0, v["entries"].pop()),
        "not the genesis",
        "genesis",
    ),
    (
        "repeated entry",
        lambda v: v["entries"].insert(1, v["entries"][1]),
        "stands twice",
        "genesis",
    ),
    ("no key", lambda v: v["entries"].pop(3), "is not registered for farm", "chain"),
    ("no author", lambda v: v["entries"].pop(4), "no registration of the author farm", "chain"),
    ("no endorser", lambda v: v["entries"].pop(6), "grid may not endorse", "chain"),
    (
        "leaf value",
        lambda v: v["leaf"].update(bytes=v["leaf"]["bytes"][:-2] + "01"),
        "leaf: leaf 3 and its path",
        "leaf",
    ),
    ("leaf index", lambda v: v["leaf"].update(index=4), "leaf 4 and its path", "leaf"),
    (
        "leaf index beyond",
        lambda v: v["leaf"].update(index=11),
        "index 11 is not in a tree of 11",
        "leaf",
    ),
    (
        "leaf of the next batch",
        lambda v: v.update(leaf=forge.READINGS_NEXT.opened(3)),
        "leaf",
        "leaf",
    ),
    ("leaf length", lambda v: v["leaf"].update(bytes="00" * 53), "53 bytes, not 54", "leaf"),
    ("inner node as leaf", set_inner_node, "64 bytes, not 54", "leaf"),
    (
        "leaf under a point",
        lambda v: v["entries"].insert(0, v["entries"].pop(1)),
        "rests on readings",
        "leaf",
    ),
    ("reading as allocation", lambda v: v.update(kind="allocation"), "rests on match.run", "leaf"),
    ("body bytes", lengthen_body, "another hash", "bodies"),
    ("body of no entry", add_body, "no entry of the file commits", "bodies"),
    (
        "unknown quality",
        lambda v: set_leaf(v, forge.reading(0, quality=1 << 10)),
        "unknown quality flags 0x400",
        "leaf",
    ),
    (
        "interval beyond time",
        lambda v: set_leaf(v, forge.reading(0, start=2**64 - 1)),
        "the interval from",
        "leaf",
    ),
]


@pytest.mark.parametrize(
    ("change", "rule", "step"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN]
)
def test_broken(change: Callable[[Value], object], rule: str, step: str) -> None:
    refused(changed(change), rule, step)


UNUSABLE: list[tuple[str, Callable[[Value], object]]] = [
    ("unknown member", lambda v: v.update(more=1)),
    ("missing member", lambda v: v.pop("bodies")),
    ("another format", lambda v: v.update(format="greenledger-opening/v2")),
    ("another kind", lambda v: v.update(kind="claim")),
    ("kind of another type", lambda v: v.update(kind=["reading"])),
    ("no leaf", lambda v: v.pop("leaf")),
    ("a leaf too many", lambda v: v.update(kind="entry")),
    ("no entry", lambda v: v.update(entries=[])),
    ("float", lambda v: v["leaf"].update(index=3.0)),
    ("bool", lambda v: v["leaf"].update(index=True)),
    ("null", lambda v: v.update(leaf=None)),
    ("negative", lambda v: v["entries"][0].update(index=-1)),
    ("huge", lambda v: v["entries"][0].update(index=10**4000)),
    ("upper-case hex", lambda v: v["leaf"].update(bytes=v["leaf"]["bytes"].upper())),
    ("odd hex", lambda v: v["leaf"].update(bytes="000")),
    ("short hash", lambda v: v["leaf"]["path"].append("00")),
    ("long path", lambda v: v["leaf"].update(path=["00" * 32] * 64)),
    ("base64", lambda v: v["bodies"][0].update(base64="eA")),
    ("base64 not canonical", lambda v: v["bodies"][0].update(base64="eB==")),
    ("body twice", lambda v: v["bodies"].append(v["bodies"][0])),
    ("surrogate", lambda v: v.update(checkpoint="\ud800")),
]


@pytest.mark.parametrize("change", [u[1] for u in UNUSABLE], ids=[u[0] for u in UNUSABLE])
def test_unusable(change: Callable[[Value], object]) -> None:
    with pytest.raises(UnusableInput, match="opening file"):
        verify(written(changed(change)))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"[]",
        b"null",
        b"{" * 200_000,
        b'{"a":' * 200_000,
        b'{"a":' + b"[" * 200_000,
        b'{"a":' + b"9" * 200_000 + b"}",
        b'{"format":"greenledger-opening/v1","format":"greenledger-opening/v1"}',
        "{}".encode("utf-16"),
        b"c2sp.org/tlog-proof@v1",
        b"c2sp.org/tlog-proof@v2\nindex 0\n\n",
    ],
)
def test_garbage(raw: bytes) -> None:
    with pytest.raises(UnusableInput):
        verify(raw)


def test_many_members_of_one_name() -> None:
    """A linear search for each member would take hours here."""
    members = b",".join(b'"%d":0' % n for n in range(200_000))
    with pytest.raises(UnusableInput, match="member 199999 stands twice"):
        verify(b"{" + members + b',"199999":0}')


# Bodies and authors


def point_opening(content: object, *, author: Any = FARM, batch_author: Any = FARM) -> Value:
    log = forge.registered(Log())
    body = forge.json_body(content, "salt") if not isinstance(content, bytes) else content
    point = log.point(author=author, body=body)
    name = batch_author.name.rpartition("/")[2]
    batch = log.add(log.readings_statement(READINGS, author=name), batch_author)
    return log.opening(
        "reading", [batch, point, 5, 4, 3, 2, 0], leaf=READINGS.opened(0), bodies=[body]
    )


POINT_CHANGES: list[tuple[Value, str]] = [
    ({"kind": "magic"}, "magic is not one of"),
    ({"unit": "kWh"}, "kWh is not one of"),
    ({"more": 1}, "unknown member more"),
    ({"interval_s": 0}, "interval_s is 0, but the kind is generation"),
    ({"capacity": 1.5}, "1.5 is not an integer"),
    ({"meters": [{}]}, "item 0: member number is missing"),
    ({"technology": None}, "true, false and null"),
]


@pytest.mark.parametrize(("change", "rule"), POINT_CHANGES, ids=[p[1] for p in POINT_CHANGES])
def test_master_data(change: Value, rule: str) -> None:
    refused(point_opening(forge.POINT_CONTENT | change), rule, "bodies")


def test_a_body_shorter_than_its_salt() -> None:
    refused(point_opening(bytes(31)), "from 32 to", "genesis")
    refused(point_opening(bytes(32)), "not JSON", "bodies")
    refused(point_opening(bytes(32) + b'{"a":' * 100_000), "nested deeper", "bodies")


def test_readings_of_somebody_elses_point() -> None:
    refused(
        point_opening(forge.POINT_CONTENT, batch_author=GRID),
        "grid may not send readings",
        "author",
    )
    verify(point_opening(forge.POINT_CONTENT, batch_author=OPERATOR))


def test_point_registered_by_a_stranger() -> None:
    refused(
        point_opening(forge.POINT_CONTENT, author=GRID),
        "is neither the operator nor farm",
        "author",
    )


CONTRACT_CONTENT: Value = {
    "name": "farm-to-mill",
    "kind": "direct-supply",
    "seller": "farm",
    "sources": [forge.POINT],
    "consumers": [{"point": forge.CONSUMER, "share_ppm": 0}],
    "from": forge.at(forge.START),
    "to": forge.at(forge.START + 86_400),
    "region": "",
    "limit_wh": 0,
}


def allocation_opening(change: Value, *, before_run: bool = True) -> Value:
    """A run under a contract that is opened; with ``before_run`` False the run could not know
    it.
    """
    log = forge.registered(Log())
    body = forge.json_body(CONTRACT_CONTENT | change, "contract")
    members = {
        "contract": forge.CONTRACT,
        "replaces": "",
        "body": forge.reference(body, "contract+json"),
    }
    contract = log.add(log.statement("contract.register", "farm", **members), FARM)
    run = log.add(log.run_statement(as_of=contract + before_run), OPERATOR)
    indexes = [run, contract, 3, 2, 0]
    return log.opening("allocation", indexes, leaf=forge.ALLOCATIONS.opened(2), bodies=[body])


def test_an_allocation_within_its_contract() -> None:
    said = words(verify(allocation_opening({})).established)
    assert "The contract is farm-to-mill, seller farm (entry 6)." in said


def share(byte: str, ppm: int = 0) -> Value:
    return {"point": byte * 16, "share_ppm": ppm}


CONTRACT_CHANGES: list[tuple[Value, str]] = [
    ({"sources": ["dd" * 16]}, "it does not name the point aaaa"),
    ({"consumers": [share("dd")]}, "it does not name the point bbbb"),
    ({"from": forge.at(forge.START + 2700)}, "outside its period"),
    ({"to": forge.at(forge.START + 1800)}, "outside its period"),
    ({"seller": "grid"}, "neither the operator nor grid"),
    ({"kind": "storage"}, "of the kind storage, the allocation of the class direct supply"),
    ({"kind": "self-use"}, "of the kind self-use, the allocation of the class direct supply"),
]


@pytest.mark.parametrize(
    ("change", "rule"), CONTRACT_CHANGES, ids=[str(c[0]) for c in CONTRACT_CHANGES]
)
def test_an_allocation_outside_its_contract(change: Value, rule: str) -> None:
    refused(allocation_opening(change), rule, "author")


def test_a_contract_that_the_run_could_not_know() -> None:
    verify(allocation_opening({"sources": ["dd" * 16]}, before_run=False))


def test_a_gateway_may_send_readings() -> None:
    log = forge.registered(Log())
    log.party("grid", "gateway", replaces=log.id_of(4))
    point = log.point()
    batch = log.add(log.readings_statement(READINGS, author="grid"), GRID)
    indexes = [batch, point, 6, 5, 3, 2, 0]
    verify(log.opening("reading", indexes, leaf=READINGS.opened(0), bodies=[forge.POINT_BODY]))


def test_a_revocation_in_the_file_counts() -> None:
    log = forge.registered(Log())
    revocation = log.key_act("key.revoke", FARM, author=OPERATOR, reason="stolen")
    batch = log.add(log.readings_statement(READINGS), FARM)
    value = log.opening("reading", [batch, revocation, 3, 2, 0], leaf=READINGS.opened(0))
    refused(value, "revoked by entry 6", "chain")


def test_a_key_registered_after_its_use() -> None:
    log = forge.registered(Log())
    batch = log.add(log.readings_statement(READINGS), METER)
    key = log.key(METER)
    value = log.opening("reading", [batch, key, 2, 0], leaf=READINGS.opened(0))
    refused(value, "is not registered for farm at this point", "chain")


@pytest.mark.parametrize(
    ("wh", "supply_class", "rule"),
    [
        (0, 2, "above 0 Wh"),
        (-1, 2, "above 0 Wh"),
        (5, 0, "not a supply class"),
        (5, 6, "not a supply class"),
    ],
)
def test_allocations_out_of_range(wh: int, supply_class: int, rule: str) -> None:
    inner = forge.Inner([forge.allocation(0, wh=wh, supply_class=supply_class)])
    log = forge.registered(Log())
    statement = log.run_statement() | {"body": inner.reference("allocations")}
    run = log.add(statement, OPERATOR)
    refused(log.opening("allocation", [run, 0], leaf=inner.opened(0)), rule, "leaf")


# Any single byte


@pytest.mark.parametrize("seed", range(400))
def test_any_byte_of_an_opening(seed: int) -> None:
    chance = random.Random(seed)
    value = PARK.reading_opening() if seed % 3 else PARK.allocation_opening()
    raw = bytearray(written(value))
    raw[chance.randrange(len(raw))] ^= chance.randrange(1, 256)
    with pytest.raises(VerificationError) as caught:
        verify(bytes(raw))
    assert str(caught.value)


@pytest.mark.parametrize("seed", range(200))
def test_any_byte_of_a_tlog_proof(seed: int) -> None:
    chance = random.Random(seed)
    raw = bytearray(PARK.log.tlog_proof(chance.randrange(len(PARK.log.entries))))
    raw[chance.randrange(len(raw))] ^= chance.randrange(1, 256)
    with pytest.raises(VerificationError) as caught:
        verify(bytes(raw))
    assert str(caught.value)


@pytest.mark.parametrize("seed", range(100))
def test_cut_and_spliced(seed: int) -> None:
    """Truncated, doubled and shuffled files are refused, without any other exception."""
    chance = random.Random(seed)
    raw = written(PARK.reading_opening()) if seed % 2 else PARK.log.tlog_proof(3)
    a, b = sorted(chance.sample(range(1, len(raw)), 2))
    for broken in (raw[:a], raw[b:], raw[:a] + raw[b:], raw[:b] + raw[a:]):
        with pytest.raises(VerificationError):
            verify(broken)


# tlog-proofs


def test_tlog_proof() -> None:
    for index in range(len(PARK.log.entries)):
        report = verify(PARK.log.tlog_proof(index))
        assert f"Entry {index} of that log has the leaf hash" in words(report.established)
        assert "signed it" in words(report.not_established)


def test_tlog_proof_of_a_hash() -> None:
    bare = PARK.log.tlog_proof(3, extra=False)
    with pytest.raises(UnusableInput, match="holds no entry"):
        verify(bare)
    verify(bare, subject=Subject(entry=PARK.log.entries[3]))
    report = verify(bare, subject=Subject(leaf_hash=PARK.log.hashes[3]))
    assert "only its hash was given" in words(report.not_established)
    with pytest.raises(VerificationError, match="lead to the root"):
        verify(bare, subject=Subject(leaf_hash=PARK.log.hashes[4]))
    with pytest.raises(VerificationError, match="not the one that you gave"):
        verify(PARK.log.tlog_proof(3), subject=Subject(entry=PARK.log.entries[4]))


def test_tlog_proof_of_a_bad_entry() -> None:
    log = forge.registered(Log())
    log.add(log.statement("tick", "operator", more=1), OPERATOR)
    refused(log.tlog_proof(6), "unknown member more")
    log.add(log.statement("tick", "operator") | {"log": "other.example"}, OPERATOR)
    refused(log.tlog_proof(7), "is of the log other.example")
    log.genesis()
    refused(log.tlog_proof(8), "only that")


def test_an_entry_beyond_the_limit() -> None:
    log = forge.registered(Log())
    log.add(log.statement("tick", "operator") | {"at": " " * 70_000}, OPERATOR)
    refused(log.tlog_proof(6), "at most 65535 bytes")


def test_a_foreign_entry() -> None:
    log = Log(entries=[b"one", b"two"])
    assert "not an entry of greenledger" in words(verify(log.tlog_proof(1)).not_established)


def test_the_library_way() -> None:
    """What the command does, in three calls."""
    report = Report()
    opening = verify_opening(parse_opening(written(PARK.reading_opening())), TRUST, report)
    explain_opening(opening, TRUST, report)
    assert opening.signer.key.vkey == FARM.vkey
    assert report.established
