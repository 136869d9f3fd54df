"""Keys of witnesses, and what they sign (C2SP tlog-cosignature).

A key is written as a vkey of type 0x04 (Ed25519) or 0x06 (ML-DSA-44). A cosignature is
`u64 time ‖ signature`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from ledger.errors import InvalidInput
from ledger.log.mldsa import ML_DSA_44, TIME_BYTES
from ledger.log.notes import ED25519_COSIGNATURE, Signature, VerifyKey, parse_vkey

_NAME_BYTES_MAX: Final = 200
# As a log's own ML-DSA-44 line has it: it says nothing of what it saw.
_NO_TIME: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CosignerKey:
    """A witness's public key."""

    key: VerifyKey

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def key_id(self) -> bytes:
        return self.key.key_id

    @property
    def vkey(self) -> str:
        return self.key.vkey

    @property
    def label(self) -> str:
        """`name+hex8`: its name is not enough, a witness may have keys of both types."""
        return f"{self.name}+{self.key_id.hex()}"

    def signed_at_s(self, signature: Signature, text: bytes) -> int:
        """Verify a cosignature of a checkpoint note's text; returns its time (Unix seconds).

        Raises InvalidInput, or Unavailable where this installation can't verify ML-DSA-44.
        """
        if (signature.name, signature.key_id) != (self.name, self.key_id):
            raise InvalidInput(f"the cosignature is by {signature.name}, not by {self.label}")
        if len(signature.blob) < TIME_BYTES:
            raise InvalidInput(f"the cosignature of {self.label} has {len(signature.blob)} bytes")
        (time_s,) = struct.unpack(">Q", signature.blob[:TIME_BYTES])
        if not _NO_TIME < time_s < 2**63:
            raise InvalidInput(f"the cosignature of {self.label} has no time")
        if not self.key.verify(text, signature.blob):
            raise InvalidInput(f"the cosignature of {self.label} does not verify")
        return int(time_s)


def parse_cosigner(vkey: str) -> CosignerKey:
    """Raises InvalidInput unless `vkey` is a witness's key."""
    key = parse_vkey(vkey, (ED25519_COSIGNATURE, ML_DSA_44))
    if len(key.name.encode()) > _NAME_BYTES_MAX:
        raise InvalidInput(f"a witness's name has at most {_NAME_BYTES_MAX} bytes")
    return CosignerKey(key=key)
