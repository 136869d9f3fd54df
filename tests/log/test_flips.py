"""No byte of the database can change without `audit` finding it and saying where.

`alembic_version` is no part of the ledger. One change leaves a state that an honest crash leaves
too: the newest checkpoint's note is gone (test_checkpoints shows that it comes back the same).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger import db
from tests.ledgers import copy_ledger, raw_database
from tests.log import tampering
from tests.log.remembered import Remembered, audit, memory
from tests.log.tampering import Change

__all__ = ["memory"]

CHANGES: dict[str, tuple[Change, int]] = {
    # More of them, each with a purpose, are in tests/tampering.
    "value": (tampering.change_value, 3),
    "length": (tampering.cut_value, 1),
    "type": (tampering.change_type, 1),
    "delete": (tampering.delete_row, 2),
    "double": (tampering.double_row, 1),
    "swap": (tampering.swap_rows, 1),
}
TABLES = sorted(table.name for table in db.ledger_tables())
# What is named: a table, an entry, a checkpoint or the head that does not fit.
NAMED = re.compile(
    r"table \w+|entry \d+|entries \d+ to \d+|checkpoint of|size \d+|database holds|no log 1"
)


def test_the_unchanged_ledgers_hold(filled_template: Path, tiled_template: Path) -> None:
    assert audit(filled_template) == ""
    assert audit(tiled_template) == ""


@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_rows_to_change(table: str, with_rows: Callable[[str], Path]) -> None:
    connection = raw_database(with_rows(table))
    assert tampering.rowids(connection, table)
    connection.close()


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize("table", TABLES)
def test_a_change_is_found(
    table: str,
    kind: str,
    with_rows: Callable[[str], Path],
    memory: Remembered,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The first change of each table is audited whole, the others by what is remembered."""
    change, times = CHANGES[kind]
    if table == "tiles":  # The audit of a ledger with tiles takes longer.
        times = 1 + times // 4
    if kind != "value":
        monkeypatch.setattr("ledger.log.audit.replay", memory.replay)
    pick = random.Random(f"{table} {kind}")
    unseen, unnamed = [], []
    for number in range(times):
        folder = copy_ledger(with_rows(table), tmp_path / str(number))
        done = tampering.apply(folder, table, change, pick)
        if done is None or _is_a_crash(folder, table, kind):
            continue
        said = audit(folder)
        monkeypatch.setattr("ledger.log.audit.replay", memory.replay)
        print(done, "->", said)
        if not said:
            unseen.append(done)
        elif not NAMED.search(said):
            unnamed.append(f"{done} -> {said}")
    assert unseen == []
    assert unnamed == []


def _is_a_crash(folder: Path, table: str, kind: str) -> bool:
    """Is the newest note alone missing, as after a crash before it was stored?"""
    if (table, kind) != ("checkpoint_notes", "delete"):
        return False
    connection = raw_database(folder)
    ((notes, roots),) = connection.execute(
        "SELECT (SELECT max(size) FROM checkpoint_notes), (SELECT max(size) FROM checkpoint_roots)"
    )
    connection.close()
    return bool(notes < roots)


@pytest.mark.parametrize("seed", range(6))
def test_two_changes_do_not_hide_each_other(
    seed: int, filled_template: Path, tmp_path: Path
) -> None:
    pick = random.Random(seed)
    folder = copy_ledger(filled_template, tmp_path / "data")
    for table in pick.sample(sorted({*TABLES} - {"tiles", "successions"}), 2):
        assert tampering.apply(folder, table, tampering.change_value, pick)
    assert NAMED.search(audit(folder))
