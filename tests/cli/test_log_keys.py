"""`greenledger log-key` and keys of an external signer, as a person runs them."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from ledger.log.notes import SigningKey, write_skey
from ledger.parties.signer import signer_of
from tests.cli.conftest import Run
from tests.docs.pages import ROOT

ORIGIN = "park.example/cli"
LOG = SigningKey.from_seed(ORIGIN, b"held elsewhere: the log's key...")
MILL = SigningKey.from_seed(f"{ORIGIN}/mill", b"held elsewhere: the mill's key..")


def test_a_stolen_key_is_replaced_at_once(run: Run) -> None:
    first = json.loads(run("init", "--origin", ORIGIN, "--json").out)["vkey"]
    done = run("log-key", "rotate", "--reason", "stolen")
    assert (done.code, done.err) == (0, "")
    assert f"and by {first.split('+')[1]} no more" in done.out
    status = json.loads(run("status", "--json").out)
    assert status["vkey"] != first
    assert status["log_keys"] == [status["vkey"]]
    listed = json.loads(run("log-key", "list", "--json").out)["log_keys"]
    assert [(one["vkey"] == first, one["ended_by"], one["reason"]) for one in listed] == [
        (True, 4, "stolen"),
        (False, -1, ""),
    ]
    assert "Ed25519" in run("log-key", "list").out
    assert json.loads(run("audit", "--json").out)["entries"] == 5


def test_what_is_refused_is_said(run: Run) -> None:
    first = json.loads(run("init", "--origin", ORIGIN, "--json").out)["vkey"].split("+")[1]
    last = run("log-key", "end", first, "--reason", "tidy")
    assert last.code == 3
    assert "the last Ed25519 key of the log" in last.err
    assert "the log has no key '00000000'" in run("log-key", "end", "00000000", "--reason", "x").err
    without = run("log-key", "register", "--vkey", LOG.verify_key.vkey)
    assert "GREENLEDGER_SIGNER names none" in without.err
    assert "give --key FILE" in run("party", "add-key", "mill").err


def test_keys_of_an_external_signer(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From `init` on; a key that the signer does not hold is found out at once."""
    vault = tmp_path / "vault"
    vault.mkdir()
    for name, key in (("log", LOG), ("mill", MILL)):
        (vault / f"{name}.skey").write_text(write_skey(key))
    example = ROOT / "docs/examples/signer_file.py"
    command = shlex.join([sys.executable, str(example), str(vault)])
    monkeypatch.setenv("GREENLEDGER_SIGNER", command)
    made = run("init", "--origin", ORIGIN, "--log-vkey", LOG.verify_key.vkey, "--json")
    assert json.loads(made.out)["vkey"] == LOG.verify_key.vkey
    run("party", "add", "mill", "--name", "Mill", "--role", "enterprise", "--no-key")
    added = run("party", "add-key", "mill", "--vkey", MILL.verify_key.vkey)
    assert f"mill signs with {MILL.verify_key.vkey}" in added.out
    assert "still holds" not in added.out
    other = SigningKey.from_seed(f"{ORIGIN}/mill", bytes(32)).verify_key
    refused = run("party", "add-key", "mill", "--vkey", other.vkey)
    assert f"no key {other.key_id.hex()}" in refused.err
    run("checkpoint")
    assert json.loads(run("audit", "--json").out)["entries"] == 5
    signer_of(command, 10.0).close()
