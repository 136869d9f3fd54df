"""The public rule for units: none is used twice, as headers show (docs/formats.md §4.1). Pure.

`Uses` is handed the statements of a log one after the other, those of lots and claims as well, and
raises Refused with the first that breaks the rule:

- revision r of a code comes after r − 1, and once; lots that stand behind a batch are spent or
  wrapped by it, as lots are;
- a holding begins once and ends once, only as the table of moves allows;
- a retirement is made once, shown once, and is in one claim;
- a record is made once and verified once; a registration replaces the one in force.

It needs no database, no body and no key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ledger.errors import Refused
from ledger.lots import rule as lots
from ledger.lots.rule import SingleUse, Statement
from ledger.registry import lifecycle

SCHEME: Final = "scheme.register"
PROJECT: Final = "project.register"
ISSUE: Final = "unit.issue"
MOVE: Final = "unit.move"
DISCLOSE: Final = "unit.disclose"
RECORD: Final = "reduction.record"
VERIFY: Final = "reduction.verify"
# Certificates are a form of the lots behind them.
FORM: Final = "gec"
_REVISION: Final = re.compile("0|[1-9][0-9]{0,5}", re.ASCII)
_LISTS: Final = ("batches", "begins", "ends", "retires")


@dataclass(slots=True)
class Uses:
    """What the entries so far have begun, ended and retired; each by entry index."""

    lots: SingleUse = field(default_factory=SingleUse)
    batches: dict[str, int] = field(default_factory=dict)
    begun: dict[str, int] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    retirements: dict[str, int] = field(default_factory=dict)
    authors: dict[str, str] = field(default_factory=dict)
    disclosed: dict[str, int] = field(default_factory=dict)
    claimed: dict[str, str] = field(default_factory=dict)
    of_claim: dict[str, list[str]] = field(default_factory=dict)
    records: dict[str, int] = field(default_factory=dict)
    verified: dict[str, int] = field(default_factory=dict)
    registered: dict[tuple[str, ...], str] = field(default_factory=dict)

    def take(self, index: int, statement: Statement) -> None:
        """Judge entry `index` and take it in. Raises Refused."""
        rule = _RULES.get(statement["type"])
        if rule:
            lots.check_lists(statement, _LISTS)
            rule(self, index, statement)
        else:
            self.lots.take(index, statement)

    def _register(self, _index: int, statement: Statement) -> None:
        key = tuple(statement[name] for name in ("scheme", "project") if name in statement)
        if statement["replaces"] != self.registered.get(key, ""):
            raise Refused(f"{'/'.join(key)}: it replaces not the registration in force")
        self.registered[key] = statement["id"]

    def _issue(self, index: int, statement: Statement) -> None:
        for short in statement["batches"]:
            self._check_batch(f"{statement['scheme']}/{short}")
        self._check_begins(statement["begins"])
        self.lots.stand_behind(index, statement, FORM)
        self._begin(index, statement["begins"], statement["state"])
        self.batches.update(
            {f"{statement['scheme']}/{short}": index for short in statement["batches"]}
        )

    def _check_batch(self, batch: str) -> None:
        if batch in self.batches:
            raise Refused(f"batch {batch} was imported before, by entry {self.batches[batch]}")
        code, _, revision = batch.rpartition("/")
        if _REVISION.fullmatch(revision) is None:
            raise Refused(f"batch {batch} has no decimal revision of at most 6 digits")
        if revision != "0" and f"{code}/{int(revision) - 1}" not in self.batches:
            raise Refused(f"batch {batch} comes before revision {int(revision) - 1}")

    def _check_begins(self, holdings: Iterable[str]) -> None:
        for holding in holdings:
            if holding in self.begun:
                raise Refused(f"holding {holding} began before, by entry {self.begun[holding]}")

    def _begin(self, index: int, holdings: Sequence[str], state: str) -> None:
        self.begun.update(dict.fromkeys(holdings, index))
        self.states.update(dict.fromkeys(holdings, state))

    def _move(self, index: int, statement: Statement) -> None:
        act, ends, begins = statement["act"], statement["ends"], statement["begins"]
        for holding in ends:
            if holding not in self.begun:
                raise Refused(f"holding {holding} never began")
            if holding in self.ended:
                raise Refused(f"holding {holding} ended before, by entry {self.ended[holding]}")
            lifecycle.require_allowed(act, holding, self.states[holding])
            by_operator = lifecycle.by_whom(act, self.states[holding]) == lifecycle.OPERATOR
            if by_operator and statement["author"] != self.lots.operator:
                raise Refused(f"{act} of a {self.states[holding]} holding is the operator's")
        lifecycle.require_counts(act, len(ends), len(begins))
        self._check_begins(begins)
        retirement = statement["retirement"]
        if bool(retirement) != (act == lifecycle.RETIRE):
            raise Refused(f"{act}: a retirement is named exactly by act {lifecycle.RETIRE}")
        if retirement and retirement in self.retirements:
            raise Refused(
                f"retirement {retirement} was made before, by entry {self.retirements[retirement]}"
            )
        self.ended.update(dict.fromkeys(ends, index))
        self._begin(index, begins, lifecycle.begins_as(act, self.states[ends[0]]))
        if retirement:
            self.retirements[retirement] = index
            self.authors[retirement] = statement["author"]

    def _disclose(self, index: int, statement: Statement) -> None:
        retirement = statement["retirement"]
        self._check_retired(retirement)
        if retirement in self.disclosed:
            raise Refused(
                f"retirement {retirement} was shown before, by entry {self.disclosed[retirement]}"
            )
        if statement["author"] != self.authors[retirement]:
            raise Refused(f"retirement {retirement} is shown by another than who made it")
        self.disclosed[retirement] = index

    def _check_retired(self, retirement: str) -> None:
        if retirement not in self.retirements:
            raise Refused(f"retirement {retirement} was never made")

    def _make(self, index: int, statement: Statement) -> None:
        claim, replaces = statement["claim"], statement["replaces"]
        for retirement in statement["retires"]:
            self._check_retired(retirement)
            if retirement in self.claimed:
                raise Refused(
                    f"retirement {retirement} is in claim {self.claimed[retirement]} already"
                )
        self.lots.take(index, statement)
        mine = [*self.of_claim.get(replaces, ()), *statement["retires"]]
        self.of_claim[claim] = mine
        self.claimed.update(dict.fromkeys(mine, claim))

    def _record(self, index: int, statement: Statement) -> None:
        if statement["record"] in self.records:
            raise Refused(f"record {statement['record']} was made before")
        self.records[statement["record"]] = index

    def _verify(self, index: int, statement: Statement) -> None:
        if statement["record"] not in self.records:
            raise Refused(f"record {statement['record']} was never made")
        if statement["record"] in self.verified:
            raise Refused(f"record {statement['record']} was verified before")
        self.verified[statement["record"]] = index


_RULES: Final[Mapping[str, Callable[[Uses, int, Statement], None]]] = {
    SCHEME: Uses._register,
    PROJECT: Uses._register,
    ISSUE: Uses._issue,
    MOVE: Uses._move,
    DISCLOSE: Uses._disclose,
    RECORD: Uses._record,
    VERIFY: Uses._verify,
    lots.MAKE: Uses._make,
}


def scan(entries: Iterable[tuple[int, bytes]]) -> Uses:
    """Judge a whole log, given as (index, exact bytes) in order; raises Refused naming the entry.

    It looks at the first line of each entry alone, and believes no signature.
    """
    state = Uses()
    lots.scan_into(entries, state.take)
    return state
