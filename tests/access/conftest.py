"""A ledger that has only begun, and the door of tests/access/door.py to it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from ledger.house import House
from tests.access.door import Door
from tests.ledgers import begun, begun_template

__all__ = ["begun", "begun_template"]


@pytest.fixture
def door(begun: House) -> Door:
    """Nothing of it waits for the disk."""
    begun.engine.dispose()
    if begun.engine.dialect.name == "sqlite":
        event.listen(begun.engine, "connect", _do_not_wait)
    return Door(begun.engine)


def _do_not_wait(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")
