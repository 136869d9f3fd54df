"""A park whose steel works has published footprints, served; and a partner with a service too."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.house import House
from tests.ledgers import begun_template, close, copy_ledger, open_house
from tests.pact.works import Works, settle
from tests.servers.api import serving

__all__ = ["begun_template"]


@pytest.fixture(scope="package")
def works_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ledger of `works`, to be copied."""
    folder = copy_ledger(begun_template, tmp_path_factory.mktemp("works-template") / "data")
    house = open_house(folder)
    settle(house)
    house.engine.dispose()
    return folder


def calm(house: House) -> House:
    """Without the jobs of the clock, which these tests need not wait for."""
    never = dict.fromkeys(("checkpoint_every_s", "expiry_every_s", "audit_every_s"), 0)
    return dataclasses.replace(house, settings=house.settings.model_copy(update=never))


def _served(template: Path, folder: Path) -> Iterator[Works]:
    house = calm(open_house(copy_ledger(template, folder / "data")))
    with serving(house) as url:
        works = Works.of(house, url.removesuffix("/api/v1"))
        yield works
        works.close()
    close(house)


@pytest.fixture(scope="package")
def works(works_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Works]:
    """Shared by tests that change nothing which others see."""
    yield from _served(works_template, tmp_path_factory.mktemp("works"))


@pytest.fixture
def own_works(works_template: Path, tmp_path: Path) -> Iterator[Works]:
    yield from _served(works_template, tmp_path)
