"""The public rules on schemes, projects, units and reductions (formats.md §4.1), entry by entry;
the book that they are kept by is ``unitbook``.

Here stands what needs the rest of the log beside the book: who may write such an entry, what is
registered before it, and which lots stand behind units.
"""

from collections.abc import Callable
from typing import Final

from greenledger_verify.entry import Entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.signing import author_is_operator
from greenledger_verify.state import State

_VERIFIER: Final = "verifier"


def registration_rule(state: State, entry: Entry) -> None:
    author_is_operator(state, entry)
    if entry.type == "project.register":
        state.units.check_registered("scheme", entry.text("scheme"))
    state.units.check_registration(registered_name(entry), entry.text("replaces"))


def registration_effect(state: State, entry: Entry) -> None:
    state.units.register(
        state.index, registered_name(entry), entry.text("id"), entry.text("replaces")
    )


def registered_name(entry: Entry) -> tuple[str, ...]:
    if entry.type == "scheme.register":
        return "scheme", entry.text("scheme")
    return "project", entry.text("scheme"), entry.text("project")


def issue_rule(state: State, entry: Entry) -> None:
    author_is_operator(state, entry)
    state.units.check_registered("scheme", entry.text("scheme"))
    state.units.check_issue(entry.text("scheme"), entry.texts("batches"), entry.texts("begins"))
    state.lots.check_issue(entry.texts("spends"), entry.texts("wraps"))


def issue_effect(state: State, entry: Entry) -> None:
    state.units.issue(
        state.index,
        entry.text("scheme"),
        entry.text("state"),
        entry.texts("batches"),
        entry.texts("begins"),
    )
    state.lots.issue(state.index, entry.texts("spends"), entry.texts("wraps"))


def move_rule(state: State, entry: Entry) -> None:
    state.units.check_move(
        entry.text("act"),
        entry.text("retirement"),
        entry.texts("ends"),
        entry.texts("begins"),
        by_operator=entry.author == state.operator,
    )


def move_effect(state: State, entry: Entry) -> None:
    state.units.move(
        state.index,
        entry.author,
        entry.text("act"),
        entry.text("retirement"),
        entry.texts("ends"),
        entry.texts("begins"),
    )


def disclose_rule(state: State, entry: Entry) -> None:
    state.units.check_disclose(entry.author, entry.text("retirement"))


def disclose_effect(state: State, entry: Entry) -> None:
    state.units.disclose(state.index, entry.text("retirement"))


def record_rule(state: State, entry: Entry) -> None:
    state.units.check_registered("project", entry.text("scheme"), entry.text("project"))
    state.units.check_record(entry.text("record"))


def record_effect(state: State, entry: Entry) -> None:
    state.units.record(state.index, entry.author, entry.text("record"))


def verify_rule(state: State, entry: Entry) -> None:
    author = state.parties.get(entry.author)
    if author is None or _VERIFIER not in author.roles:
        raise VerificationError(
            "{author} may not verify reductions: it does not have the role verifier",
            author=entry.author,
        )
    state.units.check_verify(entry.text("record"))
    made = state.units.records.get(entry.text("record"))
    if made is not None and made.author == entry.author:
        raise VerificationError(
            "{author} can't verify the record {record}: it made it itself",
            author=entry.author,
            record=entry.text("record"),
        )


def verify_effect(state: State, entry: Entry) -> None:
    state.units.verify(state.index, entry.text("record"))


def reverse_rule(state: State, entry: Entry) -> None:
    author_is_operator(state, entry)
    state.units.check_registered("project", entry.text("scheme"), entry.text("project"))


def _no_effect(state: State, entry: Entry) -> None:
    del state, entry


_Rule = Callable[[State, Entry], None]

UNIT_RULES: Final[dict[str, tuple[_Rule, _Rule]]] = {
    "scheme.register": (registration_rule, registration_effect),
    "project.register": (registration_rule, registration_effect),
    "unit.issue": (issue_rule, issue_effect),
    "unit.move": (move_rule, move_effect),
    "unit.disclose": (disclose_rule, disclose_effect),
    "reduction.record": (record_rule, record_effect),
    "reduction.verify": (verify_rule, verify_effect),
    "reduction.reverse": (reverse_rule, _no_effect),
    "statement.import": (author_is_operator, _no_effect),
}
