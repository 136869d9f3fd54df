"""Bodies of claims: the sum tree of the page, cells, halves; what is refused; and manifests."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.claims.body import ClaimBody, Claimed
from ledger.claims.manifest import Manifest
from ledger.errors import InvalidInput
from ledger.lots.packed import Int64
from ledger.units import Period
from tests.verifier.forge_lots import Sum, sum_mth, u64

SECRET, ID, ORIGIN = b"s" * 32, "1f" * 16, "park.example/1"
START_S = 1_772_294_400
A, B, C, D = (letter * 16 for letter in (b"a", b"b", b"c", b"d"))

Cells = Mapping[bytes, Mapping[int, int]]


def wh(*values: int) -> Int64:
    return np.array(values, dtype=np.int64)


def seal(*lots: Claimed, count: int = 4, start_s: int = START_S) -> ClaimBody:
    return ClaimBody.seal(lots, start_s=start_s, count=count, secret=SECRET, origin=ORIGIN, id_=ID)


def lot(id_: bytes, *values: int, first: int = 0) -> Claimed:
    return Claimed(lot=id_, first=first, wh=wh(*values))


GOOD = (lot(A, 5, 0, 300), lot(B, 5, 0, 299), lot(C, 1, 2, first=2), lot(D, 2, first=3))


def of_the_page(cells: Cells, count: int) -> tuple[str, Sum]:
    """body.root and the tree's root (§3.5), cell by cell."""
    text = b"greenledger/claim/v1\n" + SECRET + f"{ORIGIN}\n{ID}".encode()
    nonces = hashlib.shake_256(text).digest(16 * count)
    leaves = []
    for at in range(count):
        here = [(id_, mine[at]) for id_, mine in sorted(cells.items()) if mine.get(at)]
        half = sum(amount for _, amount in here) // 2
        written = b"".join(id_ + u64(amount) for id_, amount in here)
        raw = b"I" + nonces[16 * at :][:16] + u64(half) + written
        leaves.append((hashlib.sha256(raw).digest(), half))
    root = sum_mth(leaves)
    return hashlib.sha256(b"C" + root[0] + u64(root[1])).hexdigest(), root


def claimed(cells: Cells) -> list[Claimed]:
    return [
        Claimed(
            lot=id_,
            first=min(mine, default=0),
            wh=wh(
                *(mine.get(at, 0) for at in range(min(mine, default=0), max(mine, default=-1) + 1))
            ),
        )
        for id_, mine in sorted(cells.items())
    ]


@pytest.mark.parametrize("count", [*range(1, 20), 31, 32, 33, 63, 64, 65, 100])
def test_trees_of_each_size(count: int) -> None:
    cells = {
        A: {at: 1 + at * at for at in range(count)},
        B: {at: 1 + at * at for at in range(count) if at % 3},
        C: {at: 1 + at * at for at in range(0, count, 3)},
    }
    made = seal(*claimed(cells), count=count)
    assert (made.key, made.root) == of_the_page(cells, count)
    assert (made.size, made.total_wh) == (count, sum(cells[A].values()))
    assert made.levels[-1] == [made.root]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Cells, int]:
    """Lots of supply and of cover with equal sums, spread anyhow over several lots."""
    count = draw(st.integers(1, 9))
    cells: dict[bytes, dict[int, int]] = {}
    for at in range(count):
        total = draw(st.integers(0, 2**40))
        for one, other in ((A, B), (C, D)):
            cut = draw(st.integers(0, total))
            for id_, amount in ((one, cut), (other, total - cut)):
                if amount:
                    cells.setdefault(id_, {})[at] = amount
    return cells, count


@given(pairs())
def test_any_claim_there_and_back(park: tuple[Cells, int]) -> None:
    cells, count = park
    made = seal(*claimed(cells), count=count)
    assert (made.key, made.root) == of_the_page(cells, count)
    opened = ClaimBody.open(made.data, origin=ORIGIN, id_=ID)
    assert (opened.key, opened.data) == (made.key, made.data)
    for at in range(count):
        part = opened.cells.at(at)
        found = {
            opened.lots[place].lot: amount
            for place, amount in zip(
                opened.cells.place[part].tolist(), opened.cells.wh[part].tolist(), strict=True
            )
        }
        assert found == {id_: mine[at] for id_, mine in cells.items() if mine.get(at)}


def test_a_body_belongs_to_one_entry() -> None:
    made = seal(*GOOD)
    for origin, id_ in ((ORIGIN, "2f" * 16), ("park.example/2", ID)):
        assert ClaimBody.open(made.data, origin=origin, id_=id_).key != made.key


def test_a_lot_without_any_cell_may_stand_there() -> None:
    empty = Claimed(lot=b"e" * 16, first=0, wh=np.empty(0, dtype=np.int64))
    zeros = lot(b"f" * 16, 0, 0)
    assert seal(*GOOD, empty, zeros).key == seal(*GOOD).key
    assert seal(empty).total_wh == 0


@pytest.mark.parametrize(
    ("lots", "why"),
    [
        ((lot(A, 5), lot(B, 4)), "two equal halves"),
        ((lot(A, 5, 4), lot(B, 4, 5)), "two equal halves"),
        ((lot(B, 5), lot(A, 5)), "sorted, none twice"),
        ((lot(A, 5), lot(A, 5)), "sorted, none twice"),
        ((lot(A, -2), lot(B, 4)), "negative, or past the period"),
        ((lot(A, 5, first=4), lot(B, 5, first=4)), "past the period"),
        ((lot(A, 0, 0, 0, 0, 0),), "past the period"),
        ((lot(A, 5, first=2**32 - 1), lot(B, 5)), "past the period"),
        ((lot(A, 2**62), lot(B, 2**62)), "overflow"),
        ((lot(A, 2**62, 2**62), lot(B, 0, 2**62), lot(C, 2**62)), "overflow"),
        ((lot(A, 2**62), lot(B, 2**62), lot(C, 2**62), lot(D, 2**62)), "overflow"),
        ((lot(A, 2**63 - 1), lot(B, 2**63 - 1)), "overflow"),
    ],
)
def test_malformed_claims(lots: tuple[Claimed, ...], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        seal(*lots)


@pytest.mark.parametrize(
    ("count", "start_s"), [(0, START_S), (2**20 + 1, START_S), (4, -900), (4, 253_402_300_800)]
)
def test_periods_that_are_none(count: int, start_s: int) -> None:
    with pytest.raises(InvalidInput, match="is none"):
        seal(count=count, start_s=start_s)


def _put(at: int, new: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data[:at] + new + data[at + len(new) :]


LOT_AT = 4 + 32 + 8 + 4 + 4


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_put(0, b"GLC2"), "begins with GLC1"),
        (lambda data: data + b"\0", "1 bytes too many"),
        (_put(LOT_AT - 4, struct.pack(">I", 3)), "bytes too many"),
        (_put(LOT_AT - 4, b"\xff" * 4), "cut off"),
        (_put(36, b"\xff" * 8), "is none"),
        (_put(44, struct.pack(">I", 3)), "past the period"),
        (_put(44, b"\xff" * 4), "is none"),
        (_put(LOT_AT, b"z" * 16), "sorted"),
        (_put(LOT_AT + 16, b"\xff" * 4), "past the period"),
        (_put(LOT_AT + 20, b"\xff" * 4), "cut off"),
        (_put(LOT_AT + 24, b"\x08"), "cut off|fewer would do|halves|bytes|past"),
    ],
)
def test_malformed_bytes(change: Callable[[bytes], bytes], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        ClaimBody.open(change(seal(*GOOD).data), origin=ORIGIN, id_=ID)


def test_every_cut_is_refused() -> None:
    data = seal(*GOOD).data
    for size in range(len(data)):
        with pytest.raises(InvalidInput):
            ClaimBody.open(data[:size], origin=ORIGIN, id_=ID)


@given(st.data())
def test_changed_bytes_say_something_else_or_nothing(data: st.DataObject) -> None:
    made = seal(*GOOD)
    at = data.draw(st.integers(4, len(made.data) - 1))
    changed = bytearray(made.data)
    changed[at] ^= data.draw(st.integers(1, 255))
    try:
        opened = ClaimBody.open(bytes(changed), origin=ORIGIN, id_=ID)
    except InvalidInput:
        return
    # Only the start stands outside of the tree; the manifest repeats it.
    assert opened.key != made.key or opened.start_s != made.start_s


# Manifests

MANIFEST = Manifest(
    consumer="mill",
    points=(A, B),
    period=Period(start_s=START_S, end_s=START_S + 3600),
    as_of=7,
    by_class_wh={2: 10, 4: 1},
    consumption_wh=20,
    estimated_wh=3,
)


def test_a_manifest_there_and_back() -> None:
    written = MANIFEST.to_json()
    assert Manifest.from_json(written) == MANIFEST
    assert (written["claimed_wh"], written["residual_wh"]) == (11, 9)
    assert (written["from"], written["to"]) == ("2026-02-28T16:00:00Z", "2026-02-28T17:00:00Z")


@pytest.mark.parametrize(
    "changes",
    [
        {"consumer": "Mill"},
        {"points": []},
        {"points": [B.hex(), A.hex()]},
        {"points": [A.hex(), A.hex()]},
        {"points": ["AB" * 16]},
        {"points": A.hex()},
        {"from": "2026-02-28"},
        {"to": "2026-02-28T16:00:00Z"},
        {"to": "2026-02-28T15:00:00Z"},
        {"as_of": -1},
        {"as_of": "7"},
        {"as_of": True},
        {"claimed_wh": 12},
        {"claimed_wh": 12, "residual_wh": 8},
        {"residual_wh": 10},
        {"residual_wh": -9, "consumption_wh": 2},
        {"consumption_wh": 10},
        {"consumption_wh": 2**53},
        {"by_class": {}},
        {"by_class": [{"class": 2, "wh": 11}, {"class": 2, "wh": 0}]},
        {"by_class": [{"class": 4, "wh": 1}, {"class": 2, "wh": 10}]},
        {"by_class": [{"class": 2, "wh": 5}, {"class": 2, "wh": 6}]},
        {"by_class": [{"class": 0, "wh": 11}]},
        {"by_class": [{"class": 6, "wh": 11}]},
        {"by_class": [{"class": 2, "wh": 11, "why": 1}]},
        {"by_class": [{"class": 2}]},
        {"by_class": [[2, 11]]},
        {"by_class": [{"class": True, "wh": 11}]},
        {"reason": "x" * 501},
        {"reason": "a\nb"},
        {"reason": None},
        {"extra": 1},
    ],
)
def test_manifests_that_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        Manifest.from_json({**MANIFEST.to_json(), **changes})


@pytest.mark.parametrize("member", MANIFEST.to_json())
def test_no_member_may_be_missing(member: str) -> None:
    written = MANIFEST.to_json()
    del written[member]
    with pytest.raises(InvalidInput, match=member):
        Manifest.from_json(written)
