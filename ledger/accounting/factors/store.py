"""Sets of factors in the log, as of a size."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from ledger.accounting.factors.model import REGISTER, FactorSet, at
from ledger.accounting.factors.used import Published
from ledger.errors import InvalidInput, NotFound
from ledger.log.store import LogFacts
from ledger.records import store as records
from ledger.records.store import Record


def published(record: Record) -> Published:
    """A version of a set, from its record."""
    return Published(
        name=record.name,
        author=record.author,
        entry=record.entry_index,
        hash=record.leaf.hex(),
        version=record.number + 1,
        content=at(f"set {record.name}", lambda: FactorSet.from_json(record.content)),
    )


def in_force(
    conn: Connection, log: LogFacts, as_of: int, sets: Sequence[str] = ()
) -> tuple[Published, ...]:
    """The sets named, in that order, whoever put them; without names those of the operator, in
    order of their names. Raises InvalidInput for a name that none in force has, or twice."""
    if not sets:
        mine = records.current(conn, log.log_id, REGISTER, as_of=as_of, author=log.operator)
        return tuple(map(published, mine.values()))
    if len(set(sets)) != len(sets):
        raise InvalidInput(f"'sets' names a set twice: {', '.join(sets)}")
    return tuple(published(_named(conn, log, as_of, name)) for name in sets)


def _named(conn: Connection, log: LogFacts, as_of: int, name: str) -> Record:
    try:
        return records.find(conn, log.log_id, REGISTER, name, as_of=as_of)
    except NotFound as error:
        there = ", ".join(records.current(conn, log.log_id, REGISTER, as_of=as_of)) or "none"
        raise InvalidInput(
            f"no set of factors {name!r} is in force at log size {as_of}; there is: {there}"
        ) from error
