"""Keys of witnesses, and what they sign (C2SP tlog-cosignature).

A key is written as a vkey `name+hex8+base64(type ‖ key)`, type 0x04 (Ed25519, 32 bytes) or 0x06
(ML-DSA-44, 1312 bytes). A cosignature is `u64 time ‖ signature`.
"""

from __future__ import annotations

import base64
import hashlib
import re
import struct
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from ledger.errors import InvalidInput
from ledger.log.checkpoint import Checkpoint
from ledger.log.notes import Signature

ED25519: Final = 4
ML_DSA_44: Final = 6
_KEY_BYTES: Final = {ED25519: 32, ML_DSA_44: 1312}
_SIGNATURE_BYTES: Final = {ED25519: 64, ML_DSA_44: 2420}
_NAME: Final = re.compile(r"[^\s+\x00-\x1f\ud800-\udfff]+")
_NAME_BYTES_MAX: Final = 200
_LABEL: Final = b"subtree/v1\n\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class CosignerKey:
    """A witness's public key; `type_` is ED25519 or ML_DSA_44."""

    name: str
    type_: int
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        head = self.name.encode() + b"\n" + bytes([self.type_])
        return hashlib.sha256(head + self.public_key).digest()[:4]

    @property
    def vkey(self) -> str:
        blob = base64.b64encode(bytes([self.type_]) + self.public_key).decode()
        return f"{self.label}+{blob}"

    @property
    def label(self) -> str:
        """`name+hex8`: its name is not enough, a witness may have keys of both types."""
        return f"{self.name}+{self.key_id.hex()}"

    def signed_at_s(self, signature: Signature, text: bytes, checkpoint: Checkpoint) -> int:
        """Verify a cosignature of a checkpoint note's text; returns its time (Unix seconds).

        Raises InvalidInput.
        """
        if (signature.name, signature.key_id) != (self.name, self.key_id):
            raise InvalidInput(f"the cosignature is by {signature.name}, not by {self.label}")
        if len(signature.blob) != 8 + _SIGNATURE_BYTES[self.type_]:
            raise InvalidInput(f"the cosignature of {self.label} has {len(signature.blob)} bytes")
        (time_s,) = struct.unpack(">Q", signature.blob[:8])
        if not 0 < time_s < 2**63:
            raise InvalidInput(f"the cosignature of {self.label} has no time")
        if not self._verifies(signature.blob[8:], self._message(time_s, text, checkpoint)):
            raise InvalidInput(f"the cosignature of {self.label} does not verify")
        return int(time_s)

    def _message(self, time_s: int, text: bytes, checkpoint: Checkpoint) -> bytes:
        if self.type_ == ED25519:
            return b"cosignature/v1\ntime %d\n" % time_s + text
        return (
            _LABEL
            + _opaque(self.name)
            + struct.pack(">Q", time_s)
            + _opaque(checkpoint.origin)
            + struct.pack(">QQ", 0, checkpoint.size)
            + checkpoint.root
        )

    def _verifies(self, signature: bytes, message: bytes) -> bool:
        try:
            if self.type_ == ED25519:
                Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
            else:
                MLDSA44PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except InvalidSignature:
            return False
        return True


def _opaque(text: str) -> bytes:
    data = text.encode()
    return bytes([len(data)]) + data


def parse_cosigner(vkey: str) -> CosignerKey:
    """Raises InvalidInput unless `vkey` is a witness's key."""
    name, _, rest = vkey.partition("+")
    key_id_hex, _, encoded = rest.partition("+")
    try:
        blob = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise InvalidInput(f"vkey of witness {name[:60]!r}: the key is not base64") from error
    if not _NAME.fullmatch(name) or not blob or base64.b64encode(blob).decode() != encoded:
        raise InvalidInput(f"vkey {vkey[:120]!r} is not of the form name+hex8+base64")
    if len(name.encode()) > _NAME_BYTES_MAX:
        raise InvalidInput(f"a witness's name has at most {_NAME_BYTES_MAX} bytes")
    key = CosignerKey(name=name, type_=blob[0], public_key=blob[1:])
    if len(key.public_key) != _KEY_BYTES.get(key.type_, -1):
        raise InvalidInput(
            f"vkey of witness {name!r}: its type is 0x04 (Ed25519, 32 bytes) or 0x06 (ML-DSA-44,"
            f" 1312 bytes), not 0x{key.type_:02x} with {len(key.public_key)} bytes"
        )
    if key.key_id.hex() != key_id_hex:
        raise InvalidInput(f"vkey of witness {name!r}: its key id should be {key.key_id.hex()}")
    return key
