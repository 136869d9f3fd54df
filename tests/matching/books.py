"""A park of one roof and two consumers, and the books of its divisions, read back.

quarter   0    1   2   3
roof    100    –  50   7
saw      60   30  60   3
press    60   30  20   3
"""

from __future__ import annotations

from ledger.db import reading
from ledger.house import House
from ledger.lots import store
from ledger.lots.division import DividedOrigin
from ledger.lots.model import Month
from tests.divided import Wh, all_held, by_quarter, consumer, owners, point_id, source, take

MARCH = Month(year=2026, month=3, zone_offset_s=28_800)
ROOF = [100, 0, 50, 7]
SAW = [60, 30, 60, 3]
PRESS = [60, 30, 20, 3]


def consumers(house: House) -> None:
    owners(house)
    consumer(house, "saw")
    consumer(house, "press")
    take(house, "saw", SAW)
    take(house, "press", PRESS)


def roof_too(house: House) -> None:
    consumers(house)
    source(house, "roof")
    take(house, "roof", ROOF)


def divided(house: House, name: str, revision: int) -> DividedOrigin:
    with reading(house.engine) as conn:
        row = store.origins_of(conn, 1, point_id(house, name), MARCH)[revision]
        return store.load_division(conn, house.log, row.entry_index).origins[row.number]


def book(house: House, name: str, revision: int) -> tuple[Wh, Wh, Wh]:
    """base, carried, fresh of a division of March."""
    one = divided(house, name, revision)
    return (
        by_quarter(one.start_s, one.base_wh),
        by_quarter(one.start_s, one.carried_wh),
        by_quarter(one.start_s, one.fresh_wh),
    )


def sums(house: House, name: str) -> Wh:
    """Wh of the lots of a point that are not carried over into another one."""
    total: Wh = {}
    for one in all_held(house):
        if one.point == name and not one.spent:
            for at, wh in one.wh.items():
                total[at] = total.get(at, 0) + wh
    return total
