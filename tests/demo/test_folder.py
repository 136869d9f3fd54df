"""Folders: foreign ones are left alone, interrupted ones made again, tampered ones found."""

import contextlib
import fcntl
import json
import re
import shutil
import signal
from pathlib import Path

import pytest
from rich.console import Console

from ledger.demo.folder import FORMAT, Folder
from ledger.demo.progress import Steps
from ledger.errors import Refused
from tests.demo.running import Demo, start, verifier


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "mine.txt").write_text("mine")
    done = start("--dir", str(tmp_path), "--fresh", "--json")
    assert done.returncode == 3
    assert "not empty" in done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["error"] == "Refused"
    assert [path.name for path in tmp_path.rglob("*")] == ["files", "mine.txt"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(Refused, match="is a file"):
        Folder(path=file).state()


def test_only_what_the_demo_made_is_cleared(tmp_path: Path) -> None:
    folder = Folder(path=tmp_path / "demo")
    assert folder.state() == "new"
    with folder.working("label"):
        (folder.path / "ledger").mkdir()
        (folder.path / "ledger" / "ledger.sqlite3").write_text("half")
        (folder.path / "notes.txt").write_text("mine")
    assert folder.state() == "interrupted"
    with folder.working("label"):
        assert sorted(path.name for path in folder.path.iterdir()) == ["demo.json", "notes.txt"]


def test_a_link_is_cut_and_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("")
    folder = Folder(path=tmp_path / "demo")
    with folder.working("label"):
        (folder.path / "tiles").symlink_to(elsewhere)
    with folder.working("label"):
        assert not (folder.path / "tiles").exists()
    assert (elsewhere / "precious").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"verified": False},
        {"format": "greenledger-demo/0"},
        {"tiles": "gone"},
        {"checkpoint": 1},
        {"evidence": "gone"},
        {"trust": "gone"},
    ],
)
def test_finished_means_verified_and_there(tmp_path: Path, change: dict[str, object]) -> None:
    folder = Folder(path=tmp_path / "demo")
    summary = {
        "format": FORMAT,
        "verified": True,
        "tiles": "tiles",
        "checkpoint": "tiles/note",
        "evidence": "proofs/evidence",
        "trust": "roots/trust",
    }
    with folder.working("label"):
        for name in ("tiles/note", "proofs/evidence", "roots/trust", "ledger/ledger.sqlite3"):
            (folder.path / name).parent.mkdir()
            (folder.path / name).write_text("")
        folder.finish(summary)
        assert folder.state() == "finished"
        folder.finish({**summary, **change})
    assert folder.state() == "interrupted"


def test_two_at_once_do_not_mix(tmp_path: Path) -> None:
    folder = Folder(path=tmp_path / "demo")
    with folder.working("label"), pytest.raises(Refused, match="at work"), folder.working("label"):
        pytest.fail("both work")


def test_ctrl_c_stops_and_the_next_start_finishes(demo: Demo) -> None:
    """All other tests of the demo's figures then hold of the start that came after."""
    found = demo.interrupted
    assert found.returncode == 130, found.stderr
    assert found.stdout == ""
    assert "stopped" in found.stderr
    assert found.state == "interrupted"
    assert "interrupted" in found.next_stderr
    assert Folder(path=demo.folder).state() == "finished"


def test_a_changed_tile_is_found(demo: Demo, tmp_path: Path) -> None:
    """One bit of each file of the public log, one after the other."""
    trust = str(demo.folder / "trust.toml")
    names = [path.relative_to(demo.folder / "tiles") for path in _files(demo.folder / "tiles")]
    assert len(names) == 8
    for number, name in enumerate(names):
        copy = tmp_path / str(number)
        shutil.copytree(demo.folder / "tiles", copy)
        data = bytearray((copy / name).read_bytes())
        data[len(data) // 2] ^= 1
        (copy / name).write_bytes(data)
        done = verifier("log", str(copy), "--trust", trust, "--json")
        assert done.returncode == 1, f"{name}: {done.stdout}"
        assert json.loads(done.stdout)["why"]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_what_the_readme_names_of_the_demo_is_there(demo: Demo, page: str) -> None:
    text = (Path(__file__).parents[2] / page).read_text(encoding="utf-8")
    names = set(re.findall(r"greenledger-demo/([\w./-]+)", text))
    assert len(names) == 3
    assert all((demo.folder / name).exists() for name in names)


def test_a_held_lock_is_told(tmp_path: Path) -> None:
    place = tmp_path / "demo"
    place.mkdir()
    with (place / "demo.json").open("w") as marker:
        fcntl.flock(marker, fcntl.LOCK_EX)
        done = start("--dir", str(place))
    assert done.returncode == 3
    assert "another demo is at work" in done.stderr


def test_an_interrupt_that_python_drops_still_stops() -> None:
    """As where it hits a weak reference's callback: nothing there can raise."""
    steps = Steps(Console(quiet=True), 2)

    class Dropped:
        def __del__(self) -> None:
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)

    def work() -> None:
        with steps.running(), steps.step("one", "one"):
            victim = Dropped()
            del victim
            seen.append("went on")

    seen: list[str] = []
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        work()
    assert seen == ["went on"]
    assert signal.getsignal(signal.SIGINT) is before
