"""Keys that the server holds for parties: one file each, encrypted at rest with AES-256-GCM.

Where an external signer holds a key, its file says that and holds no secret: see `signer`.

The key-encryption key comes from the settings (a secret manager's variable) or from a file of mode
0600 beside the key files. The key's name and id are authenticated, so files can't be swapped.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ledger.errors import InvalidInput, NotFound, Unavailable
from ledger.files import write_private
from ledger.log.mldsa import ML_DSA_44
from ledger.log.notes import ED25519, MlDsaKey, Signer, SigningKey, VerifyKey, parse_vkey
from ledger.parties.signer import ExternalKey, ExternalSigner

KEK_BYTES = 32
_NONCE_BYTES = 12


class Keystore:
    """Signing keys by name and key id, in `folder`."""

    def __init__(
        self, folder: Path, kek_hex: str | None = None, signer: ExternalSigner | None = None
    ) -> None:
        self._folder = folder
        self._kek_hex = kek_hex
        self._signer = signer

    def _kek(self) -> bytes:
        path = self._folder / "kek"
        text = self._kek_hex
        if not text:
            if not path.exists():
                self._make_kek(path)
            text = path.read_text(encoding="ascii", errors="replace").strip()
        try:
            kek = bytes.fromhex(text)
        except ValueError as error:
            raise Unavailable(f"the key-encryption key is not hex: {error}") from error
        if len(kek) != KEK_BYTES:
            raise Unavailable(f"the key-encryption key has {len(kek)} bytes, not {KEK_BYTES}")
        return kek

    def _make_kek(self, path: Path) -> None:
        if any((self._folder / "keys").glob("*.json")):
            raise Unavailable(
                f"the key-encryption key is not given, and {path} is missing: a fresh one would not"
                " open the keys that are there"
            )
        with suppress(FileExistsError):  # made by another process just now: that one counts
            write_private(path, secrets.token_hex(KEK_BYTES).encode())

    def subkey(self, purpose: str) -> bytes:
        """32 bytes that follow from the key-encryption key, for what else is encrypted at rest."""
        return HKDF(SHA256(), KEK_BYTES, salt=None, info=purpose.encode()).derive(self._kek())

    def _path(self, key: VerifyKey) -> Path:
        name = hashlib.sha256(key.name.encode()).hexdigest()[:16]
        return self._folder / "keys" / f"{name}-{key.key_id.hex()}.json"

    def create(self, name: str) -> SigningKey:
        """A fresh key, stored before it is returned."""
        key = SigningKey.from_seed(name, secrets.token_bytes(32))
        self.put(key)
        return key

    def provide(self, name: str, vkey: str = "") -> Signer:
        """A fresh key, or the one of that vkey, which the external signer holds."""
        if not vkey:
            return self.create(name)
        key = parse_vkey(vkey, (ED25519, ML_DSA_44))
        if key.name != name:
            raise InvalidInput(f"the key is named {key.name!r}; it should be {name!r}")
        return self.adopt(key)

    def adopt(self, key: VerifyKey) -> Signer:
        """From now on the external signer signs for `key`. Raises Unavailable where it does not."""
        found = ExternalKey(verify_key=key, signer=self._external(key))
        if key.kind == ED25519:
            found.signature_line(b"Nothing but a rehearsal: whether the signer holds this key.\n")
        if not self.holds(key):
            write_private(self._path(key), _encode_external(key.vkey))
        return found

    def _external(self, key: VerifyKey) -> ExternalSigner:
        if self._signer is None:
            raise Unavailable(
                f"key {key.key_id.hex()} of {key.name} is held by an external signer, and"
                " GREENLEDGER_SIGNER names none"
            )
        return self._signer

    def create_post_quantum(self, name: str) -> MlDsaKey:
        """A fresh ML-DSA-44 key, stored before it is returned. Raises Unavailable."""
        key = MlDsaKey(name=name, seed=secrets.token_bytes(32))
        self.put(key)
        return key

    def put(self, key: SigningKey | MlDsaKey) -> None:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        vkey = key.verify_key.vkey
        sealed = AESGCM(self._kek()).encrypt(nonce, key.seed, vkey.encode())
        write_private(self._path(key.verify_key), _encode(vkey, nonce, sealed))

    def sealed_files(self) -> dict[str, bytes]:
        """The key files as they lie there, encrypted, by name: for a backup."""
        return {path.name: path.read_bytes() for path in (self._folder / "keys").glob("*.json")}

    def put_sealed(self, name: str, data: bytes) -> None:
        """A key file out of a backup. Raises Unavailable where another one has its name."""
        path = self._folder / "keys" / name
        with suppress(FileExistsError):
            write_private(path, data)
        if path.read_bytes() != data:
            raise Unavailable(f"{path} is another key file than the backup's; move it away")

    def holds(self, key: VerifyKey) -> bool:
        return self._path(key).exists()

    def get(self, key: VerifyKey) -> Signer:
        """Raises NotFound where the server does not hold the key, Unavailable for a wrong KEK."""
        path = self._path(key)
        if not path.exists():
            raise NotFound(f"the server does not hold key {key.key_id.hex()} of {key.name}")
        data = path.read_bytes()
        if data == _encode_external(key.vkey):
            return ExternalKey(verify_key=key, signer=self._external(key))
        kek = self._kek()
        try:
            nonce, sealed = _decode(data, key.vkey)
            seed = AESGCM(kek).decrypt(nonce, sealed, key.vkey.encode())
        except (InvalidTag, ValueError, KeyError, TypeError) as error:
            raise Unavailable(
                f"key {key.key_id.hex()} of {key.name} does not open: the key-encryption key is"
                " another one, or the file was changed"
            ) from error
        if key.kind == ML_DSA_44:
            return MlDsaKey(name=key.name, seed=seed)
        return SigningKey.from_seed(key.name, seed)


def _encode_external(vkey: str) -> bytes:
    return json.dumps({"vkey": vkey, "external": True}).encode()


def _encode(vkey: str, nonce: bytes, sealed: bytes) -> bytes:
    record = {
        "vkey": vkey,
        "nonce": base64.b64encode(nonce).decode(),
        "sealed": base64.b64encode(sealed).decode(),
    }
    return json.dumps(record).encode()


def _decode(data: bytes, vkey: str) -> tuple[bytes, bytes]:
    """(nonce, sealed). Raises ValueError, KeyError, TypeError for what `_encode` did not write."""
    record = json.loads(data)
    nonce, sealed = base64.b64decode(record["nonce"]), base64.b64decode(record["sealed"])
    if _encode(vkey, nonce, sealed) != data:
        raise ValueError("the file is not as it was written")
    return nonce, sealed
