"""Which key under a checkpoint counts, where keys come and go: logs forged entry by entry.

A, B and C are keys of the log, A the genesis's. What is pinned is what somebody brings along.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from greenledger_verify.failure import VerificationError
from greenledger_verify.logdir import LogDirectory, verify_log
from greenledger_verify.opening import parse_opening, verify_opening
from greenledger_verify.proof import Subject, verify_proof_file
from greenledger_verify.report import Report
from greenledger_verify.trust import trust_of
from tests.servers.witness import Cosigner
from tests.verifier import forge
from tests.verifier.forge import FARM, LOG, OPERATOR, Key, Log, Statement

A, B, C = LOG, Key(forge.ORIGIN, "second"), Key(forge.ORIGIN, "third")
NAMES = {"A": A, "B": B, "C": C, "M": Key(forge.ORIGIN, "nobody's")}


def log_of(*acts: str) -> Log:
    """`+B by A`: B is registered, signed by A; `-A by B`: A is ended, signed by B."""
    log = Log()
    log.genesis()
    for act in acts:
        log.tick()
        sign, name, _, by = act[0], act[1], *act[2:].split()
        if sign == "+":
            log.add(registering(log, NAMES[name]), OPERATOR, NAMES[by], NAMES[name])
        else:
            log.add(ending(log, NAMES[name]), OPERATOR, NAMES[by])
    log.tick()
    return log


def registering(log: Log, key: Key, author: str = "operator") -> Statement:
    return log.statement("log-key.register", author, log_vkey=key.vkey)


def ending(log: Log, key: Key, author: str = "operator") -> Statement:
    return log.statement("log-key.end", author, log_vkey=key.vkey, reason="its time was over")


OVERLAP = ("+B by A",)
ROTATED = ("+B by A", "-A by B")
TWICE = (*ROTATED, "+C by B", "-B by C")
# C was brought while A was the oldest, so B does not lead there.
BESIDE = ("+B by A", "+C by A", "-A by B", "-B by C")

GOOD = [
    ("A", (), "A"),
    ("A", OVERLAP, "AB"),
    ("B", OVERLAP, "AB"),
    ("A", ROTATED, "B"),
    ("B", ROTATED, "B"),
    ("A", ROTATED, "AB"),  # somebody added what nobody needs
    ("A", TWICE, "C"),
    ("B", TWICE, "C"),
    ("C", TWICE, "C"),
    ("A", BESIDE, "C"),
    ("C", BESIDE, "C"),
]
BAD = [
    ("A", ROTATED, "A", "was not in force at size 6: entry 4 ended it"),
    ("B", TWICE, "B", "was not in force at size 10: entry 8 ended it"),
    ("A", TWICE, "B", "was not in force at size 10"),
    ("A", OVERLAP, "M", "no signature by a key you trust"),
    ("A", (), "B", "no signature by a key you trust"),
    ("B", (), "B", "which you trust, but which is no key of this log"),
    ("M", ROTATED, "MB", "which you trust, but which is no key of this log"),
    ("B", BESIDE, "C", "no signature by a key you trust"),
]


def checkpoint(log: Log, signers: str) -> bytes:
    return forge.note(log.checkpoint_text(), *(NAMES[name] for name in signers))


def as_directory(pin: str, log: Log, signers: str, folder: Path) -> LogDirectory:
    directory = log.export(folder)
    (directory / "checkpoint").write_bytes(checkpoint(log, signers))
    return verify_log(directory, trust_of([NAMES[pin].vkey]), Report())


def as_opening(pin: str, log: Log, signers: str, *, without: int = -1) -> None:
    """The last tick, with all entries on the log's keys."""
    last = len(log.entries) - 1
    resting = [
        index
        for index, entry in enumerate(log.entries)
        if b'"log-key.' in entry and index != without
    ]
    value = log.opening("entry", [last, *resting, 0])
    value["checkpoint"] = checkpoint(log, signers).decode()
    raw = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    verify_opening(parse_opening(raw), trust_of([NAMES[pin].vkey]), Report())


@pytest.mark.parametrize(("pin", "acts", "signers"), GOOD)
def test_the_keys_lead_to_the_signature(
    pin: str, acts: tuple[str, ...], signers: str, tmp_path: Path
) -> None:
    log = log_of(*acts)
    found = as_directory(pin, log, signers, tmp_path)
    assert found.signed.log_key.vkey in {NAMES[name].vkey for name in signers}
    as_opening(pin, log, signers)


@pytest.mark.parametrize(("pin", "acts", "signers", "why"), BAD)
def test_the_keys_lead_nowhere(
    pin: str, acts: tuple[str, ...], signers: str, why: str, tmp_path: Path
) -> None:
    log = log_of(*acts)
    with pytest.raises(VerificationError, match=why):
        as_directory(pin, log, signers, tmp_path)
    with pytest.raises(VerificationError, match=why):
        as_opening(pin, log, signers)


def test_an_opening_without_the_entries_on_log_keys_leads_nowhere() -> None:
    with pytest.raises(VerificationError, match="no signature by a key you trust"):
        as_opening("A", log_of(*OVERLAP), "B", without=2)


def test_a_registration_that_is_not_in_the_log_brings_no_key() -> None:
    """Who stole A before it ended signs a key of its own, beside the log."""
    log = log_of(*ROTATED)
    stolen = forge.note(
        json.dumps(registering(log, NAMES["M"])).encode() + b"\n", OPERATOR, A, NAMES["M"]
    )
    value = log.opening("entry", [len(log.entries) - 1, 0])
    # In the place of B's: its path is another one's.
    value["entries"].insert(1, log.opened_entry(2) | {"note": stolen.decode()})
    value["checkpoint"] = checkpoint(log, "M").decode()
    raw = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    with pytest.raises(VerificationError, match="entry 2: "):
        verify_opening(parse_opening(raw), trust_of([A.vkey]), Report())


def test_a_tlog_proof_needs_the_key_itself() -> None:
    log = log_of(*ROTATED)
    proof = log.tlog_proof(1)
    proof = proof[: proof.index(log.checkpoint_text())] + checkpoint(log, "B")
    verify_proof_file(proof, Subject(), trust_of([B.vkey]), Report())
    with pytest.raises(VerificationError, match="no signature by a key you trust"):
        verify_proof_file(proof, Subject(), trust_of([A.vkey]), Report())


# The rules


def refused(log: Log, why: str, folder: Path) -> None:
    index = len(log.entries) - 1
    with pytest.raises(VerificationError, match=why) as caught:
        as_directory("A", log, "A", folder)
    assert f"entry {index}: " in str(caught.value)


REFUSED = [
    (lambda log: log.add(registering(log, B), OPERATOR, A), "it has 2 signatures"),
    (lambda log: log.add(registering(log, B), OPERATOR, B, B), "where .* must sign"),
    (lambda log: log.add(registering(log, B), OPERATOR, A, C), "where .* must sign"),
    (lambda log: log.add(registering(log, B), OPERATOR, A, B, C), "it has 4 signatures"),
    (lambda log: log.add(registering(log, B, "farm"), FARM, A, B), "only the operator"),
    (lambda log: log.add(registering(log, A), OPERATOR, A, A), "is or was one of the log's"),
    (lambda log: log.add(registering(log, FARM), OPERATOR, A, FARM), "log_vkey is named"),
    (
        lambda log: log.add(
            registering(log, Key(forge.ORIGIN, OPERATOR.seed)),
            OPERATOR,
            A,
            Key(forge.ORIGIN, OPERATOR.seed),
        ),
        "was registered before",
    ),
    (lambda log: log.add(ending(log, A), OPERATOR, A), "ends the last Ed25519 key"),
    (lambda log: log.add(ending(log, B), OPERATOR, A), "the log has no key"),
    (lambda log: log.add(ending(log, A, "farm"), FARM, A), "only the operator"),
    (
        lambda log: log.add({**registering(log, B), "log_vkey": B.vkey_of(4)}, OPERATOR, A, B),
        "neither an Ed25519 nor an ML-DSA-44 key",
    ),
]


@pytest.mark.parametrize(("act", "why"), REFUSED)
def test_refused(act: object, why: str, tmp_path: Path) -> None:
    log = forge.registered(Log())
    log.tick()
    assert callable(act)
    act(log)
    refused(log, why, tmp_path)


def test_a_key_ends_once(tmp_path: Path) -> None:
    log = log_of("+B by A", "-B by A")
    log.add(ending(log, B), OPERATOR, A)
    refused(log, "ended with entry 4", tmp_path)


def test_an_ended_key_does_not_come_back(tmp_path: Path) -> None:
    log = log_of("+B by A", "-B by A")
    log.add(registering(log, B), OPERATOR, A, B)
    refused(log, "is or was one of the log's", tmp_path)


def test_the_ended_key_does_not_sign_its_end(tmp_path: Path) -> None:
    log = log_of("+B by A")
    log.add(ending(log, A), OPERATOR, A)
    refused(log, "where .* must sign", tmp_path)


def test_four_keys_are_the_most(tmp_path: Path) -> None:
    log = log_of("+B by A", "+C by A", "+M by A")
    one_more = Key(forge.ORIGIN, "one more")
    log.add(registering(log, one_more), OPERATOR, A, one_more)
    refused(log, "has 4 keys of this kind in force", tmp_path)


def test_no_party_takes_a_key_of_the_log(tmp_path: Path) -> None:
    log = forge.registered(Log())
    log.tick()
    log.key(Key(f"{forge.ORIGIN}/farm", A.seed))
    refused(log, "was registered before", tmp_path)


# ML-DSA-44

mldsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa")


def post_quantum() -> tuple[object, str, bytes]:
    """A private key, its vkey, and its key id, put together by hand as C2SP says."""
    private = mldsa.MLDSA44PrivateKey.from_seed_bytes(bytes(range(32)))
    blob = bytes([6]) + private.public_key().public_bytes_raw()
    id_ = forge.sha256(forge.ORIGIN.encode() + b"\n" + blob)[:4]
    return private, f"{forge.ORIGIN}+{id_.hex()}+{base64.b64encode(blob).decode()}", id_


def test_a_post_quantum_signature(tmp_path: Path) -> None:
    private, vkey, id_ = post_quantum()
    log = Log()
    log.genesis()
    log.tick()
    log.add(log.statement("log-key.register", "operator", log_vkey=vkey), OPERATOR, A)
    directory = log.export(tmp_path)
    root = base64.b64decode(log.checkpoint_text().split(b"\n")[2])
    name = forge.ORIGIN.encode()
    message = b"".join(
        (
            *(b"subtree/v1\n\0", bytes([len(name)]), name, bytes(8)),
            *(bytes([len(name)]), name, bytes(8), (3).to_bytes(8, "big"), root),
        )
    )
    signature = private.sign(message)  # type: ignore[attr-defined]
    line = b"\xe2\x80\x94 " + name + b" " + base64.b64encode(id_ + bytes(8) + signature) + b"\n"
    (directory / "checkpoint").write_bytes(log.checkpoint() + line)
    report = Report()
    found = verify_log(directory, trust_of([A.vkey]), report)
    assert [key.kind for key in found.signed.log_keys] == [1]
    assert [key.kind for key in found.signed.second_keys] == [6]
    assert found.signed.cosignatures == ()
    wrong = bytearray(signature)
    wrong[100] ^= 1
    line = b"\xe2\x80\x94 " + name + b" " + base64.b64encode(id_ + bytes(8) + wrong) + b"\n"
    (directory / "checkpoint").write_bytes(log.checkpoint() + line)
    with pytest.raises(VerificationError, match="does not fit the text"):
        verify_log(directory, trust_of([A.vkey]), Report())


def test_one_post_quantum_key(tmp_path: Path) -> None:
    _, vkey, _ = post_quantum()
    other = mldsa.MLDSA44PrivateKey.from_seed_bytes(bytes(32)).public_key().public_bytes_raw()
    blob = bytes([6]) + other
    id_ = forge.sha256(forge.ORIGIN.encode() + b"\n" + blob)[:4].hex()
    second = f"{forge.ORIGIN}+{id_}+{base64.b64encode(blob).decode()}"
    log = Log()
    log.genesis()
    log.tick()
    for one in (vkey, second):
        log.add(log.statement("log-key.register", "operator", log_vkey=one), OPERATOR, A)
    refused(log, "has 1 keys of this kind in force", tmp_path)


def test_the_second_key_alone_is_not_enough(tmp_path: Path) -> None:
    """It covers no extension lines, so anybody could add some."""
    second = Cosigner(forge.ORIGIN, 6)
    log = log_of()
    log.add(log.statement("log-key.register", "operator", log_vkey=second.vkey), OPERATOR, LOG)
    directory, text = log.export(tmp_path), log.checkpoint_text()
    for more in (b"", b"what nobody signed\n"):
        (directory / "checkpoint").write_bytes(text + more + b"\n" + second.line(text, 0))
        with pytest.raises(VerificationError, match="has not signed it"):
            verify_log(directory, trust_of([LOG.vkey]), Report())
    (directory / "checkpoint").write_bytes(forge.note(text, LOG) + second.line(text, 0))
    found = verify_log(directory, trust_of([LOG.vkey]), Report())
    assert [key.vkey for key in found.signed.second_keys] == [second.vkey]
