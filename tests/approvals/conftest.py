"""The ledgers of tests/ledgers.py, and one with an office of three officers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.house import House
from tests.approvals.offices import found_office
from tests.ledgers import begun_template, copy_ledger, open_house

__all__ = ["begun_template"]


@pytest.fixture(scope="session")
def office_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_ledger(begun_template, tmp_path_factory.mktemp("office") / "data")
    house = open_house(folder)
    found_office(house)
    house.engine.dispose()
    return folder


@pytest.fixture
def office(office_template: Path, tmp_path: Path) -> Iterator[House]:
    """mill has three officers and four eyes, shop two officers and none."""
    house = open_house(copy_ledger(office_template, tmp_path / "office"))
    yield house
    house.engine.dispose()
