"""Requests that write: once for each `Idempotency-Key`, for parties that the caller acts for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Header, Request, Response
from sqlalchemy import Connection

from api.callers import CallerOf, operation_of
from api.media import JsonObject, Receipts, receipts_of
from api.problems import Problem
from api.service import Service, ServiceOf
from ledger.access import requests
from ledger.access.caller import Caller
from ledger.approvals.service import Draft, carry_out
from ledger.approvals.store import Person, officers_of_account
from ledger.db import reading, writing
from ledger.errors import LedgerError, NotFound, Refused
from ledger.log import store
from ledger.log.service import Receipt
from ledger.parties.desk import Desk
from ledger.parties.officer_store import find_officers

Found = TypeVar("Found")
NONE: Final[JsonObject] = {}
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=128,
        pattern=r"^[\x21-\x7e]*$",
        description="The same key and request again get the same answer, and write nothing",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One request that writes: who asks, for what operation, and how it is known again."""

    service: Service
    caller: Caller
    operation: str
    keyed: requests.Keyed | None
    response: Response

    def for_party(self, party: str, what: str = "") -> str:
        """The party, if the caller acts for it. Raises NotFound, as if there were none."""
        if not self.caller.may_for(self.operation, party):
            raise NotFound(what or f"there is no party {party!r} that you act for")
        return party

    def own_party(self, party: str) -> str:
        """`party`, or the only one that the caller acts for where it is empty."""
        if party:
            return self.for_party(party)
        mine = self.caller.parties(self.operation)
        if mine is None:
            return self.service.log.operator
        if len(mine) != 1:
            raise Problem(422, f"say for which party: {', '.join(sorted(mine))}")
        (only,) = mine
        return only

    def write(
        self,
        do: Callable[[Desk], Found],
        facts: JsonObject | Callable[[Found], JsonObject] = NONE,
    ) -> Receipts:
        """Do it, or give the answer of the time before. Raises what `do` raises.

        The answer is what the desk appended meanwhile, and `facts`: figures that are known before,
        or that follow from what `do` returns.
        """
        known = self.known()
        if known is not None:
            return known
        written = _Written(act=self, facts=None if callable(facts) else facts)
        desk = self.service.desk.also(written.save)
        try:
            done = carry_out(desk, do, by=self.person, summary=self._summary())
        except LedgerError:
            # Another request with this key may have been first: then its answer is ours.
            known = self.known()
            if known is None:
                raise
            return known
        if not written.receipts:
            # Another request with this key may have left nothing to do.
            known = self.known()
            if known is not None:
                return known
        if isinstance(done, Draft):
            self.response.status_code = 202
            return written.close(Receipts(receipts=[], draft=done.draft.hex()))
        return written.close(
            receipts_of(written.receipts, facts(done) if callable(facts) else facts)
        )

    def person(self, party: str) -> Person | None:
        """The officer in force that the caller is in a party."""
        log = self.service.log
        with reading(self.service.desk.engine) as conn:
            mine = officers_of_account(conn, log.log_id, self.caller.account)
            known = find_officers(conn, log.log_id, log.origin, party=party)
        found = [one for one in known if one.in_force and one.officer in mine]
        if not found or self.caller.via != "session":
            return None
        return Person(officer=found[-1].officer, account=self.caller.account)

    def _summary(self) -> JsonObject:
        """What the preparer says: the request, by its name."""
        return {"operation": self.operation, "by": self.caller.name}

    def known(self) -> Receipts | None:
        """What this request was answered with the time before, if there was one."""
        if self.keyed is None:
            return None
        with reading(self.service.desk.engine) as conn:
            known = requests.find(conn, self.keyed)
            if known is None:
                return None
            if known.answer is not None:
                return Receipts(**known.answer)
            return receipts_of(
                [
                    Receipt(index=index, entry=store.entry_at(conn, self.keyed.log_id, index))
                    for index in known.entries
                ]
            )


@dataclass(slots=True, kw_only=True)
class _Written:
    """What a request has appended so far. `facts`: where they are known, the answer is stored with
    the entries; else it follows them."""

    act: Act
    facts: JsonObject | None
    receipts: list[Receipt] = field(default_factory=list)
    stored: Receipts | None = None
    times: int = 0

    def save(self, conn: Connection, appended: Sequence[Receipt]) -> None:
        """With the entries, in their transaction; where all were repeats there is none."""
        self.receipts.extend(appended)
        keyed = self.act.keyed
        if keyed is None or all(one.repeated for one in appended):
            return
        self.stored = None if self.facts is None else receipts_of(self.receipts, self.facts)
        answer = self.stored.model_dump() if self.stored else None
        indexes = [one.index for one in self.receipts]
        if self.times:
            requests.replace(conn, keyed, indexes, answer)
        else:
            requests.save(conn, keyed, indexes, self.act.service.now_s(), answer)
        self.times += 1

    def close(self, answer: Receipts) -> Receipts:
        """The answer, once it is stored for the next time."""
        if self.act.keyed is None or self.stored == answer:
            return answer
        try:
            with writing(self.act.service.desk.engine) as conn:
                found = answer.model_dump()
                requests.answered(conn, self.act.keyed, found, self.act.service.now_s())
        except Refused:
            # Two that had nothing to append came at once: the answer is the first one's.
            return self.act.known() or answer
        return answer


async def act_of(
    request: Request,
    response: Response,
    service: ServiceOf,
    caller: CallerOf,
    key: IdempotencyKey = "",
) -> Act:
    """The act that a request is."""
    operation = operation_of(request)
    keyed = None
    if key:
        asked = f"{operation} {request.url.path}?{request.url.query}\n".encode()
        keyed = requests.Keyed(
            log_id=service.log.log_id,
            account=caller.account,
            key=key,
            digest=hashlib.sha256(asked + await request.body()).digest(),
        )
    return Act(service=service, caller=caller, operation=operation, keyed=keyed, response=response)


ActOf = Annotated[Act, Depends(act_of)]
