"""The same request again: the same answer, and nothing written twice."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ledger.log.service import Submission
from ledger.parties.desk import Draft
from tests.api.people import Town
from tests.ledgers import FARM, party_statement, signed

pytestmark = pytest.mark.both_databases
POINT: dict[str, Any] = {"name": "once", "kind": "other", "owner": "mill"}


def size(town: Town) -> int:
    return int(town["anybody"].get("/log").json()["size"])


def test_a_key_makes_a_request_once(own_town: Town) -> None:
    mill, key = own_town["mill-preparer"], {"Idempotency-Key": "k-1"}
    first = mill.post("/points", json=POINT, headers=key)
    there = size(own_town)
    again = mill.post("/points", json=POINT, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    other = mill.post("/points", json={**POINT, "name": "other"}, headers=key)
    assert other.status_code == 422
    assert "used for another request" in other.json()["detail"]
    # Somebody else's key is another one.
    assert own_town["manager"].post("/points", json=POINT, headers=key).status_code == 409
    assert size(own_town) == there


def test_of_many_at_once_one_is_done(own_town: Town) -> None:
    body = {"readings": [{"point": "once", "start": "2026-02-01T00:00:00Z", "values": [1, 2, 3]}]}
    own_town["mill-preparer"].post("/points", json=POINT)
    there = size(own_town)

    def post(_: int) -> tuple[int, Any]:
        answer = own_town["mill-preparer"].post(
            "/readings", json=body, headers={"Idempotency-Key": "all"}
        )
        return answer.status_code, answer.json()["receipts"]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(post, range(16)))
    assert {status for status, _ in found} == {201}
    assert len({str([one["index"] for one in receipts]) for _, receipts in found}) == 1
    assert size(own_town) == there + 2  # a tick and a batch


def test_of_many_at_once_one_makes_a_key(own_town: Town) -> None:
    """What could be done again and again is done once: who waits too long sends it anew."""
    there, manager = size(own_town), own_town["manager"]

    def post(_: int) -> tuple[int, Any]:
        answer = manager.post("/parties/mill/keys", json={}, headers={"Idempotency-Key": "key"})
        return answer.status_code, answer.json()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(post, range(16)))
    assert {status for status, _ in found} == {201}, found
    assert len({str([one["index"] for one in body["receipts"]]) for _, body in found}) == 1
    assert size(own_town) == there + 2


def test_an_entry_signed_by_its_author_may_come_twice(own_town: Town) -> None:
    members = {"party": "farm", "vkey": FARM.verify_key.vkey, "reason": "not needed any more"}
    house = own_town.house
    entry = house.desk.sign(Draft(type="key.revoke", author="farm", members=members), key=FARM)
    body = {"submissions": [{"entry": base64.b64encode(entry.data).decode()}]}
    farm = own_town["farm-preparer"]
    first = farm.post("/entries", json=body)
    assert first.status_code == 201, first.text
    there = size(own_town)
    again = farm.post("/entries", json=body)
    assert again.json()["receipts"] == [{**first.json()["receipts"][0], "repeated": True}]
    assert size(own_town) == there
    # Its author is another's: for this caller there is no such party.
    assert own_town["mill-preparer"].post("/entries", json=body).status_code == 404


def test_what_others_wrote_is_no_entry_of_mine(own_town: Town) -> None:
    forged = Submission(data=signed(party_statement("ghost"), FARM))
    body = {"submissions": [{"entry": base64.b64encode(forged.data).decode()}]}
    there = size(own_town)
    assert own_town["farm-preparer"].post("/entries", json=body).status_code == 404
    answer = own_town["manager"].post("/entries", json=body)
    assert answer.status_code == 409
    assert size(own_town) == there


def test_a_registration_is_replaced_by_whom_has_read_it(own_town: Town) -> None:
    mill = own_town["mill-preparer"]
    mill.post("/points", json=POINT)
    read = mill.get("/points/once")
    etag = read.headers["ETag"]
    assert mill.get("/points/once", headers={"If-None-Match": etag}).status_code == 304
    changed = {**POINT, "technology": "saw"}
    assert mill.put("/points/once", json=changed).status_code == 428
    first = mill.put("/points/once", json=changed, headers={"If-Match": etag})
    assert first.status_code == 201
    late = mill.put("/points/once", json=POINT, headers={"If-Match": etag})
    assert late.status_code == 412
    assert mill.get("/points/once").json()["technology"] == "saw"
    assert mill.post("/points", json=POINT).status_code == 409
