"""Arrays of integers in bodies (docs/formats.md §3.4): a width, then signed integers. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.errors import InvalidInput

Int64 = NDArray[np.int64]

_WIDTHS: Final = (1, 2, 4, 8)


def pack(values: Int64) -> bytes:
    """A byte with the smallest width that holds all values, then the values, big-endian."""
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    width = next(
        width for width in _WIDTHS if -(1 << 8 * width - 1) <= low and high < 1 << 8 * width - 1
    )
    return bytes([width]) + values.astype(f">i{width}").tobytes()


class Bytes:
    """Reads a body from its beginning to its end. Raises InvalidInput where it is cut off."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._at = 0
        self._what = what

    def take(self, size: int) -> bytes:
        if self._at + size > len(self._data):
            raise InvalidInput(f"the {self._what} is cut off at byte {len(self._data)}")
        self._at += size
        return self._data[self._at - size : self._at]

    def integer(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def array(self, count: int) -> Int64:
        """An array of `pack`; in no other width than the smallest."""
        (width,) = self.take(1)
        if width not in _WIDTHS:
            raise InvalidInput(f"the {self._what} has integers of {width} bytes")
        raw = self.take(width * count)
        values = np.frombuffer(raw, f">i{width}").astype(np.int64)
        if pack(values)[0] != width:
            raise InvalidInput(f"the {self._what} has integers of {width} bytes: fewer would do")
        return values

    def end(self) -> None:
        if self._at != len(self._data):
            raise InvalidInput(f"the {self._what} has {len(self._data) - self._at} bytes too many")
