"""The same acts, secrets and clock: every byte is the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from ledger.db import reading
from ledger.disclosure.choosing import choose
from ledger.disclosure.compute import files_of
from ledger.disclosure.content import gather
from ledger.house import COMPUTES, House
from ledger.log import mldsa
from ledger.log.store import load_head
from ledger.reports.model import encode
from ledger.scorecard import service as scorecards
from tests.ledgers import begin, close, dump, fill, no_progress, on_postgresql
from tests.scorecard.parks import GUIDELINE
from tests.servers.postgres import PostgreSQL


@contextmanager
def foreseeable() -> Iterator[None]:
    """What is drawn at random is the same in every run."""
    drawn, generator = random.Random(5), np.random.default_rng(5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets, "token_bytes", lambda size=32: drawn.randbytes(size))
        patch.setattr(secrets, "token_hex", lambda size=32: drawn.randbytes(size).hex())
        seeded = np.random.default_rng
        patch.setattr(
            np.random, "default_rng", lambda seed=None: generator if seed is None else seeded(seed)
        )
        # It draws in the library, where nobody foresees it.
        patch.setattr(mldsa, "is_available", lambda: False)
        yield


def made(folder: Path) -> House:
    with foreseeable():
        house = begin(folder)
        fill(house)
    return house


def exported(house: House, folder: Path) -> dict[str, bytes]:
    """Every file of the public log and of the export of entries, by its name."""
    house.export_tiles(folder / "tiles", no_progress)
    house.export_entries(folder / "entries", no_progress)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def disclosed(house: House) -> dict[str, bytes]:
    """Every file of a disclosure that the log recomputes."""
    with reading(house.engine) as conn:
        size = load_head(conn, house.log.log_id).size
        asked = choose(conn, house.log, "mill", "2026", size)
        files = files_of(gather(conn, house.log, asked, size, COMPUTES))
    assert json.loads(files["claims.json"])["claims"]
    return files


def scored(house: House) -> bytes:
    """The park's scorecard; reports of the other kinds are tests/accounting's and the rows'."""
    with reading(house.engine) as conn:
        about = {"standard": GUIDELINE, "period": "2026-02"}
        found = scorecards.look(conn, house.log, about)
    assert {one["answer"] for one in found["result"]["clauses"]} >= {"met", "gap"}
    return encode(found)


def test_every_row_and_every_file(postgresql: PostgreSQL, migrated: str, tmp_path: Path) -> None:
    """Readings, a matching run, lots, claims, units, credits, statements, reports, checkpoints."""
    embedded = made(tmp_path / "embedded")
    served = made(on_postgresql(postgresql, tmp_path / "served", migrated))
    here, there = dump(embedded.settings.dir), dump(served.settings.dir)
    assert len(here["runs"]) >= 1
    assert len(here["lots"]) > 1
    for table in here:
        assert here[table] == there[table], table
    assert disclosed(embedded) == disclosed(served)
    assert scored(embedded) == scored(served)
    ours, theirs = exported(embedded, tmp_path / "ours"), exported(served, tmp_path / "theirs")
    assert ours == theirs
    assert served.audit(no_progress) == embedded.audit(no_progress)
    embedded.engine.dispose()
    close(served)
