"""A ledger that has begun, with parties whose keys the server holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.house import House
from tests.ledgers import begun_template, close, copy_ledger, open_house
from tests.reports.counting import computing

__all__ = ["begun_template"]


@pytest.fixture
def house(begun_template: Path, tmp_path: Path) -> Iterator[House]:
    found = computing(open_house(copy_ledger(begun_template, tmp_path / "records")))
    for party in ("mill", "farm"):
        found.desk.register_party(party, party, ["enterprise"])
        found.desk.create_key(party)
    yield found
    close(found)
