"""A plain web server over a folder, as any that publishes a log; it can be slow, or gone."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class FileServer:
    """`asked`: paths, in order. `slow_s`: what an entry bundle takes."""

    url: str
    slow_s: float = 0.0
    asked: list[str] = field(default_factory=list)


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, *given: Any, served: FileServer, **more: Any) -> None:
        self._served = served
        super().__init__(*given, **more)

    def do_GET(self) -> None:
        self._served.asked.append(self.path)
        if self._served.slow_s and "/entries/" in self.path:
            time.sleep(self._served.slow_s)
        super().do_GET()

    def log_message(self, *_given: Any) -> None:
        """Nothing."""


@contextlib.contextmanager
def serving_files(folder: Path) -> Iterator[FileServer]:
    served = FileServer(url="")
    handler = partial(_Handler, directory=str(folder), served=served)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
