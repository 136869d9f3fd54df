"""What a request may cost: its size, also when it is compressed, and how many come from whom.

Pure ASGI, before anything is parsed. A body is counted as it comes, since Content-Length may lie.
"""

from __future__ import annotations

import time
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem

_SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "Strict-Transport-Security": "max-age=31536000",
}
_CALLERS_MAX: Final = 10_000


@dataclass(slots=True)
class Rates:
    """Token buckets by caller: `per_s` requests on average, `burst` at once.

    Of this process alone: two API processes let twice as many through.
    """

    per_s: float
    burst: int
    clock: Callable[[], float] = time.monotonic
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def wait_s(self, caller: str) -> float:
        """0 where the request may pass (and is counted); else how long to wait."""
        now = self.clock()
        left, at = self._left.pop(caller, (float(self.burst), now))
        left = min(float(self.burst), left + (now - at) * self.per_s)
        passes = left >= 1
        self._left[caller] = (left - passes, now)
        if len(self._left) > _CALLERS_MAX:
            self._left.popitem(last=False)
        return 0.0 if passes else (1 - left) / self.per_s


def caller_key(scope: Scope) -> str:
    """Who is counted: the credential, else the address."""
    token = Headers(scope=scope).get("authorization", "")
    client = scope.get("client")
    return token or (client[0] if client else "")


class Limits:
    """Size, compression and rate; security headers on every answer."""

    def __init__(self, app: ASGIApp, *, body_bytes_max: int, rates: Rates) -> None:
        self.app = app
        self.body_bytes_max = body_bytes_max
        self.rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if "cache-control" not in headers:
                    headers["Cache-Control"] = "no-store"
            await send(message)

        try:
            self._check_rate(scope)
            reader = self._reader(scope, receive)
        except Problem as problem:
            await problem.response()(scope, receive, secured)
            return
        await self.app(scope, reader, secured)

    def _check_rate(self, scope: Scope) -> None:
        wait_s = self.rates.wait_s(caller_key(scope))
        if wait_s:
            raise Problem(
                429,
                f"more than {self.rates.per_s:g} requests a second; wait and try again",
                headers={"Retry-After": str(int(wait_s) + 1)},
            )

    def _reader(self, scope: Scope, receive: Receive) -> Receive:
        headers = Headers(scope=scope)
        encoding = headers.get("content-encoding", "identity")
        if encoding not in ("identity", "gzip"):
            raise Problem(415, f"Content-Encoding is {encoding[:40]!r}; identity or gzip are read")
        if encoding == "identity" and headers.get("content-length", "").isdigit():
            self._check_size(int(headers["content-length"]))
        return _Counted(receive, self, gzip=encoding == "gzip")

    def _check_size(self, size: int) -> None:
        if size > self.body_bytes_max:
            raise Problem(
                413,
                f"the body is larger than {self.body_bytes_max:,} bytes; send it in parts",
            )


class _Counted:
    """The body as it comes, unpacked, and never more of it than is allowed."""

    def __init__(self, receive: Receive, limits: Limits, *, gzip: bool) -> None:
        self._receive = receive
        self._limits = limits
        self._size = 0
        # 31: a gzip header, a window of 32 KiB.
        self._unpack = zlib.decompressobj(31) if gzip else None

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] != "http.request":
            return message
        body = message.get("body", b"")
        if self._unpack is not None:
            body = self._unpacked(body, last=not message.get("more_body", False))
        self._size += len(body)
        self._limits._check_size(self._size)
        return {**message, "body": body}

    def _unpacked(self, data: bytes, *, last: bool) -> bytes:
        assert self._unpack is not None
        room = self._limits.body_bytes_max - self._size + 1
        try:
            found = self._unpack.decompress(data, room)
        except zlib.error as error:
            raise Problem(400, f"the body is no gzip data: {error}") from error
        if self._unpack.unused_data:
            raise Problem(400, "after the gzip data comes something else; send one member")
        if last and not self._unpack.eof and len(found) < room:
            raise Problem(400, "the gzip data is cut off")
        return found
