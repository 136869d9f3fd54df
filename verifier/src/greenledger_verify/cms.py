"""The envelope of a time-stamp: TimeStampResp and CMS SignedData (RFC 3161 §2.4.2, RFC 5652 §5)."""

import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from greenledger_verify import der
from greenledger_verify.der import Element, Reader, context
from greenledger_verify.failure import NotCounted, VerificationError, locate
from greenledger_verify.tsacerts import Certificate, PublicKey, parse_certificate

_GRANTED: Final = 0
_GRANTED_WITH_MODS: Final = 1
_CERTIFICATES_MAX: Final = 16
_ATTRIBUTES_MAX: Final = 32
_IDS_MAX: Final = 16

_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE: Final = "1.2.840.113549.1.9.16.2.12"
_SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"

_RSA: Final = "1.2.840.113549.1.1.1"
_RSA_PSS: Final = "1.2.840.113549.1.1.10"
_MGF1: Final = "1.2.840.113549.1.1.8"
_RSA_WITH: Final = {
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
_ECDSA_WITH: Final = {
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}
_ED25519: Final = "1.3.101.112"
_SALT_MAX: Final = 64

_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateId:
    """ESSCertID: a certificate by its digest, and by issuer (a GeneralName) and number where they
    are given.
    """

    algorithm: str
    digest: bytes
    issuer: bytes | None
    serial: Element | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedToken:
    """A token as it stands there. ``content`` is TSTInfo; ``attributes`` are the bytes that are
    signed; ``certificate_ids`` has one list for each signing-certificate attribute.
    """

    content: bytes
    certificates: tuple[Certificate, ...]
    issuer: bytes
    serial: Element
    digest_algorithm: str
    attributes: bytes
    certificate_ids: tuple[tuple[CertificateId, ...], ...]
    signature_algorithm: Element
    signature: bytes


def parse_token(raw: bytes) -> SignedToken:
    """Take a TimeStampResp apart. What does not hang together makes it broken; what is allowed, but
    signed by nobody, *not counted*.
    """
    response = Reader(der.read_one(raw, der.SEQUENCE))
    info = Reader(response.next(der.SEQUENCE))
    status = der.integer(info.next(der.INTEGER))
    if status not in (_GRANTED, _GRANTED_WITH_MODS):
        raise VerificationError(
            "the status of the response is {status}, not granted", status=status
        )
    token = Reader(response.next(der.SEQUENCE))
    response.end()
    _require_type(token.next(der.OBJECT_ID), _SIGNED_DATA)
    explicit = Reader(token.next(context(0)))
    token.end()
    data = Reader(explicit.next(der.SEQUENCE))
    explicit.end()
    with locate("SignedData"):
        parsed = _signed_data(data)
    if status == _GRANTED_WITH_MODS:
        raise NotCounted("it was granted with modifications, says its status, which nobody signed")
    if info.left:
        raise NotCounted("its status has words that nobody signed")
    return parsed


def _signed_data(data: Reader) -> SignedToken:
    _require_version(data.next(der.INTEGER), 3)
    algorithms = Reader(data.next(der.SET)).all(der.SEQUENCE, 1)
    encapsulated = Reader(data.next(der.SEQUENCE))
    _require_type(encapsulated.next(der.OBJECT_ID), _TST_INFO)
    explicit = Reader(encapsulated.next(context(0)))
    encapsulated.end()
    content = explicit.next(der.OCTET_STRING).content
    explicit.end()
    given = data.optional(context(0))
    revocations = data.optional(context(1))
    signers = Reader(data.next(der.SET)).all(der.SEQUENCE, 1)
    data.end()
    if not signers or [der.hash_algorithm(one) for one in algorithms] != [
        der.hash_algorithm(_digest_algorithm(signers[0]))
    ]:
        raise VerificationError("not exactly one signer with one digest algorithm")
    certificates = [] if given is None else Reader(given).all(der.SEQUENCE, _CERTIFICATES_MAX)
    parsed = _signer_info(
        Reader(signers[0]), content, tuple(parse_certificate(one.raw) for one in certificates)
    )
    if revocations is not None:
        raise NotCounted("it holds lists of revocation that nobody signed")
    return parsed


def _digest_algorithm(signer: Element) -> Element:
    reader = Reader(signer)
    reader.next(der.INTEGER)
    reader.any()
    return reader.next(der.SEQUENCE)


def _signer_info(
    signer: Reader, content: bytes, certificates: tuple[Certificate, ...]
) -> SignedToken:
    version = der.integer(signer.next(der.INTEGER))
    named = signer.any()
    if version == 3 and named.tag == context(0, constructed=False):
        raise NotCounted("its signer is named by a key identifier alone")
    if version != 1:
        raise VerificationError("a version that is not known here")
    issuer, serial = _issuer_and_serial(der.require(named, der.SEQUENCE))
    algorithm = der.hash_algorithm(signer.next(der.SEQUENCE))
    signed = signer.next(context(0))
    signature_algorithm = signer.next(der.SEQUENCE)
    signature = signer.next(der.OCTET_STRING).content
    unsigned = signer.optional(context(1))
    signer.end()
    attributes = _attributes(signed)
    with locate("signed attributes"):
        _require_type(der.require(_only(attributes, _CONTENT_TYPE), der.OBJECT_ID), _TST_INFO)
        stated = der.require(_only(attributes, _MESSAGE_DIGEST), der.OCTET_STRING).content
        if stated != hashlib.new(algorithm, content).digest():
            raise VerificationError("the message-digest is not that of the content")
        ids = tuple(
            _certificate_ids(_only(attributes, kind), default)
            for kind, default in ((_SIGNING_CERTIFICATE, "sha1"), (_SIGNING_CERTIFICATE_V2, ""))
            if kind in attributes
        )
        if not ids:
            raise VerificationError("no attribute signing-certificate")
    if unsigned is not None:
        raise NotCounted("it has attributes that nobody signed")
    return SignedToken(
        content=content,
        certificates=certificates,
        issuer=issuer,
        serial=serial,
        digest_algorithm=algorithm,
        attributes=bytes([der.SET]) + signed.raw[1:],
        certificate_ids=ids,
        signature_algorithm=signature_algorithm,
        signature=signature,
    )


def _issuer_and_serial(element: Element) -> tuple[bytes, Element]:
    reader = Reader(element)
    issuer, serial = reader.next(der.SEQUENCE).raw, reader.next(der.INTEGER)
    reader.end()
    der.integer(serial)
    return issuer, serial


def _attributes(signed: Element) -> dict[str, list[Element]]:
    attributes: dict[str, list[Element]] = {}
    for attribute in Reader(signed).all(der.SEQUENCE, _ATTRIBUTES_MAX):
        reader = Reader(attribute)
        kind = der.object_id(reader.next(der.OBJECT_ID))
        values = Reader(reader.next(der.SET))
        reader.end()
        if kind in attributes:
            raise VerificationError("a signed attribute stands twice")
        attributes[kind] = [values.any()]
        if values.left:
            attributes[kind].append(values.any())
    return attributes


def _only(attributes: dict[str, list[Element]], kind: str) -> Element:
    values = attributes.get(kind, [])
    if len(values) != 1:
        raise VerificationError("the attribute {id} has not exactly one value", id=kind)
    return values[0]


def _certificate_ids(value: Element, algorithm: str) -> tuple[CertificateId, ...]:
    """SigningCertificate (RFC 2634: SHA-1) or, where no ``algorithm`` is set, SigningCertificateV2
    (RFC 5035).
    """
    reader = Reader(der.require(value, der.SEQUENCE))
    ids = Reader(reader.next(der.SEQUENCE)).all(der.SEQUENCE, _IDS_MAX)
    reader.optional(der.SEQUENCE)
    reader.end()
    if not ids:
        raise VerificationError("the attribute signing-certificate names no certificate")
    return tuple(_certificate_id(one, algorithm) for one in ids)


def _certificate_id(element: Element, algorithm: str) -> CertificateId:
    reader = Reader(element)
    if not algorithm:
        stated = reader.optional(der.SEQUENCE)
        algorithm = "sha256" if stated is None else der.hash_algorithm(stated)
    digest = reader.next(der.OCTET_STRING).content
    both = reader.optional(der.SEQUENCE)
    reader.end()
    if both is None:
        return CertificateId(algorithm=algorithm, digest=digest, issuer=None, serial=None)
    parts = Reader(both)
    names, serial = Reader(parts.next(der.SEQUENCE)), parts.next(der.INTEGER)
    parts.end()
    issuer = names.next(context(4)).raw
    names.end()
    return CertificateId(algorithm=algorithm, digest=digest, issuer=issuer, serial=serial)


def _require_type(element: Element, expected: str) -> None:
    given = der.object_id(element)
    if given != expected:
        raise VerificationError(
            "the type is {given}, not {expected}", given=given, expected=expected
        )


def _require_version(element: Element, expected: int) -> None:
    if der.integer(element) != expected:
        raise VerificationError("a version that is not known here")


def verify_token_signature(token: SignedToken, key: PublicKey) -> None:
    """RSA (PKCS #1 v1.5 or PSS), ECDSA or Ed25519, over SHA-256, SHA-384 or SHA-512."""
    reader = Reader(token.signature_algorithm)
    kind = der.object_id(reader.next(der.OBJECT_ID))
    parameters = reader.any() if reader.left else None
    reader.end()
    hashed = _HASHES[token.digest_algorithm]
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(token.signature, token.attributes, _padding(token, kind, parameters), hashed)
        elif isinstance(key, Ed25519PublicKey):
            # RFC 8419 §3: with SHA-512 as digest algorithm.
            _require_algorithm(kind == _ED25519 and token.digest_algorithm == "sha512", parameters)
            key.verify(token.signature, token.attributes)
        else:
            _require_algorithm(_ECDSA_WITH.get(kind) == token.digest_algorithm, parameters)
            key.verify(token.signature, token.attributes, ec.ECDSA(hashed))
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        raise VerificationError("the signature of the time-stamp does not hold") from None


def _require_algorithm(fits: bool, parameters: Element | None) -> None:
    if not fits or parameters is not None:
        raise VerificationError(
            "the signature algorithm is not one for the signer's key and digest"
        )


def _padding(
    token: SignedToken, kind: str, parameters: Element | None
) -> padding.AsymmetricPadding:
    if kind == _RSA_PSS and parameters is not None:
        return _pss(token, Reader(der.require(parameters, der.SEQUENCE)))
    stated = token.digest_algorithm if kind == _RSA else _RSA_WITH.get(kind, "")
    if parameters is not None and (parameters.tag, parameters.content) == (der.NULL, b""):
        parameters = None
    _require_algorithm(stated == token.digest_algorithm, parameters)
    return padding.PKCS1v15()


def _pss(token: SignedToken, reader: Reader) -> padding.PSS:
    """RFC 4055 §3.1, with all but the trailer said: the defaults are SHA-1's."""
    hashed = Reader(reader.next(context(0)))
    masked = Reader(reader.next(context(1)))
    salted = Reader(reader.next(context(2)))
    mask = Reader(masked.next(der.SEQUENCE))
    is_mgf1 = der.object_id(mask.next(der.OBJECT_ID)) == _MGF1
    algorithms = {
        der.hash_algorithm(hashed.next(der.SEQUENCE)),
        der.hash_algorithm(mask.next(der.SEQUENCE)),
        token.digest_algorithm,
    }
    salt = der.integer(salted.next(der.INTEGER))
    for part in (hashed, masked, salted, mask, reader):
        part.end()
    _require_algorithm(is_mgf1 and len(algorithms) == 1 and salt <= _SALT_MAX, None)
    return padding.PSS(padding.MGF1(_HASHES[token.digest_algorithm]), salt)
