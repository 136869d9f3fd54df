"""A Redis of the tests' own: on a free port, as nobody where we are root; it keeps nothing."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class RedisServer:
    """A running server that keeps nothing on disk; killed, it has lost all."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                *("redis-server", "--port", str(self.port), "--bind", "127.0.0.1"),
                *("--dir", str(self.folder), "--save", "", "--appendonly", "no"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user="nobody" if os.geteuid() == 0 else None,
        )
        with redis.Redis(port=self.port) as client:
            for _ in range(200):
                try:
                    client.ping()
                except redis.ConnectionError:
                    time.sleep(0.05)
                else:
                    return
        raise AssertionError("redis-server does not answer")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One for each worker of xdist."""
    if shutil.which("redis-server") is None:
        pytest.fail("redis-server is missing: ./dev test installs it (Debian: redis-server)")
    folder = tmp_path_factory.mktemp("redis")
    if os.geteuid() == 0:
        # Nobody can't enter pytest's folders; the server needs none, but must start in one.
        folder = Path("/")
    server = RedisServer(folder, free_port())
    server.start()
    yield server
    server.kill()
