"""Records in the database: the last row of each name says what is in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, insert, select

from ledger.errors import Corrupt, NotFound
from ledger.log.bodies import Blob, json_media
from ledger.log.store import bodies, entries
from ledger.records.schema import records

NAME: Final = "record"
MEDIA: Final = json_media(NAME)
PUT: Final = "put"
END: Final = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A version of a record, by its entry. `content`: empty of an end, which has a `reason`.
    `number`: as many rows of this name stand before it."""

    register: str
    name: str
    author: str
    entry_index: int
    id: str
    leaf: bytes
    content: Mapping[str, Any]
    number: int = 0
    act: str = PUT
    replaces: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """The last row of a name, without its content."""

    number: int
    id: str
    author: str
    act: str

    @property
    def in_force(self) -> bool:
        return self.act == PUT


def last(conn: Connection, log_id: int, register: str, name: str) -> Last | None:
    """None where nothing of that name was ever put."""
    columns = (records.c.number, records.c.id, records.c.author, records.c.act)
    row = conn.execute(
        select(*columns)
        .where(records.c.log_id == log_id, records.c.register == register, records.c.name == name)
        .order_by(records.c.number.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Last(number=row[0], id=row[1], author=row[2], act=row[3])


def _with_content(log_id: int, register: str) -> Select[Any]:
    return (
        select(records, bodies.c.data, entries.c.leaf_hash)
        .join_from(
            records,
            entries,
            (entries.c.log_id == records.c.log_id)
            & (entries.c.entry_index == records.c.entry_index),
        )
        .outerjoin(
            bodies, (bodies.c.log_id == records.c.log_id) & (bodies.c.hash == records.c.body)
        )
        .where(records.c.log_id == log_id, records.c.register == register)
    )


def _record(row: Row[Any]) -> Record:
    content: Mapping[str, Any] = {}
    if row.act == PUT:
        key = bytes(row.body).hex()
        body = None if row.data is None else Blob.open(bytes(row.data), MEDIA)
        if body is None or body.key != key:
            raise Corrupt(f"table bodies: {key}, of record {row.name}, is missing or another one")
        content = body.json()
    return Record(
        register=row.register,
        name=row.name,
        author=row.author,
        entry_index=row.entry_index,
        id=row.id,
        leaf=bytes(row.leaf_hash),
        content=content,
        number=row.number,
        act=row.act,
        replaces=row.replaces,
        reason=row.reason,
    )


def _in_force(
    log_id: int, register: str, as_of: int | None, *, author: str | None, name: str | None
) -> Select[Any]:
    """The last row of each name below a log size, where that is a put."""
    newest = select(records.c.name, func.max(records.c.number).label("number")).where(
        records.c.log_id == log_id, records.c.register == register
    )
    if as_of is not None:
        newest = newest.where(records.c.entry_index < as_of)
    if author is not None:
        newest = newest.where(records.c.author == author)
    if name is not None:
        newest = newest.where(records.c.name == name)
    found = newest.group_by(records.c.name).subquery()
    return (
        _with_content(log_id, register)
        .join(found, (found.c.name == records.c.name) & (found.c.number == records.c.number))
        .where(records.c.act == PUT)
        .order_by(records.c.name)
    )


def current(
    conn: Connection,
    log_id: int,
    register: str,
    *,
    as_of: int | None = None,
    author: str | None = None,
) -> dict[str, Record]:
    """{name: its record} of those in force below a log size, in order of names."""
    query = _in_force(log_id, register, as_of, author=author, name=None)
    return {row.name: _record(row) for row in conn.execute(query)}


def find(
    conn: Connection, log_id: int, register: str, name: str, *, as_of: int | None = None
) -> Record:
    """The one in force. Raises NotFound."""
    query = _in_force(log_id, register, as_of, author=None, name=name)
    row = conn.execute(query).one_or_none()
    if row is None:
        below = "" if as_of is None else f" at log size {as_of}"
        raise NotFound(
            f"register {register} has no record {name!r} in force{below}; see:"
            f" greenledger record list --register {register}"
        )
    return _record(row)


def history(conn: Connection, log_id: int, register: str, name: str) -> list[Record]:
    """All versions of a name and its ends, in order; none where it was never put."""
    query = _with_content(log_id, register).where(records.c.name == name)
    return [_record(row) for row in conn.execute(query.order_by(records.c.number))]


def save(
    conn: Connection,
    log_id: int,
    before: Last | None,
    row: Mapping[str, Any],
) -> None:
    """The row that follows `before`; `row`: the columns of its own."""
    conn.execute(
        insert(records).values(
            log_id=log_id,
            number=0 if before is None else before.number + 1,
            before_number=None if before is None else before.number,
            before_act="" if before is None else before.act,
            replaces="" if before is None else before.id,
            **row,
        )
    )
