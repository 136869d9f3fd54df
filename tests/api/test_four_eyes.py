"""Two people over HTTP: one prepares, another approves; and the periods that they close."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.people import Town

REASON = {"reason": "The month is checked"}


@pytest.fixture
def office(own_town: Town) -> Town:
    """The mill acts with four eyes; its preparer and its approver are officers."""
    admin = own_town["mill-admin"]
    for name in ("mill-preparer", "mill-approver"):
        body = {"party": "mill", "account": own_town.ids[name], "label": name}
        assert admin.post("/officers", json=body).status_code == 201
    rule = {"rule": "four-eyes", "reason": "The auditor asked for it"}
    assert admin.post("/parties/mill/approval", json=rule).status_code == 201
    return own_town


def size(town: Town) -> int:
    return int(town["anybody"].get("/log").json()["size"])


def open_claim(town: Town) -> str:
    for one in town["mill-viewer"].get("/claims").json()["items"]:
        if one["state"] == "in force":
            return str(one["claim"])
    pytest.fail("the mill has no claim in force")


def withdraw(town: Town, **headers: str) -> Any:
    path = f"/claims/{open_claim(town)}/withdrawal"
    return town["mill-preparer"].post(path, json={"reason": "A mistake"}, headers=headers)


def test_an_act_waits_for_the_second(office: Town) -> None:
    claim, before = open_claim(office), size(office)
    prepared = withdraw(office)
    assert prepared.status_code == 202, prepared.text
    draft = prepared.json()["draft"]
    assert prepared.json()["receipts"] == []
    assert size(office) == before
    shown = office["mill-approver"].get(f"/drafts/{draft}").json()
    assert shown["kind"] == "claim.withdraw"
    assert shown["contents"][0]["statement"]["claim"] == claim
    # Neither who prepared it, nor whom it does not concern, nor a program.
    own = office["mill-preparer"].post(f"/drafts/{draft}/approval", json={})
    assert own.status_code == 403
    assert office["farm-preparer"].get(f"/drafts/{draft}").status_code == 404
    approved = office["mill-approver"].post(f"/drafts/{draft}/approval", json={})
    assert approved.status_code == 201, approved.text
    entry = approved.json()["receipts"][0]["index"]
    assert office["mill-viewer"].get(f"/claims/{claim}").json()["ended_by"] == entry
    note = office["anybody"].get(f"/log/entries/{entry}").text
    assert note.count("\n— ") == 3
    again = office["mill-approver"].post(f"/drafts/{draft}/approval", json={})
    assert again.status_code == 409


def test_what_is_sent_back_says_why(office: Town) -> None:
    before = size(office)
    draft = withdraw(office).json()["draft"]
    done = office["mill-approver"].post(f"/drafts/{draft}/rejection", json={"reason": "Which?"})
    assert done.status_code == 204
    found = office["mill-preparer"].get(f"/drafts/{draft}").json()
    assert (found["state"], found["reason"]) == ("rejected", "Which?")
    assert office["mill-approver"].post(f"/drafts/{draft}/approval", json={}).status_code == 409
    assert size(office) == before


def test_the_same_request_is_the_same_draft(office: Town) -> None:
    key = {"Idempotency-Key": "prepare-once"}
    first, again = withdraw(office, **key), withdraw(office, **key)
    assert first.json() == again.json()
    assert len(office["mill-viewer"].get("/drafts").json()["items"]) == 1


def test_a_draft_that_the_ledger_overtook_is_stale(office: Town) -> None:
    first, second = withdraw(office).json()["draft"], withdraw(office).json()["draft"]
    approver = office["mill-approver"]
    assert approver.post(f"/drafts/{first}/approval", json={}).status_code == 201
    late = approver.post(f"/drafts/{second}/approval", json={})
    assert late.status_code == 409
    assert approver.get(f"/drafts/{second}").json()["state"] == "stale"


def test_a_period_goes_its_way(office: Town) -> None:
    mill, approver = office["mill-preparer"], office["mill-approver"]
    steps = "/periods/mill/2026-01/steps"
    for state in ("provisional", "submitted"):
        made = mill.post(steps, json={"state": state})
        assert made.status_code == 201, made.text
    skipped = mill.post(steps, json={"state": "closed"})
    assert skipped.status_code == 409
    assert office["manager"].post(steps, json={"state": "approved"}).status_code == 201
    found = mill.get("/periods/mill/2026-01").json()
    assert found["state"] == "approved"
    assert [step["four_eyes"] for step in found["steps"]][-1] is False
    closing = mill.post(steps, json={"state": "closed"})
    assert closing.status_code == 202, closing.text
    done = approver.post(f"/drafts/{closing.json()['draft']}/approval", json={})
    assert done.status_code == 201, done.text
    late = {"readings": [{"point": "late", "start": "2026-01-05T00:00:00Z", "values": [1]}]}
    mill.post("/points", json={"name": "late", "kind": "other", "owner": "mill"})
    refused = mill.post("/readings?source=late", json=late)
    assert refused.status_code == 409
    assert "closed" in refused.json()["detail"]
    again = mill.post("/periods/mill/2026-01/restatement", json=REASON)
    approver.post(f"/drafts/{again.json()['draft']}/approval", json={})
    assert mill.post("/readings?source=late", json=late).status_code == 201
    assert office["farm-preparer"].get("/periods/mill/2026-01").status_code == 404


def test_the_park_manager_goes_on_for_a_party(own_town: Town) -> None:
    """As the party where the step is the party's own, as the operator where it checks."""
    authors = []
    for state in ("provisional", "submitted", "approved", "closed"):
        made = own_town["manager"].post("/periods/mill/2026-01/steps", json={"state": state})
        assert made.status_code == 201, made.text
        authors.append(made.json()["receipts"][0]["statement"]["author"])
    assert authors == ["mill", "mill", "operator", "mill"]
