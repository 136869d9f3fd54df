"""Evidence that convicts a log: two checkpoints that it signed, of which one does not grow into the
other.

A conflict holds both notes, and for checkpoints of different size an RFC 9162 §2.1.4 consistency
path that leads from *another* root of the old size to the new root: the tree that the log signed
later does not begin with the tree that it signed before. Whoever has the log's key can check it,
and needs no other file.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from greenledger_verify.failure import VerificationError
from greenledger_verify.merkle import tree_root, verify_consistency
from greenledger_verify.note import VerifierKey
from greenledger_verify.tiles import TILE_HEIGHT, TILE_WIDTH, tile_width
from ledger.errors import Corrupt
from ledger.log import merkle
from ledger.watching.notes import Seen, open_seen
from ledger.watching.published import PublishedLog

FORMAT: Final = "greenledger-conflict/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """`root`: what the tree of `new` has at the size of `old`; `path`: the proof of that."""

    old: Seen
    new: Seen
    root: bytes
    path: tuple[bytes, ...]

    def encode(self) -> bytes:
        members = {
            "format": FORMAT,
            "origin": self.old.checkpoint.origin,
            "old": self.old.note.decode(),
            "new": self.new.note.decode(),
            "root": base64.b64encode(self.root).decode(),
            "path": [base64.b64encode(one).decode() for one in self.path],
        }
        return (json.dumps(members, ensure_ascii=False, indent=1) + "\n").encode()

    def check(self) -> None:
        """Raises Corrupt unless it convicts. The signatures were verified before."""
        old, new = self.old, self.new
        if old.checkpoint.origin != new.checkpoint.origin or self.root == old.root:
            raise Corrupt("no conflict: the checkpoints are of two logs, or agree")
        if old.size == 0:
            raise Corrupt("no conflict: every log begins with the empty tree")
        try:
            verify_consistency(
                size1=old.size, size2=new.size, root1=self.root, root2=new.root, path=self.path
            )
        except VerificationError as error:
            raise Corrupt(f"no conflict is shown: {error}") from error


def read_conflict(data: bytes, keys: Collection[VerifierKey]) -> Conflict:
    """Parse evidence and check all of it, signatures included. Raises Corrupt."""
    try:
        members: Any = json.loads(data)
        if members["format"] != FORMAT:
            raise Corrupt(f"it is not of the format {FORMAT}")
        found = Conflict(
            old=open_seen(members["old"].encode(), keys, 0),
            new=open_seen(members["new"].encode(), keys, 0),
            root=base64.b64decode(members["root"], validate=True),
            path=tuple(base64.b64decode(one, validate=True) for one in members["path"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Corrupt(f"it is no evidence of a conflict: {error}") from error
    found.check()
    return found


def of_one_size(one: Seen, other: Seen) -> Conflict:
    """Two roots for one size: nothing else is needed."""
    assert one.size == other.size
    return Conflict(old=one, new=other, root=other.root, path=())


def by_entries(leaf_hashes: list[bytes], old: Seen, new: Seen) -> Conflict:
    """Evidence from all entries under `new`, by their leaf hashes. Raises Corrupt."""
    levels = merkle.levels(leaf_hashes[: new.size])
    return _prove(old, new, lambda level, index: levels[level][index])


def by_tiles(log: PublishedLog, old: Seen, new: Seen) -> Conflict:
    """Evidence from the published tiles under `new`; O(log n) of them are read. Raises Corrupt
    where they show no conflict, or are not those of `new`; Unavailable."""
    tiles: dict[tuple[int, int], list[bytes]] = {}

    def node(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, TILE_HEIGHT)
        number, place = divmod(index << height, TILE_WIDTH)
        if (tile_level, number) not in tiles:
            width = tile_width(tile_level, number, new.size)
            tiles[tile_level, number] = log.tile(tile_level, number, width)
        return tree_root(tiles[tile_level, number][place : place + (1 << height)])

    return _prove(old, new, node)


def _prove(old: Seen, new: Seen, node: Callable[[int, int], bytes]) -> Conflict:
    if not 0 < old.size <= new.size:
        raise Corrupt("no conflict: the old checkpoint is not the smaller one")
    found = Conflict(
        old=old,
        new=new,
        root=merkle.tree_root(old.size, node),
        path=tuple(merkle.consistency_path(old.size, new.size, node)),
    )
    found.check()
    return found
