"""Inventories and balances of a small park: what they rest on, as of which size, and what changes
them. The quantities are those of tests/accounting/books.py, added up by hand."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from ledger.accounting.factors import files
from ledger.accounting.factors import service as factors
from ledger.accounting.factors.model import FactorSet
from ledger.claims import service as claims
from ledger.claims import store as claim_rows
from ledger.db import reading
from ledger.errors import InvalidInput, NotFound, Refused
from ledger.house import COMPUTES, House
from ledger.metering.points import Point
from ledger.metering.service import register_point
from ledger.recovery.restore import restore
from ledger.reports import service as reports
from ledger.reports import store
from ledger.reports.model import encode
from tests.accounting.books import INSTEAD, act, draft, meter, metered_gas, size
from tests.divided import take
from tests.ledgers import no_progress, on_postgresql, open_house, settings_in
from tests.servers.postgres import PostgreSQL

MWH = 1_000_000


def of(content: dict[str, Any], regime: str) -> dict[str, Any]:
    (found,) = [one for one in content["result"]["regimes"] if one["id"] == regime]
    assert isinstance(found, dict)
    return found


def quantities(figure: dict[str, Any]) -> dict[str, str]:
    """{line without the id of its record: quantity}."""
    return {"/".join(one["id"].split("/")[:4][:3]): one["quantity"] for one in figure["lines"]}


def publish(house: House, author: str = "mill", report: str = "", **about: Any) -> str:
    asked = {"subject": "mill", "period": "2026-02", **INSTEAD, **about}
    receipt = reports.publish(
        house.desk, COMPUTES, "inventory", asked, author=author, report=report
    )
    found: str = receipt.entry.statement["report"]
    return found


def loaded(house: House, report: str, number: int | None = None) -> dict[str, Any]:
    with reading(house.engine) as conn:
        found = store.find_report(conn, 1, report, number=number)
        return store.load(conn, house.log, found)


# What there is


def test_an_inventory_has_what_was_used_and_claimed(books: House) -> None:
    """12.5 MWh: saw 7.5 + 2.6 estimated, press 2.4. Claimed 3 directly and 2 by certificates, so
    7.5 are left; at 0.8325 kg/kWh these are 6.24375 t. Main is no consumption: it has sub-meters,
    and reads 0.3 MWh more than they, which are lost: 0.24975 t. Billed are 10, 2.8 less than that.
    """
    content = draft(books)
    figure = of(content, "ndrc-910")
    assert quantities(figure)["electricity/residual"] == str(7_500_000)
    assert figure["electricity"] == {
        "billed_less_metered_wh": -2_800_000,
        "billed_wh": 10 * MWH,
        "consumption_wh": 12_500_000,
        "estimated_wh": 2_600_000,
        "exported_wh": 0,
        "lost_wh": 300_000,
        "pending_wh": 5 * MWH,
        "residual_wh": 7_500_000,
        "supplied_wh": {"direct": 3 * MWH, "unbundled": 2 * MWH},
    }
    by_id = {one["id"]: one for one in figure["lines"]}
    assert by_id["electricity/direct/pv/farm"]["gases_g"] == {}
    assert by_id["electricity/unbundled/wind"]["quantity"] == str(2 * MWH)
    assert by_id["electricity/residual"]["gases_g"] == {"CO2": 6_243_750}
    (lost,) = [one for one in by_id.values() if one["id"].startswith("electricity/losses/")]
    assert (lost["quantity"], lost["gases_g"]) == ("300000", {"CO2": 249_750})
    assert content["result"]["missing"] == []
    (quality,) = content["result"]["quality"]
    assert quality["estimated"] == [{"rule": "parent", "wh": 2_600_000}]
    assert [one["status"] for one in quality["claims"]] == ["pending official cancellation"]


def test_activities_are_as_stated_or_as_metered(books: House) -> None:
    """4 × 1,000,000 ml at standard conditions are 4 Nm3."""
    lines = of(draft(books), "ndrc-910")["lines"]
    found = {one["id"].split("/")[1]: (one["quantity"], one["unit"]) for one in lines}
    assert found["fuel-diesel"] == ("2", "t")
    assert found["fuel-natural-gas"] == ("4", "Nm3")
    assert found["heat"] == ("-10", "GJ")


def test_offsets_stand_apart(books: House) -> None:
    figure = of(draft(books), "ghg-market")
    assert figure["offsets"]["retired_g"] == 3_000_000
    with_less = figure["total"]["mass_g"]
    assert with_less == sum(one["co2e_g"] for one in figure["lines"])


def test_systems_share_the_consumption(books: House) -> None:
    """Saw 10.1 MWh of production, press 2.4 of buildings: so they share 6.24375 t of electricity
    and 0.24975 t of losses: 101 and 24 parts of 125; fuel and heat have no system."""
    systems = {one["id"]: one["g"] for one in of(draft(books), "ndrc-910")["systems"]}
    assert (systems["production"], systems["buildings"]) == (5_246_748, 1_246_752)


def test_a_balance_is_the_members_less_their_transfers_with_losses(books: House) -> None:
    """Main gave 3 × 3.2 MWh while the saw was read, saw and press got 3 × 3.1: 0.3 MWh are lost."""
    content = draft(books, "balance")
    figure = of(content, "ndrc-910")
    assert figure["energy"]["losses"][0]["loss_wh"] == 300_000
    assert figure["energy"]["consumption_wh"] == 14_500_000
    (roof,) = figure["energy"]["generation"]
    assert (roof["direct_wh"], roof["export_wh"]) == (3 * MWH, 1 * MWH)
    members = {one["id"]: one["total"]["mass_g"] for one in figure["members"]}
    assert set(members) == {"farm", "mill", "shop"}
    # 7.5 + 2.0 MWh that nothing covers, the losses, diesel and gas; heat went from one to another.
    electricity = (7_500_000 + 2_000_000 + 300_000) * 8325 // 10_000
    assert figure["total"]["mass_g"] == electricity + 6_290_000 + 8_649
    assert figure["differences"] == []


def test_what_one_gave_and_the_other_got_is_compared(books: House) -> None:
    heat = {"category": "heat", "item": "heat", "unit": "GJ", "counterparty": "shop"}
    act(books, "mill", **heat, quantity="4", direction="out", park_system="production")
    (found,) = of(draft(books, "balance"), "ndrc-910")["differences"]
    assert (found["from"], found["to"], found["out"], found["in"]) == ("mill", "shop", "14", "10")


# As of


def test_what_came_later_changes_nothing(books: House) -> None:
    """Each kind of late entry, and the report as it was before."""
    before, then = size(books), encode(draft(books))
    park = encode(draft(books, "balance"))
    take(books, "press", [700_000], start=-4, reason="read anew")
    act(books, "mill", item="fuel-gasoline", quantity="1")
    claims.withdraw(books.desk, _claim(books), "a mistake")
    factors.publish(books.desk, "cn-fuels", _without_anthracite())
    late = draft(books)
    assert encode(draft(books, as_of=before)) == then
    assert encode(draft(books, "balance", as_of=before)) == park
    assert of(late, "ndrc-910")["electricity"]["supplied_wh"] == {}
    assert late["result"]["inputs"] != json.loads(then)["result"]["inputs"]


def _claim(house: House) -> bytes:
    with reading(house.engine) as conn:
        (row,) = claim_rows.find_claims(conn, 1)
    return row.claim


def _without_anthracite() -> FactorSet:
    content = files.shipped("cn-fuels").to_json()
    content["factors"] = [one for one in content["factors"] if "anthracite" not in one["item"]]
    return FactorSet.from_json(content)


def test_before_the_claim_nothing_is_claimed(books: House) -> None:
    with reading(books.engine) as conn:
        (row,) = claim_rows.find_claims(conn, 1)
    figure = of(draft(books, as_of=row.entry_index), "ndrc-910")
    assert figure["electricity"]["supplied_wh"] == {}
    assert figure["offsets"]["retired_g"] == 0
    assert "electricity" in figure["lines"][0]["id"]


def test_both_databases_give_the_same_bytes(
    books: House, tmp_path: Path, postgresql: PostgreSQL
) -> None:
    """The log of SQLite, replayed into PostgreSQL: each report anew, and the audit of both."""
    report = publish(books)
    books.checkpoint()
    books.export_entries(tmp_path / "entries", no_progress)
    folder = on_postgresql(postgresql, tmp_path / "there")
    restore(settings_in(folder), tmp_path / "entries", no_progress)
    there = open_house(folder)
    try:
        for kind, as_of in (("inventory", size(books) - 6), ("balance", size(books))):
            mine, theirs = (draft(one, kind, as_of=as_of) for one in (books, there))
            assert encode(mine) == encode(theirs)
        assert encode(loaded(there, report)) == encode(loaded(books, report))
    finally:
        there.engine.dispose()


# Late data


def test_a_new_version_names_what_changed_and_why(books: House) -> None:
    """Press used 0.1 MWh more: 83.25 kg at 0.8325."""
    report = publish(books, regimes=["ndrc-910"])
    correction = take(books, "press", [700_000], start=-4, reason="read anew").receipts[0]
    late = act(books, "mill", item="fuel-gasoline", quantity="1")
    publish(books, report=report, regimes=["ndrc-910"])
    first, second = loaded(books, report, 0), loaded(books, report)
    lines = {one["path"]: (one["before"], one["after"]) for one in second["changes"]["lines"]}
    path = "/result/regimes/ndrc-910/lines/electricity~1residual/gases_g/CO2"
    assert lines[path] == (6_243_750, 6_327_000)
    because = {one["entry"]: one for one in second["changes"]["because"]}
    assert because[correction.index]["type"] == "readings.correction"
    assert because[correction.index]["how"] == "new"
    assert because[late.index]["how"] == "new"
    assert first["changes"] == {"lines": [], "because": []}
    assert encode(first["result"]) == encode(
        draft(books, as_of=first["as_of"], regimes=["ndrc-910"])["result"]
    )


def test_a_set_of_factors_that_is_replaced_is_named(books: House) -> None:
    report = publish(books, regimes=["ndrc-910"])
    content = files.shipped("cn-fuels").to_json()
    for one in content["factors"]:
        if one["item"] == "fuel-diesel":
            one["value"], one["parts"] = "3.2", {}
    receipt = factors.publish(books.desk, "cn-fuels", FactorSet.from_json(content))
    assert receipt is not None
    publish(books, report=report, regimes=["ndrc-910"])
    because = loaded(books, report)["changes"]["because"]
    assert [(one["entry"], one["how"]) for one in because][-1] == (receipt.index, "new")
    assert because[0]["how"] == "replaced"


# Refusals


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"subject": "nobody"}, "there is no party 'nobody'"),
        ({"period": "2026-13"}, "a month 2026-03 or a year 2026"),
        ({"regimes": ["none-such"]}, "no regime 'none-such' is in force"),
        ({"sets": ["none-such"]}, "no set of factors 'none-such'"),
        ({"substitutions": [], "regimes": ["ghg-location"]}, "electricity-average.*44.*2026"),
        ({"substitutions": [{"item": "x"}]}, "substitution of 'x'"),
        ({"colour": "green"}, "unknown member 'colour'"),
        ({"region": "CN"}, "a region"),
    ],
)
def test_refused_with_the_name_of_what_is_missing(
    books: House, about: dict[str, Any], why: str
) -> None:
    with pytest.raises((InvalidInput, NotFound), match=why):
        draft(books, **about)


def test_all_regimes_name_those_that_can_not_be_computed(books: House) -> None:
    content = draft(books, substitutions=[])
    missing = {one["id"]: one["why"] for one in content["result"]["missing"]}
    assert set(missing) == {"ghg-location", "ghg-market"}
    assert "state a substitution" in missing["ghg-market"]
    assert [one["id"] for one in content["result"]["regimes"]] == [
        "guideline-renewable",
        "ndrc-910",
    ]


def test_a_gap_of_a_metered_activity_is_named(books: House) -> None:
    metered_gas(books, item="fuel-lpg", unit="m3", to="2026-02-28T16:15:00Z")
    with pytest.raises(Refused, match="point 'gas' has no reading at 2026-02-28T16:00:00Z"):
        draft(books, period="2026")


def test_only_what_is_in_the_period_counts(books: House) -> None:
    """28 of the 59 days of January and February, of 59 t."""
    act(
        books,
        "mill",
        item="fuel-gasoline",
        quantity="59",
        park_system="transport",
        **{"from": "2025-12-31T16:00:00Z"},
    )
    lines = of(draft(books), "ndrc-910")["lines"]
    assert [one["quantity"] for one in lines if "gasoline" in one["id"]] == ["28"]


def test_points_of_two_provinces_need_a_region(books: House) -> None:
    far = Point(name="oven", kind="consumption", owner="mill", region="110101")
    register_point(books.desk, dataclasses.replace(far, meters=meter("oven")))
    with pytest.raises(InvalidInput, match=r"points of 'mill' are in .*北京.*广东"):
        draft(books)
    assert draft(books, region="44")["result"]["missing"] == []
