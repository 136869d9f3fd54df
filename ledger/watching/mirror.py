"""A verified copy of a log's entries: what a signed root commits to, and nothing else.

The folder holds:

- `entries`: all entries in order (u16 length and bytes, as in a bundle). Beyond the `bytes` that
  `mirror.json` states lies what was fetched, but is under no verified root yet.
- `mirror.json`: how far the copy is verified (size, root, bytes, the signed note), and signed
  checkpoints that are still to be confirmed. It is replaced whole, after the entries are on disk.
- `lock`: one process at a time changes them.

The root is computed from the entries themselves, old ones first: that is the consistency check. At
each start all of it is computed anew, so a damaged disk is found.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Final

from greenledger_verify.checkpoint import parse_checkpoint
from greenledger_verify.failure import VerificationError
from greenledger_verify.merkle import EMPTY_ROOT, leaf_hash
from greenledger_verify.note import parse_note
from greenledger_verify.tiles import TILE_WIDTH, tile_width
from ledger import files
from ledger.errors import Corrupt, InvalidInput, Unavailable
from ledger.watching.notes import Seen
from ledger.watching.published import PublishedLog
from ledger.watching.tree import OnTile, Tree, ignore

# Signed checkpoints that wait for entries that can't be read; the oldest ones are kept.
WAITING_MAX: Final = 100
_STATE_BYTES_MAX: Final = 16 * 1024 * 1024
_FORMAT: Final = "greenledger-mirror/v1"


class Unfinished(Unavailable):
    """The time given was not enough; what was fetched is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What `mirror.json` says. `verified` is None before the first time."""

    origin: str
    size: int = 0
    length_bytes: int = 0
    root: bytes = EMPTY_ROOT
    verified: Seen | None = None
    waiting: tuple[Seen, ...] = ()

    def encode(self) -> bytes:
        members = {
            "format": _FORMAT,
            "origin": self.origin,
            "size": self.size,
            "bytes": self.length_bytes,
            "root": self.root.hex(),
            "verified": None if self.verified is None else _shown(self.verified),
            "waiting": [_shown(one) for one in self.waiting],
        }
        return (json.dumps(members, ensure_ascii=False, indent=1) + "\n").encode()

    @property
    def seen(self) -> Seen | None:
        """The largest checkpoint that the log itself ever showed."""
        found = [*self.waiting, *([] if self.verified is None else [self.verified])]
        shown = [one for one in found if one.shown]
        return max(shown, key=lambda one: one.size, default=None)


def _shown(seen: Seen) -> dict[str, object]:
    return {"note": seen.note.decode(), "seen_s": seen.seen_s, "shown": seen.shown}


def _read_seen(value: Any) -> Seen:
    """Its signatures were verified before it was written."""
    raw = value["note"].encode()
    checkpoint = parse_checkpoint(parse_note(raw).text.decode())
    return Seen(
        note=raw,
        checkpoint=checkpoint,
        keys=(),
        seen_s=int(value["seen_s"]),
        shown=bool(value["shown"]),
    )


def _decode(data: bytes, path: Path) -> State:
    try:
        members = json.loads(data)
        if members["format"] != _FORMAT:
            raise Corrupt(f"{path} is of another format than {_FORMAT}")
        return State(
            origin=str(members["origin"]),
            size=int(members["size"]),
            length_bytes=int(members["bytes"]),
            root=bytes.fromhex(members["root"]),
            verified=None if members["verified"] is None else _read_seen(members["verified"]),
            waiting=tuple(_read_seen(one) for one in members["waiting"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, VerificationError) as error:
        raise Corrupt(f"{path} is broken: {error}; remove the folder to begin anew") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What became of checkpoints: the entries give the roots of `confirmed`, and in each of them
    another root than `refuted` says for its size; of `unresolved` the entries give another root,
    and nothing larger speaks for the entries."""

    confirmed: tuple[Seen, ...]
    refuted: tuple[Seen, ...]
    unresolved: tuple[Seen, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reached:
    """Where the entries gave the root of a checkpoint."""

    seen: Seen
    tree: Tree
    length_bytes: int


class Mirror:
    """The copy in `folder` of the log `origin`. All calls but `locked` need the lock."""

    def __init__(self, folder: Path, origin: str) -> None:
        files.make_private_folder(folder)
        self.folder = folder
        self.state = State(origin=origin)
        self._tree = Tree()
        self._at = 0
        self._pulled: list[_Reached] = []

    @contextmanager
    def locked(self, *, wait: bool = True) -> Iterator[None]:
        """Raises Unavailable, without `wait`, while another process works on it."""
        with (self.folder / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as error:
                raise Unavailable(f"{self.folder} is in use by another process") from error
            self._load()
            yield

    def _load(self) -> None:
        """What the disk says now. Raises Corrupt, and InvalidInput for another log's folder."""
        path = self.folder / "mirror.json"
        data = files.read_regular(path, _STATE_BYTES_MAX)
        found = State(origin=self.state.origin) if data is None else _decode(data, path)
        if found.origin != self.state.origin:
            raise InvalidInput(
                f"{self.folder} is of the log {found.origin}, not of {self.state.origin};"
                " give each log a folder of its own"
            )
        with self._file() as file:
            for entry in _entries(file, self._at, found.length_bytes):
                self._tree.append(entry)
                self._at += 2 + len(entry)
        if (self._tree.size, self._at) != (found.size, found.length_bytes) or (
            self._tree.root() != found.root
        ):
            raise Corrupt(
                f"{self.folder}/entries does not hold the {found.size} entries that were verified:"
                " the disk lost or changed them; remove the folder to begin anew"
            )
        self.state = found

    def _file(self) -> BinaryIO:
        descriptor = os.open(self.folder / "entries", os.O_RDWR | os.O_CREAT, 0o600)
        return os.fdopen(descriptor, "r+b")

    def _save(self, state: State) -> None:
        files.replace(self.folder / "mirror.json", state.encode())
        self.state = state

    def entries(self, at: int = 0) -> Iterator[bytes]:
        """The verified entries from byte `at` of the copy on; each takes 2 bytes and its length."""
        with self._file() as file:
            yield from _entries(file, at, self.state.length_bytes)

    def root_at(self, size: int) -> bytes:
        """The root of the first `size` verified entries."""
        assert size <= self.state.size
        if size == self.state.size:
            return self.state.root
        tree = Tree()
        for entry in self.entries():
            if tree.size == size:
                break
            tree.append(entry)
        return tree.root()

    def reached_entries(self) -> Iterator[bytes]:
        """All entries that are verified, and those that the last `pull` confirmed."""
        end = max([self.state.length_bytes, *(one.length_bytes for one in self._pulled)])
        with self._file() as file:
            yield from _entries(file, 0, end)

    def leaf_hashes(self) -> list[bytes]:
        """Those of `reached_entries`."""
        return [leaf_hash(entry) for entry in self.reached_entries()]

    def renew(self, seen: Seen) -> None:
        """The verified checkpoint came again, with other cosignatures."""
        old = self.state.verified
        assert old is not None
        assert (old.size, old.root) == (seen.size, seen.root)
        shown = old.shown or seen.shown
        fresh = replace(old, note=seen.note, checkpoint=seen.checkpoint, shown=shown)
        if fresh != old:
            self._save(replace(self.state, verified=fresh))

    def remember(self, seen: Seen) -> None:
        """A signed checkpoint that is to be confirmed; on disk when this returns."""
        others = [one for one in self.state.waiting if one.checkpoint != seen.checkpoint]
        for one in set(self.state.waiting) - set(others):
            seen = replace(seen, seen_s=one.seen_s, shown=one.shown or seen.shown)
        waiting = sorted((*others, seen), key=lambda one: one.size)
        if len(waiting) > WAITING_MAX:
            del waiting[-2]
        if tuple(waiting) != self.state.waiting:
            self._save(replace(self.state, waiting=tuple(waiting)))

    def forget(self, gone: Sequence[Seen]) -> None:
        left = tuple(one for one in self.state.waiting if one not in gone)
        self._save(replace(self.state, waiting=left))

    def pull(
        self,
        log: PublishedLog,
        targets: Sequence[Seen],
        *,
        on_tile: OnTile = ignore,
        time_left: Callable[[], bool] = lambda: True,
    ) -> Pulled:
        """Fetch what is missing of the entries under `targets` (none smaller than what is
        verified), and compute the roots. Nothing is verified before `commit`.

        `on_tile` gets each tile over new entries, and those that the largest target ends in.
        Raises Unavailable or Corrupt where the log can't be read, Unfinished without time.
        """
        ordered = sorted(targets, key=lambda one: one.size)
        resumed = self._clear_broken_end()
        wrong = self._walk(log, ordered, on_tile, time_left)
        if wrong and resumed:
            # What an earlier run left may be to blame: once more, without it.
            self._truncate(self.state.length_bytes)
            wrong = self._walk(log, ordered, on_tile, time_left)
        most = max((one.seen.size for one in self._pulled), default=-1)
        return Pulled(
            confirmed=tuple(one.seen for one in self._pulled),
            refuted=tuple(one for one in wrong if one.size <= most),
            unresolved=tuple(one for one in wrong if one.size > most),
        )

    def commit(self, pulled: Pulled) -> None:
        """Take in what the last `pull` confirmed; on disk when this returns."""
        done = (*pulled.confirmed, *pulled.refuted)
        waiting = tuple(one for one in self.state.waiting if one not in done)
        if not self._pulled:
            self._save(replace(self.state, waiting=waiting))
            return
        best = self._pulled[-1]
        with self._file() as file:
            os.fsync(file.fileno())
        files.sync_folder(self.folder)
        self._save(
            State(
                origin=self.state.origin,
                size=best.seen.size,
                length_bytes=best.length_bytes,
                root=best.seen.root,
                verified=best.seen,
                waiting=waiting,
            )
        )
        self._tree, self._at, self._pulled = best.tree, best.length_bytes, []

    def discard(self) -> None:
        """Drop what was fetched and is under no verified root."""
        self._pulled = []
        self._truncate(self.state.length_bytes)

    def _walk(
        self,
        log: PublishedLog,
        ordered: Sequence[Seen],
        on_tile: OnTile,
        time_left: Callable[[], bool],
    ) -> list[Seen]:
        """One pass over the entries; `_pulled` holds what was reached. Returns the others."""
        self._pulled = []
        wrong: list[Seen] = []
        tree, at = self._tree.copy(), self._at
        most = ordered[-1].size
        with self._file() as file:
            source = self._new_entries(file, log, tree, most, time_left)
            for target in ordered:
                while tree.size < target.size:
                    entry = next(source, None)
                    if entry is None:
                        return [*wrong, *(one for one in ordered if one.size > tree.size)]
                    tree.append(entry, on_tile)
                    at += 2 + len(entry)
                if target.size == tree.size and target.root == tree.root():
                    self._pulled.append(_Reached(seen=target, tree=tree.copy(), length_bytes=at))
                else:
                    wrong.append(target)
        tree.right_edge(on_tile)
        return wrong

    def _new_entries(
        self,
        file: BinaryIO,
        log: PublishedLog,
        tree: Tree,
        most: int,
        time_left: Callable[[], bool],
    ) -> Iterator[bytes]:
        """First what is on disk already, then what the log has; ends early where a bundle begins
        with other entries than were verified. `tree` has taken in all that was yielded."""
        end = file.seek(0, os.SEEK_END)
        yield from _entries(file, self._at, end)
        while tree.size < most:
            if not time_left():
                raise Unfinished(
                    f"{log.name}: {tree.size} of {most} entries are read; the rest comes next time"
                )
            number, have = divmod(tree.size, TILE_WIDTH)
            width = tile_width(0, number, most)
            found = log.bundle(number, width)
            if [leaf_hash(entry) for entry in found[:have]] != tree.levels[0]:
                return
            fresh = found[have:]
            file.seek(0, os.SEEK_END)
            file.write(b"".join(len(entry).to_bytes(2, "big") + entry for entry in fresh))
            file.flush()
            yield from fresh

    def _clear_broken_end(self) -> bool:
        """Cut an entry that was being written. Says whether whole ones were left before it."""
        end = self._at
        with self._file() as file:
            for entry in _entries(file, self._at, file.seek(0, os.SEEK_END), strict=False):
                end += 2 + len(entry)
        self._truncate(end)
        return end > self._at

    def _truncate(self, size: int) -> None:
        with self._file() as file:
            file.truncate(size)


def _entries(file: BinaryIO, at: int, end: int, *, strict: bool = True) -> Iterator[bytes]:
    """The entries from byte `at` to byte `end`; what is cut off there is an end, or Corrupt."""
    while at < end:
        file.seek(at)
        chunk = file.read(min(end - at, _CHUNK))
        place = 0
        while True:
            length = int.from_bytes(chunk[place : place + 2], "big")
            if place + 2 > len(chunk) or place + 2 + length > len(chunk):
                break
            yield chunk[place + 2 : place + 2 + length]
            place += 2 + length
        at += place
        if not place:
            if strict:
                raise Corrupt(f"the entries of the copy are cut off at byte {at}")
            return


_CHUNK: Final = 4 * 1024 * 1024
