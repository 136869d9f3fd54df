"""Secrets that have to be read again: AES-256-GCM at rest, bound to the row that they stand in."""

from __future__ import annotations

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.errors import Unavailable

# What the key is derived for from the key-encryption key.
PURPOSE: Final = "greenledger access"
_NONCE_BYTES: Final = 12


def seal(seal_key: bytes, about: str, secret: str) -> bytes:
    """`about` names the row: sealed text opens nowhere else."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(seal_key).encrypt(nonce, secret.encode(), about.encode())


def unseal(seal_key: bytes, about: str, sealed: bytes) -> str:
    """Raises Unavailable where the key is another one, or the row was changed."""
    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return AESGCM(seal_key).decrypt(nonce, rest, about.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise Unavailable(
            f"the {about} does not open: the key-encryption key is another one, or the row was"
            " changed"
        ) from error
