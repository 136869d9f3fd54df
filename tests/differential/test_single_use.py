"""Who uses what is used already: three readers of headers give the same verdict on each entry.

`ledger.registry.rule.scan`, the verifier's rules on a complete log, and the verifier's quick scan
are handed entries of one generator, which keeps no book itself: many entries use something twice,
or before it is there.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenledger_verify import scan as quick
from greenledger_verify.entry import parse_entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.rules import apply
from greenledger_verify.state import State
from ledger.errors import LedgerError, Refused
from ledger.registry import lifecycle, rule
from ledger.registry.lifecycle import MOVES
from tests.differential.headers import LOTS, OF_LOTS, OF_UNITS, Headers
from tests.verifier.forge import ORIGIN

STEPS: Final = 120
MANY: Final = 2**31


class Readers:
    """The three, each with a book of its own."""

    def __init__(self) -> None:
        self.state = State(origin=ORIGIN, complete=True)
        self.passed = quick._Pass(origin=ORIGIN, operator="operator", claim_index=0)
        self.uses = rule.Uses()
        self.entries: list[tuple[int, bytes]] = []

    def judge(self, raw: bytes) -> dict[str, str]:
        """What each says against the next entry; takes it in where nobody does."""
        index = len(self.entries)
        # What a run knows is a rule of the first of them alone (not in bold in §4.1).
        self.state.runs = dict.fromkeys(self.state.runs, MANY)
        said = {
            "rules": _why(lambda: apply(self.state, parse_entry(raw), index)),
            "quick": self._quick(raw, index),
            "ledger": _why(lambda: self.uses.take(index, json.loads(raw.partition(b"\n")[0]))),
        }
        if not any(said.values()):
            self.entries.append((index, raw))
        return said

    def _quick(self, raw: bytes, index: int) -> str:
        if any(word in raw for word in quick._RELEVANT) and raw.startswith(b"{"):
            quick._take(self.passed, raw, index)
        failure, self.passed.failure = self.passed.failure, None
        return str(failure or "")


def _why(read: Callable[[], object]) -> str:
    try:
        read()
    except (LedgerError, VerificationError) as error:
        return str(error) or "?"
    return ""


@settings(max_examples=24)
@given(seed=st.integers(0, 2**64), kinds=st.sampled_from([OF_LOTS, OF_UNITS]))
def test_the_same_verdict_on_each_header(seed: int, kinds: tuple[str, ...]) -> None:
    headers, readers = Headers(random.Random(seed), kinds), Readers()
    for raw in headers.entries:
        assert not any(readers.judge(raw).values())
    broken = b""
    for _ in range(STEPS):
        raw = headers.draw()
        said = readers.judge(raw)
        assert len({bool(why) for why in said.values()}) == 1, f"{raw!r}: {said}"
        if any(said.values()):
            broken = raw
        else:
            headers.remember(raw)
    assert rule.scan(readers.entries) == readers.uses
    last = len(readers.entries)
    with pytest.raises(Refused, match=f"^entry {last}: "):
        rule.scan([*readers.entries, (last, broken)])


RULES_OF_LOTS: Final = (
    "was divided before",
    "is divided before revision",
    "its run was divided",
    "was created before",
    "was never created",
    "was spent before",
    "is wrapped as",
    "was made before",
    "was never made",
    "is in force no more",
    "by another than its author",
    "out of turn",
    "stands twice",
    "is withdrawn by",
)
RULES_OF_UNITS: Final = (
    "it replaces not the registration in force",
    "was imported before",
    "comes before revision",
    "began before",
    "never began",
    "ended before",
    "it can't",
    "is the operator's",
    "was shown before",
    "is shown by another",
    "is in claim",
    "was verified before",
    "is named exactly by act",
    *["was never made", "was made before", "was never created", "was spent before"],
    "stands twice",
)


@pytest.mark.parametrize(("kinds", "rules"), [(OF_LOTS, RULES_OF_LOTS), (OF_UNITS, RULES_OF_UNITS)])
def test_good_and_broken_ones_are_drawn(kinds: tuple[str, ...], rules: tuple[str, ...]) -> None:
    """Each type is taken, and each rule broken, often enough for the test above to mean much."""
    taken: set[str] = set()
    refused: set[str] = set()
    for seed in range(16):
        headers, readers = Headers(random.Random(seed), kinds), Readers()
        for raw in headers.entries:
            readers.judge(raw)
        for _ in range(STEPS):
            raw = headers.draw()
            why = readers.judge(raw)["ledger"]
            if why:
                refused.add(why)
            else:
                taken.add(parse_entry(raw).type)
                headers.remember(raw)
        every = "\n".join(refused)
        if taken == set(kinds) and all(rule_ in every for rule_ in rules):
            break
    assert taken == set(kinds)
    assert [rule_ for rule_ in rules if rule_ not in every] == []


COUNTS: Final = [
    (act, ends, begins) for act in MOVES for ends in range(1, 4) for begins in range(4)
]


def test_how_many_holdings_an_act_ends_and_begins() -> None:
    """Each count of each act, with holdings that are there, and that anybody may end."""
    headers, readers = Headers(random.Random(0), OF_UNITS), Readers()
    for raw in headers.entries:
        readers.judge(raw)
    taken = set()
    for number, (act, ends, begins) in enumerate(COUNTS):
        ids = [f"{number:030x}{place:02x}" for place in range(ends + begins)]
        issued = headers.issue_of(f"C{number}/0", ids[:ends])
        assert not any(readers.judge(issued).values())
        freed = act == lifecycle.RELEASE
        if freed:
            frozen = [f"{number:030x}f{place:x}" for place in range(ends)]
            assert not any(readers.judge(headers.move_of("freeze", ids[:ends], frozen)).values())
        moved = headers.move_of(act, frozen if freed else ids[:ends], ids[ends:])
        said = readers.judge(moved)
        assert len({bool(why) for why in said.values()}) == 1, f"{moved!r}: {said}"
        if not any(said.values()):
            taken.add((act, ends, begins))
    assert {one for one in taken if one[0] == "merge"} == {("merge", 2, 1), ("merge", 3, 1)}
    assert {one for one in taken if one[0] == "split"} == {("split", 1, 2), ("split", 1, 3)}
    assert {one[0] for one in taken} == {*MOVES}


def test_lots_behind_units() -> None:
    """Of a division: each lot is spent once, or wrapped once as a certificate, whoever asks."""
    headers, readers = Headers(random.Random(0), OF_LOTS), Readers()
    for raw in headers.entries:
        readers.judge(raw)
    one, other = LOTS[:2]
    divided = headers.division_of([one, other])
    assert not any(readers.judge(divided).values())
    issues = [
        ({"spends": [one], "wraps": [one]}, False),
        ({"spends": [one], "wraps": [other]}, True),
        ({"spends": [one]}, False),
        ({"wraps": [other]}, False),
        ({"wraps": [one]}, True),
        ({"spends": [other]}, True),
        ({"spends": [other]}, False),
        ({"wraps": LOTS[2:3]}, False),
    ]
    for number, (lots, good) in enumerate(issues):
        raw = headers.issue_of(f"C{number}/0", [f"{number:032x}"], **lots)
        assert {not why for why in readers.judge(raw).values()} == {good}, lots
