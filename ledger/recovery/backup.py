"""Online backup: one state of the database, added to a folder that grows with each run.

Nothing counts before the record is replaced, last of all: a crash leaves the backup of the run
before, and the next run goes on from there. The service goes on meanwhile.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ledger import db, files
from ledger.house import ENTRY_TYPES, House
from ledger.log import archive
from ledger.log.static import Progress
from ledger.recovery import beside
from ledger.recovery.sealing import sealed

KEYS_DIR: Final = "keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """What a run did; `entries` were added, `size` there are."""

    size: int
    entries: int
    root: str
    keys: int


def backup(house: House, folder: Path, progress: Progress) -> BackedUp:
    """Add to the backup in `folder`, or begin one. Raises InvalidInput or Corrupt.

    The key-encryption key is not in it, ever: keep that apart, or the backup opens itself.
    """
    house.checkpoint()
    with archive.alone(folder), db.reading(house.engine, long=True) as conn:
        before = archive.read_record(folder)
        grown = archive.grow(conn, house.log, ENTRY_TYPES, folder, progress)
        name = beside.write(conn, folder, lambda: progress(grown.size, grown.size))
        keys = _copy_keys(house, folder)
        record = sealed(replace(grown, beside=name, keys=keys), house.desk.keystore)
        files.sync_folder(folder)
        archive.write_record(folder, record)
        archive.forget_erased(conn, house.log, ENTRY_TYPES, folder)
        beside.forget_others(folder, name)
    return BackedUp(
        size=record.size,
        entries=record.size - (before.size if before else 0),
        root=record.root,
        keys=len(keys),
    )


def _copy_keys(house: House, folder: Path) -> dict[str, str]:
    """{name of a sealed key file: its SHA-256}."""
    place = folder / KEYS_DIR
    files.make_private_folder(place)
    found = house.desk.keystore.sealed_files()
    for name, data in found.items():
        files.put(place / name, data)
    files.sync_folder(place)
    return {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}
