"""Runs after runs: nothing is divided twice, whatever is corrected, comes late or is added."""

from __future__ import annotations

import pytest

from ledger.errors import Refused
from ledger.house import House
from ledger.matching.service import run_matching
from tests.divided import (
    FOUR,
    agree,
    all_held,
    consumer,
    correct,
    lots,
    point_id,
    source,
    span,
    take,
)
from tests.ledgers import dump, no_progress
from tests.matching.books import PRESS, ROOF, SAW, book, sums


class TestAgain:
    def test_nothing_is_divided_twice(self, park: House) -> None:
        agree(park, "all", {"saw": 0, "press": 0})
        run_matching(park.desk, FOUR)
        before = lots(park)
        again = run_matching(park.desk, FOUR)
        assert (again.divisions, lots(park)) == ([], before)
        assert again.evaluation.matched[0].matched_wh == 0
        assert again.evaluation.matched[0].covered_wh == 156

    def test_a_new_contract_gets_what_was_left(self, park: House) -> None:
        agree(park, "a", {"saw": 0})
        run_matching(park.desk, FOUR)
        assert lots(park)["roof", "", 0] == {0: 40, 3: 4}
        agree(park, "b", {"press": 0}, limit_wh=22)
        run_matching(park.desk, FOUR)
        assert book(park, "roof", 1) == ({0: 100, 2: 50, 3: 7}, {0: 40, 3: 4}, {})
        assert lots(park)["roof", "press", 1] == {0: 22}
        assert lots(park)["roof", "", 1] == {0: 18, 3: 4}
        agree(park, "c", {"press": 0}, kind="green-trade")
        run_matching(park.desk, FOUR)
        assert lots(park)["roof", "press", 2] == {0: 18, 3: 3}
        assert lots(park)["press", "press", 1] == {0: 18, 3: 3}
        assert lots(park)["roof", "", 2] == {3: 1}
        assert sums(park, "roof") == {0: 100, 2: 50, 3: 7}
        assert sums(park, "press") == dict(enumerate(PRESS))
        park.audit(no_progress)

    def test_a_share_is_given_once(self, park: House) -> None:
        agree(park, "a", {"saw": 100_000})
        run_matching(park.desk, FOUR)
        assert lots(park)["roof", "saw", 0] == {0: 10, 2: 5}
        assert not run_matching(park.desk, FOUR).divisions
        agree(park, "b", {"press": 0})
        run_matching(park.desk, FOUR)
        assert lots(park)["roof", "press", 1] == {0: 60, 2: 20, 3: 3}
        assert not run_matching(park.desk, FOUR).divisions
        park.audit(no_progress)

    def test_a_correction_upward_is_divided_anew(self, park: House) -> None:
        agree(park, "all", {"saw": 0, "press": 0})
        run_matching(park.desk, FOUR)
        correct(park, "roof", 0, 130)
        correct(park, "roof", 1, 20)
        run_matching(park.desk, FOUR)
        assert book(park, "roof", 1)[2] == {0: 30, 1: 20}
        # Left to cover at 0 are 10 and 10, at 1 30 and 30.
        assert lots(park)["roof", "saw", 1] == {0: 10, 1: 10}
        assert lots(park)["roof", "press", 1] == {0: 10, 1: 10}
        assert lots(park)["roof", "", 1] == {0: 10, 3: 1}
        assert sums(park, "roof") == {0: 130, 1: 20, 2: 50, 3: 7}

    def test_late_readings(self, park: House) -> None:
        agree(park, "all", {"saw": 0, "press": 0})
        run_matching(park.desk, FOUR)
        for name, values in (("roof", [40]), ("saw", [10]), ("press", [10])):
            take(park, name, values, start=4)
        run_matching(park.desk, span(0, 5))
        assert lots(park)["roof", "saw", 1] == {4: 10}
        assert lots(park)["roof", "", 1] == {3: 1, 4: 20}
        assert sums(park, "roof") == {0: 100, 2: 50, 3: 7, 4: 40}

    def test_a_correction_downward_is_written_off_from_what_was_left(self, park: House) -> None:
        agree(park, "a", {"saw": 0})
        run_matching(park.desk, FOUR)
        correct(park, "roof", 0, 75)  # of what was left, 25 are gone
        correct(park, "roof", 2, 10)  # nothing was left there
        correct(park, "roof", 3, 1)  # 4 were left, 6 are gone
        agree(park, "b", {"press": 0})
        run_matching(park.desk, FOUR)
        assert book(park, "roof", 1) == (
            {0: 100, 2: 50, 3: 7},
            {0: 40, 3: 4},
            {0: -25, 3: -4},
        )
        assert lots(park)["roof", "press", 1] == {0: 15}
        assert ("roof", "", 1) not in lots(park)
        # Upward again: the base is what the lots are worth, not what was read once.
        correct(park, "roof", 3, 5)
        correct(park, "roof", 2, 55)
        run_matching(park.desk, FOUR)
        assert book(park, "roof", 2) == ({0: 75, 2: 50, 3: 3}, {}, {2: 5, 3: 2})
        assert sums(park, "roof") == {0: 75, 2: 55, 3: 5}
        park.audit(no_progress)

    def test_consumption_corrected_downward(self, park: House) -> None:
        agree(park, "all", {"saw": 0, "press": 0})
        run_matching(park.desk, span(0, 1))
        correct(park, "saw", 0, 52)
        correct(park, "saw", 2, 5)
        run_matching(park.desk, FOUR)
        assert book(park, "saw", 1)[2] == {0: -8, 2: -55}
        assert lots(park)["saw", "saw", 1] == {2: 5, 3: 3}
        assert lots(park)["saw", "", 1] == {0: 2, 1: 30}
        assert sums(park, "saw") == {0: 52, 1: 30, 2: 5, 3: 3}

    def test_a_limit_counts_what_became_lots(self, park: House) -> None:
        agree(park, "all", {"saw": 0, "press": 0}, limit_wh=120)
        run_matching(park.desk, FOUR)
        assert sum(sum(one.wh.values()) for one in all_held(park) if one.point == "roof") == 157
        given = [one for one in all_held(park) if one.point == "roof" and one.holder]
        assert sum(sum(one.wh.values()) for one in given) == 120
        correct(park, "roof", 0, 90)  # what was delivered stays delivered
        correct(park, "roof", 1, 60)
        assert run_matching(park.desk, FOUR).divisions == []
        agree(park, "all", {"saw": 0, "press": 0}, limit_wh=150)
        run_matching(park.desk, FOUR)
        given = [one for one in all_held(park) if one.point == "roof" and one.holder]
        assert sum(sum(one.wh.values()) for one in given) == 150
        park.audit(no_progress)

    def test_the_limit_of_a_later_period_first(self, park: House) -> None:
        agree(park, "all", {"saw": 0, "press": 0}, limit_wh=120)
        # What comes before is counted, as if it had been divided: 100.
        run_matching(park.desk, span(2, 4))
        given = [one for one in all_held(park) if one.point == "roof" and one.holder]
        assert sum(sum(one.wh.values()) for one in given) == 20
        run_matching(park.desk, span(0, 2))
        given = [one for one in all_held(park) if one.point == "roof" and one.holder]
        assert sum(sum(one.wh.values()) for one in given) == 120


class TestParents:
    """What a parent's meter shows, its children's show too: it becomes lots once."""

    def _below(self, house: House, parent: str, name: str) -> None:
        above = point_id(house, parent).hex()
        if parent == "roof":
            source(house, name, parent=above)
        else:
            consumer(house, name, parent=above)

    @pytest.mark.parametrize("depth", [1, 2])
    def test_sub_meters_of_a_source(self, park: House, depth: int) -> None:
        agree(park, "all", {"saw": 500_000})
        run_matching(park.desk, FOUR)
        self._below(park, "roof", "string")
        if depth == 2:
            source(park, "module", parent=point_id(park, "string").hex())
        lowest = ("string", "module")[depth - 1]
        take(park, lowest, [*ROOF, 8])
        take(park, "saw", [9], start=4)
        take(park, "press", [9], start=4)
        agree(park, "all", {"saw": 0}, sources=[lowest])
        before = dump(park.settings.dir)
        with pytest.raises(Refused, match=r"'roof', above or below it, was divided"):
            run_matching(park.desk, FOUR)
        assert dump(park.settings.dir) == before
        run_matching(park.desk, span(4, 5))
        assert lots(park)[lowest, "saw", 0] == {4: 8}
        park.audit(no_progress)

    def test_sub_meters_of_a_consumer(self, park: House) -> None:
        agree(park, "all", {"saw": 500_000})
        run_matching(park.desk, FOUR)
        self._below(park, "saw", "blade")
        take(park, "blade", SAW)
        agree(park, "all", {"blade": 0})
        with pytest.raises(Refused, match=r"'blade' at .*'saw', above or below it, was divided"):
            run_matching(park.desk, FOUR)
