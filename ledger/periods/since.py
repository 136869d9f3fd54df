"""What a log that follows another one keeps out: everything of times before its accounts begin.

The old log may have used it, in entries that nobody has any more. What stands in headers (months of
origins) outsiders see too; the rest stands in bodies.
"""

from __future__ import annotations

from ledger.claims.manifest import Manifest
from ledger.credits.record import Record
from ledger.errors import Refused
from ledger.log import succession
from ledger.log.entry import Entry
from ledger.log.types import Bodies, Tx
from ledger.lots.model import parse_origin
from ledger.metering.batches import Readings
from ledger.metering.entries import blob
from ledger.registry import lifecycle
from ledger.registry.issuing import batches_in, units_body
from ledger.registry.leaves import Use
from ledger.registry.moving import act_in
from ledger.units import format_instant


def _require_since(tx: Tx, what: str, start_s: int) -> None:
    since_s = succession.since_s(tx.conn, tx.log.log_id)
    if since_s is not None and start_s < since_s:
        raise Refused(
            f"{what} from {format_instant(start_s)}: the accounts of this log, which follows"
            f" another one, begin {format_instant(since_s)}; the log before may have used what is"
            " of times before"
        )


def _follows_none(tx: Tx) -> bool:
    return succession.since_s(tx.conn, tx.log.log_id) is None


def before_readings(tx: Tx, _entry: Entry, bodies: Bodies) -> None:
    if _follows_none(tx):
        return
    readings = bodies["body"]
    assert isinstance(readings, Readings)
    for block in readings.blocks:
        _require_since(tx, f"readings of point {block.point.hex()}", block.start_s)


def before_division(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    if _follows_none(tx):
        return
    for origin in entry.statement["origins"]:
        month = parse_origin(origin, tx.log.zone_s).month
        _require_since(tx, f"origin {origin}", month.start_s)


def before_issue(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    if _follows_none(tx):
        return
    for batch in batches_in(entry, units_body(bodies)):
        _require_since(tx, f"batch {batch.id}", batch.period.start_s)


def before_record(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    if _follows_none(tx):
        return
    record = Record.from_json(blob(bodies, "body").json())
    _require_since(tx, f"record {entry.statement['record']}", record.period.start_s)


def before_move(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    if _follows_none(tx) or entry.statement["act"] != lifecycle.RETIRE:
        return
    use = Use.from_json(act_in(entry, units_body(bodies)).terms)
    _require_since(tx, "a retirement for a use", use.period.start_s)


def before_claim(tx: Tx, _entry: Entry, bodies: Bodies) -> None:
    if _follows_none(tx):
        return
    manifest = Manifest.from_json(blob(bodies, "manifest").json())
    _require_since(tx, "a claim", manifest.period.start_s)
