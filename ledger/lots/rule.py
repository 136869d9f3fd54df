"""The public rule: nothing is used twice, shown by headers alone (docs/formats.md §4.1). Pure.

`SingleUse` is handed the statements of a log one after the other and raises Refused with the first
that breaks the rule:

- an origin is divided once, and revision r after r − 1; for a run, a point's month is divided once;
- no lot is created twice; what is spent was created before and is not spent yet;
- a lot has one wrap of each form at most;
- a claim id is new; what it replaces is a claim of the same author that is in force (else two
  claims could take over the lots of one), and a lot whose claim was withdrawn stays spent;
- only a claim in force is withdrawn or flagged, the former by its author or the operator, and its
  flags take turns, `short` first;
- a log that follows another one divides no month before its accounts begin;
- lists are sorted, so that nothing stands twice in one.

It needs no database, no body and no key: whoever has the log's entries can run it.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ledger.errors import InvalidInput, Refused

_GENESIS: Final = "log.genesis"
SUCCEED: Final = "log.succeed"
SECOND: Final = 1
DIVIDE: Final = "lot.divide"
WRAP: Final = "lot.wrap"
MAKE: Final = "claim.make"
WITHDRAW: Final = "claim.withdraw"
FLAG: Final = "claim.flag"
_LISTS: Final = ("origins", "spends", "creates", "wraps")

Statement = Mapping[str, Any]


@dataclass(slots=True)
class SingleUse:
    """What the entries so far have divided, created, spent and claimed; each by entry index."""

    operator: str = ""
    origins: dict[str, int] = field(default_factory=dict)
    runs: dict[tuple[str, str], int] = field(default_factory=dict)
    created: dict[str, int] = field(default_factory=dict)
    spent: dict[str, int] = field(default_factory=dict)
    wrapped: dict[tuple[str, str], int] = field(default_factory=dict)
    claims: dict[str, int] = field(default_factory=dict)
    authors: dict[str, str] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    short: set[str] = field(default_factory=set)
    since: str = ""  # the month that accounts begin with, where the log follows another one

    def take(self, index: int, statement: Statement) -> None:
        """Judge entry `index` and take it in. Raises Refused, and then nothing is taken."""
        rule = _RULES.get(statement["type"])
        if rule:
            check_lists(statement, _LISTS)
            rule(self, index, statement)
        elif statement["type"] == _GENESIS:
            self.operator = statement["author"]
        elif statement["type"] == SUCCEED:
            self._succeed(index, statement)

    def _succeed(self, index: int, statement: Statement) -> None:
        if index != SECOND or statement["author"] != self.operator:
            raise Refused(f"{SUCCEED} is entry {SECOND}, by the operator")
        self.since = statement["since"]

    def _divide(self, index: int, statement: Statement) -> None:
        months = [(statement["run"], _month_of(origin)) for origin in statement["origins"]]
        for origin, month in zip(statement["origins"], months, strict=True):
            self._check_origin(origin)
            if month in self.runs:
                raise Refused(f"origin {origin}: its run was divided by entry {self.runs[month]}")
        self._check_spends(statement["spends"])
        for lot in statement["creates"]:
            if lot in self.created:
                raise Refused(f"lot {lot} was created before, by entry {self.created[lot]}")
        self.origins.update(dict.fromkeys(statement["origins"], index))
        self.runs.update(dict.fromkeys(months, index))
        self.spent.update(dict.fromkeys(statement["spends"], index))
        self.created.update(dict.fromkeys(statement["creates"], index))

    def _check_origin(self, origin: str) -> None:
        if _month_of(origin).rpartition("/")[2] < self.since:
            raise Refused(f"origin {origin} is of before {self.since}, when accounts begin")
        if origin in self.origins:
            raise Refused(f"origin {origin} was divided before, by entry {self.origins[origin]}")
        month, _, revision = origin.rpartition("/")
        if revision != "0" and f"{month}/{int(revision) - 1}" not in self.origins:
            raise Refused(f"origin {origin} is divided before revision {int(revision) - 1}")

    def _check_spends(self, lots: Iterable[str]) -> None:
        for lot in lots:
            if lot not in self.created:
                raise Refused(f"lot {lot} was never created")
            if lot in self.spent:
                raise Refused(f"lot {lot} was spent before, by entry {self.spent[lot]}")

    def _wrap(self, index: int, statement: Statement) -> None:
        for lot in statement["wraps"]:
            if lot not in self.created:
                raise Refused(f"lot {lot} was never created")
            form = lot, statement["form"]
            if form in self.wrapped:
                raise Refused(f"lot {lot} is wrapped as {form[1]} by entry {self.wrapped[form]}")
        self.wrapped.update({(lot, statement["form"]): index for lot in statement["wraps"]})

    def stand_behind(self, index: int, statement: Statement, form: str) -> None:
        """Lots that stand behind certificates: some are spent by them, others have their form."""
        check_lists(statement, _LISTS)
        self._check_spends(statement["spends"])
        for lot in set(statement["spends"]) & set(statement["wraps"]):
            raise Refused(f"lot {lot} is both spent and wrapped")
        self._wrap(index, {"wraps": statement["wraps"], "form": form})
        self.spent.update(dict.fromkeys(statement["spends"], index))

    def _make(self, index: int, statement: Statement) -> None:
        claim, replaces = statement["claim"], statement["replaces"]
        if claim in self.claims:
            raise Refused(f"claim {claim} was made before, by entry {self.claims[claim]}")
        if replaces:
            self._check_in_force(replaces)
            if self.authors[replaces] != statement["author"]:
                raise Refused(f"claim {replaces} is replaced by another than its author")
        self._check_spends(statement["spends"])
        if replaces:
            self.ended[replaces] = index
        self.claims[claim], self.authors[claim] = index, statement["author"]
        self.spent.update(dict.fromkeys(statement["spends"], index))

    def _withdraw(self, index: int, statement: Statement) -> None:
        claim, author = statement["claim"], statement["author"]
        self._check_in_force(claim)
        if author not in (self.authors[claim], self.operator):
            raise Refused(f"claim {claim} is withdrawn by another than its author or the operator")
        self.ended[claim] = index

    def _flag(self, _index: int, statement: Statement) -> None:
        claim, short = statement["claim"], statement["state"] == "short"
        self._check_in_force(claim)
        if short == (claim in self.short):
            raise Refused(f"claim {claim} is flagged {statement['state']} out of turn")
        (self.short.add if short else self.short.discard)(claim)

    def _check_in_force(self, claim: str) -> None:
        if claim not in self.claims:
            raise Refused(f"claim {claim} was never made")
        if claim in self.ended:
            raise Refused(f"claim {claim} is in force no more, since entry {self.ended[claim]}")


def check_lists(statement: Statement, names: Iterable[str]) -> None:
    """Raises Refused where a list of a statement is not in order, or says something twice."""
    for name in names:
        found = statement.get(name, ())
        if any(map(operator.ge, found, found[1:])):
            raise Refused(f"{name} are not sorted, or one stands twice")


def _month_of(origin: str) -> str:
    """Without the revision: `<point>/<YYYY-MM>`."""
    return origin.rpartition("/")[0]


_RULES: Final[Mapping[str, Callable[[SingleUse, int, Statement], None]]] = {
    DIVIDE: SingleUse._divide,
    WRAP: SingleUse._wrap,
    MAKE: SingleUse._make,
    WITHDRAW: SingleUse._withdraw,
    FLAG: SingleUse._flag,
}


def scan_into(entries: Iterable[tuple[int, bytes]], take: Callable[[int, Statement], None]) -> None:
    """Hand over the statements of a whole log, given as (index, exact bytes) in order.

    Raises Refused naming the entry. It looks at the first line of each entry alone, and believes no
    signature: whatever an entry says to spend counts as spent.
    """
    for index, data in entries:
        line = data[: data.find(b"\n")]
        try:
            take(index, json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInput(f"entry {index} is no statement: {error}") from error
        except Refused as error:
            raise Refused(f"entry {index}: {error}") from error


def scan(entries: Iterable[tuple[int, bytes]]) -> SingleUse:
    """Judge lots and claims of a whole log. Raises Refused naming the entry."""
    state = SingleUse()
    scan_into(entries, state.take)
    return state
