"""Each computed figure on a situation that is counted by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from ledger.scorecard.figures.known import FIGURES
from ledger.scorecard.figures.model import Figure, Missing
from ledger.scorecard.situation import (
    Accounted,
    Bill,
    Claim,
    Direct,
    Metered,
    Published,
    Situation,
    Source,
    Store,
    Stored,
    Sum,
    Trade,
    Units,
)
from ledger.scorecard.standard import Texts
from ledger.units import Period

TEXTS = Texts(zh="甲", en="a")


def situation(**changes: Any) -> Situation:
    members: dict[str, Any] = {
        "name": "2026",
        "period": Period(start_s=0, end_s=86_400),
        "at_s": 86_399,
        "region": "32",
        "entries": 10,
    }
    return Situation(**(members | changes))


def point(name: str, **changes: Any) -> Metered:
    members: dict[str, Any] = {
        "point": name,
        "name": name,
        "kind": "consumption",
        "owner": "mill",
        "unit": "Wh",
        "due": 96,
        "read": 96,
        "read_wh": 96_000,
    }
    return Metered(**(members | changes))


def published(kind: str, subject: str, **changes: Any) -> Published:
    members: dict[str, Any] = {
        "report": "0" * 32,
        "period": "2026",
        "regimes": ("a", "b"),
        "author": subject,
        "entry_index": 1,
        "hash": "",
    }
    return Published(kind=kind, subject=subject, **(members | changes))


def found(name: str, **of: Any) -> tuple[int, int]:
    figure = FIGURES[name].compute(situation(**of))
    assert isinstance(figure, Figure), figure
    assert figure.unit == FIGURES[name].unit
    return figure.numerator, figure.denominator


def short(name: str, **of: Any) -> list[str]:
    figure = FIGURES[name].compute(situation(**of))
    assert isinstance(figure, Figure)
    return [one["id"] for one in figure.details]


# The same roof and saw for all of metering: 3 of 4 points with a meter, one of 100 kW without.
ROOF = point("roof", kind="generation", owner="farm", signed=96)
SAW = point("saw", capacity_w=100_000, meter=False, read=90, signed=0)
LATHE = point("lathe", capacity_w=99_999, parent="saw", read=0, signed=0)
TAP = point("tap", unit="ml", meter=False)
WIRE = point("wire", kind="grid-import", due=0, read=1, signed=1)
PARK = {"points": (ROOF, SAW, LATHE, TAP, WIRE), "enterprises": ("mill", "shop")}


def test_points_metered() -> None:
    """roof, lathe and wire have a meter, saw has none; the tap is no electricity."""
    assert found("points-metered", **PARK) == (3, 4)
    assert short("points-metered", **PARK) == ["saw"]


def test_large_equipment_begins_with_100_kw() -> None:
    assert found("large-equipment-metered", **PARK) == (0, 1)
    metered = {"points": (point("saw", capacity_w=100_000),)}
    assert found("large-equipment-metered", **metered) == (1, 1)


def test_two_levels_of_meters() -> None:
    """The mill's lathe hangs under its saw; the shop has nothing."""
    assert found("metering-levels", **PARK) == (1, 2)
    assert short("metering-levels", **PARK) == ["shop"]
    foreign = {"points": (ROOF, point("lathe", parent="roof")), "enterprises": ("mill",)}
    assert found("metering-levels", **foreign) == (0, 1)


def test_completeness_is_that_of_the_least_complete_point() -> None:
    """saw 90 of 96, lathe 0 of 96; without the lathe it is the saw."""
    assert found("metering-completeness", **PARK) == (0, 96)
    assert found("metering-completeness", points=(ROOF, SAW, WIRE)) == (90, 96)
    assert short("metering-completeness", points=(ROOF, SAW, WIRE)) == ["saw"]


def test_points_read_and_signed_by_devices() -> None:
    """Of saw and lathe one was read; of roof, saw and wire, which were, two by devices alone."""
    assert found("points-read", **PARK) == (1, 2)
    assert found("device-signed-points", **PARK) == (2, 3)
    assert short("device-signed-points", **PARK) == ["saw"]


def test_vehicle_points_count_once() -> None:
    """A meter above two chargers, and a hydrogen point that was never read: two."""
    yard = point("yard", park_system="transport")
    chargers = [point(f"charger-{n}", park_system="transport", parent="yard") for n in (1, 2)]
    hydrogen = point("hydrogen", park_system="transport", unit="g", read=0)
    assert found("transport-points", points=(yard, *chargers, hydrogen, SAW)) == (2, 1)


def test_the_bill_that_differs_most() -> None:
    """1,000 billed and 951 read is 4.9 %, 949 read 5.1 %; nothing billed is 100 %."""
    first = Bill(point="a", billed_wh=1_000, read_wh=951)
    second = Bill(point="b", billed_wh=1_000, read_wh=949)
    assert found("bill-deviation", bills=(first, second)) == (51, 1_000)
    assert found("bill-deviation", bills=(first,)) == (49, 1_000)
    assert found("bill-deviation", bills=(Bill(point="c", billed_wh=0, read_wh=7),)) == (7, 7)


def test_direct_supply_from_inside_the_region() -> None:
    """520 of 1,000 are direct; 30 more from region 44 are not, seen from 32."""
    direct = (
        Direct(name="pv", region="320500", wh=500),
        Direct(name="wind", region="32", wh=20),
        Direct(name="wind", region="44", wh=30),
        Direct(name="pv", region="", wh=5),
    )
    of = {"direct": direct, "consumption_wh": 1_000}
    assert found("direct-supply-share", **of) == (520, 1_000)
    assert short("direct-supply-share", **of) == ["wind/44", "pv/"]
    assert found("direct-supply-share", **of, region="44") == (30, 1_000)
    assert isinstance(FIGURES["direct-supply-share"].compute(situation(**of, region="")), Missing)


def test_generation_closes() -> None:
    """40 + 50 + 10 = 100 closes; 99 of 100 does not, nor does what nobody divided."""
    closed = Source(name="roof", park_system="buildings", generated_wh=100, gone_wh=100)
    open_ = Source(name="field", park_system="energy", generated_wh=100, gone_wh=99)
    unknown = Source(name="far", park_system="energy", generated_wh=100, gone_wh=100, unknown=True)
    assert found("generation-closure", sources=(closed, open_, unknown)) == (1, 3)
    assert short("generation-closure", sources=(closed, open_, unknown)) == ["field", "far"]
    assert found("generation-closure-buildings", sources=(closed, open_)) == (1, 1)


@pytest.mark.parametrize(
    ("settled", "expected"), [(60, 1), (61, 0)], ids=["the least", "one Wh more"]
)
def test_a_green_trade_is_the_least_of_three(settled: int, expected: int) -> None:
    trade = Trade(
        contract="trade",
        month="2026-01",
        settled_wh=settled,
        contract_wh=100,
        generation_wh=80,
        consumption_wh=60,
    )
    assert found("green-trade-bounds", trades=(trade,)) == (expected, 1)


def test_storages() -> None:
    """1,200 Wh in, 1,080 out, all green: sound. 1 Wh more out than in, more green, a certificate:
    not."""

    def store(**changes: int) -> Store:
        members = {
            "charged_wh": 1_200,
            "discharged_wh": 1_080,
            "green_in_wh": 1_200,
            "green_out_wh": 1_080,
        }
        return Store(name="battery", **(members | changes))

    assert found("storage-ledger", storages=(store(),)) == (1, 1)
    for wrong in ({"discharged_wh": 1_201}, {"green_out_wh": 1_201}, {"certificates": 1}):
        assert found("storage-ledger", storages=(store(), store(**wrong))) == (1, 2), wrong


def test_claims_lead_to_readings_and_to_certificates() -> None:
    """Of three claims two have lots; one of these lacks a Wh, and one claim is final."""
    claims = (
        Claim(claim="a", lots_wh=10, traced_wh=10, final=True),
        Claim(claim="b", lots_wh=10, traced_wh=9, final=False),
        Claim(claim="c", lots_wh=0, traced_wh=0, final=False),
    )
    assert found("interval-trace", claims=claims) == (1, 2)
    assert short("interval-trace", claims=claims) == ["b"]
    assert found("certificate-trace", claims=claims) == (1, 3)


def test_buildings_sum_to_their_parent() -> None:
    """100 ≥ 60 + 40, and 100 < 101; the workshop is none of the buildings."""
    sums = (
        Sum(name="hall", park_system="buildings", parent_wh=100, children_wh=100),
        Sum(name="office", park_system="buildings", parent_wh=100, children_wh=101),
        Sum(name="shop", park_system="production", parent_wh=1, children_wh=2),
    )
    assert found("buildings-sum", sums=sums) == (1, 2)
    assert short("buildings-sum", sums=sums) == ["office"]


def test_what_is_published_of_the_period() -> None:
    """Of mill and shop the mill has an inventory; the shop's is of another year. The pack of the
    shop, and the balance, are of this one."""
    of = {
        "enterprises": ("mill", "shop"),
        "reports": (
            published("inventory", "mill"),
            published("inventory", "shop", period="2025"),
            published("disclosure", "shop"),
            published("balance", "park"),
        ),
    }
    assert found("enterprises-accounted", **of) == (1, 2)
    assert short("enterprises-accounted", **of) == ["shop"]
    assert found("enterprises-disclosed", **of) == (1, 2)
    assert found("balance-published", **of) == (1, 1)
    assert found("balance-published") == (0, 1)


def test_one_method_for_all() -> None:
    """Three inventories, two by (a, b), one by (a)."""
    reports = (
        published("inventory", "mill"),
        published("inventory", "shop"),
        published("inventory", "farm", regimes=("a",)),
    )
    assert found("same-method", reports=reports) == (2, 3)
    assert short("same-method", reports=reports) == ["farm"]
    assert found("same-method", reports=reports[:2]) == (2, 2)


def test_products_co2_units_and_the_trail() -> None:
    of = {"products": ("p1", "p2"), "reports": (published("footprint", "p1", period="2025"),)}
    assert found("products-footprinted", **of) == (1, 2)
    stored = (
        Stored(record="a", stored_g=100, net_g=90),
        Stored(record="b", stored_g=100, net_g=101),
    )
    assert found("co2-net-within-stored", stored=stored) == (1, 2)
    units = (
        Units(scheme="gec", issued=10, held=7, gone=3),
        Units(scheme="ccer", issued=10, held=7, gone=4),
        Units(scheme="none", issued=0, held=0, gone=0),
    )
    assert found("units-conserved", units=units) == (1, 2)
    assert found("audit-trail") == (10, 1)


def test_what_accounting_says_is_taken_as_it_is() -> None:
    share = Accounted(numerator=4, denominator=5, unit="%", regime="r", definition=TEXTS)
    figure = FIGURES["renewable-share"].compute(situation(accounted={"renewable-share": share}))
    assert isinstance(figure, Figure)
    assert (figure.value, figure.regime, figure.definition) == (Fraction(80), "r", TEXTS)
    told = FIGURES["renewable-share"].compute(situation(accounted={"renewable-share": TEXTS}))
    assert told == Missing(why=TEXTS)


def test_where_there_is_nothing_there_is_no_figure() -> None:
    """Nothing is never 100 %. What counts documents or entries counts none of them."""
    counted = {"balance-published", "audit-trail"}
    for name, known in FIGURES.items():
        figure = known.compute(situation(region="32"))
        assert isinstance(figure, Figure if name in counted else Missing), name
