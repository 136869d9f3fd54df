"""The park of `park.py`, and its pack, made once for each worker."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.house import House
from tests.disclosure.park import Made, build, pack
from tests.ledgers import begun_template, close, copy_ledger, open_house

__all__ = ["begun_template"]


@pytest.fixture(scope="session")
def packed_template(
    begun_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Made, str]:
    """The ledger after it published a pack, the pack, and the inventory that it shows."""
    folder = copy_ledger(begun_template, tmp_path_factory.mktemp("packed") / "data")
    house = open_house(folder)
    inventory = build(house)
    made = pack(house, folder.parent / "mill.zip")
    house.engine.dispose()
    return folder, made, inventory


@pytest.fixture
def park(packed_template: tuple[Path, Made, str], tmp_path: Path) -> Iterator[House]:
    """A ledger of its own, to be changed at will."""
    house = open_house(copy_ledger(packed_template[0], tmp_path / "park"))
    yield house
    close(house)


@pytest.fixture
def made(packed_template: tuple[Path, Made, str]) -> Made:
    """The pack that it published; not to be changed."""
    return packed_template[1]


@pytest.fixture
def inventory(packed_template: tuple[Path, Made, str]) -> str:
    return packed_template[2]


@pytest.fixture
def copy(made: Made, tmp_path: Path) -> Path:
    """A copy of the pack, to be broken."""
    return Path(shutil.copy(made.path, tmp_path / "copy.zip"))
