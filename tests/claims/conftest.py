"""Ledgers for tests of claims: a matched park, where nothing is claimed yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.house import House
from ledger.matching.service import run_matching
from tests.claims import certified as certificates
from tests.divided import agree, built, consumer, opened, owners, source, span, take
from tests.ledgers import begun_template

__all__ = ["begun_template"]


def build(house: House) -> None:
    """The roof serves all three by demand, the tower what the saw still wants:

    quarter   −1   0   1   2   3
    saw       10  60   –  30   2    and of the tower  1: 20, 3: 1
    press      –  30   –  20   1
    oven       –  30   –  10   3
    """
    owners(house)
    source(house, "roof")
    source(house, "tower", owner="wind")
    consumer(house, "saw")
    consumer(house, "press")
    consumer(house, "oven", owner="shop")
    take(house, "roof", [10, 120, 0, 60, 6], start=-1)
    take(house, "tower", [0, 20, 0, 1])
    take(house, "saw", [10, 60, 30, 30, 3], start=-1)
    take(house, "press", [30, 30, 20, 3])
    take(house, "oven", [30, 10, 10, 6])
    agree(house, "all", {"saw": 0, "press": 0, "oven": 0})
    agree(house, "traded", {"saw": 0}, kind="green-trade", seller="wind", sources=["tower"])
    run_matching(house.desk, span(-1, 4))


@pytest.fixture(scope="session")
def matched_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(begun_template, tmp_path_factory.mktemp("matched"), build)


@pytest.fixture
def park(matched_template: Path, tmp_path: Path) -> Iterator[House]:
    yield from opened(matched_template, tmp_path)


@pytest.fixture(scope="session")
def certified_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates.certified(begun_template, tmp_path_factory.mktemp("certified"))


@pytest.fixture
def certified(certified_template: Path, tmp_path: Path) -> Iterator[House]:
    """A park whose consumers hold certificates and credits."""
    yield from opened(certified_template, tmp_path)
