"""Certificates of time-stamping authorities: from a token's signer up to a root that is trusted.

What RFC 5280 §6 and RFC 3161 §2.3 ask for, and no revocation: a file that is verified years later,
offline, has no list to ask. A critical extension that is not judged here refuses its certificate.
"""

import hashlib
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID

from greenledger_verify.der import SEQUENCE, Element, Reader, context, integer, read_one
from greenledger_verify.failure import VerificationError

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

_Kind = TypeVar("_Kind", bound=x509.ExtensionType)

_TIME_STAMPING: Final = ExtendedKeyUsageOID.TIME_STAMPING
_ANY_USAGE: Final = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
_CHAIN_MAX: Final = 8
_RSA_BITS: Final = range(2048, 16384 + 1)
_HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_JUDGED: Final = (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage)
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    Warning,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
# Critical extensions that ask for nothing here: more names, and policies that nobody requires.
_HARMLESS: Final = (x509.SubjectAlternativeName, x509.CertificatePolicies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate; ``issuer``, ``subject`` and ``public_key`` are as they stand in it, in DER."""

    raw: bytes
    parsed: x509.Certificate
    serial: int
    issuer: bytes
    subject: bytes
    public_key: bytes

    @property
    def key(self) -> PublicKey:
        try:
            key = self.parsed.public_key()
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if isinstance(key, RSAPublicKey) and key.key_size in _RSA_BITS:
            return key
        if isinstance(key, EllipticCurvePublicKey | Ed25519PublicKey):
            return key
        raise VerificationError("its key is not RSA of 2048 bits or more, ECDSA or Ed25519")


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A time-stamping authority that is trusted: ``roots`` end a chain, ``others`` (certificates of
    issuers or signers) help to build one where a token lacks them.
    """

    name: str
    roots: tuple[Certificate, ...]
    others: tuple[Certificate, ...] = ()


def parse_certificate(raw: bytes) -> Certificate:
    try:
        with warnings.catch_warnings(action="error"):
            parsed = x509.load_der_x509_certificate(raw)
            _ = parsed.extensions, parsed.subject.rfc4514_string(), parsed.version
            content = Reader(read_one(parsed.tbs_certificate_bytes, SEQUENCE))
    except _UNREADABLE:
        raise VerificationError("a certificate can't be read") from None
    content.optional(context(0))
    serial = integer(content.any())
    content.next(SEQUENCE)
    issuer = content.next(SEQUENCE).raw
    content.next(SEQUENCE)
    return Certificate(
        raw=raw,
        parsed=parsed,
        serial=serial,
        issuer=issuer,
        subject=content.next(SEQUENCE).raw,
        public_key=content.next(SEQUENCE).raw,
    )


def chain_to_root(
    signer: Certificate, given: Iterable[Certificate], authority: Authority, time_s: int
) -> tuple[Certificate, ...] | None:
    """From the signer to a root of the authority; None where no chain leads there at all.

    A chain that does, but of which a certificate was not valid at ``time_s`` or may not do what it
    does there, is an error.
    """
    pool = {one.raw: one for one in (*given, *authority.others, *authority.roots)}
    roots = {one.raw for one in authority.roots}

    def is_fit(certificate: Certificate, below: int) -> bool:
        try:
            _require_issuer(certificate, below, time_s)
        except VerificationError:
            return False
        return True

    found = _search(signer, tuple(pool.values()), roots, is_fit)
    if found is None:
        found = _search(signer, tuple(pool.values()), roots, lambda _certificate, _below: True)
    if found is None:
        return None
    require_signer(signer, time_s)
    for below, certificate in enumerate(found[1:]):
        _require_issuer(certificate, below, time_s)
    return found


def _search(
    signer: Certificate,
    pool: Sequence[Certificate],
    roots: set[bytes],
    is_fit: Callable[[Certificate, int], bool],
) -> tuple[Certificate, ...] | None:
    """Shortest chains first, each certificate once: so that a heap of certificates which all issue
    each other costs no more than its square.
    """
    chains: list[tuple[Certificate, ...]] = [(signer,)]
    seen = {signer.raw}
    while chains:
        chain = chains.pop(0)
        if chain[-1].raw in roots:
            return chain
        for issuer in pool if len(chain) < _CHAIN_MAX else ():
            if (
                issuer.raw not in seen
                and is_fit(issuer, len(chain) - 1)
                and _has_issued(issuer, chain[-1])
            ):
                seen.add(issuer.raw)
                chains.append((*chain, issuer))
    return None


def _has_issued(issuer: Certificate, certificate: Certificate) -> bool:
    if issuer.subject != certificate.issuer or not _is_strong(certificate.parsed):
        return False
    try:
        _ = issuer.key
        certificate.parsed.verify_directly_issued_by(issuer.parsed)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, VerificationError):
        return False
    return True


def _is_strong(parsed: x509.Certificate) -> bool:
    """Signed over SHA-256, SHA-384 or SHA-512, or by Ed25519."""
    if parsed.signature_algorithm_oid == SignatureAlgorithmOID.ED25519:
        return True
    try:
        return isinstance(parsed.signature_hash_algorithm, _HASHES)
    except UnsupportedAlgorithm:
        return False


def require_signer(certificate: Certificate, time_s: int) -> None:
    """RFC 3161 §2.3: the key is for time-stamps and nothing else, and a critical extension says
    so.
    """
    _require_common(certificate, time_s)
    usage = _extension(certificate, x509.ExtendedKeyUsage)
    if usage is None or not usage.critical or list(usage.value) != [_TIME_STAMPING]:
        raise VerificationError(
            "the certificate {name} is not for time-stamps alone, by a critical extension",
            name=_name(certificate),
        )
    allowed = _extension(certificate, x509.KeyUsage)
    if allowed is not None and not _signs_only(allowed.value):
        raise VerificationError(
            "the key of the certificate {name} is not for signatures alone", name=_name(certificate)
        )


def _require_issuer(certificate: Certificate, below: int, time_s: int) -> None:
    """It may issue certificates, with ``below`` others between it and the signer."""
    _require_common(certificate, time_s)
    basic = _extension(certificate, x509.BasicConstraints)
    signs = _extension(certificate, x509.KeyUsage)
    if basic is None or not basic.value.ca or (signs is not None and not signs.value.key_cert_sign):
        raise VerificationError(
            "the certificate {name} may not issue others", name=_name(certificate)
        )
    if basic.value.path_length is not None and basic.value.path_length < below:
        raise VerificationError(
            "the chain below the certificate {name} is longer than it allows",
            name=_name(certificate),
        )
    usage = _extension(certificate, x509.ExtendedKeyUsage)
    if usage is not None and not {_TIME_STAMPING, _ANY_USAGE} & set(usage.value):
        raise VerificationError(
            "the certificate {name} is not for time-stamps", name=_name(certificate)
        )


def _require_common(certificate: Certificate, time_s: int) -> None:
    parsed, at = certificate.parsed, datetime.fromtimestamp(time_s, UTC)
    _ = certificate.key
    if parsed.version is not x509.Version.v3:
        raise VerificationError(
            "the certificate {name} is not of version 3", name=_name(certificate)
        )
    if not parsed.not_valid_before_utc <= at <= parsed.not_valid_after_utc:
        raise VerificationError(
            "the certificate {name} was not valid at {time}: it is from {start} to {end}",
            name=_name(certificate),
            time=_utc(at),
            start=_utc(parsed.not_valid_before_utc),
            end=_utc(parsed.not_valid_after_utc),
        )
    for extension in parsed.extensions:
        if extension.critical and not isinstance(extension.value, (*_JUDGED, *_HARMLESS)):
            raise VerificationError(
                "the certificate {name} has a critical extension {id} that is not known here",
                name=_name(certificate),
                id=extension.oid.dotted_string,
            )


def alternative_names(certificate: Certificate) -> list[bytes]:
    """The subject and its other names, each as a GeneralName in DER."""
    names = [bytes([context(4)]) + _length(certificate.subject) + certificate.subject]
    extension = _extension(certificate, x509.SubjectAlternativeName)
    if extension is not None:
        reader = Reader(read_one(extension.value.public_bytes(), SEQUENCE))
        while reader.left:
            names.append(reader.any().raw)
    return names


def has_digest(certificate: Certificate, algorithm: str, digest: bytes) -> bool:
    return hashlib.new(algorithm, certificate.raw, usedforsecurity=False).digest() == digest


def is_named(certificate: Certificate, issuer: bytes, serial: Element) -> bool:
    return certificate.issuer == issuer and certificate.serial == integer(serial)


def _extension(certificate: Certificate, kind: type[_Kind]) -> x509.Extension[_Kind] | None:
    try:
        return certificate.parsed.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def _signs_only(usage: x509.KeyUsage) -> bool:
    other = (
        usage.key_encipherment
        or usage.data_encipherment
        or usage.key_agreement
        or usage.key_cert_sign
        or usage.crl_sign
    )
    return not other and (usage.digital_signature or usage.content_commitment)


def _length(content: bytes) -> bytes:
    """DER length of the content."""
    size = len(content)
    if size < 0x80:
        return bytes([size])
    field = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(field)]) + field


def _name(certificate: Certificate) -> str:
    return certificate.parsed.subject.rfc4514_string()


def _utc(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
