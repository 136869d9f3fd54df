"""SQL on what anchors have said, and on how they stand.

Receipts are numbered from 0 for each log, without a gap, and each carries a digest over itself and
the one before.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import Connection, Select, func, insert, select, update

from ledger.anchors.cosigner import parse_cosigner
from ledger.anchors.schema import states
from ledger.db import lock
from ledger.log.cosigned import AUTHORITY, WITNESS, anchors, receipts

Kind = Literal["witness", "authority"]
FIRST_DIGEST: Final = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What an anchor said of the checkpoint of `size`.

    `name`: of the key, or of the authority. `key`: what it was verified by, a witness's vkey or an
    authority's roots as PEM text. `at_s`: its own time. `data`: a signature line with its newline,
    or a TimeStampResp.
    """

    size: int
    kind: Kind
    name: str
    key: str
    at_s: int
    data: bytes

    @property
    def label(self) -> str:
        """Which anchor it is: a witness may have keys of two types under one name."""
        return parse_cosigner(self.key).label if self.kind == WITNESS else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How an anchor stands. Times are 0 where there was none. `alarm`: see `alarm.py`."""

    kind: Kind
    name: str
    received: int = 0
    last_success_s: int = 0
    last_failure_s: int = 0
    last_error: str = ""
    failures: int = 0
    next_try_s: int = 0
    alarm: str = ""
    alarm_size: int = 0
    alarm_root: str = ""


def digest(before: bytes, seq: int, found: Received) -> bytes:
    """Of a receipt's row: over the digest before, and all that the row and its anchor say."""
    anchor = hashlib.sha256(f"{found.kind}\0{found.name}\0{found.key}".encode()).digest()
    numbers = struct.pack(">QQQ", seq, found.size, found.at_s)
    return hashlib.sha256(before + anchor + numbers + found.data).digest()


def save(conn: Connection, log_id: int, found: Received) -> int:
    """Store a receipt that was verified; returns its number. One writer at a time."""
    lock(conn, f"anchors of log {log_id}")
    last = conn.execute(
        select(receipts.c.seq, receipts.c.digest)
        .where(receipts.c.log_id == log_id)
        .order_by(receipts.c.seq.desc())
        .limit(1)
    ).one_or_none()
    seq, before = (last.seq + 1, bytes(last.digest)) if last else (0, FIRST_DIGEST)
    conn.execute(
        insert(receipts).values(
            log_id=log_id,
            seq=seq,
            size=found.size,
            anchor=_anchor(conn, log_id, found),
            at_s=found.at_s,
            data=found.data,
            digest=digest(before, seq, found),
        )
    )
    state = state_of(conn, log_id, found.kind, found.label)
    change_state(conn, log_id, found.kind, found.label, received=state.received + 1)
    return seq


def _anchor(conn: Connection, log_id: int, found: Received) -> int:
    """The number of an anchor with this key; a new one where it has none yet."""
    known = conn.execute(
        select(anchors.c.anchor).where(
            anchors.c.log_id == log_id,
            anchors.c.kind == found.kind,
            anchors.c.name == found.name,
            anchors.c.key == found.key,
        )
    ).scalar_one_or_none()
    if known is not None:
        return int(known)
    number: int = conn.execute(
        select(func.count()).select_from(anchors).where(anchors.c.log_id == log_id)
    ).scalar_one()
    conn.execute(
        insert(anchors).values(
            log_id=log_id, anchor=number, kind=found.kind, name=found.name, key=found.key
        )
    )
    return number


def _query(log_id: int) -> Select[tuple[int, str, str, str, int, bytes]]:
    return (
        select(
            receipts.c.size,
            anchors.c.kind,
            anchors.c.name,
            anchors.c.key,
            receipts.c.at_s,
            receipts.c.data,
        )
        .join_from(receipts, anchors)
        .where(receipts.c.log_id == log_id)
        .order_by(receipts.c.seq)
    )


def _received(
    conn: Connection, query: Select[tuple[int, str, str, str, int, bytes]]
) -> list[Received]:
    return [
        Received(
            size=row.size,
            kind=row.kind,
            name=row.name,
            key=row.key,
            at_s=row.at_s,
            data=bytes(row.data),
        )
        for row in conn.execute(query)
    ]


def tokens_at(conn: Connection, log_id: int, size: int) -> dict[str, Received]:
    """{authority: its first token for the checkpoint of a size}: the earliest says most."""
    found: dict[str, Received] = {}
    query = _query(log_id).where(anchors.c.kind == AUTHORITY, receipts.c.size == size)
    for one in _received(conn, query):
        found.setdefault(one.name, one)
    return dict(sorted(found.items()))


def newest_of(conn: Connection, log_id: int, kind: Kind, key: str) -> Received | None:
    """The newest receipt of a witness's vkey, or of an authority's name."""
    column = anchors.c.key if kind == WITNESS else anchors.c.name
    query = _query(log_id).where(anchors.c.kind == kind, column == key)
    found = _received(conn, query.order_by(None).order_by(receipts.c.seq.desc()).limit(1))
    return found[0] if found else None


def newest(conn: Connection, log_id: int) -> list[Received]:
    """The newest receipt under each key."""
    last = select(func.max(receipts.c.seq)).where(receipts.c.log_id == log_id)
    query = _query(log_id).where(receipts.c.seq.in_(last.group_by(receipts.c.anchor)))
    return _received(conn, query)


def anchored_sizes(conn: Connection, log_id: int) -> Sequence[int]:
    """Sizes of checkpoints that somebody vouched for, increasing."""
    query = select(receipts.c.size).where(receipts.c.log_id == log_id).distinct()
    return conn.execute(query.order_by(receipts.c.size)).scalars().all()


def all_states(conn: Connection, log_id: int) -> list[State]:
    """How each anchor stands that was ever asked, by kind and name."""
    columns = [column for column in states.columns if column.name != "log_id"]
    query = select(*columns).where(states.c.log_id == log_id)
    return [
        State(**row._mapping) for row in conn.execute(query.order_by(states.c.kind, states.c.name))
    ]


def state_of(conn: Connection, log_id: int, kind: Kind, name: str) -> State:
    """A fresh state where it was never asked."""
    for state in all_states(conn, log_id):
        if (state.kind, state.name) == (kind, name):
            return state
    return State(kind=kind, name=name)


def change_state(
    conn: Connection, log_id: int, kind: Kind, name: str, **changes: int | str
) -> None:
    mine = (states.c.log_id == log_id, states.c.kind == kind, states.c.name == name)
    if conn.execute(update(states).where(*mine).values(**changes)).rowcount:
        return
    fresh = State(kind=kind, name=name)
    values = {name_: getattr(fresh, name_) for name_ in State.__slots__} | changes
    conn.execute(insert(states).values(log_id=log_id, **values))
