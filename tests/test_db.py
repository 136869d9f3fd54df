"""What a driver says becomes an error of ours that is true: SQLite's by code, others' by class."""

from __future__ import annotations

import gc
import sqlite3
import weakref
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, ProgrammingError

from ledger import db
from ledger.errors import Corrupt, InvalidInput, LedgerError, Refused, Unavailable
from ledger.log import store


class ServerError(Exception):
    """What the driver of another database raises; it knows nothing of SQLite's codes."""


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (OperationalError, Unavailable),
        (ProgrammingError, Unavailable),
        (DataError, InvalidInput),
        (IntegrityError, Refused),
    ],
)
def test_another_databases_errors_accuse_no_rows(
    kind: type[DBAPIError], expected: type[LedgerError]
) -> None:
    orig = ServerError("server closed the connection\nDETAIL: Key (secret)=(123)")
    found = db.as_ledger_error(kind("SELECT 1", {}, orig))
    assert type(found) is expected
    if kind is not DataError:
        assert "server closed the connection" in str(found)
    assert "123" not in str(found), "values of rows are left out"


def test_a_passing_failure_of_sqlite_is_not_corruption_anywhere(tmp_path: Path) -> None:
    """Reading the head while the disk fails: the place is named, the class stays."""
    orig = sqlite3.OperationalError("disk I/O error")
    orig.sqlite_errorcode = sqlite3.SQLITE_IOERR
    error = OperationalError("SELECT", {}, orig)
    assert type(db.located(error, "table log_heads")) is Unavailable
    assert str(db.located(error, "table log_heads")).startswith("table log_heads: ")
    orig.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    assert type(db.located(error, "table log_heads")) is Corrupt


def test_readers_lock_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FOR UPDATE is for who moves the head; a status or proof must not wait for a writer."""
    asked: list[str] = []
    engine = db.open_scratch(tmp_path / "scratch.sqlite3")
    db.create_tables(engine)
    with db.writing(engine) as conn:

        class Recorder:
            dialect = conn.dialect

            def execute(self, query: object) -> object:
                assert isinstance(query, type(select(store.heads)))
                asked.append(str(query.compile(dialect=postgresql.dialect())))  # type: ignore[no-untyped-call]
                return conn.execute(query)

        store.load_head(Recorder(), 1)  # type: ignore[arg-type]
        store.lock_head(Recorder(), 1)  # type: ignore[arg-type]
    engine.dispose()
    assert ["FOR UPDATE" in query for query in asked] == [False, True, True]


def test_a_forgotten_engine_is_gone_and_its_connection_closed(tmp_path: Path) -> None:
    """Each keeps megabytes of compiled statements: a service that audits must not gather them."""
    engine = db.open_engine(f"sqlite:///{tmp_path / 'forgotten.sqlite3'}")
    with db.reading(engine) as connection:
        driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("SELECT 1")
    forgotten = weakref.ref(engine)
    del engine, connection
    gc.collect()
    assert forgotten() is None
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        driver.execute("SELECT 1")
