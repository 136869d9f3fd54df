"""One point's readings as arrays: from importers to batches, from the store to matching."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """Readings of one point.

    `start_s`: int64[n], Unix seconds of each interval's start, strictly increasing, no overlaps.
    `length_s`: length of every interval in seconds. `value`: int64[n] in the point's base unit.
    `quality`: uint16[n] of `Quality` bits. An interval that is missing has no element.
    """

    point: str
    length_s: int
    start_s: NDArray[np.int64]
    value: NDArray[np.int64]
    quality: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.start_s)
