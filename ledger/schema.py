"""The database's schema: which one there is, which one this program needs, and the way there.

A migration's file begins with the number that is its revision, and each follows the one before.
So nothing needs Alembic, which takes its time to start, until there is something to migrate.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

import migrations
from ledger import db
from ledger.errors import Unavailable


def _location() -> Path:
    return Path(migrations.__file__).parent


def _known() -> list[str]:
    """The revisions that this program has, the newest last."""
    files = (_location() / "versions").glob("[0-9]*_*.py")
    return sorted(file.name.partition("_")[0] for file in files)


def newest() -> str:
    """The schema that this program needs."""
    return _known()[-1]


def present(conn: Connection) -> str | None:
    """The schema that the database has; None before the first migration."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    found: str | None = conn.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _is_known(revision: str | None) -> bool:
    return revision is None or revision in _known()


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
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_location()))
    config.attributes["url"] = url
    command.upgrade(config, "head")
