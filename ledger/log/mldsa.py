"""ML-DSA-44 signatures under checkpoints (FIPS 204; C2SP tlog-cosignature, key type 0x06).

What is signed is a structure of name, time, origin, size and root, not the note's text. A log signs
its own checkpoints with time 0: it says nothing of what it saw.
"""

from __future__ import annotations

import base64
import binascii
import struct
from types import ModuleType
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from ledger.errors import Unavailable

ML_DSA_44: Final = 6
PUBLIC_KEY_BYTES: Final = 1312
SEED_BYTES: Final = 32
SIGNATURE_BYTES: Final = 2420
TIME_BYTES: Final = 8
_LABEL: Final = b"subtree/v1\n\x00"
_NAME_BYTES_MAX: Final = 255
_ROOT_BYTES: Final = 32


def _library() -> ModuleType:
    """Raises Unavailable where cryptography is too old for it."""
    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa
    except ImportError as error:
        raise Unavailable(
            "this installation's cryptography has no ML-DSA-44; install a newer one"
        ) from error
    return mldsa


def is_available() -> bool:
    try:
        public_key(bytes(SEED_BYTES))
    except Unavailable:
        return False
    return True


def public_key(seed: bytes) -> bytes:
    try:
        key = _library().MLDSA44PrivateKey.from_seed_bytes(seed)
        return bytes(key.public_key().public_bytes_raw())
    except UnsupportedAlgorithm as error:
        raise Unavailable(f"this installation's cryptography has no ML-DSA-44: {error}") from error


def message(name: str, time_s: int, text: bytes) -> bytes:
    """The bytes that are signed, of a checkpoint's text. Raises ValueError for another text."""
    lines = text.split(b"\n")
    if len(lines) < 4 or not lines[1].isdigit() or len(lines[1]) > 19:
        raise ValueError("the text is no checkpoint")
    origin, size, cosigner = lines[0], int(lines[1]), name.encode()
    try:
        root = base64.b64decode(lines[2], validate=True)
    except binascii.Error as error:
        raise ValueError("the text is no checkpoint") from error
    if len(root) != _ROOT_BYTES or max(len(origin), len(cosigner)) > _NAME_BYTES_MAX:
        raise ValueError("the text is no checkpoint")
    return b"".join(
        (
            _LABEL,
            bytes([len(cosigner)]),
            cosigner,
            struct.pack(">Q", time_s),
            bytes([len(origin)]),
            origin,
            struct.pack(">QQ", 0, size),
            root,
        )
    )


def sign(seed: bytes, name: str, text: bytes, time_s: int = 0) -> bytes:
    """Time and signature, as they stand in a signature line. Raises ValueError, Unavailable."""
    signed = message(name, time_s, text)
    key = _library().MLDSA44PrivateKey.from_seed_bytes(seed)
    return struct.pack(">Q", time_s) + bytes(key.sign(signed))


def verify(public: bytes, name: str, text: bytes, blob: bytes) -> bool:
    """Whether `blob`, time and signature, is by that key. Raises Unavailable."""
    if len(blob) != TIME_BYTES + SIGNATURE_BYTES:
        return False
    (time_s,) = struct.unpack(">Q", blob[:TIME_BYTES])
    try:
        signed = message(name, time_s, text)
        key = _library().MLDSA44PublicKey.from_public_bytes(public)
        key.verify(blob[TIME_BYTES:], signed)
    except (InvalidSignature, ValueError):
        return False
    except UnsupportedAlgorithm as error:
        raise Unavailable(f"this installation's cryptography has no ML-DSA-44: {error}") from error
    return True
