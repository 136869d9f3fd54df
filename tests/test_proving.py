"""Proof files as others read them: by merkletools, and by the stand-alone verifier."""

import hashlib
import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from ledger import proving
from ledger.db import reading
from ledger.errors import NotFound
from ledger.house import House
from ledger.log.publish import prove_consistency
from ledger.matching.runs import list_runs
from tests.ledgers import DAY_S, QUARTER_S, add_many, begun, begun_template, filled, filled_template

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="sha3 is not working!", category=UserWarning)
    import merkletools

__all__ = ["begun", "begun_template", "filled", "filled_template"]


class NodeHash:
    """sha256(0x01 ‖ ·), as merkletools calls its hash function on two joined hashes."""

    def __init__(self, data: bytes) -> None:
        self._hash = hashlib.sha256(b"\x01" + bytes(data))

    def digest(self) -> bytes:
        return self._hash.digest()

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def accepts(proof: dict[str, Any]) -> bool:
    tools = merkletools.MerkleTools()
    tools.hash_function = NodeHash
    found = tools.validate_proof(proof["proof"], proof["target_hash"], proof["merkle_root"])
    assert isinstance(found, bool)
    return found


@pytest.mark.parametrize("more", [1, 2, 5, 12, 29])
def test_merkletools_accepts_every_exported_path(begun: House, more: int) -> None:
    add_many(begun, more)
    begun.checkpoint()
    size = more + 2
    for index in range(size):
        proof = proving.prove_for_merkletools(begun.desk, index)
        assert accepts(proof)
        wrong = {**proof, "target_hash": hashlib.sha256(b"x").hexdigest()}
        assert not accepts(wrong)


def verify(path: Path, vkey: str, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "greenledger_verify", *words, str(path), "--vkey", vkey, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    assert (done.returncode == 0) == found["ok"]
    return found


def test_the_verifier_accepts_every_entry_of_a_log_with_everything(
    filled: House, tmp_path: Path
) -> None:
    for index in (0, 1, 5, 20, 30):
        tlog = tmp_path / f"{index}.tlog-proof"
        tlog.write_bytes(proving.prove_entry(filled.desk, index))
        opening = tmp_path / f"{index}.json"
        opening.write_bytes(proving.encode(proving.open_entry(filled.desk, index)))
        for path in (tlog, opening):
            found = verify(path, filled.log.log_key.vkey, "proof")
            assert found["ok"], found


def test_the_verifier_accepts_readings_corrections_and_allocations(
    filled: House, tmp_path: Path
) -> None:
    with reading(filled.engine) as conn:
        run = list_runs(conn, 1)[-1].entry_index
    openings = [
        proving.open_point_reading(filled.desk, "secret-roof", DAY_S),
        proving.open_point_reading(filled.desk, "secret-saw", DAY_S + 4 * QUARTER_S),
        *proving.open_allocations(filled.desk, run, "secret-saw", DAY_S + 40 * QUARTER_S),
    ]
    assert len(openings) == 3
    for number, opening in enumerate(openings):
        path = tmp_path / f"{number}.json"
        path.write_bytes(proving.encode(opening))
        found = verify(path, filled.log.log_key.vkey, "proof")
        assert found["ok"], found
    corrected = json.dumps(verify(tmp_path / "1.json", filled.log.log_key.vkey, "proof"))
    assert "70000001" in corrected.replace(",", "")


def test_an_opening_shows_nothing_of_its_neighbours(filled: House) -> None:
    opening = proving.encode(proving.open_point_reading(filled.desk, "secret-saw", DAY_S))
    with reading(filled.engine) as conn:
        secrets = conn.exec_driver_sql("SELECT secret FROM batches").scalars().all()
    kept = [bytes(secret) for secret in secrets if secret]  # of an erased batch there is none
    assert kept
    assert not any(secret.hex().encode() in opening for secret in kept)
    other = proving.open_point_reading(filled.desk, "secret-saw", DAY_S + QUARTER_S)
    assert other["leaf"]["bytes"].encode() not in opening
    assert other["leaf"]["bytes"][:32].encode() not in opening


def test_consistency_holds_from_every_earlier_size(filled: House, tmp_path: Path) -> None:
    with reading(filled.engine) as conn:
        newest = prove_consistency(conn, filled.log, 1)["size2"]
        lines = [
            json.dumps(prove_consistency(conn, filled.log, old_size))
            for old_size in range(1, newest + 1)
        ]
        with pytest.raises(NotFound, match="size 0: it is 1 to"):
            prove_consistency(conn, filled.log, 0)
    batch = tmp_path / "batch.jsonl"
    batch.write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        [sys.executable, "-m", "greenledger_verify", "consistency", "--batch", str(batch)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert [json.loads(line)["ok"] for line in done.stdout.splitlines()] == [True] * newest
