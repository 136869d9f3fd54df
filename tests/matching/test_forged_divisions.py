"""The operator's own key and body: a division that does not follow is refused, by audit too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ledger.db import reading
from ledger.errors import Corrupt, LedgerError, Refused
from ledger.house import House
from ledger.log.merkle import leaf_hash
from ledger.log.service import Receipt
from ledger.lots.model import NO_LOT
from ledger.lots.rule import scan
from ledger.lots.sumtree import HASH
from ledger.matching import accepting
from ledger.matching.dividing import Part, Plan, plan_run
from ledger.matching.drawing import Draws
from ledger.matching.runs import load_lanes
from ledger.matching.service import run_matching
from ledger.parties.desk import Draft
from ledger.recovery.restore import restore
from tests.divided import (
    FOUR,
    agree,
    built,
    consumer,
    draft,
    entries_of,
    lots,
    opened,
    owners,
    point_id,
    source,
    span,
    take,
)
from tests.ledgers import dump, no_progress, settings_in

Forgery = Callable[[House, list[Plan]], list[Plan]]


def build(house: House) -> None:
    """Half of the roof goes to saw and press; all of it could."""
    owners(house)
    source(house, "roof")
    for name in ("saw", "press"):
        consumer(house, name)
        take(house, name, [100, 80, 60, 40])
    take(house, "roof", [100, 0, 60, 20])
    agree(house, "all", {"saw": 300_000, "press": 200_000})


@pytest.fixture(scope="module")
def template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(begun_template, tmp_path_factory.mktemp("forged"), build)


@pytest.fixture
def park(template: Path, tmp_path: Path) -> Iterator[House]:
    yield from opened(template, tmp_path)


def plans_of(house: House, run: Receipt) -> list[Plan]:
    with reading(house.engine) as conn:
        lanes = load_lanes(conn, house.log, run.index)
        return [plan for group in plan_run(conn, house.log, lanes, FOUR) for plan in group]


def drafted(house: House, plans: Sequence[Plan], run: Receipt) -> Draft:
    return draft(plans, run=leaf_hash(run.entry.data), operator="operator", origin=house.log.origin)


def figures(house: House) -> Receipt:
    """A run that is in the log, and nothing of it divided yet."""
    return run_matching(house.desk, FOUR, into_lots=False).receipt


def changed(plans: list[Plan], at: int, **changes: Any) -> list[Plan]:
    return [replace(plan, **changes) if i == at else plan for i, plan in enumerate(plans)]


def at_of(house: House, plans: list[Plan], name: str) -> int:
    return next(i for i, plan in enumerate(plans) if plan.id.point == point_id(house, name))


def other_parts(house: House, plans: list[Plan], name: str, *moved: int) -> list[Plan]:
    """`moved` Wh of the first part, by quarter-hour, go to what is left over."""
    at = at_of(house, plans, name)
    plan = plans[at]
    delta = np.zeros(plan.id.month.count, dtype=np.int64)
    delta[: len(moved)] = moved
    first, *others = plan.parts
    smaller = Part(supply_class=first.supply_class, holder=first.holder, wh=first.wh - delta)
    return changed(plans, at, parts=(smaller, *others), remainder_wh=plan.remainder_wh + delta)


def other_holder(house: House, plans: list[Plan], name: str, **changes: Any) -> list[Plan]:
    at = at_of(house, plans, name)
    first, *others = plans[at].parts
    return changed(plans, at, parts=(replace(first, **changes), *others))


def other_book(house: House, plans: list[Plan], name: str, wh: int, **which: int) -> list[Plan]:
    """Change arrays of an origin in its first quarter-hour; the remainder is worth `wh` more."""
    at = at_of(house, plans, name)
    delta = np.zeros(plans[at].id.month.count, dtype=np.int64)
    delta[0] = 1
    changes: dict[str, Any] = {
        member: getattr(plans[at], member) + amount * delta for member, amount in which.items()
    }
    return changed(plans, at, remainder_wh=plans[at].remainder_wh + wh * delta, **changes)


def other_readings(house: House, plans: list[Plan]) -> list[Plan]:
    at = at_of(house, plans, "roof")
    readings = plans[at].readings.copy()
    readings[[0, 2]] = readings[[2, 0]]
    return changed(plans, at, readings=readings)


def no_reading(house: House, plans: list[Plan]) -> list[Plan]:
    at = at_of(house, plans, "roof")
    return changed(plans, at, readings=np.zeros(plans[at].id.month.count, dtype=HASH))


def merged(house: House, plans: list[Plan]) -> list[Plan]:
    """Both consumers' lots in one."""
    at = at_of(house, plans, "roof")
    first, second = plans[at].parts
    return changed(plans, at, parts=(replace(first, wh=first.wh + second.wh),))


def remainder_given(house: House, plans: list[Plan]) -> list[Plan]:
    at = at_of(house, plans, "roof")
    first, *others = plans[at].parts
    mine = replace(first, wh=first.wh + plans[at].remainder_wh)
    return changed(plans, at, parts=(mine, *others), remainder_wh=0 * plans[at].remainder_wh)


def with_revision(plans: list[Plan], number: int) -> list[Plan]:
    return changed(plans, 0, id=replace(plans[0].id, revision=number))


DOES_NOT_FOLLOW = "its lots do not follow from run, readings and divisions"
FORGERIES: dict[str, tuple[Forgery, str]] = {
    "a Wh less": (lambda house, plans: other_parts(house, plans, "roof", 1), DOES_NOT_FOLLOW),
    "a Wh more": (lambda house, plans: other_parts(house, plans, "roof", -1), DOES_NOT_FOLLOW),
    "a Wh later": (
        lambda house, plans: other_parts(house, plans, "roof", 1, 0, -1),
        DOES_NOT_FOLLOW,
    ),
    "less covered": (lambda house, plans: other_parts(house, plans, "saw", 1), DOES_NOT_FOLLOW),
    "all to one": (merged, DOES_NOT_FOLLOW),
    "what is left given away": (remainder_given, DOES_NOT_FOLLOW),
    "another holder": (
        lambda house, plans: other_holder(house, plans, "saw", holder=point_id(house, "press")),
        DOES_NOT_FOLLOW,
    ),
    "another class": (
        lambda house, plans: other_holder(house, plans, "roof", supply_class=4),
        DOES_NOT_FOLLOW,
    ),
    "more metered": (
        lambda house, plans: other_book(house, plans, "roof", 7, fresh_wh=7),
        DOES_NOT_FOLLOW,
    ),
    "less metered": (
        lambda house, plans: other_book(house, plans, "roof", -7, fresh_wh=-7),
        DOES_NOT_FOLLOW,
    ),
    "another base": (
        lambda house, plans: other_book(house, plans, "roof", 0, base_wh=7),
        DOES_NOT_FOLLOW,
    ),
    "readings exchanged": (other_readings, DOES_NOT_FOLLOW),
    "no readings": (no_reading, DOES_NOT_FOLLOW),
    "a later revision": (
        lambda house, plans: with_revision(plans, 1),
        "the next to be divided is .*/0; an origin is divided once",
    ),
    "another point": (
        lambda house, plans: changed(
            plans, 0, id=replace(plans[0].id, point=point_id(house, "mast"))
        ),
        "the run allotted nothing of it",
    ),
    "an unknown point": (
        lambda house, plans: changed(plans, 0, id=replace(plans[0].id, point=b"?" * 16)),
        "the run allotted nothing of it",
    ),
    "another month": (
        lambda house, plans: changed(
            plans, 0, id=replace(plans[0].id, month=plans[0].id.month.next)
        ),
        "the run allotted nothing of it",
    ),
}


def test_the_forger_can_also_tell_the_truth(park: House) -> None:
    run = figures(park)
    park.desk.append(drafted(park, plans_of(park, run), run))
    assert lots(park)["roof", "saw", 0] == {0: 30, 2: 18, 3: 6}
    park.audit(no_progress)


@pytest.mark.parametrize("what", FORGERIES)
def test_forged_divisions(park: House, what: str) -> None:
    forge, why = FORGERIES[what]
    source(park, "mast")
    run = figures(park)
    before = dump(park.settings.dir)
    forged = drafted(park, forge(park, plans_of(park, run)), run)
    with pytest.raises(Refused, match=why):
        park.desk.append(forged)
    assert dump(park.settings.dir) == before


@pytest.mark.parametrize("what", ["a Wh more", "readings exchanged", "another holder"])
def test_what_stands_in_the_database_all_the_same(
    park: House, what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever can write the database needs no writer's consent; the audit asks again."""
    run = figures(park)
    plans = plans_of(park, run)
    with monkeypatch.context() as blind:
        blind.setattr(accepting, "_check_origin", lambda planner, id_, *_: plans[0])
        park.desk.append(drafted(park, FORGERIES[what][0](park, plans), run))
    with pytest.raises(Corrupt, match=DOES_NOT_FOLLOW):
        park.audit(no_progress)
    park.export_entries(tmp_path / "export", no_progress)
    with pytest.raises(Corrupt, match=DOES_NOT_FOLLOW):
        restore(settings_in(tmp_path / "restored"), tmp_path / "export", no_progress)


def refused_twice(house: House, forged: Draft, why: str, scanned: str = "") -> None:
    """By the writer with `why`; if `scanned`, by the public rule too."""
    before = dump(house.settings.dir)
    bodies = {member: body.data for member, body in forged.bodies.items()}
    submission = replace(house.desk.sign(forged), bodies=bodies)
    with pytest.raises(LedgerError, match=why):
        house.desk.writer.append(submission)
    assert dump(house.settings.dir) == before
    if scanned:
        entries = entries_of(house)
        with pytest.raises(Refused, match=f"^entry {len(entries)}: .*{scanned}"):
            scan([*entries, (len(entries), submission.data)])


class TestRuns:
    def test_the_same_run_twice(self, park: House) -> None:
        """There would be enough left for all of it."""
        receipt = run_matching(park.desk, FOUR).receipt
        forged = drafted(park, plans_of(park, receipt), receipt)
        refused_twice(park, forged, "became lots before, by entry")

    def test_the_same_bytes_twice(self, park: House) -> None:
        run = figures(park)
        submission = park.desk.sign(drafted(park, plans_of(park, run), run))
        first = park.desk.writer.append(submission)
        again = park.desk.writer.append(submission)
        assert (again.index, again.repeated) == (first.index, True)

    def test_two_forms_of_the_same_division(self, park: House) -> None:
        run = figures(park)
        one, other = (drafted(park, plans_of(park, run), run) for _ in range(2))
        park.desk.append(one)
        refused_twice(park, other, "became lots before, by entry", "was divided before")

    def test_a_run_that_knows_nothing_of_the_division_before(self, park: House) -> None:
        """Two runs that allot the same, and enough left for both: else a limit would hold twice."""
        agree(park, "all", {"saw": 0}, limit_wh=40)
        stale = figures(park)
        run_matching(park.desk, FOUR)
        forged = drafted(park, plans_of(park, stale), stale)
        refused_twice(park, forged, "since the run, which knows the log up to .*; match again")

    def test_another_run(self, park: House) -> None:
        run = figures(park)
        agree(park, "all", {"saw": 0})
        other = figures(park)
        refused_twice(park, drafted(park, plans_of(park, run), other), "allotted|do not follow")

    def test_no_run(self, park: House) -> None:
        run = figures(park)
        readings = take(park, "saw", [1], start=7).receipts[0]
        refused_twice(park, drafted(park, plans_of(park, run), readings), "no matching run")

    def test_a_run_of_nowhere(self, park: House) -> None:
        run = figures(park)
        forged = drafted(park, plans_of(park, run), run)
        members = {**forged.members, "run": "0" * 64}
        refused_twice(park, replace(forged, members=members), "is no entry of the log")


class TestLots:
    @pytest.fixture
    def second(self, park: House) -> tuple[House, list[Plan], Receipt]:
        """A park where a first run has left something, and a second one is to be divided."""
        run_matching(park.desk, span(0, 1))
        run = figures(park)
        return park, plans_of(park, run), run

    def test_the_truth(self, second: tuple[House, list[Plan], Receipt]) -> None:
        park, plans, run = second
        park.desk.append(drafted(park, plans, run))
        park.audit(no_progress)

    def _forged(
        self, second: tuple[House, list[Plan], Receipt], why: str, scanned: str = "", **members: Any
    ) -> None:
        park, plans, run = second
        forged = drafted(park, plans, run)
        refused_twice(park, replace(forged, members={**forged.members, **members}), why, scanned)

    def test_spends_nothing(self, second: tuple[House, list[Plan], Receipt]) -> None:
        self._forged(second, "exactly the remainders", spends=[])

    def test_spends_a_consumers_lot_too(self, second: tuple[House, list[Plan], Receipt]) -> None:
        park, plans, _ = second
        with reading(park.engine) as conn:
            rows = conn.exec_driver_sql("SELECT lot FROM lots WHERE supply_class = 2")
            other = next(bytes(row[0]) for row in rows)
        spends = sorted(lot.hex() for lot in (other, *(plan.carried for plan in plans)))
        self._forged(second, "exactly the remainders", spends=spends)

    def test_spends_what_was_never_created(self, second: tuple[House, list[Plan], Receipt]) -> None:
        park, plans, run = second
        forged = drafted(park, [replace(plan, carried=b"?" * 16) for plan in plans[:1]], run)
        refused_twice(park, forged, DOES_NOT_FOLLOW, "was never created")

    def test_carries_nothing_over(self, second: tuple[House, list[Plan], Receipt]) -> None:
        """The remainder would stay, and what it is worth be divided once more."""
        park, plans, run = second
        afresh = [
            replace(
                plan,
                carried=NO_LOT,
                carried_wh=0 * plan.carried_wh,
                fresh_wh=plan.carried_wh + plan.fresh_wh,
            )
            for plan in plans
        ]
        refused_twice(park, drafted(park, afresh, run), DOES_NOT_FOLLOW)

    def test_carries_what_another_left(self, second: tuple[House, list[Plan], Receipt]) -> None:
        park, plans, run = second
        one, two, *others = plans
        crossed = [
            replace(one, carried=two.carried),
            replace(two, carried=one.carried),
            *others,
        ]
        refused_twice(park, drafted(park, crossed, run), DOES_NOT_FOLLOW)

    def test_creates_a_lot_that_exists(
        self, second: tuple[House, list[Plan], Receipt], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        park, plans, run = second
        with reading(park.engine) as conn:
            known = [bytes(row[0]) for row in conn.exec_driver_sql("SELECT lot FROM lots")]
        ids = iter([*known, *(bytes([i]) * 16 for i in range(1, 30))])
        with monkeypatch.context() as chosen:
            chosen.setattr(
                Draws, "draw", lambda _self, _label, size: next(ids) if size == 16 else b"s" * 32
            )
            forged = drafted(park, plans, run)
        refused_twice(park, forged, "was created before", "was created before")


def test_only_the_operator_divides(park: House) -> None:
    run = figures(park)
    forged = drafted(park, plans_of(park, run), run)
    refused_twice(park, replace(forged, author="mill"), "operator")


def test_a_body_of_other_lots(park: House) -> None:
    """The statement names lots, and the body goes by them."""
    run = figures(park)
    forged = drafted(park, plans_of(park, run), run)
    creates = [f"{number:032x}" for number in range(1, 1 + len(forged.members["creates"]))]
    other = replace(forged, members={**forged.members, "creates": creates})
    refused_twice(park, other, "the remainder, and no other lot|do not have|root")
    fewer = replace(forged, members={**forged.members, "creates": forged.members["creates"][1:]})
    refused_twice(park, fewer, "not those that its entry creates")


def test_nothing_private_stands_in_the_entry(park: House) -> None:
    said = run_matching(park.desk, FOUR).divisions[0].entry.statement
    assert set(said) - {"type", "id", "log", "author", "at"} == {
        *("run", "origins", "spends", "creates", "body")
    }
