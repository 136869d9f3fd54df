"""Requests that came with an `Idempotency-Key`: sent again, they get the same answer.

The row is stored in the transaction that stores the entries, so that a crash leaves both or
neither; the full answer follows when it is known.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from ledger.db import metadata, of_service
from ledger.errors import InvalidInput

requests: Final = of_service(
    Table(
        "requests",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("account", String(64), primary_key=True),
        Column("key", String(128), primary_key=True),
        Column("digest", LargeBinary(32), nullable=False),
        Column("entries", Text, nullable=False),
        Column("answer", Text, nullable=False),
        Column("at_s", BigInteger, nullable=False),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """A request by who sent it and its key; `digest`: SHA-256 of what it asks."""

    log_id: int
    account: str
    key: str
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a request did before: indexes of entries, and the answer where it was known."""

    entries: Sequence[int]
    answer: dict[str, Any] | None


def _which(keyed: Keyed) -> Any:
    return (
        (requests.c.log_id == keyed.log_id)
        & (requests.c.account == keyed.account)
        & (requests.c.key == keyed.key)
    )


def find(conn: Connection, keyed: Keyed) -> Known | None:
    """Raises InvalidInput where the key was used for another request."""
    row = conn.execute(select(requests).where(_which(keyed))).one_or_none()
    if row is None:
        return None
    if bytes(row.digest) != keyed.digest:
        raise InvalidInput(
            f"Idempotency-Key {keyed.key!r} was used for another request; take a fresh one"
        )
    answer = json.loads(row.answer) if row.answer else None
    return Known(entries=json.loads(row.entries), answer=answer)


def save(
    conn: Connection,
    keyed: Keyed,
    entries: Sequence[int],
    at_s: int,
    answer: dict[str, Any] | None = None,
) -> None:
    """With the entries, in their transaction; once for a request. `answer`: if it is known."""
    conn.execute(
        insert(requests).values(
            log_id=keyed.log_id,
            account=keyed.account,
            key=keyed.key,
            digest=keyed.digest,
            entries=json.dumps(list(entries)),
            answer=json.dumps(answer) if answer else "",
            at_s=at_s,
        )
    )


def replace(
    conn: Connection, keyed: Keyed, entries: Sequence[int], answer: dict[str, Any] | None
) -> None:
    """What was saved, where a request appends once more."""
    values = {
        "entries": json.dumps(list(entries)),
        "answer": json.dumps(answer) if answer else "",
    }
    conn.execute(update(requests).where(_which(keyed)).values(values))


def answered(conn: Connection, keyed: Keyed, answer: dict[str, Any], at_s: int) -> None:
    """What the request was answered with, also when it appended nothing."""
    first = _which(keyed) & (requests.c.answer == "")
    conn.execute(update(requests).where(first).values(answer=json.dumps(answer)))
    if find(conn, keyed) is None:
        save(conn, keyed, [], at_s, answer)


def forget_before(conn: Connection, at_s: int) -> int:
    """Requests older than any that could be sent again. Returns how many."""
    return conn.execute(delete(requests).where(requests.c.at_s < at_s)).rowcount
