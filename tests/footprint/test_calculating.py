"""Footprints of one declared unit, each with its arithmetic."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.accounting.factors.used import read_substitutions
from ledger.errors import InvalidInput, Refused
from ledger.footprint import result
from ledger.footprint.asked import Part
from ledger.footprint.calculating import calculate, kg_of
from ledger.footprint.product import Product
from tests.footprint.books import book, product
from tests.footprint.contents import SUBSTITUTIONS, activity, written

CLAIM = "ab" * 16
FEB = "2026-02"


def parts(**wh: int) -> list[Part]:
    """`self_pv=…`: Wh taken of one claim."""
    found = [
        Part(claim=CLAIM, supply_class=k.split("_")[0], technology=k.split("_")[1], wh=v)
        for k, v in wh.items()
    ]
    return sorted(found)


def test_a_casting() -> None:
    """4,000 castings in February 2026.

    Iron: 12.5 kg × 2.1 = 26.25 kg CO2e.
    Furnace: 240 GJ; the casting has 48,000 of 64,000 kg, that is 3/4: 180 GJ, 0.045 GJ each:
        CO2 0.045 × 56.1 = 2.5245 kg; CH4 0.045 × 0.001 = 0.000045 kg = 45 mg,
        × 27.9 (AR6) = 1,255.5 mg → 1,256 mg (half to even of 1255.5).
    Electricity: 8,000 kWh; self PV 3,000, direct wind 1,000, residual 4,000, each / 4,000 pieces:
        0.75 × 0.0545 = 0.040875 kg; 0.25 × 0.0336 = 0.0084 kg; 1 × 0.5777 = 0.5777 kg.
    Total: 26.25 + 2.5245 + 0.001256 + 0.040875 + 0.0084 + 0.5777 = 29.402731 kg.
    """
    found = calculate(product(), FEB, book(), parts(direct_wind=1_000_000, self_pv=3_000_000))
    assert {one.id: one.co2e_mg for one in found.lines} == {
        "iron": 26_250_000,
        "gas": 2_524_500 + 1_256,
        f"electricity-self-pv-{CLAIM[:8]}": 40_875,
        f"electricity-direct-wind-{CLAIM[:8]}": 8_400,
        "electricity-residual": 577_700,
    }
    assert found.stages_mg == {"raw-material": 26_250_000, "production": 3_152_731}
    assert kg_of(found.total_mg) == "29.402731"
    gas = next(one for one in found.lines if one.id == "gas")
    assert gas.gases_mg == {"CO2": 2_524_500, "CH4": 45}
    assert (gas.share, gas.coverage) == (Fraction(3, 4), ("CH4", "CO2"))


def test_what_the_result_says() -> None:
    """Primary data stands behind the electricity alone: 626,975 of 29,402,731 mg, 21,323.7 ppm.

    Ratings: electricity 1, 1, 2, all else 3: (3 × 28,775,756 + 626,975) / 29,402,731 = 2.957…
    """
    found = calculate(product(), FEB, book(), parts(direct_wind=1_000_000, self_pv=3_000_000))
    said = result.to_json(found)
    assert said["declared_units"] == "4000"
    assert said["primary_ppm"] == 21_324
    assert said["data_quality"] == {"technology": "2.96", "place": "2.96", "time": "2.98"}
    assert [(one["id"], one["wh"]) for one in said["electricity"]["levels"]] == [
        ("internal", 3_000_000),
        ("dedicated-line", 1_000_000),
        ("contractual-instrument", 0),
        ("residual", 4_000_000),
    ]
    assert [one["share_ppm"] for one in said["allocation"][0]["outputs"]] == [750_000, 250_000]
    assert {one["id"]: one["co2e_mg"] for one in said["coverage"]} == {
        "CH4, CO2": 2_525_756,
        "CH4, CO2, N2O": 26_250_000,
        "unstated": 626_975,
    }
    assert said["gases"] == [
        {"id": "CH4", "mg": 45, "co2e_mg": 1_256},
        {"id": "CO2", "mg": 2_524_500, "co2e_mg": 2_524_500},
        {"id": "CO2e", "mg": 26_876_975, "co2e_mg": 26_876_975},
    ]
    assert said["totals"]["excluding_uptake_kg"] == "29.402731"
    # Every figure that a factor was found elsewhere for says so.
    labelled = [one for line in said["lines"] for one in line["factors"] if one["substituted"]]
    assert {one["substituted"]["reason"] for one in labelled} == {"the latest published"}


def test_wood_takes_carbon_up() -> None:
    """1 m3 of timber: saw 10 kWh residual × 0.5777 = 5.777 kg; uptake 900 kg, 2.5 kg CH4 from the
    pile × 27.9 = 69.75 kg, 3 kg CO2 of land-use change, 0.5 kg of a flight.

    Excluding uptake: 5.777 + 69.75 + 3 + 0.5 = 79.027 kg; including: 79.027 − 900 = −820.973 kg.
    """
    bill = [
        activity("saw", "10", "kWh", item="electricity"),
        activity("trees", "900", "kg", stage="raw-material", category="uptake", gas="CO2"),
        activity("pile", "2.5", "kg", stage="raw-material", category="biogenic", gas="CH4"),
        activity("road", "3", "kg", stage="raw-material", category="land-use-change", gas="CO2"),
        activity("flight", "500", "g", stage="raw-material", category="aircraft", gas="CO2"),
    ]
    timber = product(
        unit="cubic meter", activities=bill, production=[{"period": FEB, "quantity": "7"}]
    )
    totals = result.to_json(calculate(timber, FEB, book()))["totals"]
    assert {
        name: totals[f"{name}_kg"]
        for name in (
            "fossil",
            "aircraft",
            "biogenic",
            "land_use_change",
            "uptake",
            "excluding_uptake",
            "including_uptake",
        )
    } == {
        "fossil": "6.277",
        "aircraft": "0.5",
        "biogenic": "69.75",
        "land_use_change": "3",
        "uptake": "-900",
        "excluding_uptake": "79.027",
        "including_uptake": "-820.973",
    }


def test_a_suppliers_footprint() -> None:
    """3 t of steel; the supplier says 1,850 kg CO2e for each 1,000 kg, 40 % of it primary data.

    3,000 kg / 1,000 kg × 1,850 kg = 5,550 kg, of which 2,220 kg primary: 400,000 ppm."""
    steel = {
        "document": "cd" * 16,
        "sha256": "ef" * 32,
        "pcf": "1850",
        "declared_unit": "kilogram",
        "declared_amount": "1000",
        "primary_share": "40",
    }
    bill = [activity("steel", "3", "t", stage="raw-material", supplier=steel)]
    found = calculate(product(activities=bill), FEB, book())
    assert found.total_mg == 5_550_000_000
    assert result.to_json(found)["primary_ppm"] == 400_000


@pytest.mark.parametrize(
    ("method", "values", "share"),
    [
        # 4,000 × 12 kg of 64,000 kg.
        ("mass", ("12", "1"), Fraction(3, 4)),
        # 4,000 × 95.5 of 382,000 + 16,000 × 0.3 = 4,800: 382,000 / 386,800.
        ("economic", ("95.5", "0.3"), Fraction(382_000, 386_800)),
        # Slag has no energy: all is the casting's.
        ("energy", ("1", "0"), Fraction(1)),
    ],
)
def test_shares(method: str, values: tuple[str, str], share: Fraction) -> None:
    content = written()
    allocation = content["allocation"][0]
    allocation["method"] = method
    for output, value in zip(allocation["outputs"], values, strict=True):
        output["value"] = value
    shares = Product.from_json(content).allocations[0].shares()
    assert shares["casting"] == share
    assert sum(shares.values()) == 1


def changed(**activity_changes: Any) -> dict[str, Any]:
    content = written()
    content["activities"][1] |= activity_changes
    return content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (changed(item="unheard-of"), "product Casting, activity gas: no factor of unheard-of"),
        (changed(unit="kg"), "activity gas: burner, CN, 2026 is in kg/GJ: unit 'kg'"),
        (changed(group="", per="2025-01"), ""),
        (written(production=[]), "production of 2026-02 is missing"),
        (
            written(allocation=[{**written()["allocation"][0], "period": "2026-01"}]),
            "allocation of group 'furnace' in 2026-02 is missing",
        ),
        (
            written(stated=[{"period": FEB, "total_kg": "29.50", "stages": []}]),
            "product Casting, 2026-02: the stated total is 29.50 kg, its activities give 29.9",
        ),
        (
            written(
                stated=[
                    {
                        "period": FEB,
                        "total_kg": "29.93116",
                        "stages": [
                            {"stage": "raw-material", "kg": "26.2"},
                            {"stage": "production", "kg": "3.73116"},
                        ],
                    }
                ]
            ),
            "the stated stage production is 3.73116 kg, its activities give 3.681156 kg CO2e",
        ),
    ],
)
def test_refused_by_name(content: dict[str, Any], said: str) -> None:
    of = Product.from_json(content)
    if not said:
        assert "gas" not in {one.id for one in calculate(of, FEB, book()).lines}
        return
    with pytest.raises((InvalidInput, Refused)) as caught:
        calculate(of, FEB, book())
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {
                "stated": [
                    {
                        "period": FEB,
                        "total_kg": "10",
                        "stages": [{"stage": "production", "kg": "9.9"}],
                    }
                ]
            },
            "its stages do not sum to its total of 10 kg: production 9.9 is 9.9 kg",
        ),
        ({"activities": [activity("x", "1", "kg", item="a", gas="CO2")]}, "item and gas"),
        ({"activities": [activity("x", "1", "kg")]}, "it has none of item, gas and supplier"),
        (
            {"activities": [activity("x", "-1", "kg", gas="CO2")]},
            "activity x: member 'quantity' is '-1'",
        ),
        (
            {"activities": [activity("x", "1", "kWh", stage="use", item="electricity")]},
            "activity x: item electricity is what the producer itself uses",
        ),
        (
            {"activities": [activity("x", "1", "kg", stage="use", gas="CO2")]},
            "activity x is of the stage use; cradle-to-gate has raw-material, production",
        ),
        (
            {"activities": [activity("x", "1", "kg", gas="CO2", group="furnace")]},
            "what is stated per declared unit is the product's own",
        ),
        (
            {"activities": [activity("x", "1", "kg", gas="CO2", per=FEB, group="mill")]},
            "activity x: group 'mill' has no allocation; there is furnace",
        ),
        ({"unit": "hour"}, "mass_kg is 12; a hour has none: 0"),
        ({"unit": "kilo"}, "'unit' is 'kilo'"),
        ({"ids": ["gtin 1"]}, "member 'ids' is"),
        (
            {"cut_off": {"rule": "", "share_ppm": 1_000_001}},
            "cut_off: member 'share_ppm' is '1000001'",
        ),
    ],
)
def test_no_product(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        product(**change)
    assert said in str(caught.value)


def test_electricity_has_its_factor_or_is_refused() -> None:
    with pytest.raises(Refused, match="8500000 Wh are taken of claims, but it used 8000000 Wh"):
        calculate(product(), FEB, book(), parts(self_pv=8_500_000))
    with pytest.raises(InvalidInput, match="no life-cycle factor of self electricity of technol"):
        calculate(product(), FEB, book(), parts(self_coal=1))
    # Without a stated substitution there is none of 2026.
    some = read_substitutions(SUBSTITUTIONS[:1])
    with pytest.raises(InvalidInput, match="no factor of electricity-life-cycle-pv"):
        calculate(product(), FEB, book(substitutions=some), parts(self_pv=1))


@settings(max_examples=25, deadline=None)
@given(
    quantities=st.lists(st.integers(1, 10**9), min_size=1, max_size=6),
    made=st.integers(1, 10**6),
    weights=st.lists(st.integers(1, 10**6), min_size=2, max_size=5),
    taken=st.integers(0, 10**6),
)
def test_parts_are_the_whole(
    quantities: list[int], made: int, weights: list[int], taken: int
) -> None:
    """Stages sum to lines, categories to the total, shares of all co-products to what was used."""
    outputs = [
        {"id": f"o{n}", "quantity": str(weight), "value": "1"} for n, weight in enumerate(weights)
    ]
    bill = [
        activity(
            f"a{n}",
            str(quantity),
            "kg",
            per=FEB,
            group="furnace",
            gas="CO2",
            stage=("production", "raw-material")[n % 2],
        )
        for n, quantity in enumerate(quantities)
    ]
    bill.append(activity("power", str(taken), "Wh", per=FEB, item="electricity"))
    shares = []
    for own in outputs:
        of = product(
            activities=bill,
            production=[{"period": FEB, "quantity": str(made)}],
            allocation=[
                {
                    "group": "furnace",
                    "period": "",
                    "method": "mass",
                    "own": own["id"],
                    "reason": "x",
                    "outputs": outputs,
                }
            ],
        )
        some = parts(self_pv=taken // 2) if taken > 1 else []
        found = calculate(of, FEB, book(), some)
        said = result.to_json(found)
        assert sum(one["co2e_mg"] for one in said["stages"]) == found.total_mg
        assert sum(one["co2e_mg"] for one in said["lines"]) == found.total_mg
        assert sum(one["co2e_mg"] for one in said["coverage"]) == found.total_mg
        assert sum(one["co2e_mg"] for one in said["gases"]) == found.total_mg
        assert sum(one["wh"] for one in said["electricity"]["levels"]) == taken
        shares.append(next(one.share for one in found.lines if one.group))
    assert sum(shares) == 1
