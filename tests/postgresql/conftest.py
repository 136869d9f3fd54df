"""Ledgers on PostgreSQL, made once for each worker and copied."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.house import House
from ledger.schema import migrate
from tests.ledgers import begin, close, copy_ledger, fill, on_postgresql, open_house
from tests.servers.postgres import PostgreSQL


@pytest.fixture(scope="session")
def migrated(postgresql: PostgreSQL) -> str:
    """A database with the newest schema and no row, to be copied."""
    name = postgresql.create()
    migrate(postgresql.url(name))
    return name


@pytest.fixture
def empty(postgresql: PostgreSQL, migrated: str) -> Iterator[str]:
    """The name of a database with the newest schema, to be changed at will."""
    name = postgresql.create(migrated)
    yield name
    postgresql.drop(name)


@pytest.fixture(scope="session")
def begun_there(
    postgresql: PostgreSQL, migrated: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = on_postgresql(postgresql, tmp_path_factory.mktemp("begun-there") / "data", migrated)
    begin(folder).engine.dispose()
    return folder


@pytest.fixture(scope="session")
def filled_there(begun_there: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_ledger(begun_there, tmp_path_factory.mktemp("filled-there") / "data")
    house = open_house(folder)
    fill(house)
    house.engine.dispose()
    return folder


@pytest.fixture
def begun(begun_there: Path, tmp_path: Path) -> Iterator[House]:
    house = open_house(copy_ledger(begun_there, tmp_path / "begun"))
    yield house
    close(house)


@pytest.fixture
def filled(filled_there: Path, tmp_path: Path) -> Iterator[House]:
    house = open_house(copy_ledger(filled_there, tmp_path / "filled"))
    yield house
    close(house)
