"""The database keeps the rules too: rows that never change, and one schema by two ways."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import PrimaryKeyConstraint, Table, UniqueConstraint

import migrations
from ledger import db, schema
from ledger.db.triggers import one_line, sqlite_triggers
from ledger.errors import Refused
from ledger.house import House
from ledger.schema import migrate
from tests.ledgers import copy_ledger, raw_database

# Tables of the service have tests of their own, beside their rooms.
APPEND_ONLY = sorted(table.name for table in db.ledger_tables() if table.info.get("append_only"))


def test_the_files_names_are_the_chain_of_migrations() -> None:
    """So that the schema that a program needs is known without Alembic."""
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    chain = [script.revision for script in scripts.walk_revisions()]
    assert chain == sorted(chain, reverse=True)
    assert chain[0] == schema.newest()
    assert {Path(str(script.path)).name[:4] for script in scripts.walk_revisions()} == set(chain)


def migrated(folder: Path) -> Path:
    path = folder / "migrated.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


def created(folder: Path) -> Path:
    path = folder / "created.sqlite3"
    engine = db.open_engine(f"sqlite:///{path}")
    db.create_tables(engine)
    engine.dispose()
    return path


def objects(path: Path, kind: str) -> dict[str, str]:
    connection = sqlite3.connect(path)
    found = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = ? AND sql IS NOT NULL", (kind,)
    ).fetchall()
    connection.close()
    return {name: " ".join(sql.split()) for name, sql in found}


def test_only_the_head_may_change() -> None:
    """A new table that is not append-only has to be named here."""
    assert {table.name for table in db.ledger_tables()} - set(APPEND_ONLY) == {
        "log_heads",
        "shorts",
    }


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_rows_never_change(table: str, with_rows: Callable[[str], Path], tmp_path: Path) -> None:
    """In the migrated database, on a row that is there: the trigger fires for each row."""
    connection = raw_database(copy_ledger(with_rows(table), tmp_path / "data"))
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    before = connection.execute(f"SELECT * FROM {table}").fetchall()
    assert before
    for statement in (
        *(f"UPDATE {table} SET {column} = {column}" for column in columns),
        f"UPDATE OR REPLACE {table} SET log_id = log_id",
        f"DELETE FROM {table}",
        f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})",
    ):
        with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only"):
            connection.execute(statement)
    assert connection.execute(f"SELECT * FROM {table}").fetchall() == before
    connection.close()


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_rows_are_not_replaced(table: str, with_rows: Callable[[str], Path]) -> None:
    """`INSERT OR REPLACE` deletes without firing triggers, unless a connection is told to."""
    engine = db.open_engine(f"sqlite:///{with_rows(table) / 'ledger.sqlite3'}")
    with (
        # By the append-only trigger, or by a rule that the same row breaks before.
        pytest.raises(Refused, match="the database refused it: "),
        db.writing(engine) as connection,
    ):
        connection.exec_driver_sql(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
    engine.dispose()


def test_migrations_and_metadata_say_the_same(tmp_path: Path) -> None:
    engine = db.open_engine(f"sqlite:///{migrated(tmp_path)}")
    with db.reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, db.metadata) == []
    engine.dispose()


@pytest.mark.parametrize("kind", ["trigger", "index"])
def test_migrated_and_created_are_the_same(kind: str, tmp_path: Path) -> None:
    there, here = objects(migrated(tmp_path), kind), objects(created(tmp_path), kind)
    assert there == here
    assert len(here) >= 2


def keys_of(table: Table) -> list[tuple[str, ...]]:
    """Columns of the primary key and of each unique constraint: an index stands behind each."""
    return [
        tuple(column.name for column in constraint.columns)
        for constraint in table.constraints
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint)
    ]


@pytest.mark.parametrize("table", db.ledger_tables(), ids=lambda table: table.name)
def test_every_index_serves_one_log_and_is_needed(table: Table) -> None:
    """Queries ask within a log; an index that begins a unique constraint's costs and gives none."""
    for index in table.indexes:
        columns = tuple(column.name for column in index.columns)
        assert columns[0] == "log_id", index.name
        for key in keys_of(table):
            assert key[: len(columns)] != columns, f"{index.name} is the begin of {key}"


@pytest.mark.parametrize(
    "path",
    sorted((Path(migrations.__file__).parent / "versions").glob("0*.py")),
    ids=lambda path: path.name,
)
def test_migrations_use_nothing_of_the_live_code(path: Path) -> None:
    """What a migration made on one machine, it makes on every other, in any later version."""
    assert not re.search(r"(from|import) ledger", path.read_text(encoding="utf-8"))


def test_triggers_are_those_of_the_schema(tmp_path: Path) -> None:
    wanted = {name: one_line(statement) for name, statement in sqlite_triggers().items()}
    assert objects(migrated(tmp_path), "trigger") == wanted
    assert len(wanted) >= 2 * len(APPEND_ONLY)


def constraints(path: Path) -> dict[str, list[str]]:
    """Names of the constraints that each table was made with; Alembic does not compare checks."""
    found = {}
    for name, sql in objects(path, "table").items():
        words = sql.replace("(", " ").split()
        found[name] = sorted(
            words[place + 1] for place, word in enumerate(words) if word == "CONSTRAINT"
        )
    found.pop("alembic_version", None)
    return found


def test_constraints_are_the_same_checks_included(tmp_path: Path) -> None:
    here = constraints(created(tmp_path))
    assert constraints(migrated(tmp_path)) == here
    assert any(name.startswith("ck_") for names in here.values() for name in names)


def test_downgrade_takes_everything_away(tmp_path: Path) -> None:
    path = migrated(tmp_path)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["url"] = f"sqlite:///{path}"
    command.downgrade(config, "base")
    assert set(objects(path, "table")) == {"alembic_version"}
    assert objects(path, "trigger") == objects(path, "index") == {}
    command.upgrade(config, "head")
    assert objects(path, "trigger") == objects(created(tmp_path), "trigger")


def test_migrating_twice_changes_nothing(begun: House) -> None:
    path = begun.settings.dir / "ledger.sqlite3"
    before = [objects(path, kind) for kind in ("table", "trigger", "index")]
    migrate(begun.settings.url)
    assert [objects(path, kind) for kind in ("table", "trigger", "index")] == before
