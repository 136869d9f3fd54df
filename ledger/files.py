"""Files that are there whole or not at all, and on disk when a call returns.

What stands beside the database (keys, the high-water record, exports) has no transaction of its
own: it is written under another name first, and gets its own in one step.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import shutil
import stat
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

from ledger.errors import InvalidInput

_SCRATCH: Final = ".greenledger-scratch-"
# File systems without hard links (a USB stick's) say one of these.
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})
TOML_CHARACTERS_MAX: Final = 262_144
# The parser takes time by the square of how many parts a key has.
_LONG_KEY: Final = re.compile(r"(?:\.[ \t]*[\w\"'-]+[ \t]*){33}")


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """TOML as a person writes it; `where` names it in messages. Raises InvalidInput."""
    if len(text) > TOML_CHARACTERS_MAX:
        raise InvalidInput(
            f"{where}: it has {len(text):,} characters; {TOML_CHARACTERS_MAX:,} is the most"
        )
    if _LONG_KEY.search(text):
        raise InvalidInput(f"{where}: a key has more than 33 parts")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: also a number of 5,000 digits
        raise InvalidInput(f"{where}: not a TOML file: {error}") from error


def make_private_folder(folder: Path) -> None:
    """The folder, and what is missing above it, for its owner alone whatever the umask is."""
    if folder.is_dir():
        return
    make_private_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def make_public_folder(folder: Path) -> None:
    """The same for anybody to read, such as a web server."""
    if folder.is_dir():
        return
    make_public_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """The folder's names are on disk when this returns: an fsync of a file does not do that."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_regular(path: Path) -> BinaryIO | None:
    """A file that others have made, to be read; None where there is none. Raises InvalidInput for
    what leads elsewhere or never ends: links, pipes, devices."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise InvalidInput(f"{path} is a link, not a file of its own") from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InvalidInput(f"{path} is no regular file")
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path, most: int) -> bytes | None:
    """`open_regular`, read whole. Raises InvalidInput, before it is read, where it is too long."""
    file = open_regular(path)
    if file is None:
        return None
    with file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise InvalidInput(f"{path} has {size} bytes; {most} is the most that it may have")
        return file.read(most)


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A folder that is gone afterwards. What a killed process left is cleared by the next one."""
    descriptor = os.open(parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # nobody clears a folder that is not locked yet
        for found in parent.glob(f"{_SCRATCH}*"):
            _clear_stale(found)
        folder = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=parent))
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _clear_stale(folder: Path) -> None:
    with suppress(OSError):  # another's that is at work, or not ours to remove
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        finally:
            os.close(descriptor)


def write_private(path: Path, data: bytes) -> None:
    """A new file that only its owner may read. Raises FileExistsError and leaves what is there."""
    make_private_folder(path.parent)
    fresh = _write_beside(path, data)
    try:
        _name(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_public(path: Path, data: bytes) -> None:
    """A new file for anybody to read. Its name is on disk when the caller has synced the folder:
    once for many. Raises FileExistsError."""
    with _open_new(path) as file:
        file.write(data)
        os.fchmod(file.fileno(), 0o644)


def put(path: Path, data: bytes) -> bool:
    """A private file unless there is one of that name; whether it was written. Its name is on disk
    when the caller has synced the folder: once for many."""
    if path.exists():
        return False
    _write_beside(path, data).replace(path)
    return True


def replace(path: Path, data: bytes) -> None:
    """The file with new content: who reads it meanwhile sees the old or the new one."""
    fresh = _write_beside(path, data)
    fresh.replace(path)
    sync_folder(path.parent)


def _write_beside(path: Path, data: bytes) -> Path:
    with _open_beside(path) as (file, fresh):
        file.write(data)
    return fresh


@contextmanager
def _open_beside(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """A private file that is on disk when the block ends, under a name that nobody looks for."""
    # A name of its own for each writer, and one that no pattern of ours (*.json) finds.
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    with _open_new(fresh) as file:
        yield file, fresh


@contextmanager
def _open_new(path: Path) -> Iterator[BinaryIO]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()
        raise


@contextmanager
def new_private(path: Path) -> Iterator[BinaryIO]:
    """A new file that only its owner may read, written piece by piece: it is there when the block
    ends, whole, or not at all. Raises InvalidInput where there is one of that name, or no folder.
    """
    if not path.parent.is_dir():
        raise InvalidInput(f"{path.parent} is no folder")
    taken = f"{path} exists; give a new file"
    if path.exists():
        raise InvalidInput(taken)
    with _open_beside(path) as (file, fresh):
        yield file
    try:
        _name(fresh, path)
    except FileExistsError as error:
        raise InvalidInput(taken) from error
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(path.parent)


def _name(fresh: Path, path: Path) -> None:
    """Give a file its name unless that is taken: a rename would overwrite."""
    try:
        path.hardlink_to(fresh)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from error
        fresh.replace(path)
