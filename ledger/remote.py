"""What other machines say when they are asked, and files that others have published.

Nothing is believed here, and nobody is waited for without end: an answer is bounded in size and, as
a whole, in time. No redirect is followed, since whoever can redirect could send us to hosts that
nobody named; no content coding is taken.
"""

from __future__ import annotations

import functools
import os
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from ledger.errors import Corrupt, InvalidInput, Unavailable
from ledger.files import read_regular

if TYPE_CHECKING:
    import ssl

    import httpx

POST_S: Final = 20.0
_READ_S: Final = 30.0
# A whole answer: a full bundle of largest entries, over a slow line.
_ANSWER_S: Final = 120.0
_POST_BYTES_MAX: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Any status; `media` in lower case, without parameters; `links`: the header Link."""

    status: int
    media: str
    body: bytes
    links: str = ""


class Source(Protocol):
    """Where published files are read from: `name` is for people."""

    name: str

    def read(self, path: str, bytes_max: int) -> bytes | None:
        """None where there is no such file. Raises Unavailable, or Corrupt for what is too long."""

    def close(self) -> None:
        """Let go of connections."""


class Folder:
    """A directory of this machine."""

    def __init__(self, folder: Path) -> None:
        self.name = str(folder)
        self._folder = folder

    def read(self, path: str, bytes_max: int) -> bytes | None:
        if not self._folder.is_dir():
            raise Unavailable(f"{self._folder} is no directory")
        try:
            return read_regular(self._folder / path, bytes_max)
        except NotADirectoryError:
            return None
        except InvalidInput as error:
            raise Corrupt(str(error)) from error
        except OSError as error:
            raise Unavailable(f"{self._folder / path} can't be read: {error.strerror}") from error

    def close(self) -> None:
        """There is nothing to let go of."""


class Web:
    """An http(s) address; `path` follows it after one slash."""

    def __init__(self, url: str, *, read_s: float = _READ_S, answer_s: float = _ANSWER_S) -> None:
        self.name = url.rstrip("/")
        self._line = _Line(read_s, answer_s)

    def read(self, path: str, bytes_max: int) -> bytes | None:
        url = f"{self.name}/{path}"
        answer = self._line.ask("GET", url, bytes_max, called=url)
        if answer.status in (404, 410):
            return None
        if 300 <= answer.status < 400:
            raise Unavailable(
                f"{url} leads elsewhere (status {answer.status}); give the address that it leads to"
            )
        if answer.status != 200:
            raise Unavailable(f"{url} answered with status {answer.status}")
        return answer.body

    def close(self) -> None:
        self._line.close()


def open_source(where: str) -> Source:
    """An http(s) address or a directory. Raises InvalidInput."""
    if "://" not in where:
        return Folder(Path(where))
    parts = urlsplit(where)
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise InvalidInput("a log is at a directory, or at http(s)://host/path and nothing more")
    return Web(where)


def post(url: str, body: bytes, media: str, *, within_s: float = POST_S) -> Answer:
    """Raises Unavailable or Corrupt, and names the host alone: a URL may hold a password."""
    line = _Line(within_s, within_s)
    host = str(urlsplit(url).hostname)
    try:
        return line.ask("POST", url, _POST_BYTES_MAX, called=host, content=body, media=media)
    finally:
        line.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request with headers of its own; `called`: the server's name in errors."""

    verb: str
    url: str
    called: str
    headers: Mapping[str, str]
    content: bytes | None = None


def ask(asked: Asked, bytes_max: int, *, within_s: float = POST_S) -> Answer:
    """Raises Unavailable or Corrupt. Neither URL nor headers stand in an error."""
    line = _Line(within_s, within_s)
    try:
        return line.ask(
            asked.verb,
            asked.url,
            bytes_max,
            called=asked.called,
            content=asked.content,
            headers=asked.headers,
        )
    finally:
        line.close()


@functools.cache
def _trusted(_file: str, _folder: str) -> ssl.SSLContext:
    """Whom TLS trusts, by the variables that say so: read once, since it takes its time."""
    import httpx

    return httpx.create_ssl_context()


class _Line:
    """One connection at a time. A server that sends byte by byte, to keep us busy for ever, is cut
    off after `answer_s`."""

    def __init__(self, read_s: float, answer_s: float) -> None:
        import httpx  # takes a while to load, and most commands ask nobody

        self._answer_s = answer_s
        self._socket: socket.socket | None = None
        self._client = httpx.Client(
            timeout=read_s,
            verify=_trusted(
                os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")
            ),
            follow_redirects=False,
            headers={"Accept-Encoding": "identity", "User-Agent": "greenledger"},
            limits=httpx.Limits(max_connections=1),
        )

    def close(self) -> None:
        self._client.close()
        self._let_go()

    def ask(
        self,
        verb: str,
        url: str,
        bytes_max: int,
        *,
        called: str,
        content: bytes | None = None,
        media: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """`called`: the server's name in errors."""
        import httpx

        late = threading.Event()
        timer = threading.Timer(self._answer_s, self._cut_off, (late,))
        timer.daemon = True
        timer.start()
        sent = {**({"Content-Type": media} if media else {}), **(headers or {})}
        traced = {"trace": self._trace}
        try:
            with self._client.stream(
                verb, url, content=content, headers=sent, extensions=traced
            ) as answer:
                return _read(answer, bytes_max, called)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if late.is_set() or isinstance(error, httpx.TimeoutException):
                why = f"{called} gives no whole answer in {self._answer_s:g} s"
            else:
                why = f"{called} can't be reached: {type(error).__name__}"
            raise Unavailable(why) from error
        finally:
            timer.cancel()

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Called by the HTTP library: which connection is in use."""
        if event.endswith(".connect_tcp.complete"):
            self._let_go()
            # A duplicate: TLS takes the socket itself over, and may be as slow to begin.
            self._socket = info["return_value"].get_extra_info("socket").dup()

    def _let_go(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _cut_off(self, late: threading.Event) -> None:
        late.set()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def _read(answer: httpx.Response, bytes_max: int, called: str) -> Answer:
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise Unavailable(f"{called} answers in a content coding that was not asked for")
    found = bytearray()
    for piece in answer.iter_raw():
        found += piece
        if len(found) > bytes_max:
            raise Corrupt(f"{called} has more than the {bytes_max} bytes that it may have")
    media = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    # Several fields of a name are one list (RFC 9110, 5.3).
    links = ", ".join(answer.headers.get_list("link"))
    return Answer(status=answer.status_code, media=media, body=bytes(found), links=links)
