"""What is refused, by the name of what is missing; and that nothing leaks into a figure."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.accounting.electricity import lines_of, spread_line
from ledger.accounting.facts import ActivityFact, Facts, Offset, Supply
from ledger.accounting.finding import Finder, Options
from ledger.accounting.lines import Line, total_of
from ledger.accounting.regime_reading import shipped, shipped_regimes
from ledger.errors import InvalidInput, LedgerError, Refused
from ledger.units import Period, parse_instant
from tests.accounting.building import (
    GUANGZHOU,
    MWH,
    QUARTERS,
    YEAR,
    activity,
    credit,
    curve,
    electricity,
    facts,
    supply,
    the_year,
    under,
    with_series,
)

LATER = Period(
    start_s=parse_instant("2025-12-31T16:00:00Z"), end_s=parse_instant("2026-12-31T16:00:00Z")
)


def used(**more: Any) -> Facts:
    return facts(electricity(100, **more))


def burnt(*activities: ActivityFact, **more: Any) -> Facts:
    return facts(None, *activities, **more)


def refused(found: Facts, name: str = "ndrc-910", **asked: Any) -> str:
    with pytest.raises(LedgerError) as error:
        under(name, found, **asked)
    assert isinstance(error.value, InvalidInput | Refused)
    return str(error.value)


# Factors


def test_an_unknown_factor() -> None:
    assert "no factor of fuel-peat" in refused(burnt(activity("a", "fuel", "fuel-peat", "1", "t")))


def test_a_year_without_a_factor_takes_a_stated_substitution() -> None:
    """2026 has no average of Guangdong; 100 MWh × 0.4419 with a substitution, which is printed."""
    later = facts(electricity(100), period=LATER)
    said = refused(later, "ghg-location")
    assert "electricity-average, region 44 (广东 Guangdong), year 2026" in said
    assert "use_year" in said
    stated = {
        "item": "electricity-average",
        "region": "44",
        "year": 2026,
        "use_region": "44",
        "use_year": 2023,
        "reason": "No factor of 2026 is published yet",
    }
    made = under("ghg-location", later, substitutions=[stated])
    assert made.total.mass_g == 44_190_000
    (use,) = made.uses
    assert use["substituted"]["reason"] == "No factor of 2026 is published yet"


def test_a_place_without_a_province() -> None:
    assert "does not say which province" in refused(used(region=""), "ghg-location")


def test_no_series_by_the_hour() -> None:
    assert "no series" in refused(used(region="310000"), "ghg-location-hourly")


def test_a_factor_of_a_gas_that_the_regime_does_not_count() -> None:
    """Methane by the hour under a regime of CO2 alone: neither consumption nor losses take it."""
    regime = replace(shipped("ghg-location-hourly"), gases=("CO2",), gwp="")
    methane = with_series([1] * QUARTERS, gas="CH4")
    finder = Finder.of(methane, regime, Options(), used())
    why = "counts CO2, and its factor of electricity is of CH4"
    with pytest.raises(InvalidInput, match=why):
        lines_of(finder, used())
    with pytest.raises(InvalidInput, match=why):
        spread_line(finder, MWH, curve(MWH), id_="losses", title={"zh": "", "en": ""}, records=())


def test_a_unit_that_does_not_convert() -> None:
    said = refused(burnt(activity("a", "fuel", "fuel-natural-gas", "1", "m3")))
    assert "'m3'" in said
    assert "Nm3" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"value": "much"}, "is 'much', not a decimal"),
        ({"value": ""}, "lacks value"),
        ({"gas": "CO2e"}, "an unlabelled mixture: name the gas"),
        ({"unit": "t/t"}, "does not convert"),
    ],
)
def test_an_own_factor_that_is_none(change: dict[str, str], said: str) -> None:
    own = {"value": "0.09", "unit": "t/GJ", "gas": "CO2", "source": "Measured", **change}
    assert said in refused(burnt(activity("a", "heat", "heat", "1", "GJ", factor=own)))


def test_two_years_at_once() -> None:
    both = Period(start_s=YEAR.start_s, end_s=YEAR.end_s + 900)
    flat = np.zeros(QUARTERS + 1, dtype=np.int64)
    found = facts(electricity(0, quarter_wh=flat), period=both)
    assert "years 2023 and 2024" in refused(found)


# Twice


def diesel(record: str, **more: Any) -> ActivityFact:
    return activity(record, "fuel", "fuel-diesel", "10", "t", **more)


def half(which: int) -> Period:
    middle = (YEAR.start_s + YEAR.end_s) // 2
    return YEAR.split(middle - middle % 900)[which]


INVOICE, OTHER = ("0" * 31 + "1",), ("0" * 31 + "2",)


def test_the_same_item_twice() -> None:
    said = refused(burnt(diesel("bill"), diesel("tank")))
    assert "bill and tank of fuel-diesel say the same of the same time" in said
    assert "within" in said
    said = refused(burnt(diesel("a", documents=INVOICE), diesel("b", documents=INVOICE)))
    assert "a and b of fuel-diesel say the same" in said


def test_a_month_has_many_bills() -> None:
    """10 t each but of two invoices, and 5 t more of the first: 25 × 3.145 t."""
    found = burnt(
        diesel("a", documents=INVOICE),
        diesel("b", documents=OTHER),
        activity("c", "fuel", "fuel-diesel", "5", "t", documents=INVOICE),
    )
    assert under("ndrc-910", found).total.mass_g == 78_625_000


def test_a_year_and_a_part_of_it() -> None:
    """Told apart by the documents of each, and by nothing else."""
    for mine, theirs in (((), ()), (INVOICE, ()), (INVOICE, INVOICE)):
        year = diesel("year", documents=mine)
        part = diesel("part", period=half(1), documents=theirs)
        assert "year and part of fuel-diesel are of the same organisation and system" in refused(
            burnt(year, part)
        )
    both = burnt(diesel("a", documents=INVOICE), diesel("b", period=half(1), documents=OTHER))
    assert under("ndrc-910", both).total.mass_g == 62_900_000


def test_what_is_billed_and_metered() -> None:
    said = refused(burnt(diesel("bill", documents=INVOICE), diesel("tank", point="p1")))
    assert "bill and tank of fuel-diesel: one is metered, the other is not" in said


def test_one_after_the_other_is_not_twice() -> None:
    found = burnt(diesel("a", period=half(0)), diesel("b", period=half(1)))
    assert under("ndrc-910", found).total.mass_g == 62_900_000


def test_a_meter_and_the_one_above_it() -> None:
    """Two meters side by side are two amounts; one above the other, at any height, is one."""
    apart = (diesel("a", point="p1"), diesel("b", point="p2"))
    assert under("ndrc-910", burnt(*apart)).total.mass_g == 62_900_000
    said = refused(burnt(*apart, parents={"p1": "hall", "hall": "p2"}))
    assert "point p2 is above p1" in said
    assert "are both of point p1" in refused(
        burnt(diesel("a", point="p1"), diesel("b", point="p1"))
    )


def test_a_detail_counts_within_its_whole() -> None:
    found = burnt(diesel("tank"), replace(diesel("van", within="tank"), quantity=Fraction(4)))
    assert under("ndrc-910", found).total.mass_g == 31_450_000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"within": "nothing"}, "is within nothing, which is not there"),
        ({"quantity": Fraction(11)}, "is more than tank"),
        ({"item": "fuel-gasoline"}, "is fuel fuel-gasoline, tank"),
    ],
)
def test_a_detail_that_fits_no_whole(change: dict[str, Any], said: str) -> None:
    detail = replace(diesel("van"), **{"within": "tank", **change})
    assert said in refused(burnt(diesel("tank"), detail))


# Electricity


def test_a_technology_in_no_set() -> None:
    said = refused(facts(electricity(100, supply("direct", "fusion", 10))))
    assert "supply direct-fusion: technology 'fusion' is in no set of regime ndrc-910" in said


def test_a_technology_without_a_factor() -> None:
    said = refused(facts(electricity(100, supply("direct", "hydro", 10))), "product-footprint")
    assert "no factor for direct supply of technology 'hydro'" in said


def test_supply_beyond_consumption() -> None:
    with pytest.raises(Refused, match="supply beyond consumption is nobody's"):
        electricity(100, supply("unbundled", "wind", 101))


def test_supply_beyond_consumption_in_one_quarter_hour() -> None:
    late = np.roll(curve(10 * MWH), 4000)
    early = electricity(100, supply("direct", "wind", 10))
    assert early.residual_wh == 90 * MWH
    with pytest.raises(Refused, match="quarter-hour 4000 of the period"):
        electricity(100, supply("direct", "wind", 10, quarter_wh=late))


def test_own_power_of_fuel_needs_the_fuel() -> None:
    found = facts(electricity(100, supply("self", "gas", 100)))
    assert "no fuel is on record" in refused(found)
    gas = activity("gas", "fuel", "fuel-natural-gas", "1", "10^4 Nm3")
    made = under("ndrc-910", facts(found.electricity, gas))
    assert made.total.mass_g == 21_622_000


# Gases


def test_an_unlabelled_mixture() -> None:
    one = Line(
        id="power",
        category="electricity",
        title={},
        quantity=Fraction(1),
        unit="Wh",
        gases_g={"CO2": 3},
        coverage=("CO2",),
    )
    other = replace(one, id="leak", category="process", gases_g={"CH4": 2}, coverage=("CH4",))
    with pytest.raises(Refused, match="unlabelled mixture: power covers CO2; leak covers CH4"):
        total_of([one, other], co2e=False, labelled=False)
    total = total_of([one, other], co2e=False, labelled=True)
    assert total.label == "electricity: CO2 only; process: CH4 only"
    assert total.gases_g == {"CO2": 3, "CH4": 2}


def test_co2e_of_unstated_gases_in_a_figure_of_co2() -> None:
    rules = shipped("ndrc-910")
    transport = shipped("ghg-market").terms["transport"]
    mixed = replace(rules, terms={**rules.terms, "transport": transport})
    lorry = activity("lorry", "transport", "transport-rail", "5", "t km")
    with pytest.raises(InvalidInput, match="regime ndrc-910 counts CO2; the factor is CO2e"):
        under(mixed, burnt(lorry))


# Leaks

# What an outsider knows of the regimes, without reading them.
KNOW_CERTIFICATES = {"ndrc-910", "ghg-market", "ghg-market-hourly", "product-footprint"}
KNOW_SEPARATE_ONES = KNOW_CERTIFICATES - {"ghg-market-hourly"}
EMITTING = [name for name in shipped_regimes() if shipped(name).figure == "emissions"]

offsets = st.builds(
    credit,
    st.sampled_from(["ccer", "phcer", "internal"]),
    st.integers(1, 10**6),
    st.sampled_from(["ets-compliance", "local-compliance", "neutrality", "voluntary"]),
    st.sampled_from(["credit", "record"]),
)
bought = st.builds(
    lambda supply_class, technology, mwh: Supply(
        supply_class=supply_class,
        technology=technology,
        region=GUANGZHOU,
        wh=mwh * MWH,
        quarter_wh=None if supply_class == "unbundled" else curve(mwh * MWH),
        record="bought",
    ),
    st.sampled_from(["traded", "timestamped", "unbundled"]),
    st.sampled_from(["wind", "pv", "biomass"]),
    st.integers(1, 20_000),
)


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(EMITTING), st.lists(offsets, max_size=3, unique_by=str))
def test_no_offset_changes_a_total(name: str, more: list[Offset]) -> None:
    plain = the_year()
    made = under(name, replace(plain, offsets=(*plain.offsets, *more)))
    assert made.total == under(name, plain).total


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(EMITTING), bought)
def test_a_certificate_changes_a_total_only_where_the_regime_knows_it(
    name: str, one: Supply
) -> None:
    plain = the_year()
    power = replace(plain.electricity, supplies=(*plain.electricity.supplies, one))
    before = under(name, plain).total.mass_g
    after = under(name, replace(plain, electricity=power)).total.mass_g
    knows = KNOW_SEPARATE_ONES if one.supply_class == "unbundled" else KNOW_CERTIFICATES
    assert (after < before) if name in knows else (after == before)
