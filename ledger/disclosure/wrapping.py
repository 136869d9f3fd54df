"""Breaking text of Chinese and Latin words into lines: between any two Chinese characters, and
between Latin words; no line begins with a closing mark. And columns that fit a page. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

Measure = Callable[[str], float]

# One Chinese character or mark, or a run of others without a blank.
_WIDE: Final = "\u2e80-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\u3000-\u303f"
_PIECE: Final = re.compile(rf"[ ]+|[{_WIDE}]|[^ {_WIDE}]+")
_NOT_FIRST: Final = frozenset("、，。；：？！）》」』】〉％,.;:?!)%’”…")
_NOT_LAST: Final = frozenset("（《「『【〈(‘“")


def wrap(text: str, width: float, measure: Measure) -> list[str]:
    """Lines of at most `width`, as `measure` sees them; a word that is longer is cut."""
    return [line for part in text.split("\n") for line in _wrap(part, width, measure)]


def _wrap(text: str, width: float, measure: Measure) -> Iterator[str]:
    line = ""
    for piece in _pieces(text):
        if measure((line + piece).rstrip()) <= width:
            line += piece
            continue
        if line.strip():
            yield line.rstrip()
        *full, line = _cut(piece.lstrip(), width, measure)
        yield from full
    yield line.rstrip()


def _pieces(text: str) -> Iterator[str]:
    """What stays together: a word, or a character with the marks that belong to it."""
    kept = ""
    for piece in _PIECE.findall(text):
        if kept and not (piece[0] in _NOT_FIRST or kept[-1] in _NOT_LAST):
            yield kept
            kept = ""
        kept += piece
    if kept:
        yield kept


def _cut(word: str, width: float, measure: Measure) -> list[str]:
    """A word in parts that fit: hashes, long names."""
    parts = [""]
    for character in word:
        if parts[-1] and measure(parts[-1] + character) > width:
            parts.append("")
        parts[-1] += character
    return parts


def longest_piece(text: str, measure: Measure) -> float:
    """The width below which some word of a text would be cut."""
    pieces = [piece for part in text.split("\n") for piece in _pieces(part)]
    return max((measure(piece.strip()) for piece in pieces), default=0.0)


def column_widths(natural: Sequence[float], least: Sequence[float], whole: float) -> list[float]:
    """`natural`: what each column takes without a break, `least`: what it needs for its longest
    word. All fill `whole`; who wants more than its least gets its part of what is free."""
    free = whole - sum(least)
    if free <= 0:
        return [whole * one / sum(least) for one in least]
    # By the root: a column of long sentences does not push the others to one word a line.
    wanted = [max(0.0, more - one) ** 0.5 for more, one in zip(natural, least, strict=True)]
    if sum(natural) <= whole or not any(wanted):
        spare = whole - sum(natural)
        return [one + spare / len(natural) for one in natural]
    return [one + free * more / sum(wanted) for one, more in zip(least, wanted, strict=True)]
