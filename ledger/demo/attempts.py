"""Something that must not pass, tried, and what the ledger said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ledger.errors import LedgerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """`key`: of the text that says what was tried; `why`: the ledger's words, `""` where it let
    that pass."""

    key: str
    why: str


def refusal(key: str, attempt: Callable[[], object]) -> Refusal:
    try:
        attempt()
    except LedgerError as error:
        return Refusal(key=key, why=str(error))
    return Refusal(key=key, why="")
