"""The sets that come with the program: what the announcements say, with source and status."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ledger.accounting.factors import files, regions
from ledger.accounting.factors.model import FactorSet
from tests.accounting.factors.sets import shipped_library

LIBRARY = shipped_library()
ALL = [one for each in LIBRARY.sets for one in each.content.factors]
# Typed off the table of facts, not off the sets: place → value of 2021, 2022, 2023, or what is
# known of them. The letter is the table's mark: F official, S secondary, U unverified.
AVERAGES = {
    "CN": "S.5568 F.5366 F.5306",
    "CN-north": "S.7120 F.6776 F.6361",
    "CN-northeast": "S.6012 F.5564 F.5122",
    "CN-east": "S.5992 F.5617 F.5500",
    "CN-central": "S.5354 F.5395 F.5271",
    "CN-northwest": "S.5951 F.5857 F.5543",
    "CN-south": "S.4326 F.3869 F.4042",
    "CN-southwest": "S.2113 F.2268 F.2472",
    "44": "S.4715 S.4403 F.4419",
    "15": "S.7025 S.6849 F.6479",
}
PROVINCES_2023 = """11 .5554 12 .6796 13 .6516 14 .6634 15 .6479 21 .4878 22 .4671 23 .5229 31 .5737
32 .5827 33 .4974 34 .6553 35 .4211 36 .5836 37 .6191 41 .5897 42 .4044 43 .4976 44 .4419 45 .4476
46 .3648 50 .5581 51 .1564 52 .5683 53 .1333 61 .6335 62 .4471 63 .1796 64 .6187 65 .6021"""
MARKS = {"F": "official", "S": "secondary", "U": "unverified"}


def electricity(item: str, region: str, year: int) -> str:
    """`F.5306`: mark and value of a factor."""
    found = LIBRARY.find(item, region=region, year=year)
    assert (found.factor.region, found.factor.year, found.gas) == (region, year, "CO2")
    assert found.unit == "kg/kWh"
    mark = next(letter for letter, status in MARKS.items() if status == found.factor.status)
    return f"{mark}{found.factor.value.removeprefix('0')}"


@pytest.mark.parametrize("place", AVERAGES)
def test_averages_of_places_and_years(place: str) -> None:
    found = [electricity("electricity-average", place, year) for year in (2021, 2022, 2023)]
    assert " ".join(found) == AVERAGES[place]


def test_all_provinces_of_2023_but_tibet() -> None:
    words = PROVINCES_2023.split()
    for province, value in zip(words[::2], words[1::2], strict=True):
        assert electricity("electricity-average", province, 2023) == f"F{value}"
    assert len(words) == 2 * 30
    # Tibet has no factor of its own: of what contains it, the country's is meant, and says so.
    assert LIBRARY.find("electricity-average", region="540102", year=2023).factor.region == "CN"


def test_other_factors_of_electricity() -> None:
    years = (2021, 2022, 2023)
    for item, values in (
        ("electricity-market-excluded", "U.5942 F.5856 F.6096"),
        ("electricity-fossil", "S.8426 F.8325 F.8273"),
    ):
        assert " ".join(electricity(item, "CN", year) for year in years) == values
    for year in (2023, 2024, 2025):
        assert electricity("electricity-ets-reporting", "CN", year) == "F.5703"


def test_life_cycle_factors_are_not_zero_and_say_that_their_gases_are_not_stated() -> None:
    for item, year, value in (
        ("electricity-life-cycle", 2023, "0.6205"),
        ("electricity-life-cycle", 2024, "0.5777"),
        ("electricity-life-cycle-wind", 2023, "0.0336"),
        ("electricity-life-cycle-pv", 2023, "0.0545"),
        ("electricity-life-cycle-biomass", 2023, "0.0457"),
    ):
        found = LIBRARY.find(item, region="44", year=year)
        assert (found.factor.value, found.factor.status) == (value, "official")
        assert (found.gas, found.covers) == ("CO2e", ("unstated",))


def test_fuels_give_the_worked_example() -> None:
    """10⁴ Nm³ of natural gas: 389.31 GJ × 0.01530 tC/GJ × 99 % × 44/12 = 21.622 tCO2; 110 GJ of
    heat at 0.11 t/GJ: 12.1 t."""
    gas = LIBRARY.find("fuel-natural-gas", region="440100", year=2026)
    assert gas.times(1, "10^4 Nm3", "kg") == 21_622
    assert gas.times(10_000, "Nm3", "g") == 21_622_000
    assert gas.parts == {"ncv": "389.31", "carbon": "0.01530", "oxidation": "0.99"}
    assert LIBRARY.find("heat", region="15", year=2026).times(110, "GJ", "t") == Fraction("12.1")
    for fuel, value in (
        ("anthracite", "2.323"),
        ("bituminous", "2.072"),
        ("lignite", "1.424"),
        ("coke", "2.852"),
        ("gasoline", "3.043"),
        ("diesel", "3.145"),
        ("lpg", "2.954"),
    ):
        found = LIBRARY.find(f"fuel-{fuel}", region="CN", year=2026, unit="t/t")
        assert (found.factor.value, found.factor.status) == (value, "secondary")


def test_coal_equivalent_and_warming_potentials() -> None:
    calorific = LIBRARY.find("tce-electricity-calorific", region="44", year=2026)
    assert calorific.times(1_000_000, "kWh", "tce") == Fraction("122.9")
    equivalent = LIBRARY.find("tce-electricity-equivalent", region="44", year=2026)
    assert (equivalent.factor.value, equivalent.factor.status) == ("0.30", "unverified")
    assert "placeholder" in equivalent.factor.source
    found = {
        (item, report): LIBRARY.find(item, region="", year=2026, standard=report).factor.value
        for item in ("gwp-ch4", "gwp-n2o")
        for report in ("AR5", "AR6")
    }
    assert list(found.values()) == ["28", "27.9", "265", "273"]
    fossil = LIBRARY.find("gwp-ch4-fossil", region="", year=2026, standard="AR6")
    assert fossil.factor.value == "29.8"
    # R-410A is half HFC-32, half HFC-125: (771 + 3740) / 2.
    blend = LIBRARY.find("gwp-r-410a", region="", year=2026, standard="AR6")
    assert (blend.factor.value, blend.covers) == ("2255.5", ("HFC-125", "HFC-32"))


def test_each_says_whence_it_comes_and_how_sure_that_is() -> None:
    assert len(ALL) > 150
    assert all(one.source for one in ALL)
    official = {one.item for one in ALL if one.status == "official"}
    assert official == {
        "electricity-average",
        "electricity-ets-reporting",
        "electricity-fossil",
        "electricity-life-cycle",
        "electricity-life-cycle-biomass",
        "electricity-life-cycle-pv",
        "electricity-life-cycle-wind",
        "electricity-market-excluded",
        "gwp-co2",
    }


def test_each_place_of_a_factor_is_one_that_regions_know() -> None:
    places = {one.region for one in ALL}
    grids = {place for place in places if place.startswith("CN-")}
    assert grids == set(regions.grid_regions())
    provinces = places - grids - {"", "CN"}
    assert len(provinces) == 30
    assert all(regions.name(province) != province for province in provinces)


def test_sets_are_the_same_through_json_and_say_no_factor_twice() -> None:
    for name in files.shipped_sets():
        content = files.shipped(name)
        assert FactorSet.from_json(content.to_json()) == content
    keys = [(*one.key, one.from_s) for one in ALL]
    assert len(set(keys)) == len(keys)
