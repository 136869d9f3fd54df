"""C2SP tlog-tiles: where tiles and entry bundles lie, and what they hold.

A tile of level L holds up to 256 hashes, each of a full tile one level below (level 0: of an
entry). A partial tile of width W
lies at ``….p/W``. An entry bundle holds the entries of the level-0 tile with its number, each as
u16 length and bytes.
"""

import re
from dataclasses import dataclass
from typing import Final

from greenledger_verify.failure import VerificationError
from greenledger_verify.merkle import HASH_SIZE

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
LEVEL_MAX: Final = 63
_NUMBER_DIGITS_MAX: Final = 18

_PATH = re.compile(
    r"tile/(?:(?P<entries>entries)|(?P<level>0|[1-9][0-9]?))/(?P<number>(?:x[0-9]{3}/)*[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TileName:
    """``level`` is None for an entry bundle; ``width`` is 256 for a full tile."""

    level: int | None
    number: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        folder = "entries" if self.level is None else str(self.level)
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{folder}/{number_path(self.number)}{partial}"

    @property
    def index_start(self) -> int:
        """The first entry under this tile."""
        return self.number << TILE_HEIGHT * ((self.level or 0) + 1)


def number_path(number: int) -> str:
    """1234067 → ``x001/x234/067``."""
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])


def parse_tile_path(path: str) -> TileName:
    """The inverse of ``TileName.path``; raises for whatever is not exactly such a path."""
    match = _PATH.fullmatch(path)
    if match is None or not path.isascii():
        raise VerificationError("{path} is not the path of a tile", path=path)
    level = None if match["entries"] else int(match["level"])
    digits = re.sub("[x/]", "", match["number"])
    width = int(match["width"]) if match["width"] else TILE_WIDTH
    if (
        len(digits) > _NUMBER_DIGITS_MAX
        or (level or 0) > LEVEL_MAX
        or (match["width"] and width >= TILE_WIDTH)
    ):
        raise VerificationError("{path} is not the path of a tile", path=path)
    name = TileName(level=level, number=int(digits), width=width)
    if name.path != path:
        raise VerificationError("{path} is not the path of a tile", path=path)
    return name


def tile_width(level: int, number: int, size: int) -> int:
    """Hashes that the tile has in a tree of ``size`` entries; 0 where there is no such tile."""
    hashes = size >> TILE_HEIGHT * level
    return max(0, min(TILE_WIDTH, hashes - number * TILE_WIDTH))


def parse_tile(raw: bytes, width: int) -> list[bytes]:
    if len(raw) != width * HASH_SIZE:
        raise VerificationError(
            "the tile has {given} bytes, not 32 for each of {width} hashes",
            given=len(raw),
            width=width,
        )
    return [raw[i : i + HASH_SIZE] for i in range(0, len(raw), HASH_SIZE)]


def parse_bundle(raw: bytes, width: int) -> list[bytes]:
    """Exactly ``width`` entries, and nothing after them."""
    entries, at = [], 0
    for number in range(width):
        length = int.from_bytes(raw[at : at + 2], "big")
        if at + 2 + length > len(raw) or at + 2 > len(raw):
            raise VerificationError(
                "the bundle ends within its entry {number} of {width}", number=number, width=width
            )
        entries.append(raw[at + 2 : at + 2 + length])
        at += 2 + length
    if at != len(raw):
        raise VerificationError("the bundle goes on after its {width} entries", width=width)
    return entries
