"""A driver with a fault: at its n-th point it dies, fails, or loses the database.

A point is a statement, the moment before a commit and the one after it, and each step by which a
file gets its content and its name (ledger/files.py). What is installed here stays: it is for a
process that was forked to be lost.
"""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Literal

import psycopg
from sqlalchemy.engine.default import DefaultDialect

# kill: the process is gone. error: the call fails. cut: the database's connections are cut.
# server: the database's server crashes. copy: nothing happens, but while the process stands still
# at each point its files are copied: they are what a kill leaves there.
Mode = Literal["kill", "error", "cut", "server", "copy"]
MODES: Final[tuple[Mode, ...]] = ("kill", "error", "cut", "server", "copy")
Fault = Callable[[], object]

# What only reads leaves nothing behind: the statement after it is a point.
_READS: Final = ("SELECT", "WITH", "PRAGMA", "SHOW", "SET", "BEGIN")
_SQLITE_FULL: Final = 13
_SQLITE_IO: Final = 10


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def disk_full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def disk_broken() -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def _statement_fails(dialect: DefaultDialect, code: int) -> None:
    if dialect.name == "postgresql":
        raise psycopg.OperationalError("could not extend file: No space left on device")
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    raise error


@dataclass
class Points:
    """Counts the points of a process; what `mode` says happens at the one with number `at`, from 1;
    `other` is what happens where that is neither `kill` nor `error`, of `copy` at each."""

    at: int = 0
    mode: Mode = "kill"
    other: Fault = die
    names: list[str] = field(default_factory=list)
    _wrote: bool = False

    def reach(self, name: str, fails: Fault, half: Fault | None = None) -> None:
        """`half`: what is done of it by a process that dies or fails in the middle."""
        self.names.append(name)
        if self.mode != "copy" and len(self.names) != self.at:
            return
        if half is not None and self.mode in ("kill", "error"):
            half()
        {"kill": die, "error": fails}.get(self.mode, self.other)()

    def install(self) -> None:
        self._install_database()
        self._install_files()

    def _install_database(self) -> None:
        for name in ("do_execute", "do_executemany", "do_execute_no_params"):
            setattr(DefaultDialect, name, self._before(getattr(DefaultDialect, name)))
        commit: Callable[..., None] = DefaultDialect.do_commit

        def do_commit(dialect: DefaultDialect, connection: Any) -> None:
            if not self._wrote:
                return commit(dialect, connection)
            self._wrote = False
            self.reach("before commit", lambda: _statement_fails(dialect, _SQLITE_FULL))
            commit(dialect, connection)
            # SQLite says of each commit whether it was one; a server's answer may be lost.
            lost = dialect.name == "postgresql"
            self.reach(
                "after commit",
                lambda: _statement_fails(dialect, _SQLITE_IO) if lost else None,
            )
            return None

        DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]

    def _before(self, execute: Callable[..., None]) -> Callable[..., None]:
        def counted(dialect: DefaultDialect, cursor: Any, statement: str, *more: Any) -> None:
            name = " ".join(statement.split()[:3])
            if not name.upper().startswith(_READS):
                self._wrote = True
                self.reach(name, lambda: _statement_fails(dialect, _SQLITE_FULL))
            execute(dialect, cursor, statement, *more)

        return counted

    def _install_files(self) -> None:
        open_, fsync, fdopen = os.open, os.fsync, os.fdopen
        replace, link, unlink = Path.replace, Path.hardlink_to, Path.unlink

        def counted_open(path: Any, flags: int, *more: Any, **named: Any) -> int:
            if flags & os.O_CREAT:
                self.reach("create file", disk_full)
            return open_(path, flags, *more, **named)

        def counted_fsync(descriptor: int) -> None:
            self.reach("fsync", disk_broken)
            fsync(descriptor)
            self.reach("after fsync", lambda: None)

        def counted_fdopen(descriptor: int, mode: str = "r", *more: Any, **named: Any) -> Any:
            file = fdopen(descriptor, mode, *more, **named)
            return _Written(file, self) if "w" in mode else file

        def counted_replace(path: Path, target: Any) -> Path:
            self.reach("rename", disk_broken)
            found = replace(path, target)
            self.reach("after rename", lambda: None)
            return found

        def counted_link(path: Path, target: Any) -> None:
            self.reach("link", disk_full)
            link(path, target)

        def counted_unlink(path: Path, *more: Any, **named: Any) -> None:
            self.reach("unlink", lambda: None)
            unlink(path, *more, **named)

        os.open, os.fsync, os.fdopen = counted_open, counted_fsync, counted_fdopen  # type: ignore[assignment]
        Path.replace, Path.hardlink_to = counted_replace, counted_link  # type: ignore[method-assign, assignment]
        Path.unlink = counted_unlink  # type: ignore[method-assign, assignment]


class _Written:
    """A file of which a write may happen by half."""

    def __init__(self, file: IO[bytes], points: Points) -> None:
        self._file = file
        self._points = points

    def write(self, data: bytes) -> int:
        def half() -> None:
            self._file.write(data[: len(data) // 2])
            self._file.flush()

        self._points.reach("write file", disk_full, half)
        return self._file.write(data)

    def __enter__(self) -> _Written:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
