"""The life of drafts against a model of a few lines: who may do what when, and what it leaves."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger.approvals import service, store
from ledger.db import reading
from ledger.errors import LedgerError
from tests.approvals.offices import ANN, BOB, CLEO, SHOP_ANN, officer_key
from tests.approvals.test_drafts import prepared, size
from tests.ledgers import Clock, copy_ledger, no_progress, open_house

TEMPLATE: list[Path] = []
PEOPLE = {"ann": ANN, "bob": BOB, "cleo": CLEO, "shop": SHOP_ANN}
WHO = st.sampled_from(sorted(PEOPLE))
LIVES_S = 100


@pytest.fixture(autouse=True)
def _template(office_template: Path) -> None:
    TEMPLATE[:] = [office_template]


class Drafts(RuleBasedStateMachine):
    """The model: of each draft who prepared it, its state and when it ends; which rule is on."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.house = open_house(
            copy_ledger(TEMPLATE[0], Path(self.folder.name) / "data"), self.clock
        )
        self.model: list[dict[str, Any]] = []
        self.ids: list[bytes] = []
        self.on = True
        self.entries = size(self.house)

    @initialize()
    def begin(self) -> None:
        self.prepare("ann")

    def teardown(self) -> None:
        self.house.audit(no_progress)
        self.house.engine.dispose()
        self.folder.cleanup()

    def tried(self, act: Any) -> bool:
        try:
            act()
        except LedgerError:
            return False
        return True

    @rule(seconds=st.sampled_from([1, 40, LIVES_S]))
    def wait(self, seconds: int) -> None:
        self.clock.now_s += seconds

    @rule(who=WHO)
    def prepare(self, who: str) -> None:
        made: list[Any] = []
        done = self.tried(lambda: made.append(prepared(self.house, PEOPLE[who], expires_s=LIVES_S)))
        assert done == (self.on and who != "shop")
        if done:
            self.ids.append(made[0].draft)
            ends = self.clock.now_s + LIVES_S
            self.model.append({"by": who, "state": "prepared", "ends": ends})

    def _expire(self) -> None:
        for one in self.model:
            if one["state"] == "prepared" and one["ends"] <= self.clock.now_s:
                one["state"] = "expired"

    @rule(data=st.data(), who=WHO)
    def approve(self, data: st.DataObject, who: str) -> None:
        place = data.draw(st.integers(0, len(self.ids) - 1))
        one, key = self.model[place], officer_key("mill", PEOPLE[who])
        done = self.tried(
            lambda: service.approve(self.house.desk, self.ids[place], PEOPLE[who], key=key)
        )
        may = who != "shop" and one["state"] == "prepared"
        if may and one["ends"] <= self.clock.now_s:
            self._expire()
            may = False
        may = may and who != one["by"]
        assert done == (may and self.on)
        if may:
            one["state"] = "approved" if self.on else "stale"
            self.entries += 2 if self.on else 0
            self.on = False

    @rule(data=st.data(), who=WHO)
    def reject(self, data: st.DataObject, who: str) -> None:
        place = data.draw(st.integers(0, len(self.ids) - 1))
        one = self.model[place]
        done = self.tried(
            lambda: service.reject(self.house.desk, self.ids[place], PEOPLE[who], "no")
        )
        assert done == (who != "shop" and one["state"] == "prepared")
        if done:
            one["state"] = "rejected"

    @rule()
    def expire(self) -> None:
        service.expire_due(self.house.desk)
        self._expire()

    @invariant()
    def same(self) -> None:
        with reading(self.house.engine) as conn:
            found = {one.draft: one.state for one in store.find_drafts(conn, 1)}
        assert found == dict(zip(self.ids, (one["state"] for one in self.model), strict=True))
        assert size(self.house) == self.entries


DraftsTest = Drafts.TestCase
DraftsTest.settings = settings(max_examples=6, stateful_step_count=12)
