"""Engines, and the two kinds of transaction: `reading` and `writing`.

SQLite is the embedded default: WAL, `synchronous=FULL`, and `BEGIN IMMEDIATE` for writers before
their first read, so that two writers queue instead of failing half-way.

PostgreSQL: readers see one state (REPEATABLE READ, read only). Writers are READ COMMITTED: whoever
writes the log locks its head row first, and each statement from then on sees all that was committed
before. Sessions are the same whatever the server's own settings are.
"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ledger.db.faults import as_ledger_error, not_storable
from ledger.errors import Unavailable

SQLITE_BUSY_MS: Final = 30_000
SWEEP_MS: Final = 3_000
_POSTGRESQL: Final = frozenset({"postgres", "postgresql", "postgresql+psycopg"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long PostgreSQL lets a session wait; 0 is for ever. SQLite has SQLITE_BUSY_MS."""

    lock_s: int = 30
    statement_s: int = 60
    # Matching and evidence reckon between two statements of a transaction.
    idle_in_transaction_s: int = 600
    connect_s: int = 10
    connections_max: int = 25


DEFAULT_LIMITS: Final = Limits()


def database_url(text: str) -> URL:
    """The URL of a database with its driver. Raises Unavailable, and never shows a password."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = None
    if url is not None and url.drivername in _POSTGRESQL:
        return url.set(drivername="postgresql+psycopg")
    if url is not None and url.get_backend_name() == "sqlite":
        return url
    raise Unavailable(
        "the database's URL is sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME,"
        " with %XX for each special character of the password"
    ) from None


def open_engine(url: str, limits: Limits = DEFAULT_LIMITS) -> Engine:
    """An engine for `sqlite:///path` or `postgresql://…`. Nothing is connected yet.

    Connections begin transactions as `reading`/`writing` ask. Raises Unavailable for other URLs.
    """
    found = database_url(url)
    if found.get_backend_name() == "sqlite":
        engine = create_engine(found, hide_parameters=True)  # they are values: secrets too
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = _postgresql_engine(found, limits)
    _close_when_forgotten(engine)
    event.listen(engine, "handle_error", _refuse_values, retval=True)
    return engine


def _close_when_forgotten(engine: Engine) -> None:
    """Whoever forgets an engine leaves no open connection behind.

    The finalizer knows the connections alone: the pool knows its engine, and would keep it.
    """
    opened: list[Any] = []

    def connected(connection: Any, _record: object) -> None:
        opened.append(connection)

    def closed(connection: Any, _record: object) -> None:
        with suppress(ValueError):
            opened.remove(connection)

    event.listen(engine, "connect", connected)
    event.listen(engine, "close", closed)
    weakref.finalize(engine, _close_all, opened)


def _close_all(opened: list[Any]) -> None:
    for connection in opened:
        connection.close()


def _postgresql_engine(url: URL, limits: Limits) -> Engine:
    session = {
        "default_transaction_isolation": r"read\ committed",
        "idle_in_transaction_session_timeout": limits.idle_in_transaction_s * 1000,
        # A plan is quickly run, many are made: to compile them costs more.
        "jit": "off",
        "lock_timeout": limits.lock_s * 1000,
        "search_path": "public",
        "statement_timeout": limits.statement_s * 1000,
        "synchronous_commit": "on",
        "timezone": "UTC",
    }
    spare = limits.connections_max // 2
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args={
            "application_name": "greenledger",
            "connect_timeout": limits.connect_s,
            "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
        },
        # A connection that a restart of the server has cut is replaced before it is used.
        pool_pre_ping=True,
        pool_size=limits.connections_max - spare,
        max_overflow=spare,
    )
    event.listen(engine, "connect", _set_up_postgresql)
    return engine


def _set_up_postgresql(connection: Any, _record: object) -> None:
    from ledger.db.cursors import TransactionCursor  # SQLite needs no driver of PostgreSQL

    connection.server_cursor_factory = TransactionCursor


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
        # What an erasure empties or deletes is overwritten in the file, not only unlinked.
        "secure_delete=ON",
        # Else INSERT OR REPLACE would delete rows without firing the append-only triggers.
        "recursive_triggers=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _refuse_values(context: ExceptionContext) -> BaseException | None:
    """Values that no column takes are the input's fault: at once, so that one entry is refused
    and not all that are committed together."""
    original = context.original_exception
    if isinstance(original, OverflowError | UnicodeEncodeError) or isinstance(
        context.sqlalchemy_exception, DataError
    ):
        return not_storable(original)
    return None


@contextmanager
def reading(engine: Engine, *, long: bool = False) -> Iterator[Connection]:
    """A connection that sees one state of the database. Driver errors come out as ours.

    `long`: for audits and exports, which no timeout is to end.
    """
    options: dict[str, Any] = {}
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with _transaction(engine, options, long=long) as connection:
        yield connection


@contextmanager
def writing(engine: Engine, *, long: bool = False) -> Iterator[Connection]:
    """A writer's transaction: commits at the end, rolls back on any error.

    Driver errors come out as ours: nothing was changed then, unless they say that this isn't known.
    """
    with _transaction(engine, {"writes": True}, long=long) as connection:
        yield connection


@contextmanager
def _transaction(engine: Engine, options: dict[str, Any], *, long: bool) -> Iterator[Connection]:
    committing = False
    try:
        with engine.connect().execution_options(**options) as connection, connection.begin():
            if long and engine.dialect.name == "postgresql":
                for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                    connection.exec_driver_sql(f"SET LOCAL {limit} = 0")
            yield connection
            committing = True
    except DBAPIError as error:
        raise as_ledger_error(error, committing=committing) from error
    except PoolTimeout as error:
        raise Unavailable(
            f"all {engine.pool.size()} connections to the database are in use; try again"  # type: ignore[attr-defined]
        ) from error


def sweep(engine: Engine, *, wait_ms: int = SWEEP_MS) -> bool:
    """Cut SQLite's write-ahead log, which has rows as they were before they were erased. False
    where somebody reads them still; or on PostgreSQL, where this is its administrator's."""
    if engine.dialect.name != "sqlite":
        return False
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={wait_ms}")
        busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_MS}")
    finally:
        connection.close()
    return not busy


def check_collation(connection: Connection) -> None:
    """Raises Unavailable for a PostgreSQL database that sorts texts by a language, or can't hold
    all of them: the same input has to give the same bytes on every database."""
    if connection.dialect.name != "postgresql":
        return
    # Upper case, punctuation and letters beyond ASCII: languages have them in other places.
    ordered = connection.exec_driver_sql(
        "SELECT string_agg(t.text, ' ' ORDER BY t.text)"
        " FROM (VALUES ('z'), ('Z'), ('a-b'), ('ab'), ('a_c'), ('\u00e9')) AS t(text)"
    ).scalar_one()
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if ordered != "Z a-b a_c ab z \u00e9" or encoding != "UTF8":
        raise Unavailable(
            "the database sorts texts by a language, or is not in UTF-8; make one with: CREATE"
            " DATABASE … TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
        )


def lock(connection: Connection, name: str) -> None:
    """One transaction at a time is past this for a name, until it ends. For what has no row yet to
    be locked; SQLite's writers are alone anyway."""
    if connection.dialect.name == "postgresql":
        key = hashlib.sha256(name.encode()).digest()[:8]
        number = int.from_bytes(key, "big", signed=True)
        connection.execute(select(func.pg_advisory_xact_lock(number)))


def count_on(connection: Connection) -> None:
    """After rows were put back with the numbers that they had: new ones are counted from there.
    SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    counted = connection.exec_driver_sql(
        "SELECT c.relname AS name, a.attname AS counted FROM pg_attribute AS a"
        " JOIN pg_class AS c ON c.oid = a.attrelid"
        " WHERE c.relnamespace = 'public'::regnamespace AND a.attidentity <> ''"
    ).all()
    for row in counted:
        connection.exec_driver_sql(
            f"SELECT setval(pg_get_serial_sequence('{row.name}', '{row.counted}'),"  # noqa: S608  (names of our schema)
            f" (SELECT coalesce(max({row.counted}), 0) + 1 FROM {row.name}), false)"
        )
