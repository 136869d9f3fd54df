"""A kill, a full disk or a lost database at every write, fsync and commit of appending and signing.

All points are tried on SQLite by what a process leaves there, and some of them in the other ways.
After each: no acknowledged entry is lost, no checkpoint contradicts one that was handed out, the
high-water record is not behind, the audit passes, what was interrupted can be sent again, and the
log goes on. `./dev soak` tries all points in all ways.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers.postgres import PostgreSQL, require

ROOT = Path(__file__).resolve().parents[2]
# What has to be among the points: the paths of append, tile, checkpoint and high-water record.
PASSED = [
    *("INSERT INTO entries", "INSERT INTO tiles", "INSERT INTO blocks", "INSERT INTO bodies"),
    *("UPDATE log_heads SET", "INSERT INTO checkpoint_roots", "INSERT INTO checkpoint_notes"),
    *("create file", "write file", "fsync", "rename", "before commit", "after commit"),
]


def explored(database: str, *words: str) -> list[dict[str, Any]]:
    """What `tests.crash.explore` found, a line for each point."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.explore", database, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode in (0, 1), done.stderr
    assert found, done.stderr
    assert done.returncode == any(one["problem"] for one in found), done.stderr
    return found


def require_sound(found: list[dict[str, Any]], say: Callable[[str, object], None]) -> None:
    """Fails with what was found; says what was tried, for the summary."""
    tried = Counter(f"{one['database']} {one['mode']}" for one in found)
    for way, count in sorted(tried.items()):
        say("crash points", f"{way}: {count} of {found[0]['points']}")
    broken = [f"point {one['point']} ({one['name']}): {one['problem']}" for one in found]
    assert [text for text, one in zip(broken, found, strict=True) if one["problem"]] == []


@pytest.mark.long
def test_every_point_on_sqlite(record_property: Callable[[str, object], None]) -> None:
    found = explored("sqlite", "copy", "error/9+2", "kill/30+7")
    require_sound(found, record_property)
    killed = [one for one in found if one["mode"] == "copy"]
    assert [one["point"] for one in killed] == list(range(1, killed[0]["points"] + 1))
    assert set(PASSED) <= {one["name"] for one in killed}


@pytest.mark.long
def test_points_on_postgresql(
    postgresql: PostgreSQL, record_property: Callable[[str, object], None]
) -> None:
    ways = ("kill/20+1", "error/20+7", "cut/20+14")
    found = explored("postgresql", *ways, "--server", str(postgresql.folder))
    require_sound(found, record_property)


def test_the_server_crashes(record_property: Callable[[str, object], None]) -> None:
    require()
    found = explored("postgresql", "server/50+15")
    require_sound(found, record_property)
