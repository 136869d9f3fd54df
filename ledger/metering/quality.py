"""Quality flags of a reading (docs/formats.md §3.3): every repair sets a bit, 0 is plain."""

from __future__ import annotations

from enum import IntFlag


class Quality(IntFlag):
    """u16 bit set beside each value. Never silent: what was changed or guessed says so."""

    MEASURED = 0
    ESTIMATED = 1
    PROFILED = 2
    RESAMPLED = 4
    CLIPPED = 8
    RELABELLED = 16
    ROLLOVER = 32
    SWAPPED = 64
    SUSPECT = 128
    CORRECTED = 256
    LATE = 512


ALL_FLAGS = int(~Quality.MEASURED) & 0x3FF
