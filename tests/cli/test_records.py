"""`record …` as people type it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.test_commands import answer
from tests.records.contents import a_document, a_set


@pytest.fixture
def files(run: Run, tmp_path: Path) -> Path:
    assert run("init", "--origin", "park.example/tests", "--name", "Test park").code == 0
    (tmp_path / "own-grid.json").write_text(json.dumps(a_set(1)))
    (tmp_path / "licence.json").write_text(json.dumps(a_document("", "Licence 许可证")))
    return tmp_path


def test_a_record_goes_its_way(run: Run, files: Path) -> None:
    put = ("record", "put", "--register", "factors", "--author", "operator")
    done = run(*put, str(files / "own-grid.json"))
    assert "factors own-grid put, in force from now on" in done.out
    (files / "next.json").write_text(json.dumps(a_set(2)))
    second = answer(run, *put, str(files / "next.json"), "--name", "own-grid")
    (row,) = answer(run, "record", "list", "--register", "factors")["records"]
    assert (row["name"], row["author"], row["entry"]) == ("own-grid", "operator", second["entry"])
    (old,) = answer(run, "record", "list", "--as-of", str(second["entry"]))["records"]
    assert old["content"] == a_set(1)
    shown = run("record", "show", "--register", "factors", "--name", "own-grid").out
    assert "factors own-grid, of operator: in force." in shown
    assert "factors.0.value: 2" in shown
    said = ("--register", "factors", "--name", "own-grid")
    assert "in force no more" in run("record", "end", *said, "--reason", "superseded").out
    found = answer(run, "record", "show", *said)
    assert [one["act"] for one in found["versions"]] == ["put", "put", "end"]
    assert "ended: superseded" in run("record", "show", *said).out
    assert run("record", "end", *said, "--reason", "twice").code == 4
    assert run("audit").code == 0


def test_private_names_are_random(run: Run, files: Path) -> None:
    put = ("record", "put", "--register", "document", "--author", "operator")
    name = answer(run, *put, str(files / "licence.json"))["name"]
    assert len(name) == 32
    assert "Licence 许可证" in run("record", "list").out
    again = run(*put, str(files / "licence.json"), "--name", "licence")
    assert (again.code, "is public, and what document is about is not" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.toml", "value = 0.5", "value is 0.5; a record holds integers and text: decimals"),
        ("a.toml", "from = 2026-01-01T00:00:00Z", "from is 2026-01-01 00:00:00+00:00; a record"),
        ("a.toml", "value = ", "not a TOML file"),
        ("a.json", '{"value": 0.5}', "0.5 is not an integer; only integers and text"),
        ("a.json", "[1]", "it is no object"),
        ("a.csv", "value,1", "in a file .toml or .json"),
    ],
)
def test_files_that_are_no_record(run: Run, files: Path, name: str, text: str, said: str) -> None:
    (files / name).write_text(text)
    put = ("record", "put", str(files / name), "--register", "factors", "--author", "operator")
    done = run(*put)
    assert (done.code, said in done.err) == (2, True), done.err
    assert run(*put[:2], str(files / "none.toml"), *put[3:]).code == 4
