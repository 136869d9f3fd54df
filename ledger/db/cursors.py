"""Cursors of PostgreSQL that rows are fetched through piece by piece."""

from __future__ import annotations

from typing import Any

import psycopg


class TransactionCursor(psycopg.ServerCursor[Any]):
    """Lives in the server until its transaction ends: who stops reading before the last row need
    not close it."""

    def __del__(self, _warn: object = None, /) -> None:
        """psycopg would warn here."""
