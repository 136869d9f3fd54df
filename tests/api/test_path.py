"""From nothing to evidence over HTTP, in every format of readings; then verified by outsiders."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.api.people import Town

pytestmark = pytest.mark.both_databases
FROM, TO = "2026-02-20T16:00:00Z", "2026-02-21T16:00:00Z"
START_S = 1_771_603_200
ROOF = np.random.default_rng(1).integers(0, 9_000_000, 96)
SAW = np.random.default_rng(2).integers(0, 9_000_000, 96)


def done(client: httpx.Client, answer: httpx.Response) -> dict[str, Any]:
    """A job once it has ended well."""
    assert answer.status_code == 202, answer.text
    job = answer.json()["id"]
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = client.get(f"/jobs/{job}").json()
        if found["state"] in ("done", "failed", "cancelled"):
            assert found["state"] == "done", found["error"]
            return dict(found)
        time.sleep(0.05)
    pytest.fail(f"job {job} does not end")


def written(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def rows(point: str, values: np.ndarray) -> list[dict[str, Any]]:
    return [
        {"point": point, "start_s": START_S + 900 * number, "value": int(value)}
        for number, value in enumerate(values)
    ]


def test_from_nothing_to_verified_evidence(new_town: Town, tmp_path: Path) -> None:
    manager, farm, mill = (new_town[name] for name in ("manager", "farm-preparer", "mill-preparer"))
    for party, role in (("farm", "generator"), ("mill", "enterprise")):
        named = {"party": party, "name": f"{party} Ltd", "roles": [role]}
        written(manager.post("/parties", json=named))
        written(manager.post(f"/parties/{party}/keys", json={}))
    for client, name, kind, owner in (
        (farm, "new-roof", "generation", "farm"),
        (mill, "new-saw", "consumption", "mill"),
    ):
        written(client.post("/points", json={"name": name, "kind": kind, "owner": owner}))
    by_csv = "point,start_s,value\n" + "".join(
        f"new-roof,{row['start_s']},{row['value']}\n" for row in rows("new-roof", ROOF)
    )
    stored = farm.post(
        "/readings?source=roof", content=by_csv, headers={"Content-Type": "text/csv"}
    )
    assert written(stored)["facts"] == {"stored": 96, "repeats": 0, "corrected": 0}
    by_line = "".join(json.dumps(row) + "\n" for row in rows("new-saw", SAW))
    stored = mill.post(
        "/readings?source=saw", content=by_line, headers={"Content-Type": "application/x-ndjson"}
    )
    assert written(stored)["facts"]["stored"] == 96
    contract = {
        "name": "new-line",
        "kind": "direct-supply",
        "seller": "farm",
        "sources": ["new-roof"],
        "consumers": [{"point": "new-saw"}],
        "from": FROM,
        "to": TO,
    }
    written(farm.post("/contracts", json=contract))
    run = done(manager, manager.post("/runs", json={"from": FROM, "to": TO}))
    made = written(mill.post("/claims", json={"points": ["new-saw"], "from": FROM, "to": TO}))
    claim = made["facts"]["claim"]
    assert mill.get(f"/claims/{claim}").json()["manifest"]["claimed_wh"] == int(
        np.minimum(ROOF, SAW).sum()
    )
    job = done(mill, mill.post(f"/claims/{claim}/evidence", json={"level": "full"}))
    evidence = mill.get(f"/jobs/{job['id']}/files/evidence.json")
    path = tmp_path / "claim.evidence.json"
    path.write_bytes(evidence.content)
    vkey = new_town["anybody"].get("/log").json()["log_vkey"]
    verdict = subprocess.run(
        [
            sys.executable,
            "-m",
            "greenledger_verify",
            "evidence",
            str(path),
            "--vkey",
            vkey,
            "--json",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    assert run["result"]
    # Who has nothing to do with it sees none of it.
    for path_of_it in (f"/claims/{claim}", f"/jobs/{job['id']}", "/series/new-saw"):
        query = {"from": FROM, "to": TO} if path_of_it.startswith("/series") else {}
        assert farm.get(path_of_it, params=query).status_code == 404
    audited = done(manager, manager.post("/audits", json={}))
    assert audited["result"]["entries"] == new_town["anybody"].get("/log").json()["size"]


def test_every_format_stores_the_same(own_town: Town) -> None:
    mill = own_town["mill-preparer"]
    table = pa.table(
        {
            "point": pa.array(["p-parquet"] * 96),
            "start_s": pa.array(START_S + 900 * np.arange(96)),
            "value": pa.array(SAW),
        }
    )
    parquet = io.BytesIO()
    pq.write_table(table, parquet)
    lines = "".join(json.dumps(row) + "\n" for row in rows("p-ndjson", SAW))
    csv = "start,value,point\n" + "".join(
        f"{np.datetime64(row['start_s'], 's')}Z,{row['value']},p-csv\n" for row in rows("", SAW)
    )
    runs = {"readings": [{"point": "p-json", "start": FROM, "values": SAW.tolist()}]}
    bodies: dict[str, tuple[str, bytes]] = {
        "p-json": ("application/json", json.dumps(runs).encode()),
        "p-ndjson": ("application/x-ndjson", lines.encode()),
        "p-csv": ("text/csv", csv.encode()),
        "p-parquet": ("application/vnd.apache.parquet", parquet.getvalue()),
    }
    shown = []
    for point, (media, body) in bodies.items():
        written(mill.post("/points", json={"name": point, "kind": "other", "owner": "mill"}))
        headers = {"Content-Type": media}
        first = written(mill.post(f"/readings?source={point}", content=body, headers=headers))
        assert first["facts"] == {"stored": 96, "repeats": 0, "corrected": 0}
        again = written(mill.post(f"/readings?source={point}", content=body, headers=headers))
        assert again["facts"] == {"stored": 0, "repeats": 96, "corrected": 0}
        found = mill.get(f"/series/{point}", params={"from": FROM, "to": TO}).json()
        shown.append([(run["start"], run["length_s"], run["values"]) for run in found["runs"]])
    assert shown == [[(FROM, 900, SAW.tolist())]] * 4
