"""The public rule of single use, clause by clause, on statements alone."""

import json
from typing import Any

import pytest

from ledger.errors import InvalidInput, LedgerError, Refused
from ledger.house import House
from ledger.lots.rule import scan
from tests.divided import entries_of
from tests.ledgers import operator_key, signed, statement, submit

A, B, C, D = ("a" * 32, "b" * 32, "c" * 32, "d" * 32)
ONE, TWO, THREE = ("1" * 32, "2" * 32, "3" * 32)
ROOF, SAW = f"{A}/2026-03", f"{B}/2026-03"

Value = dict[str, Any]


def divide(*origins: str, creates: str = "", spends: str = "") -> Value:
    """Lots as letters: `creates="ab"` creates two. Each division is of a run of its own."""
    return {
        "type": "lot.divide",
        "run": f"run of {origins} {creates}",
        "origins": list(origins),
        "creates": [letter * 32 for letter in creates],
        "spends": [letter * 32 for letter in spends],
    }


def make(claim: str, spends: str = "", replaces: str = "", author: str = "mill") -> Value:
    return {
        "type": "claim.make",
        "author": author,
        "claim": claim,
        "replaces": replaces,
        "spends": [letter * 32 for letter in spends],
        "retires": [],
    }


def wrap(lots: str, form: str = "gec") -> Value:
    return {"type": "lot.wrap", "form": form, "wraps": [letter * 32 for letter in lots]}


def withdraw(claim: str) -> Value:
    return {"type": "claim.withdraw", "claim": claim, "author": "mill"}


def flag(claim: str, state: str = "short") -> Value:
    return {"type": "claim.flag", "claim": claim, "state": state}


def log_of(*statements: Value) -> list[tuple[int, bytes]]:
    return [(index, json.dumps(one).encode() + b"\n\n") for index, one in enumerate(statements)]


BEGIN = divide(f"{ROOF}/0", f"{SAW}/0", creates="abcd")

GOOD: list[list[Value]] = [
    [],
    [{"type": "tick"}, {"type": "party.register", "party": "mill"}],
    [BEGIN, divide(f"{ROOF}/1", creates="ef", spends="d"), divide(f"{ROOF}/2", creates="0")],
    [BEGIN, make(ONE, "ab"), make(TWO, "c", replaces=ONE), make(THREE, replaces=TWO)],
    [BEGIN, make(ONE, "ab"), flag(ONE), withdraw(ONE), make(TWO, "c")],
    [BEGIN, wrap("ab"), wrap("ab", "stamp"), wrap("c"), make(ONE, "ab")],
    [BEGIN, make(ONE, "ab"), wrap("a")],
    [BEGIN, make(ONE, "ab"), flag(ONE), flag(ONE, "cured"), flag(ONE)],
]

BROKEN: list[tuple[list[Value], str]] = [
    ([divide(f"{ROOF}/0", creates="e")], "origin .* was divided before, by entry 0"),
    ([divide(f"{ROOF}/2", creates="e")], "divided before revision 1"),
    ([divide(f"{A}/2026-04/1", creates="e")], "divided before revision 0"),
    ([divide(f"{ROOF}/1", f"{ROOF}/2", creates="e")], "divided before revision 1"),
    ([divide(f"{ROOF}/1", f"{ROOF}/1", creates="e")], "are not sorted, or one stands twice"),
    ([divide(f"{ROOF}/1", creates="a")], "lot a+ was created before, by entry 0"),
    ([divide(f"{ROOF}/1", creates="ee")], "are not sorted, or one stands twice"),
    ([divide(f"{ROOF}/1", creates="e", spends="f")], "lot f+ was never created"),
    ([divide(f"{ROOF}/1", creates="e", spends="e")], "lot e+ was never created"),
    ([divide(f"{ROOF}/1", creates="e", spends="aa")], "are not sorted, or one stands twice"),
    ([make(ONE, "a"), divide(f"{ROOF}/1", creates="e", spends="a")], "spent before, by entry 1"),
    ([divide(f"{ROOF}/1", creates="e", spends="a"), make(ONE, "a")], "spent before, by entry 1"),
    ([make(ONE, "e")], "lot e+ was never created"),
    ([make(ONE, "aa")], "are not sorted, or one stands twice"),
    ([make(ONE, "a"), make(TWO, "ab")], "lot a+ was spent before, by entry 1"),
    ([make(ONE, "a"), make(ONE, "b")], "claim 1+ was made before, by entry 1"),
    ([make(ONE, "a"), make(ONE, "b", replaces=ONE)], "was made before, by entry 1"),
    ([make(ONE, "a", replaces=TWO)], "claim 2+ was never made"),
    ([make(ONE, "a", replaces=ONE)], "claim 1+ was never made"),
    (
        [make(ONE, "a"), make(TWO, replaces=ONE), make(THREE, replaces=ONE)],
        "in force no more, since entry 2",
    ),
    ([make(ONE, "a"), withdraw(ONE), make(TWO, replaces=ONE)], "no more, since entry 2"),
    ([make(ONE, "a"), withdraw(ONE), make(TWO, "a")], "lot a+ was spent before, by entry 1"),
    (
        [make(ONE, "a"), make(TWO, replaces=ONE, author="shop")],
        "claim 1+ is replaced by another than its author",
    ),
    ([make(ONE, "a"), withdraw(ONE), withdraw(ONE)], "in force no more, since entry 2"),
    ([withdraw(ONE)], "claim 1+ was never made"),
    ([make(ONE, "a"), make(TWO, replaces=ONE), withdraw(ONE)], "no more, since entry 2"),
    ([flag(ONE)], "claim 1+ was never made"),
    ([make(ONE, "a"), flag(ONE, "cured")], "flagged cured out of turn"),
    ([make(ONE, "a"), flag(ONE), flag(ONE)], "flagged short out of turn"),
    ([make(ONE, "a"), withdraw(ONE), flag(ONE)], "in force no more, since entry 2"),
    ([wrap("e")], "lot e+ was never created"),
    ([wrap("a"), wrap("ab")], "lot a+ is wrapped as gec by entry 1"),
    ([wrap("aa")], "are not sorted, or one stands twice"),
]


@pytest.mark.parametrize("statements", GOOD)
def test_what_keeps_the_rule(statements: list[Value]) -> None:
    scan(log_of(*statements))


@pytest.mark.parametrize(("statements", "why"), BROKEN)
def test_the_entry_that_breaks_it_is_named(statements: list[Value], why: str) -> None:
    """What comes after it is not looked at, and it has taken nothing."""
    with pytest.raises(Refused, match=f"^entry {len(statements)}: .*{why}"):
        scan(log_of(BEGIN, *statements, make(ONE, "a"), make(ONE, "a")))


def test_what_is_refused_takes_nothing() -> None:
    state = scan(log_of(BEGIN, make(ONE, "a")))
    for bad in (
        make(TWO, "ba"),
        divide(f"{ROOF}/1", creates="ea", spends="b"),
        wrap("cz"),
        make(TWO, "ba", replaces=ONE),
    ):
        with pytest.raises(Refused):
            state.take(2, bad)
    state.take(2, divide(f"{ROOF}/1", creates="e", spends="c"))
    state.take(3, make(TWO, "be", replaces=ONE))
    state.take(4, wrap("c"))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"7",
        b"{}",
        b"not json",
        b'{"type":"lot.divide"}',
        b'{"type":"lot.divide","origins":[5],"spends":[],"creates":[]}',
        b'{"type":"lot.divide","origins":["x"],"spends":[],"creates":[]}',
        b'{"type":"claim.make","claim":[],"replaces":"","spends":[]}',
        b'{"type":"lot.wrap","form":"gec","wraps":[{}]}',
        b'{"type":"\xff"}',
    ],
)
def test_what_is_no_statement(line: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"^entry 3 is no statement"):
        scan([(3, line + b"\n\n")])


# Against a log that the writer made


def test_a_log_of_ours_keeps_it(filled: House) -> None:
    state = scan(entries_of(filled))
    # Two of lots, one of them replaced; two of retirements alone.
    assert (len(state.claims), len(state.ended), len(state.wrapped)) == (4, 1, 1)
    assert set(state.spent) <= set(state.created)


@pytest.mark.parametrize("kind", ["withdraw", "flag", "wrap again", "wrap unknown"])
def test_the_writer_refuses_what_the_scan_refuses(filled: House, kind: str) -> None:
    before = entries_of(filled)
    state = scan(before)
    (ended,), ((lot, form),) = state.ended, state.wrapped
    body = next(
        json.loads(data[: data.find(b"\n")])["body"] for _, data in before if b"lot.wrap" in data
    )
    forged = {
        "withdraw": statement("claim.withdraw", "operator", claim=ended, reason="again"),
        "flag": statement("claim.flag", "operator", claim=ended, state="short", because="0" * 64),
        "wrap again": statement("lot.wrap", "operator", form=form, wraps=[lot], body=body),
        "wrap unknown": statement("lot.wrap", "operator", form=form, wraps=[A], body=body),
    }[kind]
    key = operator_key(filled)
    with pytest.raises(Refused, match=f"^entry {len(before)}: "):
        scan([*before, (len(before), signed(forged, key))])
    with pytest.raises(LedgerError):
        submit(filled, forged, key)
    assert entries_of(filled) == before
