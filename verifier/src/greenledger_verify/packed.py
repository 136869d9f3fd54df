"""Members of evidence files that hold packed bytes in canonical base64."""

import struct
from collections.abc import Sequence
from itertools import pairwise

from greenledger_verify.encoding import decode_base64
from greenledger_verify.failure import VerificationError, locate


def raw_of(member: str, value: str) -> bytes:
    with locate("member {name}", name=member):
        return decode_base64(value)


def items(member: str, value: str, size_bytes: int) -> list[bytes]:
    raw = raw_of(member, value)
    if len(raw) % size_bytes:
        raise VerificationError(
            "{member} has {given} bytes, not a multiple of {size}",
            member=member,
            given=len(raw),
            size=size_bytes,
        )
    return [raw[i : i + size_bytes] for i in range(0, len(raw), size_bytes)]


def integers(member: str, value: str, code: str) -> tuple[int, ...]:
    size_bytes = struct.calcsize(f">{code}")
    raw = b"".join(items(member, value, size_bytes))
    return struct.unpack(f">{len(raw) // size_bytes}{code}", raw)


def require_increasing(member: str, values: Sequence[int]) -> None:
    if any(a >= b for a, b in pairwise(values)):
        raise VerificationError("{member} is not in order, each once", member=member)
