"""Importers: a pure function of (file bytes, profile, facts about the points, clock) to series.

Rules of the room:

- No SQL, no clock, no randomness: what `read_bytes` returns follows from its arguments alone.
- Values are exact decimals from the file's text. No float arithmetic touches them: a number that
  a file stores as a float is taken by its shortest text, and each value is rounded once, half to
  even, to the integer base unit.
- Nothing is silent. What changes a value or a label sets a quality flag; what leaves something
  out has flag 0, since no value is left to carry one. `Imported.repairs` has both, with rows.
- One rejected row refuses the file, unless the caller accepts a part.
- A file needs no code of its own: whatever differs between files is said by its profile.
"""

from ledger.metering.importers.alike import looks_like_same_meter
from ledger.metering.importers.profile import Profile
from ledger.metering.importers.profile_toml import read_profile
from ledger.metering.importers.reader import read_bytes, read_file
from ledger.metering.importers.report import (
    Imported,
    Meter,
    PointFacts,
    Rejection,
    Repair,
    RowsRejected,
)

__all__ = [
    "Imported",
    "Meter",
    "PointFacts",
    "Profile",
    "Rejection",
    "Repair",
    "RowsRejected",
    "looks_like_same_meter",
    "read_bytes",
    "read_file",
    "read_profile",
]
