"""The book of units that the public log alone shows (formats.md §4.1): schemes, projects, batches,
holdings, retirements and reductions.

* A registration of a scheme, or of a project in it, names the one in force that it replaces.
* A batch is issued once; its revision r comes in a later entry than revision r − 1.
* A holding begins once and ends once, later; an act ends only holdings in some states, and gives
  what it begins a state; what is split stays in its own.
* A retirement is made once, disclosed once at most, by who made it, and is in one claim's
  ``retires``: a claim that replaces another one takes over what that has.
* A reduction is recorded once, and verified once at most.

Each ``check`` judges and changes nothing; the method beside it takes the entry in. Where the book
holds only some entries (``complete`` is False), what would have to be there before is not asked
for, but what can't stand side by side is refused all the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from greenledger_verify.failure import VerificationError
from greenledger_verify.text import say
from greenledger_verify.unitforms import ACTS, FROZEN, RELEASE, RETIRE, parse_batch

Name = tuple[str, ...]
"""("scheme", scheme), or ("project", scheme, project)."""


@dataclass(slots=True, kw_only=True)
class Holding:
    """Where it began, in which state; ``ended_by`` is -1 while it lasts."""

    begun_by: int
    state: str
    ended_by: int = -1


@dataclass(slots=True, kw_only=True)
class Made:
    """A retirement or a record: its author and entry; ``named_by`` is the entry that disclosed or
    verified it, -1 until then.
    """

    author: str
    index: int
    named_by: int = -1


@dataclass(slots=True, kw_only=True)
class UnitBook:
    """``registered`` holds (entry, id) of all registrations of a name, in order, ``replaced`` what
    they replace; ``issued`` the entry of each batch by its full name, ``claimed`` that of the claim
    which has a retirement.
    """

    complete: bool
    registered: dict[Name, list[tuple[int, str]]] = field(default_factory=dict)
    replaced: set[tuple[Name, str]] = field(default_factory=set)
    issued: dict[str, int] = field(default_factory=dict)
    holdings: dict[str, Holding] = field(default_factory=dict)
    retirements: dict[str, Made] = field(default_factory=dict)
    records: dict[str, Made] = field(default_factory=dict)
    claimed: dict[str, int] = field(default_factory=dict)

    # scheme.register, project.register

    def check_registration(self, name: Name, replaces: str) -> None:
        """Where the book is not complete, what lies between may be missing: but nothing is
        registered first twice, and what is replaced was not replaced before.
        """
        known = [identity for _, identity in self.registered.get(name, ())]
        current = known[-1] if known else ""
        unseen = replaces and replaces not in known and (name, replaces) not in self.replaced
        if replaces == current or (unseen and not self.complete):
            return
        raise VerificationError(
            "replaces is {given}, but in force for {name} is {current}",
            given=replaces or say("empty"),
            name="/".join(name[1:]),
            current=current or say("nothing"),
        )

    def register(self, index: int, name: Name, identity: str, replaces: str) -> None:
        self.registered.setdefault(name, []).append((index, identity))
        self.replaced.add((name, replaces))

    def check_registered(self, *name: str) -> None:
        if self.complete and name not in self.registered:
            raise VerificationError("{name} is not registered", name="/".join(name[1:]))

    def in_force(self, name: Name, before: int) -> int | None:
        """The entry of the last registration below entry ``before``."""
        found = [index for index, _ in self.registered.get(name, ()) if index < before]
        return found[-1] if found else None

    # unit.issue

    def check_issue(self, scheme: str, batches: Iterable[str], begins: Iterable[str]) -> None:
        for batch in batches:
            name = f"{scheme}/{batch}"
            if name in self.issued:
                raise VerificationError(
                    "the batch {batch} was issued before, by entry {index}",
                    batch=name,
                    index=self.issued[name],
                )
            code, revision = parse_batch(batch)
            before = f"{scheme}/{code}/{revision - 1}"
            if revision and self.complete and before not in self.issued:
                raise VerificationError(
                    "the batch {batch} is issued before its revision {revision}",
                    batch=name,
                    revision=revision - 1,
                )
        self._check_begins(begins)

    def issue(
        self, index: int, scheme: str, state: str, batches: Iterable[str], begins: Iterable[str]
    ) -> None:
        self.issued.update(dict.fromkeys((f"{scheme}/{batch}" for batch in batches), index))
        self._begin(index, begins, state)

    # unit.move

    def check_move(
        self,
        act: str,
        retirement: str,
        ends: Iterable[str],
        begins: Iterable[str],
        *,
        by_operator: bool,
    ) -> None:
        rule = ACTS[act]
        if rule.operator and not by_operator:
            raise VerificationError("{act} is an act of the operator only", act=act)
        for name in ends:
            holding = self._lasting(name)
            if holding is None:
                continue
            if holding.state not in (*rule.ends, _UNKNOWN):
                raise VerificationError(
                    "the holding {holding} is {state}; {act} ends only what is {allowed}",
                    holding=name,
                    state=holding.state,
                    act=act,
                    allowed=rule.ends,
                )
            if act == RELEASE and holding.state == FROZEN and not by_operator:
                raise VerificationError(
                    "the holding {holding} is frozen: only the operator may release it",
                    holding=name,
                )
        self._check_begins(begins)
        if act == RETIRE and retirement in self.retirements:
            raise VerificationError(
                "the retirement {retirement} was made before, by entry {index}",
                retirement=retirement,
                index=self.retirements[retirement].index,
            )

    def move(
        self,
        index: int,
        author: str,
        act: str,
        retirement: str,
        ends: Iterable[str],
        begins: Iterable[str],
    ) -> None:
        state = _UNKNOWN
        for name in ends:
            if name not in self.holdings:
                self.holdings[name] = Holding(begun_by=-1, state=_UNKNOWN)
            self.holdings[name].ended_by = index
            state = self.holdings[name].state
        self._begin(index, begins, ACTS[act].begins or state)
        if act == RETIRE:
            self.retirements[retirement] = Made(author=author, index=index)

    def _lasting(self, name: str) -> Holding | None:
        """A holding that has not ended; None only where the book does not hold its beginning."""
        holding = self.holdings.get(name)
        if holding is None:
            if self.complete:
                raise VerificationError(
                    "the holding {holding} that it ends did not begin in an earlier entry",
                    holding=name,
                )
            return None
        if holding.ended_by >= 0:
            raise VerificationError(
                "the holding {holding} was ended before, by entry {index}",
                holding=name,
                index=holding.ended_by,
            )
        return holding

    def _check_begins(self, begins: Iterable[str]) -> None:
        for name in begins:
            holding = self.holdings.get(name)
            if holding is None:
                continue
            if holding.begun_by < 0:
                raise VerificationError(
                    "the holding {holding} ended before it begins, by entry {index}",
                    holding=name,
                    index=holding.ended_by,
                )
            raise VerificationError(
                "the holding {holding} began before, by entry {index}",
                holding=name,
                index=holding.begun_by,
            )

    def _begin(self, index: int, begins: Iterable[str], state: str) -> None:
        for name in begins:
            self.holdings[name] = Holding(begun_by=index, state=state)

    # unit.disclose, claim.make

    def check_disclose(self, author: str, retirement: str) -> None:
        made = self._made(retirement)
        if made is None:
            return
        if made.author != author:
            raise VerificationError(
                "the retirement {retirement} was made by {owner}, not by {author}",
                retirement=retirement,
                owner=made.author,
                author=author,
            )
        if made.named_by >= 0:
            raise VerificationError(
                "the retirement {retirement} was disclosed before, by entry {index}",
                retirement=retirement,
                index=made.named_by,
            )

    def disclose(self, index: int, retirement: str) -> None:
        if retirement in self.retirements:
            self.retirements[retirement].named_by = index

    def check_claim(self, retires: Iterable[str]) -> None:
        for retirement in retires:
            self._made(retirement)
            if retirement in self.claimed:
                raise VerificationError(
                    "the retirement {retirement} is in a claim already, of entry {index}",
                    retirement=retirement,
                    index=self.claimed[retirement],
                )

    def claim(self, index: int, retires: Iterable[str]) -> None:
        self.claimed.update(dict.fromkeys(retires, index))

    def _made(self, retirement: str) -> Made | None:
        """The retirement; None only where the book is not complete and does not hold it."""
        made = self.retirements.get(retirement)
        if made is None and self.complete:
            raise VerificationError(
                "there is no retirement {retirement} before it", retirement=retirement
            )
        return made

    # reduction.record, reduction.verify

    def check_record(self, record: str) -> None:
        if record in self.records:
            raise VerificationError(
                "the reduction {record} was recorded before, by entry {index}",
                record=record,
                index=self.records[record].index,
            )

    def record(self, index: int, author: str, record: str) -> None:
        self.records[record] = Made(author=author, index=index)

    def check_verify(self, record: str) -> None:
        made = self.records.get(record)
        if made is None:
            if self.complete:
                raise VerificationError("there is no record {record} before it", record=record)
            return
        if made.named_by >= 0:
            raise VerificationError(
                "the record {record} was verified before, by entry {index}",
                record=record,
                index=made.named_by,
            )

    def verify(self, index: int, record: str) -> None:
        if record in self.records:
            self.records[record].named_by = index


_UNKNOWN: Final = "?"
