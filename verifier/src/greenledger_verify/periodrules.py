"""Accounting periods (formats.md §4.1): how they go on, by headers.

A period of a party is open, provisional, submitted, approved, closed; a restatement opens the next
revision of a closed one. What a closed period keeps out stands in bodies: the ledger's audit sees
that.
"""

from typing import Final

from greenledger_verify.entry import Entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.members import parse_zone
from greenledger_verify.periodforms import ENDED, first_of
from greenledger_verify.state import State

# From where to where, and whether the operator may do it too.
_STEPS: Final = {
    ("open", "provisional"): False,
    ("provisional", "submitted"): False,
    ("submitted", "approved"): True,
    ("submitted", "provisional"): True,
    ("approved", "provisional"): True,
    ("approved", "closed"): False,
}


def _end_s(name: str, zone_s: int) -> int:
    """Unix time of the first second after a period of park time."""
    first = first_of(name)
    months = 1 if "-" in name else 12
    year, month = divmod(first.month - 1 + months, 12)
    after = first.replace(year=first.year + year, month=month + 1)
    return int(after.timestamp()) - zone_s


def _standing(state: State, entry: Entry) -> tuple[str, int]:
    return state.periods.get((entry.text("party"), entry.text("period")), ("open", 0))


def _require_author(state: State, entry: Entry, *, operator_may: bool) -> None:
    party = entry.text("party")
    if party not in state.parties:
        raise VerificationError("party {party} is not registered", party=party)
    if entry.author != party and not (operator_may and entry.author == state.operator):
        raise VerificationError(
            "{author} may not take this step of a period of {party}",
            author=entry.author,
            party=party,
        )


def state_rule(state: State, entry: Entry) -> None:
    if not state.complete:
        return
    before, revision = _standing(state, entry)
    after, name = entry.text("state"), entry.text("period")
    operator_may = _STEPS.get((before, after))
    _require_author(state, entry, operator_may=bool(operator_may))
    if operator_may is None:
        raise VerificationError(
            "period {period} of {party} goes from {before} to {after}",
            period=name,
            party=entry.text("party"),
            before=before,
            after=after,
        )
    _require_revision(entry, revision)
    if bool(entry.text("reason")) != (after == "provisional" and before != "open"):
        raise VerificationError("a reason stands exactly where a period goes back")
    if after in ENDED and _end_s(name, parse_zone(state.zone)) > state.tick_s:
        raise VerificationError("period {period} has not ended yet", period=name)


def _require_revision(entry: Entry, revision: int) -> None:
    if entry.integer("revision") != revision:
        raise VerificationError(
            "the revision is {given}, not {expected}",
            given=entry.integer("revision"),
            expected=revision,
        )


def state_effect(state: State, entry: Entry) -> None:
    key = entry.text("party"), entry.text("period")
    state.periods[key] = entry.text("state"), entry.integer("revision")


def restate_rule(state: State, entry: Entry) -> None:
    if not state.complete:
        return
    before, revision = _standing(state, entry)
    _require_author(state, entry, operator_may=False)
    if before != "closed":
        raise VerificationError(
            "period {period} of {party} goes from {before} to {after}",
            period=entry.text("period"),
            party=entry.text("party"),
            before=before,
            after="provisional",
        )
    _require_revision(entry, revision + 1)


def restate_effect(state: State, entry: Entry) -> None:
    key = entry.text("party"), entry.text("period")
    state.periods[key] = "provisional", entry.integer("revision")


PERIOD_RULES: Final = {
    "period.state": (state_rule, state_effect),
    "period.restate": (restate_rule, restate_effect),
}
