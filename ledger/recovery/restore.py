"""Restore: replay a backup into an empty database, and put back what no replay gives; all or
nothing.

A backup that lies behind what was signed before may not go on as if nothing had happened: whoever
saw the later checkpoint would see a fork. So the entries up to there are taken from the published
tiles, or nothing is restored. There is no way around it but a new log (`succession`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from sqlalchemy import Connection, insert

from ledger import db, files
from ledger.anchors import publication
from ledger.errors import Corrupt, InvalidInput, Unavailable
from ledger.house import ENTRY_TYPES, LOG_ID, House
from ledger.log import archive, logkeys, merkle, publish, store
from ledger.log.archive import Record
from ledger.log.audit import Replayed, check_notes, replay
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.export import kept_in, with_bodies
from ledger.log.service import Submission
from ledger.log.static import Progress
from ledger.recovery import beside
from ledger.recovery.backup import KEYS_DIR
from ledger.recovery.bodies import Found, require_all
from ledger.recovery.published import NOTE_BYTES_MAX, Published, read_checkpoint
from ledger.recovery.sealing import require_seal
from ledger.settings import Settings

_KEY_BYTES_MAX = 65_536
Noted = tuple[Checkpoint, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a restore reads beside the backup. `tiles`: a folder or a URL; `bodies`: folders and
    outboxes; `pins`: files with signed checkpoints that others have seen. `log_only`: no accounts,
    no keys."""

    tiles: str = ""
    bodies: Sequence[Path] = ()
    pins: Sequence[Path] = ()
    log_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """`from_tiles`: entries that the backup lacked; `rows`: of the service's tables."""

    size: int
    root: bytes
    from_tiles: int = 0
    rows: int = 0
    keys: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reach:
    """A checkpoint that the restored log has to reach, and who knows it."""

    checkpoint: Checkpoint
    where: str
    note: bytes | None = None


def restore(
    settings: Settings, folder: Path, progress: Progress, sources: Sources | None = None
) -> Restored:
    """Raises InvalidInput, Corrupt, Refused, NotFound or Unavailable, and then nothing is written
    but the empty tables."""
    sources = sources or Sources()
    for name in (archive.BODIES_DIR, beside.BESIDE_DIR, KEYS_DIR):
        if (folder / name).is_symlink():
            raise InvalidInput(f"{folder / name} is a link; a backup holds its own files")
    record = archive.require_record(folder)
    keystore = House.keystore_of(settings)
    with_service = _has_service(record) and not sources.log_only
    if with_service:
        require_seal(record, settings, keystore)
    keys = _read_keys(folder, record) if with_service else {}
    work = _Restore(settings, folder, record, sources, progress)
    engine = House.make_database(settings)
    try:
        with db.writing(engine, long=True) as conn:
            replayed, log = work.replay(conn)
            rows = beside.read(conn, folder, record.beside) if with_service else 0
            reached = work.require_reached(conn, log)
            # Last of all, when nothing can be wrong any more: keys that sign nothing do no harm
            # where the commit fails, and a record of what was signed is never wrong.
            for name, data in keys.items():
                keystore.put_sealed(name, data)
            _remember(settings, log, reached)
    finally:
        engine.dispose()
    return Restored(
        size=replayed.size,
        root=replayed.root,
        from_tiles=replayed.size - record.size,
        rows=rows,
        keys=len(keys),
    )


def _has_service(record: Record) -> bool:
    """Whether it is a backup, and no export of entries alone. Raises Corrupt."""
    if not record.seal and (record.beside or record.keys):
        raise Corrupt("backup.json has no seal, but accounts or keys: it was changed")
    if record.seal and not record.beside:
        raise Corrupt("backup.json has a seal, but no accounts: it was changed")
    return bool(record.seal)


def _read_keys(folder: Path, record: Record) -> dict[str, bytes]:
    place, found = folder / KEYS_DIR, {}
    for name, wanted in record.keys.items():
        data = files.read_regular(place / name, _KEY_BYTES_MAX)
        if data is None:
            raise InvalidInput(f"{place / name} is missing: a sealed key of the backup")
        if hashlib.sha256(data).hexdigest() != wanted:
            raise Corrupt(f"{place / name} was changed: it is not the key file of the backup")
        found[name] = data
    return found


def _remember(settings: Settings, log: store.LogFacts, latest: Checkpoint) -> None:
    """On a new machine nothing knows yet what was signed."""
    high_water = House.high_water_of(settings, log)
    with high_water.locked():
        record = high_water.read()
        if record is None or record.size < latest.size:
            high_water.write(latest)


class _Restore:
    """One restore: what it reads, and what it has to reach."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        record: Record,
        sources: Sources,
        progress: Progress,
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._record = record
        self._progress = progress
        self._bodies = Found.in_(folder, sources.bodies)
        self._notes = {
            one.size: (one, note) for one, note in archive.checkpoints_in(folder, record)
        }
        self._published = Published.read(sources.tiles) if sources.tiles else None
        self._tail: list[bytes] = []  # entries that the backup lacks
        self._pins = [_pin(path) for path in sources.pins]
        self._check_published()

    def _check_published(self) -> None:
        """All bodies of the tail are there, before anything is written."""
        published, record = self._published, self._record
        if published is None:
            return
        if published.checkpoint.origin != record.origin:
            raise InvalidInput(
                f"{published.where} is the log {published.checkpoint.origin}, the backup is of"
                f" {record.origin}"
            )
        if published.checkpoint.size > record.size:
            self._tail = list(published.entries(record.size))
            require_all(self._tail, ENTRY_TYPES, self._bodies, record.size)

    def replay(self, conn: Connection) -> tuple[Replayed, store.LogFacts]:
        if store.lock_head(conn, LOG_ID).size:
            raise InvalidInput("the database holds a log already; restore into an empty one")
        roots = {size: one.root for size, (one, _) in self._notes.items()}
        _add_root(roots, self._record.size, bytes.fromhex(self._record.root), "backup.json")
        if self._published is not None:
            said = self._published.checkpoint
            _add_root(roots, said.size, said.root, self._published.where)
        total = max(self._record.size, *roots)
        replayed = replay(
            conn, LOG_ID, ENTRY_TYPES, self._submissions(), total, self._progress, roots
        )
        log = store.load_log(conn, LOG_ID)
        if log.origin != self._record.origin:
            raise Corrupt(f"entry 0 begins {log.origin}, backup.json says {self._record.origin}")
        self._record_checkpoints(conn, log, replayed)
        return replayed, log

    def _submissions(self) -> Iterator[Submission]:
        kept = kept_in(self._entries(), ENTRY_TYPES, self._bodies.find)
        return with_bodies(self._entries(), ENTRY_TYPES, self._bodies.find, kept)

    def _entries(self) -> Iterator[bytes]:
        return chain(archive.entries_in(self._folder, self._record), self._tail)

    def _record_checkpoints(
        self, conn: Connection, log: store.LogFacts, replayed: Replayed
    ) -> None:
        notes = dict(self._notes)
        if self._published is not None:
            said = self._published.checkpoint
            notes.setdefault(said.size, (said, _own_note(conn, log, self._published)))
        for size, (checkpoint, note) in sorted(notes.items()):
            row = {"log_id": log.log_id, "size": size}
            conn.execute(
                insert(store.checkpoint_roots).values(
                    **row, root=checkpoint.root, range=replayed.ranges[size]
                )
            )
            conn.execute(insert(store.checkpoint_notes).values(**row, note=note))
        check_notes(conn, log, store.recorded_roots(conn, log.log_id))

    def require_reached(self, conn: Connection, log: store.LogFacts) -> Checkpoint:
        """The latest checkpoint, where all that anybody here has seen is reached. Raises
        Unavailable or Corrupt."""
        latest, _ = publish.latest_checkpoint(conn, log)
        edge = store.load_head(conn, log.log_id).edge
        for one in self._to_reach(log):
            if one.note is not None:
                _require_own(conn, log, one)
            if one.checkpoint.size > edge.size:
                raise Unavailable(self._behind(one, edge.size))
            root = merkle.tree_root(one.checkpoint.size, store.nodes(conn, log.log_id, edge))
            if root != one.checkpoint.root:
                raise Corrupt(
                    f"at size {one.checkpoint.size} the backup has root {root.hex()},"
                    f" {one.where} {one.checkpoint.root.hex()}: two histories; nothing is restored"
                )
        return latest

    def _to_reach(self, log: store.LogFacts) -> Iterator[_Reach]:
        record = House.high_water_of(self._settings, log).read()
        if record is not None:
            where = f"the high-water record in {self._settings.high_water}"
            yield _Reach(checkpoint=record, where=where)
        folder = self._settings.publish_dir
        shown = publication.published(folder, log.origin) if folder is not None else None
        if shown is not None:
            yield _Reach(checkpoint=shown, where=f"what is published in {folder}")
        yield from self._pins

    def _behind(self, one: _Reach, size: int) -> str:
        return (
            f"the backup holds {size} entries, but {one.where} knows a checkpoint of"
            f" {one.checkpoint.size}: nothing is restored. Take the missing entries from where the"
            f" log is published: greenledger restore {self._folder} --tiles FOLDER-OR-URL; or, if"
            f" they are lost, begin a new log that names this one: greenledger restore"
            f" {self._folder} --new-origin NAME"
        )


def _pin(path: Path) -> _Reach:
    note = files.read_regular(path, NOTE_BYTES_MAX)
    if note is None:
        raise InvalidInput(f"no file {path}")
    return _Reach(checkpoint=read_checkpoint(note, str(path)), where=str(path), note=note)


def _add_root(roots: dict[int, bytes], size: int, root: bytes, where: str) -> None:
    if size and roots.setdefault(size, root) != root:
        raise Corrupt(
            f"at size {size} a checkpoint of the backup says root {roots[size].hex()}, {where}"
            f" {root.hex()}: two histories; nothing is restored"
        )


def _own_note(conn: Connection, log: store.LogFacts, published: Published) -> bytes:
    """What was published, as the log signed it: cosignatures are stored apart. Raises
    InvalidInput."""
    try:
        own = logkeys.without_cosignatures(published.note, log.origin)
        logkeys.open_own(own, log, logkeys.load(conn, log))
    except InvalidInput as error:
        raise InvalidInput(f"{published.where}/checkpoint: {error}") from error
    return own


def _require_own(conn: Connection, log: store.LogFacts, one: _Reach) -> None:
    """The log has signed it. Raises InvalidInput."""
    assert one.note is not None
    # Of what lies beyond, the keys are not known; those that are known come next to it.
    size = max(1, min(one.checkpoint.size, store.load_head(conn, log.log_id).size))
    keys = logkeys.signing_at(conn, log, size)
    try:
        open_checkpoint(one.note, keys[0], keys[1:])
    except InvalidInput as error:
        raise InvalidInput(f"{one.where}: {error}") from error
