"""The request of `add-checkpoint` (C2SP tlog-witness): old size, consistency proof, checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from greenledger_verify.checkpoint import Checkpoint, parse_checkpoint
from greenledger_verify.encoding import decode_base64_hash, decode_decimal
from greenledger_verify.failure import VerificationError, locate
from ledger.errors import InvalidInput

BODY_BYTES_MAX: Final = 65_536
PROOF_LINES_MAX: Final = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCheckpoint:
    """A request whose proof and signatures are not verified. `raw`: the note's bytes, whose
    signature lines may be malformed; `checkpoint`: what its text says."""

    old_size: int
    proof: tuple[bytes, ...]
    raw: bytes
    checkpoint: Checkpoint


def parse_add_checkpoint(body: bytes) -> AddCheckpoint:
    """Raises InvalidInput."""
    head, blank, raw = body.partition(b"\n\n")
    if not blank:
        raise InvalidInput("the body is: old SIZE, proof lines, an empty line, a checkpoint")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the lines before the checkpoint are not ASCII: {error}") from error
    if not first.startswith("old "):
        raise InvalidInput("the first line is: old SIZE")
    if len(lines) > PROOF_LINES_MAX:
        raise InvalidInput(f"the proof has {len(lines)} lines; {PROOF_LINES_MAX} is the most")
    try:
        with locate("old size"):
            old_size = decode_decimal(first[4:])
        with locate("proof"):
            proof = tuple(decode_base64_hash(line) for line in lines)
        with locate("checkpoint"):
            text, _, _ = raw.rpartition(b"\n\n")
            checkpoint = parse_checkpoint(text.decode() + "\n")
    except (VerificationError, UnicodeDecodeError) as error:
        raise InvalidInput(str(error)) from error
    return AddCheckpoint(old_size=old_size, proof=proof, raw=raw, checkpoint=checkpoint)
