"""Storage in the log: what a contract of kind storage needs, and what a run makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.cli import main
from ledger.db import reading
from ledger.errors import Refused
from ledger.house import House
from ledger.matching.model import MAXIMAL, SupplyClass
from ledger.matching.runs import load_manifest
from ledger.matching.service import run_matching
from ledger.metering.points import Point
from ledger.metering.service import find_point, register_point
from ledger.units import Period, format_instant
from tests.ledgers import DAY_S, QUARTER_S, no_progress
from tests.matching.test_runs import FOUR, agree, matched, take
from tests.test_proving import verify

BATTERY = Point(name="battery", kind="other", owner="farm", interval_s=0)


def id_of(house: House, name: str) -> str:
    with reading(house.engine) as conn:
        return find_point(conn, 1, name).point.hex()


def add(house: House, name: str, kind: str, parent: str, **changes: int) -> None:
    point = Point(name=name, kind=kind, owner="farm", parent=id_of(house, parent))
    register_point(house.desk, replace(point, **changes))  # type: ignore[arg-type]


@pytest.fixture
def park(begun: House) -> House:
    """A roof of 1,200 Wh that charges a battery with 90 %; the mill wants it an hour later."""
    desk = begun.desk
    desk.register_party("farm", "farm", ["generator"])
    desk.register_party("mill", "mill", ["enterprise"])
    register_point(desk, Point(name="roof", kind="generation", owner="farm", region="4401"))
    register_point(desk, Point(name="saw", kind="consumption", owner="mill"))
    register_point(desk, BATTERY)
    add(begun, "charge", "storage-charge", "battery")
    add(begun, "discharge", "storage-discharge", "battery")
    take(begun, "roof", [1200, 0, 0, 0])
    take(begun, "saw", [0, 0, 800, 300])
    take(begun, "charge", [1200, 0, 0, 0])
    take(begun, "discharge", [0, 0, 800, 280])
    return begun


def contracts(house: House, **changes: object) -> None:
    agree(house, name="charging", kind="self-use", consumers={"charge": 0})
    terms = {"kind": "storage", "sources": ["discharge"], "consumers": {"saw": 0}, "region": ""}
    agree(house, **{"name": "battery-to-saw", **terms, **changes})


@pytest.mark.parametrize("policy", ["pro-rata/1", MAXIMAL])
def test_green_in_less_losses_leaves_as_green(park: House, policy: str) -> None:
    contracts(park)
    report = run_matching(park.desk, FOUR, policy=policy)
    lanes = {
        (one.source, one.consumer, one.supply_class): one.wh.tolist()
        for one in report.evaluation.result.lanes
    }
    assert lanes == {
        ("roof", "charge", SupplyClass.SELF_USE): [1200, 0, 0, 0],
        ("discharge", "saw", SupplyClass.STORAGE): [0, 0, 800, 280],
    }
    # Charging is no consumption, and discharge no generation: each kWh counts once.
    totals = report.evaluation.result.totals()
    assert (totals.generation_wh, totals.consumption_wh, totals.matched_wh) == (1200, 1100, 1080)
    assert (totals.surplus_wh, totals.residual_wh) == (0, 20)
    # The battery has moved the energy already: longer intervals add only what they could anyway.
    assert set(matched(report).values()) == {1080}
    with reading(park.engine) as conn:
        manifest = load_manifest(conn, park.log, report.receipt.index)
    # 5 points, 4 batches, 2 contracts.
    assert len(manifest["inputs"]) == 11
    park.audit(no_progress)


def test_grey_charge_leaves_grey(park: House) -> None:
    terms = {"kind": "storage", "sources": ["discharge"], "consumers": {"saw": 0}, "region": ""}
    agree(park, name="battery-to-saw", **terms)
    assert matched(run_matching(park.desk, FOUR))["quarter_hour"] == 0


def test_a_run_sees_what_stood_in_the_battery_before_it(park: House) -> None:
    """The charge lies before the run, and no division says that it was green."""
    contracts(park)
    take(park, "charge", [5], start=-9)
    later = Period(start_s=DAY_S + 2 * QUARTER_S, end_s=DAY_S + 4 * QUARTER_S)
    report = run_matching(park.desk, later)
    assert matched(report)["quarter_hour"] == 0
    with reading(park.engine) as conn:
        manifest = load_manifest(conn, park.log, report.receipt.index)
    assert len(manifest["inputs"]) == 12


def test_a_limit_of_storage_counts_from_its_beginning(park: House) -> None:
    contracts(park, limit_wh=900)
    assert matched(run_matching(park.desk, FOUR))["quarter_hour"] == 900
    later = Period(start_s=DAY_S + 3 * QUARTER_S, end_s=DAY_S + 4 * QUARTER_S)
    assert matched(run_matching(park.desk, later))["quarter_hour"] == 0
    park.audit(no_progress)


def test_what_a_storage_contract_needs(park: House) -> None:
    add(park, "lonely", "storage-discharge", "roof")
    with pytest.raises(Refused, match=r"'lonely' hangs under no storage: .*one parent of kind"):
        contracts(park, sources=["lonely"])
    with pytest.raises(Refused, match="not storage-discharge in Wh"):
        contracts(park, sources=["roof"])
    with pytest.raises(
        Refused, match="'charge' is of kind 'storage-charge' in Wh, not consumption"
    ):
        contracts(park, consumers={"charge": 0})
    with pytest.raises(Refused, match="not consumption in Wh"):
        agree(park, kind="green-trade", consumers={"charge": 0}, region="")
    with pytest.raises(Refused, match="not generation in Wh"):
        agree(park, kind="green-trade", sources=["discharge"], consumers={"saw": 0}, region="")
    add(park, "slow", "storage-charge", "battery", interval_s=86_400)
    with pytest.raises(Refused, match=r"'battery' has 2 points of kind storage-charge"):
        contracts(park)
    with pytest.raises(Refused, match=r"'slow' is additive in intervals of 86400 s"):
        agree(park, name="slow", kind="self-use", consumers={"slow": 0})


def test_a_storage_that_is_none_any_more_is_left_out(park: House) -> None:
    contracts(park)
    add(park, "second", "storage-charge", "battery")
    report = run_matching(park.desk, FOUR)
    assert [one.terms.name for one in report.evaluation.left_out] == ["battery-to-saw"]
    assert matched(report)["quarter_hour"] == 0
    park.audit(no_progress)


def test_a_later_run_knows_what_lots_say_went_in(park: House) -> None:
    """The charge became lots of cover in the first run; so the second may discharge it as green."""
    contracts(park)
    first = Period(start_s=DAY_S, end_s=DAY_S + 2 * QUARTER_S)
    later = Period(start_s=DAY_S + 2 * QUARTER_S, end_s=DAY_S + 4 * QUARTER_S)
    assert matched(run_matching(park.desk, first))["quarter_hour"] == 0
    assert matched(run_matching(park.desk, later))["quarter_hour"] == 1080
    # Once more, nothing is left; and after a correction of the charge nothing more may leave.
    assert matched(run_matching(park.desk, FOUR))["quarter_hour"] == 0
    take(park, "charge", [1100, 0, 0, 0], reason="the meter was read wrongly")
    take(park, "discharge", [0, 0, 800, 290], reason="the meter was read wrongly")
    assert matched(run_matching(park.desk, FOUR))["quarter_hour"] == 10
    park.audit(no_progress)


def test_the_verifier_accepts_what_charged_a_battery_and_what_it_gave(
    park: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contracts(park)
    run_matching(park.desk, FOUR)
    park.checkpoint()
    monkeypatch.setenv("GREENLEDGER_DIR", str(park.settings.dir))
    for consumer, start_s, wh in (("charge", DAY_S, 1_200), ("saw", DAY_S + 2 * QUARTER_S, 800)):
        file = tmp_path / f"{consumer}.json"
        words = ["--allocation", consumer, "--at", format_instant(start_s), "--out", str(file)]
        monkeypatch.setattr("sys.argv", ["greenledger", "prove", *words])
        with pytest.raises(SystemExit, match=r"^0$"):
            main()
        for language in ("en", "zh"):
            found = verify(file, park.log.log_key.vkey, "proof", "--lang", language)
            assert found["ok"], found
            assert f"{wh:,}" in json.dumps(found, ensure_ascii=False), found
