"""A plain web server over a folder, as any that publishes a log; it can be slow, or gone."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.servers.answering import Quiet, answering


@dataclass
class FileServer:
    """`asked`: paths, in order. `slow_s`: what an entry bundle takes."""

    url: str
    slow_s: float = 0.0
    asked: list[str] = field(default_factory=list)


class _Handler(Quiet, SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, *given: Any, served: FileServer, **more: Any) -> None:
        self._served = served
        super().__init__(*given, **more)

    def do_GET(self) -> None:
        self._served.asked.append(self.path)
        if self._served.slow_s and "/entries/" in self.path:
            time.sleep(self._served.slow_s)
        super().do_GET()


@contextlib.contextmanager
def serving_files(folder: Path) -> Iterator[FileServer]:
    served = FileServer(url="")
    handler = partial(_Handler, directory=str(folder), served=served)
    with answering(handler) as served.url:
        yield served
