"""From a file to signed batches: read with a profile, check against what is in force, store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from ledger.db import reading
from ledger.errors import NotFound
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt
from ledger.metering import service, store
from ledger.metering.effective import effective
from ledger.metering.importers import (
    Imported,
    PointFacts,
    Profile,
    looks_like_same_meter,
    read_bytes,
)
from ledger.metering.importers import Meter as MeterFacts
from ledger.metering.points import FOREVER_S, Point
from ledger.metering.series import Series
from ledger.parties.desk import Desk
from ledger.units import parse_zone


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """What became of one file."""

    name: str
    imported: Imported
    taken: service.Taken
    warnings: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.name,
            "rows": self.imported.rows,
            "stored": self.taken.stored,
            "corrected": self.taken.corrected,
            "repeats": self.taken.repeats,
            "missing": self.imported.missing,
            "entries": [receipt.index for receipt in self.taken.receipts],
            "repairs": repairs_json(self.imported),
            "rejections": [asdict(each) for each in self.imported.rejections],
            "warnings": list(self.warnings),
        }


def repairs_json(imported: Imported) -> list[dict[str, Any]]:
    return [
        {"flag": int(each.flag), "count": each.count, "rule": each.rule, "rows": each.rows}
        for each in imported.repairs
    ]


def facts_of(master: Point) -> PointFacts:
    """What an importer has to know of a registered point."""
    return PointFacts(
        unit=master.unit,
        kind=master.kind,
        interval_s=master.interval_s,
        measure="gauge" if master.measure == "gauge" else "additive",
        meters=tuple(
            MeterFacts(
                number=meter.number,
                from_s=meter.period.start_s,
                to_s=None if meter.period.end_s == FOREVER_S else meter.period.end_s,
                multiplier=meter.multiplier,
                opening=meter.opening,
                closing=meter.closing,
            )
            for meter in master.meters
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedFile:
    """A file that was read, and the batches that it became, signed but not stored yet."""

    name: str
    imported: Imported
    taking: service.Taking
    warnings: Sequence[str]

    def stored(self, receipts: Sequence[Receipt]) -> ImportedFile:
        """What became of the file; `receipts`: of `taking.submissions`."""
        return ImportedFile(
            name=self.name,
            imported=self.imported,
            taken=self.taking.taken(receipts),
            warnings=self.warnings,
        )


def import_file(
    desk: Desk,
    path: Path,
    profile: Profile,
    *,
    profile_text: str,
    source: str,
    author: str,
    accept_partial: bool = False,
    reason: str = "",
    key: SigningKey | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ImportedFile:
    """Read one file and store it whole, or change nothing. Raises what the steps raise."""
    if not path.is_file():
        raise NotFound(f"no file {path}")
    prepared = prepare(
        desk,
        path.read_bytes(),
        profile,
        name=path.name,
        profile_text=profile_text,
        source=source,
        author=author,
        accept_partial=accept_partial,
        reason=reason,
        key=key,
        progress=progress,
    )
    submissions = prepared.taking.submissions
    return prepared.stored(desk.writer.append_all(submissions) if submissions else [])


def prepare(
    desk: Desk,
    data: bytes,
    profile: Profile,
    *,
    name: str,
    profile_text: str,
    source: str,
    author: str,
    accept_partial: bool = False,
    reason: str = "",
    key: SigningKey | None = None,
    progress: Callable[[int, int], None] | None = None,
    whose: str = "",
) -> PreparedFile:
    """Read the bytes of a file, and sign the batches that they become. Raises what the steps
    raise; nothing is stored yet.

    `whose`: the party whose points there are for who asks, `""` for all. Errors and counts of
    repeats say what is in force at a point.
    """
    with reading(desk.engine) as conn:
        known = service.points_by_name(conn, desk.log.log_id)
    if whose:
        known = {name: one for name, one in known.items() if one.master.owner == whose}
    imported = read_bytes(
        data,
        profile,
        name=name,
        points={name: facts_of(found.master) for name, found in known.items()},
        zone=parse_zone(desk.log.zone),
        now_s=desk.clock_s(),
        accept_partial=accept_partial,
        progress=progress,
    )
    with reading(desk.engine) as conn:
        # Only the operator may learn that a meter of somebody else has the same values.
        mine = {
            name: found
            for name, found in known.items()
            if author in (desk.log.operator, found.master.owner)
        }
        warnings = _twins(conn, desk.log.log_id, known, mine, imported.series)
    origin = service.Origin(
        source=source,
        author=author,
        file_name=name,
        file=data,
        profile=profile_text,
        repairs=repairs_json(imported),
        rejections=[asdict(each) for each in imported.rejections],
        repeats=imported.repeats,
        reason=reason,
    )
    taking = service.sort_out(desk, imported.series, origin, key=key)
    return PreparedFile(name=name, imported=imported, taking=taking, warnings=warnings)


def _twins(
    conn: Connection,
    log_id: int,
    known: dict[str, store.Registered],
    others: dict[str, store.Registered],
    series: Sequence[Series],
) -> list[str]:
    """Warn of a point whose values are those of one of `others`: one meter under two names."""
    warnings: list[str] = []
    for mine in series:
        start_s, end_s = int(mine.start_s[0]), int(mine.start_s[-1]) + mine.length_s
        for name, found in others.items():
            if name == mine.point or found.master.kind != known[mine.point].master.kind:
                continue
            for item in effective(conn, log_id, found.point, start_s=start_s, end_s=end_s):
                if looks_like_same_meter(mine, item.series):
                    warnings += [f"{mine.point} has the values of {name}: one meter counted twice?"]
    return warnings
