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
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import VerificationError as ClientRefuses
from rfc3161_client import VerifierBuilder, decode_timestamp_response

from greenledger_verify.failure import NotCounted, VerificationError
from greenledger_verify.timestamp import Timestamp, verify_timestamp
from greenledger_verify.trust import trust_of
from greenledger_verify.tsacerts import Authority
from tests.verifier import forge_tsa as tsa
from tests.verifier.break_stamps import BELOW_MIDDLE, FORGED, issued
from tests.verifier.forge import LOG, START, sha256
from tests.verifier.forge_anchors import trust_text
from tests.verifier.forge_tsa import (
    EXPIRED,
    ROOT,
    SIGNER,
    STRANGER,
    TIME_STAMPING,
    Issued,
    Stamp,
    attribute,
    certificate_v1,
    integer,
    octets,
    oid,
    seq,
    set_of,
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


def openssl_accepts(self) -> bool:
    return not self.why if self.openssl is None else self.openssl


def issued(name: str, parent: Issued = ROOT, **more: object) -> Issued:
    return Issued(name, parent, **({"usages": TIME_STAMPING} | more))  # type: ignore[arg-type]


MIDDLE = Issued("Between", ROOT, ca=True)
BELOW_MIDDLE = issued("Below", MIDDLE)
SHALLOW_ROOT = Issued("Shallow root", ca=True, path_length=0)
SHALLOW_MIDDLE = Issued("Between, too deep", SHALLOW_ROOT, ca=True)
NO_CA = Issued("No authority", ROOT)
OLD_MIDDLE = Issued("Between, of 2025", ROOT, ca=True, years=(2025, 2025))
WEB_MIDDLE = Issued(
    "Between, for the web", ROOT, ca=True, usages=(ExtendedKeyUsageOID.SERVER_AUTH,)
)
NAMED_MIDDLE = Issued(
    "Between, for some names",
    ROOT,
    ca=True,
    more=((x509.NameConstraints([x509.DNSName("example.org")], None), True),),
)
ROOTS_NAME = tlv(0xA0, tlv(0xA4, ROOT.subject.public_bytes()))
SIGNERS_NAME = tlv(0xA0, tlv(0xA4, SIGNER.subject.public_bytes()))
OTHER_MESSAGE = sha256(b"something else")


def below(middle: Issued, root: Issued = ROOT) -> Stamp:
    signer = issued(f"Below {middle.name}", middle)
    return Stamp(signer=signer, certificates=(signer, middle))


FORGED = {
    "good": Forged(Stamp()),
    "signed over a chain of three": Forged(below(MIDDLE)),
    "no certificate in it": Forged(Stamp(certificates=()), others=(SIGNER,)),
    "the middle one in the trust file": Forged(Stamp(signer=BELOW_MIDDLE), others=(MIDDLE,)),
    "with its name": Forged(Stamp(info={"tsa": SIGNERS_NAME})),
    "without accuracy and nonce": Forged(Stamp(info={"accuracy": b"", "nonce": b""})),
    "with an attribute of SHA-1 and one of SHA-256": Forged(
        Stamp(attributes={"v1": certificate_v1(SIGNER)})
    ),
    "with an attribute of SHA-1 alone": Forged(
        Stamp(attributes={"certificate": certificate_v1(SIGNER)})
    ),
    "with fractions of a second": Forged(
        Stamp(info={"time": tlv(0x18, b"20260102000000.25Z")}),
    ),
    # The envelope
    "rejected": Forged(Stamp(status=integer(2)), "not granted"),
    "granted with changes": Forged(Stamp(status=integer(1)), "not granted", openssl=True),
    "words in its status": Forged(
        Stamp(status=integer(0) + seq(tlv(0x0C, b"all right"))), "words that nobody", openssl=True
    ),
    "no digest algorithm": Forged(
        Stamp(signed_data={"algorithms": set_of()}), "exactly one signer", openssl=False
    ),
    "another content type": Forged(
        Stamp(content_type="1.2.840.113549.1.7.1"), "not 1.2.840.113549.1.9.16.1.4"
    ),
    "no signer": Forged(Stamp(signed_data={"signers": set_of()}), "exactly one signer"),
    "attributes that nobody signed": Forged(
        Stamp(signer_info={"unsigned": tlv(0xA1, attribute("1.2.3", octets(b"x")))}),
        "attributes that nobody signed",
        openssl=True,
    ),
    # TSTInfo
    "version 2": Forged(Stamp(info={"version": integer(2)}), "a version"),
    "another imprint": Forged(
        Stamp(info={"imprint": seq(seq(oid(tsa.SHA256)), octets(OTHER_MESSAGE))}),
        "is of something else",
    ),
    "an imprint of SHA-1": Forged(
        Stamp(info={"imprint": seq(seq(oid("1.3.14.3.2.26")), octets(bytes(20)))}),
        "is not SHA-256",
    ),
    "another one's name": Forged(Stamp(info={"tsa": ROOTS_NAME}), "names another authority"),
    "a critical extension": Forged(
        Stamp(
            info={
                "extensions": tlv(0xA1, seq(oid("1.2.3"), tlv(0x01, b"\xff"), octets(b"\x05\x00")))
            }
        ),
        "a critical extension",
        openssl=True,
    ),
    "a time that does not exist": Forged(
        Stamp(info={"time": tlv(0x18, b"20260230000000Z")}), "does not exist", openssl=True
    ),
    "a time without zone": Forged(
        Stamp(info={"time": tlv(0x18, b"20260102000000")}), "not a GeneralizedTime", openssl=True
    ),
    # Signed attributes
    "digest of something else": Forged(
        Stamp(attributes={"digest": attribute("1.2.840.113549.1.9.4", octets(OTHER_MESSAGE))}),
        "message-digest is not that of the content",
    ),
    "no digest": Forged(Stamp(attributes={"digest": b""}), "has not exactly one value"),
    "no content type": Forged(
        Stamp(attributes={"type": b""}), "has not exactly one value", openssl=True
    ),
    "another content type in an attribute": Forged(
        Stamp(attributes={"type": attribute("1.2.840.113549.1.9.3", oid("1.2.3"))}),
        "the type is 1.2.3",
        openssl=True,
    ),
    "no certificate named": Forged(
        Stamp(attributes={"certificate": b""}), "no attribute signing-certificate"
    ),
    "another certificate named": Forged(
        Stamp(attributes={"certificate": certificate_v1(STRANGER)}), "names another certificate"
    ),
    "one of two names another": Forged(
        Stamp(attributes={"v1": certificate_v1(STRANGER)}), "names another certificate"
    ),
    "an attribute twice": Forged(
        Stamp(attributes={"again": attribute("1.2.840.113549.1.9.3", oid("1.2.3"))}),
        "stands twice",
        openssl=True,
    ),
    # The signature
    "signed by another key": Forged(Stamp(signed_by=STRANGER), "signature of the time-stamp"),
    "an algorithm that is not the key's": Forged(
        Stamp(signer_info={"algorithm": seq(oid("1.2.840.113549.1.1.11"), tlv(0x05))}),
        "not one for the signer's key",
        openssl=True,
    ),
    "an algorithm of another digest": Forged(
        Stamp(signer_info={"algorithm": seq(oid("1.2.840.10045.4.3.3"))}),
        "not one for the signer's key",
        openssl=True,
    ),
    # Certificates
    "of a stranger": Forged(Stamp(signer=STRANGER), "no chain leads"),
    "of a stranger who brings its root": Forged(
        Stamp(signer=STRANGER, certificates=(STRANGER, tsa.STRANGER_ROOT)), "no chain leads"
    ),
    "expired": Forged(Stamp(signer=EXPIRED), "was not valid at"),
    "expired between": Forged(below(OLD_MIDDLE), "was not valid at"),
    "issued by no authority": Forged(below(NO_CA), "may not issue others"),
    "too deep": Forged(below(SHALLOW_MIDDLE), "is longer than it allows", root=SHALLOW_ROOT),
    "between for the web": Forged(below(WEB_MIDDLE), "is not for time-stamps", openssl=True),
    "between with a critical extension": Forged(
        below(NAMED_MIDDLE), "a critical extension", openssl=True
    ),
    "no usage": Forged(Stamp(signer=issued("No usage", usages=())), "not for time-stamps alone"),
    "usage not critical": Forged(
        Stamp(signer=issued("Not critical", usage_critical=False)), "not for time-stamps alone"
    ),
    "two usages": Forged(
        Stamp(signer=issued("Two", usages=(*TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING))),
        "not for time-stamps alone",
    ),
    "a key that also enciphers": Forged(
        Stamp(signer=issued("Enciphers", key_bits={"key_encipherment": True})),
        "not for signatures alone",
    ),
}


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
    for _ in range(12):
        broken = bytearray(raw)
        broken[chance.randrange(len(raw) // 2, len(raw))] ^= 1 << chance.randrange(8)
        assert not openssl_accepts(tmp_path, bytes(broken), MESSAGE, roots, "", now_s)
