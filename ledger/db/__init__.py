"""The database: engine, transactions, the shared table metadata, triggers, errors.

Built when called; nothing happens on import. All that is particular to SQLite or to PostgreSQL
stands in this folder and in the migrations.
"""

from __future__ import annotations

from sqlalchemy import Engine

from ledger.db.engine import (
    DEFAULT_LIMITS,
    Limits,
    check_collation,
    count_on,
    database_url,
    lock,
    open_engine,
    open_scratch,
    reading,
    sweep,
    writing,
)
from ledger.db.faults import as_ledger_error, located
from ledger.db.roles import grant
from ledger.db.tables import (
    Erasable,
    append_only,
    append_only_but,
    emptied,
    ledger_tables,
    metadata,
    of_service,
)
from ledger.db.triggers import Trigger, sqlite_triggers

__all__ = [
    "DEFAULT_LIMITS",
    "Erasable",
    "Limits",
    "Trigger",
    "append_only",
    "append_only_but",
    "as_ledger_error",
    "check_collation",
    "count_on",
    "create_tables",
    "database_url",
    "emptied",
    "grant",
    "ledger_tables",
    "located",
    "lock",
    "metadata",
    "of_service",
    "open_engine",
    "open_scratch",
    "reading",
    "sweep",
    "writing",
]


def create_tables(engine: Engine) -> None:
    """All tables and triggers of the current schema, in SQLite: for the scratch databases that
    audits rebuild."""
    metadata.create_all(engine)
    with writing(engine) as connection:
        for statement in sqlite_triggers().values():
            connection.exec_driver_sql(statement)
