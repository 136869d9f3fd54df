"""Signed notes and verifier keys (C2SP signed-note), with Ed25519 signatures, and Ed25519 and
ML-DSA-44 cosignatures (C2SP tlog-cosignature).
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from greenledger_verify import mldsa
from greenledger_verify.encoding import NATURAL_MAX, decode_base64
from greenledger_verify.failure import VerificationError

ED25519: Final = 0x01
COSIGNATURE_V1: Final = 0x04
COSIGNATURE_MLDSA: Final = 0x06
COSIGNATURES: Final = (COSIGNATURE_V1, COSIGNATURE_MLDSA)

_SIGNATURES_MAX = 100
_SIGNATURE_BYTES = 64
_KEY_SIZES = {ED25519: 32, COSIGNATURE_V1: 32, COSIGNATURE_MLDSA: mldsa.PUBLIC_KEY_SIZE}
_FORBIDDEN_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")
_KEY_NAME = re.compile(r"[^\s+\x00-\x1f\ud800-\udfff]+")
_KEY_ID_HEX = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public key with the name it signs under. ``kind`` is the signature type, ``key_id`` has 4
    bytes.
    """

    name: str
    kind: int
    public_key: bytes
    key_id: bytes
    vkey: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line: who says to have signed, and the bytes that follow the key id."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A parsed note. ``text`` ends in a newline; nothing of it is to be believed before a signature
    is verified.
    """

    text: bytes
    signatures: tuple[NoteSignature, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedSignature:
    """A signature that holds; ``time_s`` is the cosigner's Unix time, or None for a plain
    signature, and for a cosigner that says no time (0).
    """

    key: VerifierKey
    time_s: int | None


def parse_vkey(text: str) -> VerifierKey:
    """``name+hex8+base64(type‖public key)``; the key id must be that of the key."""
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise VerificationError("{text} is not a verifier key (name+id+key)", text=text)
    name, key_id_hex, encoded = parts
    _require_key_name(name)
    if not _KEY_ID_HEX.fullmatch(key_id_hex):
        raise VerificationError("key id {id} is not 8 lower-case hex digits", id=key_id_hex)
    raw = decode_base64(encoded)
    if not raw or len(raw) - 1 != _KEY_SIZES.get(raw[0]):
        raise VerificationError(
            "the key of {name} is neither Ed25519 nor a cosigner's, Ed25519 or ML-DSA-44", name=name
        )
    key_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    if key_id.hex() != key_id_hex:
        raise VerificationError(
            "key id {id} is not that of the key of {name}", id=key_id_hex, name=name
        )
    return VerifierKey(name=name, kind=raw[0], public_key=raw[1:], key_id=key_id, vkey=text)


def parse_note(raw: bytes) -> Note:
    """Split a note strictly.

    1. UTF-8 without control characters but newline, ending in a newline.
    2. The last empty line divides text and signatures.
    3. One to 100 signature lines: em dash, key name, canonical base64 of key id and signature.
    """
    # 1
    if _FORBIDDEN_CONTROL.search(raw):
        raise VerificationError("the note holds a control character")
    try:
        whole = raw.decode()
    except UnicodeDecodeError as error:
        raise VerificationError("the note is not UTF-8 at byte {at}", at=error.start) from None
    if not whole.endswith("\n"):
        raise VerificationError("the note does not end in a newline")
    # 2
    text, blank, signature_lines = whole.rpartition("\n\n")
    if not blank or not signature_lines:
        raise VerificationError(
            "the note has no signatures: no empty line with signature lines after it"
        )
    # 3
    lines = signature_lines[:-1].split("\n")
    if len(lines) > _SIGNATURES_MAX:
        raise VerificationError("the note has {given} signatures, more than 100", given=len(lines))
    return Note(text=(text + "\n").encode(), signatures=tuple(map(_parse_signature, lines)))


def verify_signature(key: VerifierKey, signature: bytes, text: bytes) -> int | None:
    """``signature`` is by ``key`` over the note text ``text``. Returns a cosignature's time, else
    None.
    """
    if key.kind == COSIGNATURE_MLDSA:
        return _verify_mldsa(key, signature, text)
    if key.kind == COSIGNATURE_V1:
        time_s, message = _cosigned(signature[:8], text)
        _verify_ed25519(key, signature[8:], message)
        return time_s or None
    _verify_ed25519(key, signature, text)
    return None


def open_note(note: Note, keys: Iterable[VerifierKey]) -> tuple[VerifiedSignature, ...]:
    """Verify every signature that is by one of ``keys``; one at least there must be. Others are
    ignored, as C2SP says, and so are ML-DSA-44 lines where this installation can't check them.
    """
    known = {(key.name, key.key_id): key for key in keys}
    verified = []
    for line in note.signatures:
        key = known.get((line.name, line.key_id))
        if key is not None and can_check(key):
            time_s = verify_signature(key, line.signature, note.text)
            verified.append(VerifiedSignature(key=key, time_s=time_s))
    if not verified:
        raise VerificationError(
            "no signature by a key you trust; it is signed by {signers}",
            signers=[f"{line.name}+{line.key_id.hex()}" for line in note.signatures],
        )
    return tuple(verified)


def can_check(key: VerifierKey) -> bool:
    """Whether this installation can verify signatures by the key."""
    return key.kind != COSIGNATURE_MLDSA or mldsa.AVAILABLE


def _parse_signature(line: str) -> NoteSignature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014":
        raise VerificationError("{line} is not a signature line", line=line)
    _require_key_name(parts[1])
    raw = decode_base64(parts[2])
    if len(raw) <= 4:
        raise VerificationError("the signature by {name} is too short", name=parts[1])
    return NoteSignature(name=parts[1], key_id=raw[:4], signature=raw[4:])


def _require_key_name(name: str) -> None:
    if not _KEY_NAME.fullmatch(name):
        raise VerificationError(
            "{name} is not a key name: it is empty or has a space or a plus", name=name
        )


def _verify_mldsa(key: VerifierKey, signature: bytes, text: bytes) -> int | None:
    if len(signature) != 8 + mldsa.SIGNATURE_SIZE:
        raise VerificationError("the signature by {name} has not 2428 bytes", name=key.name)
    time_s = _time_s(signature[:8])
    message = mldsa.cosigned_message(key.name, time_s, text)
    if not mldsa.verify(key.public_key, signature[8:], message):
        raise VerificationError(
            "the signature by {name} (key {id}) does not fit the text", name=key.name, id=key.key_id
        )
    return time_s or None


def _time_s(timestamp: bytes) -> int:
    time_s = int.from_bytes(timestamp, "big")
    if time_s > NATURAL_MAX:
        raise VerificationError("the time of the cosignature is beyond 2^63")
    return time_s


def _cosigned(timestamp: bytes, text: bytes) -> tuple[int, bytes]:
    time_s = _time_s(timestamp)
    return time_s, b"cosignature/v1\ntime %d\n" % time_s + text


def _verify_ed25519(key: VerifierKey, signature: bytes, message: bytes) -> None:
    if len(signature) != _SIGNATURE_BYTES:
        raise VerificationError("the signature by {name} has not 64 bytes", name=key.name)
    try:
        _public_key(key.public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise VerificationError(
            "the signature by {name} (key {id}) does not fit the text", name=key.name, id=key.key_id
        ) from None


@lru_cache(maxsize=4096)
def _public_key(raw: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(raw)
