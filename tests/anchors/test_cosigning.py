"""C2SP witnesses: only a true cosignature of a known key is stored, and handed out everywhere."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger import proving
from ledger.anchors.cosigner import parse_cosigner
from ledger.anchors.cosigning import check
from ledger.errors import InvalidInput
from ledger.house import House
from ledger.log.checkpoint import parse_tlog_proof
from ledger.log.notes import parse_note
from tests.anchors.conftest import ED25519, ML_DSA, grow, listed, only, received
from tests.ledgers import no_progress
from tests.servers.witness import Cosigner, Reply, Witness, serving

STRANGER = Cosigner("stranger.example")
# A stranger who calls himself as the witness does.
NAMESAKE = ML_DSA


def now() -> int:
    return int(time.time())


def text_of(body: bytes) -> bytes:
    """The signed text of the checkpoint in a request."""
    return b"".join(body.partition(b"\n\n")[2].splitlines(keepends=True)[:3])


def said(line: Callable[[bytes], bytes]) -> Callable[[bytes], Reply]:
    return lambda body: (200, "text/plain", line(text_of(body)))


def other(text: bytes) -> bytes:
    return text.replace(b"park", b"bark")


LIES: dict[str, tuple[str, Callable[[bytes], Reply]]] = {
    "nothing": ("malformed signature line|note has no", said(lambda _: b"")),
    "stranger": ("without a cosignature of", said(lambda text: STRANGER.line(text, now()))),
    "namesake": ("without a cosignature of", said(lambda text: NAMESAKE.line(text, now()))),
    "other text": ("does not verify", said(lambda text: ED25519.line(other(text), now()))),
    "late": (r"clock is -\d{3} s off", said(lambda text: ED25519.line(text, now() - 905))),
    "early": (r"clock is \d{3} s off", said(lambda text: ED25519.line(text, now() + 902))),
    "no time": ("has no time", said(lambda text: ED25519.line(text, 0))),
    "words": ("more than signature", said(lambda text: b"so\n\n" + ED25519.line(text, now()))),
    "cut": ("cut off|malformed", said(lambda text: ED25519.line(text, now())[:-9])),
    "short": ("has 7 bytes", said(lambda _: _short_line())),
    "large": ("more than the 65536", said(lambda _: b"x" * 70_000)),
    "error": ("HTTP status 503", lambda _: (503, "text/plain", b"")),
    "unknown log": ("HTTP status 404", lambda _: (404, "text/plain", b"")),
    "no size": ("names no other", lambda _: (409, "text/plain", b"5\n")),
    "no number": ("names no other", lambda _: (409, "text/x.tlog.size", b"-5\n")),
    "same size": ("names no other", lambda _: (409, "text/x.tlog.size", b"0\n")),
    # Without a path there is nothing that could be inconsistent.
    "422": ("HTTP status 422", lambda _: (422, "text/plain", b"")),
}


def _short_line() -> bytes:
    blob = base64.b64encode(ED25519.key_id + bytes(7)).decode()
    return f"\u2014 {ED25519.name} {blob}\n".encode()


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_named_and_not_stored(lie: str, house: House, witness: Witness) -> None:
    words, witness.answer = LIES[lie]
    listed(house, witness)
    outcome = only(house)
    assert (outcome.said, received(house)) == ("failed", [])
    assert re.search(words, outcome.error), outcome.error
    grow(house, "farm")


def test_a_new_size_is_named_each_time(house: House, witness: Witness) -> None:
    for number in range(4):
        grow(house, f"p{number}")
    sizes = iter((5, 4, 3, 2))
    witness.answer = lambda _: (409, "text/x.tlog.size", f"{next(sizes)}\n".encode())
    listed(house, witness)
    outcome = only(house)
    assert (outcome.said, len(witness.asked)) == ("failed", 3)
    assert "another size each time" in outcome.error


def test_both_types_and_lines_of_strangers(house: House, witness: Witness, tmp_path: Path) -> None:
    """What is handed out: the log's line, then witnesses by name and key id, the newest of each."""
    witness.cosigners = [STRANGER, ED25519, ML_DSA]
    listed(house, Witness("", [ED25519, ML_DSA], url=witness.url))
    grow(house, "farm")
    assert [one.said for one in house.anchor().outcomes] == ["cosignature", "cosignature"]
    own = house.checkpoint()
    tlog = parse_tlog_proof(proving.prove_entry(house.desk, 1))
    opening = proving.open_entry(house.desk, 1)
    house.export_tiles(tmp_path / "tiles", no_progress)
    handed_out = (tmp_path / "tiles/checkpoint").read_bytes()
    assert handed_out == tlog.checkpoint == opening["checkpoint"].encode()
    assert handed_out.startswith(own)
    signatures = parse_note(handed_out).signatures
    keys = sorted((one.name, one.key_id) for one in (ED25519, ML_DSA))
    assert [(one.name, one.key_id) for one in signatures[1:]] == keys
    lines = handed_out[len(own) :].splitlines(keepends=True)
    for line, (_, key_id) in zip(lines, keys, strict=True):
        (key,) = [one for one in (ED25519, ML_DSA) if one.key_id == key_id]
        assert abs(check(line, own, parse_cosigner(key.vkey)) - now()) < 60
        with pytest.raises(InvalidInput, match="does not verify"):
            check(line, own.replace(b"park", b"bark"), parse_cosigner(key.vkey))


def test_the_witness_is_shown_growth_and_asked_again(house: House, witness: Witness) -> None:
    listed(house, witness)
    for size in (1, 3, 5):
        assert only(house).said == "cosignature"
        assert witness.size == size
        grow(house, f"p{size}")
    # It has forgotten some of it, then all: it says so, and is shown the way from there.
    assert only(house).said == "cosignature"
    assert witness.asked[-1].startswith(b"old 5\n")
    grow(house, "late")
    witness.size, witness.root = 0, b""
    asked = len(witness.asked)
    assert only(house).said == "cosignature"
    assert [body.partition(b"\n")[0] for body in witness.asked[asked:]] == [b"old 7", b"old 0"]


def test_a_heartbeat_renews_the_same_checkpoint(
    house: House, witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(house, witness)
    start = now()
    clock = {"s": start}
    object.__setattr__(house.desk, "clock_s", lambda: clock["s"])
    witness.clock_s = lambda: clock["s"]
    monkeypatch.setattr(house.settings, "anchor_every_s", 3600)
    assert only(house, patient=True).said == "cosignature"
    clock["s"] = start + 1700
    assert house.anchor().outcomes == ()
    clock["s"] = start + 1900
    assert only(house, patient=True).said == "cosignature"
    assert received(house) == [(0, 1), (1, 1)]
    note = parse_tlog_proof(proving.prove_entry(house.desk, 0)).checkpoint
    (line,) = note.splitlines(keepends=True)[5:]
    assert check(line, house.checkpoint(), parse_cosigner(ED25519.vkey)) == start + 1900


def test_published_cosignatures(shared: Path) -> None:
    """Of real witnesses; the log's own key may be of any kind."""
    cases = json.loads((shared / "vectors/cosignature_sunlight.json").read_text())["cases"]
    for case in cases:
        key = parse_cosigner(case["vkey"])
        assert key.vkey == case["vkey"]
        note = parse_note(case["checkpoint"].encode())
        (mine,) = [one for one in note.signatures if one.key_id == key.key_id]
        assert key.signed_at_s(mine, note.text) == 0x69546780
    assert len(cases) == 3


BROKEN_VKEYS = {
    "": "form name",
    "w": "form name",
    "w+00000000+AAAA": "0x04",
    ED25519.vkey.replace("w1+", "w2+"): "key id should be",
    ED25519.vkey + "=": "not base64|is not an Ed25519 key of a witness",
    ED25519.vkey[:-1]: "not base64|is not an Ed25519 key of a witness",
    Cosigner("w" * 201).vkey: "at most 200 bytes",
}


@pytest.mark.parametrize("vkey", BROKEN_VKEYS)
def test_broken_vkeys(vkey: str) -> None:
    with pytest.raises(InvalidInput, match=BROKEN_VKEYS[vkey]):
        parse_cosigner(vkey)


def test_it_is_down(house: House) -> None:
    with serving(Witness(house.log.log_key.vkey, [ED25519])) as gone:
        listed(house, gone)
    outcome = only(house)
    assert (outcome.said, outcome.error) == ("failed", "127.0.0.1 can't be reached: ConnectError")
