"""The public copy of a log, C2SP tiles in a folder or behind a URL: what was signed after a backup.

Nothing of it is believed: the entries have to give the root of the checkpoint, and that has to be
signed by the log's own keys.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.errors import InvalidInput, NotFound
from ledger.log import tiles
from ledger.log.checkpoint import Checkpoint, parse_checkpoint
from ledger.log.entry import ENTRY_BYTES_MAX
from ledger.log.notes import parse_note
from ledger.remote import Source, open_source

NOTE_BYTES_MAX: Final = 1_000_000
_BUNDLE_BYTES_MAX: Final = tiles.WIDTH * (2 + ENTRY_BYTES_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a place says of a log; `note` is its checkpoint as it lies there."""

    where: str
    checkpoint: Checkpoint
    note: bytes

    @classmethod
    def read(cls, where: str) -> Published:
        """A folder, or `http(s)://…`. Raises NotFound, InvalidInput, Corrupt or Unavailable."""
        if "://" not in where and not Path(where).is_dir():
            raise NotFound(f"{where} is no folder of published tiles, and no http(s):// address")
        with closing(open_source(where)) as source:
            note = source.read("checkpoint", NOTE_BYTES_MAX)
        if note is None:
            raise NotFound(f"{where} has no file 'checkpoint': it is no published log")
        return cls(where=where, checkpoint=read_checkpoint(note, where), note=note)

    def entries(self, begin: int) -> Iterator[bytes]:
        """Entries from `begin` up to the checkpoint's size. Raises as `read` does."""
        size = self.checkpoint.size
        with closing(open_source(self.where)) as source:
            for number in range(begin // tiles.WIDTH, -(-size // tiles.WIDTH)):
                first = number * tiles.WIDTH
                found = _bundle(source, number, min(tiles.WIDTH, size - first))
                yield from found[max(0, begin - first) :]


def _bundle(source: Source, number: int, width: int) -> list[bytes]:
    """C2SP tlog-tiles: where a partial bundle was cleared away, the full one stands for it."""
    partial = tiles.entries_path(number, width % tiles.WIDTH)
    for path in (partial, tiles.entries_path(number)):
        data = source.read(path, _BUNDLE_BYTES_MAX)
        if data is None:
            continue
        try:
            found = list(tiles.read_bundle(io.BytesIO(data)))
        except InvalidInput as error:
            raise InvalidInput(f"{source.name}/{path}: {error}") from error
        if len(found) < width:
            raise InvalidInput(f"{source.name}/{path} has {len(found)} entries, not {width}")
        return found[:width]
    raise NotFound(f"{source.name}/{partial} is missing: it has no copy of these entries")


def read_checkpoint(note: bytes, where: str) -> Checkpoint:
    """A checkpoint whose signatures are still to be verified. Raises InvalidInput."""
    try:
        return parse_checkpoint(parse_note(note).text)
    except InvalidInput as error:
        raise InvalidInput(f"{where}: no checkpoint of a log: {error}") from error
