"""Operators of two histories: one of many plain entries, one with some of everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledgers import begun_template, filled_template, open_house, tiled_template
from tests.servers.files_over_http import FileServer, serving_files
from tests.watching.operator import Operator

__all__ = ["begun_template", "filled_template", "tiled_template"]


@pytest.fixture(scope="session")
def operator(tiled_template: Path) -> Operator:
    """Of 300 entries."""
    house = open_house(tiled_template)
    found = Operator.of(house)
    house.engine.dispose()
    return found


@pytest.fixture(scope="session")
def busy_operator(filled_template: Path) -> Operator:
    """Of a history with claims and batches."""
    house = open_house(filled_template)
    found = Operator.of(house, "mill")
    house.engine.dispose()
    return found


@pytest.fixture
def published(operator: Operator, tmp_path: Path) -> Path:
    """The plain history as a folder, to be changed at will."""
    folder = tmp_path / "published"
    operator.publish(folder, operator.entries)
    return folder


@pytest.fixture
def served(published: Path) -> Iterator[FileServer]:
    with serving_files(published) as found:
        yield found
