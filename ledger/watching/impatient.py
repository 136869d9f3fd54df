"""HTTP/1.1 with an end to waiting for a request: uvicorn waits for ever, and a few hundred
connections on which nothing comes, or a header now and then, would keep all others out."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol


class Impatient(H11Protocol):
    """Closes a connection without a whole request's head at two looks in a row. What becomes of a
    body, and of an answer, is the application's to bound."""

    look_s = 5.0
    _last: object = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.loop.call_later(self.look_s, self._look)

    def _look(self) -> None:
        if self.transport.is_closing():
            return
        cycle = self.cycle
        is_idle = getattr(cycle, "response_complete", True)  # None before the first request
        if is_idle and cycle is self._last:
            self.transport.close()
            return
        self._last = cycle
        self.loop.call_later(self.look_s, self._look)
