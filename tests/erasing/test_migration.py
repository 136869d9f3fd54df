"""A ledger from before erasures: who holds which body is found in its entries."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

import migrations
from ledger.metering.erasing import erase_batches
from ledger.metering.service import Origin, take_in
from ledger.schema import migrate
from tests import ledgers
from tests.claims.parks import DAY
from tests.erasing.conftest import Park
from tests.ledgers import no_progress, open_house, rows, series


@pytest.mark.both_databases
def test_uses_of_bodies_are_found_in_an_old_database(park: Park) -> None:
    ledgers._add_statements(park.house)
    taken = take_in(
        park.house.desk,
        [series("roof", [7], start_s=DAY.end_s)],
        Origin(source="file", author="farm", file_name="a.csv", file=b"the rows"),
    )
    query = "SELECT entry_index, hash FROM body_uses ORDER BY entry_index, hash"
    before = [(index, bytes(key)) for index, key in rows(park.house, query)]
    park.house.engine.dispose()
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["url"] = park.house.settings.url
    command.downgrade(config, "0010")
    migrate(park.house.settings.url)
    house = open_house(park.house.settings.dir)
    assert [(index, bytes(key)) for index, key in rows(house, query)] == before
    erase_batches(house.desk, [taken.receipts[0].index], "kept long enough")
    assert house.audit(no_progress).erased == 3
    house.engine.dispose()
