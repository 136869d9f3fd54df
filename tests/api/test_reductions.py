"""Captured CO2 over HTTP: recorded by the park, verified by another, issued once."""

from __future__ import annotations

from typing import Any

from tests.api.people import Town

FROM, TO = "2026-01-31T16:00:00Z", "2026-02-28T16:00:00Z"
T = 1_000_000
PROJECT = {
    "scheme": "internal",
    "project": "CCUS-9",
    "name": "Capture",
    "owner": "mill",
    "plant": "kiln-9",
    "technology": "ccus",
}
RECORD: dict[str, Any] = {
    "project": "CCUS-9",
    "from": FROM,
    "to": TO,
    "mass_g": {"captured": 120 * T, "transported": 120 * T, "injected": 120 * T},
}


def ready(town: Town) -> None:
    manager = town["manager"]
    manager.post("/schemes", json={"scheme": "internal"})
    assert manager.post("/projects", json=PROJECT).status_code == 201
    named = {"party": "checker", "name": "Checker", "roles": ["verifier"]}
    assert manager.post("/parties", json=named).status_code == 201
    assert manager.post("/parties/checker/keys", json={}).status_code == 201


def test_recorded_verified_issued_once(own_town: Town) -> None:
    ready(own_town)
    manager = own_town["manager"]
    # None is nothing for want of a word.
    unsaid = manager.post("/credits/records", json=RECORD)
    assert unsaid.status_code == 422
    assert "used" in unsaid.json()["detail"]
    made = manager.post("/credits/records", json={**RECORD, "others_none": True})
    assert made.status_code == 201, made.text
    record = made.json()["facts"]["record"]
    early = manager.post(f"/credits/records/{record}/issue")
    assert early.status_code == 409
    finding = {"verifier": "checker", "finding": "The balance closes"}
    path = f"/credits/records/{record}/verification"
    assert own_town["mill-preparer"].post(path, json=finding).status_code == 404
    assert manager.post(path, json=finding).status_code == 201
    assert manager.post(f"/credits/records/{record}/issue").status_code == 201
    assert manager.post(f"/credits/records/{record}/issue").status_code == 409
    mine = own_town["mill-viewer"].get("/credits/records").json()["items"]
    assert [(one["record"], one["state"]) for one in mine if one["project"] == "CCUS-9"] == [
        (record, "issued")
    ]
    others = own_town["farm-preparer"].get("/credits/records").json()["items"]
    assert record not in [one["record"] for one in others]
    held = own_town["mill-viewer"].get("/credits?scheme=internal&owner=mill").json()["items"]
    assert sum(one["units"] for one in held if one["project"] == "CCUS-9") <= 120


def test_a_balance_that_does_not_close_is_no_record(own_town: Town) -> None:
    ready(own_town)
    open_end = {**RECORD["mass_g"], "injected": 110 * T}
    body = {**RECORD, "mass_g": open_end, "others_none": True}
    answer = own_town["manager"].post("/credits/records", json=body)
    assert answer.status_code == 409
    assert "injection" in answer.json()["detail"]


def test_a_settlement_of_what_is_no_contract(own_town: Town) -> None:
    body = {
        "contract": "ghost",
        "month": "2026-02",
        "buyer": "mill",
        "contract_wh": 1,
        "generation_wh": 1,
        "consumption_wh": 1,
    }
    answer = own_town["manager"].post("/certificates/settlements", json=body)
    assert answer.status_code == 404
    assert "ghost" in answer.json()["detail"]
