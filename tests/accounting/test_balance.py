"""The park: Σ members − internal transfers + losses, to the gram."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.accounting.balance import Balance, balance
from ledger.accounting.facts import PARK, ActivityFact, Ccus, Export, Facts, Losses, ParkEnergy
from ledger.accounting.regime_reading import shipped
from ledger.errors import InvalidInput
from tests.accounting.building import (
    MWH,
    TONNE_G,
    activity,
    credit,
    electricity,
    facts,
    library,
    supply,
)


def heat(record: str, who: str, other: str, direction: str, gj: str = "10000") -> ActivityFact:
    return activity(
        record,
        "heat",
        "heat",
        gj,
        "GJ",
        organisation=who,
        counterparty=other,
        direction=direction,
    )


def boiler(*more: ActivityFact) -> Facts:
    """Burns 100 × 10⁴ Nm³ of gas (2,162.2 t), uses 200 MWh."""
    gas = activity("gas", "fuel", "fuel-natural-gas", "100", "10^4 Nm3", organisation="boiler")
    return facts(electricity(200), gas, *more, subject="boiler")


def mill(*more: ActivityFact, mwh: float = 1000) -> Facts:
    return facts(electricity(mwh), *more, subject="mill")


def the_park(energy: ParkEnergy | None = None) -> Facts:
    lost = Losses(point="main-meter", parent_wh=1_230 * MWH, children_wh=1_200 * MWH)
    stores = ParkEnergy(losses=(lost,), storage_loss_wh=5 * MWH, storage_green_loss_wh=2 * MWH)
    return facts(electricity(0), subject=PARK, park=energy or stores)


def both() -> tuple[Facts, Facts]:
    """10,000 GJ of heat go from the boiler to the mill."""
    return boiler(heat("sold", "boiler", "mill", "out")), mill(heat("got", "mill", "boiler", "in"))


def under(name: str, *members: Facts, park: Facts | None = None) -> Balance:
    return balance(shipped(name), library(), members, park or the_park())


def t(mass_g: int) -> float:
    return mass_g / TONNE_G


def test_910() -> None:
    """Boiler 2,162.2 − 1,100 + 200 × 0.8325; mill 1,100 + 832.5; transfers + 1,100 − 1,100; losses
    30 × 0.8325 = 24.975; of the storage 3 × 0.8325 = 2.4975: 3,188.6725."""
    made = under("ndrc-910", *both())
    assert [t(one.total.mass_g) for one in made.members] == [1_228.7, 1_932.5]
    assert [t(one.mass_g) for one in made.transfers] == [1_100, -1_100]
    assert [t(one.mass_g) for one in made.losses] == [24.975, 2.4975]
    assert t(made.park.total.mass_g) == 3_188.6725


def test_a_regime_that_has_no_heat_sold_takes_out_what_was_bought() -> None:
    """MEE: 2,162.2 + 114.06; 1,100 + 570.3; − 1,100; losses 17.109 + 1.7109 = 2,865.3799."""
    made = under("mee-ets-reporting", *both())
    assert [t(one.mass_g) for one in made.transfers] == [-1_100]
    assert t(made.park.total.mass_g) == 2_865.3799


def test_losses_are_never_green() -> None:
    """All that the mill uses is green; what is lost on the way counts all the same."""
    green = facts(electricity(1000, supply("direct", "wind", 1000)), subject="mill")
    made = under("ndrc-910", green)
    assert made.members[0].total.mass_g == 0
    assert t(made.park.total.mass_g) == 24.975 + 2.4975


@pytest.mark.parametrize("name", ["ndrc-910", "ghg-market", "guangdong-ets", "product-footprint"])
def test_the_park_is_its_parts(name: str) -> None:
    made = under(name, *both())
    parts = [
        *(one.total.mass_g for one in (*made.members, made.own)),
        *(one.mass_g for one in (*made.losses, *made.transfers) if one.counts == "total"),
    ]
    assert made.park.total.mass_g == sum(parts)
    scopes = made.park.by_scope()
    assert sum(one["mass_g"] for one in scopes) == made.park.total.mass_g


def test_what_one_side_alone_says() -> None:
    """The mill says that it got 10,000 GJ, the boiler nothing, or that it gave 9,000: so the mill
    may have bought heat outside, 1,100 t, which stay. What was given is taken out anyway."""
    alone = under("ndrc-910", boiler(), mill(heat("got", "mill", "boiler", "in")))
    assert t(alone.park.total.mass_g) == 4_288.6725
    more = under(
        "ndrc-910",
        boiler(heat("sold", "boiler", "mill", "out", gj="9000")),
        mill(heat("got", "mill", "boiler", "in")),
    )
    assert t(more.park.total.mass_g) == 4_288.6725
    assert [one["id"] for one in more.to_json()["differences"]] == ["boiler/mill/heat/heat"]
    given = under("ndrc-910", boiler(heat("sold", "boiler", "mill", "out")), mill())
    assert t(given.park.total.mass_g) == 3_188.6725


def test_fuel_of_another_member_is_burnt_all_the_same() -> None:
    """The mill burns 50 t of coal that it has from the boiler: no other member counts that."""
    bare = activity("coal", "fuel", "fuel-bituminous", "50", "t", organisation="mill")
    named = replace(bare, counterparty="boiler")
    with_name, without = (under("ndrc-910", boiler(), mill(one)) for one in (named, bare))
    assert with_name.transfers == ()
    assert with_name.park.total.mass_g == without.park.total.mass_g
    burnt_g = sum(one.mass_g for one in with_name.members[1].lines if one.category == "fuel")
    assert burnt_g > 50 * TONNE_G


def test_what_members_say_differently_is_shown() -> None:
    """9,800 GJ arrived of 10,000: both sides are taken out, the pipe's loss is in the fuel."""
    made = under(
        "ndrc-910",
        boiler(heat("sold", "boiler", "mill", "out")),
        mill(heat("got", "mill", "boiler", "in", gj="9800")),
    )
    assert t(made.park.total.mass_g) == 3_188.6725
    (found,) = made.to_json()["differences"]
    assert (found["from"], found["to"], found["out"], found["in"]) == (
        "boiler",
        "mill",
        "10000",
        "9800",
    )


def test_electricity_and_materials_between_members() -> None:
    """The boiler's own coal plant gives the mill 100 MWh by a line (83.25 t there, 83.25 t less
    here); the boiler gives the mill 5 t of clinker, which no regime but the footprint counts."""
    clinker = activity("clinker", "material", "co2", "5", "t", organisation="mill")
    seller = facts(
        electricity(0, exports=(Export(technology="coal", wh=100 * MWH, counterparty="mill"),)),
        activity("coal", "fuel", "fuel-bituminous", "50", "t", organisation="boiler"),
        subject="boiler",
    )
    buyer = facts(
        electricity(100, supply("direct", "coal", 100, counterparty="boiler")),
        ActivityFact(
            **{
                **{name: getattr(clinker, name) for name in clinker.__slots__},
                "counterparty": "boiler",
            }
        ),
        subject="mill",
    )
    made = under("ndrc-910", seller, buyer, park=the_park(ParkEnergy()))
    assert t(made.members[1].total.mass_g) == 83.25
    assert [t(one.mass_g) for one in made.transfers] == [83.25, -83.25]
    assert t(made.park.total.mass_g) == 103.6  # 50 t × 2.072
    footprint = under("product-footprint", buyer_without_power(buyer), boiler())
    assert footprint.transfers == ()
    given = activity("given", "material", "co2", "5", "t", organisation="boiler", direction="out")
    footprint = under(
        "product-footprint",
        buyer_without_power(buyer),
        boiler(replace(given, counterparty="mill")),
    )
    assert [t(one.mass_g) for one in footprint.transfers] == [-5]


def buyer_without_power(buyer: Facts) -> Facts:
    return facts(electricity(0), *buyer.activities, subject="mill")


def test_offsets_and_stored_co2_stand_apart() -> None:
    stored = Ccus(
        record="period-1",
        project="store",
        treatment="credited",
        stored_g=90,
        emissions_g=20,
        net_g=70,
        avoided_g=50,
        removed_g=20,
    )
    plain, *_ = [under("ndrc-910", boiler())]
    gas = boiler()
    more = facts(
        gas.electricity,
        *gas.activities,
        subject="boiler",
        offsets=(credit("ccer", 100, "neutrality"),),
        ccus=(stored,),
    )
    made = under("ndrc-910", more)
    assert made.park.total == plain.park.total
    shown = made.to_json()
    assert shown["offsets"]["retired_g"] == 100_000_000
    assert (shown["ccus"][0]["stored_g"], shown["ccus"][0]["net_g"]) == (90, 70)


def test_billed_against_metered() -> None:
    energy = ParkEnergy(grid_import_wh=1_230 * MWH, billed_wh=1_236 * MWH)
    shown = under("ndrc-910", *both(), park=the_park(energy)).to_json()["energy"]
    assert shown["billed_less_metered_wh"] == 6 * MWH
    assert shown["consumption_wh"] == 1_200 * MWH


def test_who_is_no_member_is_outside() -> None:
    """1,100 t of heat sold to a tannery outside of the park: its credit stays, and no member's
    record keeps the park's balance from being computed."""
    made = under("ndrc-910", boiler(heat("sold", "boiler", "tannery", "out")), mill())
    assert made.transfers == ()
    assert t(made.park.total.mass_g) == 2_088.6725
    assert [one["to"] for one in made.to_json()["differences"]] == ["tannery"]


def test_a_member_stands_there_once() -> None:
    with pytest.raises(InvalidInput, match="twice"):
        under("ndrc-910", mill(), mill())
