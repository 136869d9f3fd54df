"""greenledger claim … and lot …: what people see, what programs read, and clear errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.claims import service
from ledger.house import House
from tests.claims.claimed import made
from tests.cli.conftest import Run, run
from tests.divided import all_held, correct
from tests.ledgers import copy_ledger, dump, open_house

__all__ = ["run"]

MARCH = ("--from", "2026-03-01", "--to", "2026-03-01T01:00")


@pytest.fixture
def folder(matched_template: Path, tmp_path: Path) -> Path:
    """The matched park, where the commands look for it."""
    return copy_ledger(matched_template, tmp_path / "ledger")


def answer(run: Run, *words: str) -> Any:
    done = run(*words, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def closed(house: House) -> House:
    house.engine.dispose()
    return house


def claim(run: Run, *points: str) -> str:
    found = answer(run, "claim", "make", *points, *MARCH)["claim"]
    assert isinstance(found, str)
    return found


def test_made_listed_and_shown(run: Run, folder: Path) -> None:
    said = run("claim", "make", "saw", "press", *MARCH)
    assert said.code == 0
    assert "164 Wh" in said.out
    assert "79.6" in said.out, "164 of 206"
    (one,) = answer(run, "claim", "list")["claims"]
    assert (one["claimed_wh"], one["state"], one["consumer"]) == (164, "in force", "mill")
    assert one["by_class"] == [{"class": 2, "wh": 143}, {"class": 4, "wh": 21}]
    shown = answer(run, "claim", "status", one["claim"][:4])
    assert shown["claim"] == one["claim"]
    assert len(shown["lots"]) == 6
    table = run("claim", "status", one["claim"].upper())
    assert table.code == 0
    for text in ("in force", "press, saw", "direct supply", "green trade", "residual", "42 Wh"):
        assert text in table.out or text in table.out.replace("saw, press", "press, saw")
    listed = run("claim", "list").out
    assert one["claim"][:12] in listed


def test_traced(run: Run, folder: Path) -> None:
    id_ = claim(run, "saw")
    found = answer(run, "claim", "trace", id_)
    assert found["at"] == "2026-02-28T16:00:00Z"
    cells = {(cell["side"], cell["point"]): cell for cell in found["cells"]}
    assert cells.keys() == {("supply", "roof"), ("cover", "saw")}
    roof = cells["supply", "roof"]
    assert (roof["wh"], roof["lot_wh"], roof["contracts"]) == (60, 60, {"all": 60})
    (reading,) = roof["readings"]
    assert (reading["value_wh"], reading["author"], reading["length_s"]) == (120, "operator", 900)
    later = answer(run, "claim", "trace", id_, "--at", "2026-03-01T00:15")
    assert {(cell["point"], cell["class"], cell["wh"]) for cell in later["cells"]} == {
        ("tower", 4, 20),
        ("saw", 4, 20),
    }
    table = run("claim", "trace", id_)
    assert "roof" in table.out
    assert "Readings that it rests on" in table.out


def test_short_flagged_replaced_withdrawn(run: Run, folder: Path) -> None:
    id_, other = claim(run, "saw", "press"), claim(run, "oven")
    house = open_house(folder)
    index = correct(house, "roof", 0, 100)
    closed(house)
    assert answer(run, "claim", "status", id_)["short_since"] == index
    refused = run("claim", "replace", id_, "--reason", "x")
    assert refused.code == 3
    assert "greenledger claim flag" in refused.err
    flags = answer(run, "claim", "flag")["flags"]
    assert {one["claim"]: one["state"] for one in flags} == {id_: "short", other: "short"}
    assert answer(run, "claim", "flag")["flags"] == []
    assert f"short since entry {index}" in run("claim", "list").out
    again = answer(run, "claim", "replace", id_, "--reason", "read anew")
    assert (again["claimed_wh"], again["reason"]) == (144, "read anew")
    said = run("claim", "flag")
    assert f"Claim {other} is not short any more" in said.out
    gone = answer(run, "claim", "withdraw", other, "--reason", "sold")
    assert gone["claim"] == other
    states = {one["claim"]: one["state"] for one in answer(run, "claim", "list")["claims"]}
    assert states == {id_: "replaced", other: "withdrawn", again["claim"]: "in force"}
    shown = run("claim", "status", other).out
    assert "withdrawn by entry" in shown
    assert "sold" in shown
    assert answer(run, "audit")["ok"]


@pytest.mark.parametrize("level", ["total", "sampled", "full"])
def test_evidence(run: Run, folder: Path, tmp_path: Path, level: str) -> None:
    id_ = claim(run, "saw")
    out = tmp_path / "a.evidence.json"
    found = answer(run, "claim", "evidence", id_[:8], "--out", str(out), "--level", level)
    assert found["bytes"] == out.stat().st_size
    assert (len(found["seed"]), found["samples"]) == ((64, 60) if level == "sampled" else (0, 0))
    assert json.loads(out.read_text())["level"] == level
    again = run("claim", "evidence", id_, "--out", str(out))
    assert again.code != 0, "a file is not overwritten"


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("claim", "make", "saw", "--from", "2026-03-01", "--to", "2026-03-01"), 2, "is not after"),
        (("claim", "make", "saw", "--from", "soon", "--to", "2026-03-01"), 2, "soon"),
        (("claim", "make", "sow", *MARCH), 4, "no point 'sow'"),
        (("claim", "make", "roof", *MARCH), 3, "roof"),
        (("claim", "make", "saw", "oven", *MARCH), 3, "'oven' belongs to 'shop'"),
        (
            ("claim", "make", "saw", "--from", "2026-03-01", "--to", "2026-03-01T00:30"),
            3,
            "lots are claimed whole",
        ),
        (("claim", "make", "saw", *MARCH, "--key", "nowhere.key"), 4, "nowhere.key"),
        (("claim", "status", "abc"), 2, "too short"),
        (("claim", "status", "ffffffffffff"), 4, "no claim begins with"),
        (("claim", "status", "zzzz"), 4, "no claim begins with"),
        (("claim", "trace", "ID", "--at", "2026-03-02"), 4, "claims nothing in the quarter-hour"),
        (("claim", "trace", "ID", "--at", "2026-03-01T00:07"), 2, "start of a quarter-hour"),
        (("claim", "replace", "ID", "--reason", ""), 2, "reason"),
        (("claim", "replace", "ID", "--reason", "x" * 501), 2, "reason"),
        (("claim", "withdraw", "ID", "--reason", ""), 2, "reason"),
        (("claim", "evidence", "ID", "--out", "x.json", "--level", "most"), 2, "one of total"),
        (("claim", "evidence", "ID", "--out", "x.json", "--seed", "00"), 2, "belongs to --level"),
        (
            ("claim", "evidence", "ID", "--out", "x.json", "--level", "sampled", "--seed", "0"),
            2,
            "64 hex digits",
        ),
        (
            ("claim", "evidence", "ID", "--out", "x.json", "--level", "sampled", "--seed", "00"),
            2,
            "64 hex digits",
        ),
        (
            (
                *("claim", "evidence", "ID", "--out", "x.json", "--level", "sampled"),
                *("--samples", "10001"),
            ),
            2,
            "1 to 10000",
        ),
        (("lot", "list", "--point", "sow"), 4, "no point 'sow'"),
        (("lot", "wrap", "abc", "--form", "gec", "--issuer", "x", "--number", "1"), 2, "no lot id"),
        (
            ("lot", "wrap", "ab" * 16, "--form", "gec", "--issuer", "x", "--number", "1"),
            3,
            "was never created",
        ),
        (
            ("lot", "wrap", "LOT", "--form", "gold", "--issuer", "x", "--number", "1"),
            2,
            "one of gec",
        ),
        (("lot", "wrap", "LOT", "--form", "gec", "--issuer", "", "--number", "1"), 2, "issuer"),
        (
            (
                *("lot", "wrap", "LOT", "--form", "gec", "--issuer", "x", "--number", "1"),
                *("--document", "nowhere.pdf"),
            ),
            4,
            "no file nowhere.pdf",
        ),
    ],
)
def test_bad_input(
    run: Run,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    code: int,
    why: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    known = {"ID": claim(run, "press")}
    house = open_house(folder)
    known["LOT"] = all_held(house)[0].id.hex()
    closed(house)
    before = {name: rows for name, rows in dump(folder).items() if "checkpoint" not in name}
    done = run(*(known.get(word, word) for word in words))
    assert done.code == code
    assert why in done.err
    assert "Traceback" not in done.err
    after = {name: rows for name, rows in dump(folder).items() if "checkpoint" not in name}
    # A checkpoint may have been signed meanwhile; what it covers did not change.
    assert {name for name in after if after[name] != before[name]} <= {"log_heads", "tiles"}
    assert not Path("x.json").exists()


def test_what_begins_alike_is_asked_for(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = iter(["1" * 32, "abcd" + "0" * 28, "2" * 32, "abcd" + "1" * 28])
    monkeypatch.setattr(service, "fresh_id", lambda: next(ids))
    claim(run, "press")
    claim(run, "saw")
    done = run("claim", "status", "abcd")
    assert done.code == 2
    assert "2 claims begin with 'abcd'" in done.err
    assert answer(run, "claim", "status", "abcd1")["claim"] == "abcd" + "1" * 28


def test_lots(run: Run, folder: Path, tmp_path: Path) -> None:
    claim(run, "press")
    rows = answer(run, "lot", "list")["lots"]
    assert sum(row["wh"] for row in rows if row["point"] == "roof" and row["class"]) == 196
    held = answer(run, "lot", "list", "--point", "press")["lots"]
    assert {(row["point"], row["holder"], row["wh"]) for row in held} == {
        ("roof", "press", 51),
        ("press", "press", 51),
        ("press", "", 32),
    }
    free = answer(run, "lot", "list", "--point", "press", "--unspent")["lots"]
    assert [row["holder"] for row in free] == [""]
    assert all(row["spent_by"] for row in held if row["holder"])
    table = run("lot", "list", "--point", "press").out
    assert "left over" in table
    assert "direct supply" in table
    (tmp_path / "doc.pdf").write_bytes(b"%PDF")
    words = ("--form", "gec", "--issuer", "NEA", "--number", "G-1")
    wrapped = answer(
        run, "lot", "wrap", held[0]["lot"], *words, "--document", str(tmp_path / "doc.pdf")
    )
    assert len(wrapped["document"]) == 64
    twice = run("lot", "wrap", held[0]["lot"], *words)
    assert twice.code == 3
    assert "is wrapped as gec already" in twice.err
    house = open_house(folder)
    assert len(made(house)) == 1
    closed(house)
