"""A matched and claimed park, one copy for each test: what was made of readings before they go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.claims import service as claims
from ledger.house import House
from ledger.matching.service import run_matching
from tests.claims import parks
from tests.claims.parks import DAY
from tests.ledgers import begun_template, close, copy_ledger, open_house, rows

__all__ = ["begun_template"]


@dataclass(frozen=True, kw_only=True)
class Park:
    """`entries`: {what: its entry}, of the batches by their sources."""

    house: House
    claim: bytes
    entries: dict[str, int]

    def batch(self, source: str) -> int:
        return self.entries[source]


@pytest.fixture(scope="session")
def claimed_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Roof, saw and till of `tests.claims.parks`, matched; the saw's lots are claimed."""
    folder = copy_ledger(begun_template, tmp_path_factory.mktemp("claimed") / "data")
    house = open_house(folder)
    parks.fill(house)
    run_matching(house.desk, DAY)
    claims.make(house.desk, ["saw"], DAY)
    house.checkpoint()
    house.engine.dispose()
    return folder


@pytest.fixture
def park(claimed_template: Path, tmp_path: Path) -> Iterator[Park]:
    house = open_house(copy_ledger(claimed_template, tmp_path / "park"))
    ((claim, made),) = rows(house, "SELECT claim, entry_index FROM claims")
    entries = dict(rows(house, "SELECT source, entry_index FROM batches"))
    for kind in ("match.run", "lot.divide"):
        entries[kind] = max(
            index
            for (index,) in rows(house, "SELECT entry_index FROM entries WHERE type = ?", kind)
        )
    entries["claim.make"] = made
    yield Park(house=house, claim=bytes(claim), entries=entries)
    close(house)
