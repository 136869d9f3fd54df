"""What the ledger holds of a scheme, and what it settled, as statements are compared with it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, select

from ledger.log import store as log_store
from ledger.log.store import LogFacts
from ledger.lots.model import month_of
from ledger.registry import lifecycle, moving, used
from ledger.registry import store as registry
from ledger.registry.body import UnitsBody
from ledger.registry.schema import batches, gone_units, holding_ends, holdings, retirements
from ledger.statements.compare import OwnRange
from ledger.statements.sums import Settled
from ledger.units import Period

_BECAME: Final = {
    lifecycle.RETIRE: "retired",
    lifecycle.EXPORT: "exported",
    lifecycle.EXPIRE: "expired",
    lifecycle.WITHDRAW: "withdrawn",
    lifecycle.CANCEL: "cancelled",
}


def own_ranges(conn: Connection, log: LogFacts, scheme: str) -> list[OwnRange]:
    """All units of a scheme that were imported or issued here: none twice, none left out."""
    zone_s = log.zone_s
    of_batch = {
        row.id: (row.project, _month(row.period, zone_s))
        for row in registry.find_batches(conn, log.log_id, batches.c.scheme == scheme)
    }
    retired = {
        row.entry_index: bytes(row.retirement).hex()
        for row in conn.execute(
            select(retirements.c.entry_index, retirements.c.retirement).where(
                retirements.c.log_id == log.log_id, retirements.c.scheme == scheme
            )
        )
    }
    found: list[OwnRange] = []
    # An act ends holdings of one owner.
    owner_by: dict[int, str] = {}
    for row in registry.find_holdings(conn, log.log_id, holdings.c.scheme == scheme):
        if row.end_index is not None:
            owner_by[row.end_index] = row.owner
            continue
        project, month = of_batch[row.batch]
        found.append(
            OwnRange(
                code=row.batch.code,
                first=row.units.first,
                end=row.units.end,
                state=row.state,
                owner=row.owner,
                class_=row.class_,
                month=month,
                project=project,
            )
        )
    for gone in used.find_gone(conn, log.log_id, gone_units.c.scheme == scheme):
        project, month = of_batch[gone.batch]
        found.append(
            OwnRange(
                code=gone.batch.code,
                first=gone.units.first,
                end=gone.units.end,
                state=_BECAME[gone.act],
                owner=owner_by[gone.entry_index],
                class_=gone.class_,
                month=month,
                project=project,
                retirement=retired.get(gone.entry_index, ""),
            )
        )
    return sorted(found, key=lambda one: (one.code, one.first))


def _month(period: Period, zone_s: int) -> str:
    """`2026-01`, or "" where the period is not of one month of park time."""
    first, last = month_of(period.start_s, zone_s), month_of(period.end_s - 1, zone_s)
    return str(first) if first == last else ""


def settled(conn: Connection, log: LogFacts) -> list[Settled]:
    """What green trades were settled, by month and buyer: each settlement is with one."""
    acts = (
        select(holding_ends.c.entry_index)
        .where(holding_ends.c.log_id == log.log_id, holding_ends.c.act == lifecycle.SETTLE)
        .distinct()
    )
    return [_settled(conn, log, index) for index in sorted(conn.execute(acts).scalars())]


def _settled(conn: Connection, log: LogFacts, index: int) -> Settled:
    entry = log_store.entry_at(conn, log.log_id, index)
    data = log_store.load_body(conn, log.log_id, entry.statement["body"]["root"])
    assert data is not None
    act = moving.act_in(entry, UnitsBody.open(data, origin=log.origin, id_=entry.id))
    sellers = {row.owner for row in registry.ended_by(conn, log.log_id, index)}
    (buyer,) = {row.owner for row in registry.begun_by(conn, log.log_id, index)} - sellers
    return Settled(month=act.terms["month"], party=buyer, wh=act.terms["settled_wh"])
