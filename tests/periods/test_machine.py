"""The steps of periods against a model of a table, on ledger and verifier at once."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ledger.db import reading
from ledger.errors import LedgerError
from ledger.house import House
from ledger.periods import service, store
from tests.ledgers import copy_ledger, no_progress, open_house
from tests.periods.books import DAY, send

TEMPLATE: list[Path] = []
# From, to: who may, and what becomes of it.
TABLE = {
    ("open", "provisional"): "party",
    ("provisional", "submitted"): "party",
    ("submitted", "approved"): "both",
    ("submitted", "provisional"): "both",
    ("approved", "provisional"): "both",
    ("approved", "closed"): "party",
}
# Months that have ended by the log's clock, and one that has not.
NAMES = st.sampled_from(["2026-02", "2026-01", "2025", "2026-03"])
PARTIES = st.sampled_from(["mill", "shop"])


@pytest.fixture(autouse=True)
def _template(books_template: Path) -> None:
    TEMPLATE[:] = [books_template]


class Periods(RuleBasedStateMachine):
    """The model: {(party, period): state and revision}."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.house: House = open_house(copy_ledger(TEMPLATE[0], Path(self.folder.name) / "data"))
        self.model: dict[tuple[str, str], tuple[str, int]] = {}
        self.sent = 0

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

    @rule(
        party=PARTIES,
        name=NAMES,
        state=st.sampled_from(["provisional", "submitted", "approved", "closed"]),
        author=st.sampled_from(["", "", "", "operator", "farm"]),
        gives_reason=st.booleans(),
    )
    def step(self, party: str, name: str, state: str, author: str, gives_reason: bool) -> None:
        before, revision = self.model.get((party, name), ("open", 0))
        who = TABLE.get((before, state))
        back = state == "provisional" and before != "open"
        allowed = (
            who is not None
            and (author == "" or (author == "operator" and who == "both"))
            and gives_reason == back
            and (name != "2026-03" or state == "provisional")
        )
        reason = "because" if gives_reason else ""
        done = self.tried(
            lambda: service.advance(
                self.house.desk, party, name, state, reason=reason, author=author
            )
        )
        assert done == allowed
        if done:
            self.model[party, name] = (state, revision)

    @rule(party=PARTIES, name=NAMES)
    def to_the_end(self, party: str, name: str) -> None:
        """As far as it goes: so that closed ones are not rare."""
        for state in ("provisional", "submitted", "approved", "closed"):
            before, _ = self.model.get((party, name), ("open", 0))
            if state != "provisional" or before == "open":
                self.step(party, name, state, "", gives_reason=False)

    @rule(party=PARTIES, name=NAMES)
    def restate(self, party: str, name: str) -> None:
        before, revision = self.model.get((party, name), ("open", 0))
        done = self.tried(lambda: service.restate(self.house.desk, party, name, "late data"))
        assert done == (before == "closed")
        if done:
            self.model[party, name] = ("provisional", revision + 1)

    @rule()
    def read(self) -> None:
        """The mill's meter on a day of February."""
        start_s = DAY.start_s + (8 + self.sent) * 900
        done = self.tried(lambda: send(self.house, "saw", [7], start_s=start_s))
        assert done == (self.model.get(("mill", "2026-02"), ("", 0))[0] != "closed")
        self.sent += done

    @invariant()
    def same(self) -> None:
        with reading(self.house.engine) as conn:
            found = {
                (one.party, one.period): (one.state, one.revision)
                for one in store.all_periods(conn, 1)
            }
        assert found == self.model


PeriodsTest = Periods.TestCase
PeriodsTest.settings = settings(max_examples=5, stateful_step_count=12)
