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
        listed = reader.get(f"/records/{PRIVATE}").json()["items"]
        assert NAME in [one["name"] for one in listed]
        assert {one["author"] for one in listed} == {"mill"}


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
        {"subject": "mill", "drafts": [{"kind": "balance", "about": {"period": "2026-02"}}]},
        {"product": NAME},
        {"period": "2026-02"},  # of the park
    ):
        asked = {"kind": "inventory", "about": about}
        for path in ("/reports/draft", "/reports"):
            answer = mill.post(path, json=asked)
            assert answer.status_code == 404, (path, about, answer.text)
    answer = manager.post("/reports/draft", json={"kind": "inventory", "about": {}})
    assert answer.status_code in (200, 422), answer.text
    assert mill.get(f"/reports/{NAME}").status_code == 404


def test_a_report_is_drafted_published_and_shown(own_town: Town) -> None:
    mill, farm = own_town["mill-preparer"], own_town["farm-preparer"]
    (there,) = mill.get("/reports", params={"kind": "inventory"}).json()["items"]
    assert (there["author"], there["version"]) == ("mill", 1)
    assert farm.get("/reports").json()["items"] == []
    path = f"/reports/{there['report']}"
    first = mill.get(path, params={"version": 0}).json()
    assert first["changes"] == {"lines": [], "because": []}
    asked = {"kind": "inventory", "about": first["about"], "report": there["report"]}
    drafted = mill.post("/reports/draft", json=asked).json()
    made = mill.post("/reports", json=asked | {"as_of": drafted["as_of"]})
    assert made.status_code == 201, made.text
    shown = mill.get(path).json()
    assert shown["version"] == 2
    assert {name: shown[name] for name in drafted} == drafted
    assert farm.get(path).status_code == 404
    assert mill.get(path, params={"version": 9}).status_code == 404
    assert farm.post("/reports", json=asked | {"about": {"subject": "farm"}}).status_code == 404
