"""Contracts and runs in the log: what is accepted, what is refused, and what stays as it was."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ledger.db import reading
from ledger.errors import InvalidInput, NotFound, Refused
from ledger.house import House
from ledger.log.store import load_head
from ledger.matching.allocations import Allocations, LaneRow
from ledger.matching.evaluate import POLICY, evaluate
from ledger.matching.missing import Rule
from ledger.matching.model import MAXIMAL
from ledger.matching.runs import list_runs, load_manifest, load_run
from ledger.matching.service import (
    RUN,
    Agreement,
    RunReport,
    data_period,
    register_contract,
    run_matching,
)
from ledger.metering.points import Meter, Point
from ledger.metering.quality import Quality
from ledger.metering.service import Origin, find_point, register_point, take_in
from ledger.parties.desk import Draft, fresh_id, seal_json
from ledger.proving import open_allocations
from ledger.units import Period
from tests.ledgers import DAY_S, QUARTER_S, no_progress, series

FOUR = Period(start_s=DAY_S, end_s=DAY_S + 4 * QUARTER_S)
ROOF = [100, 0, 50, 7]
SAW = [60, 30, 60, 3]
PRESS = [60, 30, 20, 3]


def take(house: House, name: str, values: list[int], start: int = 0, reason: str = "") -> None:
    found = series(name, values, start_s=DAY_S + start * QUARTER_S)
    take_in(house.desk, [found], Origin(source=name, author="operator", reason=reason))


def agree(house: House, **changes: Any) -> None:
    terms: dict[str, Any] = {
        "name": "roof-to-all",
        "kind": "direct-supply",
        "seller": "farm",
        "sources": ["roof"],
        "consumers": {"saw": 0, "press": 0},
        "period": FOUR,
        "region": "4401",
    }
    register_contract(house.desk, Agreement(**{**terms, **changes}))


@pytest.fixture
def park(begun: House) -> House:
    desk = begun.desk
    desk.register_party("farm", "farm", ["generator"])
    desk.register_party("mill", "mill", ["enterprise"])
    register_point(desk, Point(name="roof", kind="generation", owner="farm", region="440106"))
    for name in ("saw", "press"):
        register_point(desk, Point(name=name, kind="consumption", owner="mill"))
    for name, values in (("roof", ROOF), ("saw", SAW), ("press", PRESS)):
        take(begun, name, values)
    return begun


def matched(report: RunReport) -> dict[str, int]:
    return {one.granularity: one.matched_wh for one in report.evaluation.matched}


def test_a_run_says_what_a_person_computes(park: House) -> None:
    agree(park)
    report = run_matching(park.desk, FOUR)
    # 100 of 120, 0 of 60, 50 of 80, 6 of 6; by the hour 157 of 266.
    assert matched(report)["quarter_hour"] == 156
    assert matched(report)["hour"] == matched(report)["year"] == 157
    totals = report.evaluation.result.totals()
    assert (totals.generation_wh, totals.consumption_wh) == (157, 266)
    assert (totals.surplus_wh, totals.residual_wh) == (1, 110)


def test_a_maximal_run_is_kept_as_such(park: House) -> None:
    """The mast serves the saw only; the roof both: so the saw leaves the roof to the press."""
    register_point(park.desk, Point(name="mast", kind="generation", owner="farm", region="4401"))
    take(park, "mast", [60, 0, 60, 0])
    agree(park)
    agree(park, name="trade", kind="green-trade", sources=["mast"], consumers={"saw": 0}, region="")
    shares = run_matching(park.desk, FOUR, into_lots=False)
    more = run_matching(park.desk, FOUR, policy=MAXIMAL)
    # Of 120, 60, 80, 6: 50 of the roof for the saw, so 110 + 0 + 50 + 22 + 6; then all 120 and 80.
    assert matched(shares)["quarter_hour"] == 110 + 0 + 72 + 6
    assert matched(more)["quarter_hour"] == 120 + 0 + 80 + 6
    with reading(park.engine) as conn:
        assert [row.policy for row in list_runs(conn, 1)] == [POLICY, MAXIMAL]
        run = load_run(conn, park.log, more.receipt.index)
    assert sum(int(lane.wh.sum()) for lane in run.allocations.lanes) == 206
    park.audit(no_progress)


def test_a_run_is_of_the_policy_that_it_names(park: House) -> None:
    with pytest.raises(InvalidInput, match="policy"):
        run_matching(park.desk, FOUR, policy="best/1")


def test_without_a_contract_nothing_is_matched(park: House) -> None:
    report = run_matching(park.desk, FOUR)
    assert matched(report)["quarter_hour"] == 0
    assert report.evaluation.result.totals().surplus_wh == 157
    assert park.audit(no_progress).entries > 0


def test_a_run_is_found_again_and_audited(park: House) -> None:
    agree(park)
    report = run_matching(park.desk, FOUR)
    with reading(park.engine) as conn:
        assert [row.entry_index for row in list_runs(conn, 1)] == [report.receipt.index]
        run = load_run(conn, park.log, report.receipt.index)
        manifest = load_manifest(conn, park.log, report.receipt.index)
    assert sum(int(lane.wh.sum()) for lane in run.allocations.lanes) == 156
    assert manifest["totals"]["matched_wh"]["quarter_hour"] == 156
    assert len(manifest["inputs"]) == 7  # 3 points, 3 batches, 1 contract
    assert park.audit(no_progress).entries == report.receipt.index + 2  # and one division


def test_a_later_correction_leaves_the_run_as_it_was(park: House) -> None:
    agree(park)
    before = run_matching(park.desk, FOUR)
    take(park, "roof", [0, 0, 0, 0], reason="the inverter reported another plant")
    after = run_matching(park.desk, FOUR)
    assert (matched(before)["quarter_hour"], matched(after)["quarter_hour"]) == (156, 0)
    with reading(park.engine) as conn:
        again = evaluate(conn, park.log, FOUR, before.evaluation.as_of)
    assert again.manifest() == before.evaluation.manifest()
    park.audit(no_progress)


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_imports_does_not_matter(begun: House, seed: int) -> None:
    """Invariant 18, through batches cut anywhere, in any order. The numbers are a person's."""
    shuffle = random.Random(seed)
    desk = begun.desk
    desk.register_party("farm", "farm", ["generator"])
    desk.register_party("mill", "mill", ["enterprise"])
    points = [
        Point(name="roof", kind="generation", owner="farm", region="4401"),
        Point(name="saw", kind="consumption", owner="mill"),
        Point(name="press", kind="consumption", owner="mill"),
    ]
    for point in shuffle.sample(points, 3):
        register_point(desk, point)
    parts = []
    for name, values in (("roof", ROOF), ("saw", SAW), ("press", PRESS)):
        cut = shuffle.randrange(1, 4)
        parts += [(name, values[:cut], 0), (name, values[cut:], cut)]
    for name, values, start in shuffle.sample(parts, len(parts)):
        take(begun, name, values, start=start)
    agree(begun)
    report = run_matching(desk, FOUR)
    found = {lane.consumer: lane.wh.tolist() for lane in report.evaluation.result.lanes}
    # 50 Wh over 20 and 60: 12.5 and 37.5, rounded cumulatively in the order of the names.
    assert found == {"press": [50, 0, 12, 3], "saw": [50, 0, 38, 3]}


def test_of_two_contracts_of_a_class_the_first_by_name_comes_first(park: House) -> None:
    agree(park, name="a-press", consumers={"press": 0})
    agree(park, name="b-saw", consumers={"saw": 0})
    lanes = run_matching(park.desk, FOUR).evaluation.result.lanes
    assert {lane.contract: lane.wh.tolist() for lane in lanes} == {
        "a-press": [60, 0, 20, 3],
        "b-saw": [40, 0, 30, 3],
    }


class TestContracts:
    def test_direct_supply_comes_from_the_region(self, park: House) -> None:
        with pytest.raises(Refused, match="'roof' lies in region '440106', outside of '1501'"):
            agree(park, region="1501")

    def test_self_use_stays_with_the_owner(self, park: House) -> None:
        with pytest.raises(Refused, match="belongs to 'mill'; self-use stays with the owner"):
            agree(park, kind="self-use")

    def test_the_seller_owns_the_source(self, park: House) -> None:
        with pytest.raises(Refused, match="'roof' belongs to 'farm', not to the seller 'mill'"):
            agree(park, seller="mill")

    def test_a_consumer_does_not_generate(self, park: House) -> None:
        with pytest.raises(Refused, match="is of kind 'consumption' in Wh, not generation"):
            agree(park, sources=["saw"], seller="mill")

    def test_unknown_points_are_named(self, park: House) -> None:
        with pytest.raises(NotFound, match="no point 'saww'"):
            agree(park, consumers={"saww": 0})

    def test_the_name_stands_for_one_contract(self, park: House) -> None:
        agree(park)
        agree(park, consumers={"saw": 0})
        report = run_matching(park.desk, FOUR)
        # Only the saw is supplied now: 60, 0, 50, 3.
        assert matched(report)["quarter_hour"] == 113

    def test_a_limit_holds_over_runs(self, park: House) -> None:
        agree(park, limit_wh=120)
        at_once = run_matching(park.desk, FOUR, into_lots=False)
        first = Period(start_s=DAY_S, end_s=DAY_S + 2 * QUARTER_S)
        second = Period(start_s=DAY_S + 2 * QUARTER_S, end_s=FOUR.end_s)
        assert matched(run_matching(park.desk, first))["quarter_hour"] == 100
        assert matched(run_matching(park.desk, second))["quarter_hour"] == 20
        whole = run_matching(park.desk, FOUR)
        assert matched(whole)["quarter_hour"] == 0
        assert whole.evaluation.matched[0].covered_wh == 120
        consumption_wh = at_once.evaluation.totals().consumption_wh
        assert whole.evaluation.totals().consumption_wh == consumption_wh

    def test_a_parent_meter_is_not_a_consumer_beside_its_children(self, park: House) -> None:
        agree(park)
        with reading(park.engine) as conn:
            saw = find_point(conn, 1, "saw").point.hex()
        register_point(park.desk, Point(name="blade", kind="consumption", owner="mill", parent=saw))
        with pytest.raises(Refused, match="'saw', which has sub-meters"):
            run_matching(park.desk, FOUR)


class TestMissing:
    def test_missing_generation_earns_nothing(self, park: House) -> None:
        agree(park)
        longer = Period(start_s=DAY_S, end_s=FOUR.end_s + QUARTER_S)
        for name in ("saw", "press"):
            take(park, name, [10], start=4)
        agree(park, period=longer)
        report = run_matching(park.desk, longer)
        assert matched(report)["quarter_hour"] == 156

    def test_missing_consumption_stays_in_the_denominator(self, park: House) -> None:
        take(park, "saw", [5], start=5)
        take(park, "press", [5, 5], start=4)
        agree(park)
        longer = Period(start_s=DAY_S, end_s=FOUR.end_s + 2 * QUARTER_S)
        report = run_matching(park.desk, longer)
        totals = report.evaluation.result.totals()
        # The saw's missing quarter counts as its highest of the 28 days before: 60.
        assert (totals.estimated_wh, totals.consumption_wh) == (60, 266 + 15 + 60)

    def test_a_bill_fills_what_is_missing(self, park: House) -> None:
        with reading(park.engine) as conn:
            saw = find_point(conn, 1, "saw").point.hex()
        register_point(
            park.desk,
            Point(name="saw-bill", kind="billed", owner="mill", parent=saw, interval_s=0),
        )
        bill = series("saw-bill", [153 + 33])
        bill = type(bill)(
            point=bill.point,
            length_s=6 * QUARTER_S,
            start_s=bill.start_s,
            value=bill.value,
            quality=bill.quality,
        )
        take_in(park.desk, [bill], Origin(source="bill", author="operator"))
        take(park, "press", [5, 5], start=4)
        longer = Period(start_s=DAY_S, end_s=FOUR.end_s + 2 * QUARTER_S)
        report = run_matching(park.desk, longer)
        filled = report.evaluation.filled["saw"]
        assert filled.estimated_wh(Rule.BILLED) == 33
        assert filled.demand.estimated_wh is not None
        assert sorted(filled.demand.estimated_wh.tolist()) == [0, 0, 0, 0, 16, 17]

    def test_the_parent_meter_fills_what_is_missing(self, park: House) -> None:
        register_point(park.desk, Point(name="main", kind="consumption", owner="mill"))
        with reading(park.engine) as conn:
            main = find_point(conn, 1, "main").point.hex()
        for name in ("saw", "press"):
            register_point(
                park.desk, Point(name=name, kind="consumption", owner="mill", parent=main)
            )
        take(park, "main", [120, 60, 80, 6, 44])
        take(park, "press", [4], start=4)
        longer = Period(start_s=DAY_S, end_s=FOUR.end_s + QUARTER_S)
        report = run_matching(park.desk, longer)
        totals = report.evaluation.result.totals()
        assert (totals.estimated_wh, totals.consumption_wh) == (40, 266 + 44)

    def test_nothing_to_go_by_is_refused(self, park: House) -> None:
        register_point(park.desk, Point(name="new", kind="consumption", owner="mill"))
        with pytest.raises(Refused, match="nothing says how much it was"):
            run_matching(park.desk, FOUR)


class TestForgedRuns:
    """The operator itself can't append a run that does not follow from the log."""

    def forge(
        self,
        house: House,
        *,
        lanes: Mapping[int, int] | None = None,
        manifest: Mapping[str, Any] | None = None,
        as_of: int = 0,
        drop: bool = False,
    ) -> None:
        agree(house)
        with reading(house.engine) as conn:
            size = load_head(conn, 1).size
            evaluation = evaluate(conn, house.log, FOUR, size)
        rows = []
        for number, row in enumerate(evaluation.lanes):
            wh = row.wh.copy()
            wh[0] += (lanes or {}).get(number, 0)
            rows.append(
                LaneRow(
                    contract=row.contract,
                    source=row.source,
                    consumer=row.consumer,
                    supply_class=row.supply_class,
                    start_s=row.start_s,
                    length_s=row.length_s,
                    wh=wh,
                )
            )
        id_ = fresh_id()
        body = Allocations.seal(
            rows[:1] if drop else rows, secret=bytes(32), origin=house.log.origin, id_=id_
        )
        content = {**evaluation.manifest(), **(manifest or {})}
        draft = Draft(
            type=RUN,
            id=id_,
            author="operator",
            members={"policy": POLICY, "as_of": as_of or size},
            bodies={"body": body, "manifest": seal_json(content, "run")},
        )
        house.desk.append(draft)

    def test_the_forger_can_also_tell_the_truth(self, park: House) -> None:
        self.forge(park)

    def test_a_watt_hour_moved_to_another_consumer(self, park: House) -> None:
        with pytest.raises(Refused, match="allocations do not follow"):
            self.forge(park, lanes={0: 1, 1: -1})

    def test_a_lane_left_out(self, park: House) -> None:
        with pytest.raises(Refused, match="allocations do not follow"):
            self.forge(park, drop=True)

    def test_a_total_embellished(self, park: House) -> None:
        with pytest.raises(
            Refused, match=r"manifest does not follow from the log as of .*: totals"
        ):
            self.forge(
                park,
                manifest={
                    "totals": {
                        "generation_wh": 157,
                        "consumption_wh": 266,
                        "estimated_wh": 0,
                        "matched_wh": dict.fromkeys(
                            ("quarter_hour", "hour", "day", "month", "year"), 157
                        ),
                    }
                },
            )

    def test_an_input_left_out(self, park: House) -> None:
        with pytest.raises(
            Refused, match=r"manifest does not follow from the log as of .*: inputs"
        ):
            self.forge(park, manifest={"inputs": []})

    def test_a_size_of_the_future(self, park: House) -> None:
        with pytest.raises(Refused, match="a run uses entries before itself"):
            self.forge(park, as_of=10**6)


def test_an_allocation_opens_alone(park: House) -> None:
    agree(park)
    report = run_matching(park.desk, FOUR)
    park.checkpoint()
    (opening,) = open_allocations(park.desk, report.receipt.index, "saw", DAY_S)
    leaf = bytes.fromhex(opening["leaf"]["bytes"])
    assert len(leaf) == 93
    assert int.from_bytes(leaf[76:84], "big") == 50
    with pytest.raises(NotFound, match="allocates nothing"):
        open_allocations(park.desk, report.receipt.index, "saw", DAY_S + QUARTER_S)


def test_a_period_off_the_grid_is_refused(park: House) -> None:
    with pytest.raises(InvalidInput, match="no whole number of quarter-hours"):
        run_matching(park.desk, Period(start_s=DAY_S, end_s=DAY_S + 1000))


def test_the_period_of_the_data(park: House) -> None:
    assert data_period(park.desk) == FOUR


def test_allocations_survive_their_bytes() -> None:
    rows = [
        LaneRow(
            contract=bytes([number]) * 16,
            source=b"s" * 16,
            consumer=b"c" * 16,
            supply_class=2,
            start_s=DAY_S,
            length_s=QUARTER_S,
            wh=np.array([0, 5, 0, 2**40 + number], dtype=np.int64),
        )
        for number in range(3)
    ]
    made = Allocations.seal(rows, secret=b"x" * 32, origin="park.example/1", id_="1" * 32)
    opened = Allocations.open(made.data, origin="park.example/1", id_="1" * 32)
    assert (opened.key, opened.size) == (made.key, 6)
    assert Allocations.open(made.data, origin="park.example/2", id_="1" * 32).key != made.key


class TestWhatHasChangedSince:
    """What is registered later, or begins later, must not turn a run into something else."""

    def test_a_contract_whose_point_changed_hands_is_left_out(self, park: House) -> None:
        desk = park.desk
        register_point(desk, Point(name="own", kind="consumption", owner="farm"))
        take(park, "own", [10, 10, 10, 10])
        agree(park, name="self", kind="self-use", consumers={"own": 0}, region="")
        first = run_matching(desk, FOUR)
        assert matched(first)["quarter_hour"] == 10 + 0 + 10 + 7
        register_point(desk, Point(name="own", kind="consumption", owner="mill"))
        second = run_matching(desk, FOUR)
        assert matched(second)["quarter_hour"] == 0
        assert [one.terms.name for one in second.evaluation.left_out] == ["self"]
        with reading(park.engine) as conn:
            manifest = load_manifest(conn, park.log, second.receipt.index)
        assert len(manifest["left_out"]) == 1
        park.audit(no_progress)

    def test_a_meter_that_begins_later_does_not_block_the_past(self, park: House) -> None:
        begins = Meter(number="NEW-1", from_="2026-02-28T00:00:00Z")
        register_point(
            park.desk, Point(name="new", kind="consumption", owner="mill", meters=(begins,))
        )
        agree(park)
        totals = run_matching(park.desk, FOUR).evaluation.result.totals()
        assert (totals.consumption_wh, totals.estimated_wh) == (266, 0)

    def test_a_limit_counts_from_the_first_reading(self, park: House) -> None:
        long_ago = Period(start_s=DAY_S - 400 * 86_400, end_s=FOUR.end_s)
        agree(park, period=long_ago, limit_wh=120)
        second = Period(start_s=DAY_S + 2 * QUARTER_S, end_s=FOUR.end_s)
        report = run_matching(park.desk, second)
        assert matched(report)["quarter_hour"] == 20
        # What was delivered before rests on the same batches and contract as the run itself.
        with reading(park.engine) as conn:
            manifest = load_manifest(conn, park.log, report.receipt.index)
        assert len(manifest["inputs"]) == 7

    def test_a_contract_begins_with_a_quarter_hour(self, park: House) -> None:
        with pytest.raises(InvalidInput, match="begins and ends with a quarter-hour"):
            agree(park, period=Period(start_s=DAY_S + 60, end_s=FOUR.end_s))


def test_what_was_spread_is_said(park: House) -> None:
    hour = series("tower", [40, 40, 40, 40])
    spread = replace(hour, quality=np.full(4, int(Quality.PROFILED), dtype=np.uint16))
    register_point(park.desk, Point(name="tower", kind="consumption", owner="mill"))
    take_in(park.desk, [spread], Origin(source="tower", author="operator"))
    evaluation = run_matching(park.desk, FOUR).evaluation
    assert evaluation.profiled_wh == {"generation": 0, "consumption": 160}
