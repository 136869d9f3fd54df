"""Which lots stand behind certificates of a plant that is metered here, and how many they make.

A project's certificates of a month draw on lots up to that month: what nobody was allotted is spent
for certificates that trade; what consumers hold is wrapped by those that go with it. What is left
below a unit is carried to the next batch (domain invariant 1).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.errors import InvalidInput
from ledger.log.store import LogFacts
from ledger.lots import store as lots
from ledger.registry import catalogue, rule, store
from ledger.registry.scheme import NO_LOTS, SPENT, WRAPPED, Scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """Lots behind certificates. `eligible_wh`: {class: their Wh}; `carried_wh`: left before."""

    spends: tuple[bytes, ...]
    wraps: tuple[bytes, ...]
    eligible_wh: Mapping[str, int]
    carried_wh: int
    unit_size: int

    @property
    def units(self) -> int:
        """Whole units that they make, with what was left before."""
        return (sum(self.eligible_wh.values()) + self.carried_wh) // self.unit_size

    def shares(self) -> dict[str, int]:
        """{class: units}, which sum to `units`: whole ones of each, what is left over to the class
        that is nearest to a further one."""
        found = {class_: wh // self.unit_size for class_, wh in self.eligible_wh.items()}
        nearest = sorted(
            self.eligible_wh,
            key=lambda class_: (-(self.eligible_wh[class_] % self.unit_size), class_),
        )
        for class_ in nearest * 2:
            if sum(found.values()) == self.units:
                break
            found[class_] += 1
        return {class_: units for class_, units in sorted(found.items()) if units}


def behind(
    conn: Connection,
    log: LogFacts,
    rules: Scheme,
    project: str,
    classes: Collection[str],
    until_s: int,
) -> Behind:
    """The lots of a project's points, of months that begin before `until_s`, that stand behind no
    certificate yet, for certificates of some classes.

    Raises NotFound for an unknown project, InvalidInput where it is not metered here.
    """
    master = catalogue.find_project(conn, log.log_id, rules.scheme, project).master
    if not master.points:
        raise InvalidInput(
            f"project {project} of scheme {rules.scheme} has no point here: no lots stand behind it"
        )
    spends: list[bytes] = []
    wraps: list[bytes] = []
    eligible_wh: dict[str, int] = {}
    for row in _free(conn, log.log_id, master.points, until_s):
        for class_ in sorted(classes):
            unit_class = rules.class_of(class_)
            if unit_class.lots == NO_LOTS or row.supply_class not in unit_class.lot_classes:
                continue
            if unit_class.lots == SPENT and not lots.spent(conn, log.log_id, [row.lot]):
                spends.append(row.lot)
            elif unit_class.lots == WRAPPED:
                wraps.append(row.lot)
            else:
                continue
            eligible_wh[class_] = eligible_wh.get(class_, 0) + row.wh
            break
    return Behind(
        spends=tuple(sorted(spends)),
        wraps=tuple(sorted(wraps)),
        eligible_wh=eligible_wh,
        carried_wh=store.last_left_wh(conn, log.log_id, rules.scheme, project),
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
