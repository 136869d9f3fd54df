"""The ledgers of tests/ledgers.py, served, with people signed in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.house import House
from tests.api.people import PASSWORDS, Town, settle
from tests.ledgers import (
    begun,
    begun_template,
    close,
    copy_ledger,
    filled,
    filled_template,
    ledger_database,
    open_house,
    tiled,
    tiled_template,
)
from tests.servers.api import serving
from tests.servers.postgres import postgresql

__all__ = [
    "begun",
    "begun_template",
    "filled",
    "filled_template",
    "ledger_database",
    "postgresql",
    "tiled",
    "tiled_template",
]


def _served(house: House) -> Iterator[Town]:
    with serving(house, PASSWORDS) as url:
        town = settle(house, url)
        yield town
        town.close()
    close(house)


@pytest.fixture(scope="session")
def town(filled_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A service that many tests share: what they write, others may see."""
    folder = copy_ledger(filled_template, tmp_path_factory.mktemp("town") / "data")
    yield from _served(open_house(folder))


@pytest.fixture
def own_town(filled: House) -> Iterator[Town]:
    """A service of the test's own."""
    yield from _served(filled)


@pytest.fixture
def new_town(begun: House) -> Iterator[Town]:
    """A service whose log has only begun."""
    yield from _served(begun)
