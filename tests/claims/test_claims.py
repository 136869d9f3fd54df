"""Making, replacing and withdrawing claims: who may, what they take, and what is left untouched."""

from __future__ import annotations

import pytest

from ledger.claims import service
from ledger.errors import LedgerError, NotFound, Refused
from ledger.house import House
from ledger.metering.points import Point
from ledger.metering.service import register_point
from ledger.parties.desk import Draft
from ledger.units import Period
from tests.claims.claimed import forged, hand_in, held_by, made, used, whole
from tests.divided import EDGE_S, FOUR, all_held, span
from tests.ledgers import dump, held_key, introduce, no_progress

MILL = held_key("mill")


class TestMake:
    def test_it_takes_all_that_the_points_hold(self, park: House) -> None:
        report = service.make(park.desk, ["saw", "press"], FOUR)
        found = report.manifest
        assert (found.claimed_wh, found.by_class_wh) == (164, {2: 143, 4: 21})
        assert (found.consumption_wh, found.estimated_wh, found.residual_wh) == (206, 0, 42)
        assert used(park, report.claim) == {
            ("roof", "saw"): {0: 60, 2: 30, 3: 2},
            ("roof", "press"): {0: 30, 2: 20, 3: 1},
            ("tower", "saw"): {1: 20, 3: 1},
            ("saw", "saw"): {0: 60, 1: 20, 2: 30, 3: 3},
            ("press", "press"): {0: 30, 2: 20, 3: 1},
        }
        assert report.lots == 6
        spent = sorted(one.holder for one in all_held(park) if one.spent)
        assert spent == ["press"] * 2 + ["saw"] * 4
        park.audit(no_progress)

    def test_two_companies_one_source(self, park: House) -> None:
        one = service.make(park.desk, ["saw", "press"], FOUR)
        other = service.make(park.desk, ["oven"], FOUR)
        assert used(park, other.claim)["roof", "oven"] == {0: 30, 2: 10, 3: 3}
        assert not set(made(park)[one.claim].cells) & set(made(park)[other.claim].cells)
        assert not held_by(park, "saw", "press", "oven")

    def test_point_by_point(self, park: House) -> None:
        service.make(park.desk, ["press"], FOUR)
        service.make(park.desk, ["saw"], FOUR)
        assert sum(one.wh for one in made(park).values()) == 164

    def test_a_period_of_two_months(self, park: House) -> None:
        report = service.make(park.desk, ["saw"], span(-1, 4))
        assert used(park, report.claim)["roof", "saw"] == {-1: 10, 0: 60, 2: 30, 3: 2}
        park.audit(no_progress)

    def test_nothing_twice(self, park: House) -> None:
        first = service.make(park.desk, ["saw", "press"], FOUR)
        for points in (["saw"], ["press"], ["saw", "press"]):
            with pytest.raises(Refused, match=f"was claimed before, by claim {first.claim.hex()}"):
                service.make(park.desk, points, FOUR)

    def test_nothing_there(self, park: House) -> None:
        register_point(park.desk, Point(name="idle", kind="consumption", owner="mill"))
        with pytest.raises(NotFound, match="no lot of idle in this period"):
            service.make(park.desk, ["idle"], FOUR)
        with pytest.raises(NotFound, match="no lot of saw in this period"):
            service.make(park.desk, ["saw"], span(3000, 3004))
        with pytest.raises(NotFound, match="no point 'sawmill'"):
            service.make(park.desk, ["sawmill"], FOUR)

    @pytest.mark.parametrize(
        ("points", "period", "error", "why"),
        [
            (["saw", "oven"], FOUR, Refused, "'oven' belongs to 'shop'"),
            (["oven", "saw"], FOUR, Refused, "'saw' belongs to 'mill'"),
            (["saw"], span(0, 3), Refused, "energy outside of the claim's period"),
            (["saw"], span(1, 4), Refused, "energy outside of the claim's period"),
            (
                ["saw"],
                Period(start_s=EDGE_S, end_s=EDGE_S + 3700),
                LedgerError,
                "quarter-hour|energy outside",
            ),
            (
                ["saw"],
                Period(start_s=EDGE_S - 1350, end_s=EDGE_S + 4050),
                LedgerError,
                "quarter-hour|interval",
            ),
        ],
    )
    def test_what_is_refused(
        self, park: House, points: list[str], period: Period, error: type[LedgerError], why: str
    ) -> None:
        before = dump(park.settings.dir)
        with pytest.raises(error, match=why):
            service.make(park.desk, points, period)
        assert dump(park.settings.dir) == before

    def test_the_owners_own_key(self, park: House) -> None:
        introduce(park, "mill", MILL)
        report = service.make(park.desk, ["saw"], FOUR, key=MILL)
        assert report.receipt.entry.signatures[0].name.endswith("/mill")
        with pytest.raises(Refused, match="key"):
            service.make(park.desk, ["press"], FOUR, key=held_key("mill", "unknown"))
        with pytest.raises(Refused, match="key"):
            service.make(park.desk, ["oven"], FOUR, key=MILL)

    def test_whoever_owns_the_point_now_claims(self, park: House) -> None:
        register_point(park.desk, Point(name="saw", kind="consumption", owner="shop"))
        report = service.make(park.desk, ["saw", "oven"], FOUR)
        assert made(park)[report.claim].author == "shop"
        park.audit(no_progress)


class TestReplaceAndWithdraw:
    def test_a_replacement_takes_the_lots_over(self, park: House) -> None:
        first = service.make(park.desk, ["saw"], FOUR)
        second = service.replace(park.desk, first.claim, "the same again")
        assert second.receipt.entry.statement["spends"] == []
        found = made(park)
        assert (found[first.claim].ended, found[second.claim].ended) == ("replaced", "")
        assert found[second.claim].cells == found[first.claim].cells
        third = service.replace(park.desk, second.claim, "and again")
        for old in (first, second):
            with pytest.raises(Refused, match="in force no more: replaced"):
                service.replace(park.desk, old.claim, "late")
            with pytest.raises(Refused, match="in force no more: replaced"):
                service.withdraw(park.desk, old.claim, "late")
        assert made(park)[third.claim].wh == 113
        park.audit(no_progress)

    def test_a_withdrawn_claim_keeps_its_lots(self, park: House) -> None:
        first = service.make(park.desk, ["saw"], FOUR)
        service.withdraw(park.desk, first.claim, "an error")
        assert made(park)[first.claim].ended == "withdrawn"
        with pytest.raises(Refused, match="was claimed before"):
            service.make(park.desk, ["saw"], FOUR)
        for again in (
            lambda: service.withdraw(park.desk, first.claim, "once more"),
            lambda: service.replace(park.desk, first.claim, "once more"),
        ):
            with pytest.raises(Refused, match="in force no more: withdrawn by entry"):
                again()
        cells = whole([one for one in all_held(park) if one.id in made(park)[first.claim].cells])
        with pytest.raises(Refused, match="was spent before"):
            hand_in(park, forged(park, cells, points=["saw"], consumption_wh=123))
        park.audit(no_progress)

    def test_who_may_withdraw(self, park: House) -> None:
        first = service.make(park.desk, ["saw"], FOUR)
        with pytest.raises(Refused, match="withdrawn by its author 'mill' or the operator"):
            _withdraw_as(park, "shop", first.claim)
        _withdraw_as(park, "operator", first.claim)

    def test_an_unknown_claim(self, park: House) -> None:
        with pytest.raises(NotFound, match="there is no claim 00"):
            service.replace(park.desk, bytes(16), "x")
        with pytest.raises(NotFound, match="there is no claim 00"):
            service.withdraw(park.desk, bytes(16), "x")
        with pytest.raises(Refused, match="was never made"):
            _withdraw_as(park, "mill", bytes(16))


def _withdraw_as(house: House, author: str, claim: bytes) -> None:
    members = {"claim": claim.hex(), "reason": "x"}
    house.desk.append(Draft(type="claim.withdraw", author=author, members=members))
