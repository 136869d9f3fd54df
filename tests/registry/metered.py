"""A wind farm that is metered here: readings, a run, lots; certificates of them."""

from __future__ import annotations

from typing import Any

from ledger.db import reading
from ledger.house import House
from ledger.log.service import Receipt
from ledger.lots import store as lots
from ledger.matching.service import run_matching
from ledger.metering.service import Origin, take_in
from ledger.registry import service
from ledger.units import Period
from tests.divided import agree, consumer, point_id, source
from tests.ledgers import QUARTER_S, series
from tests.units import month, new_batch, wind

WINTER = Period(start_s=month(2025, 12).start_s, end_s=month(2026, 2).end_s)
MONTHS = {12: month(2025, 12), 1: month(2026, 1), 2: month(2026, 2)}


def build(house: House) -> None:
    """A roof of the farm's, with a contract to a saw of the mill's; project P9 of `gec`."""
    source(house, "roof")
    consumer(house, "saw")
    agree(house, "roof-to-saw", {"saw": 0}, period=WINTER)
    master = wind("works", name="Roof", technology="pv", points=(point_id(house, "roof"),))
    service.register_project(house.desk, "gec", "P9", master)


def generate(house: House, number: int, left_wh: int, saw_wh: int = 1_000) -> None:
    """The second hour of a month has a quarter-hour of readings, which are matched: the saw gets
    what it wants, and so much is left over."""
    start_s = MONTHS[number].start_s + 3600
    for name, value in (("roof", left_wh + saw_wh), ("saw", saw_wh)):
        origin = Origin(source=name, author="operator")
        take_in(house.desk, [series(name, [value], start_s=start_s)], origin)
    run_matching(house.desk, Period(start_s=start_s, end_s=start_s + QUARTER_S))


def lots_of(house: House, number: int, supply_class: int = 0) -> list[lots.LotRow]:
    """The roof's unspent lots of a month and class: what was left over, or went to the saw."""
    with reading(house.engine) as conn:
        rows = [
            row
            for row in lots.all_lots(conn, 1)
            if row.supply_class == supply_class and row.month_start_s == MONTHS[number].start_s
            if row.point == point_id(house, "roof")
        ]
        spent = lots.spent(conn, 1, [row.lot for row in rows])
    return [row for row in rows if row.lot not in spent]


def certify(
    house: House,
    number: int,
    first: int,
    end: int,
    *,
    eligible_wh: int,
    spends: list[lots.LotRow] | None = None,
    wraps: list[lots.LotRow] | None = None,
    **more: Any,
) -> Receipt:
    """Certificates `first` … `end` of code M of a month, for what was left over in it."""
    behind = lots_of(house, number) if spends is None else spends
    terms: dict[str, Any] = {"project": "P9", "period": MONTHS[number], **more}
    batch = new_batch(
        terms.pop("code", "M"),
        first,
        end,
        spends=tuple(row.lot for row in behind),
        wraps=tuple(row.lot for row in wraps or ()),
        eligible_wh=eligible_wh,
        **terms,
    )
    (receipt,) = service.issue(house.desk, "gec", [batch])
    return receipt
