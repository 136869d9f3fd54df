"""Drafts as they are stored, and who an officer is. A draft leaves `prepared` once, for good."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from ledger.approvals.schema import drafts, officer_people
from ledger.errors import NotFound
from ledger.log.service import Submission

PREPARED: Final = "prepared"
APPROVED: Final = "approved"
REJECTED: Final = "rejected"
STALE: Final = "stale"
EXPIRED: Final = "expired"
STATES: Final = (PREPARED, APPROVED, REJECTED, STALE, EXPIRED)
REASON_MAX: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who acts: an officer of the log, and the account that acts for it (`""`: none is known)."""

    officer: bytes
    account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An act that one officer prepared, and what became of it. `entry_index`: its last entry."""

    draft: bytes
    party: str
    kind: str
    summary: Mapping[str, Any]
    state: str
    preparer: Person
    prepared_at_s: int
    expires_at_s: int
    decider: Person | None = None
    decided_at_s: int | None = None
    reason: str = ""
    entry_index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One entry of a draft. `awaits`: whether the second officer's signature is missing."""

    submission: Submission
    awaits: bool


def save_draft(conn: Connection, log_id: int, draft: Draft, parts: Sequence[Part]) -> None:
    conn.execute(
        insert(drafts).values(
            log_id=log_id,
            draft=draft.draft,
            party=draft.party,
            kind=draft.kind,
            summary=json.dumps(draft.summary, ensure_ascii=False),
            submissions=_packed(parts),
            state=draft.state,
            preparer=draft.preparer.officer,
            preparer_account=draft.preparer.account,
            prepared_at_s=draft.prepared_at_s,
            expires_at_s=draft.expires_at_s,
            decider=None,
            decider_account="",
            decided_at_s=None,
            reason="",
            entry_index=None,
        )
    )


def decide(
    conn: Connection,
    log_id: int,
    draft: bytes,
    state: str,
    *,
    at_s: int,
    by: Person | None = None,
    reason: str = "",
    entry_index: int | None = None,
) -> bool:
    """Whether the draft was waiting till now. Nothing changes where it was not."""
    done = conn.execute(
        update(drafts)
        .where(drafts.c.log_id == log_id, drafts.c.draft == draft, drafts.c.state == PREPARED)
        .values(
            state=state,
            decider=None if by is None else by.officer,
            decider_account="" if by is None else by.account,
            decided_at_s=at_s,
            reason=reason[:REASON_MAX],
            entry_index=entry_index,
        )
    )
    return done.rowcount == 1


# Without the submissions, which may be large.
_SHORT: Final = [column for column in drafts.columns if column.name != "submissions"]


def _draft(row: Row[Any]) -> Draft:
    decider = None
    if row.decider is not None:
        decider = Person(officer=bytes(row.decider), account=row.decider_account)
    return Draft(
        draft=bytes(row.draft),
        party=row.party,
        kind=row.kind,
        summary=json.loads(row.summary),
        state=row.state,
        preparer=Person(officer=bytes(row.preparer), account=row.preparer_account),
        prepared_at_s=row.prepared_at_s,
        expires_at_s=row.expires_at_s,
        decider=decider,
        decided_at_s=row.decided_at_s,
        reason=row.reason,
        entry_index=row.entry_index,
    )


def find_drafts(
    conn: Connection, log_id: int, *, party: str | None = None, state: str | None = None
) -> list[Draft]:
    """In the order in which they were prepared."""
    query = select(*_SHORT).where(drafts.c.log_id == log_id)
    if party is not None:
        query = query.where(drafts.c.party == party)
    if state is not None:
        query = query.where(drafts.c.state == state)
    return [
        _draft(row) for row in conn.execute(query.order_by(drafts.c.prepared_at_s, drafts.c.draft))
    ]


def drafts_between(conn: Connection, log_id: int, first: bytes, last: bytes) -> list[Draft]:
    """By the beginning of an id."""
    query = select(*_SHORT).where(drafts.c.log_id == log_id, drafts.c.draft.between(first, last))
    return [_draft(row) for row in conn.execute(query)]


def load_draft(conn: Connection, log_id: int, draft: bytes) -> tuple[Draft, list[Part]]:
    """Raises NotFound."""
    row = conn.execute(
        select(drafts).where(drafts.c.log_id == log_id, drafts.c.draft == draft)
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no draft {draft.hex()}; see: greenledger draft list")
    return _draft(row), _unpacked(bytes(row.submissions))


def _packed(parts: Sequence[Part]) -> bytes:
    return json.dumps(
        [
            {
                "data": _b64(part.submission.data),
                "bodies": {
                    name: _b64(body if isinstance(body, bytes) else body.data)
                    for name, body in part.submission.bodies.items()
                },
                "attachments": [_b64(data) for data in part.submission.attachments],
                "awaits": int(part.awaits),
            }
            for part in parts
        ]
    ).encode()


def _unpacked(data: bytes) -> list[Part]:
    return [
        Part(
            submission=Submission(
                data=base64.b64decode(one["data"]),
                bodies={name: base64.b64decode(body) for name, body in one["bodies"].items()},
                attachments=[base64.b64decode(body) for body in one["attachments"]],
            ),
            awaits=bool(one["awaits"]),
        )
        for one in json.loads(data)
    ]


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# Who an officer is


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The person behind an officer: an account of the service, and what people call them."""

    account: str = ""
    label: str = ""


def save_person(conn: Connection, log_id: int, officer: bytes, known: Known) -> None:
    conn.execute(
        insert(officer_people).values(
            log_id=log_id, officer=officer, account=known.account, label=known.label
        )
    )


def people(conn: Connection, log_id: int) -> dict[bytes, Known]:
    rows = conn.execute(select(officer_people).where(officer_people.c.log_id == log_id))
    return {bytes(row.officer): Known(account=row.account, label=row.label) for row in rows}


def person_of(conn: Connection, log_id: int, officer: bytes) -> Known:
    row = conn.execute(
        select(officer_people).where(
            officer_people.c.log_id == log_id, officer_people.c.officer == officer
        )
    ).one_or_none()
    return Known() if row is None else Known(account=row.account, label=row.label)


def officers_of_account(conn: Connection, log_id: int, account: str) -> list[bytes]:
    """Ids of all officers that an account acts for, in force or not."""
    rows = conn.execute(
        select(officer_people.c.officer)
        .where(officer_people.c.log_id == log_id, officer_people.c.account == account)
        .order_by(officer_people.c.officer)
    ).scalars()
    return [bytes(officer) for officer in rows]
