"""Requests that are tried again where that is safe, and problems that come out as our errors.

Rules of the room:

- 429 and 503 say that nothing was done: any request is sent again, after what Retry-After asks for.
- Where no answer came, or a gateway's (502, 504), the request may have been carried out: only one
  that may be carried out twice is sent again.
- Waiting is bounded and jittered. No error names a token, and no redirect is followed.
"""

from __future__ import annotations

import email.utils
import json
import random
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from ledger.client.results import Problem
from ledger.errors import InvalidInput, LedgerError, NotFound, Refused, Unavailable

BASE: Final = "/api/v1"
_NOTHING_DONE: Final = frozenset({429, 503})
_NO_ANSWER: Final = frozenset({502, 504})
_INVALID: Final = frozenset({400, 405, 406, 411, 413, 414, 415, 416, 422, 428, 431})
_ABSENT: Final = frozenset({404, 410})
_REFUSED: Final = frozenset({409, 412})
PROBLEM_BYTES_MAX: Final = 65_536
_Answer = TypeVar("_Answer")
Content = bytes | Callable[[], Iterable[bytes]]


class Denied(Unavailable):
    """The server does not let this caller in, or not do this: the credential is at fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often and how patiently a request is sent again."""

    attempts: int = 5
    first_s: float = 0.2
    most_s: float = 20.0
    sleep: Callable[[float], None] = time.sleep
    # Not for secrets: so that clients that failed together do not come back together.
    jitter: Callable[[], float] = random.random

    def wait(self, attempt: int, asked_s: float | None) -> None:
        """Before attempt `attempt` + 1; `asked_s`: what the server asks for."""
        backoff_s = min(self.most_s, self.first_s * 2**attempt) * (0.5 + self.jitter() / 2)
        self.sleep(min(self.most_s, max(backoff_s, asked_s or 0.0)))


def retry_after_s(value: str | None, now_s: float) -> float | None:
    """Seconds, or an HTTP date (RFC 9110 §10.2.3); None where neither."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = email.utils.parsedate_to_datetime(value)
        return max(0.0, moment.timestamp() - now_s)
    except (ValueError, OverflowError):
        return None


def read_problem(status: int, media: str, content: bytes) -> Problem:
    """What an answer that is no success says; another body than a problem's is left out."""
    if media.partition(";")[0].strip() not in ("application/problem+json", "application/json"):
        return Problem(status=status)
    try:
        found = json.loads(content[:PROBLEM_BYTES_MAX])
    except (ValueError, RecursionError):
        return Problem(status=status)
    if not isinstance(found, dict):
        return Problem(status=status)
    known = {name: str(found.pop(name, "")) for name in ("type", "title", "detail")}
    found.pop("status", None)
    return Problem(status=status, members=found, **known)


def error_of(problem: Problem, where: str) -> LedgerError:
    """A problem in our tree of errors; it is at hand as the error's `problem`."""
    kind: type[LedgerError] = Unavailable
    if problem.status in (401, 403):
        kind = Denied
    elif problem.status in _INVALID:
        kind = InvalidInput
    elif problem.status in _ABSENT:
        kind = NotFound
    elif problem.status in _REFUSED:
        kind = Refused
    error = kind(problem.text if problem.detail else f"{where} answered: {problem.text}")
    error.problem = problem  # type: ignore[attr-defined]
    return error


def problem_of(error: LedgerError) -> Problem | None:
    """The problem that a server answered with, where the error came from one."""
    return getattr(error, "problem", None)


class Transport:
    """One server, one connection pool, one credential."""

    def __init__(
        self,
        server: str,
        *,
        token: str = "",
        ca_file: Path | None = None,
        timeout_s: float = 30.0,
        retry: Retry | None = None,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        """`server`: `https://host[:port]`, with or without /api/v1. Raises InvalidInput."""
        url = httpx.URL(server.rstrip("/"))
        if url.scheme not in ("http", "https") or not url.host or url.query or url.userinfo:
            raise InvalidInput(f"server {server!r} is not of the form https://host[:port]")
        self._base = str(url).removesuffix(BASE) + BASE
        self._retry = retry or Retry()
        self._clock_s = clock_s
        if not token.isascii() or any(each.isspace() for each in token):
            raise InvalidInput("the API key has characters that no key has")
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {token}"} if token else {},
            verify=_tls(ca_file),
            timeout=httpx.Timeout(timeout_s, connect=min(10.0, timeout_s)),
            follow_redirects=False,
            trust_env=False,
        )
        # Seconds that the server's clock was ahead of ours at its last answer; None before.
        self.ahead_s: float | None = None

    def close(self) -> None:
        self._http.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        content: Content | None = None,
        repeatable: bool | None = None,
    ) -> httpx.Response:
        """A successful answer, read whole. Raises what the server's problem stands for.

        `repeatable`: it may be carried out twice; GET and HEAD may.
        """
        repeat = method in ("GET", "HEAD") if repeatable is None else repeatable
        for attempt in range(self._retry.attempts):
            last = attempt + 1 == self._retry.attempts
            try:
                answer = self._http.request(
                    method,
                    self._base + path,
                    params=dict(params) if params else None,
                    headers=dict(headers) if headers else None,
                    content=content() if callable(content) else content,
                )
            except httpx.TransportError as error:
                if last or not (repeat or isinstance(error, httpx.ConnectError)):
                    raise _no_answer(self._base, error) from error
                self._retry.wait(attempt, None)
                continue
            self._note_clock(answer)
            again = answer.status_code in _NOTHING_DONE or (
                repeat and answer.status_code in _NO_ANSWER
            )
            if not again or last:
                return self._checked(answer)
            asked_s = retry_after_s(answer.headers.get("Retry-After"), self._clock_s())
            self._retry.wait(attempt, asked_s)
        raise AssertionError("the last attempt returns or raises")

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """An answer that is read as it comes. Raises as `send`, without trying again."""
        try:
            with self._http.stream("GET", self._base + path, headers=dict(headers)) as answer:
                if not answer.is_success:
                    answer.read()
                yield self._checked(answer)
        except httpx.TransportError as error:
            raise _no_answer(self._base, error) from error

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        media = answer.headers.get("Content-Type", "")
        raise error_of(read_problem(answer.status_code, media, answer.content), self._base)

    def _note_clock(self, answer: httpx.Response) -> None:
        try:
            theirs = email.utils.parsedate_to_datetime(answer.headers.get("Date", ""))
        except ValueError:
            return
        self.ahead_s = theirs.timestamp() - self._clock_s()


def read(answer: httpx.Response, kind: type[_Answer]) -> _Answer:
    """A JSON answer as a value. Raises Unavailable where the server speaks otherwise."""
    return read_text(answer.content, kind, answer.request.url.path)


def read_text(content: bytes, kind: type[_Answer], where: str) -> _Answer:
    """JSON from a server as a value. Raises Unavailable."""
    try:
        return TypeAdapter(kind).validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(each) for each in first["loc"]) or "the answer"
        raise Unavailable(
            f"{where}: the server's answer is not what this client reads: {place}: {first['msg']}"
        ) from error


def read_object(answer: httpx.Response) -> dict[str, Any]:
    return read(answer, dict[str, Any])


def _no_answer(base: str, error: httpx.TransportError) -> Unavailable:
    return Unavailable(f"{base} does not answer: {type(error).__name__}: {error}")


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise InvalidInput(f"{ca_file}: no certificates of authorities: {error}") from error
