"""Answering partners, telling them of what is new, and sending what is on its way.

Each step may be done again after a worker was lost: a request is marked as answered with its
answer, a partner as told with the event. No transaction is open while a partner is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Engine, select

from ledger.access.events import Actor
from ledger.db import reading, writing
from ledger.errors import LedgerError
from ledger.footprint.pact import clients, mailbox
from ledger.footprint.pact.clients import Client
from ledger.footprint.pact.criteria import of_event
from ledger.footprint.pact.events import (
    FULFILLED,
    PUBLISHED,
    REJECTED,
    fulfilled,
    published,
    rejected,
    source_of,
)
from ledger.footprint.pact.mailbox import Going, Received
from ledger.footprint.pact.partner import Partner
from ledger.footprint.pact.schema import clients as partners_table
from ledger.footprint.pact.shelf import Shown, shown
from ledger.log.store import LogFacts, load_head
from ledger.reports.model import FOOTPRINT
from ledger.reports.schema import reports

# Of one answer: more is asked for by list, page by page.
FOOTPRINTS_MAX: Final = 1_000
_NOTHING: Final = "no footprint that you may see matches the request"
_TOO_MANY: Final = f"more than {FOOTPRINTS_MAX:,} footprints match: ask for fewer, or by list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """`base_url`: where partners reach us, as the settings say; without it nobody is told of what
    is new, since an event names its sender. `progress` is called between steps, and may raise."""

    engine: Engine
    log: LogFacts
    seal_key: bytes = field(repr=False)
    clock_s: Callable[[], int]
    base_url: str
    progress: Callable[[int, int], None]

    def run(self) -> dict[str, Any]:
        """Answer, tell, send; returns how much of each."""
        answered = self._answer()
        told = self._tell() if self.base_url else 0
        sent, failed = self._send()
        return {"answered": answered, "told": told, "sent": sent, "failed": failed}

    def _answer(self) -> int:
        with reading(self.engine) as conn:
            requests = mailbox.open_requests(conn)
        for number, request in enumerate(requests):
            self.progress(number, len(requests))
            with reading(self.engine) as conn:
                kind, data = self._answer_to(conn, request)
            now_s = self.clock_s()
            with writing(self.engine) as conn:
                if mailbox.answered(conn, now_s, request):
                    source = source_of(request.base_url)
                    mailbox.post(conn, now_s, request.client, kind, data, source)
        return len(requests)

    def _answer_to(self, conn: Connection, request: Received) -> tuple[str, dict[str, Any]]:
        client = clients.client_of(conn, request.client)
        wanted = of_event(request.data)
        size = load_head(conn, self.log.log_id).size
        found = [
            one.footprint
            for one in seen(conn, self.log, client, request.base_url, as_of=size)
            if wanted.match(one.footprint)
        ]
        if not found:
            return REJECTED, rejected(request.event, "NotFound", _NOTHING)
        if len(found) > FOOTPRINTS_MAX:
            return REJECTED, rejected(request.event, "BadRequest", _TOO_MANY)
        return FULFILLED, fulfilled(request.event, found)

    def _tell(self) -> int:
        """One event for each partner that may see something new, or something become old."""
        told = 0
        with reading(self.engine) as conn:
            size = load_head(conn, self.log.log_id).size
            behind = _behind(conn, self.log.log_id)
        for client in behind:
            with reading(self.engine) as conn:
                ids = _news(conn, self.log, client, self.base_url, size)
            now_s = self.clock_s()
            with writing(self.engine) as conn:
                if clients.client_of(conn, client.client).told != client.told:
                    continue
                clients.told(conn, client.client, size)
                if ids:
                    source = source_of(self.base_url)
                    mailbox.post(conn, now_s, client.client, PUBLISHED, published(ids), source)
                    told += 1
        return told

    def _send(self) -> tuple[int, int]:
        with reading(self.engine) as conn:
            due = mailbox.due(conn, self.clock_s())
        partners: dict[str, Partner | None] = {}
        sent = failed = 0
        for number, going in enumerate(due):
            self.progress(number, len(due))
            with writing(self.engine) as conn:
                if not mailbox.take(conn, self.clock_s(), going):
                    continue
            why = self._sent(going, partners)
            now_s = self.clock_s()
            with writing(self.engine) as conn:
                if why:
                    mailbox.failed(conn, now_s, going, why)
                else:
                    mailbox.sent(conn, now_s, going)
            sent, failed = sent + (not why), failed + bool(why)
        return sent, failed

    def _sent(self, going: Going, partners: dict[str, Partner | None]) -> str:
        """Why it could not be sent; empty where it was."""
        try:
            if going.client not in partners:
                with reading(self.engine) as conn:
                    at = clients.endpoint_of(conn, going.client, self.seal_key)
                partners[going.client] = Partner(at) if at else None
            partner = partners[going.client]
            if partner is None:
                return "the partner takes no events any more"
            partner.send(going.body)
        except LedgerError as error:
            return str(error) or type(error).__name__
        return ""


def seen(
    conn: Connection, log: LogFacts, client: Client, base_url: str, *, as_of: int, since: int = 0
) -> list[Shown]:
    """What a partner may see, in the order of the log."""
    found = of_owner(conn, log, client, base_url, as_of=as_of, since=since)
    return [one for one in found if client.sees(one.product)]


def of_owner(
    conn: Connection, log: LogFacts, client: Client, base_url: str, *, as_of: int, since: int = 0
) -> list[Shown]:
    """All of the data owner, also what this partner may not see."""
    return shown(conn, log, client.party, base_url, as_of=as_of, since=since)


def _news(conn: Connection, log: LogFacts, client: Client, base_url: str, size: int) -> list[str]:
    new = seen(conn, log, client, base_url, as_of=size, since=client.told)
    before = {id_ for one in new for id_ in one.footprint.preceding_pf_ids or []}
    ids = [one.footprint.id for one in new]
    return [*sorted(before - set(ids)), *ids]


def _behind(conn: Connection, log_id: int) -> list[Client]:
    """Partners that take events, whose owner has published something since they were told."""
    query = (
        select(partners_table.c.client)
        .join(
            reports,
            (reports.c.author == partners_table.c.party)
            & (reports.c.entry_index >= partners_table.c.told),
        )
        .where(
            partners_table.c.endpoint != "",
            reports.c.log_id == log_id,
            reports.c.kind == FOOTPRINT,
        )
        .distinct()
        .order_by(partners_table.c.client)
    )
    return [clients.client_of(conn, one) for one in conn.execute(query).scalars().all()]


def has_work(conn: Connection, log_id: int, now_s: int, *, tells: bool) -> bool:
    """Whether there is anything to answer, to tell or to send now."""
    return (
        bool(mailbox.due(conn, now_s, limit=1))
        or bool(mailbox.open_requests(conn, limit=1))
        or (tells and bool(_behind(conn, log_id)))
    )


def end_client(conn: Connection, now_s: int, actor: Actor, client: str) -> None:
    """It asks nothing more, and nothing more goes to it. Raises NotFound."""
    clients.end(conn, now_s, actor, client)
    mailbox.give_up(conn, now_s, client)
