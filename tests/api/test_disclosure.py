"""The archive of an organisation's year over HTTP: a job, whose file an outsider verifies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from greenledger_verify import cli
from tests.api.people import Town
from tests.api.test_path import done
from tests.disclosure.breaking import files_of
from tests.disclosure.park import font


def test_a_draft_for_whoever_may_read(
    own_town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    font()
    viewer, farm = own_town["mill-viewer"], own_town["farm-preparer"]
    asked = {"organisation": "mill", "year": "2026", "level": "total"}
    job = done(viewer, viewer.post("/disclosures", json=asked))
    assert (job["kind"], job["result"]["organisation"]) == ("disclosure", "mill")
    found = viewer.get(f"/jobs/{job['id']}/files/disclosure.zip")
    assert len(found.content) == job["result"]["bytes"]
    (tmp_path / "mill.zip").write_bytes(found.content)
    claims = json.loads(files_of(tmp_path / "mill.zip")["claims.json"])["claims"]
    assert {one["consumer"] for one in claims} == {"mill"}
    vkey = own_town["anybody"].get("/log").json()["log_vkey"]
    assert cli.main(["pack", str(tmp_path / "mill.zip"), "--vkey", vkey]) == 0
    assert "the pack is a draft" in capsys.readouterr().out
    assert farm.post("/disclosures", json=asked).status_code == 404
    assert farm.get(f"/jobs/{job['id']}/files/disclosure.zip").status_code == 404


@pytest.mark.parametrize(
    "asked",
    [
        {"organisation": "mill", "year": "26"},
        {"organisation": "mill", "year": "2026", "level": "sampled"},
        {"organisation": "Mill!", "year": "2026"},
        {"year": "2026"},
    ],
)
def test_bad_requests(town: Town, asked: dict[str, str]) -> None:
    assert town["mill-viewer"].post("/disclosures", json=asked).status_code == 422
