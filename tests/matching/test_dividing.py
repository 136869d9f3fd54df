"""Runs end in lots: exact to the Wh, each Wh once, whatever is corrected or comes late."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from ledger.db import reading
from ledger.errors import Refused
from ledger.house import House
from ledger.log.service import Receipt, Submission, Writer
from ledger.lots import store
from ledger.lots.division import DividedOrigin
from ledger.lots.model import Month
from ledger.matching import dividing
from ledger.matching.evaluate import Evaluation
from ledger.matching.service import RunReport, data_period, run_matching
from ledger.metering.effective import effective, leaf_hashes_of
from ledger.metering.quality import Quality
from tests.divided import (
    EDGE_S,
    FOUR,
    Wh,
    agree,
    all_held,
    built,
    by_quarter,
    consumer,
    correct,
    lots,
    opened,
    owners,
    point_id,
    source,
    span,
    take,
)
from tests.ledgers import QUARTER_S, dump, no_progress

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


@pytest.fixture(scope="module")
def bare_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(begun_template, tmp_path_factory.mktemp("bare"), consumers)


@pytest.fixture(scope="module")
def park_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(begun_template, tmp_path_factory.mktemp("park"), roof_too)


@pytest.fixture
def bare(bare_template: Path, tmp_path: Path) -> Iterator[House]:
    """Parties and consumers; no source yet."""
    yield from opened(bare_template, tmp_path)


@pytest.fixture
def park(park_template: Path, tmp_path: Path) -> Iterator[House]:
    yield from opened(park_template, tmp_path)


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

    @pytest.mark.xfail(
        strict=True, reason="each run gives a contract by shares its part of what was left anew"
    )
    def test_a_share_is_given_once(self, park: House) -> None:
        agree(park, "a", {"saw": 100_000})
        run_matching(park.desk, FOUR)
        assert lots(park)["roof", "saw", 0] == {0: 10, 2: 5}
        assert not run_matching(park.desk, FOUR).divisions

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


class TestCutting:
    """An entry has an end: divisions of many lots are cut into several entries."""

    @pytest.mark.parametrize(("limit", "entries"), [(10_000, 1), (300, 2), (160, 3)])
    def test_groups(
        self, park: House, monkeypatch: pytest.MonkeyPatch, limit: int, entries: int
    ) -> None:
        monkeypatch.setattr(dividing, "_LISTS_BYTES_MAX", limit)
        agree(park, "all", {"saw": 0, "press": 0})
        report = run_matching(park.desk, FOUR)
        assert len(report.divisions) == entries
        assert lots(park)["roof", "", 0] == {3: 1}
        assert {name: sums(park, name) for name in ("roof", "saw", "press")} == {
            "roof": {0: 100, 2: 50, 3: 7},
            "saw": dict(enumerate(SAW)),
            "press": dict(enumerate(PRESS)),
        }
        park.audit(no_progress)

    def test_one_origin_with_too_many(self, park: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dividing, "_LISTS_BYTES_MAX", 120)
        agree(park, "all", {"saw": 0, "press": 0})
        before = dump(park.settings.dir)
        with pytest.raises(Refused, match="would have 3 lots: an entry can name"):
            run_matching(park.desk, FOUR)
        assert dump(park.settings.dir) == before

    def test_the_room_reckoned_is_the_room_taken(self, park: House) -> None:
        agree(park, "a", {"saw": 0})
        run_matching(park.desk, FOUR)
        agree(park, "b", {"press": 0})
        (receipt,) = run_matching(park.desk, FOUR).divisions
        said = receipt.entry.statement
        taken = sum(len(str(said[name])) for name in ("origins", "spends", "creates"))
        count = len(said["origins"]), len(said["spends"]) + len(said["creates"])
        assert taken <= 50 * count[0] + 35 * count[1] + 6


class _Overtaken:
    """A writer before which somebody else is served first."""

    def __init__(self, writer: Writer, first: Callable[[], object]) -> None:
        self._writer = writer
        self._first = first

    def append_all(self, submissions: list[Submission]) -> list[Receipt]:
        self._first()
        return self._writer.append_all(submissions)


OVERTAKING: list[tuple[str, Callable[[House], object]]] = [
    ("down", lambda house: correct(house, "roof", 0, 99)),
    ("up", lambda house: correct(house, "roof", 0, 101)),
    ("consumption down", lambda house: correct(house, "saw", 0, 1)),
    ("late", lambda house: take(house, "roof", [3], start=9)),
    ("another run", lambda house: run_matching(house.desk, span(3, 4))),
]


@pytest.mark.parametrize(("what", "first"), OVERTAKING, ids=[what for what, _ in OVERTAKING])
def test_a_run_that_was_overtaken(park: House, what: str, first: Callable[[House], object]) -> None:
    agree(park, "all", {"saw": 0, "press": 0})
    seen: list[dict[str, Any]] = []

    def act() -> None:
        first(park)
        seen.append(dump(park.settings.dir))

    slow = replace(park.desk, writer=cast(Writer, _Overtaken(park.desk.writer, act)))
    with pytest.raises(Refused, match="match again"):
        run_matching(slow, FOUR)
    assert dump(park.settings.dir) == seen[0]
    run_matching(park.desk, FOUR)
    park.audit(no_progress)


def test_what_does_not_concern_the_run_may_overtake_it(park: House) -> None:
    source(park, "tower", owner="wind")
    agree(park, "all", {"saw": 0, "press": 0})
    slow = replace(
        park.desk,
        writer=cast(Writer, _Overtaken(park.desk.writer, lambda: take(park, "tower", [3]))),
    )
    report: RunReport = run_matching(slow, FOUR)
    evaluation: Evaluation = report.evaluation
    assert evaluation.matched[0].matched_wh == 156
