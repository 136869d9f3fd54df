"""The command run as a person runs it: words in, exit code and texts out."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.cli import main
from tests.ledgers import begun_template

__all__ = ["begun_template"]


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]
Once = Callable[[Callable[[], None]], None]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """`run("status", "--json")` in a data directory of the test's own."""
    monkeypatch.setenv("GREENLEDGER_DIR", str(tmp_path / "ledger"))
    monkeypatch.setenv("COLUMNS", "200")

    def run_command(*words: str) -> Done:
        monkeypatch.setattr("sys.argv", ["greenledger", *words])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return run_command


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where parks that commands have made are kept, for the next test that needs the same."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def once(request: pytest.FixtureRequest, kept: Path, tmp_path: Path) -> Once:
    """`once(make)`: what `make` puts into the test's folder, made by the first test of a module
    (in each worker) and copied by the others."""

    def copy_or_make(make: Callable[[], None]) -> None:
        copy = kept / request.module.__name__
        if copy.exists():
            shutil.copytree(copy, tmp_path, dirs_exist_ok=True)
        else:
            make()
            shutil.copytree(tmp_path, copy)

    return copy_or_make
