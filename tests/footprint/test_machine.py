"""Σ products ≤ use, whatever happens in which order, against dicts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from ledger.claims import service as claims
from ledger.errors import Refused
from ledger.house import House
from ledger.log.audit import no_progress
from tests.footprint.parks import HELD, PRODUCTS
from tests.footprint.test_uses import claim_in_force, left, part, published
from tests.ledgers import close, copy_ledger, open_house

WH = st.sampled_from((0, 1, 400, 1_249, 1_250, 1_600, 4_000))


def machine(make: Callable[[], House]) -> type[RuleBasedStateMachine]:
    class Footprints(RuleBasedStateMachine):
        """`taken`: {product: {technology: Wh}} of the version in force. A new claim over the same
        lots changes nothing of that."""

        def __init__(self) -> None:
            super().__init__()
            self.house = make()
            self.reports: dict[str, str] = {}
            self.taken: dict[str, dict[str, int]] = {}

        @rule(product=st.sampled_from(PRODUCTS), pv=WH, wind=WH)
        def publish(self, product: str, pv: int, wind: int) -> None:
            wanted = {name: wh for name, wh in (("pv", pv), ("wind", wind)) if wh}
            others = [one for of, one in self.taken.items() if of != product]
            fits = sum(wanted.values()) <= 4_000 and all(
                wh + sum(one.get(name, 0) for one in others) <= HELD["direct", name]
                for name, wh in wanted.items()
            )
            parts = [part(self.house, wh, name) for name, wh in wanted.items()]
            try:
                report = self.reports.get(product, "")
                self.reports[product] = published(self.house, product, *parts, report=report)
            except Refused:
                assert not fits
            else:
                assert fits
                self.taken[product] = wanted

        @rule()
        def claim_anew(self) -> None:
            claim = claim_in_force(self.house)
            claims.replace(self.house.desk, bytes.fromhex(claim), "counted again")

        @invariant()
        def what_is_left(self) -> None:
            wanted = {
                kind: wh - sum(one.get(kind[1], 0) for one in self.taken.values())
                for kind, wh in HELD.items()
            }
            assert left(self.house) == {kind: wh for kind, wh in wanted.items() if wh}

        def teardown(self) -> None:
            self.house.audit(no_progress)
            close(self.house)

    return Footprints


def test_machine(mill_template: Path, tmp_path: Path) -> None:
    number = iter(range(1_000))

    def make() -> House:
        return open_house(copy_ledger(mill_template, tmp_path / str(next(number))))

    run_state_machine_as_test(
        machine(make), settings=settings(max_examples=3, stateful_step_count=6)
    )
