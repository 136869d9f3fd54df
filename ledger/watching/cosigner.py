"""Keys that cosign checkpoints (C2SP tlog-cosignature): Ed25519 (0x04) and ML-DSA-44 (0x06)."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import struct
from dataclasses import dataclass
from typing import Final, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from greenledger_verify.failure import VerificationError
from greenledger_verify.mldsa import cosigned_message
from ledger.errors import InvalidInput, Unavailable

try:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
except ImportError:  # a library from before it had them
    MLDSA44PrivateKey = None  # type: ignore[assignment,misc]

ED25519: Final = 0x04
ML_DSA_44: Final = 0x06
_PREFIX: Final = "PRIVATE+KEY+"
_NAME = re.compile(r"[^\s+\u0000-\u001f\ud800-\udfff]{1,255}")
_SEED_BYTES: Final = 32
_Private: TypeAlias = "Ed25519PrivateKey | MLDSA44PrivateKey"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigner:
    """A private key. Neither its text nor its seed stands in any error."""

    name: str
    kind: int
    seed: bytes
    private_key: _Private

    @classmethod
    def from_seed(cls, name: str, kind: int, seed: bytes) -> Cosigner:
        """Raises InvalidInput for a name that can't be one, Unavailable without ML-DSA."""
        if not _NAME.fullmatch(name) or len(name.encode()) > 255:
            raise InvalidInput(
                f"{name!r} is no name of a key: 1 to 255 bytes, no space and no plus, such as"
                " witness.example/1"
            )
        return cls(name=name, kind=kind, seed=seed, private_key=_private_key(kind, seed))

    @classmethod
    def new(cls, name: str, kind: int) -> Cosigner:
        return cls.from_seed(name, kind, secrets.token_bytes(_SEED_BYTES))

    @property
    def _blob(self) -> bytes:
        return bytes([self.kind]) + self.private_key.public_key().public_bytes_raw()

    @property
    def key_id(self) -> bytes:
        """First 4 bytes of H(name ‖ "\\n" ‖ kind ‖ public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + self._blob).digest()[:4]

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self._blob).decode()}"

    @property
    def text(self) -> str:
        """`PRIVATE+KEY+name+hex8+base64(kind ‖ seed)`, as note tools write private keys."""
        blob = base64.b64encode(bytes([self.kind]) + self.seed).decode()
        return f"{_PREFIX}{self.name}+{self.key_id.hex()}+{blob}"

    def cosign(self, text: bytes, time_s: int) -> str:
        """A signature line over the checkpoint whose note text is `text`. With Ed25519 it is over
        the whole text; with ML-DSA-44 over origin, size and root. Raises InvalidInput where the
        origin is too long for that."""
        if self.kind == ED25519:
            message = b"cosignature/v1\ntime %d\n" % time_s + text
        else:
            try:
                message = cosigned_message(self.name, time_s, text)
            except VerificationError as error:
                raise InvalidInput(f"it can't be cosigned with ML-DSA-44: {error}") from error
        blob = self.key_id + struct.pack(">Q", time_s) + self.private_key.sign(message)
        return f"— {self.name} {base64.b64encode(blob).decode()}\n"


def _private_key(kind: int, seed: bytes) -> _Private:
    if kind == ED25519:
        return Ed25519PrivateKey.from_private_bytes(seed)
    assert kind == ML_DSA_44
    without = "this machine's cryptography library has no ML-DSA-44"
    if MLDSA44PrivateKey is None:
        raise Unavailable(without)
    try:
        return MLDSA44PrivateKey.from_seed_bytes(seed)
    except UnsupportedAlgorithm as error:
        raise Unavailable(without) from error


def parse_cosigner(text: str) -> Cosigner:
    """Raises InvalidInput, which never shows the key."""
    name, _, rest = text.strip().removeprefix(_PREFIX).partition("+")
    key_id, _, encoded = rest.partition("+")
    try:
        blob = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise InvalidInput("the private key of the witness is not base64") from error
    if len(blob) != 1 + _SEED_BYTES or blob[0] not in (ED25519, ML_DSA_44):
        raise InvalidInput("the private key of the witness is of no kind that cosigns")
    found = Cosigner.from_seed(name, blob[0], blob[1:])
    if found.key_id.hex() != key_id:
        raise InvalidInput(f"the private key of {name} has another key id than it says")
    return found
