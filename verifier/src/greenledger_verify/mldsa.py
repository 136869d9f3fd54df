"""ML-DSA-44 cosignatures (FIPS 204; C2SP tlog-cosignature): a checkpoint signed against quantum
computers.

Older releases of ``cryptography`` lack ML-DSA: then nothing can be said about such a line, and it
counts as absent.
"""

from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from greenledger_verify.encoding import decode_base64_hash, decode_decimal
from greenledger_verify.failure import VerificationError, locate

try:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
except ImportError:
    AVAILABLE = False
else:
    AVAILABLE = True

PUBLIC_KEY_SIZE: Final = 1312
SIGNATURE_SIZE: Final = 2420

_LABEL: Final = b"subtree/v1\n\x00"
_NAME_SIZE_MAX: Final = 255


def cosigned_message(name: str, time_s: int, text: bytes) -> bytes:
    """The structure ``cosigned_message`` over a whole tree. It holds the first three lines of the
    checkpoint ``text``; extension lines it does not cover.
    """
    lines = text.decode().split("\n")
    if len(lines) < 4:
        raise VerificationError("a checkpoint has three lines or more, each ending in a newline")
    with locate("size in the checkpoint"):
        size = decode_decimal(lines[1])
    with locate("root in the checkpoint"):
        root = decode_base64_hash(lines[2])
    start = 0
    return b"".join(
        (
            _LABEL,
            _opaque(name),
            time_s.to_bytes(8, "big"),
            _opaque(lines[0]),
            start.to_bytes(8, "big"),
            size.to_bytes(8, "big"),
            root,
        )
    )


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the signature holds. Only where ``AVAILABLE``."""
    try:
        MLDSA44PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


def _opaque(text: str) -> bytes:
    raw = text.encode()
    if not 1 <= len(raw) <= _NAME_SIZE_MAX:
        raise VerificationError(
            "{name} has not 1 to 255 bytes, as an ML-DSA-44 signature needs", name=text
        )
    return bytes([len(raw)]) + raw
