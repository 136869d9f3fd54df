"""A scorecard of a real ledger, counted by hand: as of a log size, and published."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.db import reading
from ledger.errors import InvalidInput, NotFound, Refused
from ledger.house import COMPUTES, House
from ledger.log.store import load_head
from ledger.metering.points import Point
from ledger.metering.service import register_point
from ledger.records import service as records
from ledger.reports import service as reports
from ledger.reports import store
from ledger.scorecard import catalogue, service
from ledger.scorecard.scoring import KIND
from tests.ledgers import close, copy_ledger, open_house
from tests.scorecard.parks import GUIDELINE, NDRC, document, park, rules

ABOUT = {"standard": GUIDELINE, "period": "2026-01"}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8,000 of 10,000 Wh in each quarter-hour."""
    folder = tmp_path_factory.mktemp("scored") / "data"
    house = park(folder, roof_wh=8_000)
    rules(house)
    house.engine.dispose()
    return folder


@pytest.fixture
def house(made: Path, tmp_path: Path) -> Iterator[House]:
    found = open_house(copy_ledger(made, tmp_path / "data"))
    yield found
    close(found)


def look(house: House, as_of: int | None = None, **about: Any) -> dict[str, Any]:
    with reading(house.engine) as conn:
        result: dict[str, Any] = service.look(conn, house.log, ABOUT | about, as_of)["result"]
    return result


def clauses(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in result["clauses"]}


def size(house: House) -> int:
    with reading(house.engine) as conn:
        return load_head(conn, house.log.log_id).size


def test_every_computed_clause_of_the_park(house: House) -> None:
    """Roof 8,000, saw 10,000 Wh in each of 2,976 quarter-hours: 23,808,000 of 29,760,000 Wh. Both
    points have a meter, and all their readings; none was signed by a device, no certificate has
    come, nothing is published."""
    found = clauses(look(house))
    answers = {
        name: (one["answer"], one["value"], one["unit"])
        for name, one in found.items()
        if one["by"] == "computed"
    }
    entries = str(size(house))
    assert answers == {
        "7.1.1": ("met", "80", "%"),
        "7.1.2": ("met", "80", "%"),
        "7.1.3": ("met", "100", "%"),
        "7.1.5": ("met", "100", "%"),
        "7.1.5/iot": ("not-met", "0", "%"),
        "7.1.6": ("met", "100", "%"),
        "7.1.6/certificate": ("not-met", "0", "%"),
        "7.3.12": ("not-met", "0", "reports"),
        "7.5.1": ("not-met", "0", "%"),
        "7.5.3": ("met", "100", "%"),
        "7.9.16": ("met", "100", "%"),
        "7.9.20": ("not-met", "0", "%"),
        "7.9.22": ("not-met", "0", "%"),
        "8.1.1/c": ("not-met", "0", "reports"),
        "8.1.2": ("met", entries, "entries"),
        "8.2.2/green-power": ("met", "100", "%"),
        "8.2.4": ("not-met", "0", "%"),
        "8.2.7": ("met", "80", "%"),
    }
    renewable = found["7.1.1"]
    assert (renewable["numerator"], renewable["denominator"]) == (23_808_000, 29_760_000)
    assert renewable["regime"] == "guideline-renewable"
    assert "numerator" in renewable["definition"]["en"]
    # What is not computed is a gap with what would close it.
    assert all(one["closes"]["zh"] for one in found.values() if one["answer"] == "gap")
    assert found["7.1.7"]["why"]["en"] == "no storage is registered"


def test_one_wh_less_in_each_quarter_hour_fails(tmp_path: Path) -> None:
    """7,999 of 10,000 are 79.99 %."""
    house = park(tmp_path / "data", roof_wh=7_999)
    rules(house)
    found = clauses(look(house))["7.1.1"]
    assert (found["answer"], found["value"]) == ("not-met", "79.99")
    assert found["closes"]["en"]
    house.engine.dispose()


def test_a_plant_in_another_region_is_not_direct(house: House) -> None:
    """The roof is in 3205: outside of 44, inside of 32, which is the province of the saw."""
    assert look(house)["direct_region"] == "32"
    found = clauses(look(house, direct_region="44"))["7.1.2"]
    assert (found["answer"], found["numerator"]) == ("not-met", 0)
    assert found["details"] == [{"id": "pv/320500", "region": "320500", "wh": 23_808_000}]


def test_910_by_the_balance(house: House) -> None:
    """29,760 kWh at 0.30 kgce are 8.928 tce: far below 200,000, so that neither limit applies; of
    the energy 80 % is clean, and 80 % direct."""
    result = look(house, standard=NDRC)
    found = clauses(result)
    assert (found["core-0.2"]["answer"], found["core-0.2"]["value"]) == ("not-applicable", "8.928")
    assert found["core-0.3"]["answer"] == "not-applicable"
    assert (found["guiding-direct"]["answer"], found["guiding-direct"]["value"]) == ("met", "80")
    assert (found["guiding-clean"]["answer"], found["guiding-clean"]["value"]) == ("not-met", "80")
    assert found["guiding-waste"]["answer"] == "gap"


def test_evidence_is_signed_valid_and_expires_by_the_log(house: House) -> None:
    """January is judged in its last second: a document valid until February answers it, one that
    ended at New Year does not, whatever the clock says when one looks."""
    before = size(house)
    document(house, "7.1.1/plan", valid_until="2026-02-01T00:00:00Z")
    found = clauses(look(house))["7.1.1/plan"]
    assert (found["answer"], found["by"]) == ("met", "evidence")
    (shown,) = found["evidence"]
    assert (shown["signed_by"], shown["independent"], shown["state"]) == ("mill", 0, "valid")
    assert (shown["sha256"], shown["valid_until"]) == ("ab" * 32, "2026-02-01T00:00:00Z")
    # As of the size before, it was a gap.
    assert clauses(look(house, before))["7.1.1/plan"]["answer"] == "gap"
    # In February it has expired.
    assert clauses(look(house, period="2026-02"))["7.1.1/plan"]["answer"] == "gap"
    records.end(house.desk, "document", "d" * 32, "withdrawn", author="mill")
    assert clauses(look(house))["7.1.1/plan"]["answer"] == "gap"


def test_a_verifier_and_a_number(house: House) -> None:
    """29 % by the bureau counts before 31 % by the mill."""
    rated = {"name": "star-rated-buildings", "unit": "%"}
    document(house, "7.3.2", figure=rated | {"value": "31"})
    assert clauses(look(house))["7.3.2"]["answer"] == "met"
    document(house, "7.3.2", author="bureau", record="b" * 32, figure=rated | {"value": "29"})
    found = clauses(look(house))["7.3.2"]
    assert (found["answer"], found["value"]) == ("not-met", "29")
    assert [one["signed_by"] for one in found["evidence"]] == ["bureau", "mill"]


def test_a_document_about_no_clause_is_named(house: House) -> None:
    document(house, "9.9.9")
    assert look(house)["unanswerable"] == [{"id": "d" * 32, "clause": "9.9.9"}]


def test_a_period_that_goes_on_is_judged_by_the_log_s_time(house: House) -> None:
    """The log's last tick is of 2026-03-01: of the year two months are due, in park time 59 days
    and 8 hours, 5,696 quarter-hours; 2,976 of them were read."""
    found = look(house, period="2026")
    assert found["judged_at"] == "2026-03-01T00:00:00Z"
    completeness = clauses(found)["7.9.16"]
    assert (completeness["numerator"], completeness["denominator"]) == (2_976, 5_696)
    assert completeness["answer"] == "not-met"


def test_published_recomputed_and_replaced(house: House) -> None:
    """The log takes it only as it computes it; a new version says what changed and why."""
    first = service.publish(house.desk, COMPUTES, ABOUT)
    entry = document(house, "7.1.1/plan")
    second = service.publish(house.desk, COMPUTES, ABOUT)
    assert first.entry.statement["report"] == second.entry.statement["report"]
    with reading(house.engine) as conn:
        found = store.find_report(conn, house.log.log_id, second.entry.statement["report"])
        changes = store.load(conn, house.log, found)["changes"]
    paths = {one["path"]: (one["before"], one["after"]) for one in changes["lines"]}
    assert ("gap", "met") in paths.values()
    assert entry in {one["entry"] for one in changes["because"]}
    assert {one["how"] for one in changes["because"] if one["entry"] == entry} == {"new"}


def test_only_what_the_log_computes_is_taken(house: House) -> None:
    def friendly(conn: Any, log: Any, about: Any, as_of: int) -> dict[str, Any]:
        result = COMPUTES[KIND](conn, log, about, as_of)
        result["clauses"][2]["answer"] = "met"
        result["clauses"][1]["answer"] = "met"
        return result

    with pytest.raises(Refused, match="another result"):
        reports.publish(house.desk, {KIND: friendly}, KIND, ABOUT, author="operator")


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"standard": "atlantis"}, "there is no standard 'atlantis'"),
        ({"period": "26"}, "period"),
        ({"subject": "mill"}, "subject"),
        ({"regimes": {"share": "Guideline"}}, "regimes"),
        ({"region": "Jiangsu"}, "region"),
        ({"mood": "good"}, "mood"),
    ],
)
def test_what_can_not_be_asked(house: House, about: dict[str, Any], message: str) -> None:
    with pytest.raises((InvalidInput, NotFound), match=message):
        look(house, **about)


def test_a_figure_without_a_regime_is_a_gap_that_says_so(house: House) -> None:
    found = clauses(look(house, regimes={"share": "atlantis"}))
    assert found["7.1.1"]["answer"] == "gap"
    assert "atlantis" in found["7.1.1"]["why"]["en"]
    assert found["7.1.2"]["answer"] == "met"


def test_consumption_that_nobody_can_estimate_makes_gaps_and_no_error(house: House) -> None:
    """A shop that was never read: no total of the park, so no share of it; meters count on."""
    shop = Point(
        name="shop", kind="consumption", owner="mill", region="320500", park_system="buildings"
    )
    register_point(house.desk, shop)
    found = clauses(look(house))
    for name in ("7.1.1", "7.1.2", "7.1.3", "7.3.10", "8.2.7"):
        assert found[name]["answer"] == "gap", name
        assert "shop" in found[name]["why"]["en"], name
    assert (found["7.1.5"]["answer"], found["7.1.5"]["value"]) == ("partly", "66.6666")
    assert found["7.1.6"]["answer"] == "met"


def test_a_standard_is_checked_before_it_is_stored(house: House) -> None:
    content = catalogue.shipped(GUIDELINE).to_json()
    content["clauses"][0]["figure"] = "happiness"
    with pytest.raises(InvalidInput, match="no figure 'happiness' is computed"):
        records.put(house.desk, "standard", "other", content, author="mill")
    with pytest.raises(InvalidInput, match="clauses"):
        records.put(house.desk, "standard", "other", content | {"clauses": []}, author="mill")


def test_another_standard_is_data(house: House) -> None:
    """One clause of a user's own, by a figure that is known."""
    content = catalogue.parse_toml(
        """
        title = { zh = "自有标准", en = "Our own" }
        source = "ours"
        status = "unverified"
        [[clauses]]
        clause = "A.1"
        title = { zh = "直供", en = "Direct supply" }
        kind = "computed"
        obligation = "shall"
        figure = "direct-supply-share"
        thresholds = [{ op = ">=", value = "81", unit = "%" }]
        closes = { zh = "更多", en = "More" }
        """,
        "own.toml",
    )
    service.register(house.desk, "own", content)
    found = look(house, standard="own")
    assert [one["answer"] for one in found["clauses"]] == ["not-met"]
    assert found["standard"]["author"] == "operator"
