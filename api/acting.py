"""Requests that write: once for each `Idempotency-Key`, for parties that the caller acts for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

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
from ledger.errors import LedgerError, NotFound
from ledger.log import store
from ledger.log.service import Receipt
from ledger.parties.desk import Desk
from ledger.parties.officer_store import find_officers

Found = TypeVar("Found")
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
        facts: Callable[[Found], JsonObject] | None = None,
    ) -> Receipts:
        """Do it, or give the answer of the time before. Raises what `do` raises.

        The answer is what the desk appended meanwhile; `facts` of what `do` returns go with it.
        """
        desk = self.service.desk
        known = self._known()
        if known is not None:
            return known
        receipts: list[Receipt] = []

        def also(conn: Connection, appended: Sequence[Receipt]) -> None:
            if self.keyed is not None:
                indexes = [one.index for one in appended]
                before = [one.index for one in receipts]
                requests.save(conn, self.keyed, indexes, self.service.now_s(), before=before)
            receipts.extend(appended)

        try:
            done = carry_out(desk.also(also), do, by=self.person, summary=self._summary())
        except LedgerError:
            # Another request with this key may have been first: then its answer is ours.
            known = self._known()
            if known is None:
                raise
            return known
        if not receipts:
            # Another request with this key may have left nothing to do.
            known = self._known()
            if known is not None:
                return known
        if isinstance(done, Draft):
            self.response.status_code = 202
            answer = Receipts(receipts=[], draft=done.draft.hex())
        else:
            answer = receipts_of(receipts, facts(done) if facts else None)
        if self.keyed is not None:
            with writing(desk.engine) as conn:
                requests.answered(conn, self.keyed, answer.model_dump(), self.service.now_s())
        return answer

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

    def _known(self) -> Receipts | None:
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
