"""The folder that `backup` and `export entries` write and `restore` reads (docs/formats.md §6).

`entries` and `checkpoints` grow at their end, `bodies/` by new files, and nothing that is there is
written again. `backup.json` says how much of it all counts. It is replaced last, in one step: what
a crash left beyond it does not count, and the next run writes over that.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Final

from sqlalchemy import Connection, select

from ledger import files
from ledger.errors import Corrupt, InvalidInput
from ledger.log import erasing, merkle, store, tiles
from ledger.log.bodies import Blob
from ledger.log.checkpoint import Checkpoint, parse_checkpoint
from ledger.log.entry import ORIGIN
from ledger.log.export import submissions
from ledger.log.notes import parse_note
from ledger.log.publish import latest_checkpoint
from ledger.log.static import Progress
from ledger.log.types import EntryTypes

FORMAT: Final = "greenledger-backup/v1"
RECORD_FILE: Final = "backup.json"
ENTRIES_FILE: Final = "entries"
CHECKPOINTS_FILE: Final = "checkpoints"
BODIES_DIR: Final = "bodies"
_RECORD_BYTES_MAX: Final = 16 * 1024 * 1024
_HASH: Final = re.compile("[0-9a-f]{64}", re.ASCII)
_KEY_FILE: Final = re.compile("[0-9a-f]{16}-[0-9a-f]{8}[.]json", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """How much of a folder counts: `size` entries with the root `root`, and so many bytes.

    `beside`: SHA-256 of the file with what no replay gives back, "" where there is none; `keys`:
    {file name: SHA-256} of sealed keys. `seal`: of a backup, see `ledger.recovery`; else "".
    """

    origin: str
    size: int = 0
    root: str = merkle.EMPTY_ROOT.hex()
    entries_bytes: int = 0
    checkpoints_bytes: int = 0
    beside: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    seal: str = ""

    @property
    def unsealed(self) -> bytes:
        return _encode(replace(self, seal=""))


def _encode(record: Record) -> bytes:
    members = {
        "format": FORMAT,
        "origin": record.origin,
        "size": record.size,
        "root": record.root,
        "entries_bytes": record.entries_bytes,
        "checkpoints_bytes": record.checkpoints_bytes,
        "beside": record.beside,
        "keys": dict(sorted(record.keys.items())),
        "seal": record.seal,
    }
    return json.dumps(members, indent=1).encode() + b"\n"


def _decode(data: bytes) -> Record:
    """Raises ValueError, KeyError, TypeError for what `_encode` did not write."""
    members = json.loads(data)
    if members.pop("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    found = Record(**members)
    numbers = (found.size, found.entries_bytes, found.checkpoints_bytes)
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError("a number is none")
    if not (ORIGIN.check(found.origin) and _HASH.fullmatch(found.root)):
        raise ValueError("origin or root is none")
    if not all(not text or _HASH.fullmatch(text) for text in (found.beside, found.seal)):
        raise ValueError("beside or seal is no hash")
    if not all(_KEY_FILE.fullmatch(name) for name in found.keys):
        raise ValueError("a key file has a name that no keystore gives")
    if _encode(found) != data:
        raise ValueError("it is not as it was written")
    return found


def read_record(folder: Path) -> Record | None:
    """None where the folder has none. Raises InvalidInput or Corrupt."""
    data = files.read_regular(folder / RECORD_FILE, _RECORD_BYTES_MAX)
    if data is None:
        return None
    try:
        return _decode(data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Corrupt(f"{folder / RECORD_FILE} is no record of a backup: {error}") from error


def require_record(folder: Path) -> Record:
    found = read_record(folder)
    if found is None:
        raise InvalidInput(
            f"{folder} holds no file '{RECORD_FILE}'; it is no backup, or its first run was stopped"
        )
    return found


def write_record(folder: Path, record: Record) -> None:
    """From here on the folder holds what the record says."""
    files.replace(folder / RECORD_FILE, _encode(record))


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One writer of a folder at a time, whatever process it is in. Raises InvalidInput."""
    files.make_private_folder(folder)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise InvalidInput(f"{folder} is being written by another run; wait for it") from error
    finally:
        os.close(descriptor)


# Writing


def grow(
    conn: Connection, log: store.LogFacts, types: EntryTypes, folder: Path, progress: Progress
) -> Record:
    """Add what the log has and the folder has not. Returns the record to be written.

    What is there has to be the beginning of the log, entry for entry: it is hashed again. Raises
    InvalidInput for another log's folder, Corrupt where its bytes were changed.
    """
    latest_checkpoint(conn, log)
    before = read_record(folder) or Record(origin=log.origin)
    if before.origin != log.origin:
        raise InvalidInput(f"{folder} is a backup of {before.origin}, not of {log.origin}")
    size = store.load_head(conn, log.log_id).size
    if before.size > size:
        raise Corrupt(
            f"{folder} holds {before.size} entries, the ledger {size}: it is an old copy, and must"
            " not go on"
        )
    range_ = _hash_again(conn, log, folder, before)
    entries_bytes = _add_entries(conn, log, types, folder, before, size, range_, progress)
    checkpoints_bytes = _add_checkpoints(conn, log, folder, before, size)
    return Record(
        origin=log.origin,
        size=size,
        root=range_.root().hex(),
        entries_bytes=entries_bytes,
        checkpoints_bytes=checkpoints_bytes,
    )


def _hash_again(
    conn: Connection, log: store.LogFacts, folder: Path, before: Record
) -> merkle.CompactRange:
    range_ = merkle.CompactRange()
    if not before.size:
        return range_
    for data in entries_in(folder, before):
        range_.append(merkle.leaf_hash(data))
    nodes = store.present_nodes(conn, log.log_id)
    root = merkle.tree_root(before.size, nodes)
    if (range_.size, range_.root()) != (before.size, root):
        raise Corrupt(
            f"{folder}: its {range_.size} entries give root {range_.root().hex()}, the ledger has"
            f" {root.hex()} at size {before.size}: begin a backup in a new folder, and keep this"
            " one to be looked into"
        )
    return range_


@contextmanager
def _appending(path: Path, end: int) -> Iterator[BinaryIO]:
    """The file from byte `end` on, on disk when the block ends; what lay there does not count."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "r+b") as file:
        file.truncate(end)
        file.seek(end)
        yield file
        file.flush()
        os.fsync(file.fileno())


def _add_entries(
    conn: Connection,
    log: store.LogFacts,
    types: EntryTypes,
    folder: Path,
    before: Record,
    size: int,
    range_: merkle.CompactRange,
    progress: Progress,
) -> int:
    """Returns where the file of entries ends."""
    bodies = folder / BODIES_DIR
    files.make_private_folder(bodies)
    with _appending(folder / ENTRIES_FILE, before.entries_bytes) as file:
        for submission in submissions(conn, log, types, begin=before.size):
            for body in () if submission.kept else submission.bodies.values():
                assert not isinstance(body, bytes)
                files.put(bodies / body.key, body.data)
            for data in submission.attachments:
                files.put(bodies / Blob.open(data, "").key, data)
            file.write(tiles.bundle([submission.data]))
            range_.append(merkle.leaf_hash(submission.data))
            progress(range_.size - before.size, size - before.size)
        end = file.tell()
    files.sync_folder(bodies)
    return end


def forget_erased(conn: Connection, log: store.LogFacts, types: EntryTypes, folder: Path) -> None:
    """What the log has erased does not live on in the folder. To be called when the record counts
    the entries that say so: before, what the run before has counted would lack a body; and of all
    each time, as a run may have been stopped just here."""
    bodies = folder / BODIES_DIR
    for index in erasing.erased_from(conn, log.log_id, 0):
        entry = store.entry_at(conn, log.log_id, index)
        kinds = types.of_entry(entry).bodies
        named = {entry.statement[member][kind.reference] for member, kind in kinds.items()}
        for key in named | erasing.uses_of(conn, log.log_id, index):
            # What another entry holds as well stays.
            if store.load_body(conn, log.log_id, key) is None:
                (bodies / key).unlink(missing_ok=True)
    files.sync_folder(bodies)


def _add_checkpoints(
    conn: Connection, log: store.LogFacts, folder: Path, before: Record, size: int
) -> int:
    """Notes of sizes that the folder has none of: no larger one comes before a smaller one, but
    for a crash between two. Returns where the file ends."""
    held = {one.size for one, _ in checkpoints_in(folder, before)} if before.size else set()
    rows = conn.execute(
        select(store.checkpoint_notes.c.size, store.checkpoint_notes.c.note)
        .where(store.checkpoint_notes.c.log_id == log.log_id)
        .order_by(store.checkpoint_notes.c.size)
    )
    with _appending(folder / CHECKPOINTS_FILE, before.checkpoints_bytes) as file:
        for row in rows:
            if row.size not in held and row.size <= size:
                file.write(tiles.bundle([bytes(row.note)]))
        return file.tell()


# Reading


def _part_of(folder: Path, name: str, end: int) -> Iterator[bytes]:
    file = files.open_regular(folder / name)
    if file is None:
        raise InvalidInput(f"{folder} holds no file '{name}'")
    with file:
        held = os.fstat(file.fileno()).st_size
        if held < end:
            raise Corrupt(f"{folder / name} has {held} bytes, {RECORD_FILE} counts {end}")
        try:
            yield from tiles.read_bundle(file, end)
        except InvalidInput as error:
            raise Corrupt(f"{folder / name}: {error}") from error


def entries_in(folder: Path, record: Record) -> Iterator[bytes]:
    """The entries that count, in order. Raises InvalidInput or Corrupt."""
    count = 0
    for data in _part_of(folder, ENTRIES_FILE, record.entries_bytes):
        count += 1
        yield data
    if count != record.size:
        raise Corrupt(f"{folder / ENTRIES_FILE} has {count} entries, {RECORD_FILE} {record.size}")


def checkpoints_in(folder: Path, record: Record) -> list[tuple[Checkpoint, bytes]]:
    """The checkpoints that count, with their notes; no signature is verified yet. Raises
    InvalidInput or Corrupt."""
    found = []
    for place, note in enumerate(_part_of(folder, CHECKPOINTS_FILE, record.checkpoints_bytes)):
        try:
            found.append((parse_checkpoint(parse_note(note).text), note))
        except InvalidInput as error:
            raise Corrupt(f"{folder / CHECKPOINTS_FILE}, checkpoint {place}: {error}") from error
    sizes = [one.size for one, _ in found]
    if len(set(sizes)) != len(sizes):
        raise Corrupt(f"{folder / CHECKPOINTS_FILE} has two checkpoints of one size")
    if not found:
        raise Corrupt(f"{folder / CHECKPOINTS_FILE} has no checkpoint: nothing vouches for it")
    return found


@dataclass(frozen=True, slots=True)
class Bodies:
    """Folders in which bodies lie by their hash or root: a backup's, an export's, any others."""

    folders: tuple[Path, ...]

    @classmethod
    def of(cls, *folders: Path) -> Bodies:
        """The folders, and what lies in their `bodies/`. Raises InvalidInput."""
        found: list[Path] = []
        for folder in folders:
            inside = folder / BODIES_DIR
            for each in (folder, inside):
                if each.is_symlink():
                    raise InvalidInput(f"{each} is a link; a backup holds its own files")
            if not folder.is_dir():
                raise InvalidInput(f"{folder} is no folder")
            found += [inside, folder] if inside.is_dir() else [folder]
        return cls(tuple(found))

    def find(self, key: str, most: int) -> bytes | None:
        """`key`: a hash or root in hex, as a statement has it. Raises InvalidInput where the file
        leads elsewhere, or is longer than `most`."""
        for folder in self.folders:
            data = files.read_regular(folder / key, most)
            if data is not None:
                return data
        return None


def as_json(value: Mapping[str, Any]) -> bytes:
    """A line of a backup's own files."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
