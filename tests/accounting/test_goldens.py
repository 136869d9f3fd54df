"""Figures worked out by hand, with the arithmetic: one year under each regime, and domain.md §10.

`the_year` (building.py), in MWh: 100,000 used; self-use PV 10,000, direct wind 20,000, storage
2,000, green trade of wind 30,000, time-stamped PV 3,000, separate biomass certificates 15,000, and
20,000 that nothing covers. Beside it in t CO2:

    natural gas   100 × 10⁴ Nm³ × 21.622          2,162.2
    diesel        100 t × 3.145                     314.5      fuel 2,476.7
    kiln          1,000, and 10 t of CH4, which are 10 × 27.9 = 279 CO2e
    heat          10,000 GJ × 0.11                1,100
    HFC-134a      100 kg × 1,530 =                  153 CO2e
    lorries       1,000,000 t km × 0.078 kg =        78 CO2e, of unstated gases
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.accounting.account import Account
from ledger.accounting.facts import Export
from ledger.accounting.regime import RATIOS
from ledger.accounting.regime_reading import shipped, shipped_regimes
from ledger.accounting.table import table
from tests.accounting.building import (
    MWH,
    activity,
    electricity,
    facts,
    supply,
    the_year,
    tonnes,
    under,
)

TABLE = Path(__file__).parent / "one_year.txt"


def parts(name: str) -> dict[str, float]:
    made = under(name, the_year())
    return {
        one: tonnes(made, one) for one in dict.fromkeys(line.category for line in made.counting)
    }


def total(name: str) -> float:
    return tonnes(under(name, the_year()))


def test_910_counts_what_nothing_green_covers_by_the_fossil_factor() -> None:
    """20,000 × 0.8325 = 16,650; + 2,476.7 + 1,000 + 1,100; CO2 alone: no CH4, no refrigerant."""
    assert parts("ndrc-910") == {
        "electricity": 16_650,
        "fuel": 2_476.7,
        "process": 1_000,
        "heat": 1_100,
    }
    assert total("ndrc-910") == 21_226.7


def test_mee_reporting_knows_direct_and_self_use_but_no_certificate() -> None:
    """Trade 30,000 + stamps 3,000 + GEC 15,000 + rest 20,000 = 68,000 × 0.5703 = 38,780.4"""
    assert parts("mee-ets-reporting")["electricity"] == 38_780.4
    assert total("mee-ets-reporting") == 43_357.1


def test_national_compliance_has_no_electricity_and_no_heat() -> None:
    """2,476.7 + 1,000; of which CCERs may be 5 %: 173.835 t of the 5,000 retired."""
    made = under("national-ets-compliance", the_year())
    assert {one.category for one in made.counting} == {"fuel", "process"}
    assert tonnes(made) == 3_476.7
    assert made.offsets["usable_g"] == 173_835_000
    assert {"electricity", "heat"} <= set(made.left_out)


def test_guangdong_knows_self_use_alone_and_caps_offsets() -> None:
    """90,000 × 0.4419 = 39,771. Of 44,347.7 t a tenth may be offset, but the CCERs are for another
    purpose: 2,000 t of PHCER are all that there is."""
    made = under("guangdong-ets", the_year())
    assert tonnes(made, "electricity") == 39_771
    assert tonnes(made) == 44_347.7
    assert made.offsets["usable_g"] == 2_000_000_000


def test_location_ignores_what_was_bought_green() -> None:
    """100,000 less self-use 10,000 and storage 2,000 = 88,000 × 0.4419 = 38,887.2;
    with 2,476.7 + 1,279 + 1,100 + 153; lorries stand apart."""
    assert parts("ghg-location") == {
        "electricity": 38_887.2,
        "fuel": 2_476.7,
        "process": 1_279,
        "heat": 1_100,
        "refrigerant": 153,
    }
    assert total("ghg-location") == 43_895.9


def test_location_by_the_hour_takes_each_hours_factor() -> None:
    """Half of the hours have 0.4, half 0.5: 44,000 × 0.4 + 44,000 × 0.5 = 39,600"""
    assert parts("ghg-location-hourly")["electricity"] == 39_600
    assert total("ghg-location-hourly") == 44_608.7


def test_market_takes_the_residual_mix_and_no_average() -> None:
    """20,000 × 0.6096 = 12,192; + 2,476.7 + 1,279 + 1,100 + 153"""
    assert parts("ghg-market")["electricity"] == 12_192
    assert total("ghg-market") == 17_200.7


def test_market_by_the_hour_does_not_count_certificates_of_a_month() -> None:
    """(20,000 + 15,000) × 0.6096 = 21,336, and the line says why."""
    made = under("ghg-market-hourly", the_year())
    assert tonnes(made, "electricity") == 21_336
    (residual,) = (one for one in made.lines if one.id == "electricity/residual")
    assert residual.quantity == 35_000 * MWH
    assert "15000000000 Wh (Separate certificates)" in residual.notes[0]["en"]


def test_in_a_footprint_green_power_is_not_zero() -> None:
    """PV 13,000 × 0.0545 = 708.5; wind 50,000 × 0.0336 = 1,680; biomass 15,000 × 0.0457 = 685.5;
    storage and the rest 22,000 × 0.6205 = 13,651: together 16,725.
    + 2,476.7 + 1,279 + 1,100 + 153 + 78"""
    assert parts("product-footprint")["electricity"] == 16_725
    assert total("product-footprint") == 21_811.7


def test_what_a_figure_rests_on_stands_beside_it() -> None:
    made = under("ghg-market", the_year()).to_json()
    assert made["status"] == "secondary"
    assert made["total"]["label"] == (
        "electricity: CO2 only; fuel: CO2 only; heat: CO2 only; process: CH4, CO2;"
        " refrigerant: HFC-134a only"
    )
    assert {one["item"]: one["value"] for one in made["factors"]} == {
        "electricity-market-excluded": "0.6096",
        "fuel-diesel": "3.145",
        "fuel-natural-gas": "21.622",
        "gwp-ch4": "27.9",
        "gwp-hfc-134a": "1530",
        "heat": "0.11",
        "transport-truck-diesel-30t": "0.078",
    }
    assert all(one["status"] and one["source"] and one["hash"] for one in made["factors"])


def test_park_systems_sum_to_the_total() -> None:
    """16,650 of electricity in the ratio 1 : 3; lorries have no term, CH4 is no CO2."""
    made = under("ndrc-910", the_year())
    assert made.by_system() == {
        "buildings": 4_162_500_000,
        "energy": 2_162_200_000,
        "production": (12_487_500 + 1_000_000 + 1_100_000) * 1000,
        "transport": 314_500_000,
    }
    assert sum(made.by_system().values()) == made.total.mass_g


def test_billed_stands_against_metered() -> None:
    made = under("ndrc-910", the_year())
    assert made.electricity["billed_less_metered_wh"] == 500 * MWH
    assert made.electricity["pending_wh"] == 15_000 * MWH


def test_one_year_under_all_regimes() -> None:
    """The table as a person reads it. To write it anew: python -m tests.accounting.test_goldens"""
    assert table(all_accounts()) == TABLE.read_text(encoding="utf-8")


def all_accounts() -> list[Account]:
    names = [name for name in shipped_regimes() if shipped(name).figure != RATIOS]
    return [under(name, the_year()) for name in names]


# domain.md §10


def test_annex_4_of_910() -> None:
    """1,000 GWh, of it 520 direct, 380 GEC and green trade: 100 GWh × 0.8325 = 83,250 t."""
    found = facts(
        electricity(
            1_000_000,
            supply("direct", "pv", 520_000),
            supply("traded", "wind", 200_000),
            supply("unbundled", "wind", 180_000),
        )
    )
    assert tonnes(under("ndrc-910", found)) == 83_250


@pytest.mark.parametrize(
    ("item", "unit", "factor"),
    [
        ("fuel-anthracite", "t", 2.323),
        ("fuel-bituminous", "t", 2.072),
        ("fuel-lignite", "t", 1.424),
        ("fuel-coke", "t", 2.852),
        ("fuel-gasoline", "t", 3.043),
        ("fuel-diesel", "t", 3.145),
        ("fuel-lpg", "t", 2.954),
        ("fuel-natural-gas", "10^4 Nm3", 21.622),
    ],
)
def test_fuels(item: str, unit: str, factor: float) -> None:
    """Natural gas: 10⁴ Nm³ → 21.622 t."""
    assert tonnes(under("ndrc-910", facts(None, activity("a", "fuel", item, "1", unit)))) == factor


def test_conversion_is_in_less_out_at_full_oxidation() -> None:
    """1,000 t of bituminous coal × 23.204 × 0.02618 × 44/12 = 2,227.4294 t; 600 t of coke ×
    28.446 × 0.0294 × 44/12 = 1,839.8873 t; what is left was emitted. With 93 %, it would be 360."""
    made = under(
        "ndrc-910",
        facts(
            None,
            activity("coal", "conversion", "fuel-bituminous", "1000", "t"),
            activity("coke", "conversion", "fuel-coke", "600", "t", direction="out"),
        ),
    )
    assert [one.mass_g for one in made.counting] == [2_227_429_307, -1_839_887_280]
    assert tonnes(made) == 387.542027
    assert all("100 %" in one.notes[0]["en"] for one in made.counting)


def test_a_direct_fossil_plant_is_not_zero() -> None:
    """100 MWh of coal power by a line of its own, 100 of wind: 83.25 t; and exports: 10 MWh of
    coal power earn 8.325 t, 10 of wind nothing, nor do 10 of which nobody says what they are."""
    found = facts(
        electricity(
            200,
            supply("direct", "coal", 100),
            supply("direct", "wind", 100),
            exports=(
                Export(technology="coal", wh=10 * MWH, record="x"),
                Export(technology="wind", wh=10 * MWH, record="y"),
                Export(technology="", wh=10 * MWH, record="z"),
            ),
        )
    )
    assert tonnes(under("ndrc-910", found)) == 83.25 - 8.325
    assert tonnes(under("mee-ets-reporting", found)) == 83.25


def test_heat_may_be_measured_or_of_no_fossil_origin() -> None:
    """100 GJ × 0.09 = 9 t, 100 GJ of biomass 0, 50 GJ sold × 0.11 = 5.5 t less."""
    own = {"value": "0.09", "unit": "t/GJ", "gas": "CO2", "source": "Measured at the boiler"}
    found = facts(
        None,
        activity("a", "heat", "heat", "100", "GJ", factor=own, park_system="production"),
        activity("b", "heat", "heat", "100", "GJ", nonfossil=True, park_system="buildings"),
        activity("c", "heat", "heat", "50", "GJ", direction="out"),
    )
    assert tonnes(under("ndrc-910", found)) == 3.5


def test_a_blend_leaks_its_gases() -> None:
    """100 kg of R-410A are 50 kg of HFC-32 × 771 and 50 kg of HFC-125 × 3,740 = 225.55 t CO2e;
    R-22 is no gas of the inventory: 10 kg of it stand apart."""
    made = under(
        "ghg-location",
        facts(
            None,
            activity("a", "refrigerant", "gwp-r-410a", "100", "kg"),
            activity("b", "refrigerant", "gwp-hcfc-22", "10", "kg"),
        ),
    )
    assert made.total.gases_g == {"HFC-125": 50_000, "HFC-32": 50_000}
    assert tonnes(made) == 225.55
    (apart,) = made.apart
    assert (apart.category, apart.gases_g) == ("other-gas", {"HCFC-22": 10_000})


def test_co2_of_biogenic_origin_stands_apart() -> None:
    made = under(
        "ghg-market",
        facts(
            None,
            activity("a", "process", "co2", "8", "t", biogenic=True),
            activity("b", "process", "ch4", "1", "t", biogenic=True),
        ),
    )
    assert tonnes(made) == 27.9
    (apart,) = made.apart
    assert (apart.category, apart.gases_g) == ("biogenic", {"CO2": 8_000_000})


if __name__ == "__main__":
    TABLE.write_text(table(all_accounts()), encoding="utf-8")
