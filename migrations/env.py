"""Alembic environment: all migrations in one transaction, as the ledger's own connections do."""

from __future__ import annotations

import re

from alembic import context
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.schema import SchemaItem

from ledger import (
    db,
    house,  # noqa: F401  (imports every room's tables)
)
from ledger.jobs import schema as _jobs  # noqa: F401  (so do these above the house)

_PARTITION = re.compile(r".+_p[0-9]+")


def _is_compared(found: SchemaItem, name: str | None, _kind: str, *_: object) -> bool:
    """Partitions are parts of their table, and so are the keys that refer to one of them."""
    if isinstance(found, ForeignKeyConstraint):
        name = found.elements[0].target_fullname.partition(".")[0]
    return name is None or _PARTITION.fullmatch(name) is None


_engine = db.open_engine(context.config.attributes["url"])
try:
    # SQLite rolls DDL back like rows, though Alembic takes it for a database that can't: who is
    # killed in the middle leaves what was there before.
    with db.writing(_engine, long=True) as _connection:
        # Who waits here for another process finds everything done.
        db.lock(_connection, "migrations")
        context.configure(
            connection=_connection,
            target_metadata=db.metadata,
            render_as_batch=False,
            transactional_ddl=True,
            include_object=_is_compared,
        )
        with context.begin_transaction():
            context.run_migrations()
finally:
    _engine.dispose()
