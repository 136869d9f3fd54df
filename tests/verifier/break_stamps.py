"""Time-stamps that are right but for one thing, and what must be said of each."""

from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.verifier import forge_tsa as tsa
from tests.verifier.forge import sha256
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
)


@dataclass(frozen=True)
class Forged:
    """A response; ``why`` is empty where it is accepted. ``openssl`` accepts it: as we, or not."""

    stamp: Stamp
    why: str = ""
    openssl: bool | None = None
    root: Issued = ROOT
    others: tuple[Issued, ...] = ()

    @property
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
    "granted with changes": Forged(Stamp(status=integer(1)), "with modifications", openssl=True),
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
