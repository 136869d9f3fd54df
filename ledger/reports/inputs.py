"""The entries that a result rests on, as a report lists them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import Connection, select

from ledger.errors import InvalidInput
from ledger.log import entry as e
from ledger.log.entry import Member, check_members, parse_entry
from ledger.log.store import entries, index_of_id
from ledger.log.types import Tx
from ledger.reports.changes import INPUTS

_AT_ONCE: Final = 500
_MEMBERS: Final[Mapping[str, Member]] = {
    "entry": e.COUNT,
    "type": e.COMMON["type"],
    "hash": e.HASH,
}
_MORE: Final[Mapping[str, Member]] = {"reason": e.REASON, "replaces": e.COUNT}


def inputs_of(conn: Connection, log_id: int, indices: Collection[int]) -> list[dict[str, Any]]:
    """`inputs` of a result: {"entry", "type", "hash"} of entries, in order of the log; with the
    "reason" that an entry gives, and the entry that it "replaces", where it does.

    Raises InvalidInput for an entry that is none.
    """
    found = [_input(conn, log_id, index, data) for index, data in _data(conn, log_id, indices)]
    if len(found) != len(set(indices)):
        missing = min({*indices} - {one["entry"] for one in found})
        raise InvalidInput(f"the log has no entry {missing}")
    return found


def _data(conn: Connection, log_id: int, indices: Collection[int]) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    given = sorted(set(indices))
    for begin in range(0, len(given), _AT_ONCE):
        query = (
            select(entries.c.entry_index, entries.c.data)
            .where(
                entries.c.log_id == log_id,
                entries.c.entry_index.in_(given[begin : begin + _AT_ONCE]),
            )
            .order_by(entries.c.entry_index)
        )
        found.extend((row.entry_index, bytes(row.data)) for row in conn.execute(query))
    return found


def _input(conn: Connection, log_id: int, index: int, data: bytes) -> dict[str, Any]:
    entry = parse_entry(data)
    found = {"entry": index, "type": entry.type, "hash": entry.leaf_hash.hex()}
    reason, replaces = entry.statement.get("reason", ""), entry.statement.get("replaces", "")
    if e.REASON.check(reason):
        found["reason"] = reason
    if e.ID.check(replaces):
        # Of who has another author: a registration of the operator's may replace the owner's.
        before = index_of_id(conn, log_id, entry.author, replaces)
        if before is not None:
            found["replaces"] = before
    return found


def require_inputs(tx: Tx, result: Mapping[str, Any], as_of: int) -> None:
    """Raises InvalidInput unless `inputs` are entries below `as_of` as they stand in the log."""
    given = result.get(INPUTS)
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise InvalidInput(f"result.{INPUTS} is no array of the entries that the result rests on")
    for one in given:
        more = {name: member for name, member in _MORE.items() if name in one}
        check_members(one, {**_MEMBERS, **more})
    indices = [one["entry"] for one in given]
    if indices != sorted(set(indices)) or (indices and indices[-1] >= as_of):
        raise InvalidInput(f"result.{INPUTS} are in order of the log, below its size {as_of}")
    if given != inputs_of(tx.conn, tx.log.log_id, indices):
        raise InvalidInput(f"result.{INPUTS} are not the entries of these places in the log")
