"""What a driver says, in our tree of errors. Values of rows are left out.

Which of ours it is goes by the code that the database gives: SQLite's result codes, PostgreSQL's
SQLSTATE (PostgreSQL 15 manual, appendix A).
"""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from ledger.errors import Corrupt, InvalidInput, LedgerError, Refused, Unavailable

# READONLY, LOCKED, BUSY, IOERR, FULL, CANTOPEN: nothing is wrong with what is stored.
_SQLITE_PASSING: Final = frozenset({5, 6, 8, 10, 13, 14})
# Data or an index is corrupted; a table or column is missing.
_POSTGRESQL_CORRUPT: Final = frozenset({"XX001", "XX002", "42P01", "42703"})
_OUT_OF_RANGE: Final = "22003"
_TOO_LONG: Final = "22001"


def as_ledger_error(error: DBAPIError, *, committing: bool = False) -> LedgerError:
    """The error as one of ours.

    A full disk rolls a transaction back, and then its savepoints are missing: the first error of
    such a chain is the cause. `committing`: it came from COMMIT itself.
    """
    before: BaseException | None = error
    while before is not None:
        error = before if isinstance(before, DBAPIError) else error
        before = before.__context__
    # The rest names values of rows: SQLite's after these words, PostgreSQL's on lines of their own.
    said = str(error.orig).partition(" with text ")[0].partition("\n")[0]
    if isinstance(error, IntegrityError):
        return Refused(f"the database refused it: {said}")
    if isinstance(error, DataError) and not isinstance(error.orig, sqlite3.Error):
        return not_storable(error.orig)
    if _is_wrong_inside(error.orig):
        return Corrupt(f"the database does not hold what it should: {said}")
    if committing and not isinstance(error.orig, sqlite3.Error):
        return Unavailable(
            f"the database was lost while it stored this, which is stored or not: {said};"
            " ask for it, or send the same again"
        )
    return Unavailable(f"the database can't do this now, nothing was changed: {said}")


def _is_wrong_inside(orig: BaseException | None) -> bool:
    """Another database's codes are its own: that rows are wrong is not to be said without one."""
    if not isinstance(orig, sqlite3.Error):
        return getattr(orig, "sqlstate", None) in _POSTGRESQL_CORRUPT
    code = getattr(orig, "sqlite_errorcode", None)
    return code is None or code & 0xFF not in _SQLITE_PASSING


def not_storable(orig: Any) -> InvalidInput:
    """A value that no column takes; the drivers name it, we do not."""
    state = getattr(orig, "sqlstate", None)
    if isinstance(orig, OverflowError) or state == _OUT_OF_RANGE:
        return InvalidInput("a number is beyond what the database holds (64 bits with a sign)")
    if state == _TOO_LONG:
        return InvalidInput("a text is longer than the database holds")
    return InvalidInput("a text has characters that the database does not hold (NUL, surrogates)")


def located(error: DBAPIError, where: str) -> LedgerError:
    """`as_ledger_error`, with the place in front."""
    found = as_ledger_error(error)
    return type(found)(f"{where}: {found}")
