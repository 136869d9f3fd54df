"""A set says exactly what is wrong with it, and where."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from ledger.accounting.factors import files, regions
from ledger.accounting.factors.model import FactorSet
from ledger.errors import InvalidInput, NotFound
from tests.accounting.factors.sets import HEAD, factor, own, set_json

SERIES: dict[str, Any] = {
    "item": "electricity-average",
    "region": "CN",
    "unit": "kg/kWh",
    "gas": "CO2",
    "covers": ["CO2"],
    "start": "2026-01-01T00:00:00Z",
    "interval_s": 3600,
    "decimals": 3,
    "values": [500, 501],
    "standard": "",
    "source": "Measured",
    "status": "unverified",
}
FUEL = {"ncv": "43.33", "carbon": "0.02020", "oxidation": "0.98"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (set_json(), "a factor or a series at least"),
        (set_json(factor(5)), "factors[0]: member 'value' is '5', not a decimal"),
        (set_json(factor("1e-3")), "factors[0]: member 'value'"),
        (set_json(factor("-1")), "factors[0]: member 'value'"),
        (set_json(factor("05")), "factors[0]: member 'value'"),
        (set_json(factor("٥")), "factors[0]: member 'value'"),
        (set_json(factor(unit="kgCO2/kWh")), "member 'unit' is 'kgCO2/kWh', not a unit such as"),
        (set_json(factor(unit="万Nm³")), "member 'unit'"),
        (set_json(factor(region="china")), "member 'region' is 'china', not a region"),
        (set_json(factor(year=22)), "member 'year'"),
        (set_json(factor(status="true")), "not one of official, secondary, unverified"),
        (set_json(factor(source="")), "member 'source'"),
        (set_json(factor(covers=[])), "gas is 'CO2': covers is ['CO2'], not []"),
        (set_json(factor(gas="CO2e", covers=[])), "where the source does not say"),
        (set_json(factor(gas="CO2e", covers=["CO2e"])), "covers names the gases behind it"),
        (set_json(factor(gas="", covers=["CO2"])), "covers is []"),
        (set_json(factor(), factor()), "stands twice for the same time"),
        (set_json(factor(year=2023), factor(year=2022)), "2022 stands after electricity-average"),
        (
            set_json(factor(**{"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"})),
            "it ends before it begins",
        ),
        (set_json(factor("3.146", parts=FUEL)), "but its parts give 3.14512"),
        (set_json(factor(extra="1")), "unknown member 'extra'"),
        ({**set_json(factor()), "factors": ["x"]}, "factors[0]: it is not an object"),
        ({**set_json(factor()), "title": {"en": "x"}}, "title: member 'zh' is missing"),
        (set_json(series=[{**SERIES, "values": [1, -1]}]), "series[0]: a value is negative"),
        (set_json(series=[{**SERIES, "values": [1, "1"]}]), "values are integers, all of them"),
        (set_json(series=[{**SERIES, "values": []}]), "series[0]: member 'values'"),
        (set_json(series=[{**SERIES, "interval_s": 60}]), "900, 1800 or 3600"),
        (set_json(series=[{**SERIES, "start": "2026-01-01T00:30:00Z"}]), "on no bound"),
        (set_json(series=[SERIES, SERIES]), "series overlap"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(content: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        FactorSet.from_json(content)
    assert said in str(caught.value)


def test_a_factor_that_follows_another_in_time_is_no_repetition() -> None:
    first = factor("0.11", to="2026-01-01T00:00:00Z")
    assert len(own(first, factor("0.10", **{"from": "2026-01-01T00:00:00Z"})).factors) == 2
    with pytest.raises(InvalidInput, match="stands twice"):
        own(first, factor("0.10", **{"from": "2025-12-01T00:00:00Z"}))


def test_toml_spreads_groups_and_fills_in_what_is_left_out() -> None:
    text = """
        source = "Own measurement"
        status = "unverified"
        title = { zh = "自有", en = "Own" }
        [[groups]]
        item = "electricity-average"
        unit = "kg / kWh"
        gas = "CO2"
        by_year = { 2026 = "0.4", 2025 = "0.5" }
        [[factors]]
        item = "heat"
        unit = "t/GJ"
        gas = "CO2"
        value = "0.1"
        status = "official"
        source = "Steam works"
    """
    found = files.parse_toml(text, "own.toml")
    said = [(one.item, one.year, one.value, one.status, one.source) for one in found.factors]
    assert said == [
        ("electricity-average", 2025, "0.5", "unverified", "Own measurement"),
        ("electricity-average", 2026, "0.4", "unverified", "Own measurement"),
        ("heat", 0, "0.1", "official", "Steam works"),
    ]
    for change, wrong in (
        (('value = "0.1"', "value = 0.1"), r"own.toml: factors\[2\]: member 'value' is '0.1'"),
        (("by_year = { 2026", "by_year = { soon"), r"own.toml: groups\[0\]: 'soon' is no year"),
        (("by_year", "by_moon"), "a group has one table of values: by_region or by_year"),
        (("[[factors]]", "[factors]"), r"write \[\[factors\]\]"),
        (('item = "heat"\n', ""), "member 'item' is missing"),
    ):
        with pytest.raises(InvalidInput, match=wrong):
            files.parse_toml(text.replace(*change), "own.toml")


def test_csv_has_one_factor_in_a_row() -> None:
    text = "\ufeffitem,year,unit,gas,covers,value,source\nheat,,t/GJ,CO2,,0.1,Steam\n\n"
    text += "steel,2025,kg/kg,CO2e,CO2 CH4,2.1,EPD of the works\n"
    found = files.parse_csv(text.encode(), "own.csv", head=HEAD)
    assert [(one.item, one.year, one.covers, one.status) for one in found.factors] == [
        ("heat", 0, ("CO2",), "unverified"),
        ("steel", 2025, ("CO2", "CH4"), "unverified"),
    ]
    for change, wrong in (
        (("item,", "thing,"), "own.csv: the header misses 'item'; columns are item, region"),
        (("gas,", "gaz,"), r"the header has \['gaz'\]"),
        ((",2.1,", ",2.1,,"), "own.csv, row 4: it has 8 cells, the header 7"),
        ((",2025,", ",next,"), "own.csv, row 4: 'next' is no year"),
        ((",2.1,", ',"2,1",'), "member 'value' is '2,1'"),
    ):
        with pytest.raises(InvalidInput, match=wrong):
            files.parse_csv(text.replace(*change).encode(), "own.csv", head=HEAD)


def test_places_are_in_provinces_grid_regions_and_the_country() -> None:
    assert regions.chain("440100") == ("440100", "4401", "44", "CN-south", "CN", "")
    # Inner Mongolia lies in two grids: Chifeng in the northeast, Hohhot in the north, 15 in none.
    assert regions.chain("150402") == ("150402", "1504", "15", "CN-northeast", "CN", "")
    assert regions.chain("150102")[3] == "CN-north"
    assert regions.chain("440106003") == (
        *("440106003", "440106", "4401", "44", "CN-south", "CN", ""),
    )
    assert regions.chain("15") == ("15", "CN", "")
    assert regions.chain("GB") == ("GB", "")
    assert regions.chain("CN-east") == ("CN-east", "CN", "")
    levels = [regions.at_level("440100", level) for level in regions.LEVELS]
    assert levels == ["CN", "CN-south", "44"]
    for code, level, said in (
        ("15", "grid", "does not say which grid it is in"),
        ("CN", "province", "does not say which province"),
        ("44", "world", "'world' is no level"),
        ("4", "grid", "region '4' is neither a country"),
    ):
        with pytest.raises(InvalidInput, match=said):
            regions.at_level(code, level)
    for province, grid in (("31", "CN-east"), ("51", "CN-southwest"), ("65", "CN-northwest")):
        assert regions.grid_of(province) == grid


def test_the_grid_of_a_place_stays_what_published_reports_were_made_with() -> None:
    """An audit recomputes them all: a change here would change what old reports come to. A grid
    that is drawn anew is a code of its own, beside these."""
    grids = {digits: regions.grid_of(digits) for digits in map(str, range(10, 10_000))}
    text = json.dumps({digits: grid for digits, grid in grids.items() if grid}, sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "16c7d9ca16fb1fde"


def test_only_sets_that_came_with_us_are_shipped() -> None:
    with pytest.raises(NotFound, match=r"no set of factors '\.\./gwp' came with the program"):
        files.shipped("../gwp")
