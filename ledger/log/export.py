"""Static copies of a log: C2SP tiles for the public, entries with bodies for restore."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ledger.db import located
from ledger.errors import Corrupt, InvalidInput
from ledger.files import make_private_folder, open_regular, read_regular
from ledger.log import merkle, store, tiles
from ledger.log.bodies import Blob, Body, BodyKind
from ledger.log.entry import Entry, parse_entry
from ledger.log.erasing import Kept
from ledger.log.publish import latest_checkpoint
from ledger.log.service import Submission
from ledger.log.types import Bodies, EntryTypes

Progress = Callable[[int, int], None]
BodyOf = Callable[[str], bytes | None]

_ENTRIES_FILE: Final = "entries"
_BODIES_DIR: Final = "bodies"
# SQLite stores no larger value: no log can hold such a body.
_BODY_BYTES_MAX: Final = 1_000_000_000
_NOTE_BYTES_MAX: Final = 65_536


def _write_public(folder: Path, name: str, data: bytes) -> None:
    """A file that any web server may read, whatever the umask is."""
    *parents, _ = Path(name).parents
    for parent in [folder, *(folder / each for each in reversed(parents))]:
        if not parent.is_dir():
            parent.mkdir(parents=True)
            parent.chmod(0o755)
    path = folder / name
    path.write_bytes(data)
    path.chmod(0o644)


def require_empty(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise InvalidInput(f"{folder} is not empty; give a new folder")


def export_tiles(conn: Connection, log: store.LogFacts, folder: Path, progress: Progress) -> int:
    """Write the latest checkpoint and all its tiles (C2SP tlog-tiles). Returns the size."""
    require_empty(folder)
    checkpoint, note = latest_checkpoint(conn, log)
    bundles = -(-checkpoint.size // tiles.WIDTH)
    edge, at, range_ = tiles.EMPTY_EDGE, 0, merkle.CompactRange()
    for number in range(bundles):
        end = min(at + tiles.WIDTH, checkpoint.size)
        found = [data for _, data in store.entry_range(conn, log.log_id, at, end)]
        if len(found) != end - at:
            raise Corrupt(f"the log holds {len(found)} of the entries {at} to {end - 1}")
        width = (end - at) % tiles.WIDTH
        _write_public(folder, tiles.entries_path(number, width), tiles.bundle(found))
        leaves = merkle.leaf_hashes(found)
        edge, full = tiles.extend(edge, leaves)
        for leaf in leaves:
            range_.append(leaf)
        for tile in full:
            _write_public(folder, tiles.tile_path(tile.level, tile.number), tile.hashes)
        at = end
        progress(number + 1, bundles)
    for level, pending in enumerate(edge.pending):
        if pending:
            number = (edge.size >> (8 * level)) // tiles.WIDTH
            path = tiles.tile_path(level, number, len(pending))
            _write_public(folder, path, b"".join(pending))
    if range_.root() != checkpoint.root:
        raise Corrupt(
            f"the stored entries give root {range_.root().hex()} at size {checkpoint.size}, the"
            f" checkpoint signs {checkpoint.root.hex()}: {folder} is not to be published"
        )
    _write_public(folder, "checkpoint", note)
    return checkpoint.size


def submissions(conn: Connection, log: store.LogFacts, types: EntryTypes) -> Iterator[Submission]:
    """Every entry with its bodies, as stored, in order. Raises Corrupt where one is missing that no
    later entry erases."""
    size = store.load_head(conn, log.log_id).size

    def load_attachment(key: str) -> bytes | None:
        return store.load_body(conn, log.log_id, key)

    def loading(index: int) -> Callable[..., bytes | None]:
        return lambda kind, reference: kind.load(conn, log.log_id, index, reference[kind.reference])

    kept: dict[bytes, Kept] = {}
    for index, data in store.entries_of_types(conn, log.log_id, types.erasing):
        found = _with_bodies(data, types, loading(index), load_attachment, index, log.origin, {})
        kept |= _kept_by(found, types, index)
    count = 0
    for index, data in store.entry_range(conn, log.log_id, 0, size):
        if index != count:
            break
        yield _with_bodies(data, types, loading(index), load_attachment, index, log.origin, kept)
        count += 1
    if count != size:
        raise Corrupt(f"entry {count} is missing; the head says {size} entries")


def _with_bodies(
    data: bytes,
    types: EntryTypes,
    load: Callable[..., bytes | None],
    load_attachment: BodyOf,
    index: int,
    origin: str,
    kept: Mapping[bytes, Kept],
) -> Submission:
    """An entry with its bodies; one that is erased later with what is `kept` of them."""
    try:
        entry = parse_entry(data)
        type_ = types.of_entry(entry)
        type_.check_statement(entry)
    except InvalidInput as error:
        raise Corrupt(f"entry {index}: {error}") from error
    if entry.leaf_hash in kept:
        left = kept[entry.leaf_hash]
        instead = {
            member: kind.stand_in(entry.statement[member], left)
            for member, kind in type_.bodies.items()
        }
        return Submission(data=data, bodies=instead, kept=left)
    opened: dict[str, Body] = {}
    for member, kind in type_.bodies.items():
        reference = entry.statement[member]
        key = reference.get(kind.reference)
        try:
            body = load(kind, reference)
        except InvalidInput as error:
            raise Corrupt(f"entry {index} ({entry.type}): body {member}: {error}") from error
        except DBAPIError as error:
            raise located(error, f"entry {index} ({entry.type}): body {member}") from error
        except (ValueError, TypeError, struct.error) as error:
            # Rows that can't even be put together to a body's bytes.
            raise Corrupt(f"entry {index} ({entry.type}): body {member}: {error}") from error
        if body is None:
            raise Corrupt(f"entry {index} ({entry.type}): body {member} {key} is missing")
        opened[member] = _open(entry, member, body, types, origin, index)
    attachments = _attachments(entry, type_.attachments, opened, load_attachment, index)
    return Submission(data=data, bodies=opened, attachments=attachments)


def _kept_by(submission: Submission, types: EntryTypes, index: int) -> Mapping[bytes, Kept]:
    """What an entry that erases others keeps of their bodies, by leaf hash."""
    keeps = types.of_entry(parse_entry(submission.data)).keeps
    assert keeps is not None
    bodies = {name: body for name, body in submission.bodies.items() if not isinstance(body, bytes)}
    try:
        return keeps(bodies)
    except InvalidInput as error:
        raise Corrupt(f"entry {index}: {error}") from error


def _open(
    entry: Entry, member: str, body: bytes, types: EntryTypes, origin: str, index: int
) -> Body:
    try:
        return types.of_entry(entry).bodies[member].open(body, entry, origin)
    except InvalidInput as error:
        raise Corrupt(f"entry {index} ({entry.type}): body {member}: {error}") from error


def _attachments(
    entry: Entry,
    names: Callable[[Bodies], object],
    opened: Bodies,
    load: BodyOf,
    index: int,
) -> list[bytes]:
    try:
        keys = names(opened)
    except InvalidInput as error:
        raise Corrupt(f"entry {index} ({entry.type}): {error}") from error
    assert isinstance(keys, list | tuple)
    found = []
    for key in keys:
        data = load(key)
        if data is None:
            raise Corrupt(f"entry {index} ({entry.type}): attachment {key} is missing")
        found.append(data)
    return found


def export_entries(
    conn: Connection, log: store.LogFacts, types: EntryTypes, folder: Path, progress: Progress
) -> int:
    """Write entries and bodies, private ones included, for `restore`. Returns the size."""
    require_empty(folder)
    _, note = latest_checkpoint(conn, log)
    size = store.load_head(conn, log.log_id).size
    make_private_folder(folder / _BODIES_DIR)
    with (folder / _ENTRIES_FILE).open("wb") as file:
        for index, submission in enumerate(submissions(conn, log, types)):
            file.write(tiles.bundle([submission.data]))
            for body in () if submission.kept else submission.bodies.values():
                assert not isinstance(body, bytes)
                (folder / _BODIES_DIR / body.key).write_bytes(body.data)
            for data in submission.attachments:
                (folder / _BODIES_DIR / Blob.open(data, "").key).write_bytes(data)
            progress(index + 1, size)
    (folder / "checkpoint").write_bytes(note)
    return size


def read_export(folder: Path, types: EntryTypes) -> Iterator[Submission]:
    """The submissions of an `export entries` folder, in order. Raises InvalidInput or Corrupt."""
    bodies = folder / _BODIES_DIR
    if bodies.is_symlink():
        raise InvalidInput(f"{bodies} is a link; an export holds its own files")

    def load(kind: BodyKind, reference: Mapping[str, Any]) -> bytes | None:
        # A tree states its leaves, not its bytes.
        stated = reference["size"] if kind.reference == "hash" else _BODY_BYTES_MAX
        return read_regular(bodies / reference[kind.reference], min(stated, _BODY_BYTES_MAX))

    def load_attachment(key: str) -> bytes | None:
        return read_regular(bodies / key, _BODY_BYTES_MAX)

    origin, kept = "", dict[bytes, Kept]()
    for index, data in enumerate(_exported(folder)):
        if index == 0:
            origin = _origin_of(data)
        if _type_of(data, index) in types.erasing:
            found = _with_bodies(data, types, load, load_attachment, index, origin, {})
            kept |= _kept_by(found, types, index)
    for index, data in enumerate(_exported(folder)):
        yield _with_bodies(data, types, load, load_attachment, index, origin, kept)


def _exported(folder: Path) -> Iterator[bytes]:
    file = open_regular(folder / _ENTRIES_FILE)
    if file is None:
        raise InvalidInput(f"{folder} holds no file 'entries'; it is no export of entries")
    with file:
        yield from tiles.read_bundle(file)


def _type_of(data: bytes, index: int) -> str:
    try:
        return parse_entry(data).type
    except InvalidInput as error:
        raise Corrupt(f"entry {index}: {error}") from error


def _origin_of(genesis: bytes) -> str:
    """What bodies of the log are opened with; that it is a genesis is checked when it is placed."""
    try:
        return str(parse_entry(genesis).statement.get("log"))
    except InvalidInput as error:
        raise Corrupt(f"entry 0: {error}") from error


def exported_checkpoint(folder: Path) -> bytes:
    note = read_regular(folder / "checkpoint", _NOTE_BYTES_MAX)
    if note is None:
        raise InvalidInput(f"{folder} holds no file 'checkpoint'")
    return note
