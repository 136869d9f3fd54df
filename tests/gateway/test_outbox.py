"""The outbox on its disk: full, of another version, taken by another gateway."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ledger.errors import Unavailable
from ledger.gateway.collector import Reading
from ledger.gateway.outbox import Outbox
from ledger.gateway.run import only_one


def reading(at: int) -> Reading:
    return Reading(point=b"p" * 16, start_s=900 * at, length_s=900, value=at, quality=0)


def keep_many(outbox: Outbox) -> None:
    with outbox.change():
        for at in range(1, 2000):
            outbox.keep(reading(at), "s", 0)


def test_a_full_disk_stores_all_of_a_group_or_nothing(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "box")
    with outbox.change():
        outbox.keep(reading(0), "s", 0)
    (pages,) = outbox._db.execute("PRAGMA page_count").fetchone()
    outbox._db.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        keep_many(outbox)
    outbox._db.execute("PRAGMA max_page_count=100000")
    assert len(outbox.due("s", 10, 5000)) == 1
    keep_many(outbox)
    outbox.close()
    again = Outbox(tmp_path / "box")
    assert len(again.due("s", 10, 5000)) == 2000
    again.close()


def test_what_is_settled_is_forgotten_when_it_is_old(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "box")
    with outbox.change():
        for at in range(4):
            outbox.keep(reading(at), "s", 0)
    outbox._db.execute("UPDATE readings SET batch = -1 WHERE start_s < 1800")
    outbox.forget(10**6)
    left = [outbox.held(b"p" * 16, 900 * at) is not None for at in range(4)]
    # What still waits is never forgotten.
    assert left == [False, False, True, True]
    outbox.close()


def test_an_outbox_is_private_of_one_gateway_and_of_one_version(tmp_path: Path) -> None:
    folder = tmp_path / "box"
    outbox = Outbox(folder)
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "outbox.sqlite3").stat().st_mode & 0o077 == 0
    with only_one(folder), pytest.raises(Unavailable, match="another gateway"), only_one(folder):
        pass
    outbox._db.execute("PRAGMA user_version=9")
    outbox.close()
    with pytest.raises(Unavailable, match="another version"):
        Outbox(folder)
