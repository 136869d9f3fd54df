"""The role that the service runs as: it adds rows, and can neither change nor take away what the
ledger has said, nor the rules that keep it from doing so."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Engine, Table

from ledger.db.engine import writing
from ledger.db.tables import Erasable, metadata
from ledger.errors import NotFound, Refused

_ROLE: Final = """
SELECT r.rolsuper AS super, EXISTS (
    SELECT 1 FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace
    AND pg_has_role(r.oid, c.relowner, 'MEMBER')) AS owner
FROM pg_roles AS r WHERE r.rolname = %s
"""


def verbs(table: Table, *, erases: bool = False) -> str:
    """What the service does with a table's rows; `erases`: where it may erase batches, too."""
    but = table.info.get("erasable") if erases else None
    if isinstance(but, Erasable):
        columns = f" ({', '.join(but.columns)})" if but.columns else ""
        return f"SELECT, INSERT, {but.verb}{columns}"
    if table.info.get("append_only"):
        return "SELECT, INSERT"
    if table.info.get("of_service"):
        return "SELECT, INSERT, UPDATE, DELETE"
    # The head moves; quarter-hours that were cut short are reckoned anew.
    return "SELECT, INSERT, UPDATE"


def grant(engine: Engine, role: str, *, erases: bool = False) -> None:
    """Give a role of PostgreSQL exactly this, whatever it had before: by the tables' owner, and
    again after each migration. Raises NotFound, or Refused for a role that could do more anyway.

    `erases`: it may empty and delete what an erasure in the log names, as the triggers let it."""
    if engine.dialect.name != "postgresql":
        raise Refused("SQLite has no roles: whoever may write the file may do everything")
    with writing(engine) as conn:
        _check(conn, role)
        name = conn.dialect.identifier_preparer.quote_identifier(role)
        for command in (
            f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {name}",
            f"REVOKE ALL ON SCHEMA public FROM PUBLIC, {name}",
            f"GRANT USAGE ON SCHEMA public TO {name}",
            f"GRANT SELECT ON alembic_version TO {name}",
        ):
            conn.exec_driver_sql(command)
        for table in metadata.sorted_tables:
            conn.exec_driver_sql(f"GRANT {verbs(table, erases=erases)} ON {table.name} TO {name}")


def _check(conn: Connection, role: str) -> None:
    found = conn.exec_driver_sql(_ROLE, (role,)).one_or_none()
    if found is None:
        raise NotFound(f"there is no role {role!r}; make one with: CREATE ROLE … LOGIN PASSWORD …")
    if found.super or found.owner:
        what = "a superuser" if found.super else "an owner of the tables, or a member of one"
        raise Refused(f"role {role!r} is {what}: take one for the service that is not")
