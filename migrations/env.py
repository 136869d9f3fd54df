"""Alembic environment: all migrations in one transaction, as the ledger's own connections do."""

from __future__ import annotations

from alembic import context

from ledger import (
    db,
    house,  # noqa: F401  (imports every room's tables)
)
from ledger.jobs import schema as _jobs  # noqa: F401  (so do these above the house)

_engine = db.open_engine(context.config.attributes["url"])
try:
    # SQLite rolls DDL back like rows, though Alembic takes it for a database that can't: who is
    # killed in the middle leaves what was there before.
    with db.writing(_engine) as _connection:
        context.configure(
            connection=_connection,
            target_metadata=db.metadata,
            render_as_batch=False,
            transactional_ddl=True,
        )
        with context.begin_transaction():
            context.run_migrations()
finally:
    _engine.dispose()
