"""Every tree up to 64 leaves, and larger ones across the borders of tiles, against RFC 6962 §2.1 as
it is written: `tests.verifier.forge` has the recursive definitions, and shares no code with us.
"""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidInput
from ledger.log import merkle, tiles
from tests.verifier import forge

LEAVES = [forge.leaf(b"leaf %d" % number) for number in range(65_540)]
SIZES = range(65)
ACROSS_TILES = [255, 256, 257, 511, 512, 513, 4_000, 65_535, 65_536, 65_537]


class Grown:
    """A tree grown in uneven steps, its tiles kept as a ledger keeps them."""

    def __init__(self, size: int, steps: random.Random) -> None:
        self.edge = tiles.EMPTY_EDGE
        self.stored: dict[tuple[int, int], bytes] = {}
        self.range = merkle.CompactRange()
        at = 0
        while at < size:
            end = min(size, at + steps.choice([1, 2, 3, 100, 255, 256, 257, 1000, 70_000]))
            self.edge, full = tiles.extend(self.edge, LEAVES[at:end])
            for tile in full:
                assert (tile.level, tile.number) not in self.stored
                self.stored[tile.level, tile.number] = tile.hashes
            at = end
        for leaf in LEAVES[:size]:
            self.range.append(leaf)

    def nodes(self) -> tiles.TileNodes:
        """Read again from the bytes that a ledger stores."""
        edge = tiles.Edge.decode(self.edge.size, self.edge.encode())
        assert edge == self.edge
        return tiles.TileNodes(edge, lambda level, number: self.stored[level, number])


def grown(size: int) -> Grown:
    return Grown(size, random.Random(size))


@pytest.mark.parametrize("size", SIZES)
def test_every_root(size: int) -> None:
    wanted = forge.mth(LEAVES[:size])
    tree = grown(size)
    assert merkle.root(LEAVES[:size]) == wanted
    assert merkle.tree_root(size, tree.nodes()) == wanted
    assert tree.range.root() == wanted


@pytest.mark.parametrize("size", SIZES)
def test_every_inclusion_path(size: int) -> None:
    nodes, levels = grown(size).nodes(), merkle.levels(LEAVES[:size])
    for index in range(size):
        wanted = forge.inclusion(index, LEAVES[:size])
        assert merkle.inclusion_path(index, size, nodes) == wanted
        assert merkle.path_in(levels, index) == wanted


@pytest.mark.parametrize("size", SIZES)
def test_every_consistency_path(size: int) -> None:
    nodes = grown(size).nodes()
    for old in range(1, size + 1):
        assert merkle.consistency_path(old, size, nodes) == forge.consistency(old, LEAVES[:size])


@pytest.mark.parametrize("size", SIZES)
def test_an_older_root_from_a_larger_tree(size: int) -> None:
    """A proof against an old checkpoint is made from the tiles of the present."""
    nodes = grown(64).nodes()
    assert merkle.tree_root(size, nodes) == forge.mth(LEAVES[:size])
    for index in range(size):
        wanted = forge.inclusion(index, LEAVES[:size])
        assert merkle.inclusion_path(index, size, nodes) == wanted


@pytest.mark.parametrize("size", SIZES)
def test_a_compact_range_goes_on_from_where_it_was_kept(size: int) -> None:
    kept = grown(size).range
    resumed = merkle.CompactRange(size, list(kept.hashes))
    for leaf in LEAVES[size:64]:
        resumed.append(leaf)
    assert resumed.root() == forge.mth(LEAVES[:64])
    assert len(kept.hashes) == size.bit_count()


@pytest.mark.parametrize("size", ACROSS_TILES)
def test_trees_across_tiles(size: int) -> None:
    tree, pick = grown(size), random.Random(-size)
    nodes = tree.nodes()
    assert merkle.tree_root(size, nodes) == tree.range.root() == forge.mth(LEAVES[:size])
    borders = {0, size - 1, size // 2, 255, 256, 65_535, 65_536, pick.randrange(size)}
    for index in sorted(border for border in borders if border < size):
        wanted = forge.inclusion(index, LEAVES[:size])
        assert merkle.inclusion_path(index, size, nodes) == wanted
    for old in sorted({1, 255, 256, 257, size - 1, pick.randrange(1, size)}):
        if old <= size:
            wanted = forge.consistency(old, LEAVES[:size])
            assert merkle.consistency_path(old, size, nodes) == wanted


@given(st.lists(st.integers(min_value=0, max_value=600), max_size=6))
def test_tiles_do_not_depend_on_the_steps(steps: list[int]) -> None:
    edge, at = tiles.EMPTY_EDGE, 0
    made: list[tiles.Tile] = []
    for step in steps:
        edge, full = tiles.extend(edge, LEAVES[at : at + step])
        made += full
        at += step
    at_once, full_at_once = tiles.extend(tiles.EMPTY_EDGE, LEAVES[:at])
    assert edge.size == at_once.size == at
    padded = [*edge.pending, *[()] * 3][:3]
    assert padded == [*at_once.pending, *[()] * 3][:3]
    by_place = {(tile.level, tile.number): tile for tile in made}
    assert by_place == {(tile.level, tile.number): tile for tile in full_at_once}
    assert len(made) == len(full_at_once)


def test_a_tile_root_is_the_root_over_its_hashes() -> None:
    _, full = tiles.extend(tiles.EMPTY_EDGE, LEAVES[:512])
    assert [(tile.level, tile.number) for tile in full] == [(0, 0), (0, 1)]
    for tile in full:
        mine = LEAVES[256 * tile.number : 256 * (tile.number + 1)]
        assert tile.hashes == b"".join(mine)
        assert tile.root == forge.mth(mine)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundles_come_back(entries: list[bytes]) -> None:
    assert list(tiles.read_bundle(io.BytesIO(tiles.bundle(entries)))) == entries


@pytest.mark.parametrize("cut", range(1, 8))
def test_a_bundle_that_is_cut_off(cut: int) -> None:
    data = tiles.bundle([b"ab", b"abcde"])[:-cut] if cut != 7 else b"\x00"
    with pytest.raises(InvalidInput, match="entry bundle is cut off"):
        list(tiles.read_bundle(io.BytesIO(data)))


@pytest.mark.parametrize("length", [0, 1, 31, 33, 8_191, 8_193, 8_224])
def test_a_tile_of_a_wrong_length(length: int) -> None:
    with pytest.raises(InvalidInput, match=f"a tile of {length} bytes"):
        tiles.split_hashes(bytes(length))


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 523, 65_536])
def test_an_edge_that_does_not_fit_its_size_is_refused(size: int) -> None:
    """The edge comes from the database: any other bytes are an error with a name, not a crash."""
    edge, _ = tiles.extend(tiles.EMPTY_EDGE, LEAVES[:size])
    good = edge.encode()
    assert tiles.Edge.decode(size, good) == edge
    for wrong in (good[:-1], good + b"\x00", b"\xff" + good[1:], b""):
        with pytest.raises(InvalidInput, match="right edge"):
            tiles.Edge.decode(size, wrong)
    for other in (size + 1, size - 1, size + 256, -size, 2**40):
        if other != size:
            with pytest.raises(InvalidInput, match="right edge"):
                tiles.Edge.decode(other, good)
