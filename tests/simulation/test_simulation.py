"""Some lives of a park, drawn from seeds: each step agrees with the independent auditor."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers.postgres import PostgreSQL
from tests.simulation.__main__ import kept_seeds

ROOT = Path(__file__).resolve().parents[2]


def simulated(seed: int, *words: str) -> dict[str, Any]:
    """In a process of its own, which forks."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--seed", str(seed), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def told(found: dict[str, Any]) -> str:
    names = ("steps", "crashes", "refusals")
    return f"seed {found['seeds'][0]}: " + ", ".join(f"{found[one]} {one}" for one in names)


@pytest.mark.parametrize("seed", [11, *kept_seeds()])
def test_a_life(seed: int, record_property: Callable[[str, object], None]) -> None:
    found = simulated(seed, "--steps", "60")
    assert found["failed"] == []
    assert found["steps"] >= 60
    assert min(found["crashes"], found["refusals"], found["checkpoints"], found["audits"]) > 0
    record_property("simulation", told(found))


def test_a_life_on_postgresql(
    postgresql: PostgreSQL, record_property: Callable[[str, object], None]
) -> None:
    words = ("--steps", "25", "--database", "postgresql", "--server", str(postgresql.folder))
    found = simulated(12, *words)
    assert (found["failed"], found["steps"]) == ([], 27)
    record_property("simulation", told(found))


def test_a_ledger_that_forgets_is_found(tmp_path: Path) -> None:
    """The auditor is no formality: what is taken away behind its back, it misses."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.ledgers import tamper\n"
        "from tests.simulation import park, steps\n"
        "folder = Path(sys.argv[1]) / 'park'\n"
        "park.build(folder)\n"
        "one = park.Park(folder, 1)\n"
        "one.step('read', steps.read)\n"
        "steps.STEPS['tamper'] = (lambda one: tamper(one.folder, sys.argv[2]), 0)\n"
        "one.step('tamper', steps.STEPS['tamper'][0])\n"
    )
    for change, why in (
        ("UPDATE blocks SET value = zeroblob(length(value))", "readings differ"),
        ("UPDATE holdings SET owner = 'mill'", "owners of units differ"),
        ("UPDATE log_heads SET size = size - 1", "the head says"),
    ):
        folder = tmp_path / why.replace(" ", "-")
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", program, str(folder), change],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert f"step 2 (tamper): {why}" in done.stderr
