"""Ledgers for tests of runs, and of the lots that they end in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.house import House
from tests.divided import built, opened
from tests.ledgers import begun, begun_template, filled, filled_template
from tests.matching.books import consumers, roof_too

__all__ = ["begun", "begun_template", "filled", "filled_template"]


@pytest.fixture(scope="session")
def bare_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(begun_template, tmp_path_factory.mktemp("bare"), consumers)


@pytest.fixture(scope="session")
def park_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(begun_template, tmp_path_factory.mktemp("park"), roof_too)


@pytest.fixture
def bare(bare_template: Path, tmp_path: Path) -> Iterator[House]:
    """Parties and consumers; no source yet."""
    yield from opened(bare_template, tmp_path)


@pytest.fixture
def park(park_template: Path, tmp_path: Path) -> Iterator[House]:
    yield from opened(park_template, tmp_path)
