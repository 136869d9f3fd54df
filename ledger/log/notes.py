"""C2SP signed notes with Ed25519 signatures (key type 0x01); checkpoints also with ML-DSA-44 (0x06)
and with what witnesses sign (0x04, 0x06).

A note is text that ends in a newline, an empty line, then signature lines
`— <key name> <base64(4 bytes key id ‖ signature)>`. Entries and checkpoints are notes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from ledger.errors import InvalidInput
from ledger.log import mldsa
from ledger.log.mldsa import ML_DSA_44

ED25519: Final = 1
ED25519_COSIGNATURE: Final = 4
_KINDS: Final = {
    ED25519: ("an Ed25519 key (0x01 and 32 bytes)", 32),
    ED25519_COSIGNATURE: ("an Ed25519 key of a witness (0x04 and 32 bytes)", 32),
    ML_DSA_44: ("an ML-DSA-44 key (0x06 and 1312 bytes)", mldsa.PUBLIC_KEY_BYTES),
}
SIGNATURES_MAX: Final = 100
# Any but the newline.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_KEY_NAME = re.compile(r"[^\s+\u0000-\u001f\ud800-\udfff]+")
_SIGNATURE_LINE = re.compile(r"— ([^\s+\u0000-\u001f]+) ([A-Za-z0-9+/]+={0,2})")


def key_id(name: str, public_key: bytes, kind: int = ED25519) -> bytes:
    """First 4 bytes of H(name ‖ "\\n" ‖ kind ‖ public key)."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public_key).digest()[:4]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyKey:
    """A named public key, written as a vkey `name+hex8+base64(kind ‖ key)`.

    `kind` is the type of its signatures: Ed25519, or of checkpoints alone an Ed25519 cosignature or
    ML-DSA-44. These two sign a time along: `u64 time ‖ signature`.
    """

    name: str
    public_key: bytes
    kind: int = ED25519

    @property
    def key_id(self) -> bytes:
        return key_id(self.name, self.public_key, self.kind)

    @property
    def vkey(self) -> str:
        blob = base64.b64encode(bytes([self.kind]) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{blob}"

    def verify(self, text: bytes, signature: bytes) -> bool:
        if self.kind == ML_DSA_44:
            return mldsa.verify(self.public_key, self.name, text, signature)
        if self.kind == ED25519_COSIGNATURE:
            if len(signature) < mldsa.TIME_BYTES:
                return False
            (time_s,) = struct.unpack(">Q", signature[: mldsa.TIME_BYTES])
            text, signature = _cosigned(time_s, text), signature[mldsa.TIME_BYTES :]
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text)
        except InvalidSignature:
            return False
        return True


def _cosigned(time_s: int, text: bytes) -> bytes:
    """What an Ed25519 cosignature signs (C2SP tlog-cosignature)."""
    return b"cosignature/v1\ntime %d\n" % time_s + text


def parse_vkey(vkey: str, kinds: Sequence[int] = (ED25519,)) -> VerifyKey:
    """Raises InvalidInput unless `vkey` is a well-formed verifier key of one of `kinds`."""
    parts = vkey.split("+", 2)
    if len(parts) != 3 or not _KEY_NAME.fullmatch(parts[0]):
        raise InvalidInput(f"vkey {vkey!r} is not of the form name+hex8+base64")
    try:
        blob = base64.b64decode(parts[2], validate=True)
    except ValueError as error:
        raise InvalidInput(f"vkey {vkey!r}: the key is not base64 ({error})") from error
    if (
        not any(blob[:1] == bytes([kind]) and len(blob) == 1 + _KINDS[kind][1] for kind in kinds)
        or base64.b64encode(blob).decode() != parts[2]
    ):
        wanted = ", nor ".join(_KINDS[kind][0] for kind in kinds)
        raise InvalidInput(f"vkey {vkey!r} is not {wanted}")
    key = VerifyKey(name=parts[0], public_key=blob[1:], kind=blob[0])
    if key.key_id.hex() != parts[1]:
        raise InvalidInput(f"vkey {vkey!r}: its key id should be {key.key_id.hex()}")
    return key


class Signer(Protocol):
    """Who signs notes under a name: a private key in memory, or one that is held elsewhere."""

    @property
    def name(self) -> str: ...

    @property
    def verify_key(self) -> VerifyKey: ...

    def signature_line(self, text: bytes) -> bytes:
        """Raises Unavailable where who holds the key does not sign."""


def signature_line(key: VerifyKey, blob: bytes) -> bytes:
    """The line of a signature by `key`; `blob` is what its kind writes after the key id."""
    return f"— {key.name} {base64.b64encode(key.key_id + blob).decode()}\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class MlDsaKey:
    """A log's ML-DSA-44 private key, which signs checkpoints and nothing else."""

    name: str
    seed: bytes = field(repr=False)

    @property
    def verify_key(self) -> VerifyKey:
        public = mldsa.public_key(self.seed)
        return VerifyKey(name=self.name, public_key=public, kind=ML_DSA_44)

    def signature_line(self, text: bytes) -> bytes:
        return signature_line(self.verify_key, mldsa.sign(self.seed, self.name, text))


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A named Ed25519 private key."""

    name: str
    private_key: Ed25519PrivateKey

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> SigningKey:
        return cls(name=name, private_key=Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def seed(self) -> bytes:
        return self.private_key.private_bytes_raw()

    @property
    def verify_key(self) -> VerifyKey:
        return VerifyKey(
            name=self.name, public_key=self.private_key.public_key().public_bytes_raw()
        )

    def signature_line(self, text: bytes) -> bytes:
        return signature_line(self.verify_key, self.private_key.sign(text))


_SKEY_PREFIX: Final = "PRIVATE+KEY+"


def write_skey(key: SigningKey) -> str:
    """`PRIVATE+KEY+name+hex8+base64(0x01 ‖ seed)`, as note tools write private keys."""
    blob = base64.b64encode(bytes([ED25519]) + key.seed).decode()
    return f"{_SKEY_PREFIX}{key.name}+{key.verify_key.key_id.hex()}+{blob}"


def parse_skey(text: str) -> SigningKey:
    """Raises InvalidInput, which never shows the key, unless `text` is a private key."""
    name, _, rest = text.strip().removeprefix(_SKEY_PREFIX).partition("+")
    key_id_hex, _, encoded = rest.partition("+")
    try:
        blob = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise InvalidInput("the private key is not base64") from error
    well_formed = text.startswith(_SKEY_PREFIX) and _KEY_NAME.fullmatch(name)
    if not well_formed or len(blob) != 33 or blob[0] != ED25519:
        raise InvalidInput(f"a private key is of the form {_SKEY_PREFIX}name+hex8+base64")
    key = SigningKey.from_seed(name, blob[1:])
    if key.verify_key.key_id.hex() != key_id_hex:
        raise InvalidInput(f"the private key of {name} has another key id than it says")
    return key


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature line; `blob` is what follows the key id."""

    name: str
    key_id: bytes
    blob: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A parsed note: what was signed, and by which names. Nothing is verified yet."""

    text: bytes
    signatures: tuple[Signature, ...]


def sign_note(text: bytes, *keys: Signer) -> bytes:
    """The note over `text` (which ends in a newline), signed by `keys` in order."""
    assert text.endswith(b"\n")
    return text + b"\n" + b"".join(key.signature_line(text) for key in keys)


def parse_note(data: bytes) -> Note:
    """Raises InvalidInput unless `data` is a well-formed note of at least one signature."""
    try:
        decoded = data.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"note is not UTF-8: {error}") from error
    if _CONTROL.search(decoded):
        raise InvalidInput("note holds a control character other than newline")
    text, separator, tail = decoded.rpartition("\n\n")
    if not separator or not tail.endswith("\n"):
        raise InvalidInput("note has no empty line before its signatures, or is cut off")
    lines = tail[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise InvalidInput(f"note has {len(lines)} signatures; {SIGNATURES_MAX} is the most")
    return Note(
        text=(text + "\n").encode(), signatures=tuple(_parse_signature(line) for line in lines)
    )


def parse_signature_line(line: bytes) -> Signature:
    """One line with its newline, as a witness hands it out. Raises InvalidInput."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"signature line is not UTF-8: {error}") from error
    if not text.endswith("\n"):
        raise InvalidInput("signature line is cut off")
    return _parse_signature(text[:-1])


def _parse_signature(line: str) -> Signature:
    found = _SIGNATURE_LINE.fullmatch(line)
    if not found:
        raise InvalidInput(f"malformed signature line {line[:120]!r}")
    try:
        blob = base64.b64decode(found[2], validate=True)
    except binascii.Error as error:
        raise InvalidInput(f"signature of {found[1]!r} is not base64: {error}") from error
    if len(blob) < 5 or base64.b64encode(blob).decode() != found[2]:
        raise InvalidInput(f"signature of {found[1]!r} is too short or not canonical base64")
    return Signature(name=found[1], key_id=blob[:4], blob=blob[4:])
