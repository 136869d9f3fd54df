"""A mill with a meter, a bill and a day of February that was read, matched and claimed in part."""

from __future__ import annotations

from ledger.db import reading
from ledger.house import House
from ledger.matching.service import Agreement, register_contract, run_matching
from ledger.metering.points import Point
from ledger.metering.service import Origin, find_point, register_point, take_in
from ledger.periods import service
from ledger.units import Period
from tests.ledgers import DAY_S, series

DAY = Period(start_s=DAY_S, end_s=DAY_S + 86_400)
# The rest of that day of park time is in the next month: two days before the first of March, UTC.
STEPS = ("provisional", "submitted", "approved", "closed")
FEBRUARY_S = 1_769_875_200  # 2026-02-01T00:00+08:00


def found_books(house: House) -> None:
    desk = house.desk
    for party, role in (("mill", "enterprise"), ("farm", "generator"), ("shop", "enterprise")):
        desk.register_party(party, party, [role])
        desk.create_key(party)
    register_point(desk, Point(name="saw", kind="consumption", owner="mill"))
    with reading(house.engine) as conn:
        saw = find_point(conn, 1, "saw").point.hex()
    register_point(desk, Point(name="bill", kind="billed", owner="mill", interval_s=0, parent=saw))
    register_point(desk, Point(name="roof", kind="generation", owner="farm"))
    send(house, "saw", [1_000] * 8)
    send(house, "roof", [2_000] * 8)
    agreement = Agreement(
        name="roof-to-saw",
        kind="direct-supply",
        seller="farm",
        sources=["roof"],
        consumers={"saw": 0},
        period=DAY,
    )
    register_contract(desk, agreement)
    run_matching(desk, Period(start_s=DAY_S, end_s=DAY_S + 8 * 900))


def send(
    house: House, point: str, values: list[int], *, start_s: int = DAY_S, length_s: int = 900
) -> None:
    take_in(
        house.desk,
        [series(point, values, start_s=start_s, length_s=length_s)],
        Origin(source=point, author="operator"),
    )


def correct(house: House, point: str, value: int, *, start_s: int = DAY_S) -> None:
    take_in(
        house.desk,
        [series(point, [value], start_s=start_s)],
        Origin(source=point, author="operator", reason="read twice"),
    )


def close(house: House, party: str = "mill", period: str = "2026-02") -> None:
    for state in STEPS:
        service.advance(house.desk, party, period, state)
