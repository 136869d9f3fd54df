"""C2SP tlog-proof files: one entry's index, its path and the checkpoint, in text that stands
alone.
"""

from dataclasses import dataclass
from typing import Final

from greenledger_verify.encoding import decode_base64, decode_base64_hash, decode_decimal
from greenledger_verify.failure import VerificationError, locate

HEADER: Final = b"c2sp.org/tlog-proof@v1"
_HASHES_MAX = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogProof:
    """``extra`` is None where the line is absent; ``checkpoint`` is the signed note, not yet
    opened.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None


def parse_tlog_proof(raw: bytes) -> TlogProof:
    """Header, ``extra`` (optional), ``index``, hashes, an empty line; the rest is the
    checkpoint.
    """
    head, blank, checkpoint = raw.partition(b"\n\n")
    if not blank:
        raise VerificationError("the proof has no empty line before its checkpoint")
    try:
        header, *lines = head.decode().split("\n")
    except UnicodeDecodeError as error:
        raise VerificationError("the proof is not UTF-8 at byte {at}", at=error.start) from None
    if header.encode() != HEADER:
        raise VerificationError("the first line is not c2sp.org/tlog-proof@v1")
    extra = None
    if lines and lines[0].startswith("extra "):
        with locate("extra line"):
            extra = decode_base64(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        raise VerificationError("the proof has no index line")
    with locate("index line"):
        index = decode_decimal(lines.pop(0).removeprefix("index "))
    if len(lines) > _HASHES_MAX:
        raise VerificationError(
            "the path has {given} hashes, more than any tree needs", given=len(lines)
        )
    with locate("path of the proof"):
        path = tuple(decode_base64_hash(line) for line in lines)
    return TlogProof(index=index, path=path, checkpoint=checkpoint, extra=extra)
