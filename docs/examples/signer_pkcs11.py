"""An external signer that asks a PKCS#11 token, by OpenSC's pkcs11-tool.

PKCS11_MODULE names the token's library, PKCS11_TOKEN its label, PKCS11_PIN_FILE a file with its
PIN. The token must know EdDSA (CKM_EDDSA of PKCS#11 3.0), as SoftHSM 2.6, and some YubiHSM,
Nitrokey and Luna do. In the token a key has its key id (the 8 hex digits in its vkey) as CKA_ID:

    pkcs11-tool --module M --token-label T --login --keypairgen --key-type EC:edwards25519 -a new
    pkcs11-tool --module M --token-label T --read-object --type pubkey -a new -o new.der
    python3 vkey_of.py park.example/2026 new.der
    pkcs11-tool --module M --token-label T --login --type privkey -a new --set-id KEY_ID
"""

import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile


def sign(key_id: str, text: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "text").write_bytes(text)
        pin = pathlib.Path(os.environ["PKCS11_PIN_FILE"]).read_text().strip()
        subprocess.run(
            [
                "pkcs11-tool",
                *("--module", os.environ["PKCS11_MODULE"], "--login", "--pin", "env:PIN"),
                *("--token-label", os.environ["PKCS11_TOKEN"]),
                *("--sign", "--mechanism", "EDDSA", "--id", key_id),
                *("--input-file", str(folder / "text"), "--output-file", str(folder / "signed")),
            ],
            env={**os.environ, "PIN": pin},
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        return (folder / "signed").read_bytes()


def main() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        key_id = request["vkey"].split("+", 2)[1]
        try:
            signature = sign(key_id, base64.b64decode(request["text"]))
            answer = {"signature": base64.b64encode(signature).decode()}
        except (OSError, subprocess.SubprocessError) as error:
            answer = {"error": type(error).__name__}
        print(json.dumps(answer), flush=True)


main()
