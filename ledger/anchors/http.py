"""A POST to an anchor: bounded in size and time, following nobody elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

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
    import httpx  # who asks nobody need not wait for it

    host = urlsplit(url).hostname
    end_s = time.monotonic() + within_s
    try:
        with (
            httpx.Client(timeout=within_s, follow_redirects=False) as client,
            client.stream("POST", url, content=body, headers={"Content-Type": media}) as answer,
        ):
            found = bytearray()
            for piece in answer.iter_bytes(4096):
                found += piece
                if len(found) > ANSWER_BYTES_MAX:
                    raise Unavailable(f"{host} answers with more than {ANSWER_BYTES_MAX} bytes")
                # A read has a time limit of its own; many slow ones together have this one.
                if time.monotonic() > end_s:
                    raise Unavailable(f"{host} takes longer than {within_s:.0f} s to answer")
    except httpx.TimeoutException as error:
        raise Unavailable(f"{host} does not answer within {within_s:.0f} s") from error
    except httpx.HTTPError as error:
        raise Unavailable(f"{host} can't be reached: {type(error).__name__}") from error
    type_ = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return Answer(status=answer.status_code, media=type_, body=bytes(found))
