"""Regions of factors: from a place to its province, its grid region, the country. Pure.

A code is `""` (anywhere), a country (`CN`), a grid region (`CN-south`), or two to twelve digits of
GB/T 2260 (`44`, `4401`, `440100`). Which grid region a place is in is data: regions.toml.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ledger import files
from ledger.errors import InvalidInput

NATIONAL: Final = "national"
GRID: Final = "grid"
PROVINCE: Final = "province"
LEVELS: Final = (NATIONAL, GRID, PROVINCE)
CHINA: Final = "CN"
_CODE: Final = re.compile(r"(?:[A-Z]{2}(?:-[a-z0-9-]{1,20})?|\d{2,12})?", re.ASCII)
_FILE: Final = Path(__file__).parent / "regions.toml"


def is_region(value: Any) -> bool:
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


@functools.cache
def _data() -> Mapping[str, Any]:
    return files.parse_toml(_FILE.read_text(encoding="utf-8"), _FILE.name)


@functools.cache
def _grid_of_digits() -> Mapping[str, str]:
    return {digits: grid for grid, places in _data()["grid"].items() for digits in places}


def grid_regions() -> list[str]:
    return list(_data()["grid"])


def name(code: str) -> str:
    """`44` is `广东 Guangdong`; a code that has no name stays as it is."""
    return str(_data()["provinces"].get(code[:2], code)) if code[:2].isdigit() else code


def grid_of(code: str) -> str:
    """The grid region of a place, "" where that does not follow from the code."""
    if code.startswith(f"{CHINA}-"):
        return code
    of_digits = _grid_of_digits()
    return of_digits.get(code[:4]) or of_digits.get(code[:2], "")


def chain(code: str) -> tuple[str, ...]:
    """From a place to what contains it, narrowest first: `440100` → 440100, 4401, 44, CN-south,
    CN, "". Raises InvalidInput."""
    if not is_region(code):
        raise InvalidInput(
            f"region {code!r} is neither a country (CN), a grid region"
            f" ({', '.join(grid_regions())}) nor 2 to 12 digits of GB/T 2260"
        )
    found = [code]
    if code[:1].isdigit():
        found += [code[:length] for length in (9, 6, 4, 2) if length < len(code)]
        found += [grid for grid in (grid_of(code),) if grid] + [CHINA]
    elif "-" in code:
        found.append(code[:2])
    return tuple(dict.fromkeys([*found, ""]))


def at_level(code: str, level: str) -> str:
    """A place's province, grid region or country. Raises InvalidInput where that is not known."""
    chain(code)
    found = {
        NATIONAL: CHINA if code[:1].isdigit() else code[:2],
        GRID: grid_of(code),
        PROVINCE: code[:2] if code[:1].isdigit() else "",
    }.get(level)
    if found is None:
        raise InvalidInput(f"{level!r} is no level of regions; known are {', '.join(LEVELS)}")
    if not found:
        raise InvalidInput(
            f"region {code!r} does not say which {level} it is in; give the region of the points by"
            " 6 digits of GB/T 2260"
        )
    return found
