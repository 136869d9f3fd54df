"""Checkpoints whose signature by a log was verified, and which witnesses cosigned them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from greenledger_verify.checkpoint import Checkpoint, parse_checkpoint
from greenledger_verify.failure import VerificationError
from greenledger_verify.merkle import EMPTY_ROOT
from greenledger_verify.note import (
    ED25519,
    Note,
    VerifierKey,
    open_note,
    parse_note,
    parse_vkey,
)
from ledger.errors import Corrupt, InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A checkpoint that a log signed: `note` as it came, all signatures included; `keys` of the
    log that signed it; `seen_s`: when it came first, by our clock; `shown`: by the log itself, not
    by somebody who had it from there."""

    note: bytes
    checkpoint: Checkpoint
    keys: tuple[VerifierKey, ...]
    seen_s: int
    shown: bool = True

    @property
    def size(self) -> int:
        return self.checkpoint.size

    @property
    def root(self) -> bytes:
        return self.checkpoint.root


def read_key(vkey: str, what: str) -> VerifierKey:
    """Raises InvalidInput."""
    try:
        return parse_vkey(vkey)
    except VerificationError as error:
        raise InvalidInput(f"{what}: {error}") from error


def read_log_keys(vkeys: Iterable[str]) -> list[VerifierKey]:
    """Keys of one log, Ed25519, named as its origin. Raises InvalidInput."""
    keys = [read_key(vkey, "--vkey") for vkey in vkeys]
    if not keys or len({key.name for key in keys}) > 1:
        raise InvalidInput("--vkey: give the key of the log, or several keys of one and the same")
    if any(key.kind != ED25519 for key in keys):
        raise InvalidInput("--vkey: a log's key is of type 0x01; a witness's is another matter")
    return keys


def read_witness_keys(vkeys: Iterable[str]) -> list[VerifierKey]:
    """Keys of witnesses. Raises InvalidInput."""
    keys = [read_key(vkey, "--witness") for vkey in vkeys]
    if any(key.kind == ED25519 for key in keys):
        raise InvalidInput("--witness: a witness's key is of type 0x04 or 0x06, this is another")
    return keys


class NotSigned(Corrupt):
    """No key of the log that is trusted signed it, or one of them did not sign this."""


def open_seen(raw: bytes, keys: Collection[VerifierKey], now_s: int, *, shown: bool = True) -> Seen:
    """Parse a checkpoint and verify the signatures by `keys` of the log; one at least there must
    be. Raises Corrupt for what is no checkpoint, NotSigned where signatures do not hold."""
    try:
        note = parse_note(raw)
    except VerificationError as error:
        raise NotSigned(f"it is no signed note: {error}") from error
    try:
        checkpoint = parse_checkpoint(note.text.decode())
    except VerificationError as error:
        raise Corrupt(f"it is no checkpoint: {error}") from error
    own = [key for key in keys if key.name == checkpoint.origin]
    try:
        verified = open_note(note, own)
    except VerificationError as error:
        raise NotSigned(f"checkpoint of {checkpoint.size} entries: {error}") from error
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise Corrupt("the checkpoint has size 0, but its root is not that of the empty tree")
    signers = tuple(one.key for one in verified)
    return Seen(note=raw, checkpoint=checkpoint, keys=signers, seen_s=now_s, shown=shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """A trusted witness's statement, at `time_s` of its clock (ours, where that is behind), on a
    checkpoint."""

    name: str
    time_s: int


def cosignatures(note: Note, witnesses: Iterable[VerifierKey], now_s: int) -> list[Cosigned]:
    """Those that hold; a broken one counts as none, and a witness with two keys as one."""
    latest: dict[str, int] = {}
    for key in witnesses:
        try:
            for one in open_note(note, [key]):
                latest[key.name] = max(latest.get(key.name, 0), one.time_s or 0)
        except VerificationError:
            continue
    return [
        Cosigned(name=name, time_s=min(time_s, now_s)) for name, time_s in sorted(latest.items())
    ]
