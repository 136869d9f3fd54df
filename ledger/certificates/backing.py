"""Which lots stand behind certificates of a plant that is metered here, and how many they make.

A project's certificates of a month draw on lots up to that month: what nobody was allotted is spent
for certificates that trade; what consumers hold is wrapped by those that go with it. What is left
below a unit is carried to the next batch (domain invariant 1).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.errors import InvalidInput
from ledger.log.store import LogFacts
from ledger.lots import store as lots
from ledger.registry import catalogue, rule, store
from ledger.registry.scheme import SPENT, WRAPPED, Scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """Lots behind certificates of a class. `carried_wh`: left of its batches before."""

    spends: tuple[bytes, ...]
    wraps: tuple[bytes, ...]
    eligible_wh: int
    carried_wh: int
    unit_size: int

    @property
    def units(self) -> int:
        """Whole units that they make, with what was left before."""
        return (self.eligible_wh + self.carried_wh) // self.unit_size

    @property
    def left_wh(self) -> int:
        """What these units leave, to be carried on."""
        return (self.eligible_wh + self.carried_wh) % self.unit_size


def behind(
    conn: Connection, log: LogFacts, rules: Scheme, project: str, class_: str, until_s: int
) -> Behind:
    """The lots of a project's points, of months that begin before `until_s`, that stand behind no
    certificate yet and may stand behind those of a class.

    Raises NotFound for an unknown project, InvalidInput where it is not metered here.
    """
    master = catalogue.find_project(conn, log.log_id, rules.scheme, project).master
    if not master.points:
        raise InvalidInput(
            f"project {project} of scheme {rules.scheme} has no point here: no lots stand behind it"
        )
    unit_class = rules.class_of(class_)
    rows = [
        row
        for row in _free(conn, log.log_id, master.points, until_s)
        if row.supply_class in unit_class.lot_classes
    ]
    if unit_class.lots == SPENT:
        gone = lots.spent(conn, log.log_id, [row.lot for row in rows])
        rows = [row for row in rows if row.lot not in gone]
    which = tuple(sorted(row.lot for row in rows))
    return Behind(
        spends=which if unit_class.lots == SPENT else (),
        wraps=which if unit_class.lots == WRAPPED else (),
        eligible_wh=sum(row.wh for row in rows),
        carried_wh=store.last_left_wh(conn, log.log_id, rules.scheme, project, class_),
        unit_size=rules.unit_size,
    )


def _free(
    conn: Connection, log_id: int, points: Collection[bytes], until_s: int
) -> list[lots.LotRow]:
    """Lots of supply of some points that no certificate stands for yet."""
    rows = [
        row
        for point in sorted(points)
        for month_s in lots.divided_months(conn, log_id, point)
        if month_s < until_s
        for row in lots.lots_of_origin(conn, log_id, point, month_s)
    ]
    barred = store.barred_months(conn, log_id, points)
    taken = lots.wrapped(conn, log_id, rule.FORM, [row.lot for row in rows])
    taken |= dict.fromkeys(store.batches_of_lots(conn, log_id, [row.lot for row in rows]), 0)
    return [
        row for row in rows if row.lot not in taken and (row.point, row.month_start_s) not in barred
    ]
