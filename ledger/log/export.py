"""Static copies of a log: C2SP tiles for the public, and entries put together with their bodies."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ledger.db import located
from ledger.errors import Corrupt, InvalidInput
from ledger.files import make_public_folder, sync_folder, write_public
from ledger.log import store
from ledger.log.bodies import Body, BodyKind
from ledger.log.entry import Entry, parse_entry
from ledger.log.erasing import Kept
from ledger.log.publish import latest_checkpoint
from ledger.log.service import Submission
from ledger.log.static import Progress, write_tiles
from ledger.log.types import Bodies, EntryTypes

BodyOf = Callable[[str], bytes | None]

# SQLite stores no larger value: no log can hold such a body.
_BODY_BYTES_MAX: Final = 1_000_000_000


def require_empty(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise InvalidInput(f"{folder} is not empty; give a new folder")


def export_tiles(conn: Connection, log: store.LogFacts, folder: Path, progress: Progress) -> int:
    """Write the latest checkpoint and all its tiles (C2SP tlog-tiles). Returns the size."""
    require_empty(folder)
    checkpoint, note = latest_checkpoint(conn, log)
    touched: set[Path] = set()

    def put(name: str, data: bytes) -> None:
        path = folder / name
        make_public_folder(path.parent)
        write_public(path, data)
        touched.add(path.parent)

    write_tiles(conn, log, 0, checkpoint, put, progress)
    put("checkpoint", note)
    for one in touched:
        sync_folder(one)
    return checkpoint.size


def submissions(
    conn: Connection, log: store.LogFacts, types: EntryTypes, *, begin: int = 0
) -> Iterator[Submission]:
    """Every entry from `begin` on with its bodies, as stored, in order. Raises Corrupt where one is
    missing that no later entry erases."""
    size = store.load_head(conn, log.log_id).size

    def load_attachment(key: str) -> bytes | None:
        return store.load_body(conn, log.log_id, key)

    def loading(index: int) -> Callable[..., bytes | None]:
        return lambda kind, reference: kind.load(conn, log.log_id, index, reference[kind.reference])

    kept: dict[bytes, Kept] = {}
    for index, data in store.entries_of_types(conn, log.log_id, types.erasing):
        found = _with_bodies(data, types, loading(index), load_attachment, index, log.origin, {})
        kept |= _kept_by(found, types, index)
    count = begin
    for index, data in store.entry_range(conn, log.log_id, begin, size):
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


Find = Callable[[str, int], bytes | None]


@dataclass(frozen=True, slots=True)
class _Files:
    """Bodies as `find(key, most)` reads them, each of at most so many bytes."""

    find: Find

    def load(self, kind: BodyKind, reference: Mapping[str, Any]) -> bytes | None:
        # A tree states its leaves, not its bytes.
        stated = reference["size"] if kind.reference == "hash" else _BODY_BYTES_MAX
        return self.find(reference[kind.reference], min(stated, _BODY_BYTES_MAX))

    def load_attachment(self, key: str) -> bytes | None:
        return self.find(key, _BODY_BYTES_MAX)


def kept_in(
    found: Iterable[bytes], types: EntryTypes, find: Find, *, begin: int = 0, origin: str = ""
) -> dict[bytes, Kept]:
    """What is kept of bodies that these entries erase, by the leaf hash of whose they were.
    Arguments and errors are those of `with_bodies`."""
    place, kept = _Files(find), dict[bytes, Kept]()
    for index, data in enumerate(found, begin):
        if index == 0:
            origin = origin_of(data)
        if _type_of(data, index) in types.erasing:
            one = _with_bodies(data, types, place.load, place.load_attachment, index, origin, {})
            kept |= _kept_by(one, types, index)
    return kept


def with_bodies(
    found: Iterable[bytes],
    types: EntryTypes,
    find: Find,
    kept: Mapping[bytes, Kept],
    *,
    begin: int = 0,
    origin: str = "",
) -> Iterator[Submission]:
    """Entries from `begin` on, each with its bodies, or with what is `kept` of them. Raises
    InvalidInput or Corrupt. `origin`: the log's, from entry 1 on."""
    place = _Files(find)
    for index, data in enumerate(found, begin):
        if index == 0:
            origin = origin_of(data)
        yield _with_bodies(data, types, place.load, place.load_attachment, index, origin, kept)


def _type_of(data: bytes, index: int) -> str:
    try:
        return parse_entry(data).type
    except InvalidInput as error:
        raise Corrupt(f"entry {index}: {error}") from error


def origin_of(genesis: bytes) -> str:
    """What bodies of the log are opened with; that it is a genesis is checked when it is placed."""
    try:
        return str(parse_entry(genesis).statement.get("log"))
    except InvalidInput as error:
        raise Corrupt(f"entry 0: {error}") from error
