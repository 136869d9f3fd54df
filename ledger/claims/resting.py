"""What rests on batches of readings: to be known before they are erased.

Runs, divisions and claims made of them stay as they are, and stand on their word from then on; no
new evidence of level `full` or `sampled` can be made of such claims. Energy that was not divided
yet can't be any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from ledger.claims import store as claims
from ledger.log.erasing import others_using
from ledger.log.store import LogFacts
from ledger.lots import store as lots
from ledger.lots.model import Month, months_in
from ledger.matching.runs import list_runs, load_manifest
from ledger.metering import store as metering
from ledger.metering.erasing import file_of
from ledger.units import Period

_DIVIDED: Final = frozenset({"generation", "consumption", "storage-charge", "storage-discharge"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """`runs`, `divisions`: entries. `undivided`: (name of the point, month) that no run made lots
    of. `files_with`: entries of other batches, not erased, that came from the same files: as long
    as these stay, so do the files."""

    points: tuple[str, ...]
    readings: int
    runs: tuple[int, ...]
    divisions: tuple[int, ...]
    claims: tuple[bytes, ...]
    undivided: tuple[tuple[str, Month], ...]
    files_with: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "points": list(self.points),
            "readings": self.readings,
            "runs": list(self.runs),
            "divisions": list(self.divisions),
            "claims": [claim.hex() for claim in self.claims],
            "undivided": [{"point": name, "month": str(month)} for name, month in self.undivided],
            "files_with": list(self.files_with),
        }


def resting_on(conn: Connection, log: LogFacts, rows: Sequence[metering.BatchRow]) -> Resting:
    """What was computed from these batches, or still could be."""
    indices = [row.entry_index for row in rows]
    spans = [span for one in indices for span in metering.spans_of_batch(conn, log.log_id, one)]
    known = metering.current_points(conn, log.log_id)
    months = {
        (point, month)
        for point, start_s, end_s, _ in spans
        for month in months_in(Period(start_s=start_s, end_s=end_s), log.zone_s)
    }
    divisions: set[int] = set()
    used: set[bytes] = set()
    undivided: set[tuple[str, Month]] = set()
    for point, month in sorted(months, key=lambda one: (one[0], one[1].start_s)):
        origins = lots.origins_of(conn, log.log_id, point, month)
        divisions.update(one.entry_index for one in origins if one.entry_index > min(indices))
        used.update(claims.used_by_claim(conn, log.log_id, point, month))
        master = known[point].master
        if not origins and master.unit == "Wh" and master.kind in _DIVIDED:
            undivided.add((master.name, month))
    return Resting(
        points=tuple(sorted({known[point].master.name for point, *_ in spans})),
        readings=sum((end_s - start_s) // length_s for _, start_s, end_s, length_s in spans),
        runs=_runs(conn, log, {row.leaf_hash.hex() for row in rows}),
        divisions=tuple(sorted(divisions)),
        claims=tuple(sorted(used)),
        undivided=tuple(sorted(undivided, key=lambda one: (one[0], one[1].start_s))),
        files_with=_files_with(conn, log.log_id, indices),
    )


def _runs(conn: Connection, log: LogFacts, leaves: set[str]) -> tuple[int, ...]:
    return tuple(
        row.entry_index
        for row in list_runs(conn, log.log_id)
        if leaves & set(load_manifest(conn, log, row.entry_index)["inputs"])
    )


def _files_with(conn: Connection, log_id: int, indices: Sequence[int]) -> tuple[int, ...]:
    files = {file_of(conn, log_id, index) for index in indices} - {""}
    return tuple(sorted(others_using(conn, log_id, files) - set(indices)))
