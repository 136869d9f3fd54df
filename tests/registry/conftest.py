"""A park with parties, schemes and a wind farm, made once for each worker and copied."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.house import House
from tests.divided import built, opened
from tests.ledgers import begun, begun_template
from tests.units import found

__all__ = ["begun", "begun_template"]


@pytest.fixture(scope="session")
def founded_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(begun_template, tmp_path_factory.mktemp("founded"), found)


@pytest.fixture
def park(founded_template: Path, tmp_path: Path) -> Iterator[House]:
    yield from opened(founded_template, tmp_path)
