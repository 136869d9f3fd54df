"""The API on a free port: in a thread beside the test, or as the process that crashes are for."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import uvicorn

from api.app import create_app
from ledger.access.passwords import Passwords
from ledger.house import House
from tests.shared_data import ROOT


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextlib.contextmanager
def serving(house: House, passwords: Passwords | None = None) -> Iterator[str]:
    """A uvicorn server over a house, in a thread; yields its base URL."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        create_app(house, passwords=passwords),
        log_level="warning",
        lifespan="on",
        loop="asyncio",
        server_header=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/api/v1"
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()


@dataclass
class Served:
    """`greenledger serve` in a process of its own, on one port for all its lives."""

    environment: Mapping[str, str]
    port: int
    process: subprocess.Popen[str]

    @classmethod
    def start(cls, environment: Mapping[str, str], port: int = 0) -> Served:
        """Returns once it serves. `environment`: `GREENLEDGER_…` of a ledger that is there."""
        words = [sys.executable, "-m", "ledger.cli", "serve", "--json", "--port", str(port)]
        process = subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **environment},
            cwd=ROOT,
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the server ended before it served"
        return cls(environment, urlsplit(json.loads(line)["url"]).port or 0, process)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1"

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def again(self) -> Served:
        """Another life at the same port."""
        return Served.start(self.environment, self.port)
