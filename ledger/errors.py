"""One tree of errors.

Each says what was wrong, where, and what would be right. The domain knows no HTTP status and no
exit code: the edges map these classes in one table each.
"""

from __future__ import annotations


class LedgerError(Exception):
    """Root of all errors that greenledger raises for what comes from outside."""


class InvalidInput(LedgerError):
    """The input is malformed: it can never be accepted as it stands."""


class Refused(LedgerError):
    """The input is well-formed, but a rule of the ledger forbids it in the present state."""


class NotSignedIn(Refused):
    """Name, password, code, token or identity let nobody in: which of them is not said."""


class Throttled(Refused):
    """Too many failures; the next attempt counts after `retry_after_s`."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Outdated(Refused):
    """What it was computed from has changed since: computed anew, it may be accepted."""


class KeyEnded(Outdated):
    """The author's key has been replaced or revoked: signed anew by one in force, it may be
    accepted."""


class Erased(Outdated):
    """Readings that the log has erased are needed to compute it. `by`: the entry that erased them;
    None in a replay, of what a later entry will erase."""

    def __init__(self, message: str, by: int | None) -> None:
        super().__init__(message)
        self.by = by


class NotFound(LedgerError):
    """Something that the request names does not exist."""


class Corrupt(LedgerError):
    """Stored data does not agree with what was signed: the message names the first place."""


class Unavailable(LedgerError):
    """The ledger can't act now (no data directory, a wrong key, …); nothing was changed."""
