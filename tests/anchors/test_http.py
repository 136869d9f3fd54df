"""An anchor that answers for ever, or with what becomes large, keeps nobody waiting."""

from __future__ import annotations

import gzip
import time

import pytest

from ledger.anchors import http
from ledger.errors import Unavailable
from ledger.recovery.published import Web
from tests.servers.rude import answering

BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"
PACKED = gzip.compress(bytes(1_000_000))
BOMB = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED)


@pytest.mark.parametrize("answer", [b"", BODY])
def test_one_that_drips_is_cut_off(answer: bytes) -> None:
    """Byte by byte, within headers or a body, so that no single read takes long."""
    began_s = time.monotonic()
    late = pytest.raises(Unavailable, match="does not answer within 0 s")
    with answering(answer, drips=True) as url, late:
        http.post(url, b"question", "text/plain", within_s=0.3)
    late = pytest.raises(Unavailable, match=r"no whole answer in 0\.3 s")
    with answering(answer, drips=True) as url, late:
        Web(url, 0.3).read("checkpoint", 60_000)
    assert time.monotonic() - began_s < 10


def test_what_is_packed_is_not_unpacked() -> None:
    for ask in (
        lambda url: http.post(url, b"question", "text/plain"),
        lambda url: Web(url).read("checkpoint", 60_000),
    ):
        with answering(BOMB + PACKED) as url, pytest.raises(Unavailable, match="content coding"):
            ask(url)
