"""Scorecards over HTTP: reports of the park, by a standard that anybody may read."""

from __future__ import annotations

from ledger.scorecard import catalogue
from tests.api.people import Town

NAME = "ndrc-910"
ASKED = {"kind": "scorecard", "about": {"standard": NAME, "period": "2026-02"}}


def test_a_scorecard_is_drafted_and_published_by_the_park(own_town: Town) -> None:
    mill, manager = own_town["mill-preparer"], own_town["manager"]
    early = manager.post("/reports/draft", json=ASKED)
    assert early.status_code == 404, early.text
    content = catalogue.shipped(NAME).to_json()
    put = manager.put(f"/records/standard/{NAME}", json={"content": content})
    assert put.status_code == 201, put.text
    assert mill.get(f"/records/standard/{NAME}").status_code == 200
    for path in ("/reports/draft", "/reports"):
        assert mill.post(path, json=ASKED).status_code == 404
    drafted = manager.post("/reports/draft", json=ASKED).json()
    assert {one["id"] for one in drafted["result"]["clauses"]} >= {"core-0.2", "guiding-heat"}
    made = manager.post("/reports", json=ASKED | {"as_of": drafted["as_of"]})
    assert made.status_code == 201, made.text
    (there,) = manager.get("/reports", params={"kind": "scorecard"}).json()["items"]
    assert manager.get(f"/reports/{there['report']}").json()["result"] == drafted["result"]
    assert mill.get(f"/reports/{there['report']}").status_code == 404


def test_a_standard_that_can_not_be_answered_is_refused(own_town: Town) -> None:
    content = catalogue.shipped(NAME).to_json()
    content["clauses"][0]["figure"] = "happiness"
    answer = own_town["mill-preparer"].put("/records/standard/mine", json={"content": content})
    assert answer.status_code == 422
    assert "no figure 'happiness' is computed" in answer.json()["detail"]
