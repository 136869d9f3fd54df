"""Engine, connections and the shared table metadata. Built when called; nothing happens on import.

SQLite is the embedded default: WAL, `synchronous=FULL`, and `BEGIN IMMEDIATE` for writers before
their first read, so that two writers queue instead of failing half-way.
"""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, MetaData, Table, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError

from ledger.errors import Corrupt, LedgerError, Refused, Unavailable

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)
SQLITE_BUSY_MS: Final = 30_000
# READONLY, LOCKED, BUSY, IOERR, FULL, CANTOPEN: nothing is wrong with what is stored.
_SQLITE_PASSING: Final = frozenset({5, 6, 8, 10, 13, 14})


def append_only(table: Table) -> Table:
    """Mark a table whose rows never change: migrations and `create_tables` add its triggers."""
    table.info["append_only"] = True
    return table


def of_service(table: Table) -> Table:
    """Mark a table of the service (accounts, jobs, …): no projection of the log, so that neither
    audit nor restore rebuild it."""
    table.info["of_service"] = True
    return table


def ledger_tables() -> list[Table]:
    """Tables that hold the log and its projections, in the order of their keys."""
    return [table for table in metadata.sorted_tables if not table.info.get("of_service")]


def trigger_statements(table_name: str) -> list[str]:
    """SQLite triggers that refuse UPDATE and DELETE on one table."""
    return [
        f"CREATE TRIGGER {table_name}_no_{verb.lower()} BEFORE {verb} ON {table_name} "
        f"BEGIN SELECT RAISE(ABORT, '{table_name} is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    ]


def open_engine(url: str) -> Engine:
    """An engine for `sqlite:///path`. Connections begin transactions as `reading`/`writing` ask."""
    engine = create_engine(url)
    # Whoever forgets an engine leaves no open connection behind.
    weakref.finalize(engine, engine.pool.dispose)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def open_scratch(path: Path) -> Engine:
    """A database that is thrown away: nothing waits for the disk."""
    engine = open_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _set_up_scratch)
    return engine


def _set_up_scratch(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA journal_mode=OFF")


def _set_up_sqlite(connection: Any, _record: object) -> None:
    # The driver must not open transactions by itself: `_begin_sqlite` does.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={SQLITE_BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        # In KiB: an import of many rows, with keys in no order, is to stay in memory.
        "cache_size=-65536",
        # Else INSERT OR REPLACE would delete rows without firing the append-only triggers.
        "recursive_triggers=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one state of the database. Driver errors come out as ours."""
    try:
        with engine.connect() as connection, connection.begin():
            yield connection
    except DBAPIError as error:
        raise as_ledger_error(error) from error


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """The one writer's transaction: commits at the end, rolls back on any error.

    Driver errors come out as ours: nothing was changed then.
    """
    try:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection
    except DBAPIError as error:
        raise as_ledger_error(error) from error


def as_ledger_error(error: DBAPIError) -> LedgerError:
    """What the driver says, in our tree of errors; values of rows are left out.

    A full disk rolls a transaction back, and then its savepoints are missing: the first error of
    such a chain is the cause.
    """
    before: BaseException | None = error
    while before is not None:
        error = before if isinstance(before, DBAPIError) else error
        before = before.__context__
    # The rest names values of rows: SQLite's after these words, PostgreSQL's on lines of their own.
    said = str(error.orig).partition(" with text ")[0].partition("\n")[0]
    if isinstance(error, IntegrityError):
        return Refused(f"the database refused it: {said}")
    code = getattr(error.orig, "sqlite_errorcode", None)
    passing = code is not None and code & 0xFF in _SQLITE_PASSING
    # Another database's codes are its own: that rows are wrong is not to be said without knowing.
    if passing or not isinstance(error.orig, sqlite3.Error):
        return Unavailable(f"the database can't do this now, nothing was changed: {said}")
    return Corrupt(f"the database does not hold what it should: {said}")


def located(error: DBAPIError, where: str) -> LedgerError:
    """`as_ledger_error`, with the place in front."""
    found = as_ledger_error(error)
    return type(found)(f"{where}: {found}")


def create_tables(engine: Engine) -> None:
    """All tables and triggers of the current schema, for scratch databases that audits rebuild."""
    metadata.create_all(engine)
    with writing(engine) as connection:
        for statement in schema_triggers():
            connection.exec_driver_sql(statement)


def schema_triggers() -> list[str]:
    """Every trigger of the schema: append-only tables, and what tables add in `info`."""
    statements: list[str] = []
    for table in metadata.sorted_tables:
        if table.info.get("append_only"):
            statements.extend(trigger_statements(table.name))
        statements.extend(table.info.get("triggers", ()))
    return statements
