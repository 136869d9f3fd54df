"""Runs and divisions are checked before the lock is taken; what comes in between is noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from ledger.errors import Outdated, Refused
from ledger.house import House
from ledger.matching import service
from ledger.matching.dividing import Planner
from ledger.matching.evaluate import evaluate
from ledger.matching.service import run_matching
from tests.divided import FOUR, agree, correct, source, take
from tests.ledgers import dump, no_progress, open_house
from tests.matching.test_dividing_entries import OVERTAKING


@contextmanager
def before_the_lock(
    house: House, first: Callable[[House], object], patch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Another process appends, once, after the next append was checked and before it is placed."""
    writer: Any = house.desk.writer
    commit = writer._commit

    def late(group: Sequence[Any]) -> None:
        patch.undo()
        other = open_house(house.settings.dir)
        first(other)
        other.engine.dispose()
        commit(group)

    patch.setattr(writer, "_commit", late, raising=False)
    yield


@contextmanager
def counted(patch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is evaluated and planned."""
    done: list[str] = []
    plan = Planner.plan

    def planning(self: Planner, *given: Any) -> Any:
        done.append("plan")
        return plan(self, *given)

    def evaluating(*given: Any, **more: Any) -> Any:
        done.append("evaluate")
        return evaluate(*given, **more)

    patch.setattr(Planner, "plan", planning)
    patch.setattr(service, "evaluate", evaluating)
    yield done


@pytest.mark.parametrize(("what", "first"), OVERTAKING, ids=[what for what, _ in OVERTAKING])
def test_what_concerns_the_run(
    park: House, what: str, first: Callable[[House], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    agree(park, "all", {"saw": 0, "press": 0})
    seen: list[dict[str, Any]] = []

    def act(other: House) -> None:
        first(other)
        seen.append(dump(park.settings.dir))

    with (
        before_the_lock(park, act, monkeypatch),
        pytest.raises(Refused, match="match again") as why,
    ):
        run_matching(park.desk, FOUR)
    assert isinstance(why.value, Outdated)
    assert dump(park.settings.dir) == seen[0]
    run_matching(park.desk, FOUR)
    park.audit(no_progress)


HARMLESS: list[tuple[str, Callable[[House], object]]] = [
    ("a party", lambda house: house.desk.register_party("new", "New", ["enterprise"])),
    ("another point's readings", lambda house: take(house, "tower", [3])),
    ("a correction in another month", lambda house: correct(house, "roof", -1, 7)),
]


@pytest.mark.parametrize(("what", "first"), HARMLESS, ids=[what for what, _ in HARMLESS])
def test_what_does_not_concern_it_costs_no_second_look(
    park: House, what: str, first: Callable[[House], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    source(park, "tower", owner="wind")
    take(park, "roof", [5], start=-1)
    agree(park, "all", {"saw": 0, "press": 0})
    with (
        pytest.MonkeyPatch.context() as watch,
        counted(watch) as done,
        before_the_lock(park, first, monkeypatch),
    ):
        report = run_matching(park.desk, FOUR)
    # By its author, and before the lock: three origins each time.
    assert done == ["evaluate", *["plan"] * 3] * 2
    assert report.evaluation.matched[0].matched_wh == 156
    park.audit(no_progress)


def test_a_point_that_is_registered_again_is_looked_at_again(
    park: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree(park, "all", {"saw": 0, "press": 0})

    def first(house: House) -> None:
        source(house, "mast", owner="wind")

    with (
        pytest.MonkeyPatch.context() as watch,
        counted(watch) as done,
        before_the_lock(park, first, monkeypatch),
    ):
        run_matching(park.desk, FOUR)
    assert done == ["evaluate", *["plan"] * 3] * 2 + ["plan"] * 3
    park.audit(no_progress)
