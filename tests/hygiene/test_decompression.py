"""Small files that would become large: refused, by a process that may take little memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hygiene.bombs import BOMBS
from tests.shared_data import ROOT

# What is found wrong with each; a good one is taken.
TOLD = {
    "a-good-sheet": "taken",
    "a-good-table": "taken",
    "zeros-in-a-part": "unpacks to",
    "many-parts": "unpacks to",
    "part-that-lies": "is not of the size and checksum",
    "a-far-cell": "1,000,000 rows and 20 columns",
    "one-text-in-many-cells": "a text of 500,022 bytes for any of them",
    "a-long-text": "a text of 20,000,022 bytes",
    "many-rows": "9,000,000 rows and 2 columns",
    "many-rows-sent": "9,000,000 rows and 5 columns",
    # Its text is read, once, and is no time.
    "a-text-that-repeats": "so [time] needs a format",
    "texts-by-what-they-share": "DELTA_BYTE_ARRAY",
    "footer-that-lies": "unpacks to",
    "page-that-lies": "a page lies outside of its column",
    "deep-json": "depth limit",
    "deep-toml": "recursion depth",
    "long-key": "33 parts",
    "long-integer": "beyond",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the child said of each, one after the other."""
    folder = tmp_path_factory.mktemp("bombs")
    made: dict[object, Path] = {}
    words = []
    for name, (make, _) in BOMBS.items():
        if make not in made:
            made[make] = folder / name
            made[make].write_bytes(make())
        words.append(f"{name}={made[make]}")
    child = subprocess.run(
        [sys.executable, "-m", "tests.hygiene.bombs", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert child.returncode == 0, child.stdout + child.stderr
    lines = [json.loads(line) for line in child.stdout.splitlines()]
    return {line["name"]: line["told"] for line in lines}


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_stays_small(name: str, told: dict[str, str]) -> None:
    assert TOLD[name] in told[name]
    assert told[name] == "taken" or told[name].startswith("refused: ")
