"""Whole logs: a good one passes; each broken one is refused with the rule that it breaks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from greenledger_verify.entry import parse_entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.logdir import LogDirectory, verify_log
from greenledger_verify.report import Report
from greenledger_verify.trust import trust_of
from tests.verifier import forge
from tests.verifier.forge import FARM, FARM_NEXT, GRID, LOG, MALLORY, METER, OPERATOR, READINGS, Log

TRUST = trust_of([LOG.vkey])


def verify(log: Log, folder: Path) -> LogDirectory:
    return verify_log(log.export(folder), TRUST, Report())


def refused(log: Log, folder: Path, index: int, rule: str) -> None:
    """The log is refused at entry ``index``, and ``rule`` is what the message names."""
    with pytest.raises(VerificationError, match=rule) as caught:
        verify(log, folder)
    assert caught.value.exit_code == 1
    assert f"entry {index}: " in str(caught.value)
    assert f"tile/entries/{index // 256:03}" in str(caught.value)
    assert "rules of the ledger" in str(caught.value.step)


# Good logs


def test_a_good_log(tmp_path: Path) -> None:
    park = forge.park()
    log = verify(park.log, tmp_path)
    assert log.state is not None
    assert log.state.operator == "operator"
    assert log.state.counts["readings"] == 2
    assert sum(log.state.counts.values()) == len(park.log.entries) == log.signed.checkpoint.size
    assert (log.tiles, log.older_tiles, log.files_beyond) == (1, 0, ())


def test_an_empty_log(tmp_path: Path) -> None:
    assert verify(Log(), tmp_path).state is None


def test_rotation_and_registration_again(tmp_path: Path) -> None:
    """What the attacks below do wrong, done right."""
    log = forge.registered(Log())
    first = log.point()
    log.point(author=OPERATOR, replaces=log.id_of(first))
    log.party("farm", "generator", "enterprise", replaces=log.id_of(2), name="Farm (new)")
    log.party("operator", "park-operator", replaces=log.id_of(0))
    log.key(FARM_NEXT, author=FARM, replaces=FARM.id)
    batch = log.add(log.readings_statement(READINGS), FARM_NEXT)
    log.key_act("key.revoke", FARM_NEXT, author=FARM_NEXT, reason="lost")
    log.key(METER, device="meter")
    log.key_act("key.endorse", METER, author=GRID, claim="sealed")
    previous = forge.leaf(log.entries[batch]).hex()
    statement = log.readings_statement(READINGS, sequence=1, previous=previous)
    corrects = forge.reference(bytes(32 + 32 * len(READINGS.leaves)), "corrects")
    log.add({**statement, "type": "readings.correction", "corrects": corrects}, METER)
    assert verify(log, tmp_path).state is not None


# Attacks by someone who holds the log's key: the tree is right, the rules are not

Attack = Callable[[Log], int]


def replaced_key(log: Log) -> int:
    log.key(FARM_NEXT, author=FARM, replaces=FARM.id)
    return log.add(log.readings_statement(READINGS), FARM)


def revoked_key(log: Log) -> int:
    log.key_act("key.revoke", FARM, author=OPERATOR, reason="stolen")
    return log.add(log.readings_statement(READINGS), FARM)


def revoked_twice(log: Log) -> int:
    log.key_act("key.revoke", FARM, author=OPERATOR, reason="stolen")
    return log.key_act("key.revoke", FARM, author=OPERATOR, reason="stolen")


def revoked_by_a_stranger(log: Log) -> int:
    return log.key_act("key.revoke", FARM, author=GRID, reason="I want to")


def unregistered_key(log: Log) -> int:
    return log.add(log.readings_statement(READINGS), METER)


def key_before_its_registration(log: Log) -> int:
    index = log.add(log.readings_statement(READINGS), METER)
    log.key(METER)
    return index


def unknown_author(log: Log) -> int:
    return log.add(log.readings_statement(READINGS, author="mallory"), MALLORY)


def signed_by_another_party(log: Log) -> int:
    return log.add(log.readings_statement(READINGS), GRID)


def extra_signature(log: Log) -> int:
    return log.add(log.readings_statement(READINGS), FARM, GRID)


def repeated_signature(log: Log) -> int:
    return log.add(log.readings_statement(READINGS), FARM, FARM)


def missing_signature(log: Log) -> int:
    statement = log.statement(
        "key.register",
        "operator",
        party="farm",
        vkey=METER.vkey,
        custody="owner",
        device="none",
        replaces="",
    )
    return log.add(statement, OPERATOR)


def wrong_order_of_signatures(log: Log) -> int:
    statement = log.statement(
        "key.register",
        "farm",
        party="farm",
        vkey=METER.vkey,
        custody="owner",
        device="none",
        replaces="",
    )
    return log.add(statement, METER, FARM)


def no_possession(log: Log) -> int:
    statement = log.statement(
        "key.register",
        "operator",
        party="farm",
        vkey=METER.vkey,
        custody="owner",
        device="none",
        replaces="",
    )
    return log.add(statement, OPERATOR, FARM_NEXT)


def statement_changed_after_signing(log: Log) -> int:
    index = log.add(log.readings_statement(READINGS), FARM)
    log.entries[index] = log.entries[index].replace(b"scada.1", b"scada.2")
    return index


def future_at(log: Log) -> int:
    log.time_s += 301
    return log.add(log.readings_statement(READINGS), FARM)


def tick_that_goes_back(log: Log) -> int:
    return log.tick(-1)


def tick_by_another(log: Log) -> int:
    return log.add(log.statement("tick", "farm"), FARM)


def replayed_id(log: Log) -> int:
    first = log.readings_statement(READINGS)
    index = log.add(first, FARM)
    previous = forge.leaf(log.entries[index]).hex()
    return log.add(first | {"sequence": 1, "previous": previous}, FARM)


def replayed_entry(log: Log) -> int:
    return log.add_raw(log.entries[log.add(log.readings_statement(READINGS), FARM)])


def wrong_log(log: Log) -> int:
    return log.add(log.readings_statement(READINGS) | {"log": "other.example/log"}, FARM)


def second_genesis(log: Log) -> int:
    return log.genesis()


def first_sequence_not_zero(log: Log) -> int:
    return log.add(log.readings_statement(READINGS, sequence=1, previous="00" * 32), FARM)


def sequence_gap(log: Log) -> int:
    previous = forge.leaf(log.entries[log.add(log.readings_statement(READINGS), FARM)]).hex()
    return log.add(log.readings_statement(READINGS, sequence=2, previous=previous), FARM)


def sequence_repeated(log: Log) -> int:
    log.add(log.readings_statement(READINGS), FARM)
    return log.add(log.readings_statement(READINGS), FARM)


def wrong_previous(log: Log) -> int:
    log.add(log.readings_statement(READINGS), FARM)
    previous = forge.leaf(log.entries[0]).hex()
    return log.add(log.readings_statement(READINGS, sequence=1, previous=previous), FARM)


def party_by_another(log: Log) -> int:
    statement = log.statement(
        "party.register", "farm", party="mallory", name="M", roles=["verifier"], replaces=""
    )
    return log.add(statement, FARM)


def party_without_replaces(log: Log) -> int:
    return log.party("farm", "verifier")


def party_replaces_a_stale_one(log: Log) -> int:
    stale = log.id_of(2)
    log.party("farm", "generator", replaces=stale)
    return log.party("farm", "verifier", replaces=stale)


def point_without_replaces(log: Log) -> int:
    log.point()
    return log.point()


def point_replaces_nothing(log: Log) -> int:
    return log.point(replaces="ab" * 16)


def key_for_an_unregistered_party(log: Log) -> int:
    return log.key(MALLORY)


def key_for_another_party(log: Log) -> int:
    return log.key(METER, author=GRID)


def key_under_another_name(log: Log) -> int:
    statement = log.statement(
        "key.register",
        "operator",
        party="farm",
        vkey=MALLORY.vkey,
        custody="owner",
        device="none",
        replaces="",
    )
    return log.add(statement, OPERATOR, MALLORY)


def key_registered_again(log: Log) -> int:
    log.key_act("key.revoke", FARM, author=FARM, reason="lost")
    return log.key(FARM)


def replaces_an_unknown_key(log: Log) -> int:
    return log.key(METER, replaces="00112233")


def replaces_a_key_without_its_signature(log: Log) -> int:
    log.key(METER)
    return log.key(FARM_NEXT, author=METER, replaces=FARM.id)


def endorsed_without_the_role(log: Log) -> int:
    return log.key_act("key.endorse", GRID, author=FARM, claim="good people")


def endorsed_unknown_key(log: Log) -> int:
    return log.key_act("key.endorse", METER, author=GRID, claim="never seen")


def run_by_another(log: Log) -> int:
    return log.add(log.run_statement(author="farm"), FARM)


def run_from_the_future(log: Log) -> int:
    return log.add(log.run_statement(as_of=len(log.entries) + 1), OPERATOR)


def run_of_nothing(log: Log) -> int:
    return log.add(log.run_statement(as_of=0), OPERATOR)


def public_key_of_another(log: Log) -> int:
    """Two parties in league: each could say that the other signed."""
    return log.key(forge.Key(GRID.name, FARM.seed))


def park_operator_for_another(log: Log) -> int:
    return log.party("farm", "generator", "park-operator", replaces=log.id_of(2))


def operator_without_its_role(log: Log) -> int:
    return log.party("operator", "verifier", replaces=log.id_of(0))


OPERATOR_NEXT = forge.Key(OPERATOR.name, "operator, next")


def last_key_of_the_operator(log: Log) -> int:
    log.key(OPERATOR_NEXT)
    return log.key_act("key.revoke", OPERATOR, author=OPERATOR_NEXT, reason="gone")


def last_key_replaced_by_one_that_is_not_held(log: Log) -> int:
    return log.key(OPERATOR_NEXT, replaces=OPERATOR.id)


def control_character_in_a_name(log: Log) -> int:
    return log.party("mill", "enterprise", name="Mill\x7f")


def escaped_newline_in_a_reason(log: Log) -> int:
    return log.key_act("key.revoke", FARM, author=FARM, reason="lost\nfarm")


def too_many_readings(log: Log) -> int:
    statement = log.readings_statement(READINGS)
    return log.add(statement | {"body": statement["body"] | {"size": 500_001}}, FARM)


ATTACKS: list[tuple[Attack, str]] = [
    (run_of_nothing, r"as_of: 0 is not an integer from 1"),
    (public_key_of_another, r"was registered before"),
    (park_operator_for_another, r"park-operator is that of operator, always"),
    (operator_without_its_role, r"park-operator is that of operator, always"),
    (last_key_of_the_operator, r"ends the last key with custody operator"),
    (last_key_replaced_by_one_that_is_not_held, r"ends the last key with custody operator"),
    (control_character_in_a_name, r"name: .* holds a control character"),
    (escaped_newline_in_a_reason, r"reason: .* holds a control character"),
    (too_many_readings, r"500001 is not an integer from 1 to 500000"),
    (replaced_key, r"may not sign any more: replaced by entry 6"),
    (revoked_key, r"may not sign any more: revoked by entry 6"),
    (revoked_twice, r"is not in force: revoked by entry"),
    (revoked_by_a_stranger, r"grid is neither farm nor the operator"),
    (unregistered_key, r"is not registered for farm at this point"),
    (key_before_its_registration, r"is not registered for farm at this point"),
    (unknown_author, r"is not registered for mallory"),
    (signed_by_another_party, r"is by park\.example/log/grid, not by the author"),
    (extra_signature, r"it has 2 signatures; readings requires 1"),
    (repeated_signature, r"it has 2 signatures; readings requires 1"),
    (missing_signature, r"it has 1 signatures; key\.register requires 2"),
    (wrong_order_of_signatures, r"is not registered for farm"),
    (no_possession, r"where park\.example/log/farm\+[0-9a-f]{8} must sign"),
    (statement_changed_after_signing, r"does not fit the text"),
    (future_at, r"lies 301 s after the tick before it"),
    (tick_that_goes_back, r"the tick goes back in time"),
    (tick_by_another, r"only the operator operator may make a tick"),
    (replayed_id, r"was used before by farm"),
    (replayed_entry, r"was used before by farm"),
    (wrong_log, r"is of the log other\.example/log"),
    (second_genesis, r"log\.genesis is entry 0 and only that"),
    (first_sequence_not_zero, r"is at sequence 1; 0 must come next"),
    (sequence_gap, r"is at sequence 2; 1 must come next"),
    (sequence_repeated, r"is at sequence 0; 1 must come next"),
    (wrong_previous, r"previous is .* but the batch before has the leaf hash"),
    (party_by_another, r"only the operator operator may make a party\.register"),
    (party_without_replaces, r"replaces is empty, but in force for farm"),
    (party_replaces_a_stale_one, r"but in force for farm is"),
    (point_without_replaces, r"replaces is empty, but in force for aaaa"),
    (point_replaces_nothing, r"in force for a+ is nothing"),
    (key_for_an_unregistered_party, r"party mallory is not registered"),
    (key_for_another_party, r"grid is neither farm nor the operator"),
    (key_under_another_name, r"vkey is named park\.example/log/mallory"),
    (key_registered_again, r"was registered for farm before"),
    (replaces_an_unknown_key, r"00112233 that it replaces is not registered"),
    (replaces_a_key_without_its_signature, r"must sign with that key"),
    (endorsed_without_the_role, r"farm may not endorse keys"),
    (endorsed_unknown_key, r"is not registered for farm"),
    (run_by_another, r"only the operator operator may make a match\.run"),
    (run_from_the_future, r"as_of is 7, beyond"),
]


@pytest.mark.parametrize(
    ("attack", "rule"), ATTACKS, ids=lambda value: getattr(value, "__name__", "")
)
def test_attack(attack: Attack, rule: str, tmp_path: Path) -> None:
    log = forge.registered(Log())
    index = attack(log)
    log.tick()
    refused(log, tmp_path, index, rule)


# The genesis


@pytest.mark.parametrize("zone", ["+15:00", "+23:59", "+08:01", "8", "+0８:00", "Asia/Shanghai"])
def test_zones_that_are_none(zone: str, tmp_path: Path) -> None:
    log = Log()
    log.genesis(zone=zone)
    refused(log, tmp_path, 0, "is not a zone")


def test_the_operator_may_rotate(tmp_path: Path) -> None:
    log = forge.registered(Log())
    log.key(OPERATOR_NEXT, custody="operator", replaces=OPERATOR.id)
    log.add(log.statement("tick", "operator"), OPERATOR_NEXT)
    verify(log, tmp_path)


def test_no_genesis(tmp_path: Path) -> None:
    log = Log()
    log.tick()
    refused(log, tmp_path, 0, r"log\.genesis is entry 0")


def test_genesis_of_another_log_key(tmp_path: Path) -> None:
    log = Log()
    log.genesis(log_vkey=forge.Key(forge.ORIGIN, "another").vkey)
    with pytest.raises(VerificationError, match="which you trust, but which is no key of this log"):
        verify(log, tmp_path)


def test_genesis_with_one_key_for_log_and_operator(tmp_path: Path) -> None:
    log = Log()
    one = forge.Key(f"{forge.ORIGIN}/operator", LOG.seed)
    log.genesis(vkey=one.vkey)
    refused(log, tmp_path, 0, "the operator and the log have one public key")


def test_genesis_without_the_log_key(tmp_path: Path) -> None:
    log = Log()
    members = {"name": "P", "zone": "+08:00", "log_vkey": LOG.vkey, "vkey": OPERATOR.vkey}
    log.add(log.statement("log.genesis", "operator", **members), OPERATOR)
    refused(log, tmp_path, 0, "has 1 signatures")


def test_genesis_with_a_key_of_another_name(tmp_path: Path) -> None:
    log = Log()
    log.genesis(vkey=FARM.vkey)
    refused(log, tmp_path, 0, "vkey is named")


# Form of a statement: (change, what the message names)

FORMS: list[tuple[dict[str, Any], str]] = [
    ({"more": 1}, "unknown member more"),
    ({"source": None}, "true, false and null are not allowed"),
    ({"sequence": False}, "true, false and null are not allowed"),
    ({"sequence": 0.0}, r"0\.0 is not an integer"),
    ({"sequence": -1}, "-1 is not an integer from 0"),
    ({"sequence": "0"}, "0 is not an integer from 0"),
    ({"sequence": 2**53}, "is not an integer between"),
    ({"source": "Scada 1"}, "does not have the form"),
    ({"source": ""}, "does not have the form"),
    ({"source": "x" * 65}, "does not have the form"),
    ({"id": "AB" * 16}, "32 lower-case hex digits"),
    ({"at": "2026-02-30T00:00:00Z"}, "is not a time"),
    ({"at": "2026-01-01T00:00:00+08:00"}, "is not a time"),
    ({"at": "2026-01-01 00:00:00Z"}, "is not a time"),
    ({"author": "Farm"}, "does not have the form"),
    ({"log": "-x"}, "does not have the form"),
    ({"type": "reading"}, "reading is not a type of entry"),
    ({"type": 5}, "is not a type of entry"),
    ({"previous": "00"}, "64 lower-case hex digits"),
    ({"previous": "00" * 32}, "previous is empty exactly for sequence 0"),
    ({"body": "x"}, "it must be an object"),
    (
        {"body": {"root": "00" * 32, "size": 0, "media": forge.MEDIA + "readings"}},
        "0 is not an integer from 1",
    ),
    ({"body": {"root": "00" * 32, "size": 1, "media": "text/plain"}}, "is not one of"),
    ({"body": {"root": "00" * 32, "size": 1}}, "member media is missing"),
    (
        {"manifest": {"hash": "00" * 32, "size": 31, "media": forge.MEDIA + "manifest+json"}},
        "from 32 to",
    ),
    ({"source": "x" * 70_000}, "at most 65535 bytes"),
    ({"source": "\ud800"}, "surrogate"),
    ({"source": [[[[[[[[1]]]]]]]]}, "nested deeper than 8"),
]


@pytest.mark.parametrize(("change", "rule"), FORMS, ids=lambda value: str(value)[:40])
def test_form(change: dict[str, Any], rule: str, tmp_path: Path) -> None:
    log = forge.registered(Log())
    statement = log.readings_statement(READINGS) | change
    text = json.dumps(statement).encode() + b"\n"
    entry = forge.note(text, FARM)
    if len(entry) > 65_535:
        # No bundle can hold it, so it can only come with a proof.
        with pytest.raises(VerificationError, match=rule):
            parse_entry(entry)
        return
    refused(log, tmp_path, log.add_raw(entry), rule)


def test_missing_member(tmp_path: Path) -> None:
    log = forge.registered(Log())
    statement = log.readings_statement(READINGS)
    del statement["manifest"]
    refused(log, tmp_path, log.add(statement, FARM), "member manifest is missing")


def test_size_of_corrects(tmp_path: Path) -> None:
    log = forge.registered(Log())
    statement = log.readings_statement(READINGS) | {
        "type": "readings.correction",
        "corrects": forge.reference(bytes(64), "corrects"),
    }
    refused(
        log,
        tmp_path,
        log.add(statement, FARM),
        "corrects has 64 bytes, not a salt and 32 for each of 11",
    )


# Bytes of an entry: (from, to, what the message names)

BYTES: list[tuple[bytes, bytes, str]] = [
    (b'"sequence":0', b'"sequence":0,"sequence":0', "member sequence stands twice"),
    (b'"size":11', b'"size":11,"size":11', "member size stands twice"),
    (b'"sequence":0', b'"sequence":-0', "-0 is not an integer"),
    (b'"sequence":0', b'"sequence":1e3', "1e3 is not an integer"),
    (b'"sequence":0', b'"sequence":NaN', "NaN is not an integer"),
    (b'"sequence":0', b'"sequence":' + b"9" * 5000, "is not an integer between"),
    (b'"sequence":0', b'"sequence":00', "not JSON"),
    (b'"sequence":0', b'"sequence":0\t', "control character"),
    (b'"sequence":0', b'"sequence":\n0', "one line, one JSON object"),
    (b"}\n\n", b"} \n\n", "one line, one JSON object"),
    (b"}\n\n", b"}{}\n\n", "not JSON"),
    (b"}\n\n", b"}\n\n\n", "one line, one JSON object"),
    (b'{"type', b' {"type', "one line, one JSON object"),
    (b'{"type', b'\xef\xbb\xbf{"type', "one line, one JSON object"),
    (b"scada", b"sc\xffda", "not UTF-8"),
    (b"scada", b"sc\x00da", "control character"),
    (b"=\n", b"=", "does not end in a newline"),
    (b"=\n", b"=\n\n", "has no signatures"),
    (b"=\n", b"=\nmore\n", "is not a signature line"),
    (b"=\n", b" \n", "is not a signature line"),
    (b'"sequence":0', b'"sequence":' + b"[" * 20_000 + b"]" * 20_000, "nested deeper than 8"),
]


@pytest.mark.parametrize(("old", "new", "rule"), BYTES, ids=lambda value: repr(value)[:30])
def test_bytes(old: bytes, new: bytes, rule: str, tmp_path: Path) -> None:
    log = forge.registered(Log())
    text = json.dumps(log.readings_statement(READINGS), separators=(",", ":")).encode() + b"\n"
    good = forge.note(text, FARM)
    assert old in good
    entry = good.replace(old, new, 1) if b"=" not in old else good[: -len(old)] + new
    refused(log, tmp_path, log.add_raw(entry), rule)


def test_one_byte_below_the_limit(tmp_path: Path) -> None:
    """65,535 bytes are an entry; one more has no place in a bundle, and no parser takes it."""
    log = forge.registered(Log())
    text = json.dumps(log.statement("tick", "operator")).encode() + b"\n"
    missing = 65_535 - len(forge.note(text, OPERATOR))
    exact = text[:-2] + b" " * missing + text[-2:]
    log.add_raw(forge.note(exact, OPERATOR))
    assert len(log.entries[-1]) == 65_535
    assert verify(log, tmp_path).state is not None
    with pytest.raises(VerificationError, match="at most 65535 bytes, this one has 65536"):
        parse_entry(forge.note(exact[:-2] + b" " + exact[-2:], OPERATOR))
