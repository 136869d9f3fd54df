"""Divisions as entries: cut where one would be too long, refused where the run was overtaken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from ledger.errors import Refused
from ledger.house import House
from ledger.log.service import Appender, Receipt, Submission
from ledger.matching import dividing
from ledger.matching.service import run_matching
from tests.divided import FOUR, agree, correct, lots, source, span, take
from tests.ledgers import dump, no_progress
from tests.matching.books import PRESS, SAW, sums


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

    def __init__(self, writer: Appender, first: Callable[[], object]) -> None:
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

    slow = replace(park.desk, writer=cast(Appender, _Overtaken(park.desk.writer, act)))
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
        writer=cast(Appender, _Overtaken(park.desk.writer, lambda: take(park, "tower", [3]))),
    )
    evaluation = run_matching(slow, FOUR).evaluation
    assert evaluation.matched[0].matched_wh == 156
