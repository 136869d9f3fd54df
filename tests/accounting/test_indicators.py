"""Ratios and the tests of their documents, at their bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ledger.accounting.energy import CALORIFIC, EQUIVALENT, Energy, energy
from ledger.accounting.facts import Connection, Electricity, Export, Facts
from ledger.accounting.finding import Finder, Options
from ledger.accounting.indicators import (
    cfe,
    cfe_of,
    connection_ratios,
    direct_share,
    intensity,
    supply_share,
)
from ledger.accounting.regime_reading import shipped
from ledger.errors import InvalidInput
from ledger.units import parse_instant
from tests.accounting.building import (
    AT_S,
    MWH,
    QUARTERS,
    activity,
    electricity,
    facts,
    library,
    supply,
    under,
    with_series,
)


def finder(found: Facts) -> Finder:
    return Finder.of(library(), shipped("ndrc-910"), Options(), found)


def coal(found: Facts, method: str = EQUIVALENT) -> Energy:
    return energy(finder(found), [found], method)


def verdicts(found: dict[str, Any]) -> list[str]:
    return [one["verdict"] for one in found["tests"]]


def of_park(gwh: int, green_mwh: int = 0) -> dict[str, Any]:
    """An all-electric park."""
    found = facts(electricity(gwh * 1000, supply("traded", "wind", green_mwh)))
    made = under("ndrc-910", found)
    return intensity(made.regime, made.total.mass_g, coal(found), at_s=AT_S)


# 单位能耗碳排放


@pytest.mark.parametrize(
    ("green_mwh", "ppm", "verdict"),
    [
        (0, 2_775_000, "fail"),
        (800_000, 555_000, "fail"),
        (928_000, 199_800, "pass"),
        (927_000, 202_575, "fail"),
    ],
)
def test_80_percent_green_does_not_make_a_zero_carbon_park(
    green_mwh: int, ppm: int, verdict: str
) -> None:
    """1,000 GWh × 0.30 = 300,000 tce. 0.8325 / 0.30 = 2.775; a fifth of it 0.555; 0.2 of 2.775 is
    7.2 %, so that 92.8 % have to be green: 72 GWh × 0.8325 / 300,000 = 0.1998 (domain §0, 2)."""
    found = of_park(1000, green_mwh)
    assert found["ppm"] == ppm
    assert verdicts(found) == [verdict, "not applicable"]


@pytest.mark.parametrize(
    ("gce", "mass_g", "expected"),
    [
        (199_999_999_999, 1, ["not applicable", "not applicable"]),
        (200_000_000_000, 40_000_000_000, ["pass", "not applicable"]),
        (200_000_000_000, 40_000_000_001, ["fail", "not applicable"]),
        (999_999_999_999, 300_000_000_000, ["fail", "not applicable"]),
        (1_000_000_000_000, 300_000_000_000, ["not applicable", "pass"]),
        (1_000_000_000_000, 300_000_000_001, ["not applicable", "fail"]),
        (200_000_000_000, 0, ["pass", "not applicable"]),
        (200_000_000_000, -1, ["not applicable", "not applicable"]),
    ],
)
def test_the_limit_is_that_of_the_parks_size(gce: int, mass_g: int, expected: list[str]) -> None:
    """0.2 from 200,000 tce, 0.3 from 1,000,000 on; exactly at the limit is within it. Less
    than nothing is none."""
    (line,) = coal(facts(electricity(1))).lines
    sized = Energy(method=EQUIVALENT, lines=(type(line)(**{**_members(line), "gce": gce}),))
    assert verdicts(intensity(shipped("ndrc-910"), mass_g, sized, at_s=AT_S)) == expected


def _members(line: Any) -> dict[str, Any]:
    return {name: getattr(line, name) for name in line.__slots__}


def test_coal_equivalent_by_both_values() -> None:
    """100 MWh: × 0.30 = 30 tce, × 0.1229 = 12.29; 10 t diesel × 1.4571 = 14.571; 1,000 GJ heat ×
    0.03412 = 34.12, of which 500 GJ went out again."""
    found = facts(
        electricity(100),
        activity("vans", "fuel", "fuel-diesel", "10", "t"),
        activity("in", "heat", "heat", "1000", "GJ"),
        activity("out", "heat", "heat", "500", "GJ", direction="out"),
    )
    assert coal(found).gce == 30_000_000 + 14_571_000 + 34_120_000 - 17_060_000
    assert coal(found, CALORIFIC).gce == 12_290_000 + 14_571_000 + 17_060_000


def test_fuel_and_the_power_made_of_it_count_once() -> None:
    """10⁴ Nm³ × 1.33 kgce = 13.3 tce; the 40 MWh made of it are in there, the other 60 are not."""
    found = facts(
        electricity(100, supply("self", "gas", 40)),
        activity("gas", "fuel", "fuel-natural-gas", "1", "10^4 Nm3"),
    )
    assert coal(found).gce == 13_300_000 + 18_000_000


def test_power_of_a_members_fuel_counts_once_in_the_park_and_what_is_sold_not_at_all() -> None:
    """A plant burns 10⁴ Nm³, 13.3 tce; a mill gets 40 MWh of that, and uses 60 more, 18 tce; 10 MWh
    × 0.30 = 3 tce of it are sold outside."""
    gas = activity("gas", "fuel", "fuel-natural-gas", "1", "10^4 Nm3")
    sold = Export(technology="gas", wh=10 * MWH, record="gate")
    given = Export(technology="gas", wh=40 * MWH, record="line", counterparty="mill")
    plant = facts(electricity(0, exports=(sold, given)), gas, subject="plant")
    mill = facts(
        electricity(100, supply("direct", "gas", 40, counterparty="plant")), subject="mill"
    )
    found = energy(finder(mill), [mill, plant], EQUIVALENT)
    assert found.gce == 13_300_000 + 18_000_000 - 3_000_000


# Shares


def share(used: Electricity) -> dict[str, Any]:
    return supply_share(shipped("guideline-renewable"), [used], at_s=AT_S)


@pytest.mark.parametrize(
    ("mwh", "ppm", "verdict"), [(79.99, 799_900, "fail"), (80, 800_000, "pass")]
)
def test_renewable_share(mwh: float, ppm: int, verdict: str) -> None:
    found = share(electricity(100, supply("direct", "wind", mwh)))
    assert found["ppm"] == ppm
    assert verdicts(found) == [verdict]
    assert "可再生" in found["definition"]["zh"]


def test_one_watt_hour_below_80_percent_fails_though_it_rounds_to_80() -> None:
    """79,999,999.999 Wh less … the last Wh decides, and the ppm never round up."""
    used = electricity(100, supply("direct", "wind", 79.999999))
    assert used.supplied_wh == 80 * MWH - 1
    found = share(used)
    assert (found["ppm"], verdicts(found)) == (799_999, ["fail"])


def test_the_three_sets_are_three_shares() -> None:
    """Wind 50, nuclear 20, gas 10 of 100: renewable 50, non-fossil 70, clean 80, fossil 10."""
    used = electricity(
        100,
        supply("traded", "wind", 50),
        supply("traded", "nuclear", 20),
        supply("traded", "gas", 10),
    )
    found = share(used)
    assert found["set"] == "renewable"
    assert {name: wh // MWH for name, wh in found["sets_wh"].items()} == {
        "renewable": 50,
        "non-fossil": 70,
        "clean": 80,
        "fossil": 10,
    }


def test_what_is_not_final_is_told_apart() -> None:
    used = electricity(
        100, supply("direct", "wind", 50), supply("unbundled", "wind", 30, final=False)
    )
    found = share(used)
    assert (found["above"], found["final_wh"]) == (80 * MWH, 50 * MWH)


def test_no_consumption_has_no_share() -> None:
    found = share(electricity(0))
    assert (found["ppm"], verdicts(found)) == ("", ["not applicable"])


def test_direct_supply_comes_from_the_region() -> None:
    """Of 520 MWh, 30 come from Shanghai: 490 of 1,000 are direct in Guangdong, and fail 50 %."""
    used = electricity(
        1000, supply("direct", "pv", 490), supply("direct", "wind", 30, region="310000")
    )
    rules = shipped("ndrc-910")
    anywhere = direct_share(rules, [used], region="", at_s=AT_S)
    assert (anywhere["ppm"], verdicts(anywhere)) == (520_000, ["pass"])
    inside = direct_share(rules, [used], region="44", at_s=AT_S)
    assert (inside["ppm"], verdicts(inside)) == (490_000, ["fail"])
    assert inside["outside_wh"] == 30 * MWH


# 650号


def connection(at: str, **changes: int) -> dict[str, list[str]]:
    """1,000 available, 200 sold, 150 curtailed, 50 lost in storage: 600 are self-use, of 2,000."""
    wh: dict[str, Any] = {
        "available_wh": 1000,
        "export_wh": 200,
        "curtailed_wh": 150,
        "storage_loss_wh": 50,
        "consumption_wh": 2000,
        **changes,
    }
    one = Connection(name="line", **wh)
    found = connection_ratios(shipped("direct-connection-650"), one, at_s=parse_instant(at))
    return {each["id"]: verdicts(each) for each in found}


def test_a_direct_connection_at_its_bounds() -> None:
    """600/1,000 = 60 %; 600/2,000 = 30 %; 200/1,000 = 20 %."""
    assert connection("2026-06-30T16:00:00Z") == {
        "self-of-available": ["pass"],
        "self-of-consumption": ["pass"],
        "export-of-available": ["pass"],
    }
    assert connection("2026-06-30T16:00:00Z", curtailed_wh=151, consumption_wh=1999) == {
        "self-of-available": ["fail"],
        "self-of-consumption": ["fail"],
        "export-of-available": ["pass"],
    }
    assert connection("2026-06-30T16:00:00Z", export_wh=201)["export-of-available"] == ["fail"]


def test_from_2030_on_35_percent() -> None:
    last_second = "2029-12-31T15:59:59Z"
    assert connection(last_second)["self-of-consumption"] == ["pass"]
    assert connection("2029-12-31T16:00:00Z")["self-of-consumption"] == ["fail"]
    enough = connection("2029-12-31T16:00:00Z", curtailed_wh=50, consumption_wh=2000)
    assert enough["self-of-consumption"] == ["pass"]


def test_a_connection_gives_no_more_than_it_has() -> None:
    with pytest.raises(InvalidInput, match="more than was available"):
        connection("2026-06-30T16:00:00Z", curtailed_wh=900)


# 24/7


def test_the_score_of_four_hours() -> None:
    """Load 10 each; clean 12, 6, 0, 3 → 10 + 6 + 0 + 3 = 19 of 40: 47.5 %; 21 of 40 in all: 52.5 %;
    of the grid 0 + 4 × .3 + 10 × .4 + 7 × .5 = 8.7: 27.7 of 40 = 69.25 % (domain §10)."""
    load = np.array([10, 10, 10, 10])
    clean = np.array([12, 6, 0, 3])
    found = cfe(load, clean, np.array([300_000, 300_000, 400_000, 500_000]))
    assert (found["matched_ppm"], found["volume_ppm"], found["ppm"]) == (475_000, 525_000, 692_500)


def test_the_score_of_a_consumer_counts_what_has_a_time() -> None:
    used = electricity(100, supply("direct", "pv", 40), supply("unbundled", "wind", 60))
    found = cfe_of(finder(facts(used)), [used], used.quarter_wh)
    assert (found["matched_ppm"], found["ppm"], found["grid_cfe"]) == (400_000, 400_000, "")
    assert found["not_by_the_hour_wh"] == 60 * MWH


def test_the_grid_is_clean_as_the_mean_of_its_hour() -> None:
    """100 MWh evenly over 1,000 hours, 40 of them matched; of the 60 left, the grid's share is 0,
    0.2, 0.4 and 0.6 in the quarters of each hour: 0.3, so 18 more: 58 %."""
    used = electricity(100, supply("direct", "pv", 40))
    values = [0, 2, 4, 6] * (QUARTERS // 4)
    found = cfe_of(
        replace(
            finder(facts(used)), library=with_series(values, item="grid-cfe", unit="1", gas="")
        ),
        [used],
        used.quarter_wh,
    )
    assert found["ppm"] == 580_000
    assert found["grid_cfe"]["item"] == "grid-cfe"
