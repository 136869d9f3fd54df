"""Ledgers for tests of accounting: a park with a month that can be accounted for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.house import House
from tests.accounting import books as accounts
from tests.divided import built, opened
from tests.ledgers import begun, begun_template

__all__ = ["begun", "begun_template"]


def _all(house: House) -> None:
    accounts.build(house)
    accounts.claim_february(house)
    accounts.put_activities(house)


@pytest.fixture(scope="session")
def books_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(begun_template, tmp_path_factory.mktemp("accounts"), _all)


@pytest.fixture
def books(books_template: Path, tmp_path: Path) -> Iterator[House]:
    yield from opened(books_template, tmp_path)
