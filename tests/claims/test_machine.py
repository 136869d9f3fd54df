"""Whatever people do, in any order: after each step the ledger and a model in dicts agree.

Imports, corrections up and down, runs over whole and part periods, contracts on the way, claims
with certificates and credits, replacements, withdrawals and flags. At the end the audit passes, and
a restored copy is equal.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

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

from ledger.claims import service, shortfall
from ledger.claims.service import ClaimReport
from ledger.db import reading
from ledger.errors import NotFound, Refused
from ledger.house import House
from ledger.matching.model import Contract, Share, SupplyClass
from ledger.matching.service import run_matching
from ledger.metering.service import Origin, take_in
from ledger.recovery.restore import restore
from ledger.registry import acting
from ledger.registry import service as registry
from ledger.registry.choosing import Selection
from ledger.registry.leaves import Use
from ledger.registry.ranges import SerialRange
from ledger.registry.scheme import shipped
from tests.claims.certified import month
from tests.claims.claimed import made, shorts
from tests.claims.model import (
    CONSUMERS,
    OWNER,
    QUARTERS,
    SOURCES,
    Book,
    Claim,
    Key,
    Model,
    Retired,
    Wh,
    february,
)
from tests.divided import (
    ALWAYS,
    Held,
    agree,
    all_held,
    built,
    consumer,
    correct,
    curve,
    owners,
    source,
    span,
    take,
)
from tests.ledgers import copy_ledger, dump, no_progress, open_house, rows, settings_in

# Name, kind, source, consumers.
CONTRACTS = (
    ("all", "direct-supply", "roof", ("saw", "oven")),
    ("b-traded", "green-trade", "tower", ("saw",)),
    ("c-traded", "green-trade", "tower", ("oven", "saw")),
    ("d-direct", "direct-supply", "tower", ("oven",)),
)
CLASS = {"direct-supply": SupplyClass.DIRECT_SUPPLY, "green-trade": SupplyClass.GREEN_TRADE}
LATE = 3  # the quarter-hour whose readings come later
PERIODS = st.one_of(
    st.sampled_from([range(-4, 4), range(-4, 0), range(4)]),
    st.tuples(st.integers(-4, 3), st.integers(1, 5)).map(
        lambda pair: range(pair[0], min(pair[0] + pair[1], 4))
    ),
)
WHOLE_MONTHS = st.sampled_from([range(-4, 4), range(-4, 0), range(4)])
# Uses end before the quarter-hour that is read late: nothing is estimated there.
USES = st.sampled_from([range(-4, 0), range(3), range(-4, 3), range(-2, 2), range(-1, 1)])
# Small enough for the energies here.
UNIT_WH = 7
CLASSES = ("green-trade", "ordinary", "credit")
ENERGY = st.one_of(st.integers(0, 9), st.just(0), st.integers(10, 200))


def build(house: House) -> None:
    owners(house)
    for name in SOURCES:
        source(house, name, owner=OWNER[name])
    for name in CONSUMERS:
        consumer(house, name, owner=OWNER[name])
    _add_units(house)


def _add_units(house: House) -> None:
    """Plenty of units of each class for both consumers, in a scheme of small ones."""
    gec, ccer = shipped("gec"), shipped("ccer")
    small = replace(gec, scheme="small", unit_size=UNIT_WH)
    for rules, classes in ((small, CLASSES[:2]), (ccer, ("other",))):
        registry.register_scheme(house.desk, rules)
        for number, (class_, point) in enumerate(itertools.product(classes, CONSUMERS)):
            whole = SerialRange(first=10_000 * number, end=10_000 * (number + 1))
            share = registry.Share(class_=class_, owner=OWNER[point], units=whole)
            batch = registry.NewBatch(
                code="S", units=whole, period=month("2026-02"), shares=(share,)
            )
            registry.issue(house.desk, rules.scheme, [batch])


class LedgerMachine(RuleBasedStateMachine):
    """One ledger, one model."""

    template: ClassVar[Path]
    examples: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        self.house = open_house(copy_ledger(self.template, self.folder / "data"))
        self.model = Model()
        LedgerMachine.examples += 1

    @initialize(
        curves=st.lists(
            st.lists(ENERGY, min_size=7, max_size=7).map(lambda wh: wh if any(wh) else [9] * 7),
            min_size=4,
            max_size=4,
        ),
        claiming=st.sampled_from([(), ("saw",), ("saw", "oven"), ("saw", "oven")]),
    )
    def begin(self, curves: list[list[int]], claiming: tuple[str, ...]) -> None:
        found = [
            curve(name, values, start=-4)
            for name, values in zip((*SOURCES, *CONSUMERS), curves, strict=True)
        ]
        take_in(self.house.desk, found, Origin(source="first", author="operator"))
        for name, values in zip((*SOURCES, *CONSUMERS), curves, strict=True):
            for at, wh in enumerate(values, -4):
                self.model.read(name, at, wh)
        self.add_contract()
        self.match(range(-4, 4))
        for point in claiming:
            self.claim(point, range(-4, 4))

    @precondition(lambda self: len(self.model.contracts) < len(CONTRACTS))
    @rule()
    def add_contract(self) -> None:
        name, kind, seller_point, consumers = CONTRACTS[len(self.model.contracts)]
        agree(
            self.house,
            name,
            dict.fromkeys(consumers, 0),
            kind=kind,
            seller=OWNER[seller_point],
            sources=[seller_point],
        )
        self.model.contracts.append(
            Contract(
                contract=name,
                supply_class=CLASS[kind],
                sources=(seller_point,),
                consumers=tuple(Share(point=point) for point in consumers),
                period=ALWAYS,
            )
        )

    @rule(point=st.sampled_from((*SOURCES, *CONSUMERS)), wh=ENERGY)
    def late_reading(self, point: str, wh: int) -> None:
        if (point, LATE) in self.model.metered:
            return
        take(self.house, point, [wh], start=LATE)
        self.model.read(point, LATE, wh)

    @rule(point=st.sampled_from((*SOURCES, *CONSUMERS)), at=st.sampled_from(QUARTERS), wh=ENERGY)
    def corrected(self, point: str, at: int, wh: int) -> None:
        if self.model.metered.get((point, at), wh) == wh:
            return
        correct(self.house, point, at, wh)
        self.model.correct(point, at, wh)

    @precondition(lambda self: self.model.in_force())
    @rule(data=st.data(), halved=st.booleans())
    def corrected_to_less_than_is_used(self, data: st.DataObject, halved: bool) -> None:
        """What random numbers seldom hit: some of a claim stays, or one Wh goes."""
        used = {
            (point, at): self.model.used(point, at)
            for point in (*SOURCES, *CONSUMERS)
            for at in QUARTERS
        }
        known = [key for key, wh in used.items() if wh]
        if known:
            point, at = data.draw(st.sampled_from(known))
            self.corrected(point, at, used[point, at] // 2 if halved else used[point, at] - 1)

    @precondition(lambda self: len(self.model.contracts) < len(CONTRACTS))
    @rule(data=st.data())
    def a_contract_after_a_correction(self, data: st.DataObject) -> None:
        """Of what was left over some is gone when somebody new is to have it."""
        known = {
            (point, at): self.model.books[point, february(at)].carried[at]
            for point in (*SOURCES, *CONSUMERS)
            for at in QUARTERS
            if self.model.books.get((point, february(at)), Book()).carried.get(at)
        }
        if known:
            point, at = data.draw(st.sampled_from(list(known)))
            less = data.draw(st.integers(1, known[point, at] + 1))
            self.corrected(point, at, max(0, self.model.metered.get((point, at), 0) - less))
        self.add_contract()
        self.match(range(-4, 4))

    @rule(period=PERIODS)
    def match(self, period: range) -> None:
        run_matching(self.house.desk, span(period.start, period.stop))
        self.model.match(period)

    @rule(
        point=st.sampled_from(CONSUMERS),
        class_=st.sampled_from(CLASSES),
        units=st.integers(1, 12),
        period=USES,
    )
    def retire(self, point: str, class_: str, units: int, period: range) -> None:
        credit = class_ == "credit"
        use = Use(
            beneficiary=OWNER[point],
            purpose="neutrality" if credit else "green-power",
            period=span(period.start, period.stop),
        )
        selection = Selection(
            scheme="ccer" if credit else "small",
            count=units,
            class_="other" if credit else class_,
        )
        retirement, _ = acting.retire(self.house.desk, OWNER[point], selection, use)
        most = 0 if credit else units * UNIT_WH
        self.model.retired[retirement] = Retired(OWNER[point], period, class_, most)

    @rule(point=st.sampled_from(CONSUMERS), period=WHOLE_MONTHS, settling=st.booleans())
    def claim(self, point: str, period: range, settling: bool = False) -> None:
        lots = self.model.unspent(point, period)
        retires = self.model.free(OWNER[point], period) if settling else []

        def act() -> ClaimReport:
            where = span(period.start, period.stop)
            return service.make(self.house.desk, [point], where, retirements=retires)

        if not lots and not retires:
            with pytest.raises((NotFound, Refused), match=r"no lot of|claimed before"):
                act()
        elif self.model.owed():
            self._refused(act)
        else:
            self._make(act, lots, retires, Claim(OWNER[point], point, period, {}))

    def _make(
        self,
        act: Callable[[], ClaimReport],
        lots: set[Key],
        retires: Sequence[bytes],
        draft: Claim,
        replaced: bytes = b"",
    ) -> None:
        """Make a claim, or see it refused because certificates of others lie where its lots do."""
        before = dump(self.house.settings.dir)
        try:
            report = act()
        except Refused as error:
            why = str(error)
            assert "certificates can't cover" in why
            assert self.model.uses(draft.point, replaced), "nobody else has certificates there"
            assert dump(self.house.settings.dir) == before
            return
        draft.cells = self._cells(report.claim)
        self.model.check_cells(draft.cells, lots, replaced)
        draft.settled = dict.fromkeys(retires, 0)
        draft.settled |= {one.retirement: one.wh for one in report.manifest.certificates}
        assert draft.settled.keys() == set(retires)
        self.model.check_settled(draft, retires, replaced)
        self.model.add(report.claim, draft, replaced)

    @precondition(lambda self: any(one.settled for one in self.model.claims.values()))
    @rule(data=st.data())
    def a_retirement_once_more(self, data: st.DataObject) -> None:
        """Whatever became of the claim that had it."""
        known = [
            (one, retirement) for one in self.model.claims.values() for retirement in one.settled
        ]
        one, retirement = data.draw(st.sampled_from(known))
        if self.model.owed():
            return
        before = dump(self.house.settings.dir)
        with pytest.raises(Refused, match="already: a certificate is for one consumer and time"):
            service.make(
                self.house.desk,
                [one.point],
                span(one.period.start, one.period.stop),
                retirements=[retirement],
            )
        assert dump(self.house.settings.dir) == before

    @precondition(lambda self: self.model.in_force())
    @rule(data=st.data(), settling=st.booleans())
    def replace(self, data: st.DataObject, settling: bool) -> None:
        old = data.draw(st.sampled_from(sorted(self.model.in_force(), key=self._made_at)))
        before = self.model.claims[old]
        more = self.model.free(before.author, before.period) if settling else []

        def act() -> ClaimReport:
            return service.replace(self.house.desk, old, "anew", retirements=more)

        if self.model.owed():
            self._refused(act)
            return
        points = {point for point in CONSUMERS if OWNER[point] == before.author}
        fresh = {lot for point in points for lot in self.model.unspent(point, before.period)}
        order = [one for one in self.model.retired if one in {*before.settled, *more}]
        draft = Claim(before.author, before.point, before.period, {})
        self._make(act, fresh | before.cells.keys(), order, draft, old)

    @precondition(lambda self: self.model.in_force())
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        claim = data.draw(st.sampled_from(sorted(self.model.in_force(), key=self._made_at)))
        service.withdraw(self.house.desk, claim, "taken back")
        self.model.claims[claim].ended = "withdrawn"

    @precondition(lambda self: self.model.owed())
    @rule()
    def flag(self) -> None:
        owed = self.model.owed()
        receipts = service.flag(self.house.desk)
        said = {
            bytes.fromhex(one.entry.statement["claim"]): one.entry.statement["state"]
            for one in receipts
        }
        assert said == owed
        for claim, state in owed.items():
            self.model.claims[claim].flag = state

    def _refused(self, act: Callable[[], object]) -> None:
        before = dump(self.house.settings.dir)
        with pytest.raises(Refused, match="greenledger claim flag"):
            act()
        assert dump(self.house.settings.dir) == before

    def _made_at(self, claim: bytes) -> int:
        return list(self.model.claims).index(claim)

    def _cells(self, claim: bytes) -> dict[Key, Wh]:
        keys = {one.id: _key(one) for one in all_held(self.house)}
        return {keys[lot]: wh for lot, wh in made(self.house)[claim].cells.items()}

    @invariant()
    def ledger_and_model_agree(self) -> None:
        model = self.model
        model.check()
        found = all_held(self.house)
        keys = {one.id: _key(one) for one in found}
        assert len(found) == len(model.lots)
        assert {keys[one.id]: one.wh for one in found} == model.lots
        spent = {keys[one.id] for one in found if one.spent}
        assert spent == model.gone | model.claimed.keys()
        self._claims_agree(keys)
        assert shorts(self.house) == {
            key: (model.metered[key], model.used(*key), model.short(*key)) for key in model.limited
        }
        with reading(self.house.engine) as conn:
            assert shortfall.owed_flags(conn, self.house.log) == model.owed()

    def _claims_agree(self, keys: dict[bytes, Key]) -> None:
        found = {
            claim: (
                {keys[lot]: wh for lot, wh in one.cells.items()},
                one.author,
                one.ended,
                one.flag,
                one.wh,
            )
            for claim, one in made(self.house).items()
        }
        assert found == {
            claim: (
                one.cells,
                one.author,
                one.ended,
                one.flag,
                sum(sum(wh.values()) for lot, wh in one.cells.items() if lot[0] in SOURCES),
            )
            for claim, one in self.model.claims.items()
        }
        settled: dict[bytes, dict[bytes, int]] = {claim: {} for claim in found}
        sql = "SELECT claim, retirement, wh FROM claim_retirements"
        for claim, retirement, wh in rows(self.house, sql):
            settled[claim][retirement] = wh
        assert settled == {claim: one.settled for claim, one in self.model.claims.items()}

    def teardown(self) -> None:
        try:
            if self.examples % 3 == 0:
                self._restored_is_equal()
            elif self.examples % 3 == 1:
                self.house.audit(no_progress)
        finally:
            self.house.engine.dispose()
            shutil.rmtree(self.folder)

    def _restored_is_equal(self) -> None:
        self.house.export_entries(self.folder / "export", no_progress)
        restore(settings_in(self.folder / "again"), self.folder / "export", no_progress)
        ours, theirs = dump(self.folder / "data"), dump(self.folder / "again")
        same = {
            name
            for name in ours
            if name.startswith(
                ("lot", "claim", "short", "origins", "runs", "entries", "unit", "hold", "reti")
            )
        }
        assert {name: ours[name] for name in same} == {name: theirs[name] for name in same}


def _key(one: Held) -> Key:
    return one.point, one.holder, one.supply_class, one.revision, february(min(one.wh))


@pytest.fixture(scope="module")
def machine_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(begun_template, tmp_path_factory.mktemp("machine"), build)


@pytest.mark.long
def test_the_ledger_does_as_the_model(machine_template: Path) -> None:
    LedgerMachine.template = machine_template
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=14,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
