"""Invariant 18: whatever order points, readings and contracts come in, each gets the same Wh."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.claims import service
from ledger.house import House
from ledger.matching.service import run_matching
from tests.claims.claimed import used
from tests.divided import Wh, agree, all_held, consumer, correct, opened, owners, source, span, take

CURVES = {
    "roof": [10, 121, 3, 60, 7],
    "tower": [0, 1, 20, 0, 5],
    "saw": [10, 61, 30, 30, 3],
    "press": [1, 30, 30, 20, 3],
    "oven": [4, 30, 10, 10, 6],
}
PERIOD = span(-1, 4)
Result = tuple[dict[tuple[str, str, int, bool], Wh], dict[str, dict[tuple[str, str], Wh]]]


def play(house: House, shuffle: random.Random) -> Result:
    """All of a small park in some order; then a run, a correction, and claims."""
    owners(house)
    points: list[Callable[[], object]] = [
        lambda: source(house, "roof"),
        lambda: source(house, "tower", owner="wind"),
        lambda: consumer(house, "saw"),
        lambda: consumer(house, "press"),
        lambda: consumer(house, "oven", owner="shop"),
    ]
    parts = []
    for name, values in CURVES.items():
        cut = shuffle.randrange(1, 5)
        parts += [(name, values[:cut], -1), (name, values[cut:], cut - 1)]
    others: list[Callable[[], object]] = [
        *(
            lambda name=name, values=values, start=start: take(house, name, values, start=start)
            for name, values, start in parts
        ),
        lambda: agree(house, "all", {"oven": 0, "saw": 0, "press": 0}),
        lambda: agree(
            house,
            "traded",
            {"saw": 0, "press": 0},
            kind="green-trade",
            seller="wind",
            sources=["tower"],
        ),
    ]
    for act in shuffle.sample(points, len(points)):
        act()
    # A contract names sources, so all points come first; the rest in any order.
    for act in shuffle.sample(others, len(others)):
        act()
    run_matching(house.desk, PERIOD)
    corrections = [("roof", 0, 70), ("press", 2, 19), ("tower", 1, 7)]
    for name, at, wh in shuffle.sample(corrections, 3):
        correct(house, name, at, wh)
    pairs = [["saw", "press"], ["oven"]]
    # Who claims first gets what there is: that order is the claimants' own.
    claims = {
        ",".join(sorted(names)): service.make(
            house.desk, shuffle.sample(names, len(names)), PERIOD
        ).claim
        for names in pairs
    }
    held = {
        (one.point, one.holder, one.supply_class, min(one.wh) < 0): one.wh
        for one in all_held(house)
    }
    return held, {names: used(house, claim) for names, claim in claims.items()}


@pytest.fixture(scope="module")
def in_order(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    for house in opened(begun_template, tmp_path_factory.mktemp("in-order")):
        return play(house, random.Random(0))
    raise AssertionError


@pytest.mark.parametrize("seed", range(1, 5))
def test_the_order_does_not_matter(
    begun_template: Path, tmp_path: Path, in_order: Result, seed: int
) -> None:
    for house in opened(begun_template, tmp_path):
        assert play(house, random.Random(seed)) == in_order
