"""What anybody reads: the log as C2SP tiles, proofs, health; and what a job tells while it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from ledger.house import House
from ledger.log.checkpoint import open_checkpoint
from ledger.log.notes import parse_vkey
from tests.api.people import PASSWORDS, Town, settle
from tests.ledgers import add_many
from tests.servers.api import serving

WIDTH = 256


@pytest.fixture
def tiled_town(tiled: House) -> Iterator[Town]:
    with serving(tiled, PASSWORDS) as url:
        town = settle(tiled, url)
        yield town
        town.close()


def download(anybody: httpx.Client, folder: Path, size: int) -> list[tuple[str, str]]:
    """The log as any C2SP client fetches it, by size alone; (path, Cache-Control) of each file."""
    wanted, level = ["checkpoint"], 0
    while size >> (8 * level):
        full, rest = divmod(size >> (8 * level), WIDTH)
        names = [f"{number:03}" for number in range(full)]
        names += [f"{full:03}.p/{rest}"] if rest else []
        wanted += [f"tile/{level}/{name}" for name in names]
        if level == 0:
            wanted += [f"tile/entries/{name}" for name in names]
        level += 1
    kept = []
    for path in wanted:
        answer = anybody.get(f"/log/{path}")
        assert answer.status_code == 200, (path, answer.text)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(answer.content)
        kept.append((path, answer.headers["Cache-Control"]))
    return kept


def test_outsiders_verify_what_they_download(tiled_town: Town, tmp_path: Path) -> None:
    anybody = tiled_town["anybody"]
    log = anybody.get("/log").json()
    assert log["checkpoint_size"] > WIDTH
    kept = download(anybody, tmp_path / "log", log["checkpoint_size"])
    verdict = subprocess.run(
        [
            *(sys.executable, "-m", "greenledger_verify", "log", str(tmp_path / "log")),
            *("--vkey", log["log_vkey"], "--json"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    for path, cache in kept:
        whole = path.startswith("tile/") and ".p/" not in path
        assert ("immutable" in cache) is whole, (path, cache)


def test_only_what_a_checkpoint_covers_is_shown(tiled_town: Town) -> None:
    """What is not signed yet could still be taken back."""
    anybody = tiled_town["anybody"]
    covered = anybody.get("/log").json()["checkpoint_size"]
    add_many(tiled_town.house, 3, "later")
    assert anybody.get("/log").json()["size"] > covered
    rest = covered % WIDTH
    assert anybody.get(f"/log/tile/0/001.p/{rest}").status_code == 200
    assert anybody.get(f"/log/tile/0/001.p/{rest + 1}").status_code == 404
    assert anybody.get(f"/log/proof/{covered}").status_code == 404
    for nonsense in ("0/000.p/0", "0/000.p/256", "0/1", "0/x1/000", "9/000", "entries/002"):
        assert anybody.get(f"/log/tile/{nonsense}").status_code == 404, nonsense


def test_the_log_only_grew(tiled_town: Town, tmp_path: Path) -> None:
    anybody = tiled_town["anybody"]
    vkey = parse_vkey(anybody.get("/log").json()["log_vkey"])
    before = open_checkpoint(anybody.get("/log/checkpoint").content, vkey)
    add_many(tiled_town.house, 3, "later")
    tiled_town.house.checkpoint()
    found = anybody.get(f"/log/consistency?size1={before.size}").json()
    assert found["root1"] == before.root.hex()
    line = tmp_path / "proofs"
    line.write_text(json.dumps(found) + "\n")
    verdict = subprocess.run(
        [sys.executable, "-m", "greenledger_verify", "consistency", "--batch", str(line)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(verdict.stdout) == {"ok": True}


def test_whether_it_lives_and_what_it_counts(town: Town) -> None:
    assert town["anybody"].get("/health").json() == {"status": "ok"}
    ready = town["anybody"].get("/ready").json()
    assert ready["status"] == "ready"
    assert ready["size"] >= ready["checkpoint_size"] > 0
    town["manager"].get("/points")
    said = town["auditor"].get("/metrics").text
    assert 'greenledger_http_requests_total{operation="points_list",status="200"}' in said
    assert "greenledger_log_size" in said
    assert "secret" not in said


def test_answers_carry_what_browsers_need(town: Town) -> None:
    found = town["anybody"].get("/health").headers
    assert found["X-Content-Type-Options"] == "nosniff"
    assert found["Cache-Control"] == "no-store"
    assert "server" not in found


def test_a_job_is_followed_by_its_events(own_town: Town) -> None:
    job = own_town["manager"].post("/audits", json={}).json()["id"]
    with own_town["manager"].stream("GET", f"/jobs/{job}/events") as events:
        assert events.headers["Content-Type"].startswith("text/event-stream")
        told = [line[6:] for line in events.iter_lines() if line.startswith("data: ")]
    states = [json.loads(each)["state"] for each in told]
    assert states[-1] == "done"
    order = ["waiting", "running", "done"]
    assert [order.index(state) for state in states] == sorted(map(order.index, states))
    assert own_town["mill-viewer"].get(f"/jobs/{job}/events").status_code == 404


def test_too_many_requests_are_told_when_to_come_again(own_town: Town) -> None:
    """Counted by credential: others are not kept out."""
    few = own_town.house.settings.model_copy(update={"requests_per_s": 0.01, "requests_burst": 3})
    with serving(replace(own_town.house, settings=few), PASSWORDS) as url:
        headers = {"Authorization": f"Bearer {own_town.tokens['mill-viewer']}"}
        with httpx.Client(base_url=url, headers=headers) as mill:
            answers = [mill.get("/points") for _ in range(5)]
        assert [one.status_code for one in answers] == [200, 200, 200, 429, 429]
        assert 50 < int(answers[-1].headers["Retry-After"]) <= 101
        headers = {"Authorization": f"Bearer {own_town.tokens['farm-preparer']}"}
        with httpx.Client(base_url=url, headers=headers) as farm:
            assert farm.get("/points").status_code == 200
