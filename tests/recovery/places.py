"""Empty places to restore into, on either database, and what is compared afterwards."""

from __future__ import annotations

import shutil
from pathlib import Path

from ledger import db
from ledger.house import House
from ledger.recovery import beside
from tests.ledgers import dump, on_postgresql
from tests.servers.postgres import PostgreSQL

# What passes, and is in no backup; what says how anything stands here and now.
NOT_KEPT = {"sessions", "login_delays", "oidc_logins"}


def empty_place(folder: Path, server: PostgreSQL | None, keys_of: House | None = None) -> Path:
    """A data directory without a ledger; with the key-encryption key of another one, if given."""
    folder.mkdir(mode=0o700)
    if server is not None:
        on_postgresql(server, folder)
    if keys_of is not None:
        bring_kek(keys_of, folder)
    return folder


def bring_kek(house: House, folder: Path) -> None:
    """By hand, from where it is kept: it is in no backup."""
    (folder / "secrets").mkdir(mode=0o700)
    shutil.copy(house.settings.secrets_dir / "kek", folder / "secrets/kek")


def kept_rows(folder: Path) -> dict[str, list[object]]:
    """Every row that a restore has to give back, in the same form from either database."""
    return {
        name: [
            tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
            for row in rows
        ]
        for name, rows in dump(folder).items()
        if name not in NOT_KEPT
    }


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def all_tables_are_kept() -> set[str]:
    """Tables that a restore knows how to fill: from the log, or from beside it."""
    of_log = {one.name for one in db.ledger_tables()}
    return of_log | {one.name for one in beside.tables()}
