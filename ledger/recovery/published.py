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
from typing import Final, Protocol

import httpx

from ledger import files
from ledger.cutoff import CutOff
from ledger.errors import InvalidInput, NotFound, Unavailable
from ledger.log import tiles
from ledger.log.checkpoint import Checkpoint, parse_checkpoint
from ledger.log.entry import ENTRY_BYTES_MAX
from ledger.log.notes import parse_note

TIMEOUT_S: Final = 30.0
# A whole answer: a full bundle of largest entries, over a slow line.
_ANSWER_S_MAX: Final = 120.0
NOTE_BYTES_MAX: Final = 1_000_000
_BUNDLE_BYTES_MAX: Final = tiles.WIDTH * (2 + ENTRY_BYTES_MAX)


class Place(Protocol):
    """Where files of a published log are read, by their path in it."""

    @property
    def name(self) -> str: ...

    def read(self, path: str, most: int) -> bytes | None:
        """None where there is no such file. Raises InvalidInput or Unavailable."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of this machine."""

    folder: Path

    @property
    def name(self) -> str:
        return str(self.folder)

    def read(self, path: str, most: int) -> bytes | None:
        return files.read_regular(self.folder / path, most)


@dataclass(frozen=True, slots=True)
class Web:
    """A web server or object store."""

    name: str
    answer_s: float = _ANSWER_S_MAX

    def read(self, path: str, most: int) -> bytes | None:
        url = f"{self.name}/{path}"
        with closing(CutOff()) as cut_off, cut_off.within(self.answer_s) as late:
            try:
                headers = {"Accept-Encoding": "identity"}
                with (
                    httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as client,
                    client.stream(
                        "GET", url, headers=headers, extensions={"trace": cut_off.trace}
                    ) as answer,
                ):
                    if answer.status_code in (404, 410):
                        return None
                    _require_plain(url, answer)
                    return _read_all(answer, url, most)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                said = f"{type(error).__name__}: {error}"
                if late.is_set():
                    said = f"no whole answer in {self.answer_s:g} s"
                raise Unavailable(f"{url}: {said}") from error


def _require_plain(url: str, answer: httpx.Response) -> None:
    if answer.status_code != 200:
        raise Unavailable(f"{url} answers {answer.status_code}")
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        # A small answer may be a large one, unpacked.
        raise Unavailable(f"{url} came in a content coding that was not asked for")


def _read_all(answer: httpx.Response, url: str, most: int) -> bytes:
    found = bytearray()
    for part in answer.iter_raw():
        found += part
        if len(found) > most:
            raise InvalidInput(f"{url} has more than {most} bytes, the most that it may have")
    return bytes(found)


def place_of(text: str) -> Place:
    """A folder, or `http(s)://…`. Raises NotFound for a folder that is none."""
    if text.startswith(("http://", "https://")):
        return Web(text.rstrip("/"))
    folder = Path(text)
    if not folder.is_dir():
        raise NotFound(f"{text} is no folder of published tiles, and no http(s):// address")
    return Folder(folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a place says of a log; `note` is its checkpoint as it lies there."""

    place: Place
    checkpoint: Checkpoint
    note: bytes

    @classmethod
    def read(cls, place: Place) -> Published:
        """Raises NotFound, InvalidInput or Unavailable."""
        note = place.read("checkpoint", NOTE_BYTES_MAX)
        if note is None:
            raise NotFound(f"{place.name} has no file 'checkpoint': it is no published log")
        return cls(place=place, checkpoint=read_checkpoint(note, place.name), note=note)

    def entries(self, begin: int) -> Iterator[bytes]:
        """Entries from `begin` up to the checkpoint's size. Raises NotFound or InvalidInput."""
        size = self.checkpoint.size
        for number in range(begin // tiles.WIDTH, -(-size // tiles.WIDTH)):
            first = number * tiles.WIDTH
            found = self._bundle(number, min(tiles.WIDTH, size - first))
            yield from found[max(0, begin - first) :]

    def _bundle(self, number: int, width: int) -> list[bytes]:
        """C2SP tlog-tiles: where a partial bundle was cleared away, the full one stands for it."""
        partial = tiles.entries_path(number, width % tiles.WIDTH)
        for path in (partial, tiles.entries_path(number)):
            data = self.place.read(path, _BUNDLE_BYTES_MAX)
            if data is None:
                continue
            try:
                found = list(tiles.read_bundle(io.BytesIO(data)))
            except InvalidInput as error:
                raise InvalidInput(f"{self.place.name}/{path}: {error}") from error
            if len(found) < width:
                raise InvalidInput(
                    f"{self.place.name}/{path} has {len(found)} entries, not {width}"
                )
            return found[:width]
        raise NotFound(f"{self.place.name}/{partial} is missing: it has no copy of these entries")


def read_checkpoint(note: bytes, where: str) -> Checkpoint:
    """A checkpoint whose signatures are still to be verified. Raises InvalidInput."""
    try:
        return parse_checkpoint(parse_note(note).text)
    except InvalidInput as error:
        raise InvalidInput(f"{where}: no checkpoint of a log: {error}") from error
