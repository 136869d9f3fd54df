"""Logs that follow another one (formats.md §4.1): entry 1 names the log before, and the month that
accounts begin with here, which is wholly after the beginning. Of months before nothing is divided:
the log before may have used it, in entries that nobody has any more.
"""

from typing import Final

from greenledger_verify.entry import Entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.members import parse_zone
from greenledger_verify.note import parse_vkey
from greenledger_verify.periodforms import first_of
from greenledger_verify.signing import author_is_operator
from greenledger_verify.state import Predecessor, State

SUCCEED: Final = "log.succeed"
# A reading of the log before may end so long after its last tick.
AFTER_BEGIN_S: Final = 300


def succeed_rule(state: State, entry: Entry) -> None:
    """1. It is entry 1, by the operator.
    2. It names another log, by a key of that name.
    3. Accounts begin with a month that is wholly after the genesis, and 300 s more.
    """
    # 1
    if state.index != 1:
        raise VerificationError(
            "log.succeed is entry 1 and only that; this is entry {index}", index=state.index
        )
    author_is_operator(state, entry)
    # 2
    origin = entry.text("origin")
    if origin == state.origin:
        raise VerificationError("a log does not follow itself")
    named = parse_vkey(entry.text("log_vkey")).name
    if named != origin:
        raise VerificationError(
            "{member} is named {given}, not {name}", member="log_vkey", given=named, name=origin
        )
    # 3
    start_s = int(first_of(entry.text("since")).timestamp()) - parse_zone(state.zone)
    if start_s < state.tick_s + AFTER_BEGIN_S:
        raise VerificationError(
            "accounts since {since} would begin before the log does", since=entry.text("since")
        )


def succeed_effect(state: State, entry: Entry) -> None:
    state.lots.since = entry.text("since")
    state.predecessor = Predecessor(
        origin=entry.text("origin"),
        vkey=entry.text("log_vkey"),
        size=entry.integer("size"),
        root=entry.text("root"),
        since=entry.text("since"),
    )
