"""The public log as a folder that any web server or object store can serve, kept up to date.

The files of C2SP tlog-tiles (`checkpoint`, `tile/…`), and beside them, as C2SP has no place for
them, `checkpoints/<size>` (the cosigned note) and `receipts/<size>/<authority>.tsr` (RFC 3161) of
each checkpoint that somebody vouched for.

Tiles come before the checkpoint that needs them, the checkpoint is exchanged in one step, and full
tiles are written once: whoever dies on the way leaves a valid folder behind. A checkpoint is never
exchanged for an older one, or for one of another history.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from ledger.anchors import shown, store
from ledger.errors import Corrupt, InvalidInput
from ledger.files import make_public_folder, read_regular, sync_folder, write_public
from ledger.log import publish, tiles
from ledger.log import store as log_store
from ledger.log.checkpoint import NOTE_BYTES_MAX, Checkpoint, parse_checkpoint
from ledger.log.notes import parse_note
from ledger.log.static import Progress, write_tiles

CHECKPOINT: Final = "checkpoint"
_FRESH: Final = ".new"  # files that are not whole yet; what lies there was left by the dead


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a call has done: the size that is published now, and how many files were written."""

    size: int
    files: int

    def to_json(self) -> dict[str, Any]:
        return {"size": self.size, "files": self.files}


def published(folder: Path, origin: str) -> Checkpoint | None:
    """The checkpoint that lies there; None where there is none yet. Raises Corrupt.

    Its signatures are not looked at: whatever lies there stands in the way of another history.
    """
    path = folder / CHECKPOINT
    try:
        data = read_regular(path, NOTE_BYTES_MAX)
        found = None if data is None else parse_checkpoint(parse_note(data).text)
    except (InvalidInput, NotADirectoryError) as error:
        raise Corrupt(f"publication {path}: {error}") from error
    if found is not None and found.origin != origin:
        raise Corrupt(f"publication {path} is of log {found.origin}, not of {origin}")
    return found


def require_ahead_of(conn: Connection, log: log_store.LogFacts, folder: Path) -> None:
    """Raises Unavailable or Corrupt where the log lies behind or beside what is published."""
    _require_ahead(conn, log, folder, published(folder, log.origin))


def _require_ahead(
    conn: Connection, log: log_store.LogFacts, folder: Path, found: Checkpoint | None
) -> None:
    publish.check_high_water(
        conn, log, found, was=f"published in {folder}", says="the publication says"
    )


def bring_up_to_date(
    conn: Connection, log: log_store.LogFacts, folder: Path, progress: Progress
) -> Published:
    """Write what the folder lacks of the latest checkpoint and of what was said of earlier ones.

    Raises Corrupt rather than exchange the checkpoint for an older or another one.
    """
    with _alone(folder):
        before = published(folder, log.origin)
        checkpoint, note = publish.latest_checkpoint(conn, log)
        _require_later(conn, log, folder, before, checkpoint)
        files = _Files(folder)
        begin = before.size if before else 0
        if begin != checkpoint.size:
            write_tiles(conn, log, begin, checkpoint, files.put_once, progress)
        _put_receipts(conn, log, files, checkpoint.size)
        # All that it refers to is on disk before anybody can see it.
        files.sync()
        files.exchange(CHECKPOINT, note)
        files.sync()
        _clear_partial(folder, begin, checkpoint.size)
        return Published(size=checkpoint.size, files=files.count)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One publisher at a time, over all processes of a machine."""
    make_public_folder(folder)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        shutil.rmtree(folder / _FRESH, ignore_errors=True)
        (folder / _FRESH).mkdir(mode=0o700)
        yield
        shutil.rmtree(folder / _FRESH)
    finally:
        os.close(descriptor)


def _require_later(
    conn: Connection,
    log: log_store.LogFacts,
    folder: Path,
    before: Checkpoint | None,
    checkpoint: Checkpoint,
) -> None:
    if before is None:
        return
    if checkpoint.size < before.size:
        raise Corrupt(
            f"{folder} has a checkpoint of {before.size} entries, the database's latest one is of"
            f" {checkpoint.size}: this is an old copy, and is not published"
        )
    _require_ahead(conn, log, folder, before)


def _put_receipts(conn: Connection, log: log_store.LogFacts, files: _Files, latest: int) -> None:
    for size in store.anchored_sizes(conn, log.log_id):
        name = f"checkpoints/{size}"
        # Nobody is asked about an earlier checkpoint: what is there of it is all.
        if size < latest and files.has(name):
            continue
        for authority, token in store.tokens_at(conn, log.log_id, size).items():
            files.put_once(f"receipts/{size}/{authority}.tsr", token.data)
        files.exchange(name, shown.note_at(conn, log, size))


def _clear_partial(folder: Path, begin: int, size: int) -> None:
    """Partial tiles of a size before, where the full one is there now: C2SP lets go of them, and
    who still reads the checkpoint before takes the beginning of the full one."""
    level, at, end = 0, begin, size
    while end:
        number = at // tiles.WIDTH
        if at % tiles.WIDTH and end // tiles.WIDTH > number:
            paths = [tiles.tile_path(level, number), *([tiles.entries_path(number)] * (not level))]
            for path in paths:
                shutil.rmtree(folder / f"{path}.p", ignore_errors=True)
        level, at, end = level + 1, at >> 8, end >> 8


@dataclass(slots=True)
class _Files:
    """Writes below a folder; what was written has its name on disk after `sync`."""

    folder: Path
    count: int = 0
    _touched: set[Path] = field(default_factory=set)

    def has(self, name: str) -> bool:
        return (self.folder / name).is_file()

    def put_once(self, name: str, data: bytes) -> None:
        """A file that never changes: one that is there is left. Raises Corrupt where it differs."""
        try:
            there = read_regular(self.folder / name, len(data))
        except InvalidInput as error:
            raise Corrupt(f"publication: {error}") from error
        if there is None:
            self._write(name, data)
        elif there != data:
            raise Corrupt(
                f"publication {self.folder / name} is not what the log says: it was changed, or is"
                " of another history"
            )

    def exchange(self, name: str, data: bytes) -> None:
        """A file that may be there with other content."""
        if read_regular(self.folder / name, NOTE_BYTES_MAX) != data:
            self._write(name, data)

    def _write(self, name: str, data: bytes) -> None:
        path = self.folder / name
        make_public_folder(path.parent)
        fresh = self.folder / _FRESH / str(self.count)
        write_public(fresh, data)
        fresh.replace(path)
        self._touched.add(path.parent)
        self.count += 1

    def sync(self) -> None:
        for folder in sorted(self._touched):
            sync_folder(folder)
        self._touched.clear()
