"""Disclosure packs taken apart (formats.md §11): an archive whose manifest names its files.

The archive comes from strangers: names, numbers and sizes are bounded before anything is unpacked,
nothing is written to disk, and no file is held in memory but the manifest and the opening.
"""

import hashlib
import json
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedReader
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, Final

from greenledger_verify.failure import UnusableInput, VerificationError, locate, unusable
from greenledger_verify.members import (
    Check,
    check_members,
    hash_hex,
    integer,
    list_of,
    object_of,
    one_of,
    pattern,
    text,
)
from greenledger_verify.strict_json import parse_object

FORMAT: Final = "greenledger-pack/v1"
MANIFEST: Final = "manifest.json"
OPENING: Final = "opening.json"
EVIDENCE_FOLDER: Final = "evidence/"
FILES_MAX: Final = 10_000
NAME_MAX: Final = 200
TOTAL_SIZE_MAX: Final = 4 * 1024**3
DIRECTORY_SIZE_MAX: Final = 16 * 1024**2
# What is read whole: manifest and opening.
WHOLE_SIZE_MAX: Final = 64 * 1024**2
_CHUNK: Final = 1024 * 1024
_DEPTH_MAX: Final = 32
_END_SIZE: Final = 22
_LOCATOR_SIZE: Final = 20
# Lower case, so that no two names are one on any disk; no part begins with a point.
_NAME: Final = r"[a-z0-9][a-z0-9._-]*(?:/[a-z0-9][a-z0-9._-]*)*"
_name: Final = pattern(rf"(?=.{{1,{NAME_MAX}}}\Z){_NAME}", "folder/name.json")
BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError)

_ABOUT: Final[dict[str, Check]] = {
    "organisation": text(1, 64),
    "year": pattern(r"[0-9]{4}", "2026"),
}
FILE: Final[dict[str, Check]] = {
    "file": _name,
    "sha256": hash_hex,
    "size": integer(0, TOTAL_SIZE_MAX),
    "by": one_of("log", "author"),
}


def _check_about(value: object) -> None:
    """What was asked: an organisation and a year, and more that the entry says too."""
    if not isinstance(value, dict):
        raise VerificationError("it must be an object")
    asked = {name: value.get(name) for name in _ABOUT}
    check_members(asked, _ABOUT)


_MANIFEST: Final[dict[str, Check]] = {
    "format": one_of(FORMAT),
    "log": text(1, 200),
    "as_of": integer(1),
    "about": _check_about,
    "files": list_of(object_of(FILE)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A file as the manifest names it; ``by_log``: a result that the log recomputed."""

    file: str
    sha256: str
    size: int
    by_log: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """``about``: what the pack was asked to show."""

    log: str
    as_of: int
    about: Mapping[str, Any]
    files: tuple[Named, ...]

    @property
    def organisation(self) -> str:
        return str(self.about["organisation"])

    def evidence(self) -> list[str]:
        return [one.file for one in self.files if one.file.startswith(EVIDENCE_FOLDER)]


class PackFile:
    """An open archive whose names and sizes are within bounds. A context manager."""

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                _require_plain_end(file)
            self._zip = zipfile.ZipFile(path)
        except (*BROKEN, ValueError, NotImplementedError) as error:
            raise UnusableInput("{name} is no archive: {why}", name=path, why=error) from None

    def __enter__(self) -> "PackFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def require_bounded(self) -> None:
        """Names, kinds and sizes of its files, as the archive's directory says them.

        1. There are not too many.
        2. Each name leads to a place below the folder that it is unpacked in, and none stands
           twice.
        3. Each is a plain file, stored or deflated, not encrypted.
        4. Together they are not too large.
        """
        found = self._zip.infolist()
        # 1
        if len(found) > FILES_MAX:
            raise VerificationError(
                "the archive has {given} files, more than {max}", given=len(found), max=FILES_MAX
            )
        seen = set()
        for one in found:
            name = one.orig_filename  # as it stands there; `filename` ends before a NUL
            with locate("file {file}", file=name):
                # 2
                _name(name)
                if name in seen:
                    raise VerificationError("it stands twice in the archive")
                seen.add(name)
                # 3
                _require_plain(one)
        # 4
        total = sum(one.file_size for one in found)
        if total > TOTAL_SIZE_MAX:
            raise VerificationError(
                "unpacked it has {given} bytes, more than {max}", given=total, max=TOTAL_SIZE_MAX
            )

    @property
    def names(self) -> set[str]:
        return set(self._zip.namelist())

    def open(self, name: str) -> BinaryIO:
        """To be read as far as the size that the manifest says."""
        try:
            found = self._zip.open(name)
        except (*BROKEN, RuntimeError, NotImplementedError) as error:
            raise VerificationError("it can't be unpacked: {why}", why=error) from None
        assert isinstance(found, zipfile.ZipExtFile)
        return BufferedReader(found)

    def whole(self, name: str) -> bytes:
        with self.open(name) as file:
            try:
                raw = file.read(WHOLE_SIZE_MAX + 1)
            except BROKEN as error:
                raise VerificationError("it can't be unpacked: {why}", why=error) from None
        if len(raw) > WHOLE_SIZE_MAX:
            raise VerificationError("it has more than {max} bytes", max=WHOLE_SIZE_MAX)
        return raw

    def hash_of(self, name: str, size: int) -> str:
        """SHA-256 in hex of a file of ``size`` bytes, read piece by piece, and no further."""
        digest, read = hashlib.sha256(), 0
        with self.open(name) as file:
            try:
                while chunk := file.read(min(_CHUNK, size + 1 - read)):
                    digest.update(chunk)
                    read += len(chunk)
            except BROKEN as error:
                raise VerificationError("it can't be unpacked: {why}", why=error) from None
        if read != size:
            raise VerificationError(
                "it has not the {expected} bytes that the manifest says", expected=size
            )
        return digest.hexdigest()


def _require_plain_end(file: BinaryIO) -> None:
    """The last 22 bytes, which say how large the directory is that zipfile reads whole: no comment
    follows them, and no record of ZIP64, which would be believed instead, stands before.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _LOCATOR_SIZE - _END_SIZE))
    tail = file.read(_LOCATOR_SIZE + _END_SIZE)
    before, end = tail[:-_END_SIZE], tail[-_END_SIZE:]
    if not end.startswith(b"PK\5\6") or end[-2:] != b"\0\0" or before.startswith(b"PK\6\7"):
        raise zipfile.BadZipFile("its end is not that of a plain archive")
    count, directory_size = struct.unpack_from("<HI", end, 10)
    if count > FILES_MAX or directory_size > DIRECTORY_SIZE_MAX:
        raise UnusableInput(
            "the archive has {given} files, more than {max}", given=count, max=FILES_MAX
        )


def _require_plain(one: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(one.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise VerificationError("it is no plain file")
    if one.flag_bits & 1:
        raise VerificationError("it is encrypted")
    if one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise VerificationError("it is neither stored nor deflated")


def read_manifest(raw: bytes) -> Manifest:
    """Take the manifest apart. Two that say the same are the same bytes: compact, its files in the
    order of their names.
    """
    with unusable("manifest.json"):
        value: dict[str, Any] = parse_object(raw, depth_max=_DEPTH_MAX)
        check_members(value, _MANIFEST)
        if json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" != raw:
            raise VerificationError(
                "the file is not written in the one way that JSON of this format is written"
            )
        files = tuple(_named(one) for one in value["files"])
        if any(a.file >= b.file for a, b in pairwise(files)):
            raise VerificationError("the files are not in the order of their names, each once")
        if {MANIFEST, OPENING} & {one.file for one in files}:
            raise VerificationError("the manifest can't name itself, nor the opening")
    return Manifest(
        log=value["log"],
        as_of=value["as_of"],
        about=value["about"],
        files=files,
    )


def _named(one: Mapping[str, Any]) -> Named:
    return Named(
        file=one["file"], sha256=one["sha256"], size=one["size"], by_log=one["by"] == "log"
    )


def require_same_files(pack: PackFile, manifest: Manifest) -> None:
    """The archive holds the files of the manifest, no other ones, and as it says."""
    named = {one.file for one in manifest.files}
    for name in sorted(named - pack.names):
        raise VerificationError("the file {file} is missing", file=name)
    for name in sorted(pack.names - named - {MANIFEST, OPENING}):
        raise VerificationError("the manifest does not name the file {file}", file=name)
    for one in manifest.files:
        with locate("file {file}", file=one.file):
            found = pack.hash_of(one.file, one.size)
            if found != one.sha256:
                raise VerificationError(
                    "its hash is {given}, the manifest says {expected}",
                    given=found,
                    expected=one.sha256,
                )
