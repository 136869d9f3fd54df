"""The archive of a pack, and its manifest (docs/formats.md §11). The same files, the same bytes."""

from __future__ import annotations

import hashlib
import json
import stat
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from ledger.errors import InvalidInput
from ledger.log.entry import parse_json

FORMAT: Final = "greenledger-pack/v1"
MANIFEST: Final = "manifest.json"
OPENING: Final = "opening.json"
MANIFEST_BYTES_MAX: Final = 16 * 1024 * 1024
_CHUNK: Final = 1024 * 1024
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError)


@dataclass(slots=True, kw_only=True)
class Archive:
    """A new archive that is written file by file; `named`: {file: as a report names it}."""

    file: BinaryIO
    at_s: int
    named: dict[str, dict[str, Any]] = field(default_factory=dict)
    _zip: zipfile.ZipFile = field(init=False)

    def __post_init__(self) -> None:
        self._zip = zipfile.ZipFile(self.file, "w", zipfile.ZIP_DEFLATED, compresslevel=6)

    def add(self, name: str, pieces: Iterable[bytes]) -> dict[str, Any]:
        """A file, piece by piece; returns how a report names it."""
        digest, size = hashlib.sha256(), 0
        with self._zip.open(self._info(name), "w") as file:
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
                size += len(piece)
        self.named[name] = {"id": name, "sha256": digest.hexdigest(), "size": size}
        return self.named[name]

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        """Whole, or of no use to anybody: the file gets its name elsewhere, afterwards."""
        self._zip.close()

    def _info(self, name: str) -> zipfile.ZipInfo:
        made = datetime.fromtimestamp(self.at_s, UTC)
        info = zipfile.ZipInfo(name, made.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        info.create_system = 3  # Unix, wherever it is made: the mode below counts
        info.external_attr = (stat.S_IFREG | 0o644) << 16
        return info


def manifest_bytes(
    log: str,
    as_of: int,
    about: Mapping[str, Any],
    by_log: Iterable[Mapping[str, Any]],
    by_author: Iterable[Mapping[str, Any]],
) -> bytes:
    """All files of a pack but the manifest and the opening, by name."""
    files = [_line(one, "log") for one in by_log] + [_line(one, "author") for one in by_author]
    files.sort(key=lambda one: str(one["file"]))
    said = {"format": FORMAT, "log": log, "as_of": as_of, "about": dict(about), "files": files}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _line(one: Mapping[str, Any], by: str) -> dict[str, Any]:
    return {"file": one["id"], "sha256": one["sha256"], "size": one["size"], "by": by}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A pack as it was found. `found`: {file: SHA-256 of what is in the archive}, but for the
    manifest and the opening; `opening` is empty in a draft."""

    manifest: Mapping[str, Any]
    found: Mapping[str, str]
    opening: bytes


def read_pack(path: Path) -> Pack:
    """Raises InvalidInput for what is no pack, or no longer a whole one.

    For who keeps the ledger, and made the pack; strangers' packs are for `greenledger-verify pack`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if len(names) != len(set(names)) or MANIFEST not in names:
                raise InvalidInput(f"{path}: no {MANIFEST} in it, or a file twice: it is no pack")
            manifest = _manifest(path, _whole(archive, MANIFEST))
            sizes = {one["file"]: one["size"] for one in manifest["files"]}
            found = {
                name: _hash(archive, name, sizes.get(name, 0))
                for name in names
                if name not in (MANIFEST, OPENING)
            }
            opening = _whole(archive, OPENING) if OPENING in names else b""
    except _BROKEN as error:
        raise InvalidInput(f"{path} can't be read as an archive: {error}") from error
    return Pack(manifest=manifest, found=found, opening=opening)


def _manifest(path: Path, raw: bytes) -> Mapping[str, Any]:
    try:
        found = parse_json(raw.decode(), nesting_max=32)
    except ValueError as error:
        raise InvalidInput(f"{path}: {MANIFEST} is not UTF-8") from error
    if (
        not isinstance(found, dict)
        or found.get("format") != FORMAT
        or not isinstance(found.get("about"), dict)
        or not isinstance(found.get("files"), list)
        or not all(map(_is_line, found["files"]))
    ):
        raise InvalidInput(f"{path}: {MANIFEST} is not one of the format {FORMAT}")
    return found


def _is_line(one: Any) -> bool:
    return isinstance(one, dict) and {name: type(value) for name, value in one.items()} == {
        **dict.fromkeys(("file", "sha256", "by"), str),
        "size": int,
    }


def _whole(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        raw = file.read(MANIFEST_BYTES_MAX + 1)
    if len(raw) > MANIFEST_BYTES_MAX:
        raise InvalidInput(f"{name} has more than {MANIFEST_BYTES_MAX} bytes")
    return raw


def _hash(archive: zipfile.ZipFile, name: str, size: int) -> str:
    """Of no more than one byte past what the manifest says."""
    digest, left = hashlib.sha256(), size + 1
    with archive.open(name) as file:
        while chunk := file.read(min(_CHUNK, left)):
            digest.update(chunk)
            left -= len(chunk)
    return digest.hexdigest()
