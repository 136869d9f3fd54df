"""Breaking text of Chinese and Latin words into lines: between any two Chinese characters, and
between Latin words; no line begins with a closing mark. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
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
