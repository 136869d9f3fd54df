"""A font with Chinese characters for PDF files: the one that is named, or one of the usual places.

None is shipped: a good one is larger than this program. A PDF embeds only the glyphs that it uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from fontTools.ttLib import TTCollection, TTFont, TTLibError

from ledger.errors import InvalidInput, Unavailable

# Regular and, where there is one, bold; the best looking first.
_PLACES: Final[Sequence[tuple[str, str]]] = (
    (
        "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
        "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    ),
    (
        "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
        "/usr/share/fonts/noto-cjk/NotoSansCJK-Bold.ttc",
    ),
    (
        "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
        "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Bold.ttc",
    ),
    ("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", ""),
    ("/usr/share/fonts/wqy-microhei/wqy-microhei.ttc", ""),
    ("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", ""),
    ("/System/Library/Fonts/STHeiti Light.ttc", "/System/Library/Fonts/STHeiti Medium.ttc"),
    ("C:/Windows/Fonts/msyh.ttc", "C:/Windows/Fonts/msyhbd.ttc"),
)
INSTALL: Final = (
    "no font with Chinese characters was found for the PDF; install one (Debian: apt-get install"
    " fonts-wqy-microhei, or the better looking fonts-noto-cjk), or name a TTF, OTF or TTC file"
    " by GREENLEDGER_PDF_FONT"
)
_ASKED: Final = "绿电Aa0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """One face of a font file; `characters` are the code points that it has."""

    path: Path
    number: int
    characters: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fonts:
    """`bold` is `regular` where there is no other."""

    regular: Face
    bold: Face


def find_fonts(named: Path | None, places: Sequence[tuple[str, str]] = _PLACES) -> Fonts:
    """Raises InvalidInput for a named font that does not do, Unavailable where there is none."""
    if named is not None:
        face = _open(named)
        return Fonts(regular=face, bold=face)
    for regular, bold in places:
        if not Path(regular).is_file():
            continue
        face = _open(Path(regular))
        with_bold = bool(bold) and Path(bold).is_file()
        return Fonts(regular=face, bold=_open(Path(bold)) if with_bold else face)
    raise Unavailable(INSTALL)


def _open(path: Path) -> Face:
    if not path.is_file():
        raise InvalidInput(f"{path}, the font for PDF files, is no file")
    try:
        with path.open("rb") as file:
            return _best(path, file)
    except (TTLibError, OSError, KeyError, ValueError) as error:
        raise InvalidInput(f"{path} is not a font that can be read: {error}") from error


def _best(path: Path, file: BinaryIO) -> Face:
    """Of a collection, the face for simplified Chinese, else the first one."""
    if path.suffix.lower() not in (".ttc", ".otc"):
        return _face(path, 0, TTFont(file, lazy=True))
    faces = list(enumerate(TTCollection(file, lazy=True).fonts))
    number, font = next((one for one in faces if _is_simplified(one[1])), faces[0])
    return _face(path, number, font)


def _is_simplified(font: TTFont) -> bool:
    name = font["name"].getDebugName(1) or ""
    return name.split()[-1:] == ["SC"]


def _face(path: Path, number: int, font: TTFont) -> Face:
    characters = frozenset(font.getBestCmap() or ())
    lacking = [one for one in _ASKED if ord(one) not in characters]
    if lacking:
        raise InvalidInput(
            f"{path} lacks {''.join(lacking)}: the PDF needs one font with Chinese and Latin"
            " characters, such as Noto Sans CJK or WenQuanYi Micro Hei"
        )
    return Face(path=path, number=number, characters=characters)
