"""Each act, on units in each state, by each party: what the rules say and what the model says."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest

from ledger.errors import LedgerError
from ledger.registry import lifecycle
from ledger.registry.acts import Doing, Ended, check
from ledger.registry.leaves import Act, BatchId, Gone, Piece
from ledger.registry.scheme import shipped
from tests.registry.model import ACTS, ALL, CLASSES, GONE, Model, Month, Unit
from tests.units import green, month, month_start_s, terms_of, units

RULES = shipped("gec")
BATCH = BatchId(scheme="gec", code="C", revision=0)
EXPIRES_S = month_start_s(2026, 4)
PRODUCED: Month = (2024, 4)
# The last second of validity, and the first one after it.
TICKS = {(2026, 3): EXPIRES_S - 1, (2026, 4): EXPIRES_S}
AUTHORS = ("farm", "mill", "operator")


def piece(id_: int, moves: int, class_: str, first: int = 0, end: int = 4) -> Piece:
    return Piece(
        holding=bytes([id_]) * 16,
        batch=BATCH,
        class_=class_,
        moves=moves,
        units=units(first, end),
    )


def accepted(
    act: str, state: str, author: str, class_: str, moves: int, to: str, now: Month, said: int
) -> bool:
    """What the rules make of an act on one whole holding of the farm's. `said`: by how much the act
    says that moves grew."""
    ended = piece(1, moves, class_)
    begun: tuple[Piece, ...] = (piece(2, moves + said, class_),)
    gone: tuple[Gone, ...] = ()
    if act in GONE:
        begun, gone = (), (Gone(batch=BATCH, units=ended.units, class_=class_),)
    use = green("mill", month(2024, 6))
    doing = Doing(
        name=act,
        author=author,
        operator="operator",
        act=Act(ended=(ended,), begun=begun, gone=gone, terms=terms_of(act, 4 if gone else 0, use)),
        owners={one.holding: to for one in begun},
        tick_s=TICKS[now],
        zone_s=8 * 3600,
    )
    row = Ended(
        piece=ended,
        owner="farm",
        state=state,
        expires_s=EXPIRES_S,
        produced=month(*PRODUCED),
    )
    try:
        check(RULES, doing, [row])
    except LedgerError:
        return False
    return True


@pytest.mark.parametrize("act", sorted(set(ACTS) - {"split", "merge"}))
def test_rules_and_model_say_the_same(act: str) -> None:
    """Every state, author, class, number of moves, receiver and time."""
    counted: Counter[bool] = Counter()
    classes = sorted(set(CLASSES) - {"credit"})
    for state, author, class_, moves, to, now, said in product(
        ALL, AUTHORS, classes, (0, 1), ("farm", "mill"), TICKS, (0, 1)
    ):
        if moves > CLASSES[class_][0]:
            continue
        unit = Unit(class_, "farm", state, moves, PRODUCED, "", 0, 1)
        model = Model(now=now, units={("gec", "C", number): unit for number in range(4)})
        given = act in ("transfer", "settle")
        keeps_count = act in GONE or said == int(given and to != "farm")
        right = given or act in GONE or to == "farm"
        allowed = model.may(act, author, model.live(), to) and keeps_count and right
        found = accepted(act, state, author, class_, moves, to, now, said)
        assert found == allowed, (state, author, class_, moves, to, now, said)
        counted[allowed] += 1
    assert counted[True] > 0
    assert counted[False] > 0


def test_the_table_of_moves_is_that_of_the_page() -> None:
    assert set(lifecycle.MOVES) == set(ACTS)
    for act, (states, begins, _) in ACTS.items():
        assert lifecycle.MOVES[act].ends == set(states), act
        for state in states:
            if act not in GONE:
                assert lifecycle.begins_as(act, state) == (begins or state), act
