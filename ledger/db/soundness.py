"""The database's own structure, judged before its rows are: pages, triggers, storage classes.

SQLite lets a column hold any storage class, and an index leave out rows, without a word; then
other queries would see another ledger than the one that an audit reads.
"""

from __future__ import annotations

from sqlalchemy import Connection, Integer, LargeBinary, Table

from ledger.db import catalog
from ledger.db.tables import ledger_tables
from ledger.db.triggers import one_line, sqlite_triggers
from ledger.errors import Corrupt


def check_database(conn: Connection) -> None:
    """Raises Corrupt with the first thing that is not as the schema says."""
    if conn.dialect.name == "postgresql":
        catalog.check(conn)
    else:
        _check_sqlite(conn)


def _check_sqlite(conn: Connection) -> None:
    found = str(conn.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one())
    if found != "ok":
        raise Corrupt(f"the database file is damaged: {found}")
    _check_triggers(conn)
    for table in ledger_tables():
        _check_table(conn, table)


def _check_triggers(conn: Connection) -> None:
    wanted = {name: one_line(statement) for name, statement in sqlite_triggers().items()}
    rows = conn.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    found = {row.name: one_line(row.sql) for row in rows}
    for name in sorted(set(wanted) | set(found)):
        if name not in found:
            raise Corrupt(f"trigger {name} is missing: it keeps rows from being changed")
        if name not in wanted:
            raise Corrupt(f"trigger {name} is none of the ledger's")
        if found[name] != wanted[name]:
            raise Corrupt(f"trigger {name} is not as the schema says: {found[name]}")


def _check_table(conn: Connection, table: Table) -> None:
    kind = conn.exec_driver_sql(
        "SELECT type FROM sqlite_master WHERE name = ?", (table.name,)
    ).scalar_one_or_none()
    if kind != "table":
        raise Corrupt(f"table {table.name} is {f'a {kind}' if kind else 'missing'}")
    classes = {column.name: _storage_class(column.type) for column in table.columns}
    optional = {column.name for column in table.columns if column.nullable}
    allowed = {
        name: f"('{class_}', 'null')" if name in optional else f"('{class_}')"
        for name, class_ in classes.items()
    }
    wrong = " OR ".join(f'typeof("{name}") NOT IN {of_it}' for name, of_it in allowed.items())
    row = conn.exec_driver_sql(
        f"SELECT rowid FROM {table.name} WHERE {wrong} LIMIT 1"  # noqa: S608  (names of our schema)
    ).scalar_one_or_none()
    if row is None:
        return
    for name, class_ in classes.items():
        found = conn.exec_driver_sql(
            f'SELECT typeof("{name}") FROM {table.name} WHERE rowid = ?',  # noqa: S608  (the same)
            (row,),
        ).scalar_one()
        if found != class_ and not (found == "null" and name in optional):
            raise Corrupt(f"table {table.name}: {name} of row {row} is {found}, not {class_}")


def _storage_class(type_: object) -> str:
    if isinstance(type_, Integer):
        return "integer"
    return "blob" if isinstance(type_, LargeBinary) else "text"
