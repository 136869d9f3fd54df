"""Bodies of divisions: sealed, opened, refused; and what one lot's key gives away: that lot."""

import hashlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidInput
from ledger.log import merkle
from ledger.lots import sumtree
from ledger.lots.division import DividedLot, DividedOrigin, Division, Place, lot_nonces
from ledger.lots.model import NO_LOT
from ledger.lots.packed import Int64
from tests.verifier import forge_lots as naive
from tests.verifier.forge import leaf, mth

SECRET = b"s" * 32
ID = "1f" * 16
ORIGIN = "park.example/1"
LOTS = tuple(bytes([number]) * 16 for number in range(1, 5))
PLACE = Place(origin=ORIGIN, id=ID, creates=LOTS)
POINTS = (b"a" * 16, b"b" * 16)
START_S = naive.month_start("2026-02")

Origins = tuple[DividedOrigin, ...]


def wh(*values: int) -> Int64:
    return np.array(values, dtype=np.int64)


def lot(number: int, class_: int, *values: int) -> DividedLot:
    holder = POINTS[number % 2] if class_ else bytes(16)
    return DividedLot(number=number, supply_class=class_, holder=holder, wh=wh(*values))


def origin(*lots: DividedLot, **changes: Any) -> DividedOrigin:
    """An origin of revision 0 that holds what its lots are; four quarter-hours."""
    total = sum((one.wh for one in lots[1:]), lots[0].wh)
    rest = [LOTS[one.number] for one in lots if one.supply_class == 0]
    members: dict[str, Any] = {
        "start_s": START_S,
        "carried": NO_LOT,
        "remainder": rest[0] if rest else NO_LOT,
        "readings": np.frombuffer(bytes(range(128)), sumtree.HASH),
        "base_wh": wh(0, 0, 0, 0),
        "carried_wh": wh(0, 0, 0, 0),
        "fresh_wh": total,
        "lots": lots,
    }
    return DividedOrigin(**{**members, **changes})


GOOD = (
    origin(lot(0, 2, 5, 0, 7, 1), lot(2, 0, 1, 0, 300, 0)),
    origin(lot(1, 2, 0, 0, 70_000, 1), lot(3, 4, 0, 0, 0, 2**40)),
)


def seal(origins: Sequence[DividedOrigin] = GOOD, **changes: Any) -> Division:
    return Division.seal(origins, secret=SECRET, place=replace(PLACE, **changes))


def same(one: DividedOrigin, other: DividedOrigin) -> bool:
    mine, theirs = (
        (
            a.start_s,
            a.carried,
            a.remainder,
            a.readings.tobytes(),
            *(b.tolist() for b in (a.base_wh, a.carried_wh, a.fresh_wh)),
            [(c.number, c.supply_class, c.holder, c.wh.tolist()) for c in a.lots],
        )
        for a in (one, other)
    )
    return mine == theirs


def test_there_and_back() -> None:
    made = seal()
    opened = Division.open(made.data, place=PLACE)
    assert (opened.key, opened.data, opened.size) == (made.key, made.data, 6)
    assert all(map(same, opened.origins, GOOD))
    loaded = Division.load(made.data, place=PLACE, outer_roots=made.outer_roots, key=made.key)
    assert loaded.leaves == made.leaves
    assert merkle.root(merkle.leaf_hashes(loaded.leaves)).hex() == made.key
    assert [made.lot_of(number)[0] for number in range(4)] == [0, 1, 0, 1]


@pytest.mark.parametrize("change", [{"origin": "park.example/2"}, {"id": "2f" * 16}])
def test_a_body_belongs_to_one_entry(change: dict[str, Any]) -> None:
    assert seal(**change).key != seal().key


@st.composite
def books(draw: st.DrawFn) -> Origins:
    """Two origins with up to four lots, some empty quarter-hours, a carried lot, a remainder."""
    count = draw(st.integers(1, 6))
    owner = [draw(st.integers(0, 1)) for _ in range(4)]
    found = []
    for k in range(2):
        mine = [number for number in range(4) if owner[number] == k]
        rest = draw(st.sampled_from([None, *mine]))
        lots = []
        for number in mine:
            values = draw(st.lists(st.integers(0, 2**50), min_size=count, max_size=count))
            values[draw(st.integers(0, count - 1))] += 1
            lots.append(
                DividedLot(
                    number=number,
                    supply_class=0 if number == rest else draw(st.integers(1, 5)),
                    holder=draw(st.binary(min_size=16, max_size=16)),
                    wh=wh(*values),
                )
            )
        total = sum((one.wh for one in lots), np.zeros(count, dtype=np.int64))
        carried = draw(st.booleans())
        carried_wh = wh(*draw(st.lists(st.integers(0, 99), min_size=count, max_size=count)))
        found.append(
            DividedOrigin(
                start_s=START_S,
                carried=b"c" * 16 if carried else NO_LOT,
                remainder=NO_LOT if rest is None else LOTS[rest],
                readings=np.frombuffer(bytes([k]) * 32 * count, sumtree.HASH),
                base_wh=wh(*draw(st.lists(st.integers(0, 2**40), min_size=count, max_size=count))),
                carried_wh=carried_wh if carried else 0 * carried_wh,
                fresh_wh=total - carried_wh if carried else total,
                lots=tuple(lots),
            )
        )
    return tuple(found)


@given(books())
def test_any_division_there_and_back(origins: Origins) -> None:
    made = seal(origins)
    assert all(map(same, Division.open(made.data, place=PLACE).origins, origins))


def test_the_root_is_that_of_the_page() -> None:
    """A whole month, against trees by recursion."""
    count = naive.month_count("2026-02")
    places = {0: (40, 0), 1: (1, 2), 17: (0, 5), count - 1: (3, 4)}
    mine = np.zeros((2, count), dtype=np.int64)
    for position, pair in places.items():
        mine[:, position] = pair
    readings = np.zeros(count, dtype=sumtree.HASH)
    parts = tuple(
        DividedLot(number=number, supply_class=2, holder=POINTS[number], wh=mine[number])
        for number in range(2)
    )
    made = Division.seal(
        [
            DividedOrigin(
                start_s=START_S,
                carried=NO_LOT,
                remainder=NO_LOT,
                readings=readings,
                base_wh=0 * mine[0],
                carried_wh=0 * mine[0],
                fresh_wh=mine[0] + mine[1],
                lots=parts,
            )
        ],
        secret=SECRET,
        place=replace(PLACE, creates=LOTS[:2]),
    )
    book = naive.Origin("ab" * 16, "2026-02", 0, {at: sum(pair) for at, pair in places.items()}, {})
    lots = [
        naive.Lot(
            LOTS[number],
            book.name,
            2,
            POINTS[number].hex(),
            {at: pair[number] for at, pair in places.items()},
        )
        for number in range(2)
    ]
    theirs = naive.Division([book], lots, SECRET, -1, ID, ORIGIN)
    for number, one in enumerate(lots):
        one.key = theirs.stream(f"lot/{number}", 32)
    assert made.leaves == theirs.leaves()
    assert made.key == mth([leaf(raw) for raw in theirs.leaves()]).hex()
    outer, _, paths = made.open_origin(0, {1: np.array([1, count - 1])})
    assert outer == theirs.outer(book)
    assert paths[1] == [
        naive.packed_path(naive.trie_path(theirs.leaves_at(book, at), lots[1].leaf(at)))
        for at in (1, count - 1)
    ]


# What is refused

OVER = lot(0, 2, 2**62, 0, 0, 0), lot(1, 2, 2**62, 0, 0, 0)


@pytest.mark.parametrize(
    ("origins", "why"),
    [
        ((), "not those that its entry creates"),
        ((GOOD[0],), "not those that its entry creates"),
        ((GOOD[0], GOOD[1], GOOD[1]), "not those that its entry creates"),
        ((GOOD[0], origin(lot(1, 2, 1, 0, 0, 0), lot(4, 2, 1, 0, 0, 0))), "not those"),
        ((replace(GOOD[0], start_s=253_402_300_800), GOOD[1]), "not those of a month"),
        ((replace(GOOD[0], start_s=-900), GOOD[1]), "not those of a month"),
        ((replace(GOOD[0], base_wh=wh(0, -1, 0, 0)), GOOD[1]), "0 Wh or more"),
        (
            (replace(GOOD[0], carried=b"c" * 16, carried_wh=wh(-1, 0, 0, 0)), GOOD[1]),
            "0 Wh or more",
        ),
        (
            (
                replace(GOOD[0], carried_wh=wh(1, 0, 0, 0), fresh_wh=wh(5, 0, 307, 1)),
                GOOD[1],
            ),
            "no lot that it comes from",
        ),
        (
            (GOOD[0], origin(lot(1, 2, 0, 0, 0, 0), lot(3, 4, 0, 0, 0, 1))),
            "lot 1 is empty or negative",
        ),
        (
            (GOOD[0], origin(lot(1, 2, 2, -1, 0, 0), lot(3, 4, 0, 1, 0, 1))),
            "lot 1 is empty or negative",
        ),
        ((replace(GOOD[0], remainder=NO_LOT), GOOD[1]), "lot 2: the remainder, and no other"),
        ((GOOD[0], replace(GOOD[1], remainder=LOTS[1])), "lot 1: the remainder, and no other"),
        (
            (GOOD[0], origin(lot(1, 0, 1, 0, 0, 0), lot(3, 0, 1, 0, 0, 0))),
            "lot 3: the remainder, and no other",
        ),
        ((GOOD[0], replace(GOOD[1], remainder=LOTS[0])), "remainder of an origin is not among"),
        ((GOOD[0], replace(GOOD[1], remainder=b"x" * 16)), "remainder of an origin is not among"),
        ((GOOD[0], origin(*reversed(GOOD[1].lots))), "not in order"),
        ((GOOD[0], origin(*OVER[:1], lot(2, 2, 2**62, 0, 0, 0))), "not those that its entry"),
        (
            (replace(GOOD[0], fresh_wh=wh(6, 0, 307, 2)), GOOD[1]),
            "lots of quarter-hour 3 are 1 Wh, there are 2 Wh to divide",
        ),
        (
            (replace(GOOD[0], fresh_wh=wh(6, 1, 307, 1)), GOOD[1]),
            "lots of quarter-hour 1 are 0 Wh, there are 1 Wh to divide",
        ),
        (
            (replace(GOOD[0], fresh_wh=wh(6, -1, 307, 1)), GOOD[1]),
            "lots of quarter-hour 1 are 0 Wh, there are -1 Wh to divide",
        ),
    ],
)
def test_malformed_divisions(origins: Origins, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        seal(origins)


def test_lots_that_overflow() -> None:
    both = origin(*OVER, fresh_wh=wh(-(2**63), 0, 0, 0))
    with pytest.raises(InvalidInput, match="overflow"):
        seal((both,), creates=LOTS[:2])


def test_a_lot_without_an_id() -> None:
    """16 zero bytes stand for none: a lot of that name would be a remainder that nobody finds."""
    rest = replace(origin(lot(0, 0, 1, 0, 0, 0)), remainder=NO_LOT)
    with pytest.raises(InvalidInput, match="zeros is the id of no lot"):
        seal((rest,), creates=(NO_LOT,))


@pytest.mark.parametrize("count", [0, 3_001])
def test_more_or_fewer_quarter_hours_than_a_month_has(count: int) -> None:
    nothing = np.zeros(count, dtype=np.int64)
    one = origin(
        lot(0, 2, *[1] * count),
        readings=np.zeros(count, dtype=sumtree.HASH),
        base_wh=nothing,
        carried_wh=nothing,
        fresh_wh=nothing + 1,
    )
    with pytest.raises(InvalidInput, match=f"an origin has {count} quarter-hours"):
        seal((one,), creates=LOTS[:1])


# Bytes

ORIGIN_AT = 4 + 32 + 4  # where the first origin begins
ARRAYS_AT = ORIGIN_AT + 8 + 4 + 16 + 16 + 4 * 32


def test_every_cut_is_refused() -> None:
    data = seal().data
    for size in range(len(data)):
        with pytest.raises(InvalidInput):
            Division.open(data[:size], place=PLACE)


def _put(at: int, new: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data[:at] + new + data[at + len(new) :]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_put(0, b"GLD2"), "begins with GLD1"),
        (lambda data: data + b"\0", "1 bytes too many"),
        (_put(36, struct.pack(">I", 1)), "bytes too many"),
        (_put(36, struct.pack(">I", 0)), "bytes too many"),
        (_put(36, b"\xff" * 4), "cut off"),
        (_put(ORIGIN_AT, b"\xff" * 8), "not those of a month"),
        (_put(ORIGIN_AT + 8, struct.pack(">I", 3_001)), "3001 quarter-hours"),
        (_put(ORIGIN_AT + 8, b"\xff" * 4), "quarter-hours"),
        (_put(ARRAYS_AT, b"\x03"), "integers of 3 bytes"),
        (
            lambda data: (
                data[:ARRAYS_AT] + b"\x02" + bytes(8) + data[ARRAYS_AT + 5 :]  # base, too wide
            ),
            "fewer would do",
        ),
    ],
)
def test_malformed_bytes(change: Callable[[bytes], bytes], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        Division.open(change(seal().data), place=PLACE)


@given(st.data())
def test_no_changed_byte_has_the_same_root(data: st.DataObject) -> None:
    """Whatever still opens after a change is another division."""
    made = seal()
    at = data.draw(st.integers(0, len(made.data) - 1))
    changed = bytearray(made.data)
    changed[at] ^= data.draw(st.integers(1, 255))
    try:
        opened = Division.open(bytes(changed), place=PLACE)
    except InvalidInput:
        return
    assert opened.key != made.key


# Secrets


def test_a_key_opens_its_own_lot_and_nothing_else() -> None:
    made = seal()
    key = made.secrets.lot_key(1)
    held = lot_nonces(key, 4).tobytes()
    assert held == made.secrets.lot_nonces(1, 4).tobytes()
    streams = {
        "leaves": made.secrets.leaves(6),
        **{f"lot {number}": made.secrets.lot_nonces(number, 4).tobytes() for number in (0, 2, 3)},
        **{f"key {number}": made.secrets.lot_key(number) for number in (0, 2, 3)},
        **{f"empty {k}": made.secrets.empty_sums(k, 4).tobytes() for k in range(2)},
    }
    pieces = [one[at : at + 16] for one in streams.values() for at in range(0, len(one), 16)]
    mine = [held[at : at + 16] for at in range(0, len(held), 16)]
    assert len({*pieces, *mine}) == len(pieces) + len(mine)
    # With the key alone, whoever holds it finds its own leaf, and no other lot's.
    at = 2
    shown = [(hashlib.sha256(_leaf(held, 1, at, 70_000)).digest(), 70_000)]
    sums = made.open_origin(1, {})[1]
    assert sums[at].tobytes() == naive.trie(shown)[0]
    others = {
        hashlib.sha256(_leaf(held, number, at, amount)).digest()
        for number in (0, 2, 3)
        for amount in range(400)
    }
    assert made.open_origin(0, {})[1][at].tobytes() not in others


def _leaf(nonces: bytes, number: int, at: int, amount: int) -> bytes:
    return b"L" + nonces[16 * at : 16 * at + 16] + LOTS[number] + amount.to_bytes(8, "big")


def test_an_empty_quarter_hour_looks_like_any_other() -> None:
    """Its sum is secret, and another one for each place, origin and division."""
    made = seal()
    again = Division.seal(GOOD, secret=b"t" * 32, place=PLACE)
    empty = [one.open_origin(k, {})[1][1].tobytes() for one in (made, again) for k in range(2)]
    empty += [made.open_origin(1, {})[1][0].tobytes(), bytes(32)]
    assert len(set(empty)) == 6
