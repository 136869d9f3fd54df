"""A question to an anchor: bounded in size and time, following nobody elsewhere."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from ledger.cutoff import CutOff
from ledger.errors import Unavailable

ANSWER_BYTES_MAX: Final = 65_536
WITHIN_S: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an anchor answered."""

    status: int
    media: str
    body: bytes


def post(url: str, body: bytes, media: str, *, within_s: float = WITHIN_S) -> Answer:
    """Raises Unavailable, and names the host alone: a URL may hold a password."""
    return _ask("POST", url, body, {"Content-Type": media}, within_s)


def get(url: str, *, within_s: float = WITHIN_S) -> Answer:
    """As `post`."""
    return _ask("GET", url, None, {}, within_s)


def _ask(
    method: str, url: str, body: bytes | None, headers: dict[str, str], within_s: float
) -> Answer:
    import httpx  # who asks nobody need not wait for it

    host = urlsplit(url).hostname
    too_late = f"{host} does not answer within {within_s:.0f} s"
    headers = {"Accept-Encoding": "identity", **headers}
    with closing(CutOff()) as cut_off, cut_off.within(within_s) as late:
        try:
            with (
                httpx.Client(timeout=within_s, follow_redirects=False) as client,
                client.stream(
                    method, url, content=body, headers=headers, extensions={"trace": cut_off.trace}
                ) as answer,
            ):
                found = bytearray()
                # As it came: what is packed may be a thousand times as large.
                for piece in answer.iter_raw():
                    found += piece
                    if len(found) > ANSWER_BYTES_MAX:
                        raise Unavailable(f"{host} answers with more than {ANSWER_BYTES_MAX} bytes")
        except httpx.TimeoutException as error:
            raise Unavailable(too_late) from error
        except httpx.HTTPError as error:
            if late.is_set():
                raise Unavailable(too_late) from error
            raise Unavailable(f"{host} can't be reached: {type(error).__name__}") from error
        if late.is_set():
            raise Unavailable(too_late)
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise Unavailable(f"{host} answers in a content coding that was not asked for")
    type_ = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return Answer(status=answer.status_code, media=type_, body=bytes(found))
