"""Anchors by command, by job, over HTTP and in metrics; and what of it goes into evidence."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import httpx
import pytest

from ledger.anchors import service, shown
from ledger.cli import main
from ledger.db import reading
from ledger.house import House
from ledger.jobs import kinds, schedule
from ledger.jobs.running import run
from ledger.log import publish
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.notes import parse_note
from tests.anchors.conftest import ED25519, grow, listed
from tests.ledgers import rows
from tests.servers.api import serving
from tests.servers.tsa import Authority
from tests.servers.witness import Witness
from tests.verifier import forge

NAME = f"{ED25519.name}+{ED25519.key_id.hex()}"


def command(capsys: pytest.CaptureFixture[str], house: House, *words: str) -> tuple[str, str]:
    """What `greenledger …` says, on both its channels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["greenledger", *words, "--dir", str(house.settings.dir)])
        with pytest.raises(SystemExit) as stop:
            main()
    captured = capsys.readouterr()
    assert stop.value.code == 0, captured.err
    return captured.out, captured.err


def test_by_command(
    house: House,
    witness: Witness,
    tsa: Authority,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, _ = command(capsys, house, "status")
    assert "none: nobody vouches for the log" in out
    listed(house, witness, [tsa], more="quorum = 1")
    monkeypatch.setenv("GREENLEDGER_PUBLISH_DIR", str(tmp_path / "public"))
    tsa.answer = lambda _: (503, "text/plain", b"")
    house.desk.register_party("farm", "Farm", ["enterprise"])
    out, _ = command(capsys, house, "anchor", "run", "--json")
    done = json.loads(out)
    assert done["size"] == 3
    assert [(one["name"], one["said"]) for one in done["asked"]] == [
        ("tsa-0", "failed"),
        (NAME, "cosignature"),
    ]
    assert done["published"]["size"] == 3
    assert b"witness.example" in (tmp_path / "public/checkpoint").read_bytes()
    out, _ = command(capsys, house, "anchor", "status")
    assert "vouched for by 1 witnesses (quorum 1), 0 authorities" in out
    assert re.search(r"authority  tsa-0: has said nothing yet; failed 1 times.* status 503", out)
    out, _ = command(capsys, house, "status")
    assert "1 witnesses, 0 time-stamps for the latest checkpoint; 1 of 2 fail" in out
    # Asked again though it failed just now: a person asks.
    tsa.answer = tsa.honest
    out, _ = command(capsys, house, "anchor", "run")
    assert "authority  tsa-0: time-stamp stored" in out
    assert (tmp_path / "public/receipts/3/tsa-0.tsr").is_file()
    out, _ = command(capsys, house, "anchor", "publish", "--json")
    assert json.loads(out) == {"size": 3, "files": 0}
    out, _ = command(capsys, house, "audit")
    assert "1 cosignatures and 1 time-stamps" in out
    # An alarm is a warning wherever one looks, and a round is held all the same.
    witness.answer = lambda _: (409, "text/x.tlog.size", b"99\n")
    grow(house, "mill")
    out, err = command(capsys, house, "anchor", "run")
    assert "ALARM: it has seen more of this log than is here" in out
    house.desk.register_party("kiln", "Kiln", ["enterprise"])
    for words in (("status",), ("anchor", "status"), ("anchor", "run")):
        _, err = command(capsys, house, *words)
        assert re.search(r"cosigned (a checkpoint of )?99 entries", err)


def test_by_the_clock(
    house: House, witness: Witness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once in a period; one that failed is asked again when its time has come."""
    for name in ("checkpoint_every_s", "expiry_every_s", "audit_every_s"):
        monkeypatch.setattr(house.settings, name, 0)
    monkeypatch.setattr(house.settings, "publish_dir", tmp_path / "public")
    clock = {"s": house.desk.clock_s() // 3600 * 3600}
    object.__setattr__(house.desk, "clock_s", lambda: clock["s"])
    witness.clock_s = lambda: clock["s"]
    assert schedule.due(house) == []
    witness.answer = lambda _: (500, "text/plain", b"")
    listed(house, witness)
    waits = []
    for _ in range(3):
        (job,) = schedule.due(house)
        run(house, job.id)
        assert schedule.due(house) == []
        ((failures, next_try_s),) = rows(house, "SELECT failures, next_try_s FROM anchor_states")
        waits.append(next_try_s - clock["s"])
        clock["s"] = next_try_s
    assert (waits, failures) == ([60, 120, 240], 3)
    witness.answer = witness.honest
    (job,) = schedule.due(house)
    assert job.kind == kinds.ANCHOR
    run(house, job.id)
    ((state, result),) = rows(house, "SELECT state, result FROM jobs WHERE id = ?", job.id)
    assert state == "done"
    assert json.loads(result)["asked"][0]["said"] == "cosignature"
    assert (tmp_path / "public/checkpoints/1").is_file()
    assert schedule.due(house) == []
    clock["s"] += 3600
    assert [one.kind for one in schedule.due(house)] == [kinds.ANCHOR]
    assert service.wait_s(30) == service.RETRY_LAST_S


def test_over_http(house: House, witness: Witness, tsa: Authority) -> None:
    listed(house, witness, [tsa], more="quorum = 1")
    house.anchor()
    with serving(house) as url, httpx.Client(base_url=url) as anybody:
        found = anybody.get("/log/anchors").json()
        assert {name: found[name] for name in ("size", "quorum", "witnesses", "authorities")} == {
            "size": 1,
            "quorum": 1,
            "witnesses": 1,
            "authorities": 1,
        }
        assert [one["name"] for one in found["anchors"]] == ["tsa-0", NAME]
        # Why one fails may tell of a network that is not everybody's.
        assert "last_error" not in found["anchors"][0]
        token = anybody.get("/log/anchors/1/tsa-0")
        assert token.headers["Content-Type"] == "application/timestamp-reply"
        stored = "SELECT data FROM anchor_receipts JOIN anchors USING (log_id, anchor)"
        ((data,),) = rows(house, f"{stored} WHERE kind = 'authority'")
        assert token.content == data
        assert anybody.get("/log/anchors/2/tsa-0").status_code == 404
        assert anybody.get("/log/anchors/1/tsa-9").status_code == 404
        note = anybody.get("/log/checkpoint").content
        assert [one.name for one in parse_note(note).signatures] == [
            house.log.origin,
            ED25519.name,
        ]
        assert anybody.get("/log/proof/0").content.endswith(note)


def test_in_metrics(house: House, witness: Witness, tsa: Authority) -> None:
    from api.metrics import Metrics

    tsa.answer = lambda _: (503, "text/plain", b"")
    listed(house, witness, [tsa])
    metrics = Metrics(house)
    before = metrics.text().decode()
    assert f'greenledger_anchor_age_seconds{{anchor="{NAME}",kind="witness"}} -1.0' in before
    house.anchor()
    text = metrics.text().decode()
    assert 'greenledger_anchor_failures{anchor="tsa-0",kind="authority"} 1.0' in text
    assert f'greenledger_anchor_failures{{anchor="{NAME}",kind="witness"}} 0.0' in text
    assert f'greenledger_anchor_alarm{{anchor="{NAME}",kind="witness"}} 0.0' in text
    age = re.search(rf'age_seconds{{anchor="{re.escape(NAME)}",kind="witness"}} ([\d.]+)', text)
    assert age is not None
    assert 0 <= float(age[1]) < 60


def test_anchors_of_evidence(house: House, witness: Witness, tsa: Authority) -> None:
    """Around an entry: the last anchored checkpoint without it, the first with it, the head's."""
    listed(house, witness, [tsa])
    for number in range(6):
        if number in (1, 2, 4):
            house.anchor()
        grow(house, f"p{number}")
    anchored = [size for (size,) in rows(house, "SELECT DISTINCT size FROM anchor_receipts")]
    assert sorted(anchored) == [3, 5, 9]
    entries = rows(house, "SELECT data FROM entries ORDER BY entry_index")
    leaves = [forge.leaf(data) for (data,) in entries]
    with reading(house.engine) as conn:
        head, _ = publish.latest_checkpoint(conn, house.log)
        assert head.size == 13
        wanted = {0: [3], 2: [3], 3: [3, 5], 4: [3, 5], 5: [5, 9], 8: [5, 9], 9: [9], 12: [9]}
        for index, sizes in wanted.items():
            found = shown.bracket(conn, house.log, index, head)
            notes = [parse_note(one["checkpoint"].encode()) for one in found]
            assert [parse_checkpoint(note.text).size for note in notes] == sizes, index
            for one, note, size in zip(found, notes, sizes, strict=True):
                assert list(one) == ["checkpoint", "tokens", "nodes"]
                assert len(one["tokens"]) == 1
                assert len(note.signatures) == 2
                path = base64.b64decode(one["nodes"])
                nodes = [path[at : at + 32] for at in range(0, len(path), 32)]
                assert nodes == forge.consistency(size, leaves)
    house.anchor()
    with reading(house.engine) as conn:
        found = shown.bracket(conn, house.log, 5, head)
        assert [one["nodes"] == "" for one in found] == [False, False, True]
        # A head below: what came later is not in the file.
        at = parse_checkpoint(parse_note(shown.note_at(conn, house.log, 9)).text)
        assert len(shown.bracket(conn, house.log, 5, at)) == 2
