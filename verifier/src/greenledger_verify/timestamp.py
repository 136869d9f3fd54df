"""Time-stamps of RFC 3161: is this TimeStampResp by a trusted authority, over these bytes?

Written from RFC 3161, RFC 5652 (CMS) and RFC 5816, strictly: DER only, and no byte may be free to
change, since what nobody signed nobody vouches for. Where that is stricter than a standard, the
token is not called false but *not counted*.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from greenledger_verify import der
from greenledger_verify.cms import SignedToken, parse_token, verify_token_signature
from greenledger_verify.failure import NotCounted, VerificationError, locate
from greenledger_verify.tsacerts import (
    Authority,
    Certificate,
    alternative_names,
    chain_to_root,
    has_digest,
    is_named,
)

TOKEN_SIZE_MAX: Final = 64 * 1024

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EXTENSIONS_MAX: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamp:
    """What a token establishes: ``authority`` (as the user named it) saw the message at ``time_us``
    (Unix time), give or take ``accuracy_us`` (0: it does not say). ``unneeded`` counts certificates
    in the token that its chain does not need; ``imprint`` is the hash algorithm.
    """

    authority: str
    imprint: str
    time_us: int
    accuracy_us: int
    unneeded: int

    @property
    def not_after_s(self) -> int:
        """The latest time that the token allows, rounded up."""
        return -(-(self.time_us + self.accuracy_us) // 1_000_000)

    @property
    def not_before_s(self) -> int:
        """The earliest, rounded down."""
        return (self.time_us - self.accuracy_us) // 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Info:
    """TSTInfo, RFC 3161 §2.4.2."""

    algorithm: str
    digest: bytes
    time_us: int
    accuracy_us: int
    tsa: bytes | None


def verify_timestamp(raw: bytes, message: bytes, authorities: Sequence[Authority]) -> Timestamp:
    """Verify a TimeStampResp over ``message``.

    1. It is a granted response with a well-formed token of one signer.
    2. Its imprint is that of the message.
    3. A chain of certificates leads from its signer to a root of one of ``authorities``: else it is
       ``NotCounted``. Each was valid at the token's time, and may do what it does there.
    4. The signed attributes are those of this token and this signer.
    5. The signer has signed them.
    """
    # 1
    if len(raw) > TOKEN_SIZE_MAX:
        raise VerificationError("the time-stamp has more than {max} bytes", max=TOKEN_SIZE_MAX)
    token = parse_token(raw)
    with locate("TSTInfo"):
        info = _parse_info(token.content)
    # 2
    if hashlib.new(info.algorithm, message).digest() != info.digest:
        raise VerificationError(
            "the time-stamp is of something else: its imprint is not that of these bytes"
        )
    # 3
    authority, chain = _chain(token, authorities, info.time_us // 1_000_000)
    # 4
    _require_bound(token, chain)
    if info.tsa is not None and info.tsa not in alternative_names(chain[0]):
        raise VerificationError("the time-stamp names another authority than its signer")
    # 5
    verify_token_signature(token, chain[0].key)
    known = {one.raw for one in (*chain, *authority.roots, *authority.others)}
    return Timestamp(
        authority=authority.name,
        imprint=info.algorithm,
        time_us=info.time_us,
        accuracy_us=info.accuracy_us,
        unneeded=sum(one.raw not in known for one in token.certificates)
        + len(token.certificates)
        - len({one.raw for one in token.certificates}),
    )


def _chain(
    token: SignedToken, authorities: Sequence[Authority], time_s: int
) -> tuple[Authority, tuple[Certificate, ...]]:
    """The first authority with a chain that holds; else the first reason why one does not."""
    failure: VerificationError | None = None
    for authority in authorities:
        for signer in _signers(token, (*token.certificates, *authority.roots, *authority.others)):
            try:
                chain = chain_to_root(signer, token.certificates, authority, time_s)
            except VerificationError as error:
                failure = failure or error
                continue
            if chain is not None:
                return authority, chain
    if failure is not None:
        raise failure
    raise NotCounted("no chain leads from its signer to a root that you trust")


def _signers(token: SignedToken, given: Sequence[Certificate]) -> list[Certificate]:
    """Certificates that the signer is named by: by issuer and number, and by digest where several
    are.
    """
    named = {one.raw: one for one in given if is_named(one, token.issuer, token.serial)}
    bound = [one for one in named.values() if _is_bound(token, one)]
    return bound or list(named.values())


def _is_bound(token: SignedToken, signer: Certificate) -> bool:
    return all(has_digest(signer, ids[0].algorithm, ids[0].digest) for ids in token.certificate_ids)


def _require_bound(token: SignedToken, chain: Sequence[Certificate]) -> None:
    """RFC 2634 §5.4, RFC 5035: the first certificate named is the signer's, others are of its
    chain.
    """
    for ids in token.certificate_ids:
        for place, one in enumerate(ids):
            named = [
                certificate
                for certificate in (chain[:1] if place == 0 else chain)
                if has_digest(certificate, one.algorithm, one.digest)
            ]
            if not named:
                raise VerificationError(
                    "the attribute signing-certificate names another certificate"
                )
            if one.issuer is not None and one.serial is not None:
                general = der.read_one(one.issuer, der.context(4))
                if not is_named(named[0], general.content, one.serial):
                    raise VerificationError(
                        "the attribute signing-certificate names another certificate"
                    )


def _parse_info(raw: bytes) -> _Info:
    reader = der.Reader(der.read_one(raw, der.SEQUENCE))
    if der.integer(reader.next(der.INTEGER)) != 1:
        raise VerificationError("a version that is not known here")
    der.object_id(reader.next(der.OBJECT_ID))
    imprint = der.Reader(reader.next(der.SEQUENCE))
    algorithm = der.hash_algorithm(imprint.next(der.SEQUENCE))
    digest = imprint.next(der.OCTET_STRING).content
    imprint.end()
    der.integer(reader.next(der.INTEGER))
    time_us = _time_us(reader.next(der.GENERALIZED_TIME))
    accuracy = reader.optional(der.SEQUENCE)
    ordering = reader.optional(der.BOOLEAN)
    if ordering is not None:
        der.boolean(ordering)
    nonce = reader.optional(der.INTEGER)
    if nonce is not None:
        der.integer(nonce)
    tsa = reader.optional(der.context(0))
    extensions = reader.optional(der.context(1))
    if extensions is not None:
        _require_no_critical(extensions)
    reader.end()
    info = _Info(algorithm=algorithm, digest=digest, time_us=time_us, accuracy_us=0, tsa=None)
    return replace(
        info,
        accuracy_us=0 if accuracy is None else _accuracy_us(accuracy),
        tsa=None if tsa is None else tsa.content,
    )


def _time_us(element: der.Element) -> int:
    (year, month, day, hour, minute, second), micros = der.time_parts(element)
    try:
        at = datetime(year, month, day, hour, minute, second, micros, tzinfo=UTC)
    except ValueError:
        raise VerificationError("a time that does not exist") from None
    time_us = (at - _EPOCH) // timedelta(microseconds=1)
    if time_us < 0:
        raise VerificationError("a time before 1970")
    return time_us


def _accuracy_us(element: der.Element) -> int:
    """Seconds, milliseconds and microseconds, each where it is given."""
    reader = der.Reader(element)
    total = 0
    for tag, unit_us, most in (
        (der.INTEGER, 1_000_000, 366 * 86_400),
        (der.context(0, constructed=False), 1_000, 999),
        (der.context(1, constructed=False), 1, 999),
    ):
        part = reader.optional(tag)
        if part is not None:
            value = der.integer(part, tag)
            if value > most:
                raise VerificationError("an accuracy that is out of range")
            total += value * unit_us
    reader.end()
    return total


def _require_no_critical(extensions: der.Element) -> None:
    for extension in der.Reader(extensions).all(der.SEQUENCE, _EXTENSIONS_MAX):
        reader = der.Reader(extension)
        der.object_id(reader.next(der.OBJECT_ID))
        critical = reader.optional(der.BOOLEAN)
        if critical is not None and der.boolean(critical):
            raise VerificationError("a critical extension that is not known here")
        reader.next(der.OCTET_STRING)
        reader.end()
