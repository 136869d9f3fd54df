"""Granular certificates that stand alone (EnergyTag), where a scheme allows it."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.db import reading
from ledger.errors import NotFound, Refused
from ledger.log.service import Receipt
from ledger.lots import store as lots
from ledger.metering import store as metering
from ledger.parties.desk import Desk
from ledger.registry import catalogue
from ledger.registry.ranges import SerialRange
from ledger.registry.scheme import SPENT, Scheme
from ledger.registry.service import NewBatch, Share, issue, month_period


def issue_granular(
    desk: Desk, project: str, lot_ids: Sequence[bytes], scheme: str = "granular"
) -> list[Receipt]:
    """Issue lots as granular certificates that stand alone, where a scheme allows it: a unit is a
    Wh, numbered in the order of time, so that any range of units is of known quarter-hours.

    They begin with who holds the lot, else with the project's owner. Raises NotFound or Refused.
    """
    with reading(desk.engine) as conn:
        rules = catalogue.find_scheme(conn, desk.log.log_id, scheme).rules
        owner = catalogue.find_project(conn, desk.log.log_id, scheme, project).master.owner
        rows = lots.lots_by_id(conn, desk.log.log_id, lot_ids)
        points = metering.current_points(conn, desk.log.log_id)
    batches = []
    for lot in sorted(set(lot_ids)):
        if lot not in rows:
            raise NotFound(f"there is no lot {lot.hex()}; see: greenledger lot list")
        row = rows[lot]
        units = SerialRange(first=0, end=row.wh // rules.unit_size)
        holder = points[row.holder].master.owner if row.holder in points else owner
        class_ = _granular_class(rules, row)
        batches.append(
            NewBatch(
                code=lot.hex(),
                units=units,
                period=month_period(desk, row.month_start_s),
                shares=(Share(class_=class_, owner=holder, units=units),),
                project=project,
                spends=(lot,),
                eligible_wh=row.wh,
            )
        )
    return issue(desk, scheme, batches)


def _granular_class(rules: Scheme, row: lots.LotRow) -> str:
    for class_ in rules.classes.values():
        if class_.lots == SPENT and row.supply_class in class_.lot_classes:
            return class_.name
    raise Refused(
        f"lot {row.lot.hex()} is of supply class {row.supply_class}: scheme {rules.scheme} issues"
        " nothing for it"
    )
