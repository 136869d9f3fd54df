"""The demo's time: a clock that stands until the story moves it.

What is valid, barred or over follows from the log's time. With the wall clock the same demo would
say something else next year; so it plays in the weeks after the year that it is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.units import parse_instant

# 12 January 2026, 10:00 in park time: the year is over, its certificates are valid.
BEGINS_S: Final = parse_instant("2026-01-12T02:00:00Z")
# 3 February: certificates of February 2024 are valid no more.
ENDS_S: Final = parse_instant("2026-02-03T02:00:00Z")
# The same as dates of park time, for people.
BEGINS: Final = "2026-01-12"
ENDS: Final = "2026-02-03"


@dataclass(slots=True)
class StoryClock:
    """Unix seconds, as the ledger asks for them."""

    now_s: int = BEGINS_S

    def __call__(self) -> int:
        return self.now_s
