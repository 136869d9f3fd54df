"""What is random in a run, drawn from one secret, so that whoever computes it makes the same bytes.

Nobody else can tell what is drawn from fresh random bytes: SHAKE256 of 32 secret bytes and a label.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

from ledger.metering.batches import SECRET_BYTES


@dataclass(frozen=True, slots=True)
class Draws:
    """One secret of 32 bytes; each label is drawn for one purpose."""

    secret: bytes = field(repr=False)

    @classmethod
    def fresh(cls) -> Draws:
        return cls(secrets.token_bytes(SECRET_BYTES))

    def draw(self, label: str, size: int) -> bytes:
        head = b"greenledger/run/v1\n" + self.secret
        return hashlib.shake_256(head + label.encode()).digest(size)

    def id(self, label: str) -> str:
        """32 hex digits."""
        return self.draw(f"{label} id", 16).hex()
