"""An external signer that asks a PKCS#11 token, by OpenSC's pkcs11-tool.

    PKCS11_MODULE=/usr/lib/softhsm/libsofthsm2.so PKCS11_PIN_FILE=/run/secrets/pin \
    GREENLEDGER_SIGNER="python3 docs/examples/signer_pkcs11.py" greenledger serve

The key in the token has the key id of its vkey as its label (8 hex digits). The token must know
EdDSA (CKM_EDDSA, PKCS#11 3.0): SoftHSM 2.6 with --enable-eddsa, YubiHSM 2, Nitrokey HSM 2, Luna.
The vkey itself is made once of the token's public key:

    pkcs11-tool --module "$PKCS11_MODULE" --login --keypairgen --key-type EC:edwards25519 --label new
    pkcs11-tool --module "$PKCS11_MODULE" --read-object --type pubkey --label new -o public.der
    python3 docs/examples/vkey_of.py park.example/2026 public.der
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
                *("--sign", "--mechanism", "EDDSA", "--label", key_id),
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
