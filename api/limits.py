"""What a request may cost: its size, also when it is compressed, and how many come from whom.

Pure ASGI, before anything is parsed. A body is counted as it comes, since Content-Length may lie.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import pact_errors
from api.problems import SECURITY_HEADERS, Problem
from ledger.access.roles import Reach
from ledger.access.table import RULES

_CALLERS_MAX: Final = 10_000
_ERRORS: Final = 400
# JSON in memory is some hundred times as large as `[{},{},…`; only readings and entries are many.
_BODY_BYTES_MAX: Final = 1024 * 1024
_LARGE: Final = ("/readings", "/readings/files", "/statements", "/entries")
# What only a credential that holds is answered otherwise than by 401.
_PRIVATE: Final = frozenset(name for name, rule in RULES.items() if rule.reach is not Reach.PUBLIC)


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


class Callers:
    """Whom a request counts for: its credential, and its address until that was let in once.

    So credentials that are made up are no way around the limit, and no text of theirs is kept.
    """

    def __init__(self) -> None:
        self._let_in: OrderedDict[str, None] = OrderedDict()

    def keys(self, scope: Scope) -> list[str]:
        credential, client = _credential(scope), scope.get("client")
        address = client[0] if client else ""
        if credential in self._let_in:
            return [credential]
        return [address, credential] if credential else [address]

    def note(self, scope: Scope, status: int) -> None:
        credential = _credential(scope)
        if status == HTTPStatus.UNAUTHORIZED:
            self._let_in.pop(credential, None)
        elif status < _ERRORS and credential and _operation(scope) in _PRIVATE:
            self._let_in[credential] = None
            self._let_in.move_to_end(credential)
            if len(self._let_in) > _CALLERS_MAX:
                self._let_in.popitem(last=False)


def _operation(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "operation_id", None) or "")


def _credential(scope: Scope) -> str:
    token = Headers(scope=scope).get("authorization", "")
    return hashlib.sha256(token.encode()).hexdigest() if token else ""


class Limits:
    """Size, compression and rate; security headers on every answer."""

    def __init__(self, app: ASGIApp, *, body_bytes_max: int, rates: Rates) -> None:
        self.app = app
        self.body_bytes_max = body_bytes_max
        self.rates = rates
        self.callers = Callers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.callers.note(scope, message["status"])
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if "cache-control" not in headers:
                    headers["Cache-Control"] = "no-store"
            await send(message)

        try:
            self._check_rate(scope)
            reader = self._reader(scope, receive)
        except Problem as problem:
            await pact_errors.response_of(scope["path"], problem)(scope, receive, secured)
            return
        await self.app(scope, reader, secured)

    def _check_rate(self, scope: Scope) -> None:
        wait_s = max(self.rates.wait_s(one) for one in self.callers.keys(scope))
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
        most = self.body_bytes_max
        if not scope["path"].endswith(_LARGE):
            most = min(most, _BODY_BYTES_MAX)
        given = headers.get("content-length", "")
        if encoding == "identity" and given.isdecimal() and given.isascii():
            # Its digits could be too many for a number.
            check_size(int(given[:20]), most)
        return _Counted(receive, most, gzip=encoding == "gzip")


def check_size(size: int, most: int) -> None:
    """Raises Problem."""
    if size > most:
        raise Problem(413, f"the body is larger than {most:,} bytes; send it in parts")


class _Counted:
    """The body as it comes, unpacked, and never more of it than is allowed."""

    def __init__(self, receive: Receive, most: int, *, gzip: bool) -> None:
        self._receive = receive
        self._most = most
        self._size = 0
        self._packed = 0
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
        check_size(self._size, self._most)
        return {**message, "body": body}

    def _unpacked(self, data: bytes, *, last: bool) -> bytes:
        assert self._unpack is not None
        # Packed nothing is something too: it could go on for ever.
        self._packed += len(data)
        check_size(self._packed, self._most)
        room = self._most - self._size + 1
        try:
            found = self._unpack.decompress(data, room)
        except zlib.error as error:
            raise Problem(400, f"the body is no gzip data: {error}") from error
        if self._unpack.unused_data:
            raise Problem(400, "the gzip data is one member, with nothing after it")
        if last and not self._unpack.eof and len(found) < room:
            raise Problem(400, "the gzip data is cut off")
        return found
