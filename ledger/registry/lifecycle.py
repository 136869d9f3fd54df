"""What may become of a holding: one table of allowed moves (docs/formats.md §4.1). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ledger.errors import Refused

ACTIVE: Final = "active"
RESERVED: Final = "reserved"
LOCKED: Final = "locked"
FROZEN: Final = "frozen"
STATES: Final = (ACTIVE, RESERVED, LOCKED, FROZEN)

OWNER: Final = "owner"
OPERATOR: Final = "operator"
EITHER: Final = "owner or operator"
# What is begun is in the state of what was ended.
SAME: Final = ""

TRANSFER: Final = "transfer"
SETTLE: Final = "settle"
SPLIT: Final = "split"
MERGE: Final = "merge"
RESERVE: Final = "reserve"
LOCK: Final = "lock"
FREEZE: Final = "freeze"
RELEASE: Final = "release"
RETIRE: Final = "retire"
EXPORT: Final = "export"
EXPIRE: Final = "expire"
WITHDRAW: Final = "withdraw"
CANCEL: Final = "cancel"

# Acts after which units are of no more use here.
FINAL: Final = frozenset({RETIRE, EXPORT, EXPIRE, WITHDRAW, CANCEL})
# Those that somebody decides; that units expire, time does.
DECIDED_FINAL: Final = FINAL - {EXPIRE}
# Acts that give units to another owner.
GIVING: Final = frozenset({TRANSFER, SETTLE})
# Acts that begin as many holdings as they end, otherwise unchanged.
MARKING: Final = frozenset({RESERVE, LOCK, FREEZE, RELEASE})
# Acts that nobody may do with units whose validity is over.
TIMED: Final = frozenset({TRANSFER, SETTLE, RETIRE, EXPORT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An act: states of the holdings that it ends, that of those it begins, and who may do it."""

    ends: frozenset[str]
    begins: str
    by: str


def _move(ends: str, begins: str, by: str) -> Move:
    return Move(ends=frozenset(ends.split()), begins=begins, by=by)


MOVES: Final[Mapping[str, Move]] = {
    TRANSFER: _move("active reserved", ACTIVE, OWNER),
    SETTLE: _move("active reserved locked", ACTIVE, OPERATOR),
    SPLIT: _move("active reserved locked frozen", SAME, EITHER),
    MERGE: _move("active", ACTIVE, EITHER),
    RESERVE: _move("active", RESERVED, OWNER),
    LOCK: _move("active reserved", LOCKED, OWNER),
    FREEZE: _move("active reserved locked", FROZEN, OPERATOR),
    RELEASE: _move("reserved locked frozen", ACTIVE, OWNER),
    RETIRE: _move("active reserved locked", ACTIVE, OWNER),
    EXPORT: _move("active reserved", ACTIVE, OWNER),
    EXPIRE: _move("active reserved locked frozen", ACTIVE, OPERATOR),
    WITHDRAW: _move("active reserved locked frozen", ACTIVE, OPERATOR),
    CANCEL: _move("active reserved locked frozen", ACTIVE, OPERATOR),
}


def by_whom(act: str, state: str) -> str:
    """Who may do an act with a holding in a state: its owner, the operator, or either."""
    return OPERATOR if (act, state) == (RELEASE, FROZEN) else MOVES[act].by


def begins_as(act: str, state: str) -> str:
    """The state of what an act begins of a holding in some state."""
    return MOVES[act].begins or state


def require_allowed(act: str, holding: str, state: str) -> None:
    """Raises Refused, and says what a holding in this state may become."""
    if state not in MOVES[act].ends:
        allowed = ", ".join(name for name, move in MOVES.items() if state in move.ends)
        raise Refused(f"holding {holding} is {state}: it can't {act}; allowed are {allowed}")


def require_counts(act: str, ends: int, begins: int) -> None:
    """Raises Refused where an act ends or begins another number of holdings than it may."""
    if act == MERGE and not (ends >= 2 and begins == 1):
        raise Refused(f"merge ends several holdings and begins one, not {ends} and {begins}")
    if act == SPLIT and not (ends == 1 and begins >= 2):
        raise Refused(f"split ends one holding and begins several, not {ends} and {begins}")
    if act in MARKING and ends != begins:
        raise Refused(f"{act} begins as many holdings as it ends, not {begins} for {ends}")
    if act in GIVING and not begins:
        raise Refused(f"{act} begins a holding for the new owner")
