"""Events that came, and events that go: rows, so that nothing is lost between two attempts.

An event that came twice is one. One that goes has one id however often it is sent: its recipient
tells repeats by it. Attempts grow apart, and end after three days (PACT 3.0.3, "Action Events").
"""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from ledger.errors import InvalidInput, NotFound, Refused
from ledger.footprint.pact.clients import Client
from ledger.footprint.pact.events import CREATED, Event, write_event
from ledger.footprint.pact.schema import clients, inbox, outbox
from ledger.units import format_instant

INBOX_MAX: Final = 10_000
# Of one partner, together: whoever looks at the inbox reads what is in there.
INBOX_BYTES_MAX: Final = 32 * 1024 * 1024
FIRST_WAIT_S: Final = 30
WAIT_S_MAX: Final = 6 * 3600
GIVEN_UP_AFTER_S: Final = 72 * 3600
# Longer than an attempt takes: whoever takes an event to send it has it for so long.
_HELD_S: Final = 300
_ERROR: Final = 200
PAGE: Final = 100
SHOWN_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An event that a partner sent; `base_url`: our address that it came to."""

    id: str
    client: str
    party: str
    label: str
    source: str
    event: str
    kind: str
    at_s: int
    data: Mapping[str, Any]
    answered_at_s: int | None
    base_url: str

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "client_id": self.client,
            "party": self.party,
            "label": self.label,
            "source": self.source,
            "event": self.event,
            "kind": self.kind,
            "at_s": self.at_s,
            "data": dict(self.data),
            "answered_at_s": self.answered_at_s,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """An event on its way to a partner."""

    id: str
    client: str
    kind: str
    body: bytes
    created_at_s: int
    attempts: int
    ended_at_s: int | None
    error: str


def require_answerable(client: Client, event: Event) -> None:
    """Raises InvalidInput for a request whose answer could not be sent: answers go to the address
    that the data owner noted down, and `source`, which anybody could write, has to be there."""
    if not client.endpoint:
        raise InvalidInput("no endpoint of yours is known here that an answer could be sent to")
    source = event.source if "//" in event.source else f"//{event.source}"
    if urlsplit(source).hostname != urlsplit(client.endpoint).hostname:
        raise InvalidInput("$.source: is at another host than your endpoint that is known here")


def receive(conn: Connection, now_s: int, client: str, event: Event, base_url: str) -> str:
    """Keep an event, by a fresh id; empty where it is known. Raises Refused where the partner has
    sent too many that nobody has taken out."""
    same = select(inbox.c.id).where(
        inbox.c.client == client, inbox.c.source == event.source, inbox.c.event == event.id
    )
    if conn.execute(same).first() is not None:
        return ""
    # With escapes alone: a database may take no zero byte.
    data = json.dumps(event.data, separators=(",", ":"))
    kept = select(func.count(), func.coalesce(func.sum(func.length(inbox.c.data)), 0)).where(
        inbox.c.client == client
    )
    count, size = conn.execute(kept).one()
    if count >= INBOX_MAX or int(size) + len(data) > INBOX_BYTES_MAX:
        raise Refused(
            f"{count:,} events of yours of {int(size):,} bytes are kept: no more are taken"
        )
    id_ = secrets.token_hex(16)
    conn.execute(
        insert(inbox).values(
            id=id_,
            client=client,
            source=event.source,
            event=event.id,
            kind=event.kind,
            at_s=now_s,
            data=data,
            answered_at_s=None,
            base_url=base_url,
        )
    )
    return id_


def list_received(
    conn: Connection, parties: Collection[str] | None, *, limit: int = PAGE
) -> list[Received]:
    """Of these organisations' partners (None: of all), the newest first."""
    query = _received().order_by(inbox.c.at_s.desc(), inbox.c.id).limit(limit)
    if parties is not None:
        query = query.where(clients.c.party.in_(sorted(parties)))
    return [_row(row) for row in conn.execute(query)]


def received(conn: Connection, id_: str) -> Received:
    """Raises NotFound."""
    row = conn.execute(_received().where(inbox.c.id == id_)).one_or_none()
    if row is None:
        raise NotFound(f"the inbox has no event {id_[:40]!r}; see: greenledger pact inbox")
    return _row(row)


def open_requests(conn: Connection, *, limit: int = PAGE) -> list[Received]:
    """Requests that nobody has answered, the oldest first; those of ended partners stay so."""
    query = _received().where(
        inbox.c.kind == CREATED, inbox.c.answered_at_s.is_(None), clients.c.ended_at_s.is_(None)
    )
    return [
        _row(row) for row in conn.execute(query.order_by(inbox.c.at_s, inbox.c.id).limit(limit))
    ]


def _received() -> Any:
    return select(inbox, clients.c.party, clients.c.label).join(
        clients, clients.c.client == inbox.c.client
    )


def _row(row: Row[Any]) -> Received:
    return Received(
        id=row.id,
        client=row.client,
        party=row.party,
        label=row.label,
        source=row.source,
        event=row.event,
        kind=row.kind,
        at_s=row.at_s,
        data=json.loads(row.data),
        answered_at_s=row.answered_at_s,
        base_url=row.base_url,
    )


def answered(conn: Connection, now_s: int, request: Received) -> bool:
    """False where somebody else has answered it meanwhile."""
    return bool(
        conn.execute(
            update(inbox)
            .where(inbox.c.id == request.id, inbox.c.answered_at_s.is_(None))
            .values(answered_at_s=now_s)
        ).rowcount
    )


def post(
    conn: Connection, now_s: int, client: str, kind: str, data: Mapping[str, Any], source: str
) -> str:
    """Put an event on its way; returns its id."""
    id_ = str(uuid.uuid4())
    body = write_event(
        Event(kind=kind, id=id_, source=source, time=format_instant(now_s), data=data)
    )
    conn.execute(
        insert(outbox).values(
            id=id_,
            client=client,
            kind=kind,
            body=body,
            created_at_s=now_s,
            attempts=0,
            next_at_s=now_s,
            ended_at_s=None,
            error="",
        )
    )
    return id_


def due(conn: Connection, now_s: int, *, limit: int = PAGE) -> list[Going]:
    """What is to be sent now, the oldest first."""
    query = select(outbox).where(outbox.c.next_at_s <= now_s)
    rows = conn.execute(query.order_by(outbox.c.created_at_s, outbox.c.id).limit(limit))
    return [_going(row) for row in rows]


def list_going(conn: Connection, client: str, *, limit: int = PAGE) -> list[Going]:
    """Of one partner, the newest first."""
    query = select(outbox).where(outbox.c.client == client)
    rows = conn.execute(query.order_by(outbox.c.created_at_s.desc(), outbox.c.id).limit(limit))
    return [_going(row) for row in rows]


def _going(row: Row[Any]) -> Going:
    return Going(
        id=row.id,
        client=row.client,
        kind=row.kind,
        body=bytes(row.body),
        created_at_s=row.created_at_s,
        attempts=row.attempts,
        ended_at_s=row.ended_at_s,
        error=row.error,
    )


def take(conn: Connection, now_s: int, going: Going) -> bool:
    """Have an event alone, to send it; False where another worker has it."""
    return bool(
        conn.execute(
            update(outbox)
            .where(
                outbox.c.id == going.id,
                outbox.c.attempts == going.attempts,
                outbox.c.next_at_s <= now_s,
            )
            .values(attempts=going.attempts + 1, next_at_s=now_s + _HELD_S)
        ).rowcount
    )


def sent(conn: Connection, now_s: int, going: Going) -> None:
    _end(conn, now_s, going, "")


def failed(conn: Connection, now_s: int, going: Going, why: str) -> None:
    """To be sent again later, or given up."""
    next_at_s = now_s + min(FIRST_WAIT_S * 2 ** min(going.attempts, 20), WAIT_S_MAX)
    if next_at_s > going.created_at_s + GIVEN_UP_AFTER_S:
        _end(conn, now_s, going, why)
        return
    conn.execute(
        update(outbox)
        .where(outbox.c.id == going.id)
        .values(next_at_s=next_at_s, error=why[:_ERROR] or "it failed")
    )


def _end(conn: Connection, now_s: int, going: Going, why: str) -> None:
    conn.execute(
        update(outbox)
        .where(outbox.c.id == going.id)
        .values(next_at_s=None, ended_at_s=now_s, error=why[:_ERROR])
    )


def give_up(conn: Connection, now_s: int, client: str) -> None:
    """Nothing more goes to a partner that has ended."""
    conn.execute(
        update(outbox)
        .where(outbox.c.client == client, outbox.c.next_at_s.is_not(None))
        .values(next_at_s=None, ended_at_s=now_s, error="the partner was ended")
    )


def forget_before(conn: Connection, at_s: int) -> None:
    """Drop events that went, or were given up, before then, and what came before then, as jobs."""
    conn.execute(delete(outbox).where(outbox.c.ended_at_s < at_s))
    answered_long_ago = inbox.c.answered_at_s < at_s
    conn.execute(delete(inbox).where(inbox.c.kind == CREATED, answered_long_ago))
