"""Time-stamps: the published responses; forged ones, each also judged by `openssl ts -verify`; and
tokens that openssl and nobody of ours has made.

What openssl refuses is never accepted. Where it accepts what is refused here, it stands in the
table, so that a new difference is noticed.
"""

import base64
import json
import random
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from rfc3161_client import VerificationError as ClientRefuses
from rfc3161_client import VerifierBuilder, decode_timestamp_response

from greenledger_verify.failure import NotCounted, VerificationError
from greenledger_verify.timestamp import Timestamp, verify_timestamp
from greenledger_verify.trust import trust_of
from greenledger_verify.tsacerts import Authority
from tests.verifier import forge_tsa as tsa
from tests.verifier.break_stamps import BELOW_MIDDLE, FORGED, MIDDLE, issued
from tests.verifier.forge import LOG, START
from tests.verifier.forge_anchors import trust_text
from tests.verifier.forge_tsa import (
    ROOT,
    Issued,
    Stamp,
    integer,
    seq,
    tlv,
    trust_table,
)

MESSAGE = b"park.example/log\n3\nroot\n"
TIME_S = START + 86_400


def authority_of(root: Issued = ROOT, *others: Issued) -> Authority:
    return authority_in(trust_table(root, *others))


def authority_in(table: str) -> Authority:
    (authority,) = trust_of([], trust_text(log_vkey=LOG.vkey, authority=table).encode()).authorities
    return authority


def judge(raw: bytes, authority: Authority, message: bytes = MESSAGE) -> Timestamp:
    return verify_timestamp(raw, message, [authority])


# Published


def test_published_responses(shared: Path) -> None:
    cases = json.loads((shared / "vectors/rfc3161_fixtures.json").read_text())["cases"]
    assert len(cases) == 8
    refused = set()
    for case in cases:
        authority = authority_in(
            f"[[authority]]\nname = 'a'\ncertificates = '''{case['chain_pem']}'''\n"
        )
        raw, message = base64.b64decode(case["tsr_base64"]), case["message"].encode()
        if case["observed_with_rfc3161_client_1_0_9"] != "True":
            with pytest.raises(VerificationError):
                judge(raw, authority, message)
            refused.add(case["file"])
            continue
        found = judge(raw, authority, message)
        assert utc_text(found.time_us) == case["gen_time"]
        assert found.accuracy_us == 1_000_000
        assert found.unneeded == (2 if case["file"] == "response-injected-certs.tsr" else 0)
        with pytest.raises(VerificationError, match="is of something else"):
            judge(raw, authority, message + b"!")
    assert refused == {"response-invalid-signature.tsr", "other_response.tsr"}


def utc_text(time_us: int) -> str:
    done = subprocess.run(
        ["date", "-u", "-d", f"@{time_us // 1_000_000}", "+%F %T+00:00"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


# Forged: what is right but for one thing


def openssl_accepts(
    folder: Path, raw: bytes, message: bytes, roots: str, others: str, time_s: int = TIME_S
) -> bool:
    (folder / "message").write_bytes(message)
    (folder / "response.tsr").write_bytes(raw)
    (folder / "roots.pem").write_text(roots)
    (folder / "others.pem").write_text(others)
    arguments = ["-in", "response.tsr", "-data", "message", "-CAfile", "roots.pem"]
    arguments += ["-untrusted", "others.pem"] if others else []
    done = subprocess.run(
        ["openssl", "ts", "-verify", *arguments, "-attime", str(time_s)],
        cwd=folder,
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode == 0) == (b"Verification: OK" in done.stdout + done.stderr)
    return done.returncode == 0


@pytest.mark.parametrize("name", FORGED)
def test_forged(name: str, tmp_path: Path) -> None:
    case = FORGED[name]
    raw = case.stamp.response(MESSAGE, TIME_S)
    authority = authority_of(case.root, *case.others)
    others = "".join(one.pem for one in case.others)
    assert openssl_accepts(tmp_path, raw, MESSAGE, case.root.pem, others) is case.openssl_accepts
    if case.why:
        with pytest.raises(VerificationError, match=case.why):
            judge(raw, authority)
    else:
        found = judge(raw, authority)
        assert found.authority == "authority.example"
        assert found.time_us // 1_000_000 == TIME_S


def test_what_is_not_counted_is_not_called_false() -> None:
    """Nothing is known against these; but they add nothing either."""
    uncounted = {
        name
        for name, case in FORGED.items()
        if case.why and is_uncounted(case.stamp.response(MESSAGE, TIME_S))
    }
    assert uncounted == {
        "granted with changes",
        "words in its status",
        "attributes that nobody signed",
        "of a stranger",
        "of a stranger who brings its root",
        "too deep",
    }


def is_uncounted(raw: bytes) -> bool:
    try:
        judge(raw, authority_of())
    except NotCounted:
        return True
    except VerificationError:
        return False
    return False


def test_time_and_accuracy() -> None:
    parts = seq(integer(2), tlv(0x80, b"\x05"), tlv(0x81, b"\x07"))
    stamp = Stamp(info={"time": tlv(0x18, b"20260102000000.25Z"), "accuracy": parts})
    found = judge(stamp.response(MESSAGE, TIME_S), authority_of())
    assert found.time_us == TIME_S * 1_000_000 + 250_000
    assert found.accuracy_us == 2_005_007
    assert found.not_before_s == TIME_S - 2
    assert found.not_after_s == TIME_S + 3


def test_the_chain_that_holds_counts_where_another_does_not() -> None:
    """The same authority has an expired certificate and a good one, of one name and key."""
    old = Issued("Between", ROOT, ca=True, years=(2025, 2025))
    for given in ((BELOW_MIDDLE, old, MIDDLE), (BELOW_MIDDLE, MIDDLE, old)):
        raw = Stamp(signer=BELOW_MIDDLE, certificates=given).response(MESSAGE, TIME_S)
        assert judge(raw, authority_of()).unneeded == 1


def test_a_heap_of_certificates_that_issue_each_other() -> None:
    """All of one name and key: a search by paths would never come to an end."""
    heap = tuple(
        Issued("Between", ROOT, ca=True, years=(2025, 2030 + number)) for number in range(15)
    )
    signer = issued("Below the heap", heap[0])
    stamp = Stamp(signer=signer, certificates=(signer, *heap))
    with pytest.raises(NotCounted):
        judge(stamp.response(MESSAGE, TIME_S), authority_of(tsa.STRANGER_ROOT))


def test_any_bit_of_a_response() -> None:
    """One bit of each byte, whichever: never accepted. No byte is free to change."""
    raw = Stamp().response(MESSAGE, TIME_S)
    chance = random.Random(1)
    authority = authority_of()
    judge(raw, authority)
    for at in range(len(raw)):
        broken = bytearray(raw)
        broken[at] ^= 1 << chance.randrange(8)
        with pytest.raises(VerificationError) as caught:
            judge(bytes(broken), authority)
        assert caught.value.render("zh"), at


def test_cut_and_spliced() -> None:
    raw = Stamp().response(MESSAGE, TIME_S)
    chance = random.Random(2)
    for _ in range(300):
        a, b = sorted(chance.sample(range(len(raw)), 2))
        for broken in (raw[:a], raw[b:], raw[:a] + raw[b:], raw[:b] + raw[a:], raw + raw[a:b]):
            with pytest.raises(VerificationError):
                judge(broken, authority_of())


def test_nested_without_end() -> None:
    nested = b""
    for _ in range(9000):
        nested = tlv(0x30, nested)
    for raw in (nested, b"\x30\x80" * 20_000, b"\x30" * 60_000, bytes(70_000)):
        with pytest.raises(VerificationError):
            judge(raw, authority_of())


# Made by openssl, of keys that it made


CONFIG = """
[ tsa ]
default_tsa = t
[ t ]
serial = {folder}/serial
signer_digest = {digest}
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1, millisecs:500
ess_cert_id_alg = {ess}
tsa_name = yes
[ req ]
distinguished_name = dn
[ dn ]
[ root ]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[ signer ]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
"""
RSA = ["rsa:2048"]
P384 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]
KINDS = {
    "rsa": (RSA, "sha256", "sha256"),
    "rsa-sha512-and-a-name-by-sha1": (RSA, "sha512", "sha1"),
    "p-384": (P384, "sha384", "sha384"),
}


@pytest.fixture(scope="module", params=KINDS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `root.pem` and a token over MESSAGE, `token.tsr`."""
    folder = tmp_path_factory.mktemp("tsa")
    kind, digest, ess = KINDS[request.param]
    (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder, digest=digest, ess=ess))
    (folder / "serial").write_text("01\n")
    (folder / "message").write_bytes(MESSAGE)
    new = ["req -new -nodes -config tsa.cnf -newkey", *kind]
    for command in (
        [*new, "-x509 -days 9 -subj /CN=R -extensions root -keyout root.key -out root.pem"],
        [*new, "-subj /O=Time/CN=T -keyout tsa.key -out tsa.csr"],
        [
            "x509 -req -in tsa.csr -CA root.pem -CAkey root.key -CAcreateserial -days 9",
            "-extfile tsa.cnf -extensions signer -out tsa.pem",
        ],
        ["ts -query -data message -sha256 -cert -out query.tsq"],
        [
            "ts -reply -queryfile query.tsq -config tsa.cnf -signer tsa.pem -inkey tsa.key",
            "-out token.tsr",
        ],
    ):
        arguments = " ".join(command).split()
        done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
    return folder


def client_accepts(raw: bytes, root_pem: str) -> bool:
    """What the library rfc3161-client says, which stands on a CMS reader of its own."""
    root = x509.load_pem_x509_certificate(root_pem.encode())
    try:
        response = decode_timestamp_response(raw)
        verifier = VerifierBuilder().add_root_certificate(root).build()
        return bool(verifier.verify_message(response, MESSAGE))
    except (ClientRefuses, ValueError):
        return False


def test_made_by_openssl(made: Path, tmp_path: Path) -> None:
    """Three judges agree on what openssl has made, and on what is broken in it."""
    raw, roots = (made / "token.tsr").read_bytes(), (made / "root.pem").read_text()
    authority = authority_in(f"[[authority]]\nname = 'a'\ncertificates = '''{roots}'''\n")
    found = judge(raw, authority)
    now_s = int(subprocess.run(["date", "+%s"], capture_output=True, check=True).stdout)
    assert now_s - 120 < found.time_us // 1_000_000 <= now_s
    assert (found.accuracy_us, found.unneeded) == (1_500_000, 0)
    assert openssl_accepts(tmp_path, raw, MESSAGE, roots, "", now_s)
    assert client_accepts(raw, roots)
    chance = random.Random(len(raw))
    accepted = []
    for _ in range(400):
        broken = bytearray(raw)
        broken[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        try:
            judge(bytes(broken), authority)
        except VerificationError:
            continue
        accepted.append(bytes(broken))
    assert accepted == []
    # Openssl does not look at every byte, but at most of them: both say no to the same file.
    refused = 0
    for _ in range(12):
        broken = bytearray(raw)
        broken[chance.randrange(len(raw) // 2, len(raw))] ^= 1 << chance.randrange(8)
        refused += not openssl_accepts(tmp_path, bytes(broken), MESSAGE, roots, "", now_s)
    assert refused >= 6
