"""The book of lots and claims that the public log alone shows (formats.md §4.1): what makes a use
the only one.

* An origin is divided once; its revision r comes after revision r − 1. For one run, a point's month
  is divided once.
* A log that follows another one divides no month before its accounts begin.
* No lot is created twice; what is spent was created by an earlier entry and is not spent yet.
* A lot has one wrap of a form at most. An issue of units spends the lots behind them, or wraps them
  as certificates.
* A claim's id is new. What it replaces is a claim of the same author that is in force: else two
  claims could take over the lots of one.
* Only a claim in force is withdrawn or flagged, and its flags take turns, ``short`` first.

Each ``check`` judges and changes nothing; the method beside it takes the entry in. Where the book
holds only some entries (``complete`` is False), what would have to be there before is not asked
for, but what can't stand side by side is refused all the same.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from greenledger_verify.failure import VerificationError
from greenledger_verify.members import parse_origin
from greenledger_verify.text import Text, say

CERTIFICATE_FORM: Final = "gec"


@dataclass(slots=True, kw_only=True)
class Claim:
    """A claim of the log. ``ended`` says how it ended (None: in force), ``ended_by`` which entry
    did it; ``flagged_by`` is the entry of its last flag.
    """

    author: str
    index: int
    spends: tuple[str, ...]
    retires: tuple[str, ...]
    replaces: str
    ended: Text | None = None
    ended_how: str = ""
    ended_by: int = -1
    short: bool = False
    flagged_by: int = -1


@dataclass(slots=True, kw_only=True)
class LotBook:
    """Origins and lots by their ids, with the entry that divided, created or spent them. ``since``:
    the month that accounts begin with, where the log follows another one.
    """

    complete: bool
    since: str = ""
    divided: dict[str, int] = field(default_factory=dict)
    allotted: dict[tuple[str, str, str], int] = field(default_factory=dict)
    created: dict[str, int] = field(default_factory=dict)
    spent: dict[str, int] = field(default_factory=dict)
    wrapped: dict[tuple[str, str], int] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)

    # lot.divide

    def check_divide(
        self, run: str, origins: Iterable[str], spends: Collection[str], creates: Iterable[str]
    ) -> None:
        for origin in origins:
            self._check_origin(origin)
            self._check_run(run, origin)
        self._check_spends(spends)
        for lot in creates:
            if lot in self.created:
                raise VerificationError(
                    "the lot {lot} was created before, by entry {index}",
                    lot=lot,
                    index=self.created[lot],
                )
            if lot in self.spent or lot in spends:
                raise VerificationError(
                    "the lot {lot} that it creates is already spent: by the same entry, or by one "
                    "before",
                    lot=lot,
                )

    def divide(
        self,
        index: int,
        run: str,
        origins: Collection[str],
        spends: Iterable[str],
        creates: Iterable[str],
    ) -> None:
        self.divided.update(dict.fromkeys(origins, index))
        self.allotted.update(
            dict.fromkeys(((run, *parse_origin(one)[:2]) for one in origins), index)
        )
        self.spent.update(dict.fromkeys(spends, index))
        self.created.update(dict.fromkeys(creates, index))

    def _check_origin(self, origin: str) -> None:
        if origin in self.divided:
            raise VerificationError(
                "the origin {origin} was divided before, by entry {index}",
                origin=origin,
                index=self.divided[origin],
            )
        point, month, revision = parse_origin(origin)
        if month < self.since:
            raise VerificationError(
                "the origin {origin} is of before {since}, with which accounts begin in this log: "
                "it follows another one, which may have used it",
                origin=origin,
                since=self.since,
            )
        if revision and self.complete and f"{point}/{month}/{revision - 1}" not in self.divided:
            raise VerificationError(
                "the origin {origin} is divided before its revision {revision}",
                origin=origin,
                revision=revision - 1,
            )

    def _check_run(self, run: str, origin: str) -> None:
        point, month, _ = parse_origin(origin)
        if (run, point, month) in self.allotted:
            raise VerificationError(
                "the origin {origin} is of a run that was divided for this month before, by entry "
                "{index}",
                origin=origin,
                index=self.allotted[run, point, month],
            )

    def _check_spends(self, spends: Iterable[str]) -> None:
        for lot in spends:
            if lot in self.spent:
                raise VerificationError(
                    "the lot {lot} was spent before, by entry {index}",
                    lot=lot,
                    index=self.spent[lot],
                )
            if self.complete and lot not in self.created:
                raise VerificationError(
                    "the lot {lot} that it spends was not created by an earlier entry", lot=lot
                )

    # lot.wrap

    def check_wrap(self, form: str, lots: Iterable[str]) -> None:
        for lot in lots:
            if (form, lot) in self.wrapped:
                raise VerificationError(
                    "the lot {lot} has a wrap of the form {form} already, of entry {index}",
                    lot=lot,
                    form=form,
                    index=self.wrapped[form, lot],
                )
            if self.complete and lot not in self.created:
                raise VerificationError("the lot {lot} that it wraps does not exist", lot=lot)

    def wrap(self, index: int, form: str, lots: Iterable[str]) -> None:
        for lot in lots:
            self.wrapped[form, lot] = index

    # unit.issue

    def check_issue(self, spends: Collection[str], wraps: Collection[str]) -> None:
        self._check_spends(spends)
        self.check_wrap(CERTIFICATE_FORM, wraps)

    def issue(self, index: int, spends: Collection[str], wraps: Collection[str]) -> None:
        self.spent.update(dict.fromkeys(spends, index))
        self.wrap(index, CERTIFICATE_FORM, wraps)

    # claim.make

    def check_make(self, author: str, claim: str, replaces: str, spends: Collection[str]) -> None:
        if claim in self.claims:
            raise VerificationError(
                "the claim {claim} was made before, by entry {index}",
                claim=claim,
                index=self.claims[claim].index,
            )
        if replaces:
            replaced = self.in_force(replaces)
            if replaced is not None and replaced.author != author:
                raise VerificationError(
                    "the claim {claim} that it replaces is one of {owner}, not of {author}",
                    claim=replaces,
                    owner=replaced.author,
                    author=author,
                )
        self._check_spends(spends)

    def make(
        self,
        index: int,
        author: str,
        claim: str,
        replaces: str,
        spends: Collection[str],
        retires: Collection[str] = (),
    ) -> None:
        if replaces in self.claims:
            self._end(replaces, "replaced", index, say("replaced by entry {index}", index=index))
        self.spent.update(dict.fromkeys(spends, index))
        self.claims[claim] = Claim(
            author=author,
            index=index,
            spends=tuple(spends),
            retires=tuple(retires),
            replaces=replaces,
        )

    # claim.withdraw, claim.flag

    def check_withdraw(self, author: str, claim: str, operator: str) -> None:
        named = self.in_force(claim)
        if named is not None and author not in (named.author, operator):
            raise VerificationError(
                "{author} may not withdraw the claim {claim}: it is one of {owner}",
                author=author,
                claim=claim,
                owner=named.author,
            )

    def withdraw(self, index: int, claim: str) -> None:
        if claim in self.claims:
            self._end(claim, "withdrawn", index, say("withdrawn by entry {index}", index=index))

    def check_flag(self, claim: str, state: str) -> None:
        named = self.in_force(claim)
        if named is None:
            return
        if self.complete and named.short == (state == "short"):
            raise VerificationError(
                "the claim {claim} can't be flagged {state}: flags take turns, and the first is "
                "short",
                claim=claim,
                state=state,
            )

    def flag(self, index: int, claim: str, state: str) -> None:
        if claim in self.claims:
            self.claims[claim].short = state == "short"
            self.claims[claim].flagged_by = index

    def in_force(self, claim: str) -> Claim | None:
        """The claim that is named; None only where the book is not complete and does not hold
        it.
        """
        named = self.claims.get(claim)
        if named is None and self.complete:
            raise VerificationError("there is no claim {claim} before it", claim=claim)
        if named is not None and named.ended is not None:
            raise VerificationError(
                "the claim {claim} is not in force: {ended}", claim=claim, ended=named.ended
            )
        return named

    def _end(self, claim: str, how: str, index: int, ended: Text) -> None:
        named = self.claims[claim]
        named.ended, named.ended_how, named.ended_by, named.short = ended, how, index, False
