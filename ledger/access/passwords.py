"""Passwords: Argon2id by the low-memory profile of RFC 9106 (64 MiB, 3 passes, 4 lanes).

Length is all that is asked for (NIST SP 800-63B): no classes of characters, no yearly change.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable
from typing import Final, NewType, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from ledger.errors import InvalidInput

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 256
_TYPED_MAX: Final = 4 * LENGTH_MAX
AT_ONCE: Final = 4
_Result = TypeVar("_Result")
# An Argon2id string, or `NONE` where nobody signs in with a password.
Hashed = NewType("Hashed", str)
NONE: Final = Hashed("")


class Passwords:
    """Hashes and verifies. A process has one: it bounds how many run at once, since each takes
    the memory of the profile."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._nobodys = ""

    def hash(self, password: str) -> Hashed:
        """To be called outside of transactions: it takes a fifth of a second.

        Raises InvalidInput for a password that is too short or too long."""
        text = _normal(password)
        if not LENGTH_MIN <= len(text) <= LENGTH_MAX or len(password) > _TYPED_MAX:
            raise InvalidInput(
                f"a password has {LENGTH_MIN} to {LENGTH_MAX} characters, this one has {len(text)}"
            )
        return Hashed(self._in_turn(lambda: self._hasher.hash(_bytes(text))))

    def verify(self, stored: Hashed, password: str) -> bool:
        """The same work whether there is a password (`stored` is empty where not) or it is long."""
        text = _normal(password[:_TYPED_MAX])
        found = stored or self._dummy()
        try:
            self._in_turn(lambda: self._hasher.verify(found, _bytes(text)))
        except (VerificationError, InvalidHashError):
            return False
        return bool(stored) and len(password) <= _TYPED_MAX

    def is_old(self, stored: Hashed) -> bool:
        """Hashed with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _dummy(self) -> str:
        if not self._nobodys:
            self._nobodys = self._in_turn(lambda: self._hasher.hash(b"a password of nobody"))
        return self._nobodys

    def _in_turn(self, work: Callable[[], _Result]) -> _Result:
        with self._turns:
            return work()


def _normal(password: str) -> str:
    """One form for what keyboards write in several."""
    return unicodedata.normalize("NFKC", password)


def _bytes(text: str) -> bytes:
    """Of any text: JSON may bring half a surrogate pair."""
    return text.encode("utf-8", "surrogatepass")
