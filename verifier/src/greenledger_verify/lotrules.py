"""The public rules on lots and claims (formats.md §4.1), entry by entry; the book that they are
kept by is ``lotbook``.

Here stands what needs the rest of the log beside the book: who may write such an entry, that the
run, the points and the corrections it names are there before it.
"""

from typing import Final

from greenledger_verify.entry import Entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.members import parse_origin
from greenledger_verify.signing import author_is_operator
from greenledger_verify.state import State


def divide_rule(state: State, entry: Entry) -> None:
    author_is_operator(state, entry)
    if state.complete and bytes.fromhex(entry.text("run")) not in state.runs:
        raise VerificationError(
            "run is {run}, which is not the leaf hash of a match.run before it",
            run=entry.text("run"),
        )
    for origin in entry.texts("origins"):
        point = parse_origin(origin)[0]
        if state.complete and ("point", point) not in state.in_force:
            raise VerificationError(
                "the point of the origin {origin} is not registered", origin=origin
            )
    state.lots.check_divide(
        entry.text("run"), entry.texts("origins"), entry.texts("spends"), entry.texts("creates")
    )
    _require_known(state, entry)


def _require_known(state: State, entry: Entry) -> None:
    """A run that does not know the division of the revision before allots its energy again."""
    as_of = state.runs.get(bytes.fromhex(entry.text("run")))
    for origin in entry.texts("origins"):
        point, month, revision = parse_origin(origin)
        before = state.lots.divided.get(f"{point}/{month}/{revision - 1}")
        if as_of is not None and before is not None and before >= as_of:
            raise VerificationError(
                "the run of {origin} knows {as_of} entries, and not entry {index}, which divided "
                "revision {revision}",
                origin=origin,
                as_of=as_of,
                index=before,
                revision=revision - 1,
            )


def divide_effect(state: State, entry: Entry) -> None:
    state.lots.divide(
        state.index,
        entry.text("run"),
        entry.texts("origins"),
        entry.texts("spends"),
        entry.texts("creates"),
    )


def wrap_rule(state: State, entry: Entry) -> None:
    author_is_operator(state, entry)
    state.lots.check_wrap(entry.text("form"), entry.texts("wraps"))


def wrap_effect(state: State, entry: Entry) -> None:
    state.lots.wrap(state.index, entry.text("form"), entry.texts("wraps"))


def make_rule(state: State, entry: Entry) -> None:
    state.lots.check_make(
        entry.author, entry.text("claim"), entry.text("replaces"), entry.texts("spends")
    )
    state.units.check_claim(entry.texts("retires"))


def make_effect(state: State, entry: Entry) -> None:
    state.lots.make(
        state.index,
        entry.author,
        entry.text("claim"),
        entry.text("replaces"),
        entry.texts("spends"),
        entry.texts("retires"),
    )
    state.units.claim(state.index, entry.texts("retires"))


def withdraw_rule(state: State, entry: Entry) -> None:
    state.lots.check_withdraw(entry.author, entry.text("claim"), state.operator)


def withdraw_effect(state: State, entry: Entry) -> None:
    state.lots.withdraw(state.index, entry.text("claim"))


def flag_rule(state: State, entry: Entry) -> None:
    author_is_operator(state, entry)
    if state.complete and bytes.fromhex(entry.text("because")) not in state.corrections:
        raise VerificationError(
            "because is {hash}, which is not the leaf hash of a readings.correction before it",
            hash=entry.text("because"),
        )
    state.lots.check_flag(entry.text("claim"), entry.text("state"))


def flag_effect(state: State, entry: Entry) -> None:
    state.lots.flag(state.index, entry.text("claim"), entry.text("state"))


LOT_RULES: Final = {
    "lot.divide": (divide_rule, divide_effect),
    "lot.wrap": (wrap_rule, wrap_effect),
    "claim.make": (make_rule, make_effect),
    "claim.withdraw": (withdraw_rule, withdraw_effect),
    "claim.flag": (flag_rule, flag_effect),
}
