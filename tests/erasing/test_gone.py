"""The bytes themselves: not in SQLite's files any more; and who may erase in PostgreSQL."""

from __future__ import annotations

import secrets

import pytest

from ledger import db
from ledger.errors import Refused
from ledger.house import House
from ledger.metering.erasing import erase_batches
from tests.claims.parks import ROOF
from tests.erasing.conftest import Park
from tests.ledgers import DATABASE_URL, no_progress, open_house, rows, server_of, settings_in

VALUES = b"".join(value.to_bytes(8, "big") for value in ROOF)


def test_no_file_of_sqlite_holds_the_bytes(park: Park) -> None:
    index, folder = park.batch("roof"), park.house.settings.dir
    ((secret,),) = rows(park.house, "SELECT secret FROM batches WHERE entry_index = ?", index)

    def held(what: bytes) -> bool:
        return any(what in file.read_bytes() for file in folder.glob("ledger.sqlite3*"))

    assert held(VALUES)
    assert held(bytes(secret))
    erase_batches(park.house.desk, [index], "not kept any longer")
    park.house.engine.dispose()
    assert db.sweep(park.house.engine)
    assert not held(VALUES)
    assert not held(bytes(secret))


def test_who_reads_holds_the_sweep_up(park: Park) -> None:
    with db.reading(park.house.engine) as conn:
        conn.exec_driver_sql("SELECT COUNT(*) FROM entries").one()
        erase_batches(park.house.desk, [park.batch("roof")], "not kept any longer")
        connection = db.open_engine(park.house.settings.url)
        assert not db.sweep(connection, wait_ms=50)
        connection.dispose()


@pytest.mark.both_databases
def test_the_services_role_erases_only_where_it_was_let(park: Park) -> None:
    role = f"service_{secrets.token_hex(4)}"
    folder = park.house.settings.dir
    there = server_of(folder)
    if there is None:
        with pytest.raises(Refused, match="SQLite has no roles"):
            House.grant(park.house.settings, role, erases=True)
        return
    there[0].run(f"CREATE ROLE {role} LOGIN")
    owner = (folder / DATABASE_URL).read_text()
    for may in (False, True):
        (folder / DATABASE_URL).write_text(owner)
        House.grant(settings_in(folder), role, erases=may)
        (folder / DATABASE_URL).write_text(there[0].url(there[1], role))
        house = open_house(folder)
        if may:
            erase_batches(house.desk, [park.batch("roof")], "not kept any longer")
            assert house.audit(no_progress).erased == 2
        else:
            with pytest.raises(Refused, match="this role of the database may not erase"):
                erase_batches(house.desk, [park.batch("roof")], "not kept any longer")
        house.engine.dispose()
    (folder / DATABASE_URL).write_text(owner)
