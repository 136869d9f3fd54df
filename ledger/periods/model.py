"""Accounting periods of a party, and how they go on (docs/formats.md §4.1). Pure.

A period is a month or a year of park time. It is open, then provisional, submitted, approved and
closed; what is sent back is provisional again. A restatement opens the next revision of a closed
one; the closing before stays in the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ledger.errors import InvalidInput, Refused

# What names a period, and its time, are those of lots, which are divided by months.
from ledger.lots.model import is_period as is_period
from ledger.lots.model import span_of as span_of
from ledger.units import Period

OPEN: Final = "open"
PROVISIONAL: Final = "provisional"
SUBMITTED: Final = "submitted"
APPROVED: Final = "approved"
CLOSED: Final = "closed"
STATES: Final = (PROVISIONAL, SUBMITTED, APPROVED, CLOSED)
# {(from, to): whether the operator may do it too}; a restatement is an entry of its own.
STEPS: Final[Mapping[tuple[str, str], bool]] = {
    (OPEN, PROVISIONAL): False,
    (PROVISIONAL, SUBMITTED): False,
    (SUBMITTED, APPROVED): True,
    (SUBMITTED, PROVISIONAL): True,
    (APPROVED, PROVISIONAL): True,
    (APPROVED, CLOSED): False,
}
# Of these a period has ended, by the log's time.
ENDED: Final = frozenset({SUBMITTED, APPROVED, CLOSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a party's period is: `number` steps were made before, -1 where it is open."""

    party: str
    period: str
    span: Period
    state: str = OPEN
    revision: int = 0
    number: int = -1
    entry_index: int = -1

    @property
    def said(self) -> str:
        return f"{self.party!r}, {self.period}: the period"


def require_step(now: Standing, state: str, revision: int, reason: str) -> None:
    """Raises Refused unless a period may go from where it is to `state`; `reason` stands exactly
    where it goes back."""
    what = now.said
    if now.state == CLOSED:
        raise Refused(f"{what} is closed (revision {now.revision}); {way_of(now)}")
    if (now.state, state) not in STEPS:
        following = " or ".join(after for before, after in STEPS if before == now.state)
        raise Refused(f"{what} is {now.state}: next it is {following}, not {state}")
    if revision != now.revision:
        raise Refused(f"{what} is at revision {now.revision}, not {revision}")
    back = goes_back(now.state, state)
    if bool(reason) != back:
        raise InvalidInput(
            f"{what}: a reason stands exactly where a period goes back, and it goes from"
            f" {now.state} to {state}"
        )


def goes_back(before: str, state: str) -> bool:
    return state == PROVISIONAL and before in ENDED


def way_of(closed: Standing) -> str:
    """How to change what belongs to a closed period."""
    return (
        f"restate it first: greenledger period restate {closed.party} {closed.period} --reason '…'"
    )
