"""Whatever people do with units, in any order: the ledger and a model of single units agree.

Imports, cuts, trades, states, uses, expiry, a reduction project and its reductions; and moves that
are forbidden, which change nothing. At the end the audit passes, the public rule takes the log, and
a restored copy is equal.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger.db import reading
from ledger.errors import LedgerError
from ledger.house import House
from ledger.recovery.restore import restore
from ledger.registry import acting, service, store
from ledger.registry.choosing import Selection
from ledger.registry.leaves import Gone, Piece, Use
from ledger.registry.rule import scan
from ledger.units import Period
from tests import units as by_hand
from tests.divided import built, entries_of
from tests.ledgers import (
    Clock,
    copy_ledger,
    dump,
    no_progress,
    open_house,
    raw_database,
    settings_in,
)
from tests.registry.model import ACTS, CLASSES, GONE, Key, Model, Month, Unit

PARTIES = ("farm", "mill", "shop")
CODES = ("A", "B", "C-")
MONTHS: tuple[Month, ...] = (
    (2024, 3),
    (2024, 4),
    (2024, 6),
    (2025, 12),
    (2026, 1),
    (2026, 2),
    (2026, 3),
)
CREDITING: tuple[Month, ...] = ((2026, 1), (2026, 2))
CLASS = st.sampled_from(["ordinary", "ordinary", *sorted(set(CLASSES) - {"credit"})])
ANY_ACT = st.tuples(
    st.sampled_from(sorted(set(ACTS) - {"split", "merge"})),
    st.sampled_from(["owner", "owner", "operator", "operator", *PARTIES]),
    st.sampled_from(PARTIES),
)
MARKS = ("reserve", "lock", "freeze", "release")


def period_of(month: Month) -> Period:
    return by_hand.month(*month)


def build(house: House) -> None:
    by_hand.found(house)
    service.register_project(house.desk, "gec", "P2", by_hand.wind("sea"))


class UnitsMachine(RuleBasedStateMachine):
    """One ledger, one model."""

    template: ClassVar[Path]
    examples: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="units-machine-"))
        self.clock = Clock()
        self.house = open_house(copy_ledger(self.template, self.folder / "data"), self.clock)
        self.raw = raw_database(self.house)
        self.model = Model()
        self.trades: dict[str, str] = {}
        self.retired: list[bytes] = []
        self.shown: set[bytes] = set()
        UnitsMachine.examples += 1

    # Helpers

    def outcome(self, allowed: bool, act: Callable[[], object]) -> object:
        """What is not allowed is refused by a rule, not by the database alone; nothing changed."""
        if allowed:
            return act()
        before = self._version()
        with pytest.raises(LedgerError) as caught:
            act()
        assert "the database refused" not in str(caught.value)
        assert self._version() == before
        return None

    def _version(self) -> int:
        """Changes with each commit of another connection."""
        found: int = self.raw.execute("PRAGMA data_version").fetchone()[0]
        return found

    def draw_units(self, data: st.DataObject) -> tuple[str, list[Key], Selection]:
        """(whose, units, their selection): a range about some live unit, within its holding or
        across its ends."""
        scheme, code, number = data.draw(st.sampled_from(self.model.live()))
        whole = [key[2] for key in self.model.holding_of((scheme, code, number))]
        first, end = whole[0], whole[-1] + 1
        kind = data.draw(st.sampled_from(["whole", "part", "part", "across"]))
        if kind != "whole":
            first = data.draw(st.integers(first, number))
            end = data.draw(st.integers(number + 1, end + 3 * (kind == "across")))
        keys = [(scheme, code, one) for one in range(first, end)]
        owner = self.model.units[scheme, code, number].owner
        return owner, keys, by_hand.pick(f"{code}:{first}-{end}", scheme=scheme)

    def held(self, owner: str, keys: list[Key], act: str) -> bool:
        """Whether all of them are live, the owner's (anybody's: `""`), in states of the act."""
        units = [self.model.units.get(key) for key in keys]
        return all(
            unit is not None
            and not unit.gone
            and owner in ("", unit.owner)
            and unit.state in ACTS[act][0]
            for unit in units
        )

    def row_of(self, key: Key) -> store.HoldingRow:
        """The holding of a live unit."""
        keys = self.model.holding_of(key)
        text = f"{key[1]}:{keys[0][2]}-{keys[-1][2] + 1}"
        return by_hand.live(self.house, text, key[0])

    # Imports

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        for code in CODES[:2]:
            self.issue(data, code, 3, 8, "P1", MONTHS[4], False, 0)

    @rule(
        data=st.data(),
        code=st.sampled_from(CODES),
        gap=st.sampled_from([0, 0, 2, -1]),
        count=st.integers(1, 8),
        project=st.sampled_from(["P1", "P1", "P2", ""]),
        produced=st.sampled_from(MONTHS),
        frozen=st.booleans(),
        cut=st.integers(0, 4),
    )
    def import_(
        self,
        data: st.DataObject,
        code: str,
        gap: int,
        count: int,
        project: str,
        produced: Month,
        frozen: bool,
        cut: int,
    ) -> None:
        self.issue(data, code, gap, count, project, produced, frozen, cut)

    def issue(
        self,
        data: st.DataObject,
        code: str,
        gap: int,
        count: int,
        project: str,
        produced: Month,
        frozen: bool,
        cut: int,
    ) -> None:
        known = [key[2] for key in self.model.units if key[:2] == ("gec", code)]
        first = max(0, max(known, default=-1) + 1 + gap)
        end = first + count
        edge = first + cut if 0 < cut < count else end
        shares = [
            (data.draw(CLASS), data.draw(st.sampled_from(PARTIES)), begin, stop)
            for begin, stop in ((first, edge), (edge, end))
            if begin < stop
        ]
        # Two shares of one class and owner would be two holdings that adjoin.
        if len({share[:2] for share in shares}) != len(shares):
            shares = [(*shares[0][:2], first, end)]
        allowed = first not in known and self.model.may_issue(project, produced, frozen)
        self.outcome(
            allowed,
            lambda: by_hand.issue(
                self.house,
                code,
                first,
                end,
                shares=shares,
                project=project,
                period=period_of(produced),
                frozen=frozen,
            ),
        )
        if allowed:
            state = "frozen" if frozen else "active"
            found = {
                number: Unit(class_, owner, state, 0, produced, project, 0, 0)
                for class_, owner, begin, stop in shares
                for number in range(begin, stop)
            }
            self.model.issue("gec", code, found)

    # Acts through the services

    @precondition(lambda self: self.model.live())
    @rule(data=st.data(), to=st.sampled_from(PARTIES))
    def transfer(self, data: st.DataObject, to: str) -> None:
        owner, keys, selection = self.draw_units(data)
        allowed = self.held(owner, keys, "transfer")
        allowed = allowed and self.model.may("transfer", owner, keys, to)
        self.outcome(allowed, lambda: acting.transfer(self.house.desk, owner, to, selection))
        if allowed:
            self.model.do("transfer", keys, to)

    @precondition(lambda self: self.model.live())
    @rule(data=st.data(), acts=st.lists(st.sampled_from(MARKS), min_size=1, max_size=4))
    def marks(self, data: st.DataObject, acts: list[str]) -> None:
        for act in acts:
            self.mark(data, act)

    def mark(self, data: st.DataObject, act: str) -> None:
        owner, keys, selection = self.draw_units(data)
        allowed = self.held(owner, keys, act)
        if allowed:
            who = {self.model.by(act, self.model.units[key].state) for key in keys}
            allowed = len(who) == 1
            allowed = allowed and not (act == "release" and any(map(self.model.bound, keys)))
        self.outcome(allowed, lambda: acting.mark(self.house.desk, act, owner, selection, "x"))
        if allowed:
            self.model.do(act, keys)

    @precondition(lambda self: self.model.live())
    @rule(data=st.data())
    def split(self, data: st.DataObject) -> None:
        owner, keys, selection = self.draw_units(data)
        allowed = self.held(owner, keys, "split")
        before = self.model.ranges()
        if allowed:
            self.model.cut(keys)
            allowed = self.model.ranges() != before
        self.outcome(allowed, lambda: acting.split(self.house.desk, owner, selection))

    @precondition(lambda self: self.model.live())
    @rule(data=st.data(), all_=st.booleans())
    def merge(self, data: st.DataObject, all_: bool) -> None:
        owner, keys, selection = self.draw_units(data)
        if all_:
            scheme = keys[0][0]
            keys = [
                key
                for key in self.model.live()
                if key[0] == scheme and self.model.units[key].owner == owner
                if self.model.units[key].state == "active"
            ]
            selection = Selection(scheme=scheme, count=max(len(keys), 1))
        allowed = bool(keys) and self.held(owner, keys, "merge")
        allowed = allowed and self.model.merge(keys) > 0
        self.outcome(allowed, lambda: acting.merge(self.house.desk, owner, selection))

    @precondition(lambda self: self.model.live())
    @rule(
        data=st.data(),
        used=st.sampled_from([(2025, 12), (2026, 1), (2024, 6)]),
        purpose=st.sampled_from(["voluntary", "voluntary", "green-power", "neutrality"]),
        to=st.sampled_from(PARTIES),
    )
    def retire(self, data: st.DataObject, used: Month, purpose: str, to: str) -> None:
        owner, keys, selection = self.draw_units(data)
        use = Use(beneficiary=to, purpose=purpose, period=period_of(used))
        allowed = self.held(owner, keys, "retire")
        allowed = allowed and self.model.may_retire(owner, keys, purpose, used[0])
        done = self.outcome(
            allowed, lambda: acting.retire(self.house.desk, owner, selection, use)[0]
        )
        if allowed:
            assert isinstance(done, bytes)
            self.retired.append(done)
            self.model.do("retire", keys)

    @precondition(lambda self: self.retired)
    @rule(data=st.data())
    def disclose(self, data: st.DataObject) -> None:
        retirement = data.draw(st.sampled_from(self.retired))
        allowed = retirement not in self.shown
        self.outcome(allowed, lambda: acting.disclose(self.house.desk, retirement))
        self.shown.add(retirement)

    @precondition(lambda self: self.model.live())
    @rule(data=st.data(), act=st.sampled_from(["export", "withdraw", "cancel", "cancel"]))
    def finish(self, data: st.DataObject, act: str) -> None:
        owner, keys, selection = self.draw_units(data)
        whose = owner if act == "export" else ""
        allowed = self.held(whose, keys, act)
        if act == "export":
            allowed = allowed and self.model.may(act, owner, keys)
        self.outcome(allowed, lambda: acting.finish(self.house.desk, act, whose, selection, "x"))
        if allowed:
            self.model.do(act, keys)

    @precondition(lambda self: self.model.now < (2026, 9))
    @rule(months=st.integers(1, 3))
    def months_pass(self, months: int) -> None:
        year, number = self.model.now
        self.model.now = (year, number + months)
        self.clock.now_s = by_hand.month_start_s(*self.model.now)

    @rule()
    def expire(self) -> None:
        due = self.model.due()
        receipts = acting.expire_due(self.house.desk)
        assert bool(receipts) == bool(due)
        self.model.do("expire", due)

    # Reductions of the hill

    @precondition(lambda self: self.model.crediting is None)
    @rule()
    def register_reductions(self) -> None:
        period = Period(
            start_s=period_of(CREDITING[0]).start_s, end_s=period_of(CREDITING[-1]).end_s
        )
        service.register_project(
            self.house.desk, "reductions", "R1", by_hand.wind(crediting=period)
        )
        self.model.crediting = CREDITING
        frozen = set(self.model.to_freeze(CREDITING))
        for key in sorted(frozen):
            whole = self.model.holding_of(key)
            assert set(whole) <= frozen
        self.model.do("freeze", sorted(frozen))

    @precondition(lambda self: self.model.crediting is not None)
    @rule(produced=st.sampled_from(CREDITING), count=st.integers(1, 6), cancel=st.booleans())
    def reduce(self, produced: Month, count: int, cancel: bool) -> None:
        if cancel:
            self._cancel_all(produced)
        known = [key[2] for key in self.model.units if key[:2] == ("reductions", "R")]
        first = len(known)
        allowed = self.model.may_reduce(produced)
        self.outcome(
            allowed,
            lambda: by_hand.issue(
                self.house,
                "R",
                first,
                first + count,
                scheme="reductions",
                class_="credit",
                owner="farm",
                project="R1",
                period=period_of(produced),
            ),
        )
        if allowed:
            unit = Unit("credit", "farm", "active", 0, produced, "R1", 0, 0)
            self.model.issue("reductions", "R", dict.fromkeys(range(first, first + count), unit))
            self.model.reduced.add(produced)

    def _cancel_all(self, produced: Month) -> None:
        for code in CODES:
            keys = [
                key
                for key in self.model.live()
                if key[:2] == ("gec", code)
                and (self.model.units[key].project, self.model.units[key].produced)
                == ("P1", produced)
            ]
            for key in keys:
                serial = by_hand.pick(f"{code}:{key[2]}")
                acting.finish(self.house.desk, "cancel", "", serial, "x")
                self.model.do("cancel", [key])

    # Acts as another program would write them

    @precondition(lambda self: self.model.live())
    @rule(data=st.data(), acts=st.lists(ANY_ACT, min_size=3, max_size=6))
    def any_acts(self, data: st.DataObject, acts: list[tuple[str, str, str]]) -> None:
        for act, author, to in acts:
            if self.model.live():
                self.any_act(data, act, author, to)

    def any_act(self, data: st.DataObject, act: str, author: str, to: str) -> None:
        """On a whole holding: by anybody, in any state, to anybody."""
        keys = self.model.holding_of(data.draw(st.sampled_from(self.model.live())))
        unit = self.model.units[keys[0]]
        by = unit.owner if author == "owner" else author
        row = self.row_of(keys[0])
        begun: list[tuple[Piece, str]] = []
        gone: list[Gone] = []
        terms: Mapping[str, Any] | None = None
        allowed = self.model.may(act, by, keys, to)
        if act in GONE:
            gone = [by_hand.gone(row, row.units.first, row.units.end)]
        elif act in ("transfer", "settle"):
            begun = [(by_hand.again(row, moves=unit.moves + (to != unit.owner)), to)]
        else:
            begun = [(by_hand.again(row), unit.owner)]
        if act == "retire":
            use = Use(beneficiary=to, purpose="voluntary", period=period_of((2025, 12)))
            terms = use.to_json(len(keys))
        if act == "settle":
            allowed = (
                allowed and unit.owner == "farm" and (to, unit.produced) not in self.model.settled
            )
            terms = self._terms_of_settling(to, unit.produced, len(keys))
        self.outcome(
            allowed, lambda: by_hand.do(self.house, act, by, [row], begun, gone, terms=terms)
        )
        if allowed:
            self.model.do(act, keys, to)
            if act == "settle":
                self.model.settled.add((to, unit.produced))

    def _terms_of_settling(self, buyer: str, produced: Month, count: int) -> dict[str, Any]:
        if buyer not in self.trades:
            self.trades[buyer] = by_hand.trade(self.house, "farm", buyer)["contract"]
        said = by_hand.settled(self.trades[buyer], count * 1_000_000)
        return said | {"month": f"{produced[0]}-{produced[1]:02}"}

    @precondition(lambda self: self.model.live())
    @rule(
        data=st.data(),
        how=st.sampled_from(
            ["lost", "more", "twice", "class", "moves", "stolen", "revision", "gone-too", "whole"]
        ),
    )
    def unlawful(self, data: st.DataObject, how: str) -> None:
        """A split that loses units, or makes some, or gives them to another one."""
        keys = self.model.holding_of(data.draw(st.sampled_from(self.model.live())))
        unit, row = self.model.units[keys[0]], self.row_of(keys[0])
        first, end = row.units.first, row.units.end
        middle = (first + end) // 2
        other = next(party for party in PARTIES if party != unit.owner)
        left, right = (first, middle), (middle, end)
        begun, to = [left, right], unit.owner
        gone: list[Gone] = []
        change: dict[str, Any] = {}
        if how == "lost":
            begun = [left] if len(keys) > 1 else []
        elif how == "more":
            begun = [left, (middle, end + 1)]
        elif how == "twice":
            begun = [left, right, right]
        elif how == "class":
            change = {"class_": "non-tradable" if unit.class_ != "non-tradable" else "ordinary"}
        elif how == "moves":
            change = {"moves": unit.moves + 1}
        elif how == "stolen":
            to = other
        elif how == "revision":
            change = {"batch": replace(row.batch, revision=7)}
        elif how == "gone-too":
            gone = [by_hand.gone(row, middle, end)]
        begun = [one for one in begun if one[0] < one[1]]
        pieces = [
            (by_hand.piece(row, one[0], one[1], **(change if at == len(begun) - 1 else {})), to)
            for at, one in enumerate(begun)
        ]
        if how == "whole":
            pieces = [(by_hand.again(row), unit.owner)]
        by = unit.owner
        self.outcome(False, lambda: by_hand.do(self.house, "split", by, [row], pieces, gone))

    @rule(data=st.data(), act=st.sampled_from(sorted(ACTS)))
    def a_holding_that_ended(self, data: st.DataObject, act: str) -> None:
        with reading(self.house.engine) as conn:
            ended = [row for row in store.find_holdings(conn, 1) if not row.live]
        if not ended:
            return
        row = data.draw(
            st.sampled_from(sorted(ended, key=lambda row: (row.entry_index, row.number)))
        )
        by = "operator" if ACTS[act][2] == "operator" else row.owner
        begun = [(by_hand.again(row), row.owner)]
        gone: list[Gone] = []
        if act in GONE:
            begun, gone = [], [by_hand.gone(row, row.units.first, row.units.end)]
        self.outcome(False, lambda: by_hand.do(self.house, act, by, [row], begun, gone))

    # What has to hold

    @invariant()
    def ledger_and_model_agree(self) -> None:
        found = by_hand.all_units(self.house)
        expected = {
            key: by_hand.Unit(unit.class_, "", "", 0, unit.gone)
            if unit.gone
            else by_hand.Unit(unit.class_, unit.owner, unit.state, unit.moves)
            for key, unit in self.model.units.items()
        }
        assert Counter(found.values()) == Counter(expected.values())
        assert found == expected
        assert by_hand.cuts(self.house) == self.model.ranges()

    def teardown(self) -> None:
        try:
            scan(entries_of(self.house))
            if self.examples % 5 == 0:
                self._restored_is_equal()
            elif self.examples % 5 == 1:
                self.house.audit(no_progress)
        finally:
            self.raw.close()
            self.house.engine.dispose()
            shutil.rmtree(self.folder)

    def _restored_is_equal(self) -> None:
        self.house.export_entries(self.folder / "export", no_progress)
        restore(settings_in(self.folder / "again"), self.folder / "export", no_progress)
        ours, theirs = dump(self.folder / "data"), dump(self.folder / "again")
        for name in (*by_hand.TABLES, "entries", "settlements", "lot_spends"):
            assert ours[name] == theirs[name], name


@pytest.fixture(scope="module")
def machine_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(begun_template, tmp_path_factory.mktemp("units-machine"), build)


@pytest.mark.long
def test_the_ledger_does_as_the_model(machine_template: Path) -> None:
    UnitsMachine.template = machine_template
    run_state_machine_as_test(
        UnitsMachine,
        settings=settings(
            max_examples=24,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
