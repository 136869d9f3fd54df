"""C2SP tlog-checkpoint notes and tlog-proof files."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger.errors import InvalidInput
from ledger.log import merkle, notes

# Of a checkpoint note that others have made, with cosignatures.
NOTE_BYTES_MAX: Final = 1_000_000
PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_SIZE_MAX: Final = 2**63 - 1  # C2SP: numbers fit into 63 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The root of the log `origin` at `size`."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> bytes:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n".encode()


def parse_checkpoint(text: bytes) -> Checkpoint:
    """The text of a checkpoint note; extension lines are allowed. Raises InvalidInput."""
    lines = text.decode().split("\n")
    if len(lines) < 4 or lines[-1] != "" or not all(lines[:-1]):
        raise InvalidInput("a checkpoint is origin, size and root, one line each")
    if not _is_size(lines[1]):
        raise InvalidInput(f"checkpoint size {lines[1][:40]!r} is not a decimal number")
    root = _base64(lines[2], "checkpoint root")
    if len(root) != merkle.HASH_SIZE:
        raise InvalidInput(f"checkpoint root has {len(root)} bytes, not {merkle.HASH_SIZE}")
    return Checkpoint(origin=lines[0], size=int(lines[1]), root=root)


def _is_size(text: str) -> bool:
    return _SIZE.fullmatch(text) is not None and int(text) <= _SIZE_MAX


def open_checkpoint(
    data: bytes, key: notes.VerifyKey, others: Sequence[notes.VerifyKey] = ()
) -> Checkpoint:
    """Parse a checkpoint note of the log that `key` is named after, and verify that it, or one of
    `others`, signed it. Raises InvalidInput.
    """
    try:
        note = notes.parse_note(data)
        checkpoint = parse_checkpoint(note.text)
    except InvalidInput as error:
        raise InvalidInput(f"checkpoint: {error}") from error
    if checkpoint.origin != key.name:
        raise InvalidInput(f"checkpoint: it is of log {checkpoint.origin!r}, not of {key.name!r}")
    if checkpoint.size == 0 and checkpoint.root != merkle.EMPTY_ROOT:
        raise InvalidInput("checkpoint: size 0, but the root is not that of the empty tree")
    known = {(one.name, one.key_id): one for one in (key, *others)}
    own = [one for one in note.signatures if (one.name, one.key_id) in known]
    if not own:
        raise InvalidInput(f"checkpoint: no signature by {key.name} ({key.key_id.hex()})")
    if not all(known[one.name, one.key_id].verify(note.text, one.blob) for one in own):
        raise InvalidInput(f"checkpoint: the signature of {key.name} does not verify")
    return checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogProof:
    """An inclusion proof with its checkpoint; `extra` is the entry itself in our files."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def encode(self) -> bytes:
        lines = [PROOF_HEADER]
        if self.extra is not None:
            lines.append("extra " + base64.b64encode(self.extra).decode())
        lines.append(f"index {self.index}")
        lines.extend(base64.b64encode(hash_).decode() for hash_ in self.path)
        return ("\n".join(lines) + "\n\n").encode() + self.checkpoint


def parse_tlog_proof(data: bytes) -> TlogProof:
    """Raises InvalidInput unless `data` is a well-formed tlog-proof."""
    head, separator, checkpoint = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"tlog-proof: {error}") from error
    if not separator or lines.pop(0) != PROOF_HEADER:
        raise InvalidInput(f"tlog-proof: does not begin with {PROOF_HEADER}")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = _base64(lines.pop(0)[6:], "tlog-proof extra")
    index = lines.pop(0)[6:] if lines and lines[0].startswith("index ") else ""
    if not _is_size(index):
        raise InvalidInput("tlog-proof: no line 'index N'")
    path = tuple(_base64(line, "tlog-proof hash") for line in lines)
    if len(path) > 63 or any(len(hash_) != merkle.HASH_SIZE for hash_ in path):
        raise InvalidInput("tlog-proof: the path is at most 63 hashes of 32 bytes")
    return TlogProof(index=int(index), path=path, checkpoint=checkpoint, extra=extra)


def _base64(text: str, what: str) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"{what} is not base64: {error}") from error
    if base64.b64encode(found).decode() != text:
        raise InvalidInput(f"{what} is not canonical base64")
    return found
