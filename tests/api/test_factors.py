"""Factors over HTTP: in force, found, and refused with what there is."""

from __future__ import annotations

from ledger.accounting.factors import service
from tests.accounting.factors.sets import factor, own
from tests.api.people import Town


def test_factors_are_listed_found_and_refused(new_town: Town) -> None:
    desk = new_town.house.desk
    service.ensure(desk, ["cn-electricity", "cn-heat"])
    asked = new_town["nobody"].get
    listed = asked("/factors", params={"region": "440100", "year": 2023, "limit": 4}).json()
    rest = asked(
        "/factors", params={"region": "440100", "year": 2023, "cursor": listed["next"]}
    ).json()
    found = [one["factor"] for one in [*listed["items"], *rest["items"]]]
    assert [(one["item"], one["region"]) for one in found] == [
        ("electricity-average", "44"),
        ("electricity-average", "CN"),
        ("electricity-average", "CN-south"),
        ("electricity-ets-reporting", "CN"),
        ("electricity-fossil", "CN"),
        ("electricity-market-excluded", "CN"),
        ("heat", "CN"),
    ]
    assert listed["items"][0]["set"] == "cn-electricity"
    (use,) = asked(
        "/factors/electricity-average", params={"region": "440100", "year": 2023}
    ).json()["factors"]
    assert (use["value"], use["status"], use["version"]) == ("0.4419", "official", 1)
    missing = asked("/factors/electricity-average", params={"region": "CN", "year": 2018})
    assert missing.status_code == 422
    assert "CN 2023, CN 2022, CN 2021. To use another one, state" in missing.json()["detail"]
    # Two sets that say it are put in order by who asks.
    service.publish(desk, "own", own(factor("0.1", year=2023)))
    both = asked("/factors/electricity-average", params={"region": "CN", "year": 2023})
    assert (both.status_code, "sets cn-electricity and own" in both.json()["detail"]) == (422, True)
    ordered: dict[str, str | int | list[str]] = {
        "region": "CN",
        "year": 2023,
        "set": ["own", "cn-electricity"],
    }
    (first,) = asked("/factors/electricity-average", params=ordered).json()["factors"]
    assert first["value"] == "0.1"
    assert asked("/factors", params={"set": "gold"}).status_code == 422
