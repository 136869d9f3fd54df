"""Checkpoints (C2SP tlog-checkpoint): a log's signed statement of its size and root."""

from dataclasses import dataclass

from greenledger_verify.encoding import decode_base64_hash, decode_decimal
from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.merkle import EMPTY_ROOT
from greenledger_verify.note import (
    COSIGNATURE_V1,
    VerifiedSignature,
    VerifierKey,
    open_note,
    parse_note,
)
from greenledger_verify.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """``size`` entries under ``root`` (32 bytes) in the log ``origin``."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """A checkpoint that ``log_key``, a trust root, has signed; ``cosignatures`` are those of
    trusted witnesses.
    """

    checkpoint: Checkpoint
    log_key: VerifierKey
    cosignatures: tuple[VerifiedSignature, ...]


def parse_checkpoint(text: str) -> Checkpoint:
    """The note text: origin, size and root, a line each; extension lines may follow."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() != "":
        raise VerificationError("a checkpoint has three lines or more, each ending in a newline")
    if not all(lines):
        raise VerificationError("a checkpoint has no empty line")
    origin, size_text, root_text, *extensions = lines
    with locate("size in the checkpoint"):
        size = decode_decimal(size_text)
    with locate("root in the checkpoint"):
        root = decode_base64_hash(root_text)
    return Checkpoint(origin=origin, size=size, root=root, extensions=tuple(extensions))


def verify_checkpoint(raw: bytes, trust: Trust) -> SignedCheckpoint:
    """Open a signed checkpoint.

    1. It is a well-formed note with a well-formed checkpoint text.
    2. Its origin is a log that the verifier trusts.
    3. The trusted key of that log signed it; signatures by trusted witnesses hold too; unknown ones
       are ignored.
    4. An empty log has the empty root.
    """
    with locate("checkpoint"):
        # 1
        note = parse_note(raw)
        checkpoint = parse_checkpoint(note.text.decode())
        # 2
        log_keys = trust.keys_of(checkpoint.origin)
        if not log_keys:
            raise VerificationError(
                "it is of the log {origin}; you trust {trusted}",
                origin=checkpoint.origin,
                trusted=sorted({log.origin for log in trust.logs}),
            )
        # 3
        verified = open_note(note, (*log_keys, *trust.witnesses))
        by_log = [one.key for one in verified if one.key in log_keys]
        if not by_log:
            raise VerificationError(
                "the key of the log {origin} has not signed it", origin=checkpoint.origin
            )
        # 4
        if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
            raise VerificationError("size 0, but its root is not that of the empty tree")
    cosignatures = tuple(one for one in verified if one.key.kind == COSIGNATURE_V1)
    return SignedCheckpoint(checkpoint=checkpoint, log_key=by_log[0], cosignatures=cosignatures)
