"""Each table of the ledger is changed to somebody's gain: opening or audit finds every one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger import db
from tests.ledgers import copy_ledger, raw, tamper
from tests.log.remembered import Remembered, memory
from tests.tampering import found_by, histories
from tests.tampering.rows import ATTACKS, ledger_of

__all__ = ["memory"]


def test_each_table_has_an_attack() -> None:
    assert {table.name for table in db.ledger_tables()} == ATTACKS.keys()


def test_the_table_lists_the_attacks() -> None:
    names = [one.partition(" | ")[0] for one in found_by.lines()]
    assert sorted(names) == sorted([*map(found_by.row_name, ATTACKS), *histories.ATTACKS])
    assert all(one.rpartition(" | ")[2] for one in found_by.lines()), "somebody finds each"
    assert found_by.FILE.read_text(encoding="utf-8").startswith(found_by.HEAD)


@pytest.mark.parametrize("table", ATTACKS)
def test_a_change_of_gain_is_found(
    table: str,
    filled_template: Path,
    tiled_template: Path,
    memory: Remembered,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    template = {"filled": filled_template, "tiled": tiled_template}[ledger_of(table)]
    folder = copy_ledger(template, tmp_path / "data")
    attack = ATTACKS[table]
    tamper(folder, attack.sql)
    connection = raw(folder)
    assert not connection.execute("PRAGMA foreign_key_check").fetchall() or "DELETE" in attack.sql
    connection.close()
    monkeypatch.setattr("ledger.log.audit.replay", memory.replay)
    found = found_by.row_found(folder)
    assert found, f"nobody finds it: {attack.gain}"
    assert found_by.line_of(found_by.row_name(table)) == found_by.line(
        found_by.row_name(table), attack.gain, found
    )
    record_property("tampering", f"found by {found_by.who(found)}")
