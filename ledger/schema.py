"""The database's schema: which one there is, which one this program needs, and the way there."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import migrations
from ledger import db
from ledger.errors import Unavailable


def _location() -> str:
    return str(Path(migrations.__file__).parent)


@dataclass(frozen=True, slots=True)
class _Schemas:
    """The migrations that this program has."""

    newest: str
    known: frozenset[str]


@functools.cache
def _schemas(location: str) -> _Schemas:
    """Read once in a process: to find them is to run them all."""
    scripts = ScriptDirectory(location)
    newest = scripts.get_current_head()
    assert newest is not None
    return _Schemas(newest, frozenset(found.revision for found in scripts.walk_revisions()))


def _ours() -> _Schemas:
    return _schemas(_location())


def newest() -> str:
    """The schema that this program needs."""
    return _ours().newest


def present(conn: Connection) -> str | None:
    """The schema that the database has; None before the first migration."""
    return MigrationContext.configure(conn).get_current_revision()


def _is_known(revision: str | None) -> bool:
    return revision is None or revision in _ours().known


def check(conn: Connection) -> None:
    """Raises Unavailable where program and database are of different times."""
    found, needed = present(conn), newest()
    if found == needed:
        return
    said = f"the database has schema {found or 'none'}, this program needs {needed}"
    if _is_known(found):
        raise Unavailable(f"{said}; run: greenledger migrate")
    raise Unavailable(f"{said}: a newer greenledger made it, use that one")


def migrate(url: str) -> None:
    """Bring the database to the newest schema, or leave it as it is. Raises Unavailable."""
    engine = db.open_engine(url)
    try:
        with db.reading(engine) as conn:
            db.check_collation(conn)
            found = present(conn)
            if not _is_known(found):
                check(conn)
    finally:
        engine.dispose()
    if found == newest():
        return
    config = Config()
    config.set_main_option("script_location", _location())
    config.attributes["url"] = url
    command.upgrade(config, "head")
