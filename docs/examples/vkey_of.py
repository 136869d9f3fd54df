"""The vkey of an Ed25519 public key: `vkey_of.py NAME PUBLIC.der` (or .pem).

NAME is the log's origin for a key of the log, `<origin>/<party>` for a party's.
"""

import base64
import hashlib
import pathlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key


def main() -> None:
    name, data = sys.argv[1], pathlib.Path(sys.argv[2]).read_bytes()
    key = load_pem_public_key(data) if data.startswith(b"-----") else load_der_public_key(data)
    if not isinstance(key, Ed25519PublicKey):
        sys.exit("it is no Ed25519 key")
    blob = b"\x01" + key.public_bytes_raw()
    key_id = hashlib.sha256(name.encode() + b"\n" + blob).hexdigest()[:8]
    print(f"{name}+{key_id}+{base64.b64encode(blob).decode()}")


main()
