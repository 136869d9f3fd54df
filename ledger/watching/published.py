"""A published log as others see it: checkpoint, tiles and entry bundles (C2SP tlog-tiles), from an
http(s) address or a directory. Nothing of it is believed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Final

from greenledger_verify.checkpoint import parse_checkpoint
from greenledger_verify.entry import ENTRY_SIZE_MAX
from greenledger_verify.failure import VerificationError
from greenledger_verify.merkle import HASH_SIZE
from greenledger_verify.note import parse_note
from greenledger_verify.tiles import TILE_WIDTH, TileName, parse_bundle, parse_tile, tile_width
from ledger.errors import Corrupt, Unavailable
from ledger.remote import Source, open_source

CHECKPOINT_BYTES_MAX: Final = 65_536
_TILE_BYTES_MAX: Final = TILE_WIDTH * HASH_SIZE
_BUNDLE_BYTES_MAX: Final = TILE_WIDTH * (2 + ENTRY_SIZE_MAX)


class Missing(Unavailable):
    """A file that the log's size says is there, and that is not."""


def open_note_file(where: str) -> bytes:
    """One note by its address or path, such as what a witness has cosigned. Raises Unavailable,
    Corrupt or InvalidInput."""
    folder, _, name = where.rpartition("/")
    with closing(open_source(folder or ("/" if where.startswith("/") else "."))) as source:
        found = source.read(name, CHECKPOINT_BYTES_MAX)
    if found is None:
        raise Unavailable(f"{where} is not there")
    return found


class PublishedLog:
    """Files of a log by what they are."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.name = source.name

    def close(self) -> None:
        self._source.close()

    def checkpoint(self) -> bytes:
        """The checkpoint as it is handed out. Raises Unavailable or Corrupt."""
        found = self._source.read("checkpoint", CHECKPOINT_BYTES_MAX)
        if found is None:
            raise Unavailable(
                f"{self.name} has no file named checkpoint: no log is published there"
            )
        return found

    def bundle(self, number: int, width: int) -> list[bytes]:
        """The first `width` entries of a bundle. Where the partial one is gone, a wider one begins
        with the same: the full one, or the one of the checkpoint that is published now. Raises
        Unavailable (Missing where it is not there) or Corrupt."""
        name = TileName(level=None, number=number, width=width)
        return self._read(name, _BUNDLE_BYTES_MAX, parse_bundle)

    def tile(self, level: int, number: int, width: int) -> list[bytes]:
        """The first `width` hashes of a tile; as for `bundle`."""
        name = TileName(level=level, number=number, width=width)
        return self._read(name, _TILE_BYTES_MAX, parse_tile)

    def _read(
        self, name: TileName, bytes_max: int, parse: Callable[[bytes, int], list[bytes]]
    ) -> list[bytes]:
        for width in self._widths(name):
            path = TileName(level=name.level, number=name.number, width=width).path
            raw = self._source.read(path, bytes_max)
            if raw is not None:
                try:
                    return parse(raw, width)[: name.width]
                except VerificationError as error:
                    raise Corrupt(f"{self.name}/{path}: {error}") from error
        raise Missing(f"{self.name}/{name.path} is not there")

    def _widths(self, name: TileName) -> Iterator[int]:
        yield name.width
        if name.width == TILE_WIDTH:
            return
        yield TILE_WIDTH
        try:
            size = parse_checkpoint(parse_note(self.checkpoint()).text.decode()).size
        except VerificationError:
            return
        present = tile_width(name.level or 0, name.number, size)
        if name.width < present < TILE_WIDTH:
            yield present
