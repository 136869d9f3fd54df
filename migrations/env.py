"""Alembic environment: one connection, transactional, the metadata of all rooms."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine

from ledger import house  # noqa: F401  (imports every room's tables)
from ledger.db import metadata

_url = context.config.attributes["url"]
with create_engine(_url).connect() as _connection:
    context.configure(connection=_connection, target_metadata=metadata, render_as_batch=False)
    with context.begin_transaction():
        context.run_migrations()
