"""RFC 3161 time-stamps of checkpoints.

Stamped is SHA-256 of the checkpoint note's text, the bytes that the log signs. A token is kept as
the whole TimeStampResp, as `openssl ts -verify -in` takes it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography import x509

from ledger import remote
from ledger.anchors.config import Authority
from ledger.errors import InvalidInput, Unavailable

if TYPE_CHECKING:
    from rfc3161_client import TimeStampRequest, TimeStampResponse

REQUEST_MEDIA: Final = "application/timestamp-query"
REPLY_MEDIA: Final = "application/timestamp-reply"
# Between an authority's clock and ours.
SKEW_S_MAX: Final = 300
_WHY: Final = re.compile(r'Verify error: ([^"]+)"')
_SHA256: Final = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A verified token: the authority's time (Unix seconds, cut off), and the token's bytes."""

    at_s: int
    data: bytes


def ask(authority: Authority, text: bytes, now_s: int, *, within_s: float = remote.POST_S) -> Stamp:
    """A fresh token for `text`. Raises Unavailable, or InvalidInput for an answer that is none."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    request = (
        TimestampRequestBuilder()
        .data(text)
        .hash_algorithm(HashAlgorithm.SHA256)
        .nonce(nonce=True)
        .cert_request(cert_request=True)
        .build()
    )
    answer = remote.post(authority.url, request.as_bytes(), REQUEST_MEDIA, within_s=within_s)
    if answer.status != 200:
        raise Unavailable(f"it answers with HTTP status {answer.status}")
    if answer.media != REPLY_MEDIA:
        raise InvalidInput(f"it answers {answer.media[:60]!r}, not {REPLY_MEDIA}")
    stamp = _check(answer.body, text, authority.roots, request)
    if abs(stamp.at_s - now_s) > SKEW_S_MAX:
        raise InvalidInput(f"its clock is {stamp.at_s - now_s} s off ours")
    return stamp


def check(data: bytes, text: bytes, roots: str) -> Stamp:
    """A token that was stored, once more. Raises InvalidInput."""
    return _check(data, text, roots, None)


def _check(data: bytes, text: bytes, roots: str, request: TimeStampRequest | None) -> Stamp:
    from rfc3161_client import VerificationError, VerifierBuilder

    response = _parse(data)
    builder = VerifierBuilder() if request is None else VerifierBuilder.from_request(request)
    for root in x509.load_pem_x509_certificates(roots.encode()):
        builder = builder.add_root_certificate(root)
    try:
        info = response.tst_info
        # The library compares digests, whatever hash they say that they are of.
        if info.message_imprint.hash_algorithm != _SHA256:
            raise InvalidInput("its token is not of a SHA-256 hash")
        builder.build().verify(response, hashlib.sha256(text).digest())
        return Stamp(at_s=int(info.gen_time.timestamp()), data=data)
    except VerificationError as error:
        # What OpenSSL says is long; why is near its end.
        why = _WHY.search(str(error))
        raise InvalidInput(f"its token does not hold: {why[1] if why else error}") from error
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"its token can't be read: {error}") from error


def _parse(data: bytes) -> TimeStampResponse:
    from rfc3161_client import decode_timestamp_response

    try:
        response = decode_timestamp_response(data)
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"it answers with no time-stamp: {error}") from error
    if response.status not in (0, 1):
        said = "; ".join(response.status_string or [])[:200]
        raise Unavailable(f"it refuses, with status {response.status}: {said or 'no reason given'}")
    if response.as_bytes() != data:
        raise InvalidInput("its answer is not the one DER form of a time-stamp")
    return response
