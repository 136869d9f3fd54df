"""A published log as others see it: checkpoint, tiles and entry bundles (C2SP tlog-tiles), from an
http(s) address or a directory.

Nothing is believed here. Sizes and times are bounded, no redirect is followed, no content coding is
taken; an error says what is not there, or malformed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

import httpx

from greenledger_verify.checkpoint import parse_checkpoint
from greenledger_verify.entry import ENTRY_SIZE_MAX
from greenledger_verify.failure import VerificationError
from greenledger_verify.merkle import HASH_SIZE
from greenledger_verify.note import parse_note
from greenledger_verify.tiles import TILE_WIDTH, TileName, parse_bundle, parse_tile, tile_width
from ledger.cutoff import CutOff
from ledger.errors import Corrupt, InvalidInput, Unavailable
from ledger.files import read_regular

CHECKPOINT_BYTES_MAX: Final = 65_536
_TILE_BYTES_MAX: Final = TILE_WIDTH * HASH_SIZE
_BUNDLE_BYTES_MAX: Final = TILE_WIDTH * (2 + ENTRY_SIZE_MAX)
_TIMEOUT_S: Final = 30.0
# A whole answer: a full bundle of largest entries, over a slow line.
_ANSWER_S_MAX: Final = 120.0


class Source(Protocol):
    """Where files of a log are read from: `name` is for people."""

    name: str

    def read(self, path: str, bytes_max: int) -> bytes | None:
        """None where there is no such file. Raises Unavailable, or Corrupt for what is too long."""

    def close(self) -> None:
        """Let go of connections."""


class Folder:
    """A directory, as `greenledger export tiles` writes it."""

    def __init__(self, folder: Path) -> None:
        self.name = str(folder)
        self._folder = folder

    def read(self, path: str, bytes_max: int) -> bytes | None:
        if not self._folder.is_dir():
            raise Unavailable(f"{self._folder} is no directory")
        try:
            return read_regular(self._folder / path, bytes_max)
        except NotADirectoryError:
            return None
        except InvalidInput as error:
            raise Corrupt(str(error)) from error
        except OSError as error:
            raise Unavailable(f"{self._folder / path} can't be read: {error.strerror}") from error

    def close(self) -> None:
        """There is nothing to let go of."""


class Web:
    """An http(s) address; `path` follows it after one slash. A server that sends byte by byte, to
    keep a reader busy for ever, is cut off after `answer_s`."""

    def __init__(
        self, url: str, *, timeout_s: float = _TIMEOUT_S, answer_s: float = _ANSWER_S_MAX
    ) -> None:
        self.name = url.rstrip("/")
        self._answer_s = answer_s
        self._cut_off = CutOff()
        self._client = httpx.Client(
            timeout=timeout_s,
            follow_redirects=False,
            headers={"Accept-Encoding": "identity", "User-Agent": "greenledger"},
            limits=httpx.Limits(max_connections=1),
        )

    def read(self, path: str, bytes_max: int) -> bytes | None:
        url = f"{self.name}/{path}"
        with self._cut_off.within(self._answer_s) as late:
            try:
                extensions = {"trace": self._cut_off.trace}
                with self._client.stream("GET", url, extensions=extensions) as answer:
                    if answer.status_code in (404, 410):
                        return None
                    _require_plain(url, answer)
                    return _content(url, answer, bytes_max)
            except httpx.HTTPError as error:
                said = str(error) or type(error).__name__
                if late.is_set():
                    said = f"no whole answer in {self._answer_s:g} s"
                raise Unavailable(f"{url} can't be read: {said}") from error

    def close(self) -> None:
        self._client.close()
        self._cut_off.close()


def _content(url: str, answer: httpx.Response, bytes_max: int) -> bytes:
    found = bytearray()
    for piece in answer.iter_raw():
        found += piece
        if len(found) > bytes_max:
            raise Corrupt(f"{url} has more than the {bytes_max} bytes that it may have")
    return bytes(found)


def _require_plain(url: str, answer: httpx.Response) -> None:
    if answer.is_redirect:
        # Whoever can redirect could send us to hosts that are none of the log's.
        raise Unavailable(f"{url} leads elsewhere (status {answer.status_code}); give the address")
    if answer.status_code != 200:
        raise Unavailable(f"{url} answered with status {answer.status_code}")
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise Unavailable(f"{url} came in a content coding that was not asked for")


class Missing(Unavailable):
    """A file that the log's size says is there, and that is not."""


def open_source(where: str) -> Source:
    """An http(s) address or a directory. Raises InvalidInput."""
    if "://" not in where:
        return Folder(Path(where))
    parts = urlsplit(where)
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise InvalidInput("a log is at a directory, or at http(s)://host/path and nothing more")
    return Web(where)


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
