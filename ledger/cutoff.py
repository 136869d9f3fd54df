"""An end to a whole answer over HTTP, however slowly its bytes come.

A client's timeouts are for one read each: a server that sends a byte now and then, in the body, in
the headers or while TLS begins, would keep its reader busy for ever.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any


class CutOff:
    """Shuts the connection of one httpx client down when time is up. `trace` is to be given to each
    request as `extensions={"trace": …}`."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Called by the HTTP library: which connection is in use."""
        if event.endswith(".connect_tcp.complete"):
            self.close()
            # A duplicate: TLS takes the socket itself over.
            self._socket = info["return_value"].get_extra_info("socket").dup()

    @contextmanager
    def within(self, seconds: float) -> Iterator[threading.Event]:
        """The event is set once it was cut off: what the library raises then says little."""
        late = threading.Event()
        timer = threading.Timer(seconds, self._cut_off, (late,))
        timer.daemon = True
        timer.start()
        try:
            yield late
        finally:
            timer.cancel()

    def _cut_off(self, late: threading.Event) -> None:
        late.set()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
