"""Runs end in lots: exact to the Wh, from readings of whatever length."""

from __future__ import annotations

import hashlib

import pytest

from ledger.db import reading
from ledger.house import House
from ledger.matching.service import data_period, run_matching
from ledger.metering.effective import effective, leaf_hashes_of
from ledger.metering.quality import Quality
from tests.divided import (
    EDGE_S,
    FOUR,
    Wh,
    agree,
    all_held,
    consumer,
    lots,
    point_id,
    source,
    span,
    take,
)
from tests.ledgers import QUARTER_S, no_progress
from tests.matching.books import PRESS, SAW, book, divided, sums


class TestOneRun:
    def test_one_lot_for_each_consumer_and_one_for_the_rest(self, park: House) -> None:
        agree(park, "all", {"saw": 0, "press": 0})
        report = run_matching(park.desk, FOUR)
        # Of 50 Wh for 20 and 60: 12.5 and 37.5, rounded cumulatively by name.
        press, saw = {0: 50, 2: 12, 3: 3}, {0: 50, 2: 38, 3: 3}
        assert lots(park) == {
            ("roof", "press", 0): press,
            ("roof", "saw", 0): saw,
            ("roof", "", 0): {3: 1},
            ("press", "press", 0): press,
            ("press", "", 0): {0: 10, 1: 30, 2: 8},
            ("saw", "saw", 0): saw,
            ("saw", "", 0): {0: 10, 1: 30, 2: 22},
        }
        assert {one.supply_class for one in all_held(park) if one.holder} == {2}
        (division,) = report.divisions
        assert division.index == report.receipt.index + 1
        assert park.audit(no_progress).entries == division.index + 1

    def test_each_class_has_lots_of_its_own(self, park: House) -> None:
        consumer(park, "kiln", owner="farm")
        take(park, "kiln", [30, 0, 0, 4])
        agree(park, "own", {"kiln": 0}, kind="self-use")
        agree(park, "sold", {"saw": 0})
        agree(park, "traded", {"kiln": 0, "saw": 0}, kind="green-trade")
        run_matching(park.desk, FOUR)
        found = {
            (one.point, one.holder, one.supply_class): one.wh
            for one in all_held(park)
            if one.holder
        }
        assert found == {
            ("roof", "kiln", 1): {0: 30, 3: 4},
            ("kiln", "kiln", 1): {0: 30, 3: 4},
            ("roof", "saw", 2): {0: 60, 2: 50, 3: 3},
            ("saw", "saw", 2): {0: 60, 2: 50, 3: 3},
        }

    def test_several_contracts_of_a_class_share_one_lot(self, park: House) -> None:
        source(park, "tower", owner="wind")
        take(park, "tower", [5, 5, 5, 5])
        agree(park, "a", {"saw": 100_000})
        agree(park, "b", {"saw": 200_000})
        agree(park, "c", {"saw": 0}, sources=["tower"], seller="wind")
        run_matching(park.desk, FOUR)
        # A tenth of the roof, then a fifth of what it still has.
        assert lots(park)["roof", "saw", 0] == {0: 10 + 18, 2: 5 + 9, 3: 0 + 1}
        assert lots(park)["tower", "saw", 0] == {0: 5, 1: 5, 2: 5, 3: 2}
        assert lots(park)["saw", "saw", 0] == {0: 33, 1: 5, 2: 19, 3: 3}

    def test_what_nobody_was_allotted_is_not_divided(self, park: House) -> None:
        source(park, "tower", owner="wind")
        take(park, "tower", [5, 5, 5, 5])
        agree(park, "a", {"saw": 0})
        run_matching(park.desk, FOUR)
        assert {one.point for one in all_held(park)} == {"roof", "saw"}

    def test_figures_alone_bind_nothing(self, park: House) -> None:
        agree(park, "all", {"saw": 0, "press": 0})
        first = run_matching(park.desk, FOUR, into_lots=False)
        assert not first.divisions
        assert not all_held(park)
        second = run_matching(park.desk, FOUR)
        assert [one.matched_wh for one in second.evaluation.matched] == [
            one.matched_wh for one in first.evaluation.matched
        ]
        assert sums(park, "roof") == {0: 100, 2: 50, 3: 7}

    def test_a_run_over_part_of_a_month_takes_the_whole_month_in(self, park: House) -> None:
        agree(park, "all", {"saw": 0, "press": 0})
        run_matching(park.desk, span(0, 1))
        assert lots(park)["roof", "", 0] == {2: 50, 3: 7}
        run_matching(park.desk, span(2, 4))
        assert book(park, "roof", 1) == ({0: 100, 2: 50, 3: 7}, {2: 50, 3: 7}, {})
        assert lots(park)["roof", "saw", 1] == {2: 38, 3: 3}
        assert sums(park, "roof") == {0: 100, 2: 50, 3: 7}
        assert sums(park, "saw") == dict(enumerate(SAW))

    def test_several_months(self, park: House) -> None:
        for name, values in (("roof", [9, 80]), ("saw", [10, 0]), ("press", [0, 70])):
            take(park, name, values, start=-2)
        agree(park, "all", {"saw": 0, "press": 0})
        report = run_matching(park.desk, data_period(park.desk))
        assert len(report.divisions) == 2
        assert lots(park, february=True) == {
            ("roof", "saw", 0): {-2: 9},
            ("roof", "press", 0): {-1: 70},
            ("roof", "", 0): {-1: 10},
            ("saw", "saw", 0): {-2: 9},
            ("saw", "", 0): {-2: 1},
            ("press", "press", 0): {-1: 70},
        }
        assert lots(park)["roof", "saw", 0] == {0: 50, 2: 38, 3: 3}
        park.audit(no_progress)


class TestReadings:
    @pytest.mark.parametrize(
        ("length_s", "values", "shown"),
        [
            (3600, [158], {0: 39, 1: 40, 2: 39, 3: 40}),
            (1800, [101, 56], {0: 50, 1: 51, 2: 28, 3: 28}),
            (300, [1, 2, 3, 0, 0, 0, 10, 10, 10, 7, 0, 0], {0: 6, 2: 30, 3: 7}),
            (60, [1] * 30, {0: 15, 1: 15}),
            (300, [1, 2, 3, 4, 5], {0: 6}),
        ],
    )
    def test_of_other_lengths(
        self, bare: House, length_s: int, values: list[int], shown: Wh
    ) -> None:
        source(bare, "roof", interval_s=length_s)
        take(bare, "roof", values, length_s=length_s)
        agree(bare, "all", {"saw": 0, "press": 0})
        run_matching(bare.desk, FOUR)
        assert sums(bare, "roof") == shown
        assert _covering(bare, "roof", shown) == _expected(bare, "roof", length_s, shown)
        bare.audit(no_progress)

    def test_estimated_readings_are_no_lots(self, park: House) -> None:
        estimated = int(Quality.ESTIMATED)
        take(park, "roof", [500], start=4, flags=estimated)
        take(park, "saw", [20, 20], start=4)
        take(park, "press", [70], start=4, flags=estimated)
        take(park, "press", [70], start=5)
        agree(park, "all", {"saw": 0, "press": 0})
        run_matching(park.desk, span(0, 6))
        assert sums(park, "roof") == {0: 100, 2: 50, 3: 7}
        assert sums(park, "press") == {**dict(enumerate(PRESS)), 5: 70}

    def test_missing_generation_is_no_lot(self, park: House) -> None:
        take(park, "saw", [20], start=4)
        take(park, "press", [20], start=4)
        agree(park, "all", {"saw": 0, "press": 0})
        run_matching(park.desk, span(0, 5))
        one = divided(park, "roof", 0)
        assert one.readings[4].tobytes() == bytes(32)
        assert one.readings[1].tobytes() != bytes(32), "0 Wh were read"


def _covering(house: House, name: str, where: Wh) -> dict[int, bytes]:
    readings = divided(house, name, 0).readings
    return {at: readings[at].tobytes() for at in where}


def _expected(house: House, name: str, length_s: int, where: Wh) -> dict[int, bytes]:
    """§3.4: the leaf of the reading over the quarter-hour, or all leaves that fill it, hashed."""
    with reading(house.engine) as conn:
        (item,) = effective(conn, 1, point_id(house, name), start_s=EDGE_S, end_s=EDGE_S + 86_400)
        leaves = leaf_hashes_of(conn, 1, house.log.origin, item)
    found = {}
    for at in where:
        begin_s = EDGE_S + at * QUARTER_S
        mine = [
            leaf
            for leaf, start_s in zip(leaves, item.series.start_s.tolist(), strict=True)
            if start_s < begin_s + QUARTER_S and start_s + length_s > begin_s
        ]
        found[at] = mine[0] if len(mine) == 1 else hashlib.sha256(b"\x02" + b"".join(mine)).digest()
    return found
