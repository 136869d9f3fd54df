"""Acts that need two people: one officer prepares, another approves or rejects with a reason.

A service of any room is run at a desk whose writer stops what needs two: it becomes a draft, signed
by its party and by who prepared it. Approval adds the second signature and appends, in the same
transaction as it closes the draft. A draft is `prepared`, and then once and for good `approved`,
`rejected`, `stale` (the ledger has moved on and refuses it) or `expired`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

from ledger.approvals import officers, store
from ledger.approvals.store import APPROVED, EXPIRED, PREPARED, REJECTED, STALE, Part, Person
from ledger.approvals.store import Draft as Draft
from ledger.db import reading, writing
from ledger.errors import InvalidInput, Refused
from ledger.log.entry import REASON, Entry, parse_entry
from ledger.log.notes import Signer
from ledger.log.service import Also, Appender, Receipt, Submission
from ledger.log.store import load_head, save_entry
from ledger.log.types import Tx
from ledger.parties.desk import Desk
from ledger.parties.officer_store import Officer, approval_of, officers_of
from ledger.units import format_instant

EXPIRES_S: Final = 14 * 86_400
T = TypeVar("T")


class _Held(Exception):
    """What would have been appended, and needs two."""

    def __init__(self, submissions: Sequence[Submission]) -> None:
        super().__init__()
        self.submissions = submissions


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holding:
    """A writer that stops what needs two officers, and passes on all else."""

    desk: Desk
    writer: Appender

    def append(self, submission: Submission) -> Receipt:
        return self.append_all([submission])[0]

    def append_all(
        self, submissions: Sequence[Submission], *, also: Also | None = None
    ) -> list[Receipt]:
        with reading(self.desk.engine) as conn:
            needed = any(
                _needs_two(conn, self.desk, one) and not _has_two(self.desk, one)
                for one in submissions
            )
        if needed:
            raise _Held(submissions)
        return self.writer.append_all(submissions, also=also)


def _needs_two(conn: Connection, desk: Desk, submission: Submission) -> bool:
    entry = parse_entry(submission.data)
    type_ = desk.types.of_entry(entry)
    type_.check_statement(entry)
    return type_.irreversible(entry) and approval_of(conn, desk.log.log_id, entry.author).four_eyes


def _has_two(desk: Desk, submission: Submission) -> bool:
    return len(officers_of(parse_entry(submission.data), desk.log.origin)) > 1


def carry_out(
    desk: Desk,
    act: Callable[[Desk], T],
    *,
    by: Person | Callable[[str], Person | None] | None = None,
    summary: Mapping[str, Any] | None = None,
    key: Signer | None = None,
    expires_s: int = EXPIRES_S,
) -> T | Draft:
    """Do `act` at the desk; what needs two officers becomes a draft instead, prepared by `by`.

    `by` may be asked who prepares for a party. `act` appends it last. `summary`: what the preparer
    says of it. `key` is the officer's where the server does not hold it. Raises what `act` raises;
    Refused where two are needed and nobody is named, or one who may not prepare it.
    """
    try:
        return act(replace(desk, writer=_Holding(desk=desk, writer=desk.writer)))
    except _Held as held:
        submissions = held.submissions
    return prepare(desk, submissions, by=by, summary=summary, key=key, expires_s=expires_s)


def prepare(
    desk: Desk,
    submissions: Sequence[Submission],
    *,
    by: Person | Callable[[str], Person | None] | None,
    summary: Mapping[str, Any] | None = None,
    key: Signer | None = None,
    expires_s: int = EXPIRES_S,
) -> Draft:
    """Store entries that are signed by their party, with the preparer's signature, as a draft.

    An entry that the preparer has signed already (by a key of their own) stays as it is.
    """
    entries = [parse_entry(one.data) for one in submissions]
    (party, *others) = sorted({entry.author for entry in entries})
    if others:
        raise InvalidInput(f"a draft is of one party, not of {party}, {', '.join(others)}")
    if callable(by):
        by = by(party)
    if by is None:
        raise Refused(
            f"{party!r} acts with four eyes: say which of its officers prepares this"
            " (--as OFFICER; over HTTP, whoever has signed in); another one approves it then"
        )
    with reading(desk.engine) as conn:
        officer = officers.require_in_force(conn, desk, by.officer, party)
        by = _with_account(conn, desk, by)
        awaits = [_needs_two(conn, desk, one) for one in submissions]
    if not any(awaits):
        raise InvalidInput(f"nothing of this needs two officers of {party!r}: append it")
    _try(desk, submissions)
    parts = [
        Part(submission=_prepared(desk, officer, one, key) if needed else one, awaits=needed)
        for one, needed in zip(submissions, awaits, strict=True)
    ]
    now_s = desk.clock_s()
    draft = Draft(
        draft=secrets.token_bytes(16),
        party=party,
        kind=_kind(next(entry for entry, needed in zip(entries, awaits, strict=True) if needed)),
        summary=summary or {},
        state=PREPARED,
        preparer=by,
        prepared_at_s=now_s,
        expires_at_s=now_s + expires_s,
    )
    with writing(desk.engine) as conn:
        store.save_draft(conn, desk.log.log_id, draft, parts)
    return draft


class _Undo(Exception):
    pass


def _try(desk: Desk, submissions: Sequence[Submission]) -> None:
    """By the rules of their types, without who signs: nobody is to approve what can't be placed."""
    with suppress(_Undo), writing(desk.engine) as conn:
        head = load_head(conn, desk.log.log_id)
        tick_s = max(head.tick_s, desk.clock_s())
        for place, one in enumerate(submissions, start=1):
            entry = parse_entry(one.data)
            type_ = desk.types.of_entry(entry)
            bodies = {
                name: type_.bodies[name].open(body, entry, desk.log.origin)
                if isinstance(body, bytes)
                else body
                for name, body in one.bodies.items()
            }
            tx = Tx(conn=conn, log=desk.log, index=head.size + place, tick_s=tick_s)
            save_entry(conn, desk.log.log_id, tx.index, entry)
            type_.accept(tx, entry, bodies)
        raise _Undo


def _kind(entry: Entry) -> str:
    """`claim.make`, `unit.move retire`, `period.state closed`."""
    said = [entry.statement.get(member, "") for member in ("act", "state", "rule")]
    return " ".join([entry.type, *(word for word in said if word)])


def _with_account(conn: Connection, desk: Desk, by: Person) -> Person:
    """The account that acts; where none is said, the one that the officer belongs to."""
    known = store.person_of(conn, desk.log.log_id, by.officer)
    if by.account and known.account and by.account != known.account:
        raise Refused(f"officer {by.officer.hex()} is somebody else's: act as your own")
    return replace(by, account=by.account or known.account)


def _prepared(
    desk: Desk, officer: Officer, submission: Submission, key: Signer | None
) -> Submission:
    entry = parse_entry(submission.data)
    if len(entry.signatures) > 1:
        signature = entry.signatures[1]
        if len(entry.signatures) > 2 or not officer.key.verify(entry.text, signature.blob):
            raise InvalidInput(
                f"{entry.type}: its second signature, and last, is that of who prepares it,"
                f" {officer.key.name}, not that of {signature.name}"
            )
        return submission
    return _signed_also(submission, _key_of(desk, officer, key).signature_line(entry.text))


def _key_of(desk: Desk, officer: Officer, key: Signer | None) -> Signer:
    if key is None:
        return desk.keystore.get(officer.key)
    if key.verify_key != officer.key:
        raise InvalidInput(f"this is not the key of officer {officer.officer.hex()}")
    return key


def _signed_also(submission: Submission, line: bytes) -> Submission:
    return replace(submission, data=submission.data + line)


def texts(conn: Connection, desk: Desk, draft: bytes) -> list[bytes]:
    """What the second officer signs, in order: the text of each entry that needs two."""
    _, parts = store.load_draft(conn, desk.log.log_id, draft)
    return [parse_entry(part.submission.data).text for part in parts if part.awaits]


def contents(conn: Connection, desk: Desk, draft: bytes) -> list[dict[str, Any]]:
    """Each entry of a draft as its bytes say: the statement, and what its bodies hold as JSON.

    This, not the preparer's summary, is what is approved.
    """
    _, parts = store.load_draft(conn, desk.log.log_id, draft)
    found = []
    for part in parts:
        entry = parse_entry(part.submission.data)
        kinds = desk.types.of_entry(entry).bodies
        bodies = {
            name: kinds[name].show(kinds[name].open(body, entry, desk.log.origin))
            for name, body in part.submission.bodies.items()
            if isinstance(body, bytes)
        }
        shown = {name: said for name, said in bodies.items() if said is not None}
        found.append({"statement": dict(entry.statement), "bodies": shown})
    return found


def approve(desk: Desk, draft: bytes, by: Person, *, key: Signer | None = None) -> list[Receipt]:
    """Sign as the second officer, by the key that the server holds (or `key`), and append.

    Raises Refused where `by` may not, or the ledger refuses it now: then the draft is stale.
    """
    found, parts, officer, by = _waiting(desk, draft, by)
    signing = _key_of(desk, officer, key)
    lines = [
        signing.signature_line(parse_entry(part.submission.data).text)
        for part in parts
        if part.awaits
    ]
    return _append(desk, found, parts, by, lines)


def approve_with_signature(
    desk: Desk, draft: bytes, by: Person, signatures: Sequence[bytes]
) -> list[Receipt]:
    """The same, with signature lines (`— name base64`, with newline) over `texts`, in order, made
    by an officer who holds the key. Raises InvalidInput where they do not verify."""
    found, parts, officer, by = _waiting(desk, draft, by)
    awaiting = [part for part in parts if part.awaits]
    if len(signatures) != len(awaiting):
        raise InvalidInput(f"the draft takes {len(awaiting)} signatures, not {len(signatures)}")
    for part, line in zip(awaiting, signatures, strict=True):
        entry = parse_entry(_signed_also(part.submission, line).data)
        last = entry.signatures[-1]
        before = parse_entry(part.submission.data).signatures
        if (
            len(entry.signatures) != len(before) + 1
            or (last.name, last.key_id) != (officer.key.name, officer.key.key_id)
            or not officer.key.verify(entry.text, last.blob)
        ):
            raise InvalidInput(f"{entry.type}: this is no signature by {officer.key.name} over it")
    return _append(desk, found, parts, by, signatures)


def _waiting(desk: Desk, draft: bytes, by: Person) -> tuple[Draft, list[Part], Officer, Person]:
    """A draft that `by` may approve now. Raises NotFound or Refused."""
    with reading(desk.engine) as conn:
        found, parts = store.load_draft(conn, desk.log.log_id, draft)
        officer = officers.require_in_force(conn, desk, by.officer, found.party)
        by = _with_account(conn, desk, by)
    _require_prepared(found)
    if found.expires_at_s <= desk.clock_s():
        expire_due(desk)
        raise Refused(
            f"draft {draft.hex()} expired {format_instant(found.expires_at_s)}; prepare it anew"
        )
    same_account = by.account and by.account == found.preparer.account
    if by.officer == found.preparer.officer or same_account:
        raise Refused(f"draft {draft.hex()} was prepared by you: another officer approves it")
    return found, parts, officer, by


def _require_prepared(draft: Draft) -> None:
    if draft.state != PREPARED:
        why = f": {draft.reason}" if draft.reason else ""
        raise Refused(f"draft {draft.draft.hex()} is {draft.state} already{why}")


def _append(
    desk: Desk, draft: Draft, parts: Sequence[Part], by: Person, lines: Sequence[bytes]
) -> list[Receipt]:
    log_id, now_s = desk.log.log_id, desk.clock_s()

    def close(conn: Connection, receipts: Sequence[Receipt]) -> None:
        index = receipts[-1].index
        if not store.decide(
            conn, log_id, draft.draft, APPROVED, at_s=now_s, by=by, entry_index=index
        ):
            raise Refused(f"draft {draft.draft.hex()} was decided meanwhile")

    rest = iter(lines)
    signed = [
        _signed_also(part.submission, next(rest)) if part.awaits else part.submission
        for part in parts
    ]
    try:
        return desk.also(close).writer.append_all(signed)
    except (Refused, InvalidInput) as error:
        with writing(desk.engine) as conn:
            store.decide(conn, log_id, draft.draft, STALE, at_s=now_s, by=by, reason=str(error))
        raise


def reject(desk: Desk, draft: bytes, by: Person, reason: str) -> Draft:
    """Send a draft back with a reason; who prepared it may take it back so. Raises Refused."""
    if not REASON.check(reason):
        raise InvalidInput(f"a reason has {REASON.expected}")
    with reading(desk.engine) as conn:
        found, _ = store.load_draft(conn, desk.log.log_id, draft)
        officers.require_in_force(conn, desk, by.officer, found.party)
        by = _with_account(conn, desk, by)
    _require_prepared(found)
    with writing(desk.engine) as conn:
        done = store.decide(
            conn,
            desk.log.log_id,
            draft,
            REJECTED,
            at_s=desk.clock_s(),
            by=by,
            reason=reason,
        )
        found, _ = store.load_draft(conn, desk.log.log_id, draft)
    if not done:
        _require_prepared(found)
    return found


def expire_due(desk: Desk) -> int:
    """Close drafts that nobody decided in time; returns how many. A job repeats it."""
    now_s = desk.clock_s()
    with reading(desk.engine) as conn:
        due = [
            one
            for one in store.find_drafts(conn, desk.log.log_id, state=PREPARED)
            if one.expires_at_s <= now_s
        ]
    if not due:
        return 0
    with writing(desk.engine) as conn:
        return sum(
            store.decide(conn, desk.log.log_id, one.draft, EXPIRED, at_s=now_s) for one in due
        )
