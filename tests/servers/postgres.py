"""A PostgreSQL of the tests' own: one for each worker, in a folder that is gone afterwards.

It listens on a Unix socket that its user and root alone can reach. PostgreSQL does not run as root:
root starts it as `postgres` or `nobody`.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

OWNER = "greenledger"
_USERS = ("postgres", "nobody")
_READY_S = 60
# Databases are copied and dropped all the time, and none outlives the tests.
_QUICK = [
    *("fsync=off", "full_page_writes=off", "autovacuum=off", "wal_level=minimal"),
    *("max_wal_senders=0", "max_wal_size=4GB", "checkpoint_timeout=1h"),
]


def find(program: str) -> str | None:
    """A program of PostgreSQL: Debian keeps them out of the way."""
    found = shutil.which(program)
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    return found or (str(places[-1]) if places else None)


def _user() -> str | None:
    """Who runs the server; None for whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    known = {one.pw_name for one in pwd.getpwall()}
    return next(name for name in _USERS if name in known)


@dataclass
class PostgreSQL:
    """A server. `safe`: what it says is stored is on disk, as it has to be in production."""

    folder: Path
    safe: bool = False
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def prepare(self) -> None:
        """Make the cluster. Its superuser, who needs no password, is OWNER."""
        user = _user()
        if user:
            shutil.chown(self.folder, user)
        subprocess.run(
            [
                *(find("initdb") or "initdb", f"--pgdata={self.data}", f"--username={OWNER}"),
                *("--auth=trust", "--locale=C", "--encoding=UTF8", "--no-sync"),
            ],
            check=True,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            user=user,
            extra_groups=[] if user else None,
        )

    def start(self) -> None:
        user = _user()
        options = [f"unix_socket_directories={self.folder}", "listen_addresses="]
        if not self.safe:
            options += _QUICK
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(find("postgres") or "postgres", "-D", str(self.data)),
                    *(part for option in options for part in ("-c", option)),
                ],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=user,
                extra_groups=[] if user else None,
            )
        end = time.monotonic() + _READY_S
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop(signal.SIGQUIT)
                raise RuntimeError(f"PostgreSQL does not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        try:
            self.run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends its sessions and closes it in order; SIGQUIT is a crash."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(_READY_S)
            self.process = None

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        self.stop(how)
        self.start()

    def url(self, database: str, user: str = OWNER) -> str:
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres", user: str = OWNER) -> psycopg.Connection[Any]:
        """A connection past all code of the ledger; each statement is stored at once."""
        return psycopg.connect(
            host=str(self.folder), dbname=database, user=user, autocommit=True, connect_timeout=5
        )

    def run(self, command: str) -> None:
        with self.connect() as connection:
            connection.execute(command.encode())

    def create(self, template: str = "template0", name: str = "") -> str:
        """A new database, a copy of another one, whose connections are cut; returns its name."""
        name = name or f"ledger_{secrets.token_hex(8)}"
        self.run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{template}'"
        )
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def require() -> None:
    """Skip where there is no PostgreSQL; in CI that is a failure."""
    if find("postgres") is None or find("initdb") is None:
        reason = "PostgreSQL is not installed: no `initdb` and `postgres` were found"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


def running(*, safe: bool = False) -> Iterator[PostgreSQL]:
    """A server that is stopped afterwards, whatever happens."""
    require()
    # Not below pytest's own folders, which the server's user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="greenledger-pg-", dir="/tmp"))
    server = PostgreSQL(folder, safe=safe)
    try:
        server.prepare()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """The server of this worker, which every test may use and none may stop."""
    yield from running()
