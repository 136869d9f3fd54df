"""What we hand out, read by those who have never seen our code: proofbundle (PyPI), merkletools and
openssl; and the same files by our own verifier, with the same answer.

The log is a real one: a claim, witnesses and a time-stamping authority that are asked over HTTP.
What none of these reads is in docs/adr/0043.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import proofbundle.anchors_rfc3161
import proofbundle.checkpoint
import proofbundle.merkle
import proofbundle.tlogproof
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from greenledger_verify.explain_evidence import judge_evidence
from greenledger_verify.logdir import verify_log
from greenledger_verify.proof import Subject, verify_proof_file
from greenledger_verify.report import Report
from greenledger_verify.trust import Trust, trust_of
from ledger import proving
from ledger.anchors.shown import token_at
from ledger.claims import evidence
from ledger.db import reading
from ledger.house import House, now_s
from ledger.log.tiles import read_bundle
from tests.anchors.conftest import ED25519, ML_DSA, listed
from tests.ledgers import (
    begun_template,
    close,
    copy_ledger,
    filled_template,
    no_progress,
    open_house,
    rows,
)
from tests.servers.tsa import Authorities, Authority, authorities
from tests.servers.tsa import serving as serving_time
from tests.servers.witness import Witness, serving
from tests.verifier import forge

with warnings.catch_warnings():
    # See tests/log/test_merkletools.py.
    warnings.filterwarnings("ignore", message="sha3 is not working!", category=UserWarning)
    import merkletools

__all__ = ["authorities", "begun_template", "filled_template"]

VKEYS = [ED25519.vkey, ML_DSA.vkey]


@dataclass(frozen=True)
class Given:
    """What an outsider has: the public folder, a tlog-proof, a token, evidence, and keys."""

    log_vkey: str
    folder: Path
    proof: bytes
    index: int
    token: bytes
    roots: str
    evidence: bytes
    merkletools: dict[str, Any]

    @property
    def checkpoint(self) -> str:
        return (self.folder / "checkpoint").read_text()

    @property
    def text(self) -> bytes:
        return self.checkpoint.split("\n\n")[0].encode() + b"\n"

    @property
    def entries(self) -> list[bytes]:
        found = []
        for path in sorted((self.folder / "tile/entries").iterdir()):
            files = [path] if path.is_file() else list(path.iterdir())
            found += [one for file in files for one in read_bundle(io.BytesIO(file.read_bytes()))]
        return found

    @property
    def trust(self) -> Trust:
        """Two keys of one witness, which audits, and one authority: all of them are asked for."""
        origin = self.checkpoint.partition("\n")[0]
        text = f"[[log]]\norigin = '{origin}'\nvkey = '{self.log_vkey}'\n"
        text += "".join(f"[[witness]]\nvkey = '{one}'\naudits = true\n" for one in VKEYS)
        text += f"[[authority]]\nname = 'tsa'\ncertificates = '''\n{self.roots}'''\n"
        return trust_of([], text.encode())


@pytest.fixture(scope="module")
def given(
    filled_template: Path, authorities: Authorities, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Given]:
    folder = tmp_path_factory.mktemp("interop")
    house = open_house(copy_ledger(filled_template, folder / "house"), now_s)
    with (
        serving(Witness(house.log.log_key.vkey, [ED25519, ML_DSA])) as witness,
        serving_time(Authority(authorities.good)) as tsa,
    ):
        listed(house, witness, [tsa])
        made = _made(house, folder)
        yield made
    close(house)


def _made(house: House, folder: Path) -> Given:
    house.checkpoint()
    house.anchor()
    size = house.export_tiles(folder / "log", no_progress)
    index = size // 2
    with reading(house.engine) as conn:
        token = token_at(conn, house.log, size, "tsa-0")
    claim = rows(house, "SELECT claim FROM claims ORDER BY entry_index DESC LIMIT 1")[0][0]
    return Given(
        log_vkey=house.log.log_key.vkey,
        folder=folder / "log",
        proof=proving.prove_entry(house.desk, index),
        index=index,
        token=token,
        roots=(folder / "house/anchors.toml").read_text().split('"""')[1],
        evidence=b"".join(evidence.lines(house.desk, bytes(claim), "total")),
        merkletools=proving.prove_for_merkletools(house.desk, index),
    )


def words(report: Report) -> str:
    texts = [text for line in report.lines.values() for text in line.texts]
    return "\n".join(map(str, texts + report.established + report.not_established))


# The checkpoint and its cosignatures


def test_checkpoint(given: Given) -> None:
    """proofbundle: log key, both cosignatures of C2SP (0x04, 0x06), the origin."""
    origin, size, root = given.checkpoint.split("\n")[:3]
    found = proofbundle.checkpoint.verify_witnessed_checkpoint(
        given.checkpoint, given.log_vkey, VKEYS, threshold=2, expected_origin=origin
    )
    assert found["ok"], found
    assert (found["tree_size"], found["root"]) == (int(size), base64.b64decode(root))
    for vkey, algorithm in zip(VKEYS, ("ed25519-cosignature/v1", "ml-dsa-44"), strict=True):
        one = proofbundle.checkpoint.verify_cosignature(given.checkpoint, vkey)
        assert (one["ok"], one["alg"]) == (True, algorithm)
        assert now_s() - 600 < one["timestamp"] <= now_s()
    broken = given.checkpoint.replace(f"\n{size}\n", f"\n{int(size) + 1}\n")
    for vkeys in (VKEYS[:1], VKEYS[1:]):
        assert not proofbundle.checkpoint.verify_witnessed_checkpoint(
            broken, given.log_vkey, vkeys, threshold=1
        )["witnesses_ok"]
    assert not proofbundle.checkpoint.verify_checkpoint(broken, given.log_vkey)["ok"]


def test_tlog_proof(given: Given) -> None:
    text, entry = given.proof.decode(), given.entries[given.index]
    verify = proofbundle.tlogproof.verify_tlog_proof
    found = verify(text, entry, given.log_vkey, VKEYS, threshold=2)
    assert (found["ok"], found["index"], found["tree_size"]) == (
        True,
        given.index,
        given_size(given),
    )
    assert not verify(text, entry + b" ", given.log_vkey, VKEYS, threshold=2)["ok"]
    report = Report()
    verify_proof_file(given.proof, Subject(entry=entry), given.trust, report)
    assert "The witness witness.example/w1 cosigned this checkpoint at" in words(report)


def given_size(given: Given) -> int:
    return int(given.checkpoint.split("\n")[1])


# The directory


def test_log_directory(given: Given) -> None:
    """proofbundle's tree over the entries gives our root, our tiles, and takes our paths."""
    entries, tree = given.entries, proofbundle.merkle
    root = base64.b64decode(given.checkpoint.split("\n")[2])
    assert len(entries) == given_size(given)
    assert tree.merkle_tree_hash(entries) == root
    width = len(entries) % 256
    tile = f"tile/0/000.p/{width}" if len(entries) < 256 else "tile/0/000"
    hashes = b"".join(tree.leaf_hash(entry) for entry in entries[:256])
    assert (given.folder / tile).read_bytes() == hashes
    assert verify_log(given.folder, given.trust, Report()).signed.checkpoint.root == root


def test_inclusion_and_consistency(given: Given) -> None:
    """Each way round: proofbundle's paths by our verifier, ours by proofbundle."""
    from greenledger_verify.merkle import verify_consistency, verify_inclusion

    entries, tree = given.entries, proofbundle.merkle
    size, root = len(entries), tree.merkle_tree_hash(given.entries)
    hashes = [forge.leaf(entry) for entry in entries]
    for index in (0, 1, given.index, size - 1):
        path = tree.inclusion_proof(entries, index)
        verify_inclusion(leaf_hash=hashes[index], index=index, size=size, path=path, root=root)
        assert tree.verify_inclusion(
            entries[index], index, size, forge.inclusion(index, hashes), root
        )
    for old in (1, 2, given.index, size - 1):
        path, before = tree.consistency_proof(entries, old), tree.merkle_tree_hash(entries[:old])
        verify_consistency(size1=old, size2=size, root1=before, root2=root, path=path)
        assert path == forge.consistency(old, hashes)


def test_merkletools(given: Given) -> None:
    """docs/adr/0001: a path as its users take it."""
    tools = merkletools.MerkleTools()
    tools.hash_function = lambda pair: hashlib.sha256(b"\x01" + pair)
    found = given.merkletools
    assert tools.validate_proof(found["proof"], found["target_hash"], found["merkle_root"])
    assert not tools.validate_proof(found["proof"][1:], found["target_hash"], found["merkle_root"])


# The time-stamp


def test_time_stamp(given: Given, tmp_path: Path) -> None:
    """openssl, and proofbundle on rfc3161-client, over the text of the checkpoint."""
    (tmp_path / "text").write_bytes(given.text)
    (tmp_path / "token.tsr").write_bytes(given.token)
    (tmp_path / "roots.pem").write_text(given.roots)
    arguments = ["-data", "text", "-in", "token.tsr", "-CAfile", "roots.pem"]
    done = subprocess.run(
        ["openssl", "ts", "-verify", *arguments], cwd=tmp_path, capture_output=True
    )
    assert b"Verification: OK" in done.stdout + done.stderr
    root = x509.load_pem_x509_certificate(given.roots.encode()).public_bytes(Encoding.DER)
    trusted = {"trusted_tsa_roots": [base64.b64encode(root).decode()]}
    verify = proofbundle.anchors_rfc3161.verify_rfc3161
    assert verify(given.token, given.text, frozen={}, rp_trust=trusted)["ok"]
    assert not verify(given.token, given.text + b"x", frozen={}, rp_trust=trusted)["ok"]


# And evidence, which no other reads, by our verifier with all trust roots


def test_evidence(given: Given) -> None:
    report = Report()
    judge_evidence(io.BytesIO(given.evidence), None, None, given.trust, report)
    lines = report.lines
    assert lines["witnesses"].values["names"] == ["witness.example/w1"]
    assert lines["authorities"].values["names"] == ["tsa"]
    assert lines["authorities"].values["not_counted"] == 0
    assert lines["single_use"].values["by"] == "witnesses"
    assert lines["time_bracket"].values["not_after"] != ""
    *_, one = json.loads(given.evidence.split(b',"parts":[\n')[0] + b"}")["anchors"]
    assert proofbundle.checkpoint.verify_witnessed_checkpoint(
        one["checkpoint"], given.log_vkey, VKEYS, threshold=2
    )["ok"]
