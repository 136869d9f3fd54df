"""An external signer that keeps its keys in files: `signer_file.py FOLDER`, of `*.skey` files.

It shows what greenledger asks of a signer, and serves where keys lie on another machine
(GREENLEDGER_SIGNER="ssh signer@vault python3 signer_file.py keys"). For each line on standard input
it writes one line: {"vkey": …, "text": base64} → {"signature": base64}, or {"error": why}.
"""

import base64
import json
import pathlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def keys_in(folder: pathlib.Path) -> dict[str, Ed25519PrivateKey]:
    """By `name+key id`, as both kinds of files name them: PRIVATE+KEY+name+id+base64."""
    found = {}
    for file in folder.glob("*.skey"):
        name, key_id, blob = file.read_text().strip().removeprefix("PRIVATE+KEY+").split("+", 2)
        seed = base64.b64decode(blob)[1:]
        found[f"{name}+{key_id}"] = Ed25519PrivateKey.from_private_bytes(seed)
    return found


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    for line in sys.stdin:
        request = json.loads(line)
        name, key_id, _ = request["vkey"].split("+", 2)
        key = keys_in(folder).get(f"{name}+{key_id}")
        if key is None:
            answer = {"error": f"no key {key_id} of {name} here"}
        else:
            signature = key.sign(base64.b64decode(request["text"]))
            answer = {"signature": base64.b64encode(signature).decode()}
        print(json.dumps(answer), flush=True)


main()
