"""Corrections after a claim: who is short, what may still be used, what cures."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.claims import service, shortfall, store
from ledger.db import reading
from ledger.errors import Refused
from ledger.house import House
from ledger.log.merkle import leaf_hash
from ledger.log.store import entry_at
from ledger.matching.service import run_matching
from ledger.parties.desk import Draft
from tests.claims.claimed import forged, hand_in, held_by, made, shorts, used, whole
from tests.divided import FOUR, agree, all_held, correct, source, span, take
from tests.ledgers import dump, no_progress


@pytest.fixture
def claimed(park: House) -> tuple[House, bytes, bytes]:
    """The park, a claim of the mill's, and one of the shop's: both use the roof."""
    mill = service.make(park.desk, ["saw", "press"], FOUR).claim
    shop = service.make(park.desk, ["oven"], FOUR).claim
    return park, mill, shop


Claimed = tuple[House, bytes, bytes]


def flags(house: House) -> dict[bytes, str]:
    """What the log is still to be told."""
    with reading(house.engine) as conn:
        return shortfall.owed_flags(conn, house.log)


def short(house: House) -> dict[bytes, int]:
    with reading(house.engine) as conn:
        return shortfall.short_claims(conn, house.log)


class TestWhoIsConcerned:
    def test_two_claims_that_share_the_quarter_hour(self, claimed: Claimed) -> None:
        park, mill, shop = claimed
        index = correct(park, "roof", 0, 100)  # 60, 30 and 30 are used
        assert shorts(park) == {("roof", 0): (100, 120, 20)}
        assert short(park) == {mill: index, shop: index}
        assert flags(park) == {mill: "short", shop: "short"}

    def test_another_source(self, claimed: Claimed) -> None:
        park, mill, _ = claimed
        index = correct(park, "tower", 1, 5)
        assert short(park) == {mill: index}

    def test_a_claim_of_another_month(self, park: House) -> None:
        february = service.make(park.desk, ["saw"], span(-1, 0)).claim
        march = service.make(park.desk, ["saw"], FOUR).claim
        index = correct(park, "roof", -1, 9)
        assert short(park) == {february: index}
        correct(park, "roof", 0, 59)
        assert short(park).keys() == {february, march}

    def test_consumption(self, claimed: Claimed) -> None:
        park, mill, shop = claimed
        index = correct(park, "oven", 3, 2)  # of 6 it used 3 that were green
        assert shorts(park) == {("oven", 3): (2, 3, 1)}
        assert short(park) == {shop: index}
        correct(park, "oven", 3, 3)
        assert not short(park)
        index = correct(park, "press", 2, 0)
        assert short(park) == {mill: index}

    def test_what_nobody_used(self, claimed: Claimed) -> None:
        park, *_ = claimed
        correct(park, "oven", 3, 4)  # 2 were left over
        correct(park, "press", 1, 0)  # nothing was matched there
        assert shorts(park) == {("oven", 3): (4, 3, 0), ("press", 1): (0, 0, 0)}
        assert not short(park)
        assert not flags(park)

    def test_what_was_not_claimed(self, park: House) -> None:
        mill = service.make(park.desk, ["saw", "press"], FOUR).claim
        correct(park, "roof", 0, 90)  # the oven's 30 are nobody's claim
        assert shorts(park) == {("roof", 0): (90, 90, 0)}
        assert not short(park)
        correct(park, "roof", 0, 89)
        assert short(park).keys() == {mill}

    def test_upward_and_undivided(self, claimed: Claimed) -> None:
        park, *_ = claimed
        take(park, "tower", [7], start=4)
        correct(park, "tower", 4, 3)
        correct(park, "roof", 0, 500)
        assert not short(park)
        assert set(shorts(park)) <= {("tower", 4)}

    def test_withdrawn_claims_use_nothing(self, claimed: Claimed) -> None:
        park, mill, shop = claimed
        service.withdraw(park.desk, mill, "x")
        correct(park, "roof", 0, 30)
        assert not short(park)
        correct(park, "roof", 0, 29)
        assert short(park).keys() == {shop}

    def test_several_quarter_hours_and_the_first_correction(self, claimed: Claimed) -> None:
        park, mill, _ = claimed
        first = correct(park, "saw", 0, 1)
        second = correct(park, "saw", 2, 1)
        assert short(park)[mill] == first
        correct(park, "saw", 0, 60)
        assert short(park)[mill] == second

    def test_a_batch_of_corrections(self, claimed: Claimed) -> None:
        park, mill, shop = claimed
        take(park, "roof", [119, 0, 59], reason="read anew")
        assert shorts(park) == {("roof", 0): (119, 120, 1), ("roof", 2): (59, 60, 1)}
        assert short(park).keys() == {mill, shop}
        park.audit(no_progress)


class TestFlags:
    def test_flagged_and_cured(self, claimed: Claimed) -> None:
        park, mill, shop = claimed
        down = correct(park, "roof", 0, 100)
        receipts = service.flag(park.desk)
        assert _said(receipts) == {mill: "short", shop: "short"}
        assert _because(park, receipts) == {down}
        assert service.flag(park.desk) == []
        assert {one.flag for one in made(park).values()} == {"short"}
        correct(park, "roof", 0, 110)
        assert service.flag(park.desk) == []
        up = correct(park, "roof", 0, 120)
        receipts = service.flag(park.desk)
        assert _said(receipts) == {mill: "cured", shop: "cured"}
        assert _because(park, receipts) == {up}
        park.audit(no_progress)

    def test_cured_by_its_own_correction(self, claimed: Claimed) -> None:
        """Another correction afterwards, of what the claim does not use, has cured nothing."""
        park, mill, _ = claimed
        correct(park, "tower", 1, 5)
        service.flag(park.desk)
        up = correct(park, "tower", 1, 25)
        correct(park, "oven", 0, 1)
        receipts = service.flag(park.desk)
        cured = [one for one in receipts if one.entry.statement["state"] == "cured"]
        assert _said(cured) == {mill: "cured"}
        assert _because(park, cured) == {up}

    def test_cured_when_another_gives_way(self, claimed: Claimed) -> None:
        park, mill, shop = claimed
        down = correct(park, "roof", 0, 95)
        service.flag(park.desk)
        service.withdraw(park.desk, shop, "x")
        receipts = service.flag(park.desk)
        assert _said(receipts) == {mill: "cured"}
        assert _because(park, receipts) == {down}

    @pytest.mark.parametrize(
        ("members", "why"),
        [
            ({"state": "cured"}, "is to be flagged short, not cured"),
            ({"claim": "00" * 16}, "was never made"),
            ({"because": "00" * 32}, "is no correction here"),
            ({"because": "a run"}, "is no correction here"),
            ({"because": "the other"}, "what concerns the claim is entry"),
            ({"state": "ended"}, "state"),
        ],
    )
    def test_forged_flags(self, claimed: Claimed, members: dict[str, Any], why: str) -> None:
        park, mill, _ = claimed
        run = run_matching(park.desk, FOUR, into_lots=False).receipt
        down = correct(park, "tower", 1, 5)
        other = correct(park, "oven", 1, 50)
        known = {
            "a run": leaf_hash(run.entry.data).hex(),
            "the other": _leaf(park, other),
        }
        content = {"claim": mill.hex(), "state": "short", "because": _leaf(park, down), **members}
        content["because"] = known.get(content["because"], content["because"])
        before = dump(park.settings.dir)
        with pytest.raises(Exception, match=why):
            park.desk.append(Draft(type="claim.flag", author="operator", members=content))
        assert dump(park.settings.dir) == before

    def test_only_the_operator_flags(self, claimed: Claimed) -> None:
        park, mill, _ = claimed
        down = correct(park, "tower", 1, 5)
        content = {"claim": mill.hex(), "state": "short", "because": _leaf(park, down)}
        with pytest.raises(Refused, match="operator"):
            park.desk.append(Draft(type="claim.flag", author="mill", members=content))
        park.desk.append(Draft(type="claim.flag", author="operator", members=content))
        with pytest.raises(Refused, match="is to be flagged not at all"):
            park.desk.append(Draft(type="claim.flag", author="operator", members=content))

    def test_claims_that_ended_are_flagged_no_more(self, claimed: Claimed) -> None:
        park, mill, shop = claimed
        correct(park, "roof", 0, 100)
        service.withdraw(park.desk, mill, "x")
        assert flags(park) == {}
        with pytest.raises(Refused, match="in force no more"):
            park.desk.append(
                Draft(
                    type="claim.flag",
                    author="operator",
                    members={"claim": mill.hex(), "state": "short", "because": "0" * 64},
                )
            )
        assert made(park)[shop].flag == ""


def _said(receipts: Any) -> dict[bytes, str]:
    return {
        bytes.fromhex(one.entry.statement["claim"]): one.entry.statement["state"]
        for one in receipts
    }


def _leaf(house: House, index: int) -> str:
    with reading(house.engine) as conn:
        return leaf_hash(entry_at(conn, 1, index).data).hex()


def _because(house: House, receipts: Any) -> set[int]:
    named = {one.entry.statement["because"] for one in receipts}
    with reading(house.engine) as conn:
        size = conn.exec_driver_sql("SELECT COUNT(*) FROM entries").scalar_one()
    return {index for index in range(size) if _leaf(house, index) in named}


class TestNewUse:
    def test_not_before_the_log_is_told(self, claimed: Claimed) -> None:
        park, mill, _ = claimed
        correct(park, "roof", 0, 100)
        before = dump(park.settings.dir)
        with pytest.raises(Refused, match=r"2 claims are short.*greenledger claim flag"):
            service.make(park.desk, ["saw"], span(-1, 0))
        with pytest.raises(Refused, match="greenledger claim flag"):
            service.replace(park.desk, mill, "x")
        assert dump(park.settings.dir) == before
        service.flag(park.desk)
        service.make(park.desk, ["saw"], span(-1, 0))
        service.withdraw(park.desk, mill, "always possible")

    def test_a_claim_takes_what_a_correction_left(self, park: House) -> None:
        shop = service.make(park.desk, ["oven"], FOUR).claim
        correct(park, "roof", 0, 100)
        mill = service.make(park.desk, ["saw", "press"], FOUR)
        # By name of the holder: the press its 30, the saw what is left of 70.
        assert used(park, mill.claim)["roof", "press"][0] == 30
        assert used(park, mill.claim)["roof", "saw"][0] == 40
        assert used(park, mill.claim)["saw", "saw"][0] == 40
        assert mill.manifest.claimed_wh == 164 - 20
        assert shorts(park) == {("roof", 0): (100, 100, 0)}
        assert not short(park)
        assert made(park)[shop].flag == ""
        park.audit(no_progress)

    def test_both_sides_corrected(self, park: House) -> None:
        """What one holder can't cover is left to the next one."""
        correct(park, "roof", 0, 70)
        correct(park, "saw", 0, 55)
        correct(park, "press", 0, 20)
        mill = service.make(park.desk, ["saw", "press"], FOUR)
        wh = used(park, mill.claim)
        assert wh["roof", "press"][0] == wh["press", "press"][0] == 20
        assert wh["roof", "saw"][0] == wh["saw", "saw"][0] == 50
        assert shorts(park)["roof", 0] == (70, 70, 0)
        again = service.replace(park.desk, mill.claim, "the same again")
        assert used(park, again.claim) == wh
        park.audit(no_progress)

    @pytest.mark.parametrize("length_s", [3600, 300])
    def test_readings_of_other_lengths(self, park: House, length_s: int) -> None:
        source(park, "dam", owner="wind", interval_s=length_s)
        count = 3600 // length_s
        take(park, "dam", [24 // count] * count, length_s=length_s)  # 6 Wh a quarter-hour
        terms = {"kind": "green-trade", "seller": "wind", "sources": ["dam"]}
        agree(park, "dammed", {"oven": 0}, **terms)
        run_matching(park.desk, FOUR)
        # After the roof's, the oven still wants 10 in quarter-hour 1 and 3 in quarter-hour 3.
        claim = service.make(park.desk, ["oven"], FOUR).claim
        assert used(park, claim)["dam", "oven"] == {1: 6, 3: 3}
        begin = 0 if length_s == 3600 else 1
        index = correct(park, "dam", begin, 1, length_s=length_s)
        # Of an hour of 1 Wh, or two twelfths and one of 1 Wh: 0 or 5 in quarter-hour 1.
        metered = 0 if length_s == 3600 else 5
        assert shorts(park)["dam", 1] == (metered, 6, 6 - metered)
        assert short(park) == {claim: index}
        park.audit(no_progress)

    def test_nothing_left(self, park: House) -> None:
        for at in range(4):
            correct(park, "oven", at, 0)
        shop = service.make(park.desk, ["oven"], FOUR)
        assert (shop.manifest.claimed_wh, shop.lots) == (0, 2)
        for at, wh in enumerate([30, 10, 10, 6]):
            correct(park, "oven", at, wh)
        again = service.replace(park.desk, shop.claim, "it was the meter's fault")
        assert again.manifest.claimed_wh == 43
        park.audit(no_progress)

    def test_not_more_by_hand(self, park: House) -> None:
        """The lots have more than the meter shows now."""
        service.make(park.desk, ["oven"], FOUR)
        correct(park, "roof", 0, 100)
        cells = whole(held_by(park, "saw", "press"))
        before = dump(park.settings.dir)
        with pytest.raises(Refused, match=r"left 100 Wh, of which others use 30: 90 Wh can't"):
            hand_in(park, forged(park, cells))
        assert dump(park.settings.dir) == before

    def test_a_claim_by_hand_that_is_short_at_once(self, claimed: Claimed) -> None:
        """A replacement that only keeps what the old claim had too much."""
        park, mill, _ = claimed
        correct(park, "roof", 0, 100)
        service.flag(park.desk)
        cells = made(park)[mill].cells
        before = dump(park.settings.dir)
        with pytest.raises(Refused, match=r"120 Wh are claimed, a correction .* left 100 Wh"):
            hand_in(park, forged(park, cells, spends=[], replaces=mill.hex()))
        assert dump(park.settings.dir) == before


class TestCure:
    def test_a_replacement_gives_up_what_is_gone(self, claimed: Claimed) -> None:
        park, mill, shop = claimed
        correct(park, "roof", 0, 100)
        service.flag(park.desk)
        again = service.replace(park.desk, mill, "corrected")
        assert shorts(park) == {("roof", 0): (100, 100, 0)}
        assert again.manifest.claimed_wh == 144
        assert flags(park) == {shop: "cured"}
        service.flag(park.desk)
        assert made(park)[shop].flag == "cured"
        assert made(park)[again.claim].flag == ""
        park.audit(no_progress)

    def test_others_use_more_than_there_is(self, claimed: Claimed) -> None:
        park, mill, shop = claimed
        correct(park, "roof", 0, 20)
        service.flag(park.desk)
        again = service.replace(park.desk, mill, "corrected")
        assert 0 not in used(park, again.claim)["roof", "saw"]
        assert 0 not in used(park, again.claim)["roof", "press"]
        assert shorts(park) == {("roof", 0): (20, 30, 10)}
        assert short(park).keys() == {shop}
        assert flags(park) == {}
        last = service.replace(park.desk, shop, "corrected too")
        assert used(park, last.claim)["roof", "oven"] == {0: 20, 2: 10, 3: 3}
        assert shorts(park) == {("roof", 0): (20, 20, 0)}
        park.audit(no_progress)

    def test_a_withdrawal_cures_the_others(self, claimed: Claimed) -> None:
        park, mill, shop = claimed
        correct(park, "roof", 0, 95)
        service.flag(park.desk)
        service.withdraw(park.desk, shop, "x")
        assert shorts(park) == {("roof", 0): (95, 90, 0)}
        assert flags(park) == {mill: "cured"}

    def test_a_replacement_may_grow_again(self, claimed: Claimed) -> None:
        park, mill, _ = claimed
        correct(park, "roof", 0, 100)
        service.flag(park.desk)
        smaller = service.replace(park.desk, mill, "corrected")
        correct(park, "roof", 0, 125)
        service.flag(park.desk)
        larger = service.replace(park.desk, smaller.claim, "corrected back")
        assert larger.manifest.claimed_wh == 164
        park.audit(no_progress)

    def test_what_went_up_is_matched_and_claimed_anew(self, claimed: Claimed) -> None:
        park, _, shop = claimed
        correct(park, "roof", 1, 15)
        run_matching(park.desk, FOUR)
        # What is left to cover there: 10, 30 and 10 of 15, by name.
        fresh = [one for one in all_held(park) if (one.point, one.revision) == ("roof", 1)]
        assert {one.holder: one.wh for one in fresh} == {
            "oven": {1: 3},
            "press": {1: 9},
            "saw": {1: 3},
        }
        with reading(park.engine) as conn:
            assert store.find_claim(conn, 1, shop).in_force
        more = service.make(park.desk, ["oven"], FOUR)
        assert used(park, more.claim) == {("roof", "oven"): {1: 3}, ("oven", "oven"): {1: 3}}
        whole_ = service.replace(park.desk, shop, "nothing new: the rest is claimed apart")
        assert whole_.manifest.claimed_wh == 43
        park.audit(no_progress)

    def test_a_replacement_takes_in_what_came_since(self, claimed: Claimed) -> None:
        park, _, shop = claimed
        correct(park, "roof", 1, 15)
        run_matching(park.desk, FOUR)
        again = service.replace(park.desk, shop, "with what came since")
        assert again.manifest.claimed_wh == 46
        assert len(again.receipt.entry.statement["spends"]) == 2
        park.audit(no_progress)
