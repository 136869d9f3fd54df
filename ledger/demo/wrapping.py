"""Lines that fit, for text in which Chinese and Latin mix.

Chinese may break after any character, Latin at blanks; a number stays with its unit, and closing
punctuation never begins a line. Rich breaks at blanks only, which leaves Chinese lines half empty.
"""

from __future__ import annotations

import re
from typing import Final

from rich.cells import cell_len

_CLOSING: Final = "，。；：、）”！？,.;:)"
_PIECE: Final = re.compile(
    r"\d[\d.,]* (?:[GMk]?Wh|%)[" + _CLOSING + r"]*"
    r"|[\u2e80-\uffff“][" + _CLOSING + r"]*"
    r"|[^\s\u2e80-\uffff]+[" + _CLOSING + r"]*"
    r"|\s+"
)


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells; only a single longer word exceeds it."""
    lines: list[str] = []
    line = ""
    for piece in _PIECE.findall(text):
        if line and cell_len(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
    return [*lines, line.rstrip()] if line.strip() or not lines else lines
