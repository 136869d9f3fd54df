"""The command run as a person runs it: words in, exit code and texts out."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from ledger.cli import main
from ledger.cli.app import app
from tests.ledgers import begun_template

__all__ = ["begun_template"]


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@functools.cache
def command() -> TyperGroup:
    """Put together once: that takes longer than most commands."""
    found = get_command(app)
    assert isinstance(found, TyperGroup)
    return found


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """`run("status", "--json")` in a data directory of the test's own."""
    monkeypatch.setenv("GREENLEDGER_DIR", str(tmp_path / "ledger"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("ledger.cli.app.app", command())

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
