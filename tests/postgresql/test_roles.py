"""The service's role adds rows; PostgreSQL itself refuses it everything else."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Table

from ledger import db
from ledger.access.roles import Role
from ledger.errors import NotFound, Refused, Unavailable
from ledger.house import House
from tests.access.door import Door
from tests.ledgers import (
    DATABASE_URL,
    begin,
    fill,
    no_progress,
    open_house,
    server_of,
    settings_in,
)
from tests.servers.postgres import OWNER, PostgreSQL

DENIED = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def role(postgresql: PostgreSQL) -> str:
    """A role that may log in, and nothing else; its name has to be quoted."""
    name = f"Service {secrets.token_hex(4)}"
    postgresql.run(f'CREATE ROLE "{name}" LOGIN')
    return name


def as_role(house: House, role: str) -> House:
    """The same ledger, opened by the service's role."""
    there = server_of(house.settings.dir)
    assert there is not None
    server, name = there
    url = server.url(name, role.replace(" ", "%20"))
    (house.settings.dir / DATABASE_URL).write_text(url)
    return open_house(house.settings.dir)


def test_the_service_appends_and_changes_nothing(
    begun: House, role: str, postgresql: PostgreSQL
) -> None:
    there = server_of(begun.settings.dir)
    assert there is not None
    database = there[1]
    owner = begun.settings
    # One batch of what it fills in is erased; with the next grant that is over.
    House.grant(owner, role, erases=True)
    house = as_role(begun, role)
    fill(house)
    House.grant(owner, role)
    house.audit(no_progress)
    house.engine.dispose()
    with postgresql.connect(database, role) as connection:
        for command in (
            *(one for table in db.metadata.sorted_tables for one in forbidden(table)),
            "UPDATE entries_p0 SET author = author",
            "CREATE TABLE more (number integer)",
            "SET session_replication_role = replica",
            "UPDATE alembic_version SET version_num = '0001'",
            (
                "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql"
                " AS 'BEGIN RETURN NEW; END'"
            ),
        ):
            with pytest.raises(DENIED):
                connection.execute(command.encode())


def test_the_service_signs_people_in(begun: House, role: str) -> None:
    """With what it may: the trail counts its rows without a right on a sequence."""
    House.grant(begun.settings, role)
    house = as_role(begun, role)
    door = Door(house.engine)
    lin = door.account("lin", ("operator", Role.ADMIN))
    token = door.login("lin")
    key, name = door.key(lin, "operator", Role.VIEWER)
    assert door.caller(token).account == door.caller(key).account == lin
    door.end_key(name)
    assert not door.lets_in(key)
    house.engine.dispose()


def forbidden(table: Table) -> Iterator[str]:
    """What the service's role may not do with a table."""
    yield f"TRUNCATE {table.name}"
    yield f"DROP TABLE {table.name} CASCADE"
    yield f"ALTER TABLE {table.name} DISABLE TRIGGER ALL"
    yield f"CREATE RULE quiet AS ON INSERT TO {table.name} DO INSTEAD NOTHING"
    if not table.info.get("of_service") or table.info.get("append_only"):
        yield f"DELETE FROM {table.name}"
    if table.info.get("append_only"):
        column = list(table.columns)[-1].name
        yield f'UPDATE {table.name} SET "{column}" = "{column}"'
        yield f"DROP TRIGGER {table.name}_no_change ON {table.name}"


def test_a_grant_takes_away_what_is_too_much(
    begun: House, role: str, postgresql: PostgreSQL
) -> None:
    there = server_of(begun.settings.dir)
    assert there is not None
    with postgresql.connect(there[1]) as owner:
        owner.execute(f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{role}", PUBLIC'.encode())
        owner.execute(f'GRANT ALL ON SCHEMA public TO "{role}"'.encode())
    House.grant(begun.settings, role)
    with postgresql.connect(there[1], role) as connection:
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (1,)
        for command in ("DELETE FROM entries", "DELETE FROM entries_p1", "CREATE TABLE more ()"):
            with pytest.raises(DENIED):
                connection.execute(command.encode())


def test_the_triggers_stand_for_the_owner_too(begun: House) -> None:
    there = server_of(begun.settings.dir)
    assert there is not None
    server, name = there
    with server.connect(name) as owner:
        for table in ("entries", "entries_p0", "entries_p1", "entries_p2", "entries_p3", "logs"):
            with pytest.raises(psycopg.IntegrityError, match=r"(entries|logs) is append-only"):
                owner.execute(f"TRUNCATE {table} CASCADE".encode())
        for command in ("UPDATE entries SET author = 'x'", "DELETE FROM logs"):
            with pytest.raises(psycopg.IntegrityError, match=r"(entries|logs) is append-only"):
                owner.execute(command.encode())


def test_roles_that_could_do_more_are_refused(
    begun: House, role: str, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match="is a superuser"):
        House.grant(begun.settings, OWNER)
    with pytest.raises(NotFound, match="no role 'nobody else'"):
        House.grant(begun.settings, "nobody else")
    there = server_of(begun.settings.dir)
    assert there is not None
    with postgresql.connect(there[1]) as owner:
        owner.execute(f'ALTER TABLE meter_logs OWNER TO "{role}"'.encode())
    with pytest.raises(Refused, match="is an owner of the tables"):
        House.grant(begun.settings, role)
    with postgresql.connect(there[1]) as owner:
        owner.execute(f"ALTER TABLE meter_logs OWNER TO {OWNER}".encode())
    with pytest.raises(Unavailable, match="holds no ledger"):
        House.grant(settings_in(tmp_path / "none"), role)


def test_sqlite_has_no_roles(tmp_path: Path) -> None:
    house = begin(tmp_path / "data")
    with pytest.raises(Refused, match="SQLite has no roles"):
        House.grant(house.settings, "service")
    house.engine.dispose()
