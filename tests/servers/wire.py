"""A wire between a client and a server that a test can cut, also in the middle of an answer."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Final

_CHUNK: Final = 65_536


class Wire:
    """Listens on a port of its own. `upstream`: where it leads to, None = cut."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.upstream: int | None = None
        # Answers to requests with these bytes in them that are cut in their middle.
        self.cut_answers_to = b""
        self.cuts_left = 0
        self.cut = 0
        self._open: set[socket.socket] = set()
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._closed = True
        self._listening.close()
        self.drop()

    def drop(self) -> None:
        """End every connection that is open."""
        for one in list(self._open):
            _end(one)

    def _accept(self) -> None:
        while not self._closed:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            upstream = self.upstream
            if upstream is None:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", upstream), 5)
            except OSError:
                near.close()
                continue
            asked = bytearray()
            self._open |= {near, far}
            for one, other, answers in ((near, far, False), (far, near, True)):
                threading.Thread(
                    target=self._pump, args=(one, other, asked, answers), daemon=True
                ).start()

    def _pump(
        self, source: socket.socket, sink: socket.socket, asked: bytearray, answers: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                if not answers:
                    asked += data
                elif self.cuts_left and self.cut_answers_to in asked:
                    self.cuts_left -= 1
                    self.cut += 1
                    sink.sendall(data[:10])
                    break
                else:
                    asked.clear()
                sink.sendall(data)
        for one in (source, sink):
            _end(one)
            self._open.discard(one)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextlib.contextmanager
def wire() -> Iterator[Wire]:
    made = Wire()
    try:
        yield made
    finally:
        made.close()
