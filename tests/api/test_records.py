"""Records and reports over HTTP: public registers are everybody's to read, private ones are not."""

from __future__ import annotations

from tests.api.people import Town
from tests.records.contents import a_document, a_set

PRIVATE = "document"
NAME = "0a" * 16


def test_records_are_put_read_replaced_and_ended(own_town: Town) -> None:
    mill, farm, manager = (own_town[who] for who in ("mill-preparer", "farm-preparer", "manager"))
    made = mill.put("/records/factors/mill-own", json={"content": a_set(1)})
    assert made.status_code == 201, made.text
    again = mill.put("/records/factors/mill-own", json={"content": a_set(2)})
    (entry,) = again.json()["receipts"]
    assert entry["statement"]["replaces"] == made.json()["receipts"][0]["id"]
    # A public register: another organisation reads it, and does not write it.
    (row,) = [
        one for one in farm.get("/records/factors").json()["items"] if one["name"] == "mill-own"
    ]
    assert (row["register"], row["author"], row["entry"]) == ("factors", "mill", entry["index"])
    stolen = manager.put("/records/factors/mill-own", json={"content": a_set(3)})
    assert stolen.status_code == 409
    assert "is a record of 'mill', not of 'operator'" in stolen.json()["detail"]
    ended = mill.post("/records/factors/mill-own/end", json={"reason": "out of date"})
    assert ended.status_code == 201, ended.text
    shown = farm.get("/records/factors/mill-own").json()["versions"]
    assert [one["act"] for one in shown] == ["put", "put", "end"]
    assert shown[-1]["reason"] == "out of date"
    assert "mill-own" not in str(farm.get("/records/factors").json())
    # A private one: its own people and the park's.
    content = a_document("mill", "Licence 许可证")
    assert mill.put(f"/records/{PRIVATE}/{NAME}", json={"content": content}).status_code == 201
    assert farm.get(f"/records/{PRIVATE}/{NAME}").status_code == 404
    assert farm.get(f"/records/{PRIVATE}").json()["items"] == []
    for reader in (mill, manager, own_town["mill-viewer"], own_town["auditor"]):
        (found,) = reader.get(f"/records/{PRIVATE}/{NAME}").json()["versions"]
        assert found["content"]["title"] == "Licence 许可证"
        assert len(reader.get(f"/records/{PRIVATE}").json()["items"]) == 1


def test_what_is_wrong_is_said(own_town: Town) -> None:
    mill = own_town["mill-preparer"]
    for path, content, said in (
        (f"/records/{PRIVATE}/licence", {}, "is public, and what document is about is not"),
        ("/records/factors/x", {"value": 0.5}, "value is 0.5; a record holds integers and text"),
        ("/records/factors/x", {"deep": [[True]]}, "deep.0.0 is True"),
    ):
        answer = mill.put(path, json={"content": content})
        assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.text
    assert mill.put("/records/prices/x", json={"content": {}}).status_code == 422
    assert mill.get("/records/factors/none").status_code == 404
    assert mill.post("/records/factors/none/end", json={"reason": "no"}).status_code == 404
    other = {"author": "farm", "content": {}}
    assert mill.put("/records/factors/x", json=other).status_code == 404


def test_a_report_tells_of_ones_own_alone(own_town: Town) -> None:
    mill, manager = own_town["mill-preparer"], own_town["manager"]
    for about in (
        {"subject": "farm"},
        {"organisation": "farm", "year": "2025"},
        {"subject": "mill", "organisation": "farm"},
        {"subject": "mill", "drafts": [{"kind": "inventory", "about": {"subject": "farm"}}]},
        {"product": NAME},
        {"period": "2026-02"},  # of the park
    ):
        asked = {"kind": "inventory", "about": about}
        for path in ("/reports/draft", "/reports"):
            answer = mill.post(path, json=asked)
            assert answer.status_code == 404, (path, about, answer.text)
    answer = manager.post("/reports/draft", json={"kind": "inventory", "about": {}})
    assert answer.status_code in (200, 422), answer.text
    assert mill.get("/reports").json() == {"items": [], "next": ""}
    assert mill.get(f"/reports/{NAME}").status_code == 404
