"""`disclose …` as people type it, and nothing half-written when they stop it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger.disclosure.asked import Asked
from ledger.disclosure.packing import Wanted, pack
from ledger.files import new_private
from ledger.house import COMPUTES, House
from tests.cli.conftest import Run, run
from tests.disclosure.breaking import files_of
from tests.disclosure.park import REGIME, font
from tests.ledgers import rows

__all__ = ["run"]


@pytest.fixture
def typed(run: Run, park: House, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Commands in the ledger of the park."""
    monkeypatch.setenv("GREENLEDGER_DIR", str(park.settings.dir))
    named = font()
    if named is not None:
        monkeypatch.setenv("GREENLEDGER_PDF_FONT", str(named))
    return run


def test_make_and_check(typed: Run, tmp_path: Path) -> None:
    out = tmp_path / "mill.zip"
    done = typed("disclose", "make", "mill", "2026", "--out", str(out), "--publish", "--json")
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert (said["organisation"], said["evidence"], len(said["reports"])) == ("mill", 1, 1)
    assert said["entry"] > 0
    checked = typed("disclose", "check", str(out))
    assert checked.code == 0
    assert f"published by entry {said['entry']}" in checked.out
    again = typed("disclose", "make", "mill", "2026", "--out", str(out))
    assert (again.code, "exists; give a new file" in again.err) == (2, True)


def test_a_draft_is_called_one(typed: Run, tmp_path: Path) -> None:
    words = ("--out", str(tmp_path / "d.zip"), "--level", "total", "--regime", REGIME)
    done = typed("disclose", "make", "farm", "2025", *words, "--as-of", "40")
    assert done.code != 0
    assert "as_of is 40" in done.err or "no factor" in done.err
    done = typed("disclose", "make", "farm", "2026", "--out", str(tmp_path / "f.zip"))
    assert done.code == 0, done.err
    assert "a draft, in no entry of the log" in done.err
    assert "greenledger-verify pack" in done.out


def test_a_changed_pack_is_named(typed: Run, made: object, copy: Path) -> None:
    copy.write_bytes(copy.read_bytes().replace(b"readme.txt", b"readmo.txt"))
    done = typed("disclose", "check", str(copy), "--json")
    assert done.code == 3
    assert '"file": "readme.txt", "why": "missing"' in done.out


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("nobody", "2026"), 4, "'nobody' is not registered"),
        (("mill", "26"), 2, "a year such as 2026"),
        (("mill", "2026", "--level", "sampled"), 2, "one of full, total"),
        (("mill", "2026", "--replaces", "ab" * 16), 2, "belong to --publish"),
        (("mill", "2026", "--report", "ab" * 16), 4, "there is no report"),
        (("mill", "2026", "--report", "nonsense"), 2, "reports"),
        (("mill", "2026", "--as-of", "9999"), 2, "as_of is 9999"),
        (("mill", "2026", "--document", "/no/such/file"), 2, "can't be read"),
    ],
)
def test_bad_input_writes_nothing(
    typed: Run, park: House, tmp_path: Path, words: tuple[str, ...], code: int, why: str
) -> None:
    before = rows(park, "SELECT COUNT(*) FROM entries")
    done = typed("disclose", "make", *words, "--out", str(tmp_path / "none.zip"))
    assert (done.code, why in done.err) == (code, True), done.err
    assert not list(tmp_path.glob("*.zip")) + list(tmp_path.glob(".*.new"))
    assert rows(park, "SELECT COUNT(*) FROM entries") == before


def test_a_missing_font_says_what_to_install(
    typed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENLEDGER_PDF_FONT", str(tmp_path / "none.ttf"))
    done = typed("disclose", "make", "mill", "2026", "--out", str(tmp_path / "x.zip"))
    assert (done.code, "the font for PDF files, is no file" in done.err) == (2, True)


def test_who_stops_it_leaves_nothing(park: House, tmp_path: Path) -> None:
    """Stopped before it is in the log, there is no file, and no entry."""
    before = rows(park, "SELECT COUNT(*) FROM reports")

    def progress(done: int, _all: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), new_private(tmp_path / "m.zip") as file:
        pack(
            park.desk,
            COMPUTES,
            Wanted(asked=Asked.of("mill", "2026"), font=font()),
            file,
            checkpoint=park.checkpoint,
            vkey=park.verification_key.vkey,
            progress=progress,
        )
    assert [one.name for one in tmp_path.iterdir()] == ["park"]
    assert rows(park, "SELECT COUNT(*) FROM reports") == before


def test_names_in_a_pack_say_nothing_of_this_machine(made: object, copy: Path) -> None:
    text = b"".join(files_of(copy).values())
    assert str(copy.parent.parent).encode() not in text
