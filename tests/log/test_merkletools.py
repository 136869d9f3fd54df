"""Interop with merkletools 1.0.3 (on the design card): same roots and paths, when it is told to
prefix leaves with 0x00 and nodes with 0x01 as RFC 6962 does.
"""

from __future__ import annotations

import hashlib
import warnings
from importlib.metadata import version
from typing import Any

import pytest

from ledger.log import merkle, tiles

with warnings.catch_warnings():
    # It needs pysha3, which no longer compiles, for hashes that nobody asks of it here.
    warnings.filterwarnings("ignore", message="sha3 is not working!", category=UserWarning)
    import merkletools

ENTRIES = [b"entry %d" % number for number in range(299)]
OURS = merkle.leaf_hashes(ENTRIES)


def prefixed(pair: bytearray) -> Any:
    return hashlib.sha256(b"\x01" + pair)


def their_tree(size: int) -> Any:
    tree = merkletools.MerkleTools()
    tree.hash_function = prefixed
    tree.add_leaf([hashlib.sha256(b"\x00" + entry).hexdigest() for entry in ENTRIES[:size]])
    tree.make_tree()
    return tree


def our_nodes(size: int) -> tiles.TileNodes:
    edge, full = tiles.extend(tiles.EMPTY_EDGE, OURS[:size])
    stored = {(tile.level, tile.number): tile.hashes for tile in full}
    return tiles.TileNodes(edge, lambda level, number: stored[level, number])


def test_it_is_the_version_that_was_measured() -> None:
    assert version("merkletools") == "1.0.3"


@pytest.mark.parametrize("size", range(1, 300))
def test_roots_and_paths_are_the_same(size: int) -> None:
    theirs, nodes = their_tree(size), our_nodes(size)
    root = merkle.tree_root(size, nodes)
    assert root.hex() == theirs.get_merkle_root()
    every = range(size) if size <= 64 else {0, 1, size // 3, size // 2, size - 2, size - 1}
    for index in every:
        path = theirs.get_proof(index)
        hashes = [sibling for step in path for sibling in step.values()]
        assert [hash_.hex() for hash_ in merkle.inclusion_path(index, size, nodes)] == hashes
        assert theirs.validate_proof(path, OURS[index].hex(), root.hex())


def test_without_the_prefixes_it_takes_an_inner_node_for_a_leaf() -> None:
    """Why it is not our tree: its own defaults prove a leaf that was never added."""
    tree = merkletools.MerkleTools()
    tree.add_leaf(["aa" * 32, "bb" * 32, "cc" * 32, "dd" * 32])
    tree.make_tree()
    inner = hashlib.sha256(bytes.fromhex("aa" * 32 + "bb" * 32)).hexdigest()
    assert tree.validate_proof(tree.get_proof(0)[1:], inner, tree.get_merkle_root())
