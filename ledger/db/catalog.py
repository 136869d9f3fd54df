"""PostgreSQL's own structure, judged by its catalogs before its rows are: kinds of tables, columns,
constraints, triggers and the functions that they call.

Only its owner or a superuser can change these; then rows could change, or other queries see another
ledger than the one that an audit reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Connection,
    Constraint,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import dialect as postgresql

from ledger.db.tables import ledger_tables
from ledger.db.triggers import (
    SEARCH_PATH,
    one_line,
    postgresql_functions,
    postgresql_triggers,
)
from ledger.errors import Corrupt

_RELATIONS: Final = """
SELECT c.relname AS name, c.relkind AS kind, c.relpersistence AS persistence,
    c.relrowsecurity AS secured, c.relhasrules AS ruled,
    p.relname AS parent, c.relispartition AS part
FROM pg_class AS c LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid
LEFT JOIN pg_class AS p ON p.oid = i.inhparent
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind NOT IN ('i', 'I', 'S', 't', 'c')
ORDER BY c.relname
"""
_COLUMNS: Final = """
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required,
    a.attgenerated AS generated, coalesce(l.collname, 'default') AS collation
FROM pg_attribute AS a LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_CONSTRAINTS: Final = """
SELECT conname AS name FROM pg_constraint WHERE conrelid = to_regclass(%s) AND convalidated
"""
_TRIGGERS: Final = """
SELECT c.relname AS relation, t.tgname AS name, t.tgenabled AS enabled, t.tgisinternal AS internal,
    pg_get_triggerdef(t.oid, true) AS definition
FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'public'::regnamespace ORDER BY c.relname, t.tgname
"""
_FUNCTIONS: Final = """
SELECT p.proname AS name, p.prosrc AS body, l.lanname AS language, p.prosecdef AS definer,
    p.provolatile AS volatility, array_to_string(p.proconfig, ';') AS settings
FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
WHERE p.pronamespace = 'public'::regnamespace AND p.prorettype = 'trigger'::regtype
"""
_UNUSABLE: Final = """
SELECT c.relname FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE c.relnamespace = 'public'::regnamespace AND NOT (i.indisvalid AND i.indisready)
ORDER BY c.relname
"""
_ENABLED: Final = frozenset({"O", "A"})


def check(conn: Connection) -> None:
    """Raises Corrupt with the first thing that is not as the schema says."""
    parts = _check_relations(conn)
    for table in ledger_tables():
        _check_columns(conn, table)
        _check_constraints(conn, table)
    _check_functions(conn)
    _check_triggers(conn, parts)
    unusable = conn.exec_driver_sql(_UNUSABLE).scalars().first()
    if unusable is not None:
        raise Corrupt(f"index {unusable} is not valid: REINDEX it")


def _check_relations(conn: Connection) -> dict[str, list[str]]:
    """Partitions by table."""
    rows = conn.exec_driver_sql(_RELATIONS).all()
    ours = {table.name for table in ledger_tables()}
    parts: dict[str, list[str]] = {name: [] for name in ours}
    found = {row.name: row for row in rows}
    for name in sorted(ours):
        if name not in found or found[name].kind not in ("r", "p"):
            raise Corrupt(f"table {name} is {'no table' if name in found else 'missing'}")
    for row in rows:
        if row.parent in ours and not row.part:
            raise Corrupt(f"table {row.name} adds rows to {row.parent}: it is none of the ledger's")
        if row.name in ours or row.parent in ours:
            _check_relation(row)
        if row.parent in ours:
            parts[row.parent].append(row.name)
    return parts


def _check_relation(row: Any) -> None:
    if row.persistence != "p":
        raise Corrupt(f"table {row.name} is not kept through a crash: it is UNLOGGED")
    if row.secured or row.ruled:
        raise Corrupt(f"table {row.name} shows and takes other rows than it has: policies or rules")


def _check_columns(conn: Connection, table: Table) -> None:
    found = {row.name: row for row in conn.exec_driver_sql(_COLUMNS, (table.name,))}
    for column in table.columns:
        row = found.pop(column.name, None)
        if row is None:
            raise Corrupt(f"table {table.name} has no column {column.name}")
        wanted = _type_name(column.type)
        if row.type != wanted:
            raise Corrupt(f"table {table.name}: {column.name} is {row.type}, not {wanted}")
        if row.required == column.nullable or row.generated:
            raise Corrupt(f"table {table.name}: {column.name} is not as the schema says")
        if row.collation not in ("default", "C"):
            raise Corrupt(f"table {table.name}: {column.name} has the collation {row.collation}")
    if found:
        raise Corrupt(f"table {table.name}: column {min(found)} is none of the ledger's")


def _type_name(type_: object) -> str:
    names = {SmallInteger: "smallint", BigInteger: "bigint", LargeBinary: "bytea", Text: "text"}
    for kind, name in names.items():
        if isinstance(type_, kind):
            return name
    assert isinstance(type_, String), f"a table of the ledger has {type_!r}"
    return f"character varying({type_.length})"


def _check_constraints(conn: Connection, table: Table) -> None:
    found = set(conn.exec_driver_sql(_CONSTRAINTS, (table.name,)).scalars())
    of_columns = (one for column in table.columns for one in column.constraints)
    missing = sorted(_names((*table.constraints, *of_columns)) - found)
    if missing:
        raise Corrupt(f"table {table.name}: constraint {missing[0]} is missing")


def _names(constraints: Iterable[Constraint]) -> set[str]:
    preparer = postgresql().identifier_preparer  # type: ignore[no-untyped-call]
    return {str(preparer.format_constraint(one)) for one in constraints}


def _check_functions(conn: Connection) -> None:
    found = {row.name: row for row in conn.exec_driver_sql(_FUNCTIONS)}
    for name, body in sorted(postgresql_functions().items()):
        row = found.get(name)
        if row is None:
            raise Corrupt(f"function {name} is missing: it keeps a rule")
        as_made = (row.language, row.definer, row.volatility, row.settings)
        if as_made != ("plpgsql", False, "v", SEARCH_PATH) or one_line(row.body) != one_line(body):
            raise Corrupt(f"function {name} is not as the schema says: {one_line(row.body)}")


def _check_triggers(conn: Connection, parts: dict[str, list[str]]) -> None:
    wanted = {}
    for (table, name), definition in postgresql_triggers().items():
        for relation in (table, *parts.get(table, ())):
            wanted[relation, name] = definition.replace(f" ON {table} ", f" ON {relation} ")
    found = {}
    for row in conn.exec_driver_sql(_TRIGGERS):
        if row.enabled not in _ENABLED:
            raise Corrupt(f"trigger {row.name} of table {row.relation} is disabled")
        if not row.internal:
            found[row.relation, row.name] = row.definition
    for place in sorted(set(wanted) | set(found)):
        said = f"trigger {place[1]} of table {place[0]}"
        if place not in found:
            raise Corrupt(f"{said} is missing: it keeps rows from being changed")
        if place not in wanted:
            raise Corrupt(f"{said} is none of the ledger's")
        if found[place] != wanted[place]:
            raise Corrupt(f"{said} is not as the schema says: {found[place]}")
