"""The tree over a log's entries as it grows, tile by tile: enough to go on, to compare published
tiles, and to compute the root."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from greenledger_verify.merkle import CompactRange, leaf_hash, tree_root
from greenledger_verify.tiles import TILE_WIDTH, TileName

# A tile that became full, or was partial where the tree ends, and its hashes.
OnTile = Callable[[TileName, Sequence[bytes]], None]


def ignore(_name: TileName, _hashes: Sequence[bytes]) -> None:
    """For trees whose tiles nobody compares."""


class Tree:
    """`levels`: of each tile level, the hashes of its partial tile (0 to 255)."""

    def __init__(self) -> None:
        self.size = 0
        self.levels: list[list[bytes]] = [[]]

    def copy(self) -> Tree:
        other = Tree()
        other.size, other.levels = self.size, [list(level) for level in self.levels]
        return other

    def append(self, entry: bytes, on_tile: OnTile = ignore) -> None:
        self.levels[0].append(leaf_hash(entry))
        self.size += 1
        level = 0
        while len(self.levels[level]) == TILE_WIDTH:
            hashes = self.levels[level]
            number = (self.size >> _HEIGHT * (level + 1)) - 1
            on_tile(TileName(level=level, number=number), hashes)
            self.levels[level] = []
            if len(self.levels) == level + 1:
                self.levels.append([])
            level += 1
            self.levels[level].append(tree_root(hashes))

    def right_edge(self, on_tile: OnTile) -> None:
        """The partial tiles that the tree ends in."""
        for level, hashes in enumerate(self.levels):
            if hashes:
                number = self.size >> _HEIGHT * (level + 1)
                on_tile(TileName(level=level, number=number, width=len(hashes)), hashes)

    def root(self) -> bytes:
        edge = CompactRange()
        for level in reversed(range(len(self.levels))):
            for subtree_root in self.levels[level]:
                edge.append(subtree_root, TILE_WIDTH**level)
        return edge.root()


_HEIGHT: Final = TILE_WIDTH.bit_length() - 1
