"""Sum trees in arrays against the recursive trie of the forger's workshop."""

import hashlib
import random
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidInput
from ledger.lots import sumtree
from tests.verifier.forge_lots import Sum, bit, packed_path, sum_node, trie, trie_path

Trees = Mapping[int, Sequence[Sum]]  # position: leaves


def grown(trees: Trees, seed: int = 0) -> sumtree.Roots:
    """All trees at once, leaves in any order; every leaf is a target, tree by tree."""
    cells = [(position, *one) for position in sorted(trees) for one in trees[position]]
    order = list(range(len(cells)))
    random.Random(seed).shuffle(order)
    shuffled = [cells[i] for i in order]
    return sumtree.grow(
        np.array([position for position, _, _ in shuffled], dtype=np.int64),
        np.frombuffer(b"".join(hash_ for _, hash_, _ in shuffled), sumtree.HASH),
        np.array([wh for _, _, wh in shuffled], dtype=np.int64),
        [order.index(i) for i in range(len(cells))],
    )


def climb(leaf: Sum, path: bytes) -> Sum:
    """From a leaf upward, as a verifier reads a path (§9): the sides come from the leaf's hash."""
    levels, width = path[0], (path[0] + 7) // 8
    sides, presence, at = path[1 : 1 + width], path[1 + width : 1 + 2 * width], 1 + 2 * width
    node = leaf
    for i in range(levels):
        side = sides[i // 8] >> i % 8 & 1
        assert side == bit(leaf[0], levels - 1 - i)
        sibling = bytes(32), 0
        if presence[i // 8] >> i % 8 & 1:
            sibling = path[at : at + 32], int.from_bytes(path[at + 32 : at + 40], "big")
            assert sibling[1] > 0
            at += 40
        node = sum_node(sibling, node) if side else sum_node(node, sibling)
    assert at == len(path)
    return node


def check(trees: Trees, seed: int = 0) -> None:
    found = grown(trees, seed)
    assert found.position.tolist() == sorted(trees)
    paths = iter(found.paths)
    for place, position in enumerate(sorted(trees)):
        leaves = trees[position]
        root = trie(leaves)
        assert (found.root[place].tobytes(), int(found.wh[place])) == root
        for leaf in leaves:
            path = next(paths)
            assert path == packed_path(trie_path(leaves, leaf))
            assert climb(leaf, path) == root
    assert next(paths, None) is None


def some(count: int, seed: str) -> list[Sum]:
    return [
        (hashlib.sha256(f"{seed} {i}".encode()).digest(), 1 + (i * 7919) % 1000)
        for i in range(count)
    ]


def crafted(bits: str, tail: int = 0) -> bytes:
    """A hash that begins with these bits."""
    return int(bits.ljust(64, "0"), 2).to_bytes(8, "big") + tail.to_bytes(24, "big")


@pytest.mark.parametrize("count", range(1, 41))
def test_each_size(count: int) -> None:
    check({position: some(count, f"{count} {position}") for position in (0, 5, 2975)}, count)


def test_sizes_side_by_side() -> None:
    check({7 * size: some(size, str(size)) for size in range(1, 41)})


@pytest.mark.parametrize("shared", [1, 7, 8, 9, 31, 32, 33, 62, 63])
@pytest.mark.parametrize("digit", "01")
def test_one_sided_chains(shared: int, digit: str) -> None:
    """Two leaves that part late: every level above has one child alone."""
    stem = digit * shared
    check({3: [(crafted(stem + "0"), 5), (crafted(stem + "1"), 6)]})


def test_a_chain_with_a_leaf_at_each_depth() -> None:
    stems = ["0" * depth + "1" for depth in range(63)]
    check({0: [(crafted(stem), 1 + depth) for depth, stem in enumerate(stems)]})


def test_chains_of_different_depths_in_one_month() -> None:
    deep = [(crafted("1" * 40 + side), 2) for side in "01"]
    shallow = [(crafted(side), 3) for side in "01"]
    check({0: shallow, 1: deep, 2: [(crafted("10"), 1)], 3: [*deep, (crafted("0"), 9)]})


def test_the_same_hash_in_two_quarter_hours_is_no_tie() -> None:
    check({0: some(3, "x"), 1: some(3, "x")})


@pytest.mark.parametrize("tail", [0, 1])
def test_64_shared_bits_are_refused(tail: int) -> None:
    with pytest.raises(InvalidInput, match="share 64 bits"):
        grown({0: [(crafted("1"), 1), (crafted("1", tail), 1)]})


def test_no_leaf_no_root() -> None:
    assert len(grown({}).position) == 0


def test_large_amounts_add_up() -> None:
    check({0: [(crafted("0"), 2**62), (crafted("10"), 2**61), (crafted("11"), 2**61 - 1)]})


# Few free bits at the top, so that hashes share many.
_KEYS = st.lists(
    st.tuples(st.integers(0, 63), st.integers(0, 2**12 - 1)).map(
        lambda pair: crafted(f"{pair[1]:012b}".rjust(pair[0] % 52 + 12, "0"))
    ),
    min_size=1,
    max_size=40,
    unique=True,
)


@given(st.dictionaries(st.integers(0, 9), _KEYS, min_size=1, max_size=4), st.integers(0, 99))
def test_any_forest(keys: dict[int, list[bytes]], seed: int) -> None:
    check(
        {
            position: [(hash_, 1 + i * i) for i, hash_ in enumerate(hashes)]
            for position, hashes in keys.items()
        },
        seed,
    )


@given(st.lists(st.integers(1, 2**40), min_size=1, max_size=20))
def test_leaf_hashes_are_those_of_the_page(amounts: list[int]) -> None:
    nonces = [hashlib.md5(str(i).encode()).digest() for i in range(len(amounts))]
    found = sumtree.leaf_hashes(
        b"\x07" * 16, np.frombuffer(b"".join(nonces), "V16"), np.array(amounts, dtype=np.int64)
    )
    for i, wh in enumerate(amounts):
        written = b"L" + nonces[i] + b"\x07" * 16 + wh.to_bytes(8, "big")
        assert found[i].tobytes() == hashlib.sha256(written).digest()
