"""RFC 3161 from real authorities (`openssl ts`): what is no token for a request is not stored."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.anchors import service, tokens
from ledger.errors import InvalidInput
from ledger.house import House
from tests.anchors.conftest import grow, listed, only, received
from tests.ledgers import rows
from tests.servers.tsa import Authorities, Authority, Reply, openssl, serving
from tests.servers.witness import Witness

REPLY = "application/timestamp-reply"
Lie = Callable[[Authorities, bytes], Reply]


def _query(*words: str) -> bytes:
    return openssl("ts", "-query", "-cert", *words)


def _good(authorities: Authorities, query: bytes) -> bytes:
    return authorities.good.reply(query)


def _flipped(data: bytes) -> bytes:
    """One bit of the signature, which is what a reply ends with."""
    return data[:-1] + bytes([data[-1] ^ 1])


def _with_digest(query: bytes, digest: bytes) -> bytes:
    """The same request for another hash: OCTET STRING (32), the only one."""
    head, tail = query.split(b"\x04\x20", 1)
    return head + b"\x04\x20" + digest + tail[32:]


DIGEST = "11" * 32
LIES: dict[str, tuple[str, Lie]] = {
    "stranger": ("self.signed|unable to get", lambda a, q: (200, REPLY, a.stranger.reply(q))),
    "expired": ("certificate has expired", lambda a, q: (200, REPLY, a.expired.reply(q))),
    # A true token, but for a request of somebody else.
    "other text": (
        "(?i)nonce|mismatch",
        lambda a, _: (200, REPLY, _good(a, _query("-digest", DIGEST, "-sha256"))),
    ),
    "other imprint": (
        "(?i)mismatch between messages",
        lambda a, q: (200, REPLY, _good(a, _with_digest(q, b"\x11" * 32))),
    ),
    "no nonce": (
        "(?i)nonce",
        lambda a, _: (200, REPLY, _good(a, _query("-digest", DIGEST, "-sha256", "-no_nonce"))),
    ),
    "other hash": (
        "not of a SHA-256 hash",
        lambda a, _: (200, REPLY, _good(a, _query("-digest", DIGEST * 2, "-sha512"))),
    ),
    "no certificate": (
        "does not hold",
        lambda a, _: (200, REPLY, _good(a, openssl("ts", "-query", "-digest", DIGEST))),
    ),
    "refused": (
        "refuses, with status 2",
        lambda a, _: (200, REPLY, _good(a, _query("-digest", DIGEST, "-tspolicy", "1.2.3.9"))),
    ),
    "bit": ("does not hold", lambda a, q: (200, REPLY, _flipped(_good(a, q)))),
    "trailing": ("no time-stamp|one DER form", lambda a, q: (200, REPLY, _good(a, q) + b"\0")),
    "cut": ("no time-stamp", lambda a, q: (200, REPLY, _good(a, q)[:-9])),
    "empty": ("no time-stamp", lambda _a, _q: (200, REPLY, b"")),
    "junk": ("no time-stamp", lambda _a, _q: (200, REPLY, b"\x30\x82\xff\xff" * 99)),
    "large": ("more than the 65536 bytes", lambda _a, _q: (200, REPLY, bytes(70_000))),
    "error": ("HTTP status 500", lambda a, q: (500, REPLY, _good(a, q))),
    "redirect": ("HTTP status 302", lambda _a, _q: (302, REPLY, b"")),
    "page": ("not application/timestamp-reply", lambda _a, _q: (200, "text/html", b"<p>")),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_named_and_not_stored(
    lie: str, house: House, tsa: Authority, authorities: Authorities
) -> None:
    said, answer = LIES[lie]
    tsa.answer = lambda query: answer(authorities, query)
    if lie == "expired":
        tsa.keys = authorities.expired
    listed(house, None, [tsa])
    outcome = only(house)
    assert outcome.said == "failed"
    assert re.search(said, outcome.error), outcome.error
    assert received(house) == []
    # It is not due again at once, and the log goes on.
    assert house.anchor().outcomes == ()
    grow(house, "farm")


def test_a_token_is_of_the_text_that_the_log_signs(
    house: House, tsa: Authority, tmp_path: Path
) -> None:
    """`openssl ts -verify` takes it, by hand, as docs/anchors.md says."""
    listed(house, None, [tsa])
    note = grow(house, "farm")
    assert only(house).said == "token"
    ((data,),) = rows(house, "SELECT data FROM anchor_receipts")
    (tmp_path / "token.tsr").write_bytes(data)
    (tmp_path / "text").write_bytes(b"".join(note.splitlines(keepends=True)[:3]))
    words = ["openssl", "ts", "-verify", "-in", "token.tsr", "-data", "text"]
    words += ["-CAfile", str(tsa.keys.folder / "root.pem")]
    verified = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stderr
    (tmp_path / "text").write_bytes(note)
    assert subprocess.run(words, cwd=tmp_path, capture_output=True, check=False).returncode != 0
    assert house.anchor(patient=False).outcomes == ()


def test_a_second_check_for_the_audit(authorities: Authorities) -> None:
    text = b"park.example\n1\n" + b"A" * 43 + b"=\n"
    token = authorities.good.reply(_query_of(text))
    assert tokens.check(token, text, authorities.good.roots).data == token
    for roots, over in ((authorities.stranger.roots, text), (authorities.good.roots, text + b"x")):
        with pytest.raises(InvalidInput, match="does not hold"):
            tokens.check(token, over, roots)


def _query_of(text: bytes) -> bytes:
    return subprocess.run(
        ["openssl", "ts", "-query", "-data", "/dev/stdin", "-sha256", "-cert"],
        input=text,
        capture_output=True,
        check=True,
    ).stdout


def test_several_at_once_and_one_of_them_down(
    house: House, tsa: Authority, authorities: Authorities, witness: Witness
) -> None:
    with serving(Authority(authorities.good)) as gone:
        pass
    with serving(Authority(authorities.stranger)) as other:
        listed(house, witness, [tsa, other, gone])
        said = {one.name: one.said for one in house.anchor().outcomes}
    assert said == {
        "tsa-0": "token",
        "tsa-1": "token",
        "tsa-2": "failed",
        "witness.example/w1+" + witness.cosigners[0].key_id.hex(): "cosignature",
    }
    assert [size for _, size in received(house)] == [1, 1, 1]


def test_a_slow_one_is_cut_off(house: House, tsa: Authority) -> None:
    """Each piece comes in time, all of them would not."""
    tsa.slow_s = 0.02
    listed(house, None, [tsa])
    asking = service.Asking(
        engine=house.engine,
        log=house.log,
        anchors=house.anchors(),
        clock_s=house.desk.clock_s,
        within_s=0.3,
    )
    (outcome,) = service.hold_round(asking, renew_after_s=60).outcomes
    assert outcome.error == "127.0.0.1 gives no whole answer in 0.3 s"


def test_an_authority_with_another_clock(house: House, tsa: Authority) -> None:
    listed(house, None, [tsa])
    asking = service.Asking(
        engine=house.engine,
        log=house.log,
        anchors=house.anchors(),
        clock_s=lambda: house.desk.clock_s() + tokens.SKEW_S_MAX + 60,
    )
    (outcome,) = service.hold_round(asking, renew_after_s=60).outcomes
    assert outcome.error.startswith("its clock is -3")
    assert received(house) == []
