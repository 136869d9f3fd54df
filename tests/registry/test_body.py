"""The body of units: what goes in comes out, and no bit of it can change."""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenledger_verify.merkle import verify_inclusion
from ledger.errors import InvalidInput
from ledger.log import merkle
from ledger.registry.body import LEAF_BYTES_MAX, UnitsBody

SECRET = bytes(range(32))
ORIGIN, ID = "park.example/tests", "1" * 32
JSON = st.recursive(
    st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
LEAVES = st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=4), min_size=1, max_size=6)


def seal(leaves: list[dict[str, Any]], **changes: Any) -> UnitsBody:
    members: dict[str, Any] = {"secret": SECRET, "origin": ORIGIN, "id_": ID}
    return UnitsBody.seal(leaves, **(members | changes))


def opened(data: bytes) -> UnitsBody:
    return UnitsBody.open(data, origin=ORIGIN, id_=ID)


@given(LEAVES)
def test_what_is_sealed_is_opened(leaves: list[dict[str, Any]]) -> None:
    body = seal(leaves)
    again = opened(body.data)
    assert (again.key, again.data, again.leaves) == (body.key, body.data, body.leaves)
    assert again.size == len(leaves)
    assert [again.json(number) for number in range(again.size)] == leaves


def test_the_bytes_are_as_the_page_says() -> None:
    """docs/formats.md §3.6, by hand: nonces, leaves and the tree of three."""
    leaves: list[dict[str, Any]] = [{"a": 1}, {"b": "é"}, {"c": []}]
    texts = ['{"a":1}', '{"b":"é"}', '{"c":[]}']
    body = seal(leaves)
    plain = b"GLU1" + SECRET + struct.pack(">I", 3)
    for text in texts:
        plain += struct.pack(">I", len(text.encode())) + text.encode()
    assert body.data == plain
    seed = f"greenledger/units/v1\n{SECRET.decode('latin-1')}{ORIGIN}\n{ID}".encode("latin-1")
    stream = hashlib.shake_256(seed).digest(48)
    hashed = [
        hashlib.sha256(b"\0" + stream[16 * at : 16 * at + 16] + text.encode()).digest()
        for at, text in enumerate(texts)
    ]
    pair = hashlib.sha256(b"\1" + hashed[0] + hashed[1]).digest()
    assert body.key == hashlib.sha256(b"\1" + pair + hashed[2]).hexdigest()


@given(LEAVES, st.data())
def test_any_bit_counts(leaves: list[dict[str, Any]], data: st.DataObject) -> None:
    body = seal(leaves)
    at = data.draw(st.integers(0, len(body.data) - 1))
    raw = bytearray(body.data)
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = opened(bytes(raw))
    except InvalidInput:
        return
    assert found.key != body.key


@given(LEAVES, st.data())
def test_no_byte_is_lost_or_added(leaves: list[dict[str, Any]], data: st.DataObject) -> None:
    body = seal(leaves)
    cut = data.draw(st.integers(0, len(body.data) - 1))
    with pytest.raises(InvalidInput):
        opened(body.data[:cut])
    with pytest.raises(InvalidInput, match="1 bytes follow the last leaf"):
        opened(body.data + b"x")


def test_neither_the_order_nor_a_double_is_hidden() -> None:
    one, other = {"a": 1}, {"b": 2}
    keys = {seal(found).key for found in ([one, other], [other, one], [one], [one, other, other])}
    assert len(keys) == 4


def test_the_same_in_another_entry_or_log_is_another() -> None:
    """Nobody recognises a leaf that he knows from elsewhere: nonces are of this entry."""
    leaf = {"owner": "mill"}
    bodies = [
        seal([leaf, leaf]),
        seal([leaf, leaf], id_="2" * 32),
        seal([leaf, leaf], origin="other.example/log"),
        seal([leaf, leaf], secret=bytes(32)),
    ]
    known = {one for body in bodies for one in body.leaves}
    assert len(known) == 8
    assert len({body.key for body in bodies}) == 4


def test_a_leaf_is_shown_alone() -> None:
    """With a path of hashes, by the stand-alone verifier's code; its neighbours stay hidden."""
    body = seal([{"n": number} for number in range(5)])
    hashes = [merkle.leaf_hash(leaf) for leaf in body.leaves]
    for number in range(5):
        path = merkle.path_in(merkle.levels(hashes), number)
        verify_inclusion(
            leaf_hash=hashes[number], index=number, size=5, path=path, root=bytes.fromhex(body.key)
        )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"[1]", "not a JSON object"),
        (b"3", "not a JSON object"),
        (b'{"a":1,"a":2}', "twice|duplicate|repeat"),
        (b'{"a":1.5}', "1.5|number|integer"),
        (b'{"a":', "JSON"),
        (b"\xff", "not UTF-8"),
        (b'{"a":NaN}', "NaN|number|JSON"),
    ],
)
def test_leaves_that_are_no_object_of_our_kind(text: bytes, why: str) -> None:
    data = b"GLU1" + SECRET + struct.pack(">II", 1, len(text)) + text
    with pytest.raises(InvalidInput, match=why):
        opened(data).json(0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GLU1",
        b"GLU2" + bytes(36),
        b"GLU1" + SECRET + struct.pack(">I", 1),
        b"GLU1" + SECRET + struct.pack(">II", 1, LEAF_BYTES_MAX + 1) + bytes(LEAF_BYTES_MAX + 1),
        b"GLU1" + SECRET + struct.pack(">II", 2, 2) + b"{}",
        b"GLU1" + SECRET + struct.pack(">I", 2**32 - 1),
    ],
    ids=["empty", "magic", "other", "no leaf", "too long", "one of two", "many"],
)
def test_bytes_that_are_no_body(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        opened(data)


def test_json_is_kept_as_it_came() -> None:
    text = json.dumps({"z": 1, "a": 2}, indent=1).encode()
    data = b"GLU1" + SECRET + struct.pack(">II", 1, len(text)) + text
    assert opened(data).data == data
