"""Who vouches: anchors, auditing witnesses, second keys, policies and pins, in what is good; and no
bit of a token or a cosignature that counts may change unseen.
"""

import base64
import io
import random
import struct
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from greenledger_verify import mldsa
from greenledger_verify.checkpoint import verify_checkpoint
from greenledger_verify.explain import explain_checkpoint
from greenledger_verify.explain_evidence import judge_evidence
from greenledger_verify.explain_log import explain_log
from greenledger_verify.failure import UnusableInput, VerificationError
from greenledger_verify.logdir import verify_log
from greenledger_verify.pins import with_pins
from greenledger_verify.report import Report
from greenledger_verify.trust import Trust, trust_of
from tests.servers.witness import Cosigner
from tests.verifier import forge
from tests.verifier.forge import LOG, START, WITNESS, Key, Log, sha256
from tests.verifier.forge_anchors import (
    AUDITOR,
    COSIGNED_S,
    STAMP_S,
    Anchored,
    anchor,
    token,
    trust_text,
)
from tests.verifier.forge_evidence import Evidence
from tests.verifier.forge_tsa import ROOT, SIGNER, STRANGER, Issued, Stamp, trust_table

MADE = Anchored()


def trust(**more: Any) -> Trust:
    return trust_of([], trust_text(log_vkey=LOG.vkey, **more).encode())


def judged(
    evidence: Evidence | bytes, roots: Trust | None = None, log: Path | None = None
) -> Report:
    raw = evidence if isinstance(evidence, bytes) else evidence.raw()
    report = Report()
    judge_evidence(io.BytesIO(raw), log, None, roots or trust(), report)
    return report


def values(report: Report, line: str) -> dict[str, Any]:
    return report.lines[line].values


def words(report: Report) -> str:
    texts = [text for line in report.lines.values() for text in line.texts]
    return "\n".join(map(str, texts + report.established + report.not_established))


# What anchors say


def test_anchored() -> None:
    report = judged(MADE.evidence(), trust(policy="witnesses = 2\nauditing = 1\nauthorities = 1"))
    bracket = values(report, "time_bracket")
    assert bracket["not_yet_at"] == forge.at(STAMP_S - 3600 - 1)
    assert bracket["not_after"] == forge.at(STAMP_S + 1)
    assert bracket["not_after_by"] == "authority.example"
    said = words(report)
    assert "the log, as then shown, did not hold the claim yet, says authority.example" in said
    assert f"not after {forge.at(COSIGNED_S)}: the witness witness.example cosigned" in said
    assert values(report, "witnesses") == {
        "count": 2,
        "names": [AUDITOR.name, WITNESS.name],
        "auditing": [AUDITOR.name],
    }
    assert values(report, "authorities")["stamps"] == [
        {
            "authority": "authority.example",
            "size": MADE.sizes[1],
            "time": forge.at(STAMP_S),
            "accuracy_us": 1_000_000,
        }
    ]
    single = values(report, "single_use")
    assert (single["established"], single["by"], single["as_of"]) == (
        True,
        "witnesses",
        MADE.sizes[2],
    )
    assert "by the word of auditor.example: the single-use rule was checked" in said
    assert "That the auditing witnesses have checked what they say" in said
    assert values(report, "status")["state"] == "not-established"
    assert "The witness auditor.example cosigned this checkpoint" in said


def test_who_is_not_trusted_does_not_count() -> None:
    report = judged(MADE.evidence(), trust_of([LOG.vkey]))
    assert values(report, "witnesses")["count"] == 0
    assert values(report, "authorities")["count"] == 0
    assert values(report, "authorities")["not_counted"] == 2
    assert "2 time-stamps are not counted: no chain leads from its signer" in words(report)
    assert not values(report, "single_use")["established"]
    assert values(report, "time_bracket")["not_after"] == ""


def test_an_auditor_before_the_claim_says_nothing_of_it() -> None:
    """It has checked entries that do not hold the claim."""
    anchors = [anchor(MADE.log, MADE.sizes[0], witnesses=(AUDITOR,))]
    report = judged(MADE.evidence(anchors))
    assert not values(report, "single_use")["established"]
    assert values(report, "witnesses")["count"] == 0
    assert values(report, "time_bracket")["not_yet_by"] == AUDITOR.name


def test_certificates_that_nobody_needs() -> None:
    """Many authorities send along cross-signed certificates, or their root: these say nothing."""
    stamp = Stamp(certificates=(SIGNER, STRANGER))
    anchors = [anchor(MADE.log, MADE.sizes[1], MADE.token(1, stamp))]
    assert values(judged(MADE.evidence(anchors)), "authorities")["count"] == 1
    anchors = [anchor(MADE.log, MADE.sizes[1], MADE.token(1, Stamp(certificates=(SIGNER, ROOT))))]
    assert values(judged(MADE.evidence(anchors)), "authorities")["count"] == 1


def test_times_that_contradict_each_other() -> None:
    early = token(MADE.log, MADE.sizes[1], time_s=START)
    report = judged(MADE.evidence([anchor(MADE.log, MADE.sizes[1], early)]))
    assert "these times contradict each other" in words(report)


def test_two_authorities() -> None:
    """Each by its own roots; two names are two."""
    roots = trust(
        authority=trust_table() + trust_table(STRANGER.parent or ROOT, name="second.example"),
        policy="authorities = 2",
    )
    tokens = [MADE.token(1), MADE.token(1, Stamp(signer=STRANGER))]
    report = judged(MADE.evidence([anchor(MADE.log, MADE.sizes[1], *tokens)]), roots)
    assert values(report, "authorities")["names"] == ["authority.example", "second.example"]


# Pins


def test_pins_and_evidence() -> None:
    """An anchor of just that size shows it; so does the log; else it stays open."""
    text = "The {} entries that you saw before are its beginning."
    hashes = MADE.log.hashes
    for size in MADE.sizes:
        report = judged(MADE.evidence(), trust(pin=(size, forge.mth(hashes[:size]))))
        assert text.format(size) in words(report)
    size = MADE.sizes[0] - 1
    roots = trust(pin=(size, forge.mth(hashes[:size])))
    assert f"That the {size} entries that you saw before are its beginning" in words(
        judged(MADE.evidence(), roots)
    )


def test_pins_and_the_log(tmp_path: Path) -> None:
    folder = MADE.log.export(tmp_path / "log")
    size = MADE.sizes[0] - 1
    hashes = MADE.log.hashes
    good, fork = trust(pin=(size, forge.mth(hashes[:size]))), trust(pin=(size, bytes(32)))
    said = words(judged(MADE.evidence(), good, folder))
    assert f"The {size} entries that you saw before are its beginning." in said
    with pytest.raises(VerificationError, match="the log was forked"):
        judged(MADE.evidence(), fork, folder)
    report = Report()
    explain_log(verify_log(folder, good, report), good, report)
    assert f"The {size} entries that you saw before are its beginning." in words(report)
    for other, why in (
        (fork, "the log was forked"),
        (trust(pin=(len(hashes) + 1, bytes(32))), "it is replayed"),
        (trust(policy="witnesses = 1"), "0 witnesses vouch"),
        (trust(policy="authorities = 1"), "0 time-stamping authorities vouch"),
    ):
        with pytest.raises(VerificationError, match=why):
            verify_log(folder, other, Report())


def test_pinned_roots_of_a_large_log(tmp_path: Path) -> None:
    """Sizes around the width of a tile."""
    log = Log()
    log.genesis()
    for _ in range(519):
        log.tick()
    folder = log.export(tmp_path / "log")
    for size in (1, 255, 256, 257, 511, 512, 513, 519):
        root = forge.mth(log.hashes[:size])
        assert verify_log(folder, trust(pin=(size, root)), Report()).roots == {size: root}


def test_pinned_checkpoints_as_files() -> None:
    log = forge.park().log
    pinned = with_pins(trust(), [("seen", log.checkpoint(4))])
    (pin,) = pinned.pins_of(forge.ORIGIN)
    assert (pin.size, pin.root) == (4, forge.mth(log.hashes[:4]))
    other = Log(entries=[b"x"] * 4)
    with pytest.raises(UnusableInput, match="one of them is of a fork"):
        with_pins(trust(), [("seen", log.checkpoint(4)), ("other", other.checkpoint())])
    with pytest.raises(UnusableInput, match="no signature by a key you trust"):
        with_pins(trust(), [("seen", forge.note(log.checkpoint_text(), forge.MALLORY))])


# ML-DSA-44


def mldsa_key(name: str) -> tuple[MLDSA44PrivateKey, bytes, str]:
    """The key, its id and its vkey."""
    key = MLDSA44PrivateKey.from_seed_bytes(sha256(name.encode()))
    public = b"\x06" + key.public_key().public_bytes_raw()
    key_id = sha256(name.encode() + b"\n" + public)[:4]
    return key, key_id, f"{name}+{key_id.hex()}+{base64.b64encode(public).decode()}"


def mldsa_line(name: str, log: Log, at_s: int) -> bytes:
    """The structure of C2SP tlog-cosignature, written out."""
    key, key_id, _ = mldsa_key(name)
    size = len(log.entries)
    message = b"subtree/v1\n\x00" + bytes([len(name)]) + name.encode() + struct.pack(">Q", at_s)
    message += bytes([len(log.origin)]) + log.origin.encode() + struct.pack(">QQ", 0, size)
    raw = key_id + struct.pack(">Q", at_s) + key.sign(message + forge.mth(log.hashes))
    return b"\xe2\x80\x94 " + name.encode() + b" " + base64.b64encode(raw) + b"\n"


def test_cosigned_by_ml_dsa() -> None:
    log, name = forge.park().log, "pq.example"
    roots = trust_of([LOG.vkey, mldsa_key(name)[2]])
    raw = log.checkpoint() + mldsa_line(name, log, START)
    (one,) = verify_checkpoint(raw, roots).cosignatures
    assert (one.key.name, one.time_s) == (name, START)
    (one,) = verify_checkpoint(log.checkpoint() + mldsa_line(name, log, 0), roots).cosignatures
    assert one.time_s is None
    other = Log(entries=log.entries[:-1])
    with pytest.raises(VerificationError, match=r"pq\.example .* does not fit"):
        verify_checkpoint(log.checkpoint() + mldsa_line(name, other, START), roots)


def test_the_second_key_of_the_log() -> None:
    log = forge.park().log
    vkey = mldsa_key(forge.ORIGIN)[2]
    toml = trust_text(log_vkey=LOG.vkey) + f"[[log]]\norigin = '{forge.ORIGIN}'\nvkey = '{vkey}'\n"
    raw = log.checkpoint() + mldsa_line(forge.ORIGIN, log, START)
    for roots in (trust_of([LOG.vkey, vkey]), trust_of([], toml.encode())):
        signed = verify_checkpoint(raw, roots)
        assert [key.vkey for key in signed.second_keys] == [vkey]
        assert signed.cosignatures == ()
        for note, said in ((raw, "has signed it too"), (log.checkpoint(), "its line is not there")):
            report = Report()
            explain_checkpoint(verify_checkpoint(note, roots), roots, report)
            assert said in words(report)
    with pytest.raises(UnusableInput, match="no log key given"):
        trust_of([vkey])


def test_a_library_without_ml_dsa(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line counts as absent, and the answer says why."""
    monkeypatch.setattr(mldsa, "AVAILABLE", False)
    log, name = forge.park().log, "pq.example"
    roots = trust_of([LOG.vkey, mldsa_key(name)[2]])
    signed = verify_checkpoint(log.checkpoint() + mldsa_line(name, log, START), roots)
    assert signed.cosignatures == ()
    report = Report()
    explain_checkpoint(signed, roots, report)
    assert "Whether the ML-DSA-44 signature by pq.example holds" in words(report)


# The file --trust


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[witness]]\nvkey = '{log}'", "is not a witness's"),
        ("[[witness]]\nvkey = '{witness}'\naudits = 1", "is not of the type bool"),
        ("[[witness]]\nvkey = '{witness}'\nmore = 1", "has the members vkey"),
        ("[[witness]]\nvkey = '{same}'", "is also that of"),
        ("[[log]]\norigin = 'x'\nvkey = '{log}'\nsize = 3", "stand together"),
        ("[[log]]\norigin = 'x'\nvkey = '{log}'\nsize = true\nroot = ''", "not of the type int"),
        ("[[log]]\norigin = 'x'\nvkey = '{log}'\nsize = 0\nroot = ''", "from 1 on"),
        ("[[log]]\norigin = 'x'\nvkey = '{log}'\nsize = 3\nroot = 'AA'", "hex digits"),
        ("[[log]]\norigin = 'x'\nvkey = '{witness}'", "is a witness's"),
        ("[[authority]]\nname = 'a'\ncertificates = ''", "a root certificate"),
        ("[[authority]]\nname = 'a'\ncertificates = '''{signer}'''", "a root certificate"),
        ("{authority}{authority}", "have one name"),
        ("[policy]\nwitnesses = -1", "from 0 on"),
        ("[policy]\nmore = 1", "a table policy"),
        ("[[policy]]\nwitnesses = 1", "must consist of"),
    ],
)
def test_unusable_trust_files(text: str, why: str) -> None:
    same = forge.Key("another.example", "log").vkey_of(4)
    filled = text.format(
        log=LOG.vkey,
        witness=WITNESS.vkey_of(4),
        same=same,
        signer=SIGNER.pem,
        authority=trust_table(),
    )
    log = f"[[log]]\norigin = '{forge.ORIGIN}'\nvkey = '{LOG.vkey}'\n"
    with pytest.raises(UnusableInput, match=why):
        trust_of([], (log + filled).encode())


# No bit is free


def vouched(report: Report) -> tuple[object, ...]:
    return (
        values(report, "witnesses")["names"],
        values(report, "authorities")["stamps"],
        values(report, "single_use")["by"],
    )


def test_any_bit_of_what_vouches() -> None:
    """A token, and the signature lines of log and witness: refused, or no more counted. (A line
    whose name or key id has changed is by somebody unknown, and ignored.)
    """
    chance = random.Random(3)
    anchors = [anchor(MADE.log, MADE.sizes[1], MADE.token(1), witnesses=(AUDITOR,))]
    good = vouched(judged(MADE.evidence(anchors, level="total")))
    assert good[0]
    assert good[1]
    for number in range(240):
        one = dict(anchors[0])
        if number % 2:
            raw = bytearray(base64.b64decode(one["tokens"][0]))
            raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
            one["tokens"] = [base64.b64encode(raw).decode()]
        else:
            text = bytearray(one["checkpoint"].encode())
            text[chance.randrange(len(text))] ^= 1 << chance.randrange(7)
            try:
                one["checkpoint"] = text.decode()
            except UnicodeDecodeError:
                continue
        try:
            report = judged(MADE.evidence([one], level="total"))
        except VerificationError:
            continue
        assert vouched(report) != good, number


# Who would vouch for itself


def test_the_second_key_of_a_log_is_no_witness() -> None:
    """However its user gives it: beside a --trust file, or in it."""
    second = Cosigner(forge.ORIGIN, 6)
    text = MADE.log.checkpoint_text()
    raw = forge.note(text, LOG) + second.line(text, 0)
    found = verify_checkpoint(raw, trust_of([second.vkey], trust_text(log_vkey=LOG.vkey).encode()))
    assert found.cosignatures == ()
    assert [key.vkey for key in found.second_keys] == [second.vkey]
    for vkey in (second.vkey, LOG.vkey_of(4)):
        with pytest.raises(UnusableInput, match="has the name of a log: it would vouch for itself"):
            trust(authority=f"[[witness]]\nvkey = '{vkey}'\n")


def test_one_root_is_one_authority() -> None:
    """Also where another certificate holds its key."""
    again = Issued(ROOT.name, ca=True, years=(2026, 2030))
    assert again.der != ROOT.der
    for root in (ROOT, again):
        with pytest.raises(UnusableInput, match="have a root of one key"):
            trust(authority=trust_table() + trust_table(root, name="another.example"))


def test_a_party_is_no_witness_of_what_it_signed(tmp_path: Path) -> None:
    """The operator's key, under the name of a witness."""
    names = Key("independent.example", forge.OPERATOR.seed)
    roots = trust(authority=f"[[witness]]\nvkey = '{names.vkey_of(4)}'\n")
    why = "the key of the witness independent.example is registered in the log"
    anchors = [anchor(MADE.log, len(MADE.log.entries), witnesses=(names,))]
    with pytest.raises(VerificationError, match=why):
        judged(MADE.evidence(anchors), roots)
    folder = MADE.log.export(tmp_path)
    with (folder / "checkpoint").open("ab") as file:
        file.write(names.cosignature_line(MADE.log.checkpoint_text(), COSIGNED_S))
    with pytest.raises(VerificationError, match=why):
        verify_log(folder, roots, Report())


def test_a_cosignature_without_a_time_brackets_nothing() -> None:
    anchors = [anchor(MADE.log, len(MADE.log.entries), witnesses=(WITNESS,), at_s=0)]
    report = judged(MADE.evidence(anchors))
    assert values(report, "witnesses")["names"] == [WITNESS.name]
    assert values(report, "time_bracket")["not_after"] == ""
