"""A bounded run over all targets, and what longer runs have found before: see `./dev fuzz`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ledger import files
from ledger.anchors.cosigner import parse_cosigner
from ledger.client.transport import read_problem
from ledger.errors import Corrupt, InvalidInput
from ledger.log import notes
from ledger.metering.payload import CSV, NDJSON, read_payload
from ledger.watching.conflict import read_conflict
from ledger.watching.cosigner import Cosigner
from tests.fuzz import engine, shown
from tests.fuzz.engine import SEED, Target, alarm, fault, kind_of, run, smaller
from tests.fuzz.mutate import any_bytes
from tests.fuzz.targets import TARGETS, shares

INPUTS = 10_000
FOUND = sorted((Path(__file__).parent / "found").glob("*-*"))


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_breaks_a_promise(name: str) -> None:
    """The same inputs each time: those of `./dev fuzz` with this seed, from the first on."""
    target, count = TARGETS[name], shares(INPUTS)[name]
    with alarm():
        tally = run(target, SEED, range(len(target.inputs) + count))
    assert [(one.number, one.why) for one in tally.findings] == [], f"seed {SEED} of {name}"
    assert tally.accepted >= 1, "what is well-formed is accepted"
    assert tally.accepted < tally.inputs, "what is spoiled is refused, now and then"


def test_what_was_found_is_mended() -> None:
    for path in FOUND:
        target = TARGETS[path.name.rpartition("-")[0]]
        with alarm():
            assert fault(target, path.read_bytes())[1] == "", path.name


# The fuzzer itself finds what it looks for


def hungry(data: bytes) -> bool:
    """A judge with three faults."""
    if b"loop" in data:
        while True:
            pass
    if b"crash" in data:
        raise KeyError(data)
    assert b"forged" not in data, "accepted"
    return True


def test_each_kind_of_fault_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "CPU_S_MAX", 0.2)
    inputs = [b"a good one", b"a loop", b"a crash in words", b"a forged one"]
    target = Target(name="any", corpus=lambda: inputs, judge=hungry, mutate=any_bytes, share=1)
    with alarm():
        found = run(target, SEED, range(len(inputs))).findings
        assert [kind_of(one.why).split()[0] for one in found] == [
            "Hang",
            "KeyError",
            "AssertionError",
        ]
        assert smaller(target, found[1]) == b"crash"


def test_inputs_are_the_same_in_each_run() -> None:
    target = TARGETS["frame"]
    numbers = range(200, 220)
    made = [target.input(SEED, number) for number in numbers]
    assert made == [target.input(SEED, number) for number in numbers]
    assert made != [target.input(SEED + 1, number) for number in numbers]


def test_evidence_of_another_claim_is_told_from_the_same() -> None:
    """What the judge would take for the same claim is the same: `plain_evidence` leaves out no
    more than the format leaves free."""
    raw = shown.EVIDENCE.inputs[0]
    assert shown.plain_evidence(raw.replace(b'"part":"cells"', b'"part":"call"', 1)) not in (
        shown.wanted_evidence()
    )
    assert shown.plain_evidence(raw.replace(b'"claim":"', b'"claim":"0', 1)) not in (
        shown.wanted_evidence()
    )


def test_the_command() -> None:
    """As `./dev fuzz` calls it: two processes, a summary, no finding."""
    told = subprocess.run(
        [
            *[sys.executable, "-m", "tests.fuzz", "--inputs", "600", "--jobs", "2"],
            *["--target", "frame", "--target", "vkey"],
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.endswith(f"seed {SEED}: 0 findings\n")
    assert "600 inputs in" in told.stdout


# What it has found, by itself


def test_a_problem_nested_without_end_is_no_problem() -> None:
    found = read_problem(409, "application/problem+json", b"[" * 20_000)
    assert (found.status, found.members) == (409, {})


def test_a_conflict_nested_without_end_is_none() -> None:
    with pytest.raises(Corrupt, match="no evidence of a conflict"):
        read_conflict(b"[" * 20_000, [])


def test_no_witness_has_such_a_name() -> None:
    with pytest.raises(InvalidInput, match="no name of a key"):
        Cosigner.from_seed("a\udcffb", 4, bytes(32))
    with pytest.raises(InvalidInput, match="not of the form"):
        parse_cosigner("a\udcffb+00000000+BA==")


@pytest.mark.parametrize("name", ["a\udcffb", "a b", "", "a\nb", "a+b"])
def test_no_key_has_such_a_name(name: str) -> None:
    seed = notes.SigningKey.from_seed("any", bytes(32))
    skey = notes.write_skey(seed).replace("+any+", f"+{name}+")
    with pytest.raises(InvalidInput):
        notes.parse_skey(skey)
    with pytest.raises(InvalidInput):
        notes.parse_vkey(seed.verify_key.vkey.replace("any+", f"{name}+", 1))


@pytest.mark.parametrize(
    ("media", "data"),
    [
        (CSV, b"\xff,start_s,value\np,0,1\n"),
        (NDJSON, b'{"point":"p","start":"2026-03-01T00\xd800:00Z","value":1}\n'),
        (NDJSON, b'{"point":"\xd8","start":"2026-03-01T00:00:00Z","value":1}\n'),
    ],
)
def test_readings_that_are_no_utf8(media: str, data: bytes) -> None:
    with pytest.raises(InvalidInput, match="can be read"):
        read_payload(media, data, lambda names: dict.fromkeys(names, 900))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x = " + "9" * 5_000, "integer string conversion"),
        ("x = " + "[" * 5_000, "not a TOML file"),
        ("x" + ".x" * 5_000 + " = 1", "33 parts"),
        ("[x" + ' . "x"' * 40 + "]", "33 parts"),
        ("x = {y" + ".y" * 40 + " = 1}", "33 parts"),
        ("# " + "x" * 300_000, "262,144 is the most"),
    ],
)
def test_toml_that_no_person_writes(text: str, why: str) -> None:
    """A key of many parts takes the parser time by the square of their number."""
    with pytest.raises(InvalidInput, match=why):
        files.parse_toml(text, "a file")


def test_toml_that_a_person_writes() -> None:
    text = "# 1.2.3.4 ...... \n[a.b.c]\nd.e = 'x.y.z'\n"
    assert files.parse_toml(text, "a file") == {"a": {"b": {"c": {"d": {"e": "x.y.z"}}}}}
