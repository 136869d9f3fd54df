"""The ledgers of tests/ledgers.py, and one with a consumer's, a plant's and billed readings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.house import House
from tests.ledgers import begun_template, copy_ledger, filled_template, open_house
from tests.periods.books import found_books

__all__ = ["begun_template", "filled_template"]


@pytest.fixture(scope="session")
def books_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_ledger(begun_template, tmp_path_factory.mktemp("books") / "data")
    house = open_house(folder)
    found_books(house)
    house.engine.dispose()
    return folder


@pytest.fixture
def books(books_template: Path, tmp_path: Path) -> Iterator[House]:
    house = open_house(copy_ledger(books_template, tmp_path / "books"))
    yield house
    house.engine.dispose()
