"""A new log after an old one whose entries are lost: it names the old one, and takes nothing of
times before it (docs/adr/0040).

Of the backup only what identifies the old log is taken over. Parties, keys, points, contracts and
schemes are registered anew, as on the first day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger import files
from ledger.anchors import publication
from ledger.errors import Corrupt, InvalidInput, NotFound, Refused
from ledger.house import House, now_s
from ledger.log import archive, logkeys, merkle
from ledger.log.archive import Record
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.entry import Entry, parse_entry
from ledger.log.notes import VerifyKey, parse_vkey
from ledger.log.publish import HighWater
from ledger.log.service import GENESIS
from ledger.log.succession import Succession
from ledger.recovery.published import NOTE_BYTES_MAX, Published, read_checkpoint
from ledger.recovery.restore import Sources
from ledger.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Old:
    """What the backup says of the old log, entry by entry checked against its checkpoints."""

    genesis: Entry
    size: int
    parties: tuple[str, ...]
    roots: dict[int, bytes]
    keys: Sequence[logkeys.LogKey]

    @property
    def key(self) -> VerifyKey:
        """The key of its genesis, under which the log is known."""
        return parse_vkey(str(self.genesis.statement["log_vkey"]))

    def opened(self, note: bytes) -> Checkpoint:
        """A checkpoint that the old log has signed. Raises InvalidInput."""
        size = max(1, min(read_checkpoint(note, "a checkpoint").size, self.size))
        first, *others = logkeys.signing(self.keys, size)
        return open_checkpoint(note, first, others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded:
    """The new log, and what of the old one has to be registered anew."""

    house: House
    follows: Succession
    parties: tuple[str, ...]


def succeed(
    settings: Settings,
    folder: Path,
    origin: str,
    sources: Sources,
    *,
    clock_s: Callable[[], int] = now_s,
) -> Succeeded:
    """Begin the log `origin`, which follows that of the backup. Raises InvalidInput, Corrupt,
    Refused or NotFound, and then nothing is written."""
    record = archive.require_record(folder)
    if origin == record.origin:
        raise Refused(f"the new log needs a name of its own: {origin} is that of the old one")
    _require_other_place(settings, record.origin)
    held = archive.checkpoints_in(folder, record)
    old = _read(folder, record, {one.size for one, _ in held})
    known = [old.opened(note) for _, note in held]
    known += [old.opened(note) for note in _others(sources)]
    _require_one_history(known, old.roots)
    latest = max(known, key=lambda one: one.size)
    seen = HighWater(settings.high_water, old.key).read()
    if seen is not None and seen.size > latest.size:
        latest = seen
    follows = Succession(
        origin=record.origin, log_vkey=old.key.vkey, size=latest.size, root=latest.root
    )
    said = old.genesis.statement
    house = House.init(
        settings,
        origin=origin,
        name=str(said["name"]),
        zone=str(said["zone"]),
        operator=old.genesis.author,
        clock_s=clock_s,
        follows=follows,
    )
    return Succeeded(house=house, follows=follows, parties=old.parties)


def _read(folder: Path, record: Record, sizes: set[int]) -> _Old:
    range_, roots, parties = merkle.CompactRange(), {}, dict[str, None]()
    genesis, on_keys = None, list[tuple[int, bytes]]()
    for entry, data in _parsed(folder, record):
        genesis = genesis or entry
        if entry.type in (GENESIS, logkeys.REGISTER, logkeys.END):
            on_keys.append((range_.size, data))
        range_.append(merkle.leaf_hash(data))
        if range_.size in sizes:
            roots[range_.size] = range_.root()
        if entry.type == "party.register":
            parties[str(entry.statement["party"])] = None
    if genesis is None or genesis.type != GENESIS or range_.root().hex() != record.root:
        raise Corrupt(
            f"{folder}: its {range_.size} entries are not those that backup.json counts: root"
            f" {range_.root().hex()}, not {record.root}"
        )
    keys = logkeys.follow(on_keys, parse_vkey(str(genesis.statement["log_vkey"])))
    return _Old(genesis=genesis, size=range_.size, parties=tuple(parties), roots=roots, keys=keys)


def _parsed(folder: Path, record: Record) -> Iterator[tuple[Entry, bytes]]:
    for index, data in enumerate(archive.entries_in(folder, record)):
        try:
            yield parse_entry(data), data
        except InvalidInput as error:
            raise Corrupt(f"entry {index}: {error}") from error


def _require_other_place(settings: Settings, origin: str) -> None:
    """The new log is published beside the old one, not over it. Raises Refused."""
    folder = settings.publish_dir
    if folder is not None and publication.published(folder, origin) is not None:
        raise Refused(
            f"{folder} is where the old log is published: set GREENLEDGER_PUBLISH_DIR to a new"
            f" folder for the new one, and give the old one by --tiles {folder}"
        )


def _others(sources: Sources) -> Iterator[bytes]:
    """Checkpoints that others have seen: where the log was published, and pins."""
    if sources.tiles:
        yield Published.read(sources.tiles).note
    for path in sources.pins:
        note = files.read_regular(path, NOTE_BYTES_MAX)
        if note is None:
            raise NotFound(f"no file {path}")
        yield note


def _require_one_history(known: list[Checkpoint], roots: dict[int, bytes]) -> None:
    """Two roots of one size are a fork, which no new log makes good."""
    found = dict(roots)
    for one in known:
        if found.setdefault(one.size, one.root) != one.root:
            raise Corrupt(
                f"at size {one.size} the old log has the roots {found[one.size].hex()} and"
                f" {one.root.hex()}, both signed: two histories. Keep all of it to be looked into"
            )
