"""What an organisation learns of another, and does to it, where it tries to."""

from __future__ import annotations

import base64
import time
from dataclasses import replace
from typing import Any

import pytest

from ledger.db import reading
from ledger.matching import contracts
from ledger.metering import store
from ledger.parties.desk import Draft, seal_json
from ledger.units import format_instant
from tests.api.people import Town
from tests.ledgers import DAY_S, FARM

ROOF: dict[str, Any] = {"name": "mill-roof", "kind": "generation", "owner": "mill"}
PROFILE = """
[file]
format = "csv"
[time]
columns = ["at"]
format = "%Y-%m-%dT%H:%M:%SZ"
interval = "15min"
label = "start"
zone = "UTC"
[value]
quantity = "energy"
unit = "Wh"
[[points]]
column = "wh"
point = "POINT"
"""


def contract(**changes: Any) -> dict[str, Any]:
    return {
        "name": "roof-to-mill",
        "kind": "direct-supply",
        "seller": "mill",
        "sources": ["mill-roof"],
        "consumers": [{"point": "secret-saw"}],
        "from": "2026-01-01T00:00:00Z",
        "to": "2026-02-01T00:00:00Z",
        **changes,
    }


def test_a_contract_of_another_seller_is_not_taken_by_its_name(own_town: Town) -> None:
    mill = own_town["mill-preparer"]
    assert mill.post("/points", json=ROOF).status_code == 201
    answer = mill.post("/contracts", json=contract())
    assert answer.status_code == 409, answer.text
    assert "farm" not in answer.text
    with reading(own_town.house.engine) as conn:
        known = contracts.current_contracts(conn, own_town.house.log.log_id)
    assert [one.terms.seller for one in known.values()] == ["farm", "farm"]
    # The park manager may.
    assert own_town["manager"].post("/contracts", json=contract()).status_code == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"sources": ["secret-roof"]},
        {"sources": ["no-such-roof"]},
        {"consumers": [{"point": "secret-roof"}]},
        {"consumers": [{"point": "no-such-saw"}]},
    ],
    ids=str,
)
def test_a_contract_says_nothing_of_others_points(town: Town, changes: dict[str, Any]) -> None:
    town["mill-preparer"].post("/points", json=ROOF)
    answer = town["mill-preparer"].post("/contracts", json=contract(name="mine", **changes))
    assert answer.status_code == 404
    (asked,) = (str(one) for value in changes.values() for one in value)
    for name in ("secret-roof", "secret-far", "secret-saw", "farm", "generation"):
        assert name in asked or name not in answer.text


def rename(town: Town, before: str, after: str) -> None:
    """As its owner does by an entry of its own."""
    house = town.house
    with reading(house.engine) as conn:
        known = store.points_named(conn, house.log.log_id, [before])[before]
    draft = Draft(
        type="point.register",
        author="farm",
        members={"point": known.point.hex(), "replaces": known.id},
        bodies={"body": seal_json(replace(known.master, name=after).to_json(), "point")},
    )
    house.desk.writer.append(house.desk.sign(draft, key=FARM))


def test_a_name_that_a_point_had_before_is_not_free(own_town: Town) -> None:
    """Names are of a point for good; the API signs as the operator, who may do more."""
    house, farm, mill = own_town.house, own_town["farm-preparer"], own_town["mill-preparer"]
    assert farm.post("/points", json={**ROOF, "name": "first", "owner": "farm"}).status_code == 201
    rename(own_town, "first", "second")
    answer = mill.post("/points", json={**ROOF, "name": "first"})
    assert answer.status_code == 409, answer.text
    with reading(house.engine) as conn:
        found = store.points_named(conn, house.log.log_id, ["second"])
    assert found["second"].master.owner == "farm"


def imported(town: Town, point: str, at_s: int) -> dict[str, Any]:
    """The job of a file by which mill says what a point has metered."""
    mill = town["mill-preparer"]
    rows = f"at,wh\n{format_instant(at_s)},12345\n"
    body = {
        "file_name": "guess.csv",
        "file": base64.b64encode(rows.encode()).decode(),
        "profile": PROFILE.replace("POINT", point),
        "author": "mill",
    }
    job = mill.post("/readings/files", json=body).json()["id"]
    for _ in range(400):
        found = mill.get(f"/jobs/{job}").json()
        if found["state"] in ("done", "failed"):
            return dict(found)
        time.sleep(0.05)
    raise AssertionError("the job does not end")


def test_a_file_does_not_ask_what_anothers_meter_said(town: Town) -> None:
    mine = imported(town, "secret-saw", DAY_S)
    assert mine["state"] == "failed"
    assert "is in force, the new value is 12345" in mine["error"]
    for point in ("secret-roof", "no-such-point"):
        others = imported(town, point, DAY_S)
        assert others["state"] == "failed"
        assert f"names point '{point}', which is not registered" in others["error"]
        assert "secret-far" not in others["error"]


def test_a_consumer_does_not_see_a_plants_whole_month(town: Town) -> None:
    lots = town["mill-viewer"].get("/lots").json()["items"]
    lot = next(one["lot"] for one in lots if one["point"] == "secret-roof")
    mine = town["mill-viewer"].get(f"/lots/{lot}").json()
    theirs = town["farm-preparer"].get(f"/lots/{lot}").json()
    assert theirs["readings"]
    assert mine == {**theirs, "readings": []}


def test_nobody_is_made_a_member_to_be_looked_at(town: Town) -> None:
    """An account's id is seen in trails; its name and its sign-ins are its organisation's."""
    admin, path = town["mill-admin"], f"/accounts/{town.ids['farm-preparer']}"
    role = {"party": "mill", "role": "viewer"}
    answer = admin.post(f"{path}/roles", json=role)
    unknown = admin.post(f"/accounts/{'0' * 32}/roles", json=role)
    assert (answer.status_code, unknown.status_code) == (404, 404)
    assert answer.text.replace(town.ids["farm-preparer"], "0" * 32) == unknown.text
    assert admin.get(path).status_code == 404
    assert admin.post(f"/accounts/{town.ids['nobody']}/roles", json=role).status_code == 204
    taken = admin.post(f"/accounts/{town.ids['nobody']}/roles/removal", json=role)
    assert taken.status_code == 204


def test_an_owner_does_not_release_what_the_park_froze(own_town: Town) -> None:
    mill, manager = own_town["mill-preparer"], own_town["manager"]
    held = manager.get("/certificates", params={"owner": "mill"}).json()["items"]
    one = next(each for each in held if each["state"] == "active")
    code = one["batch"].split("/")[1]
    body = {
        "scheme": one["batch"].split("/")[0],
        "owner": "mill",
        "serials": [f"{code}:{one['first']}-{one['end']}"],
        "reason": "a complaint",
    }
    frozen = manager.post("/certificates/marks", json={**body, "act": "freeze"})
    assert frozen.status_code == 201, frozen.text
    answer = mill.post("/certificates/marks", json={**body, "act": "release"})
    assert (answer.status_code, "by the operator" in answer.text) == (409, True), answer.text
    assert manager.post("/certificates/marks", json={**body, "act": "release"}).status_code == 201
