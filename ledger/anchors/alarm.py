"""What a witness has seen, and the database does not hold.

`ahead`: it has cosigned a larger checkpoint than the log knows of: the database is an old copy.
`conflict`: it has another root at one size: the history was changed. Either is kept until the
witness cosigns again, and nothing is signed before the database has caught up: before it holds a
checkpoint of that size or a larger one, put back from elsewhere, or another root. There is no
switch for it; but the word of a witness counts only while `anchors.toml` names it, or one that
lies would stop a log for good.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from ledger.anchors import store
from ledger.anchors.config import Anchors
from ledger.errors import Corrupt, Unavailable
from ledger.log import logkeys, merkle, publish
from ledger.log import store as log_store

CONFLICT: Final = "conflict"


def standing(conn: Connection, log_id: int) -> list[store.State]:
    """States of witnesses that stand in alarm, listed or not."""
    return [state for state in store.all_states(conn, log_id) if state.alarm]


def require_none(
    conn: Connection, log: log_store.LogFacts, anchors: Anchors, found: list[store.State]
) -> None:
    """Raises Unavailable or Corrupt where a listed witness has seen what is not here."""
    listed = {one.key.label for one in anchors.witnesses}
    note = publish.latest_note(conn, log.log_id)
    signed = logkeys.open_own(note, log, logkeys.load(conn, log)).size if note else 0
    for state in found:
        if state.name not in listed:
            continue
        # Entries alone are no answer: they could be others than those that the witness saw.
        if signed < state.alarm_size:
            raise Unavailable(
                f"witness {state.name} has cosigned a checkpoint of {state.alarm_size} entries, the"
                f" latest one in the database is of {signed}: this is an old copy. Restore what is"
                " missing; nothing is signed"
            )
        if state.alarm == CONFLICT and state.alarm_root == root_at(conn, log, state.alarm_size):
            raise Corrupt(
                f"witness {state.name} has another root than {state.alarm_root} at size"
                f" {state.alarm_size}: the history was changed. Restore it; nothing is signed"
            )


def root_at(conn: Connection, log: log_store.LogFacts, size: int) -> str:
    """The log's root at a size, in hex."""
    return merkle.tree_root(size, log_store.present_nodes(conn, log.log_id)).hex()
