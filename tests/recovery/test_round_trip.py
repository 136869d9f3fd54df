"""A backup gives back the same ledger, row for row, in either database."""

from __future__ import annotations

from pathlib import Path

from ledger import db
from ledger.access.accounts import create_account
from ledger.access.events import MACHINE
from ledger.db import writing
from ledger.house import House
from ledger.log.audit import no_progress
from ledger.recovery.backup import backup
from ledger.recovery.restore import restore
from tests.ledgers import (
    NOW_S,
    close,
    open_house,
    operator_key,
    party_statement,
    settings_in,
    submit,
)
from tests.recovery.places import (
    NOT_KEPT,
    all_tables_are_kept,
    empty_place,
    files_of,
    kept_rows,
)
from tests.servers.postgres import PostgreSQL


def test_every_table_is_in_a_backup_or_known_to_pass() -> None:
    assert all_tables_are_kept() | NOT_KEPT == set(db.metadata.tables)


def test_there_and_back(filled: House, postgresql: PostgreSQL, tmp_path: Path) -> None:
    """From SQLite into PostgreSQL, and from there into SQLite again."""
    with writing(filled.engine) as conn:
        for name in ("boss", "clerk"):
            create_account(conn, NOW_S, MACHINE, name)
    backup(filled, tmp_path / "backup", no_progress)
    before = kept_rows(filled.settings.dir)
    assert before["drafts"]
    assert len(before["access_events"]) >= 2
    assert len(before["checkpoint_notes"]) > 2
    last = tmp_path / "backup"
    for there in (postgresql, None):
        name = "postgresql" if there else "sqlite"
        place = empty_place(tmp_path / name, there, filled)
        found = restore(settings_in(place), last, no_progress)
        assert found.size == len(before["entries"])
        after = kept_rows(place)
        for table, rows in before.items():
            assert after[table] == rows, table
        house = open_house(place)
        assert house.engine.dialect.name == name
        assert house.checkpoint() == filled.checkpoint()
        assert house.audit(no_progress).root == found.root
        last = tmp_path / f"of-{name}"
        backup(house, last, no_progress)
        assert files_of(last) == files_of(tmp_path / "backup")
        # New rows are counted on behind those that came back, and the log grows.
        with writing(house.engine) as conn:
            create_account(conn, NOW_S, MACHINE, f"after-{name}")
        submit(house, party_statement("ring"), operator_key(house))
        house.checkpoint()
        close(house)
