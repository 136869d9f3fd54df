"""What is found, what is refused with what there is, and what a substitution says."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest

from ledger.accounting.factors.library import FactorLibrary
from ledger.accounting.factors.used import Substitution, labels, read_substitutions
from ledger.errors import InvalidInput
from ledger.units import parse_instant
from tests.accounting.factors.sets import factor, own, published, shipped_library

STATED = {
    "item": "electricity-average",
    "region": "44",
    "year": 2018,
    "use_region": "44",
    "use_year": 2021,
    "reason": "Test park of 2018: no factor was published",
}


def one_set(*factors: dict[str, Any]) -> FactorLibrary:
    return FactorLibrary(sets=(published("own", own(*factors)),))


def test_the_narrowest_region_that_has_the_item_serves() -> None:
    library = one_set(
        factor("0.5"), factor("0.3", region="44"), factor("0.2", item="heat", unit="t/GJ")
    )
    find = library.find
    assert find("electricity-average", region="440100", year=2022).factor.region == "44"
    assert find("electricity-average", region="310000", year=2022).factor.region == "CN"
    assert find("electricity-average", region="CN", year=2022).value == Fraction(1, 2)
    # Nowhere is Guangdong's without asking for Guangdong.
    with pytest.raises(InvalidInput, match="no factor of electricity-average, region GB"):
        find("electricity-average", region="GB", year=2022)


def test_it_does_not_slide_to_a_wider_region_or_another_year() -> None:
    library = one_set(factor("0.5", year=2018), factor("0.3", region="44"))
    with pytest.raises(InvalidInput) as caught:
        library.find("electricity-average", region="440100", year=2018)
    assert str(caught.value) == (
        "no factor of electricity-average, region 440100 (广东 Guangdong), year 2018; there is:"
        " 44 2022, CN 2018. To use another one, state a substitution with its reason:"
        ' {"item": "electricity-average", "region": "440100", "year": 2018, "use_region": "44",'
        ' "use_year": 2022, "reason": "…"}'
    )


def test_a_stated_substitution_is_used_and_labelled() -> None:
    found = shipped_library().find(
        "electricity-average", region="440100", year=2018, substitutions=[STATED]
    )
    use = found.use()
    assert (use["region"], use["year"], use["value"]) == ("44", 2021, "0.4715")
    assert use["substituted"] == {
        "wanted": {"item": "electricity-average", "region": "44", "year": 2018},
        "reason": "Test park of 2018: no factor was published",
    }
    assert labels([use])[0] == (
        "electricity-average, 44, 2021 stands in for 44, 2018: Test park of 2018: no factor was"
        " published"
    )
    # Where the factor itself exists, it is used, and nothing is labelled.
    there = Substitution.from_json({**STATED, "year": 2023})
    known = shipped_library().find(
        "electricity-average", region="44", year=2023, substitutions=[there]
    )
    assert (known.use()["value"], known.use()["substituted"]) == ("0.4419", "")
    assert labels([known.use()]) == []


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({**STATED, "use_year": 1999}, "nor is there one of region '44', year 1999"),
        ({**STATED, "reason": ""}, "substitution of 'electricity-average': member 'reason'"),
        ({**STATED, "use_region": "moon"}, "member 'use_region' is 'moon'"),
        ("44", "a substitution is an object with item, region, year"),
        ({**STATED, "year": 2017}, "To use another one, state a substitution"),
    ],
)
def test_a_substitution_that_does_not_help_is_refused(stated: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(said)):
        shipped_library().find(
            "electricity-average", region="44", year=2018, substitutions=[stated]
        )


def test_no_substitution_is_stated_twice() -> None:
    assert read_substitutions([STATED]) == (Substitution.from_json(STATED),)
    with pytest.raises(InvalidInput, match="is stated twice"):
        read_substitutions([STATED, {**STATED, "use_year": 2022}])


def test_two_sets_that_say_it_have_to_be_put_in_order() -> None:
    first = published("first", own(factor("0.5")))
    second = published("second", own(factor("0.6"), factor("0.7", year=2023)), entry=9)
    with pytest.raises(InvalidInput, match="the sets first and second both say it; name in 'sets'"):
        FactorLibrary(sets=(first, second)).find("electricity-average", region="CN", year=2022)
    for sets, value in (((first, second), "0.5"), ((second, first), "0.6")):
        found = FactorLibrary(sets=sets, ordered=True).find(
            "electricity-average", region="CN", year=2022
        )
        assert (found.factor.value, found.by.name) == (value, sets[0].name)
    # What the first one lacks, the next one gives.
    ordered = FactorLibrary(sets=(first, second), ordered=True)
    later = ordered.find("electricity-average", region="CN", year=2023).use()
    assert (later["set"], later["entry"], later["hash"]) == ("second", 9, f"{9:064x}")


def test_standards_and_gases_are_named_where_they_differ() -> None:
    library = one_set(
        factor("2.6", item="fuel-diesel", year=0, unit="kg/l", gas="CH4", covers=["CH4"]),
        factor("2.5", item="fuel-diesel", year=0, unit="kg/l"),
        factor("28", item="gwp-ch4", year=0, unit="kg/kg", standard="AR5"),
        factor("27.9", item="gwp-ch4", year=0, unit="kg/kg", standard="AR6"),
    )
    with pytest.raises(InvalidInput, match="it differs by standard; name one of 'AR5', 'AR6'"):
        library.find("gwp-ch4", region="CN", year=2022)
    assert library.find("gwp-ch4", region="CN", year=2022, standard="AR6").factor.value == "27.9"
    with pytest.raises(InvalidInput, match="it has factors of CH4, CO2; name the gas"):
        library.find("fuel-diesel", region="CN", year=2022)
    gases = library.find_gases("fuel-diesel", region="CN", year=2022)
    assert [(one.gas, one.factor.value) for one in gases] == [("CH4", "2.6"), ("CO2", "2.5")]
    assert library.find("fuel-diesel", region="CN", year=2022, gas="CO2").factor.value == "2.5"


def test_a_factor_with_dates_serves_while_it_is_in_force() -> None:
    ended = factor("0.11", item="heat", year=0, unit="t/GJ", to="2026-01-01T00:00:00Z")
    begun = {**ended, "value": "0.10", "from": "2026-01-01T00:00:00Z", "to": ""}
    library = one_set(ended, begun)
    for at, value in (("2025-12-31T23:59:59Z", "0.11"), ("2026-01-01T00:00:00Z", "0.10")):
        found = library.find("heat", region="CN", year=2025, at_s=parse_instant(at))
        assert found.factor.value == value
    # Without a time, the one in force when the year ends.
    values = [library.find("heat", region="CN", year=year).factor.value for year in (2025, 2026)]
    assert values == ["0.11", "0.10"]
    gone = one_set(ended)
    with pytest.raises(InvalidInput, match="no factor of heat"):
        gone.find("heat", region="CN", year=2026)


def test_units_are_converted_or_refused_by_name() -> None:
    library = shipped_library()
    diesel = library.find("fuel-diesel", region="CN", year=2026)
    with pytest.raises(InvalidInput, match=r"fuel-diesel, CN, undated is in t/t: unit 'l' \("):
        diesel.times(100, "l", "g")
    average = library.find("electricity-average", region="CN", year=2023, unit="g/MJ")
    # 0.5306 kg/kWh over 3.6 MJ.
    assert average.value == Fraction("530.6") / Fraction("3.6")
    assert average.use()["unit"] == "kg/kWh"
    with pytest.raises(InvalidInput, match=r"unit 'kg/kWh' \(mass per energy\) does not convert"):
        library.find("electricity-average", region="CN", year=2023, unit="kg/t")
    truck = library.find("transport-truck-diesel-30t", region="44", year=2026)
    assert truck.times(1500, "t km", "kg") == 117


def test_an_unknown_item_says_which_there_are() -> None:
    with pytest.raises(InvalidInput, match="has that item; there is: fuel-anthracite, fuel-bitum"):
        shipped_library().find("fuel-peat", region="CN", year=2022)
    with pytest.raises(InvalidInput, match="no set of factors is in force; publish one"):
        FactorLibrary(sets=()).find("heat", region="CN", year=2022)
    with pytest.raises(InvalidInput, match="region 'Kanton' is neither"):
        shipped_library().find("heat", region="Kanton", year=2022)
