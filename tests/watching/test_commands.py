"""`greenledger monitor` and `greenledger witness …` as a person runs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ledger.watching.witness import Witness
from ledger.watching.witness_state import WitnessState
from tests.cli.conftest import Run, run
from tests.ledgers import ORIGIN
from tests.watching.operator import Operator

__all__ = ["run"]


def said(run: Run, *words: str) -> Any:
    done = run(*words, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_a_witness_from_its_first_key_to_its_second(
    run: Run, operator: Operator, published: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "witness"
    at = ("--state", str(folder))
    assert run("witness", "show", *at).code == 4
    first = said(run, "witness", "init", "witness.example/1", "--ml-dsa", *at)["vkeys"]
    assert [vkey.split("+")[0] for vkey in first] == ["witness.example/1"] * 2
    assert run("witness", "init", "witness.example/1", *at).code == 3
    assert run("witness", "init", "two words", "--state", str(tmp_path / "other")).code == 2
    audited = ("--audit", "--url", str(published))
    known = said(run, "witness", "add-log", "--vkey", operator.vkey, *audited, *at)
    assert (known["origin"], known["audit"]) == (ORIGIN, True)
    assert run("witness", "add-log", "--vkey", first[0], *at).code == 2
    body = operator.request(operator.entries, 0)
    assert Witness(WitnessState(folder)).add_checkpoint(body).status == 200
    second = said(run, "witness", "rotate-key", *at)["vkeys"]
    assert len({*first, *second}) == 4
    assert said(run, "witness", "end-key", first[1], *at)["vkey"] == first[1]
    assert run("witness", "end-key", first[1], *at).code == 4
    shown = said(run, "witness", "show", *at)
    assert [key["vkey"] for key in shown["keys"] if not key["ended_s"]] == [first[0], *second]
    (log,) = shown["logs"]
    assert (log["size"], log["violation"], log["conflicts"]) == (300, None, [])
    assert "(audited)" in run("witness", "show", *at).out


def test_a_monitor_says_what_is_wrong_by_its_exit_code(
    run: Run, operator: Operator, published: Path, tmp_path: Path
) -> None:
    words = ("monitor", str(published), "--vkey", operator.vkey, "--once")
    at = ("--state", str(tmp_path / "state"))
    done = run(*words, *at, "--max-age", str(10**9))
    assert (done.code, "300 entries" in done.out, "no alarm" in done.out) == (0, True, True)
    stale = run(*words, *at)
    assert (stale.code, "ALARM stale" in stale.out) == (1, True)
    over = run(*words, *at, "--max-age", str(10**9))
    assert (over.code, "over: stale" in over.out) == (0, True)
    assert run(*words, *at, "--quorum", "1").code == 2
    assert run(*words, *at, "--vkey", "nonsense").code == 2
    assert run("monitor", "ftp://x/y", "--vkey", operator.vkey, *at).code == 2


def test_a_disk_that_fails_is_one_message(
    run: Run, operator: Operator, published: Path, tmp_path: Path
) -> None:
    """Here: a file, where the folder of the state should be."""
    (tmp_path / "state").touch()
    words = ("monitor", str(published), "--vkey", operator.vkey, "--once", "--json")
    done = run(*words, "--state", str(tmp_path / "state"))
    assert done.code == 6
    assert done.err == f"greenledger: {tmp_path / 'state'}: File exists\n"
    assert json.loads(done.out)["error"] == "Unavailable"
