"""Checkpoints (C2SP tlog-checkpoint): a log's signed statement of its size and root."""

from collections.abc import Callable
from dataclasses import dataclass

from greenledger_verify.encoding import decode_base64_hash, decode_decimal
from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.logkeys import LogKeys
from greenledger_verify.merkle import EMPTY_ROOT
from greenledger_verify.note import (
    COSIGNATURE_MLDSA,
    ED25519,
    VerifiedSignature,
    VerifierKey,
    can_check,
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
    """A checkpoint that ``log_key`` has signed: a trust root, or a log's key that one leads to.
    ``log_keys`` are all such keys that signed it, ``cosignatures`` those of trusted witnesses;
    ``text`` is what was signed. ``second_keys`` are the log's ML-DSA-44 keys that signed, brought
    along or led to; ``unchecked`` keys whose lines are there, but can't be checked here.
    """

    checkpoint: Checkpoint
    text: bytes
    log_key: VerifierKey
    log_keys: tuple[VerifierKey, ...]
    cosignatures: tuple[VerifiedSignature, ...]
    second_keys: tuple[VerifierKey, ...] = ()
    unchecked: tuple[VerifierKey, ...] = ()


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


# What the entries below a size say of the log's keys. Whether they are in the log is judged later.
LogKeysBelow = Callable[[int], LogKeys]


def _unknown(_size: int) -> LogKeys:
    return LogKeys()


def verify_checkpoint(
    raw: bytes, trust: Trust, log_keys_below: LogKeysBelow = _unknown
) -> SignedCheckpoint:
    """Open a signed checkpoint.

    1. It is a well-formed note with a well-formed checkpoint text.
    2. Its origin is a log that the verifier trusts.
    3. A trusted Ed25519 key of that log signed it, or one that entries of the log lead to from a
       trusted one; where there are entries to tell, it was in force at that size. An ML-DSA-44 key
       is never enough: it covers no extension lines. Signatures by trusted witnesses hold too;
       unknown ones are ignored, and ML-DSA-44 lines count as absent where they can't be checked.
    4. An empty log has the empty root.
    """
    with locate("checkpoint"):
        # 1
        note = parse_note(raw)
        checkpoint = parse_checkpoint(note.text.decode())
        # 2
        brought = trust.keys_of(checkpoint.origin)
        if not brought:
            raise VerificationError(
                "it is of the log {origin}; you trust {trusted}",
                origin=checkpoint.origin,
                trusted=sorted({log.origin for log in trust.logs}),
            )
        # 3
        known = log_keys_below(checkpoint.size)
        reached = [one.key for one in known.reached(brought)]
        trusted = (*brought, *(key for key in reached if key.kind == ED25519))
        witnesses = tuple(one.key for one in trust.witnesses)
        second = [key for key in reached if key.kind != ED25519]
        others = (*trust.second_keys_of(checkpoint.origin), *second, *witnesses)
        verified = open_note(note, (*trusted, *others))
        by_log = [one.key for one in verified if one.key in trusted]
        if not by_log:
            raise VerificationError(
                "the key of the log {origin} has not signed it", origin=checkpoint.origin
            )
        if known.keys:
            by_log = _in_force(by_log, known, checkpoint.size)
        # 4
        if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
            raise VerificationError("size 0, but its root is not that of the empty tree")
    lines = {(line.name, line.key_id) for line in note.signatures}
    return SignedCheckpoint(
        checkpoint=checkpoint,
        text=note.text,
        log_key=by_log[0],
        log_keys=tuple(by_log),
        cosignatures=tuple(one for one in verified if one.key in witnesses),
        second_keys=_second_keys([one.key for one in verified], known, checkpoint),
        unchecked=tuple(
            key
            for key in (*trusted, *others)
            if not can_check(key) and (key.name, key.key_id) in lines
        ),
    )


def _second_keys(
    signers: list[VerifierKey], known: LogKeys, checkpoint: Checkpoint
) -> tuple[VerifierKey, ...]:
    """Those of ML-DSA-44 that are the log's, and in force where its entries tell."""
    present = {one.key.vkey for one in known.keys if one.in_force_at(checkpoint.size)}
    return tuple(
        key
        for key in signers
        if key.kind == COSIGNATURE_MLDSA
        and key.name == checkpoint.origin
        and (key.vkey in present or not known.keys)
    )


def _in_force(signers: list[VerifierKey], known: LogKeys, size: int) -> list[VerifierKey]:
    """The signers that the log's own entries call keys of the log at that size."""
    present = {one.key.vkey for one in known.keys if one.in_force_at(size)}
    found = [key for key in signers if key.vkey in present]
    if found:
        return found
    signer = known.find(signers[0].vkey)
    if signer is None:
        raise VerificationError(
            "it is signed by the key {vkey}, which you trust, but which is no key of this log: its "
            "genesis names {genesis}",
            vkey=signers[0].vkey,
            genesis=known.keys[0].key.vkey,
        )
    raise VerificationError(
        "it is signed by the key {id} of the log alone, which was not in force at size {size}: "
        "entry {index} ended it",
        id=signer.key.key_id,
        size=size,
        index="?" if signer.ended is None else signer.ended,
    )
