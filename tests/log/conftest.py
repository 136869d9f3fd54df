"""The ledgers of tests/ledgers.py as fixtures, and one for the rows of each table."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.house import House
from ledger.log.notes import SigningKey
from ledger.log.succession import Succession
from tests.ledgers import (
    Clock,
    begun,
    begun_template,
    filled,
    filled_template,
    settings_in,
    tiled,
    tiled_template,
)

__all__ = ["begun", "begun_template", "filled", "filled_template", "tiled", "tiled_template"]


@pytest.fixture(scope="session")
def following_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log that follows another one."""
    folder = tmp_path_factory.mktemp("following") / "data"
    origin = "park.example/before"
    vkey = SigningKey.from_seed(origin, bytes(32)).verify_key.vkey
    before = Succession(origin=origin, log_vkey=vkey, size=9, root=bytes(32))
    house = House.init(
        settings_in(folder),
        origin="park.example/after",
        name="After",
        clock_s=Clock(),
        follows=before,
    )
    house.engine.dispose()
    return folder


@pytest.fixture(scope="session")
def with_rows(
    filled_template: Path, tiled_template: Path, following_template: Path
) -> Callable[[str], Path]:
    """The ledger in which a table has rows."""
    others = {"tiles": tiled_template, "successions": following_template}
    return lambda table: others.get(table, filled_template)
