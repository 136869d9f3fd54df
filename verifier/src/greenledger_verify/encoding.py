"""Strict base64, hex and decimal: one text for each value, so that no byte of a file can change
unseen.
"""

import base64
import binascii
import re
from typing import Final

from greenledger_verify.failure import VerificationError
from greenledger_verify.merkle import HASH_SIZE

_LOWER_HEX = re.compile(r"(?:[0-9a-f]{2})*")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
NATURAL_MAX: Final = 2**63 - 1


def decode_base64(text: str) -> bytes:
    """RFC 4648 §4 with padding, in its only canonical spelling."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise VerificationError("{text} is not base64", text=text) from None
    if base64.b64encode(raw).decode() != text:
        raise VerificationError("{text} is not canonical base64", text=text)
    return raw


def decode_base64_hash(text: str) -> bytes:
    raw = decode_base64(text)
    if len(raw) != HASH_SIZE:
        raise VerificationError("a hash has 32 bytes, this one has {given}", given=len(raw))
    return raw


def decode_hex(text: str, size_bytes: int) -> bytes:
    """Exactly ``size_bytes`` bytes as lower-case hex digits."""
    if len(text) != 2 * size_bytes or not _LOWER_HEX.fullmatch(text):
        raise VerificationError(
            "{text} is not {digits} lower-case hex digits", text=text, digits=2 * size_bytes
        )
    return bytes.fromhex(text)


def decode_decimal(text: str) -> int:
    """ASCII decimal without sign or leading zeros, below 2^63."""
    if not _DECIMAL.fullmatch(text) or int(text) > NATURAL_MAX:
        raise VerificationError(
            "{text} is not a decimal number below 2^63 without leading zeros", text=text
        )
    return int(text)
