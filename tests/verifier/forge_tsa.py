"""A forger's workshop for time-stamps: RFC 3161 responses, written in DER by hand.

Keys come from seeds and signatures are deterministic, so that every run makes the same bytes. What
`openssl ts -verify` says of the good ones is seen in test_timestamp.
"""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.verifier.forge import sha256

SHA256 = "2.16.840.1.101.3.4.2.1"
YEARS = (2025, 2035)


def tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    field_ = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(field_)]) + field_ + content


def seq(*parts: bytes) -> bytes:
    return tlv(0x30, *parts)


def set_of(*parts: bytes) -> bytes:
    return tlv(0x31, *sorted(parts))


def integer(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    out = b""
    for arc in (40 * first + second, *rest):
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.insert(0, 0x80 | arc & 0x7F)
        out += bytes(digits)
    return tlv(0x06, out)


def octets(raw: bytes) -> bytes:
    return tlv(0x04, raw)


def attribute(kind: str, *values: bytes) -> bytes:
    return seq(oid(kind), set_of(*values))


def generalized(at: datetime) -> bytes:
    return tlv(0x18, at.strftime("%Y%m%d%H%M%SZ").encode())


@dataclass(frozen=True)
class Issued:
    """A certificate and its key; ``parent`` None: its own."""

    name: str
    parent: "Issued | None" = None
    ca: bool = False
    path_length: int | None = None
    years: tuple[int, int] = YEARS
    usages: tuple[x509.ObjectIdentifier, ...] = ()
    usage_critical: bool = True
    more: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    key_bits: dict[str, bool] = field(default_factory=dict)

    @cached_property
    def key(self) -> ec.EllipticCurvePrivateKey:
        number = int.from_bytes(sha256(b"tsa " + self.name.encode()), "big")
        return ec.derive_private_key(number % (2**255) + 1, ec.SECP256R1())

    @cached_property
    def subject(self) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])

    @cached_property
    def certificate(self) -> x509.Certificate:
        issuer = self.parent or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.subject)
            .issuer_name(issuer.subject)
            .public_key(self.key.public_key())
            .serial_number(int.from_bytes(sha256(self.name.encode())[:8], "big") | 1)
            .not_valid_before(datetime(self.years[0], 1, 1, tzinfo=UTC))
            .not_valid_after(datetime(self.years[1], 12, 31, tzinfo=UTC))
            .add_extension(x509.BasicConstraints(self.ca, self.path_length), critical=True)
            .add_extension(key_usage(self.ca, **self.key_bits), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()),
                critical=False,
            )
        )
        if self.usages:
            builder = builder.add_extension(
                x509.ExtendedKeyUsage(self.usages), critical=self.usage_critical
            )
        for extension, critical in self.more:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(issuer.key, hashes.SHA256(), ecdsa_deterministic=True)

    @cached_property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @cached_property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_usage(ca: bool, **bits: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    default = {"key_cert_sign": True} if ca else {"digital_signature": True}
    return x509.KeyUsage(**{name: (default | bits).get(name, False) for name in names})


TIME_STAMPING = (ExtendedKeyUsageOID.TIME_STAMPING,)
ROOT = Issued("Root", ca=True)
SIGNER = Issued("Time-stamps", ROOT, usages=TIME_STAMPING)
STRANGER_ROOT = Issued("Root of a stranger", ca=True)
STRANGER = Issued("Time-stamps of a stranger", STRANGER_ROOT, usages=TIME_STAMPING)
EXPIRED = Issued("Time-stamps of 2025", ROOT, usages=TIME_STAMPING, years=(2025, 2025))


@dataclass(frozen=True)
class Stamp:
    """What a response says; each part can be made wrong."""

    signer: Issued = SIGNER
    certificates: tuple[Issued, ...] | None = None
    status: bytes = field(default_factory=lambda: integer(0))
    info: dict[str, bytes] = field(default_factory=dict)
    attributes: dict[str, bytes] = field(default_factory=dict)
    signed_data: dict[str, bytes] = field(default_factory=dict)
    signer_info: dict[str, bytes] = field(default_factory=dict)
    signed_by: Issued | None = None
    content_type: str = "1.2.840.113549.1.9.16.1.4"

    def but(self, **changes: Any) -> "Stamp":
        return replace(self, **changes)

    def tst_info(self, message: bytes, time_s: int) -> bytes:
        """TSTInfo; a member of ``info`` that is empty is left out."""
        parts = {
            "version": integer(1),
            "policy": oid("1.2.3.4.1"),
            "imprint": seq(seq(oid(SHA256), tlv(0x05)), octets(sha256(message))),
            "serial": integer(time_s),
            "time": generalized(datetime.fromtimestamp(time_s, UTC)),
            "accuracy": seq(integer(1)),
            "ordering": b"",
            "nonce": integer(7),
            "tsa": b"",
            "extensions": b"",
        }
        return seq(*(parts | self.info).values())

    def response(self, message: bytes, time_s: int) -> bytes:
        """The whole TimeStampResp."""
        content = self.tst_info(message, time_s)
        return seq(
            seq(self.status), seq(oid("1.2.840.113549.1.7.2"), tlv(0xA0, self._data(content)))
        )

    def _data(self, content: bytes) -> bytes:
        given = (self.signer,) if self.certificates is None else self.certificates
        parts = {
            "version": integer(3),
            "algorithms": set_of(seq(oid(SHA256))),
            "content": seq(oid(self.content_type), tlv(0xA0, octets(content))),
            "certificates": tlv(0xA0, *(one.der for one in given)),
            "crls": b"",
            "signers": set_of(self._signer_info(content)),
        }
        return seq(*(parts | self.signed_data).values())

    def _signer_info(self, content: bytes) -> bytes:
        identity = seq(
            self.signer.certificate.issuer.public_bytes(),
            integer(self.signer.certificate.serial_number),
        )
        attributes = {
            "type": attribute("1.2.840.113549.1.9.3", oid(self.content_type)),
            "digest": attribute("1.2.840.113549.1.9.4", octets(sha256(content))),
            "certificate": attribute(
                "1.2.840.113549.1.9.16.2.47", seq(seq(seq(octets(sha256(self.signer.der)))))
            ),
        }
        signed = set_of(*filter(None, (attributes | self.attributes).values()))
        by = self.signed_by or self.signer
        signature = by.key.sign(signed, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        parts = {
            "version": integer(1),
            "identity": identity,
            "digest": seq(oid(SHA256)),
            "attributes": b"\xa0" + signed[1:],
            "algorithm": seq(oid("1.2.840.10045.4.3.2")),
            "signature": octets(signature),
            "unsigned": b"",
        }
        return seq(*(parts | self.signer_info).values())


def certificate_v1(signer: Issued) -> bytes:
    """The attribute signing-certificate of RFC 2634, which names by SHA-1."""
    digest = hashlib.sha1(signer.der, usedforsecurity=False).digest()
    return attribute("1.2.840.113549.1.9.16.2.12", seq(seq(seq(octets(digest)))))


def trust_table(root: Issued = ROOT, *others: Issued, name: str = "authority.example") -> str:
    pem = root.pem + "".join(one.pem for one in others)
    return f"[[authority]]\nname = '{name}'\ncertificates = '''\n{pem}'''\n"
