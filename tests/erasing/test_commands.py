"""The command, four eyes, and the service: who asks for an erasure, and what is said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ledger.approvals import officers
from ledger.approvals import store as drafts
from ledger.approvals.service import approve, carry_out
from ledger.approvals.store import Known, Person
from ledger.metering.erasing import erase_batches
from tests.api.conftest import own_town
from tests.api.people import Town
from tests.cli.conftest import Run, run
from tests.erasing.conftest import Park
from tests.ledgers import filled, filled_template, no_progress, rows

__all__ = ["filled", "filled_template", "own_town", "run"]


def said(run: Run, park: Park, *words: str) -> dict[str, Any]:
    done = run(*words, "--dir", str(park.house.settings.dir), "--json")
    found: dict[str, Any] = json.loads(done.out)
    return {**found, "exit": done.code}


def test_the_command_says_what_rests_on_a_batch_and_erases_it(run: Run, park: Park) -> None:
    roof, folder = park.batch("roof"), str(park.house.settings.dir)
    before = said(run, park, "erase", "--source", "roof", "--dry-run")
    assert (before["batches"], before["entry"], before["left"]) == ([roof], None, 0)
    assert before["runs"] == [park.entries["match.run"]]
    assert before["claims"] == [park.claim.hex()]
    assert "say why" in said(run, park, "erase", str(roof))["message"]
    done = said(run, park, "erase", str(roof), "--reason", "kept long enough")
    assert done["swept"]
    audit = said(run, park, "audit")
    assert audit["erased"] == 2
    assert audit["attested"] == [park.entries["match.run"], park.entries["lot.divide"]]
    text = run("audit", "--dir", folder).out
    assert "2 bodies were erased by the log" in text
    assert run("erase", str(roof), "--reason", "twice", "--dir", folder).code == 3
    assert said(run, park, "erase", "--source", "roof", "--dry-run")["exit"] == 4
    assert said(run, park, "erase", "--sweep") == {"swept": True, "exit": 0}
    # What shows lots and claims still does.
    for words in (("claim", "list"), ("lot", "list"), ("status",)):
        assert said(run, park, *words)["exit"] == 0, words


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "name the entries of batches, or --source"),
        (("7", "--source", "roof"), "name the entries of batches, or --source"),
        (("1", "--reason", "x"), "entry 1 is no batch of readings"),
        (("--source", "nobody", "--reason", "x"), "has no batch"),
        (("--source", "roof", "--before", "2026-01-01", "--dry-run"), "none that ends in time"),
    ],
)
def test_what_makes_no_sense_is_refused(
    run: Run, park: Park, words: tuple[str, ...], says: str
) -> None:
    assert says in said(run, park, "erase", *words)["message"]


@pytest.mark.both_databases
def test_two_officers_erase_where_four_eyes_are_the_rule(park: Park) -> None:
    desk = park.house.desk
    people = [
        Person(officer=officers.add(desk, "operator", Known(label=f"person-{n}")).officer)
        for n in range(2)
    ]
    officers.set_rule(desk, "operator", "four-eyes", "two people")
    draft = carry_out(
        desk, lambda desk: erase_batches(desk, [park.batch("roof")], "enough"), by=people[0]
    )
    assert isinstance(draft, drafts.Draft)
    assert rows(park.house, "SELECT COUNT(*) FROM erasures") == [(0,)]
    approve(desk, draft.draft, people[1])
    assert rows(park.house, "SELECT COUNT(*) FROM erasures") == [(1,)]
    assert park.house.audit(no_progress).erased == 2


def test_the_park_manager_erases_over_http(own_town: Town) -> None:
    house, manager = own_town.house, own_town["manager"]
    ((index,),) = rows(
        house,
        "SELECT entry_index FROM batches WHERE source = 'roof' ORDER BY entry_index LIMIT 1",
    )
    preview = manager.get(f"/erasures/preview?entry={index}")
    assert preview.status_code == 200, preview.text
    assert preview.json()["points"] == ["secret-roof"]
    body = {"entries": [index], "reason": "kept long enough"}
    assert own_town["mill-preparer"].post("/erasures", json=body).status_code == 403
    answer = manager.post("/erasures", json=body)
    assert answer.status_code == 201, answer.text
    assert rows(house, "SELECT erased_by FROM erasures WHERE entry_index = ?", index) == [
        (answer.json()["receipts"][0]["index"],)
    ]
    assert manager.post("/erasures", json=body).status_code == 409
